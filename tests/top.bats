#!/usr/bin/env bats
# The processes of a container, seen from the host.
load holm

@test "top shows what runs in a container, and nothing else" {
	needs ps
	holm run -d --name web busybox sh -c 'sleep 1001 & exec sleep 1002' >/dev/null
	within 5 eval 'holm top web | grep -q "sleep 1001"'
	expect 0 holm top web
	[[ ${lines[0]} =~ ^"UID                 PID                 PPID                C "+"STIME "+"TTY "+"TIME "+CMD$ ]]
	output_has "sleep 1001"
	output_has "sleep 1002"
	not grep -q bats <<<"$output"
	expect 0 holm container top web -eo pid,comm
	[[ ${lines[0]} =~ ^PID\ +COMMAND$ ]]
	[[ $output == *" sleep"* ]]
	[ "$(awk '$2 == "sleep" { print $1 }' <<<"$output" | head -1 | xargs -I{} cat /proc/{}/comm)" = sleep ]
	expect 0 holm top web aux
	[[ ${lines[0]} =~ ^USER\ +PID\ +%CPU ]]
	holm pause web
	expect 0 holm top web
	output_has "sleep 1002"
	holm unpause web
	refused 1 "no column PID" holm top web -eo comm
	refused 1 "ps ended with status" holm top web --no-such-option
	refused 1 "no such container" holm top nothing
	holm stop -t 0 web
	refused 1 "not running" holm top web
	holm rm web
}

@test "top needs no ps" {
	holm run -d --name web busybox sleep 1001 >/dev/null
	mkdir bin
	ln -s "$(command -v holm)" bin/holm
	bare() {
		expect 0 env PATH="$PWD/bin" HOLM_ROOT="$HOLM_ROOT" HOLM_RUN="$HOLM_RUN" holm "$@"
	}
	bare top web
	[[ ${lines[0]} =~ ^UID\ +PID\ +PPID\ +S\ +TIME\ +CMD$ ]]
	output_has "sleep 1001"
	bare top web -eo pid,comm,rss
	[[ ${lines[0]} =~ ^PID\ +COMMAND\ +RSS$ ]]
	[[ $output =~ sleep\ +[0-9]+ ]]
	refused 1 "no ps(1)" env PATH="$PWD/bin" holm top web aux
	holm rm -f web
}
