#!/usr/bin/env bats
# holm verify: what a start would refuse, told at once and without one; and containers that lack a part
# of themselves.
load holm

@test "a container that can start is said to, and nothing is started" {
	expect 0 holm create --name box -v data:/d -p 8080:80 busybox true
	expect 0 holm verify box
	output_is "box: a start would find all that it needs."
	expect 0 holm verify --quiet box
	output_is ""
	[ "$(holm inspect -f '{{.State.Status}}' box)" = created ]
	refused 1 "no container is named" holm verify
	refused 1 "no such container: nobody" holm verify nobody
}

@test "all problems are told at once, each with its reason" {
	mkdir source
	expect 0 holm create --name other busybox sleep 100
	expect 0 holm network create --subnet 10.78.0.0/24 net
	expect 0 holm create --name box --mount "type=bind,src=$PWD/source,dst=/d" --pid container:other \
		--network net --requires other busybox true
	rmdir source
	mv "$HOLM_ROOT/networks/net.json" .
	expect 1 holm verify box
	output_has "box: --mount: the source $PWD/source does not exist"
	output_has "box: --pid container:"
	output_has "it is not running"
	output_has "start it first: holm start"
	output_has "box: no network is called net"
	[ "$(grep -c ^box: <<<"$output")" = 3 ]
	# a start tells one of them, and each that it tells is among these
	run holm start box
	[ "$status" = 1 ]
	# what is mended is told no more
	mkdir source
	mv net.json "$HOLM_ROOT/networks"
	expect 0 holm start other
	expect 0 holm verify box
	expect 0 holm start box
}

@test "a device that went, a port and an address that are another's" {
	needs_root "a user's devices and ports are not the host's"
	local device=$BATS_TEST_TMPDIR/device
	mknod "$device" c 1 3
	expect 0 holm network create --subnet 10.77.0.0/24 net
	expect 0 holm create --name box --device "$device" --network net --ip 10.77.0.9 -p 8081:80 busybox true
	expect 0 holm verify box
	rm "$device"
	expect 0 holm run -d --name taken --network net --ip 10.77.0.9 -p 8081:80 busybox sleep 100
	expect 1 holm verify box
	output_has "box: network net: the address 10.77.0.9 is container $(holm inspect -f '{{slice .Id 0 12}}' taken)'s"
	output_has "8081"
	output_has "device $device"
	[ "$(grep -c ^box: <<<"$output")" = 3 ]
	# one that runs has its own
	expect 0 holm verify taken
	# all of them
	expect 1 holm verify --all
	output_has "taken: a start would find all that it needs."
	expect 1 holm verify -aq
	output_is ""
}

@test "a rootfs whose /proc is a link is told of before a start" {
	mkdir -p tree/bin
	cp /bin/busybox tree/bin/true
	ln -s bin tree/proc
	tar -C tree -cf layer.tar .
	oci_image image x layer.tar
	expect 0 holm create --name box "oci:$PWD/image" /bin/true
	expect 1 holm verify box
	output_is "box: /proc is not a folder in the image"
	refused 1 "/proc is not a folder in the image, but a link to bin" holm start box
}

@test "a hook that went, or that others can write by now" {
	needs_root "hooks are root's"
	# a folder that root alone can write, and all above it
	local hook=/run/holm-test-hook
	printf '#!/bin/sh\n' >"$hook"
	chmod 755 "$hook"
	expect 0 holm create --name box --hook "pre-start=$hook" busybox true
	expect 0 holm verify box
	chmod 777 "$hook"
	expect 1 holm verify box
	output_has "$hook"
	rm "$hook"
	expect 1 holm verify box
	output_has "$hook"
}

@test "create and set refuse what no start here could do, before anything is written" {
	needs_root "an ordinary user's limits are clamped to what was delegated"
	[ ! -e /sys/fs/cgroup/cgroup.controllers ] || skip "cgroup v2: all controllers are there"
	holm create --name box busybox true
	local before
	before=$(sha256sum "$HOLM_ROOT"/containers/*/config.json)
	without_pids() {
		unshare --mount sh -c 'umount -l /sys/fs/cgroup/pids && exec "$@"' - "$@"
	}
	refused 1 "this host has no cgroup controller pids" without_pids holm create --name other --pids-limit 7 busybox true
	refused 1 "this host has no cgroup controller pids" without_pids holm set box pids-limit=7
	[ "$(sha256sum "$HOLM_ROOT"/containers/*/config.json)" = "$before" ]
	[ ! -e "$HOLM_ROOT/names/other" ]
	expect 1 without_pids holm verify box
	output_has "box: limit pids.max: this host has no cgroup controller pids"
}

