#!/usr/bin/env bats
# What a container may write into its root: a limit that the filesystem keeps, seen from inside, and
# what becomes of it with snapshots, clones, other sizes, other hosts. Each way that this kernel has.
load holm
load systems

setup() {
	holm_setup
	needs_root "the kernel sets quotas and mounts disks for root alone"
	[ -c /dev/loop-control ] || skip "no loop devices here"
}

teardown() {
	local status=0
	holm_teardown || status=1
	umount /etc/subuid /etc/subgid 2>/dev/null || true
	[ ! -d "$BATS_TEST_TMPDIR/store" ] || umount "$BATS_TEST_TMPDIR/store" || true
	within 5 no_loops || status=1
	return $status
}

# Loop devices of these tests are those of files below their folder.
no_loops() {
	! grep -qF "$BATS_TEST_TMPDIR" /sys/block/loop*/loop/backing_file 2>/dev/null
}

has_loop() {
	grep -qF "$BATS_TEST_TMPDIR" /sys/block/loop*/loop/backing_file
}

no_disk() {
	[ -z "$(find "$HOLM_ROOT/containers" -name disk.img)" ]
}

# The store is on a new filesystem from here on, of 400 MB.
store_on() { # OPTIONS MKFS...
	local options=$1
	shift
	needs "$1"
	truncate -s 400M "$BATS_TEST_TMPDIR/store.img"
	"$@" "$BATS_TEST_TMPDIR/store.img" >/dev/null 2>&1
	mkdir "$BATS_TEST_TMPDIR/store"
	mount -o "loop$options" "$BATS_TEST_TMPDIR/store.img" "$BATS_TEST_TMPDIR/store" ||
		skip "this kernel mounts no such filesystem: $* ($options)"
	export HOLM_ROOT=$BATS_TEST_TMPDIR/store/root
	# shellcheck disable=SC2034 # of holm.bash
	HOLM_MOUNTS=$(mounts)
}

# Kilobytes of the root, from inside.
df_of() { # NAME
	expect 0 holm exec "$1" df -k /
	awk 'END { print $2 }' <<<"$output"
}

# box has 64 MB, and fills them; who is beside it is not concerned.
ends_at_its_quota() { # OPTIONS...
	expect 0 holm run -d --name beside --network none busybox sleep 1000
	expect 0 holm run -d --name box --network none --storage-opt size=64m "$@" busybox sleep 1000
	(($(df_of box) <= 65536 && $(df_of box) > 50000))
	expect 0 holm exec box sh -c 'dd if=/dev/zero of=/some bs=1M count=10 && rm /some'
	run holm exec box dd if=/dev/zero of=/big bs=1M count=70
	[ "$status" = 1 ]
	[[ $output == *"No space left"* || $output == *"quota exceeded"* ]]
	run holm exec box dd if=/dev/zero of=/more bs=1M count=20
	[ "$status" = 1 ]
	expect 0 holm exec beside sh -c 'dd if=/dev/zero of=/big bs=1M count=70 && rm /big'
	# what it had may be written anew
	expect 0 holm exec box sh -c 'rm /big /more; sync; dd if=/dev/zero of=/big bs=1M count=40'
}

# The files of box go where they go, whatever counts them. 64 MB, of which 40 are written.
goes_on() {
	expect 0 holm snapshot box first
	expect 0 holm exec box sh -c 'echo changed >/note; rm /bin/arch'
	expect 0 holm diff box
	[[ $output == *"A /big"* && $output == *"A /note"* && $output == *"D /bin/arch"* ]]
	expect 0 holm stop -t 0 box
	expect 0 holm snapshot box second
	expect 0 holm set box
	[[ $output == *"disk=64m"* ]]
	expect 0 holm clone box other
	expect 0 holm set other
	[[ $output == *"disk=64m"* ]]
	expect 0 holm start other
	expect 0 holm exec other sh -c 'cat /note; stat -c %s /big; test ! -e /bin/arch'
	output_is $'changed\n41943040'
	run holm exec other dd if=/dev/zero of=/big2 bs=1M count=70
	[ "$status" = 1 ]
	expect 0 holm rm -f other
	expect 0 holm restore box first
	expect 0 holm start box
	expect 0 holm exec box sh -c 'test ! -e /note && test -e /bin/arch && echo new >/bin/new'
	run holm exec box dd if=/dev/zero of=/big2 bs=1M count=70
	[ "$status" = 1 ]
	expect 0 holm exec box rm /big2
	expect 0 holm commit box made
	expect 0 holm run --rm --network none made cat /bin/new
	output_is new
	[ "$(holm export box | tar -t | grep -cx bin/new)" = 1 ]
	expect 0 holm stop -t 0 box
	expect 0 holm cp box:/bin/new -
	expect 0 holm rebuild box
	expect 0 holm start box
	expect 0 holm exec box sh -c 'test ! -e /big && test ! -e /bin/new && mv /bin/arch /bin/rev'
	run holm exec box dd if=/dev/zero of=/big2 bs=1M count=70
	[ "$status" = 1 ]
	expect 0 holm rm -f box
}

