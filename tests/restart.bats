#!/usr/bin/env bats
# Restart policies, stop, kill, wait, and what is left of a monitor that was killed.
load holm

count() {
	holm inspect --format '{{.RestartCount}}' "$1"
}

status_of() {
	holm inspect --format '{{.State.Status}}' "$1"
}

is() { # STATUS NAME
	[ "$(status_of "$2")" = "$1" ]
}

counted() { # AT_LEAST NAME
	[ "$(count "$2")" -ge "$1" ]
}

monitor_of() {
	local id
	id=$(holm inspect --format '{{.Id}}' "$1")
	pgrep -f "holm-monitor run $HOLM_RUN/containers/$id"
}

@test "on-failure starts it again so many times" {
	holm run -d --name web --restart on-failure:2 busybox sh -c 'echo run; exit 3' >/dev/null
	within 10 is exited web
	[ "$(count web)" = 2 ]
	[ "$(holm logs web)" = $'run\nrun\nrun' ]
	[ "$(holm inspect --format '{{.State.ExitCode}}' web)" = 3 ]
}

@test "a start by hand counts anew" {
	holm run -d --name web --restart on-failure:1 busybox false >/dev/null
	within 10 is exited web
	[ "$(count web)" = 1 ]
	holm start web >/dev/null
	[ "$(count web)" = 0 ] || [ "$(count web)" = 1 ]
	within 10 is exited web
	[ "$(count web)" = 1 ]
	holm events --since 1h --until 0s --filter event=start --format x | wc -l | grep -qx 4
}

@test "on-failure leaves a success alone" {
	holm run -d --name web --restart on-failure busybox true >/dev/null
	within 5 is exited web
	[ "$(count web)" = 0 ]
}

@test "always starts it again, and stop is the end of it" {
	holm run -d --name web --restart always busybox sleep 0.05 >/dev/null
	within 10 counted 2 web
	expect 0 holm stop web
	is exited web
	before=$(count web)
	sleep 0.5
	is exited web
	[ "$(count web)" = "$before" ]
}

@test "a container that waits for its restart is shown as restarting, and can be stopped" {
	holm run -d --name web --restart always busybox false >/dev/null
	within 10 counted 4 web
	within 5 is restarting web
	expect 0 holm ps
	output_has Restarting
	expect 0 timeout "$(seconds 3)" holm stop web
	is exited web
}

@test "kill ends a container that would restart" {
	holm run -d --name web --restart always busybox sleep 100 >/dev/null
	expect 0 holm kill web
	within 3 is exited web
	[ "$(holm inspect --format '{{.State.ExitCode}}' web)" = 137 ]
}

@test "a filesystem written before a restart is there after it" {
	holm run -d --name web --restart on-failure busybox sh -c '[ -e /was ] || { >/was; exit 1; }' >/dev/null
	within 5 is exited web
	[ "$(holm inspect --format '{{.State.ExitCode}}' web)" = 0 ]
	[ "$(count web)" = 1 ]
}

@test "stop asks first and kills then" {
	holm run -d --name web --no-init busybox sh -c 'trap "echo asked" TERM; echo ready; while :; do sleep 0.05; done' >/dev/null
	within 5 said web ready
	expect 0 timeout 10 holm stop -t 1 web
	[ "$(holm logs web)" = $'ready\nasked' ]
	[ "$(holm inspect --format '{{.State.ExitCode}}' web)" = 137 ]
	holm run -d --name nice --stop-signal USR1 busybox sh -c 'trap "exit 9" USR1; echo ready; while :; do sleep 0.05; done' >/dev/null
	within 5 said nice ready
	expect 0 timeout "$(seconds 5)" holm stop nice
	[ "$(holm inspect --format '{{.State.ExitCode}}' nice)" = 9 ]
}

@test "--stop-timeout is how long stop waits" {
	holm run -d --name web --no-init --stop-timeout 1 busybox sh -c 'trap "echo asked" TERM; echo ready; while :; do sleep 0.05; done' >/dev/null
	within 5 said web ready
	expect 0 timeout "$(seconds 8)" holm stop web
	[ "$(holm logs web)" = $'ready\nasked' ]
	[ "$(holm inspect --format '{{.State.ExitCode}} {{.Config.StopTimeout}}' web)" = '137 1' ]
}

@test "--timeout kills it after so long, and no policy starts it again" {
	holm run -d --name web --timeout 1 --restart always busybox sleep 1000 >/dev/null
	within 10 is exited web
	[ "$(holm inspect --format '{{.State.ExitCode}} {{.RestartCount}}' web)" = '137 0' ]
	expect 137 timeout "$(seconds 10)" holm run --rm --timeout 1 busybox sleep 1000
	refused 125 "--timeout: '-1'" holm run --timeout -1 busybox true
}

