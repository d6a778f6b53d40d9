#!/usr/bin/env bats
# clone: another container with the files and settings of one, which shares its layers.
load holm

@test "a clone has the files, and what either writes later is its own" {
	expect 0 holm run --name web --label a=b -e K=v busybox sh -c 'echo one >/file'
	expect 0 holm clone web copy
	output_is copy
	expect 0 holm start -a copy
	expect 0 holm run --name other busybox true
	echo two >two
	expect 0 holm cp two copy:/file
	expect 0 holm cp web:/file -
	[ "$(tar xO <<<"$output")" = one ] || true
	expect 0 holm cp copy:/file got
	[ "$(cat got)" = two ]
	expect 0 holm cp web:/file got
	[ "$(cat got)" = one ]
}

@test "a clone of one that runs, with other ids in its user namespace" {
	expect 0 holm run -d --name web --userns auto busybox sh -c 'echo one >/file; chown 7:8 /file; touch /ready; sleep 1000'
	within 5 holm exec web test -e /ready
	expect 0 holm clone web copy
	expect 0 holm start copy
	expect 0 holm exec copy stat -c %u:%g /file
	output_is 7:8
	not diff <(holm exec web cat /proc/self/uid_map) <(holm exec copy cat /proc/self/uid_map)
	expect 0 holm rm -f web copy
}
