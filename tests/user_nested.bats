#!/usr/bin/env bats
# holm of an ordinary user where there are namespaces around it already.
# shellcheck disable=SC2016 # scripts for other shells
load holm
load person

setup() {
	holm_setup
	person_new 300000:65536
	home=$BATS_TEST_TMPDIR/person/tester
}

teardown() {
	person_end
	holm_teardown
}

# What a container needs to run holm in it: the host's programs and libraries, and holm's own.
inside=(-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v /etc/alternatives:/etc/alternatives:ro
	-v "$HOLM_STAGE:/holm:ro" -e HOLM_LIBEXEC=/holm/libexec/holm -e PATH=/holm/bin:/usr/sbin:/usr/bin:/sbin:/bin
	-e HOME=/var/inner -e XDG_RUNTIME_DIR=/run/inner -e NO_COLOR=1
	--tmpfs /run:mode=1777 --tmpfs /var/inner:mode=1777 --tmpfs /tmp:mode=1777)
stage() {
	local part
	part=$(dirname "$(dirname "$(command -v holm)")")
	[ -d "$part/libexec" ] || part=$(dirname "$(dirname "$HOLM_LIBEXEC")")
	echo "$part"
}

# In the container: a user with a range, as whom holm is run.
user_in='
	mkdir -p /var/inner/u /run/inner && chown 1000:1000 /var/inner/u /run/inner && chmod 700 /run/inner
	printf "root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000::/var/inner/u:/bin/sh\n" >/etc/passwd
	echo tester:2000:30000 >/etc/subuid && cp /etc/subuid /etc/subgid
	as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/var/inner/u "$@"; }
'
# A container in a container, as whoever runs this: root of its own namespaces, with files of its own.
inner_run='holm run --rm --network none busybox sh -c "id -u; touch /made && chown 5:6 /made && stat -c %u:%g /made"'
inner_says="0
5:6"

@test "root of a container of a user's runs holm in it" {
	expect 0 u run --rm --privileged "${inside[@]}" busybox sh -c "$inner_run"
	output_is "$inner_says"
	expect 0 u run --rm --privileged "${inside[@]}" busybox sh -c "holm run --rm --network none --userns auto busybox sh -c 'id -u; tr -s \" \" </proc/self/uid_map'"
	output_is "0
 0 1 4096"
}

@test "a user in a container of root's runs holm in it" {
	expect 0 holm run --rm --privileged "${inside[@]}" busybox sh -c "$user_in as_user $inner_run"
	output_is "$inner_says"
	expect 0 holm run --rm --privileged "${inside[@]}" busybox sh -c "$user_in as_user holm run --rm --network none --userns keep-id busybox id -u"
	output_is 1000
}

@test "a user in a container of a user's runs holm in it" {
	expect 0 u run --rm --privileged "${inside[@]}" busybox sh -c "$user_in as_user $inner_run"
	output_is "$inner_says"
}

@test "in a plain user namespace, as its root" {
	expect 0 as_person unshare --user --map-root-user --mount holm run --rm --network none busybox id -u
	output_is 0
	expect 0 u unshare holm run --rm --network none busybox id -u
	output_is 0
}

@test "without --privileged the reason is said" {
	refused 125 "" u run --rm "${inside[@]}" busybox sh -c "holm run --rm --network none busybox true"
}