@test "wait tells the code, also of one that has ended long ago" {
	holm run -d --name web busybox sh -c 'sleep 0.5; exit 11' >/dev/null
	expect 0 holm wait web
	output_is 11
	expect 0 holm wait web
	output_is 11
}

@test "a start right after an exit works every time" {
	holm run --name web busybox true
	for _ in $(seq 20); do
		expect 0 holm start -a web
	done
}

@test "kill -9 of the monitor takes the container along, and the next command clears up" {
	holm run -d --name web --restart always busybox sleep 1000 >/dev/null
	pid=$(holm inspect --format '{{.State.Pid}}' web)
	kill -KILL "$(monitor_of web)"
	within 3 is exited web
	within 3 not test -d "/proc/$pid"
	[ "$(holm inspect --format '{{.State.ExitCode}}' web)" = 137 ]
	[ -z "$(find "$HOLM_RUN/containers" -mindepth 1)" ]
	[ -z "$(cgroups)" ]
	expect 0 holm start web
	is running web
}

@test "kill -9 of the monitor of a --rm container: nothing is left" {
	holm run -d --rm --name web -v /data busybox sleep 1000 >/dev/null
	kill -KILL "$(monitor_of web)"
	sleep 0.2
	expect 0 holm ps -aq
	output_is ""
	[ -z "$(find "$HOLM_ROOT/containers" "$HOLM_ROOT/names" -mindepth 1)" ]
	[ -z "$(holm volume ls -q)" ]
}

@test "SIGTERM to the monitor stops the container as holm stop does" {
	holm run -d --name web --restart always busybox sh -c 'trap "exit 4" TERM; echo ready; while :; do sleep 0.05; done' >/dev/null
	within 5 said web ready
	kill "$(monitor_of web)"
	within 5 is exited web
	[ "$(holm inspect --format '{{.State.ExitCode}}' web)" = 4 ]
}

@test "a container killed for want of memory says so" {
	holm run --name web -m 16m --memory-swap 16m busybox sh -c 'x=a; while :; do x=$x$x; done' >/dev/null 2>&1 || code=$?
	[ "$code" = 137 ]
	[ "$(holm inspect --format '{{.State.OOMKilled}}' web)" = true ]
}

@test "an idle monitor is small" {
	holm run -d --name web busybox sleep 1000 >/dev/null
	monitor=$(monitor_of web)
	small() {
		[ "$(awk '$1 == "Pss:" { print $2 }' "/proc/$monitor/smaps_rollup")" -le 300 ]
	}
	within 3 small
}

@test "the exit code is recorded on a full disk, too" {
	small_disk "$BATS_TEST_TMPDIR/disk" 64
	export HOLM_ROOT=$BATS_TEST_TMPDIR/disk/root
	holm run -d --name web --log-driver none busybox sh -c "sleep $(seconds 1); exit 9" >/dev/null
	head -c 80M /dev/zero >"$BATS_TEST_TMPDIR/disk/fill" 2>/dev/null || true
	expect 0 holm wait web
	output_is 9
	within 3 is exited web
	[ "$(holm inspect --format '{{.State.ExitCode}}' web)" = 9 ]
	rm "$BATS_TEST_TMPDIR/disk/fill"
	holm rm web
	small_disk_end "$BATS_TEST_TMPDIR/disk"
}

@test "monitors killed at random moments leave nothing that ps does not clear" {
	local run monitor
	for i in $(seq 30); do
		rm=$([ $((i % 2)) = 0 ] || echo --rm)
		# shellcheck disable=SC2086
		holm run $rm --name "web$i" busybox sleep 0.02 >/dev/null 2>&1 3>&- &
		run=$!
		sleep "$(seconds "0.0$((RANDOM % 10))")"
		monitor=$(pgrep -f "holm-monitor run $HOLM_RUN" | head -n 1) || true
		[ -z "$monitor" ] || kill -KILL "$monitor" 2>/dev/null || true
		wait "$run" || true
	done
	holm ps -aq | xargs -r holm rm -f >/dev/null
	[ -z "$(holm ps -aq)" ]
	# a monitor that was not killed clears up after it has told the end
	nothing_is_left() {
		[ -z "$(find "$HOLM_RUN/containers" "$HOLM_ROOT/containers" "$HOLM_ROOT/names" -mindepth 1)" ] && [ -z "$(cgroups)" ]
	}
	within 3 nothing_is_left
}
