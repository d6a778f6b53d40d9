#!/usr/bin/env bats
# holm checkpoint, and start --checkpoint: the processes of a container in files, and back.
load holm
load criu

setup() {
	needs_root "criu stores root's containers"
	holm_setup
}

teardown() {
	[ -z "${HOLM_TEST_USER:-}" ] || return 0
	holm_teardown
	criu_teardown
}

folder() { # NAME
	echo "$HOLM_ROOT/containers/$(holm inspect -f '{{.Id}}' "$1")"
}

went_on() { # NAME - since it was started from its checkpoint: it counts on, once
	local last
	last=$(holm logs "$1" | tail -n 1 | tr -d '\r')
	within 10 counts holm "$1" $((last + 3))
	[ "$(holm logs "$1" | tr -d '\r' | grep -cx 1)" = 1 ]
}

@test "a container ends with its checkpoint, and goes on from it: memory, open files, network, limits" {
	criu_that_can
	counter web -m 64m --restart always -p 127.0.0.1:8099:80 --health-cmd 'test -e /count' --health-interval 100ms
	expect 0 holm checkpoint create web one
	output_is one
	expect 0 holm ps -a --format '{{.State}}'
	output_is exited
	expect 0 holm checkpoint ls -q web
	output_is one
	expect 0 holm start --checkpoint one web
	went_on web
	expect 0 holm exec web sh -c 'grep -cx 1 /count; tail -n 1 /count; ip -4 -o addr show eth0; cat /proc/1/comm'
	[ "${lines[0]}" = 1 ]
	[ "${lines[1]}" -gt 3 ]
	[[ $output == *10.* && $output == *holm-init* ]]
	expect 0 holm inspect -f '{{.State.Status}} {{.HostConfig.Memory}}' web
	output_is "running 67108864"
	within 10 holm healthcheck run web
	# once more, from the one before: the file has gone on meanwhile
	expect 0 holm stop -t 0 web
	expect 0 holm start --checkpoint one web
	refused 1 "container web is running" holm start --checkpoint one web
	# its end is one as any, and starts it from the beginning
	holm exec web kill -9 2
	within 10 sh -c '[ "$(holm logs web | grep -cx 1)" = 2 ]'
	expect 0 holm checkpoint rm web one
	expect 0 holm checkpoint ls -q web
	output_is ""
}

@test "checkpoint --leave-running, into a folder of one's own; a name is given once" {
	criu_that_can
	counter web
	mkdir kept
	expect 0 holm checkpoint --leave-running --checkpoint-dir kept web one
	went_on web
	refused 1 "there is a checkpoint one already" holm checkpoint --checkpoint-dir kept web one
	went_on web
	expect 0 holm checkpoint ls --checkpoint-dir kept --format '{{.Name}}' web
	output_is one
	expect 0 holm stop -t 0 web
	refused 1 "no such checkpoint: one" holm start --checkpoint one web
	refused 1 "without --checkpoint" holm start --checkpoint-dir kept web
	expect 0 holm start --checkpoint-dir kept --checkpoint one web
	went_on web
	refused 1 "no such checkpoint: two" holm checkpoint rm web two
	refused 1 "../one" holm checkpoint rm web ../one
}

has_sys_resource() {
	(($((0x$(sed -n 's/^CapEff:\t//p' /proc/self/status))) >> 24 & 1))
}

@test "a checkpoint of a container with a terminal, of one with a volume, of one in no network" {
	criu_that_can
	counter term -t
	expect 0 holm checkpoint term one
	expect 0 holm start --checkpoint one term
	went_on term
	expect 0 holm exec term sh -c 'test -t 0 </proc/1/fd/0'
	# criu asks for the rlimits of others
	if has_sys_resource; then user=(--user 1000:1000); else user=(); fi
	counter vol -v data:/data --tmpfs /scratch --network none "${user[@]}" -e COUNT=/dev/shm/count
	expect 0 holm exec -u 0 vol sh -c 'echo kept >/scratch/f'
	expect 0 holm checkpoint vol one
	expect 0 holm start --checkpoint one vol
	went_on vol
	expect 0 holm exec vol cat /scratch/f
	output_is kept
}

