#!/usr/bin/env bats
# Systems out of disk images and archives: GPT, ext4, squashfs, erofs by loop devices; tars.
load holm
load systems

setup() {
	holm_setup
	ids_for_containers
	needs_root "the kernel mounts disk images for root alone"
	[ -c /dev/loop-control ] || skip "no loop devices here"
}

# Loop devices of these tests are those of files below their folder.
teardown() {
	local status=0
	within 5 no_loops || status=1
	systems_teardown || status=1
	return $status
}

no_loops() {
	[ -z "$(loops)" ]
}

loops() {
	grep -lF "$BATS_TEST_TMPDIR" /sys/block/loop*/loop/backing_file 2>/dev/null || true
}

# A root filesystem: busybox, whose init starts nothing.
tree() { # FOLDER
	rm -rf "$1"
	mkdir -p "$1"/{bin,sbin,etc,proc,sys,dev,run,tmp,root}
	cp /bin/busybox "$1/bin/"
	ln -s ../bin/busybox "$1/sbin/init"
	for applet in sh cat touch readlink stat; do ln -s busybox "$1/bin/$applet"; done
	echo root:x:0:0::/root:/bin/sh >"$1/etc/passwd"
	echo "of the image" >"$1/root/note"
}

ext4_image() { # FILE
	tree root
	truncate -s 16M "$1"
	mke2fs -q -t ext4 -d root "$1"
}

# boots_from NAME FILE: with ids of its own and with the host's, beside the image.
boots_from() {
	local before
	before=$(sha256sum <"$1")
	for userns in auto host; do
		expect 0 holm launch --network none --userns $userns "$1" sys
		expect 0 holm exec sys sh -c 'cat /root/note; echo new >/root/note; stat -c %u /root/note'
		output_is $'of the image\n0'
		[ -n "$(loops)" ]
		expect 0 holm cp sys:/root/note -
		expect 0 holm restart sys
		expect 0 holm exec sys cat /root/note
		output_is new
		expect 0 holm stop sys
		within 5 no_loops
		# its files, while it does not run
		expect 0 holm cp sys:/root/note copied
		[ "$(cat copied)" = new ]
		within 5 no_loops
		holm rm sys
	done
	[ "$(sha256sum <"$1")" = "$before" ]
}

@test "a bare ext4 boots, and is not written to" {
	ext4_image disk.img
	boots_from disk.img
}

@test "a squashfs boots" {
	needs mksquashfs
	tree root
	mksquashfs root disk.squashfs -quiet -no-progress -all-root
	boots_from disk.squashfs
}

@test "an erofs boots" {
	needs mkfs.erofs
	tree root
	mkfs.erofs --all-root disk.erofs root >/dev/null 2>&1
	boots_from disk.erofs
}

gpt_image() { # FILE TYPE
	ext4_image part
	truncate -s 20M "$1"
	sfdisk -q "$1" <<-E
		label: gpt
		size=1M, type=c12a7328-f81f-11d2-ba4b-00a0c93ec93b
		size=16M, type=$2
	E
	dd if=part of="$1" bs=1M seek=2 conv=notrunc status=none
}

@test "the root partition of a GPT boots" {
	needs sfdisk
	gpt_image disk.raw 4f68bce3-e8cd-4db1-96e7-fbcaf984b709
	boots_from disk.raw
	# one of Linux's without a better type
	sfdisk -q --part-type disk.raw 2 0fc63daf-8483-4772-8e79-3d69d8477de4
	boots_from disk.raw
	sfdisk -q --part-type disk.raw 2 933ac7e1-2eb4-4f13-b844-0e14e2aef915
	refused 1 "none of its partitions is a root filesystem" holm launch disk.raw
}

@test "with --in-place the image is written to, by one at a time" {
	ext4_image disk.img
	expect 0 holm launch --network none --in-place disk.img sys
	expect 0 holm exec sys sh -c 'echo new >/root/note'
	refused 1 "is booted already" holm launch --network none --in-place disk.img two
	holm rm two
	holm stop sys
	within 5 no_loops
	holm rm sys
	expect 0 debugfs -R "cat /root/note" disk.img
	output_is new
	e2fsck -fn disk.img >/dev/null
	expect 0 holm launch --network none --ephemeral disk.img sys
	expect 0 holm exec sys cat /root/note
	output_is new
	holm stop sys
	mksquashfs root disk.squashfs -quiet -no-progress
	refused 1 "squashfs cannot be written to" holm launch --network none --in-place disk.squashfs ro
	holm rm ro
	refused 1 "--in-place" holm create --system --in-place busybox
	refused 1 "--in-place is for systems" holm create --in-place busybox
}

