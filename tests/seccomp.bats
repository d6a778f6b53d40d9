#!/usr/bin/env bats
# Profiles from files: Docker's format and OCI's, and what they let through.
load holm

setup() {
	holm_setup
	profile=$BATS_TEST_TMPDIR/profile.json
}

# Writes a profile that allows all but what is given: a list of rules.
all_but() { # RULES
	printf '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[%s]}' "$1" >"$profile"
}

confined() { # COMMAND...
	run holm run --rm --security-opt "seccomp=$profile" busybox "$@"
}

@test "a call that the profile refuses fails with the errno it names" {
	all_but '{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}'
	confined mkdir /x
	[ "$status" = 1 ]
	output_has "No space left on device"
	confined touch /x
	[ "$status" = 0 ]
}

@test "arguments are looked at" {
	# kill(pid, SIGUSR1)
	all_but '{"names":["kill"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"args":[{"index":1,"value":10,"op":"SCMP_CMP_EQ"}]}'
	confined sh -c 'trap "" USR1; kill -USR1 $$ || echo no; kill -0 $$ && echo yes'
	output_has no
	output_has yes
}

@test "Docker's rules by capability" {
	printf '%s' '{"defaultAction":"SCMP_ACT_ALLOW","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],
		"syscalls":[{"names":["chroot"],"action":"SCMP_ACT_ERRNO","errnoRet":28,"excludes":{"caps":["CAP_SYS_CHROOT"]}}]}' >"$profile"
	confined chroot / true
	[ "$status" = 0 ]
	run holm run --rm --cap-drop SYS_CHROOT --security-opt "seccomp=$profile" busybox chroot / true
	[ "$status" != 0 ]
	output_has "No space left on device"
}

@test "podman's own profile runs a shell" {
	local theirs=/usr/share/containers/seccomp.json
	[ -e "$theirs" ] || skip "no $theirs here (golang-github-containers-common)"
	expect 0 holm run --rm --security-opt "seccomp=$theirs" busybox sh -c 'ls / >/dev/null && grep ^Seccomp: /proc/self/status'
	output_is "Seccomp:	2"
	run holm run --rm --security-opt "seccomp=$theirs" busybox mount -t tmpfs tmpfs /tmp
	[ "$status" != 0 ]
}

@test "exec is under the profile as well" {
	all_but '{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}'
	expect 0 holm run -d --name box --security-opt "seccomp=$profile" busybox sleep 1000
	run holm exec box mkdir /x
	[ "$status" = 1 ]
	output_has "No space left on device"
}

@test "a profile that is none is refused in one line" {
	local text
	for text in '' '{' '{}' '{"defaultAction":"SCMP_ACT_MAYBE"}' \
		'{"defaultAction":"SCMP_ACT_ALLOW","architectures":["Z80"]}' \
		'{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}' \
		'{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"read","names":["write"],"action":"SCMP_ACT_ERRNO"}]}'; do
		printf '%s' "$text" >"$profile"
		refused 125 seccomp holm run --rm --security-opt "seccomp=$profile" busybox true
	done
	refused 125 nowhere holm run --rm --security-opt seccomp=/nowhere.json busybox true
}

@test "a capability opens its calls in the built-in profile" {
	run holm run --rm busybox mount -t tmpfs tmpfs /tmp
	[ "$status" != 0 ]
	expect 0 holm run --rm --cap-add SYS_ADMIN --security-opt apparmor=unconfined busybox \
		mount -t tmpfs tmpfs /tmp
	run holm run --rm busybox unshare -U true
	[ "$status" != 0 ]
	output_has "Operation not permitted"
}

@test "sysctls reach the container's own namespaces and no others" {
	expect 0 holm run --rm --sysctl kernel.msgmax=4242 --sysctl net.ipv4.ip_default_ttl=42 busybox \
		cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_default_ttl
	output_is $'4242\n42'
	refused 125 kernel.core_pattern holm run --rm --sysctl kernel.core_pattern=x busybox true
	refused 125 host holm run --rm --ipc host --sysctl kernel.msgmax=4242 busybox true
}
