#!/usr/bin/env bats
# kill -9 of anything at any moment: the next command works, finds what was left and clears it, and
# no container is ever half visible.
load holm

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

@test "what was killed before it had a record leaves its name to nobody" {
	local born dead
	expect 0 holm run --rm busybox true
	born=$(printf 'a%.0s' {1..64}) dead=$(printf 'b%.0s' {1..64})
	mkdir "$HOLM_ROOT/containers/$born" "$HOLM_ROOT/containers/.dead-$dead"
	ln -s "$born" "$HOLM_ROOT/names/newborn"
	ln -s "$dead" "$HOLM_ROOT/names/gone"
	given "$HOLM_ROOT/containers" "$HOLM_ROOT/names"
	expect 0 holm ps -aq
	output_is ""
	expect 0 holm system check
	output_is "The store is sound."
	nothing_left
}

@test "run --rm, killed at random moments, frees its name" {
	expect 0 holm run --rm busybox true
	for _ in $(seq 20); do
		killed_at_random 30 holm run --rm --name box busybox true
	done
	# one that had been started goes by itself, perhaps just now
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

@test "a monitor killed while it removes its --rm container leaves no name" {
	expect 0 holm run -d --rm --name box --network none busybox sleep 1000
	kill_monitors
	within 5 not pgrep -x holm-monitor
	rm -r "$HOLM_ROOT/containers/$output"
	expect 0 holm ps -aq
	[ ! -L "$HOLM_ROOT/names/box" ]
	nothing_left
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
	needs_abort_points
	expect 0 holm run --rm busybox true
	for point in create.folder create.name create.record start.spawn; do
		HOLM_FAULT=$point run holm run --name box busybox true
		[ "$status" = 137 ]
		# what was taken is free again, or a whole container that can be removed
		holm rm -f box
		expect 0 holm run --rm --name box busybox true
	done
	for point in run.start start.spawn; do
		HOLM_FAULT=$point run holm run --rm --name box -v /data busybox true
		[ "$status" = 137 ]
		expect 0 holm ps -aq
		output_is ""
		expect 0 holm volume ls -q
		output_is ""
		nothing_left
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

# The file of box.
file_is() { # TEXT
	[ "$(holm cp box:/file - | tar -xO)" = "$1" ]
}

killed_at() { # POINT COMMAND...
	HOLM_FAULT=$1 run "${@:2}"
	[ "$status" = 137 ]
}

@test "what changes a container, killed at its abort points, has done it or not, and is done again" {
	needs_abort_points
	expect 0 holm run --name box busybox sh -c 'echo one >/file'
	for point in rename.record rename.name; do
		killed_at "$point" holm rename box other
		expect 0 holm ps -a --format '{{.Names}}'
		expect 0 holm rename "$output" another
		expect 0 holm rename another box
	done
	for point in freeze.layer freeze.record freeze.exchange snapshot.frozen snapshot.write; do
		# what has not changed is not frozen
		expect 0 holm cp "$BATS_TEST_FILENAME" box:/more
		killed_at "$point" holm snapshot box
		file_is one
		expect 0 holm snapshot box "${point/./-}"
		file_is one
	done
	for point in restore.frozen restore.record; do
		expect 0 holm cp "$BATS_TEST_FILENAME" box:/file
		killed_at "$point" holm restore box freeze-layer
		expect 0 holm restore box freeze-layer
		file_is one
	done
	for point in rebuild.frozen rebuild.record; do
		killed_at "$point" holm rebuild box
		expect 0 holm rebuild box
		expect 0 holm restore box freeze-layer
		file_is one
	done
	killed_at clone.name holm clone box copy
	expect 0 holm clone box copy
	expect 0 holm rm copy
	expect 0 holm backup -o box.holm box
	killed_at receive.record holm receive --name copy box.holm
	expect 0 holm receive --name copy box.holm
	killed_at update.record holm update --memory 64m box
	expect 0 holm update --memory 64m box
	expect 0 holm gc
	expect 0 holm system check
	output_is "The store is sound."
	clean
}

# Runs all of them at the same time; fails with the output of those that fail.
together() { # COMMAND...
	local command pids=() i=0 failed=0
	for command; do
		$command >"together.$i" 2>&1 3>&- &
		pids+=($!)
		i=$((i + 1))
	done
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || {
			echo "status $?: $(cat "together.$i")"
			failed=1
		}
	done
	return $failed
}

@test "run --rm, killed while its monitor begins, stays as long as that monitor lives" {
	local monitor
	mkdir libexec
	ln -s "$HOLM_LIBEXEC"/* libexec
	# a shell takes the monitor's argument "run" for a script
	ln -sf "$(command -v bash)" libexec/holm-monitor
	# shellcheck disable=SC2016
	echo 'echo $$ >begun; kill -STOP $$' >run
	HOLM_LIBEXEC=$PWD/libexec service holm run --rm --name box busybox true
	within 10 test -s begun
	monitor=$(cat begun)
	kill -KILL "${SERVICES[0]}"
	wait "${SERVICES[0]}" 2>/dev/null || true
	expect 0 holm ps -a --format '{{.Names}} {{.State}}'
	output_is "box created"
	kill -KILL "$monitor"
	within 5 not test -d "/proc/$monitor"
	expect 0 holm ps -aq
	output_is ""
	expect 0 holm run --rm --name box busybox true
}

# Runs the command, and stops holm just after its first CALL at PATH.
stopped_after() { # CALL PATH COMMAND...
	rm -f trace
	service strace -qq -o trace -P "$2" -e trace="$1" -e inject="$1:signal=STOP:when=1" "${@:3}"
	within 10 grep 'stopped by SIGSTOP' trace
}

goes_on() {
	pkill -CONT -P "${SERVICES[-1]}"
	wait "${SERVICES[-1]}"
}

@test "a command on another store leaves alone what one does in the same run folder" {
	needs strace
	local id
	expect 0 holm create --name box busybox sleep 1000
	id=$output
	for step in "mkdirat $HOLM_RUN/containers" "renameat $HOLM_RUN/containers/$id"; do
		# shellcheck disable=SC2086
		stopped_after $step holm start box
		[ -d "$HOLM_RUN/containers/$id" ]
		expect 0 holm --root "$HOLM_ROOT/other" ps
		expect 0 holm --root "$HOLM_ROOT/other" ps -a
		goes_on
		expect 0 holm exec box true
		expect 0 holm stop -t 0 box
	done
	expect 0 holm start box
	kill_monitors
	expect 0 holm --root "$HOLM_ROOT/other" ps -a
	expect 0 holm inspect -f '{{.State.Status}} {{.State.ExitCode}}' box
	output_is "exited 137"
	clean
}

@test "a monitor that hangs inside its start is ended by rm -f, and by stop" {
	local name id
	for name in waited left stopped; do
		expect 0 holm create --name $name busybox sleep 1000
		id=$output
		# opening it waits for a reader that never comes, as a filesystem may
		mkfifo "$HOLM_ROOT/containers/$id/.exit"
		service holm start $name
		within 10 test -S "$HOLM_RUN/containers/$id/socket"
	done
	kill -KILL "${SERVICES[1]}"
	together "holm rm -f waited" "holm rm -f left" "holm stop stopped"
	expect 0 holm ps -a --format '{{.Names}} {{.State}}'
	output_is "stopped created"
	expect 0 holm rm stopped
	nothing_left
}

@test "a monitor that hangs in its last work is ended by rm -f" {
	printf '#!/bin/sh\nread -r line <%s/held\n' "$PWD" >hook
	chmod 755 hook "$BATS_TEST_TMPDIR" .
	mkfifo held
	given hook held
	expect 0 holm run --name box --network none --hook "post-stop=$PWD/hook" busybox true
	within 5 pgrep -f "$PWD/hook"
	expect 0 holm rm -f box
	pgrep -f "$PWD/hook" | xargs -r kill
	nothing_left
}

@test "a monitor that shows no sign of life is ended by stop, kill and rm -f, and by nothing less" {
	local name
	for name in stopped killed removed; do
		expect 0 holm run -d --name $name busybox sleep 1000
	done
	pgrep -x holm-monitor | xargs kill -STOP
	together "refused 1 answered holm kill -s HUP killed" "refused 1 answered holm pause killed"
	expect 0 holm ps -q
	[ "${#lines[@]}" = 3 ]
	together "holm stop -t 0 stopped" "holm kill killed" "holm rm -f removed"
	expect 0 holm ps -a --format '{{.Names}} {{.Status}}'
	[[ $output == *"killed Exited (137) "*"stopped Exited (137) "* ]]
	not grep -q removed <<<"$output"
	expect 0 holm start stopped
	expect 0 holm exec stopped true
	clean
}
