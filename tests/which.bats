#!/usr/bin/env bats
# Which containers a verb is for, other than by name: --latest, --all, --filter, --cidfile, --ignore.
load holm

setup() {
	holm_setup
}

@test "--latest is the container that was made last, for every verb that has it" {
	refused 1 "there is no container" holm inspect --latest
	holm run -d --name old busybox sleep 1000
	holm run -d --name new busybox sh -c 'echo said; exec sleep 1000'
	expect 0 holm exec -l sh -c 'echo $((6 * 7))'
	output_is 42
	within 10 test -n "$(holm logs new)"
	expect 0 holm logs -l
	output_is said
	expect 0 holm inspect -l --format '{{.Name}}'
	output_is /new
	expect 0 holm top -l
	output_has "sleep 1000"
	for verb in port diff pause unpause stop start "kill -s TERM" restart; do
		# shellcheck disable=SC2086
		expect 0 holm $verb --latest
	done
	expect 0 holm stats --latest --no-stream --format '{{.Name}}'
	output_is new
	refused 1 "exclude" holm stop -l old
	refused 1 "exclude" holm stop -l --all
	expect 0 holm rm -f -l
	output_is new
	expect 0 holm ps -a --format '{{.Names}}'
	output_is old
}

@test "--all, --running, --filter, --cidfile: those that are meant, and no others" {
	holm run -d --name a --label x=1 busybox sleep 1000
	holm run -d --name b --label x=2 --cidfile file busybox sleep 1000
	holm create --name c --label x=1 busybox true
	expect 0 holm pause --all
	[ "$(sort <<<"$output" | xargs)" = "a b" ]
	expect 0 holm unpause --filter label=x=2
	output_is b
	expect 0 holm unpause -a
	output_is a
	expect 0 holm stop -t 0 --cidfile file
	[ "$(holm ps --format '{{.Names}}')" = a ]
	expect 0 holm restart -t 0 --running
	output_is a
	expect 0 holm start --filter label=x=2
	output_is b
	expect 0 holm kill -a
	[ "$(sort <<<"$output" | xargs)" = "a b" ]
	within 10 test -z "$(holm ps -q)"
	expect 0 holm kill -a
	output_is ""
	refused 1 "no such container" holm rm none
	expect 0 holm rm --ignore none
	output_is ""
	expect 0 holm stop -i none a
	refused 1 "exclude" holm rm --all a
	refused 1 "--cidfile" holm rm --cidfile absent
	expect 0 holm rm -i --cidfile absent
	refused 1 "not KEY=VALUE with one of" holm rm --filter colour=red
	expect 0 holm rm --all
	[ "$(holm ps -aq)" = "" ]
}

@test "container exists answers by its status" {
	holm create --name a busybox true
	expect 0 holm container exists a
	output_is ""
	expect 1 holm container exists b
	output_is ""
	[ "$stderr" = "" ]
}
