#!/usr/bin/env bats
# Waiting for what becomes of containers.
load holm

@test "wait ends when the container does, or at once if it does not run" {
	holm run -d --name web busybox sh -c 'sleep 0.3; exit 7' >/dev/null
	expect 0 holm wait web
	output_is 7
	expect 0 holm wait --condition exited web
	output_is 7
	expect 0 holm wait --condition stopped web
	output_is 7
	refused 1 "no such container" holm wait nothing
	refused 125 "--condition" holm wait --condition sometimes web
	holm rm web
}

@test "wait --condition next-exit also waits for one that does not run yet" {
	holm create --name web busybox sh -c 'exit 3' >/dev/null
	holm wait --condition next-exit web >code &
	local waiter=$!
	sleep 0.3
	[ ! -s code ]
	holm start web
	wait $waiter
	[ "$(cat code)" = 3 ]
	holm rm web
	holm create --name web busybox true >/dev/null
	holm wait --condition next-exit web 2>error &
	waiter=$!
	sleep 0.3
	holm rm web
	not wait $waiter
	grep -q "no such container" error
}

@test "wait for a state, and for the end of all" {
	holm create --name web busybox sleep 1000 >/dev/null
	expect 0 holm wait --condition created web
	holm wait --condition running web &
	local running=$!
	holm wait --condition paused web &
	local paused=$!
	holm wait --condition removed web >code &
	local removed=$!
	holm start web
	wait $running
	holm pause web
	wait $paused
	holm unpause web
	holm rm -f web
	wait $removed
	[ "$(cat code)" = 137 ]
}

@test "container prune removes what does not run" {
	holm run -d --name web busybox sleep 1000 >/dev/null
	holm create --name old --label keep=1 busybox true >/dev/null
	holm create --name ended busybox true >/dev/null
	local id
	id=$(holm ps -aq --no-trunc -f name=ended)
	expect 0 bash -c 'echo n | holm container prune'
	[ "$(holm ps -aq | wc -l)" = 3 ]
	expect 0 holm container prune -f --filter label!=keep
	[ "${lines[0]}" = "Deleted Containers:" ]
	[ "${lines[1]}" = "$id" ]
	[[ ${lines[-1]} =~ ^"Total reclaimed space: "[0-9.]+k?M?B$ ]]
	expect 0 holm container prune -f --filter until=24h
	output_is "Total reclaimed space: 0B"
	expect 0 holm container prune -f
	expect 0 holm ps -a --format '{{.Names}}'
	output_is web
	expect 0 holm events --until 0s -f event=prune --format '{{.Type}}'
	output_is $'container\ncontainer\ncontainer'
	holm image prune -f
	holm volume prune -f
	expect 0 holm events --until 0s -f event=prune -f type=image -f type=volume \
		--format '{{.Type}} {{.Actor.Attributes.reclaimed}}'
	[[ ${lines[0]} =~ ^image\ [0-9]+$ ]]
	[[ ${lines[1]} =~ ^volume\ [0-9]+$ ]]
	refused 1 "colour" holm container prune -f --filter colour=red
	holm rm -f web
}
