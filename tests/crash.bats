#!/usr/bin/env bats
# kill -9 of anything at any moment: the next command works, finds what was left and clears it, and
# no container is ever half visible.
load holm

# Runs the command in a session of its own and kills that after a random time of at most MS.
killed_at_random() { # MS COMMAND...
	local ms=$((RANDOM % ($1 * ${HOLM_TEST_PATIENCE:-1}))) pid
	shift
	setsid "$@" >/dev/null 2>&1 </dev/null 3>&- &
	pid=$!
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
	kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

# Every container that is listed can be inspected and removed, and then nothing is left at all.
clean() {
	local name
	expect 0 holm ps -aq
	for name in $output; do
		holm inspect "$name" >/dev/null || return 1
		holm rm -f -v "$name" >/dev/null || return 1
	done
	expect 0 holm ps -aq
	output_is ""
	nothing_left
}

# What holm itself runs of the test: monitors, and what is in containers.
kill_monitors() {
	pgrep -x holm-monitor | xargs -r kill -KILL 2>/dev/null || true
}

@test "run, killed fifty times at random moments, leaves nothing that the next commands do not clear" {
	expect 0 holm run --rm busybox true
	for i in $(seq 50); do
		killed_at_random 40 holm run --name "box$((i % 3))" busybox sh -c 'echo x; sleep 0.02'
		[ $((i % 5)) != 0 ] || kill_monitors
	done
	clean
}

@test "run --rm, killed at random moments, frees its name" {
	expect 0 holm run --rm busybox true
	for _ in $(seq 20); do
		killed_at_random 30 holm run --rm --name box busybox true
	done
	# killed between its record and its start it waits to be started or removed; one that had been
	# started goes by itself, perhaps just now
	holm rm box 2>/dev/null || true
	within 5 holm run --rm --name box busybox true
	clean
}

@test "rm, killed at random moments, removes all or nothing" {
	for _ in $(seq 20); do
		holm ps -aq --filter name=box | grep -q . ||
			holm run --name box -v /data busybox sh -c 'mkdir -p /a/b/c; echo x > /data/x'
		killed_at_random 20 holm rm -v box
	done
	clean
}

@test "start and stop, killed at random moments" {
	expect 0 holm create --name box busybox sleep 1000
	for _ in $(seq 20); do
		killed_at_random 20 holm start box
		killed_at_random 20 holm stop -t 0 box
	done
	# the last stop may have been asked for before its sender was killed
	expect 0 holm stop -t 0 box
	expect 0 holm start box
	expect 0 holm exec box true
	expect 0 holm stop -t 0 box
	clean
}

@test "the first use of an image, killed at random moments, does not spoil the store" {
	for _ in $(seq 10); do
		killed_at_random 200 holm run --rm busybox true
	done
	expect 0 holm run --rm busybox echo fine
	output_is fine
	clean
}

@test "a killed monitor: its container is seen as ended with 137, and can be started again" {
	expect 0 holm run -d --name box busybox sleep 1000
	kill_monitors
	expect 0 holm inspect -f '{{.State.Status}} {{.State.ExitCode}}' box
	output_is "exited 137"
	expect 0 holm start box
	expect 0 holm exec box echo again
	output_is again
	clean
}

@test "a killed monitor of a --rm container: the container is gone" {
	expect 0 holm run -d --rm --name box -v /data busybox sleep 1000
	kill_monitors
	expect 0 holm ps -aq
	output_is ""
	expect 0 holm run --rm --name box busybox true
	expect 0 holm volume ls -q
	output_is ""
}

@test "debris of each kind is cleared by whoever meets it" {
	expect 0 holm run --rm busybox true
	local id
	id=$(printf 'a%.0s' $(seq 64))
	# a creator killed before its record: folder and name
	mkdir -p "$HOLM_ROOT/containers/$id/upper"
	ln -s "$id" "$HOLM_ROOT/names/box"
	# one that was being removed
	mkdir -p "$HOLM_ROOT/containers/.dead-${id//a/b}/upper/x"
	# a name that points to nothing
	ln -s "${id//a/c}" "$HOLM_ROOT/names/gone"
	expect 0 holm ps -aq
	output_is ""
	expect 0 holm run --rm --name box busybox true
	expect 0 holm run --rm --name gone busybox true
	refused 1 "no such container" holm start "$id"
	nothing_left
}

@test "killed at each of its own abort points, it leaves nothing that is not cleared" {
	expect 0 holm run --rm busybox true
	HOLM_FAULT=create.folder holm create busybox true >/dev/null 2>&1 &&
		skip "this build has no abort points (the sanitized one has)"
	for point in create.folder create.name create.record start.spawn; do
		HOLM_FAULT=$point run holm run --name box busybox true
		[ "$status" = 137 ]
		# what was taken is free again, or a whole container that can be removed
		holm rm -f box
		expect 0 holm run --rm --name box busybox true
	done
	for point in remove.rename remove.name remove.files; do
		expect 0 holm create --name box busybox true
		HOLM_FAULT=$point run holm rm box
		[ "$status" = 137 ]
		holm rm -f box
		expect 0 holm run --rm --name box busybox true
	done
	clean
}