@test "what cannot be stored is refused by name, and runs on" {
	criu_that_can
	expect 0 holm run -d --name sees --view limits busybox sleep 60
	refused 1 "criu does not know a container that sees its limits" holm checkpoint sees one
	expect 0 holm run -d --name host --pid host busybox sleep 60
	refused 1 "its pid namespace is the host's" holm checkpoint host one
	expect 0 holm run -d --name joined --network container:sees busybox sleep 60
	refused 1 "its network namespace is another's" holm checkpoint joined one
	expect 0 holm run -d --name ids --userns auto busybox sleep 60
	refused 1 "ids of its own" holm checkpoint ids one
	expect 0 holm run -d --rm --name gone busybox sleep 60
	refused 1 "goes when it ends" holm checkpoint gone one
	expect 0 holm pause gone
	refused 1 "container gone is paused" holm checkpoint --leave-running gone one
	expect 0 holm unpause gone
	expect 0 holm create --name still busybox true
	refused 1 "container still is not running" holm checkpoint still one
	expect 0 holm ps -q
	[ "${#lines[@]}" = 5 ]
	counter web
	mkdir empty
	refused 1 "there is no criu here" env PATH="$PWD/empty" "$(command -v holm)" checkpoint web one
	expect 0 holm exec -d web sleep 60
	refused 1 "was started by exec" holm checkpoint web one
	went_on web
	expect 0 holm checkpoint ls -q web
	output_is ""
}

@test "holm that is killed at any moment has stored the container, which has ended, or left it running" {
	criu_that_can
	counter web --restart always
	for delay in 0.01 0.03 0.06 0.09 0.12 0.15 0.2; do
		holm checkpoint web one 3>&- &
		storing=$!
		sleep "$delay"
		kill -9 "$storing" || true
		wait "$storing" || true
		within 10 settled
		if [ -n "$(holm checkpoint ls -q web)" ]; then
			within 10 sh -c '[ "$(holm ps -a --format "{{.State}}")" = exited ]'
			expect 0 holm start --checkpoint one web
			expect 0 holm checkpoint rm web one
		fi
		within 10 went_on web
	done
	expect 0 holm checkpoint web one
	expect 0 ls -A "$(folder web)/checkpoints"
	output_is one
}

settled() { # no criu is at work
	! pgrep -f "criu swrk" >/dev/null
}

@test "holm that is killed at its abort point, when all is stored, leaves it running, and what has no name is none" {
	needs_abort_points
	criu_that_can
	counter web --restart always
	HOLM_FAULT=checkpoint.stored run holm checkpoint web one
	[ "$status" = 137 ]
	within 10 went_on web
	expect 0 holm checkpoint ls -q web
	output_is ""
	expect 0 holm checkpoint web one
	expect 0 ls -A "$(folder web)/checkpoints"
	output_is one
	expect 0 holm start --checkpoint one web
	went_on web
}

@test "a damaged checkpoint starts nothing, and the next start is one as any" {
	criu_that_can
	counter web
	expect 0 holm checkpoint web one
	: >"$(folder web)/checkpoints/one/pstree.img"
	refused 1 "criu restore failed" holm start --checkpoint one web
	expect 0 holm ps -a --format '{{.State}}'
	output_is created
	expect 0 holm start web
	within 10 sh -c '[ "$(holm logs web | grep -cx 1)" = 2 ]'
}

@test "a monitor that is killed while criu makes the container leaves nothing that runs" {
	criu_that_can
	counter web
	expect 0 holm checkpoint web one
	mkdir slow
	printf '#!/bin/sh\ncase $1 in swrk) sleep 300;; *) exec %s "$@";; esac\n' "$(command -v criu)" >slow/criu
	chmod +x slow/criu
	PATH=$PWD/slow:$PATH holm start --checkpoint one web 3>&- &
	starter=$!
	within 10 pgrep -f "^/bin/sh $PWD/slow/criu swrk"
	pkill -9 -f "^holm-monitor run $HOLM_RUN"
	wait "$starter" && false
	expect 0 holm ps -a --format '{{.State}}'
	output_is created
	[ -z "$(pgrep -f "$PWD/slow/criu swrk")" ]
	expect 0 holm start --checkpoint one web
	went_on web
}

@test "descriptors of the caller's are in no checkpoint, and it runs on" {
	criu_that_can
	counter web --preserve-fds 1 3</etc/passwd
	refused 1 "it has descriptors of whoever started it" holm checkpoint create web one
	expect 0 holm checkpoint ls -q web
	output_is ""
	went_on web
	holm rm -f web
}
