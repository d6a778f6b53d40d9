#!/usr/bin/env bats
# holm of an ordinary user where there are namespaces around it already.
# shellcheck disable=SC2016 # scripts for other shells
load holm
load person

setup_file() {
	needs_root "they make users of their own"
}
load nested

setup() {
	holm_setup
	person_new 300000:65536
}

teardown() {
	person_end
	holm_teardown
}

inner_root=(-e HOLM_ROOT=/var/inner/root)

@test "root of a container of a user's runs holm in it" {
	expect 0 u run --rm --privileged "${inside[@]}" "${inner_root[@]}" busybox sh -c "$inner_run"
	output_is "$inner_says"
	expect 0 u run --rm --privileged "${inside[@]}" "${inner_root[@]}" busybox sh -c "holm run --rm --network none --userns auto busybox sh -c 'id -u; tr -s \" \" </proc/self/uid_map'"
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
	expect 125 u run --rm "${inside[@]}" "${inner_root[@]}" busybox sh -c "holm run --rm --network none busybox true"
	[[ $stderr == *"fsopen(2)"*"Function not implemented"*"has to be privileged"* ]]
}