@test "what a container may write ends where its disk does, and nobody else minds" {
	ends_at_its_quota
	has_loop
	expect 0 holm stop -t 0 box
	within 5 no_loops
	expect 0 holm start box
	expect 0 holm exec box stat -c %s /big
	output_is 41943040
	has_loop
	# kill -9 of its monitor
	pgrep -f "holm-monitor run .*$(holm inspect -f '{{.Id}}' box)" | xargs kill -KILL
	within 5 no_loops
	expect 0 holm start box
	expect 0 holm exec box stat -c %s /big
	output_is 41943040
}

@test "a disk: snapshots, clones, commits, rebuilds and restores go on" {
	ends_at_its_quota
	goes_on
}

@test "a disk, with ids of its own" {
	ids_for_containers
	ends_at_its_quota --userns auto
	goes_on
}

@test "a quota is shown" {
	expect 0 holm run -d --name box --network none --storage-opt size=64m busybox sleep 1000
	expect 0 holm exec box dd if=/dev/zero of=/big bs=1M count=20
	expect 0 holm inspect -f '{{.HostConfig.StorageOpt.size}} {{.GraphDriver.Data.Disk}}' box
	[[ $output == "67108864 $HOLM_ROOT/containers/"*/disk.img ]]
	expect 0 holm ps -s --format '{{.Size}}'
	[[ $output == "21MB of 67.1MB (virtual "* ]]
	expect 0 holm stats --no-stream --format '{{.Disk}}'
	[[ $output == 20.*MiB" / 64MiB" || $output == 2*MiB" / 64MiB" ]]
	expect 0 holm stats --no-stream
	[[ $output == *"DISK USAGE / LIMIT"* ]]
	expect 0 holm inspect --explain box
	[[ $output == *"64m, a disk of its own"* || $output == *"64MiB, a disk of its own"* ]]
	expect 0 holm run -d --name free --network none busybox sleep 1000
	expect 0 holm inspect -f '{{json .HostConfig.StorageOpt}}' free
	output_is null
	expect 0 holm stats --no-stream free
	[[ $output != *"DISK"* ]]
}

@test "a quota that cannot be kept is refused before anything is made" {
	refused 1 "not size=SIZE" holm create --storage-opt inodes=5 busybox
	refused 1 "is not a size" holm create --storage-opt size= busybox
	refused 1 "more than 0" holm create --storage-opt size=0k busybox
	refused 1 "size: a disk of 1MiB: it takes 4MiB at least" holm create --storage-opt size=1m busybox
	refused 1 "a quota of 1PiB: the filesystem of" holm create --storage-opt size=1024t busybox
	refused 1 "its root is read-only" holm create --read-only --storage-opt size=64m busybox
	expect 0 holm ps -aq
	output_is ""
	[ -z "$(ls "$HOLM_ROOT/containers")" ]
}

@test "a disk becomes larger and smaller, and what does not fit is refused with figures" {
	expect 0 holm run -d --name box --network none --storage-opt size=64m busybox sleep 1000
	expect 0 holm exec box dd if=/dev/zero of=/big bs=1M count=40
	expect 0 holm exec box ln /big /again
	refused 1 "becomes no smaller while container box runs" holm set box disk=48m
	refused 1 "a quota does not end while container box runs" holm set box disk=0
	expect 0 holm stop -t 0 box
	refused 1 "has written 4" holm set box disk=32m
	[[ $stderr == *"a quota of 32MiB does not hold it"* ]]
	expect 0 holm set box disk=56m
	expect 0 holm set box disk=128m
	expect 0 holm start box
	(($(df_of box) > 100000))
	expect 0 holm exec box sh -c 'stat -c "%s %h" /again; dd if=/dev/zero of=/more bs=1M count=60'
	[[ $output == "41943040 2"* ]]
	expect 0 holm stop -t 0 box
	expect 0 holm set box disk=0
	no_disk
	expect 0 holm start box
	(($(df_of box) > 200000))
	expect 0 holm exec box stat -c "%s %h" /again
	output_is "41943040 2"
	refused 1 "a quota does not begin while container box runs" holm set box disk=64m
	expect 0 holm stop -t 0 box
	expect 0 holm update --disk 64m box
	expect 0 holm start box
	(($(df_of box) < 65536))
	expect 0 holm exec box stat -c "%s %h" /again
	output_is "41943040 2"
	within 5 has_loop
}