@test "a killed monitor leaves no loop device" {
	ext4_image disk.img
	expect 0 holm launch --network none disk.img sys
	[ -n "$(loops)" ]
	pid=$(holm inspect --format '{{.State.Pid}}' sys)
	monitor=$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")
	kill -KILL "$monitor"
	within 5 no_loops
	holm rm -f sys
}

@test "an application runs from a disk image as well" {
	ext4_image disk.img
	expect 0 holm run --rm "disk:$PWD/disk.img" cat /root/note
	output_is "of the image"
	expect 0 holm run --rm --read-only "disk:$PWD/disk.img" cat /root/note
	output_is "of the image"
}

@test "what is no disk image is refused, and says what it is" {
	: >empty.img
	refused 1 "too small" holm launch empty.img
	truncate -s 1M zero.img
	refused 1 "there is no ext4, squashfs or erofs in it" holm launch zero.img
	printf 'LUKS\xba\xbe' | dd of=zero.img conv=notrunc status=none
	refused 1 "encrypted" holm launch zero.img
	printf 'QFI\xfb' | dd of=zero.img conv=notrunc status=none
	refused 1 "qcow2" holm launch zero.img
	refused 1 "not a file" holm create "disk:$PWD"
	refused 1 "No such file" holm create "disk:$PWD/nowhere"
	expect 0 holm ps -aq
	output_is ""
}

@test "a damaged filesystem is an error of the kernel's, and no more" {
	ext4_image disk.img
	# the superblock says that it is larger, and what is to happen on errors: a panic
	tune2fs -e panic disk.img >/dev/null
	dd if=/dev/urandom of=disk.img bs=1024 seek=5 count=3000 conv=notrunc status=none
	run ! timeout 60 holm launch --network none disk.img sys
	[[ $output == *"holm: "* ]]
	holm rm -f sys 2>/dev/null || true
	# it ends before its filesystem does
	ext4_image whole.img
	truncate -s 8M whole.img
	run ! timeout 60 holm launch --network none whole.img sys
	[[ $output == *"holm: "* ]]
	holm rm -f sys 2>/dev/null || true
}

@test "what needs layers is refused of a disk image" {
	ext4_image disk.img
	holm create --system --name sys disk.img >/dev/null
	refused 1 "are a disk image of this host" holm move sys nobody@127.0.0.1
	holm rm sys
}

# --- archives -----------------------------------------------------------------------------------

@test "a root filesystem in a tar boots" {
	tree root
	for how in .tar .tar.gz .tgz .tar.zst .tar.xz .tar.bz2; do
		tar -C root --owner=0 --group=0 -caf "rootfs$how" .
		expect 0 holm launch --network none "rootfs$how" sys
		expect 0 holm exec sys cat /root/note
		output_is "of the image"
		holm rm -f sys
	done
	expect 0 holm run --rm "tar:$PWD/rootfs.tar" cat /root/note
}

@test "a tar whose names leave it is refused" {
	python3 - <<-'E'
		import io, tarfile
		def write(name, *members):
		    with tarfile.open(name, "w") as tar:
		        for path, link in members:
		            info = tarfile.TarInfo(path)
		            if link:
		                info.type, info.linkname = tarfile.SYMTYPE, link
		            else:
		                info.size = 4
		            tar.addfile(info, None if link else io.BytesIO(b"evil"))
		write("up.tar", ("../../evil", None))
		write("link.tar", ("etc", "/etc"), ("etc/evil-of-a-test", None))
	E
	refused 1 "up.tar" holm launch --network none up.tar sys
	refused 1 "entry 'etc/evil-of-a-test'" holm launch --network none link.tar sys
	[ ! -e /etc/evil-of-a-test ] && [ ! -e ../evil ] && [ ! -e ../../evil ]
	[ -z "$(find "$HOLM_ROOT/layers" -name '.new-*')" ]
}

@test "a tar without an init, for another processor, with links for mount targets: each says so" {
	mkdir -p none/bin other/sbin link/{sbin,elsewhere}
	cp /bin/busybox none/bin/sh
	tar -C none -cf none.tar .
	refused 127 "there is no init to boot" holm launch --network none none.tar none
	printf '\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\2\0\26\0\0\0\1' >other/sbin/init
	head -c 100 /dev/zero >>other/sbin/init
	chmod +x other/sbin/init
	tar -C other -cf other.tar .
	refused 126 "exec format error" holm launch --network none other.tar other
	output_has "binfmt"
	mkdir link/bin
	cp /bin/busybox link/sbin/init
	cp /bin/busybox link/bin/busybox
	for target in proc sys dev run tmp; do
		rm -f link/{proc,sys,dev,run,tmp}
		ln -s elsewhere "link/$target"
		tar -C link -cf link.tar .
		# what a system finds mounted may not be elsewhere
		refused 1 "mount /$target: /$target is not a folder in the image, but a link to elsewhere" \
			holm launch --network none link.tar link
		holm rm -f link >/dev/null
	done
	holm rm none other
}
