#!/usr/bin/env bats
# One more process in a running container.
load holm

start() {
	holm run -d --name web "$@" busybox sleep 1000 >/dev/null
}

@test "exec runs a command inside and returns its status" {
	start -e FROM=run -w /tmp --hostname inner
	expect 0 holm exec web hostname
	output_is inner
	expect 0 holm exec web sh -c 'echo $FROM; pwd'
	output_is $'run\n/tmp'
	expect 3 holm exec web sh -c 'exit 3'
	expect 137 holm exec web sh -c 'kill -KILL $$'
	refused 127 "nosuch" holm exec web nosuch
	refused 126 "/etc" holm exec web /etc
	holm rm -f web
}

@test "exec sees the container's processes and no others" {
	start
	expect 0 holm exec web ps -o pid,args
	output_has "sleep 1000"
	[ "${#lines[@]}" -le 5 ]
	holm rm -f web
}

@test "exec takes user, folder and environment of its own" {
	start
	expect 0 holm exec -u 1000:2000 -w /etc -e A=1 -e B=2 web sh -c 'id -u; id -g; pwd; echo $A$B'
	output_is $'1000\n2000\n/etc\n12'
	echo C=from-file >./env
	expect 0 holm exec --env-file env web sh -c 'echo $C'
	output_is from-file
	refused 1 "" holm exec -u 4294967296 web true
	refused 1 "" holm exec -w relative web true
	refused 126 "no user 'nosuch'" holm exec -u nosuch web true
	refused 126 "/nosuch" holm exec -w /nosuch web true
	holm rm -f web
}

@test "exec passes input only with -i, and keeps output and error apart" {
	start
	expect 0 bash -c 'echo in | holm exec -i web cat'
	output_is in
	expect 0 bash -c 'echo in | holm exec web cat'
	output_is ""
	expect 0 bash -c 'holm exec web sh -c "echo out; echo err >&2" 2>/dev/null'
	output_is out
	expect 0 bash -c 'head -c 5000000 /dev/urandom | tee sent | holm exec -i web cat >got; cmp got sent'
	holm rm -f web
}

@test "exec in the background returns at once" {
	start
	expect 0 timeout "$(seconds 5)" holm exec -d web sh -c 'sleep 0.2; touch /done; sleep 1000'
	within 5 holm exec web test -e /done
	# and its end is told, also of one with a terminal, which stays open
	local from
	from=$(date +%s.%N)
	holm exec -d web sh -c 'exit 3'
	holm exec -dt web sh -c 'sleep 0.1; test -t 0 && echo x >/dev/tty && exit 4'
	within 5 eval '[ "$(ends)" = "3 4" ]'
	# who is killed does not take the command along
	holm exec -d web sleep 4321
	local monitor
	monitor=$(pgrep -f "holm-monitor exec $HOLM_RUN" | tail -1)
	kill -KILL "$monitor"
	holm exec web ps -o args | grep -q '^sleep 4321'
	holm rm -f web
	within 5 not pgrep -f "holm-monitor exec $HOLM_RUN"
}

ends() { # of commands, since $from
	holm events --since "$from" --stream=false -f event=exec_die --format '{{.Actor.Attributes.exitCode}}' |
		sort | xargs
}

@test "exec of what does not run is refused" {
	refused 1 "no such container" holm exec nosuch true
	holm create --name made busybox true >/dev/null
	refused 1 "" holm exec made true
	holm rm made
	start
	holm pause web
	refused 1 "paused" holm exec web true
	holm unpause web
	holm kill web
	refused 1 "" holm exec web true
	holm rm -f web
}

@test "the limits and the seccomp filter of the container hold for exec" {
	start --cap-drop ALL
	expect 0 holm exec web grep CapEff /proc/self/status
	output_has 0000000000000000
	expect 0 holm exec web grep Seccomp: /proc/self/status
	output_has 2
	holm rm -f web
}

@test "twenty at once do not mix" {
	start
	local i
	for i in $(seq 20); do
		holm exec web sh -c "echo $i; exit $i" >"out$i" &
		pids[i]=$!
	done
	for i in $(seq 20); do
		wait "${pids[i]}" && status=0 || status=$?
		[ "$status" = "$i" ]
		[ "$(cat "out$i")" = "$i" ]
	done
	holm rm -f web
}