@test "a disk becomes larger while its container runs" {
	(($((0x$(awk '/CapEff/ { print $2 }' /proc/self/status))) >> 24 & 1)) || {
		expect 0 holm run -d --name box --network none --storage-opt size=64m busybox sleep 1000
		refused 1 "only by CAP_SYS_RESOURCE" holm set box disk=128m
		(($(df_of box) < 65536))
		skip "root has no CAP_SYS_RESOURCE here"
	}
	expect 0 holm run -d --name box --network none --storage-opt size=64m busybox sleep 1000
	expect 0 holm set box disk=128m
	(($(df_of box) > 100000))
	expect 0 holm exec box dd if=/dev/zero of=/more bs=1M count=100
}

@test "a container with a quota goes to another store, and has it there" {
	expect 0 holm run -d --name box --network none --storage-opt size=64m busybox sleep 1000
	expect 0 holm exec box dd if=/dev/zero of=/big bs=1M count=20
	expect 0 holm stop -t 0 box
	expect 0 holm backup -o box.holm box
	export HOLM_ROOT=$BATS_TEST_TMPDIR/elsewhere
	expect 0 holm receive --name there <box.holm
	expect 0 holm start there
	expect 0 holm exec there stat -c %s /big
	output_is 20971520
	(($(df_of there) < 65536))
	run holm exec there dd if=/dev/zero of=/more bs=1M count=70
	[ "$status" = 1 ]
}

@test "two at once look at a disk that is not in use" {
	expect 0 holm create --name box --storage-opt size=64m busybox true
	local jobs=()
	for _ in $(seq 8); do
		holm diff box &
		jobs+=($!)
		holm cp box:/bin/busybox - >/dev/null &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	expect 0 holm start -a box
}

@test "kill -9 at any moment of another size leaves a container that is whole" {
	expect 0 holm run -d --name box --network none --storage-opt size=32m busybox sleep 1000
	expect 0 holm exec box sh -c 'echo kept >/note'
	expect 0 holm stop -t 0 box
	for size in 40m 24m 0 32m 48m 0 24m 32m; do
		killed_at_random 120 holm set box disk=$size
		expect 0 holm start box
		expect 0 holm exec box cat /note
		output_is kept
		expect 0 holm stop -t 0 box
	done
	expect 0 holm snapshot box
	expect 0 holm rm box
	nothing_left
}

@test "on ext4 with project quotas a container with ids of its own costs no disk" {
	ids_for_containers
	store_on ,prjquota mkfs.ext4 -q -O quota,project
	ends_at_its_quota --userns auto
	expect 0 holm inspect --explain box
	[[ $output == *"a project quota"* ]]
	no_disk
	goes_on
}

@test "on xfs with project quotas as well" {
	ids_for_containers
	store_on ,prjquota mkfs.xfs -q
	ends_at_its_quota --userns auto
	expect 0 holm inspect --explain box
	[[ $output == *"a project quota"* ]]
	goes_on
}

@test "a project quota becomes larger and smaller while its container runs" {
	ids_for_containers
	store_on ,prjquota mkfs.ext4 -q -O quota,project
	expect 0 holm run -d --name box --network none --userns auto --storage-opt size=64m busybox sleep 1000
	expect 0 holm exec box dd if=/dev/zero of=/big bs=1M count=40
	expect 0 holm set box disk=128m
	(($(df_of box) > 100000))
	expect 0 holm exec box dd if=/dev/zero of=/more bs=1M count=60
	refused 1 "a quota of 64MiB does not hold it" holm set box disk=64m
	expect 0 holm exec box rm /more
	expect 0 holm set box disk=48m
	run holm exec box dd if=/dev/zero of=/more bs=1M count=20
	[ "$status" = 1 ]
	expect 0 holm stop -t 0 box
	expect 0 holm set box disk=0
	expect 0 holm start box
	expect 0 holm exec box dd if=/dev/zero of=/more bs=1M count=60
}

@test "a clone hook has the root of a container with a project quota" {
	ids_for_containers
	store_on ,prjquota mkfs.ext4 -q -O quota,project
	expect 0 holm create --name box --userns auto --storage-opt size=64m --hook clone=/bin/true busybox true
	expect 0 holm clone box other
}

