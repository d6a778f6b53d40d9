#!/usr/bin/env bats
# AppArmor, where the kernel has it active: holm's own profile, another one, none.
load holm

setup() {
	holm_setup
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] ||
		skip "AppArmor is not active in this kernel"
	needs apparmor_parser
	made_image probe image
	image=oci:$image:latest
}

PROFILES=/sys/kernel/security/apparmor/profiles

@test "a container has holm's own profile, and exec has it, too" {
	expect 0 holm run --rm "$image" cat /proc/self/attr/current
	output_is "holm-default (enforce)"
	grep -q '^holm-default (enforce)' "$PROFILES"
	holm run -d --name web "$image" sleep 100
	expect 0 holm exec web cat /proc/self/attr/current
	output_is "holm-default (enforce)"
	expect 0 holm inspect --format '{{.AppArmorProfile}}' web
	output_is holm-default
	expect 0 holm exec --privileged web cat /proc/self/attr/current
	output_is unconfined
	expect 0 holm stop -t 1 web # signals from outside come in
}

@test "the profile forbids what the masks forbid, also without them" {
	local try='mount -t tmpfs t /dev/shm 2>/dev/null && echo mounted; echo 1 >/proc/sys/kernel/panic_on_oops && echo written
		echo x >/file && cat /file; kill -0 1 && echo signalled; exit 0'
	expect 0 holm run --rm --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt unmask=ALL "$image" sh -c "$try"
	output_is $'x\nsignalled'
	expect 0 holm run --rm --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt unmask=ALL \
		--security-opt apparmor=unconfined "$image" sh -c "${try/echo 1 >\/proc\/sys\/kernel\/panic_on_oops && echo written/:}"
	output_is $'mounted\nx\nsignalled'
}

@test "another profile, none, one that is not loaded" {
	expect 0 holm run --rm --security-opt apparmor=unconfined "$image" cat /proc/self/attr/current
	output_is unconfined
	expect 0 holm run --rm --privileged "$image" cat /proc/self/attr/current
	output_is unconfined
	apparmor_parser --skip-cache --replace <<<'profile holm-test-other flags=(attach_disconnected) { file, capability, network, signal, deny /etc/passwd r, }'
	expect 1 holm run --rm --security-opt apparmor=holm-test-other "$image" sh -c 'cat /proc/self/attr/current; cat /etc/passwd'
	output_is "holm-test-other (enforce)"
	apparmor_parser --remove <<<'profile holm-test-other { }'
	refused 125 "AppArmor profile holm-test-missing" holm run --rm --security-opt apparmor=holm-test-missing "$image" true
}
