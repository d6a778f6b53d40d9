#!/usr/bin/env bats
# Over and over: what a system that stays up for a year lives through, in a minute.
load holm
load systems

setup() {
	systems_setup
}

teardown() {
	systems_teardown
}

boot_id() { # NAME
	holm exec "$1" cat /proc/sys/kernel/random/boot_id
}

# Has booted anew since, and answers.
is_another_boot() { # NAME BOOT_ID
	local is
	is=$(boot_id "$1" 2>/dev/null) && [ "$is" != "$2" ]
}

# Of the monitor of a container.
descriptors() { # NAME
	local run
	run=$HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' "$1")
	find "/proc/$(jq .monitorPid "$run/state.json")/fd" -type l | wc -l
}

@test "reboot(2) inside: it boots again, or is off, whatever asks" {
	holm launch --network none busybox bb
	was=$(boot_id bb)
	holm exec -d bb reboot -f
	within 20 is_another_boot bb "$was"
	holm exec -d bb halt -f
	within 20 eval '[ "$(status_of bb)" = "exited 0" ]'
	holm start bb
	holm exec -d bb poweroff -f
	within 20 eval '[ "$(status_of bb)" = "exited 0" ]'
}

@test "reboots, and each command in a row: its monitor keeps no descriptor of any" {
	holm launch --network none busybox bb
	expect 0 holm exec bb true
	before=$(descriptors bb)
	for _ in $(seq 5); do
		was=$(boot_id bb)
		expect 0 holm reboot bb
		is_another_boot bb "$was"
	done
	for _ in $(seq 50); do
		expect 0 holm exec bb true
	done
	for _ in $(seq 10); do
		expect 0 holm pause bb
		expect 0 holm unpause bb
		expect 7 holm exec bb sh -c 'exit 7'
		expect 0 holm logs --tail 1 bb
	done
	[ "$(descriptors bb)" = "$before" ]
	expect 0 holm stop bb
	for _ in $(seq 3); do
		expect 0 holm start bb
		expect 0 holm stop bb
	done
	[ "$(status_of bb)" = "exited 0" ]
}

@test "a megabyte in hexadecimal comes through a terminal as it was sent" {
	holm launch --network none busybox bb
	head -c 500000 /dev/urandom >bytes
	od -An -v -tx1 bytes | tr -d ' ' >wanted
	holm exec -i bb sh -c 'cat >/wanted' <wanted
	script -qec 'holm exec -t bb cat /wanted' /dev/null </dev/null | tr -d '\r' >got
	cmp wanted got
}

@test "twenty live and die at once, again and again, and the list is in one order" {
	for _ in 1 2 3; do
		local pids=()
		for n in $(seq 20); do
			holm run --name "one$n" -d --network none busybox sleep 1000 >/dev/null &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid"; done
		holm ps -q >first
		[ "$(wc -l <first)" = 20 ]
		for _ in 1 2 3; do
			holm ps -q | cmp first -
		done
		holm ps -q | xargs -P 4 -n 5 holm rm -f >/dev/null
		expect 0 holm ps -aq
		output_is ""
	done
}
