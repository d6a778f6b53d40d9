#!/usr/bin/env bats
# The store on btrfs and on xfs: snapshots and clones copy nothing there either, and what is copied shares
# its blocks (decision 0035).
load holm

setup() {
	holm_setup
	needs_root "a disk of its own is mounted for the store"
	[ -c /dev/loop-control ] || skip "no loop devices here"
}

teardown() {
	! mountpoint -q disk || umount --lazy disk # of a test that failed
	holm_teardown
}

# The store on a disk of 600 MB.
store_on() { # FILESYSTEM
	needs "mkfs.$1"
	grep -qw "$1" /proc/filesystems || skip "this kernel has no $1"
	truncate -s 600M disk.img
	"mkfs.$1" -q disk.img
	mkdir disk
	mount -o loop disk.img disk
	export HOLM_ROOT=$PWD/disk/root
}

used() {
	sync -f disk
	df --output=used -B 1M disk | tail -n 1
}

# It may take so many MB more of the disk.
takes_at_most() { # MB COMMAND...
	local before after most=$1
	shift
	before=$(used)
	"$@"
	after=$(used)
	echo "$*: from $before MB to $after MB"
	[ "$after" -le $((before + most)) ]
}

store_is_quick() {
	expect 0 holm run --name box busybox sh -c 'for i in $(seq 60); do head -c 1048576 /dev/urandom >/file$i; done'
	sum=$(holm export box | tar -xO --wildcards 'file*' | sha256sum)
	takes_at_most 2 holm snapshot box one
	takes_at_most 2 holm clone box copy
	takes_at_most 2 holm clone --full box full
	# of one that runs what it wrote is copied, and shares its blocks with the original
	expect 0 holm run -d --name live busybox sh -c 'for i in $(seq 60); do head -c 1048576 /dev/urandom >/file$i; done; sync; touch /ready; sleep 1000'
	within 60 holm exec live test -e /ready
	takes_at_most 8 holm snapshot live one
	for name in box copy full; do
		[ "$(holm export "$name" | tar -xO --wildcards 'file*' | sha256sum)" = "$sum" ]
	done
	expect 0 holm rm -f box copy full live
	umount disk
}

@test "a store on btrfs: nothing is copied, or it shares its blocks" {
	store_on btrfs
	store_is_quick
}

@test "a store on xfs: nothing is copied, or it shares its blocks" {
	store_on xfs
	store_is_quick
}