# One of the layers of busybox.
a_layer() {
	find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1 -name '[0-9a-f]*' | head -n 1
}

@test "a container that lacks a layer is incomplete, and is mended by its next start" {
	expect 0 holm run --name box busybox touch /written
	holm create --name fresh busybox true
	mv "$(a_layer)" lost
	expect 0 holm ps -a --format '{{.Names}} {{.State}} {{.Status}}'
	output_is $'fresh incomplete Incomplete\nbox incomplete Incomplete'
	expect 0 holm ls --format '{{.Names}} {{.State}}'
	output_has "box incomplete"
	expect 0 holm ps -q --filter status=incomplete
	[ "${#lines[@]}" = 2 ]
	expect 0 holm inspect -f '{{.State.Status}} {{.State.Error}}' box
	output_has "incomplete layer "
	output_has "of its image is missing"
	expect 1 holm verify box
	output_has "of its image is missing"
	expect 0 holm start -a box
	expect 0 holm ps -a --format '{{.Names}} {{.State}}'
	output_is $'fresh created\nbox exited'
	expect 0 holm diff box
	output_has "A /written"
}

@test "a lost upper folder: made again where nothing was in it, else only by system check --repair" {
	holm create --name fresh busybox true
	expect 0 holm run --name box busybox touch /written
	rm -r "$HOLM_ROOT"/containers/*/{upper,work}
	expect 1 holm system check --quick
	output_has "damaged: container box: its upper folder, with all that it wrote, is missing"
	expect 0 holm start -a fresh
	refused 1 "container box is incomplete: its upper folder, with all that it wrote, is missing" holm start box
	output_has "holm system check --repair"
	expect 0 holm system check --quick --repair
	output_has "container box: its upper folder, with all that it wrote, is missing: made again, empty"
	expect 0 holm start -a box
	expect 0 holm system check
	output_is "The store is sound."
	# removing one that is not whole needs nothing of it
	rm -r "$HOLM_ROOT"/containers/*/{upper,work}
	expect 0 holm rm box fresh
	nothing_left
}

@test "a work folder that is missing is made by the start" {
	expect 0 holm run --name box busybox touch /written
	rm -r "$HOLM_ROOT"/containers/*/work
	expect 0 holm start -a box
	expect 0 holm diff box
	output_has "A /written"
}

@test "a frozen layer that is lost is not brought again, and the snapshots that have theirs are named" {
	expect 0 holm run --name box busybox touch /written
	expect 0 holm snapshot box one
	local frozen
	frozen=$(jq -r '.storage.frozen[].layers[]' "$HOLM_ROOT"/containers/*/config.json)
	rm -r "${HOLM_ROOT:?}/layers/${frozen:?}"
	expect 1 holm verify box
	output_has "which was frozen of what it wrote, is missing"
	refused 1 "container box is incomplete: layer ${frozen:0:12}" holm start box
	output_has "holm restore"
}

@test "a making that was cut off leaves no half container: it is as if nobody had asked" {
	needs_abort_points
	expect 0 holm run --rm busybox true
	for point in create.folder create.name; do
		HOLM_FAULT=$point run holm create --name box busybox true
		[ "$status" = 137 ]
		refused 1 "no such container" holm start box
		expect 0 holm create --name box busybox true
		expect 0 holm verify box
		expect 0 holm rm box
	done
	# its record is the last that is written
	HOLM_FAULT=create.record run holm create --name box -v data:/data busybox touch /data/x
	[ "$status" = 137 ]
	refused 1 "no such container" holm verify box
	# who lists containers clears what was left
	expect 0 holm ps -aq
	output_is ""
	expect 0 holm create --name box -v data:/data busybox touch /data/x
	expect 0 holm start -a box
}
