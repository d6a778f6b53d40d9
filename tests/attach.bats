#!/usr/bin/env bats
# Several people at one container's streams.
load holm

@test "attach shows what comes from then on" {
	holm run -d --name web busybox sh -c \
		"echo before; sleep $(seconds 1); echo after; exit 6" >/dev/null
	sleep "$(seconds 0.3)"
	expect 6 holm attach web
	output_is after
}

@test "several attach and see the same" {
	local pids=()
	holm run -d --name web busybox sh -c "sleep $(seconds 1); seq 1000" >/dev/null
	for i in 1 2 3; do
		holm attach --no-stdin web >"$BATS_TEST_TMPDIR/$i" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in 1 2 3; do
		cmp "$BATS_TEST_TMPDIR/$i" <(seq 1000)
	done
}

@test "what is typed at attach arrives, and the end of it leaves a detached container alone" {
	holm run -di --name web busybox sh -c 'while read -r line; do echo "got $line"; done' >/dev/null
	echo one | timeout -s KILL "$(seconds 1)" holm attach web >/dev/null || true
	echo two | timeout -s KILL "$(seconds 1)" holm attach web >/dev/null || true
	within 5 said web 'got two'
	[ "$(holm logs web)" = $'got one\ngot two' ]
	[ "$(holm inspect --format '{{.State.Running}}' web)" = true ]
}

@test "run -i ends the input with its own" {
	expect 0 bash -c 'printf "b\na\n" | holm run --rm -i busybox sort'
	output_is $'a\nb'
}

@test "without -i the input is empty" {
	expect 0 bash -c 'echo lost | holm run --rm busybox cat'
	output_is ""
}

@test "a large input arrives whole, through a slow reader" {
	head -c 5000000 /dev/urandom >"$BATS_TEST_TMPDIR/bytes"
	sum=$(sha256sum <"$BATS_TEST_TMPDIR/bytes")
	expect 0 bash -c 'holm run --rm -i busybox sh -c "sleep 0.5; sha256sum" <"$1"' - "$BATS_TEST_TMPDIR/bytes"
	output_is "$sum"
}

@test "a reader that stands still blocks its run and loses nothing" {
	holm run --name web --log-driver none busybox seq 500000 |
		{ sleep 1; sha256sum; } >"$BATS_TEST_TMPDIR/sum"
	[ "$(cat "$BATS_TEST_TMPDIR/sum")" = "$(seq 500000 | sha256sum)" ]
}

@test "one that attaches and stands still holds up nobody" {
	holm run -d --name web busybox sh -c "sleep $(seconds 1); seq 300000; echo end" >/dev/null
	holm attach --no-stdin web 3>&- | { sleep 100; } &
	slow=$!
	expect 0 timeout "$(seconds 20)" holm wait web
	[ "$(holm logs --tail 1 web)" = end ]
	kill "$slow" 2>/dev/null || true
	pkill -f 'sleep 100' || true
	wait "$slow" || true
}

@test "attach to what does not run is refused" {
	holm run --name web busybox true
	refused 1 'not running' holm attach web
}

@test "signals reach the command, and its code comes back" {
	holm run --name web busybox sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done' \
		>"$BATS_TEST_TMPDIR/out" 3>&- &
	run=$!
	within 5 grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -TERM "$run"
	code=0
	wait "$run" || code=$?
	[ "$code" = 5 ]
}

@test "holm killed in the foreground leaves the container running" {
	holm run --name web busybox sh -c 'echo ready; sleep 2; echo done' >"$BATS_TEST_TMPDIR/out" 3>&- &
	run=$!
	within 5 grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -KILL "$run"
	expect 0 holm wait web
	output_is 0
	[ "$(holm logs web)" = $'ready\ndone' ]
}

@test "a terminal has its size, and its code comes back" {
	needs script
	holm run -dit --name web busybox sh >/dev/null
	script -qec 'stty rows 31 cols 97; holm attach web; echo code $?' /dev/null \
		< <(sleep "$(seconds 0.5)"; printf 'stty size; exit 3\n'; sleep "$(seconds 1)") >"$BATS_TEST_TMPDIR/out"
	grep -q '31 97' "$BATS_TEST_TMPDIR/out"
	grep -q 'code 3' "$BATS_TEST_TMPDIR/out"
}