@test "kill -9 at any moment while a project quota begins or ends leaves a container that is whole" {
	ids_for_containers
	store_on ,prjquota mkfs.ext4 -q -O quota,project
	expect 0 holm run -d --name box --network none --userns auto --storage-opt size=64m busybox sleep 1000
	expect 0 holm exec box sh -c 'echo kept >/note'
	expect 0 holm stop -t 0 box
	for size in 0 32m 0 48m 0 32m 0 48m; do
		killed_at_random 60 holm set box disk=$size
		expect 0 holm start box
		expect 0 holm exec box sh -c 'cat /note; touch "/$(date +%N)"'
		output_is kept
		expect 0 holm stop -t 0 box
	done
	expect 0 holm set box disk=0
	expect 0 holm set box disk=32m
	expect 0 holm start box
	(($(df_of box) <= 32768))
}

@test "who has the ids of the host could leave a project: it has a disk instead" {
	store_on ,prjquota mkfs.ext4 -q -O quota,project
	ends_at_its_quota
	expect 0 holm inspect --explain box
	[[ $output == *"a disk of its own"* ]]
}

@test "on btrfs as well" {
	store_on "" mkfs.btrfs -q
	ends_at_its_quota
	goes_on
}

@test "an abort at any point of a freeze or another size leaves a container that is whole" {
	needs_abort_points
	local point size
	expect 0 holm run -d --name box --network none --storage-opt size=32m busybox sleep 1000
	expect 0 holm exec box sh -c 'echo kept >/note'
	expect 0 holm stop -t 0 box
	for point in freeze.layer freeze.record; do
		HOLM_FAULT=$point run holm snapshot box
		[ "$status" -gt 128 ]
		expect 0 holm start box
		expect 0 holm exec box sh -c 'cat /note; echo more >>/again'
		output_is kept
		expect 0 holm stop -t 0 box
	done
	for point in quota.renew quota.disk quota.moved; do
		size=24
		[ $point = quota.renew ] || {
			expect 0 holm set box disk=0
			size=40
		}
		HOLM_FAULT=$point run holm set box disk=${size}m
		[ "$status" -gt 128 ]
		expect 0 holm start box
		expect 0 holm exec box cat /note
		output_is kept
		expect 0 holm stop -t 0 box
		expect 0 holm set box disk=${size}m
	done
	expect 0 holm rm box
	HOLM_FAULT=quota.disk run holm create --name box --storage-opt size=32m busybox
	[ "$status" -gt 128 ]
	expect 0 holm ps -aq
	output_is ""
	# its name is free
	expect 0 holm create --name box busybox
	expect 0 holm rm box
	nothing_left
}

@test "a change of the size, killed before each call, leaves nothing that the next start does not remove" {
	needs strace
	local change call from to n folder
	echo kept >note
	for change in "renameat 32m 16m" "unlinkat 32m 0" "unlinkat 0 32m"; do
		read -r call from to <<<"$change"
		for n in $(seq 30); do
			expect 0 holm create --name box --network none --storage-opt size="$from" busybox cat /note
			folder=$HOLM_ROOT/containers/$output
			expect 0 holm cp note box:/note
			strace -qq -o trace -e trace="$call" -e inject="$call:signal=KILL:when=$n" holm set box disk="$to" || true
			expect 0 holm start -a box
			output_is kept
			not test -e "$folder/disk.new"
			[ "$(find "$folder" -maxdepth 1 \( -name disk.img -o -name upper \) | wc -l)" = 1 ]
			expect 0 holm rm box
			grep -q 'killed by SIGKILL' trace || break
		done
		[ "$n" -gt 2 ]
	done
}

@test "a container whose disk was lost is incomplete, and whole again after a repair" {
	expect 0 holm run --name box --network none --storage-opt size=32m busybox true
	rm "$HOLM_ROOT"/containers/*/disk.img
	expect 0 holm ps -a --format '{{.Status}}'
	[[ $output == [Ii]ncomplete* ]]
	refused 1 "is missing" holm start box
	expect 0 holm system check --repair
	expect 0 holm start box
}

@test "a hook is told of the disk, where it is one that has what the container writes" {
	mkdir -m 755 bin
	chmod 755 "$BATS_TEST_TMPDIR" .
	printf '#!/bin/sh\necho "$HOLM_ROOTFS_PATH" >%s/told\n' "$PWD" >bin/tell
	chmod 755 bin/tell
	expect 0 holm run --rm --network none --storage-opt size=64m --hook "start-host=$PWD/bin/tell" busybox test -d /
	[[ $(cat told) == "$HOLM_ROOT/containers/"*/disk.img ]]
}
