#!/usr/bin/env bats
# A disk that is full at any write: an error that says so, nothing half made, the space given back.
load holm

setup() {
	holm_setup
	disk=$BATS_TEST_TMPDIR/disk
	small_disk "$disk" 24
	export HOLM_ROOT=$disk/root
	# shellcheck disable=SC2034 # the disk is there before and after each test
	HOLM_MOUNTS=$(mounts)
}

teardown() {
	holm_teardown || failed=1
	small_disk_end "$disk" || failed=1
	[ -z "${failed:-}" ]
}

used() {
	sync -f "$disk"
	df --output=used "$disk" | tail -1 | tr -d ' '
}

fill() { # KIB_LEFT
	local free
	free=$(df --output=avail "$disk" | tail -1)
	fallocate -l "$((free - $1))K" "$disk/filler"
}

# To the last block, also of those that are kept for root.
fill_up() { # KIB_LEFT
	[ "$1" = 0 ] || fallocate -l "$1K" "$disk/reserve"
	cat /dev/zero >"$disk/filler" 2>/dev/null || true
	rm -f "$disk/reserve"
}

# An image of so many random MiB.
big_image() { # MIB
	mkdir -p "$BATS_TEST_TMPDIR/fs"
	head -c "$1M" /dev/urandom >"$BATS_TEST_TMPDIR/fs/random"
	tar -C "$BATS_TEST_TMPDIR/fs" -cf "$BATS_TEST_TMPDIR/layer.tar" .
	oci_image "$BATS_TEST_TMPDIR/big" latest "$BATS_TEST_TMPDIR/layer.tar"
}

refuses_for_space() { # COMMAND...
	expect 1 "$@"
	# shellcheck disable=SC2154
	[[ $stderr == *"free on disk"* || $stderr == *"No space left on device"* ]]
}

@test "a pull that does not fit fails in one line and gives the space back" {
	big_image 40
	registry_start
	registry_push "oci:$BATS_TEST_TMPDIR/big:latest" big:1
	expect 0 holm images
	local before
	before=$(used)
	refuses_for_space holm pull -q "$REGISTRY/big:1"
	expect 0 holm images -q
	output_is ""
	[ "$(used)" -le $((before + 256)) ]
	expect 0 holm run --rm busybox echo works
	output_is works
}

@test "unpacking that does not fit fails and gives the space back" {
	big_image 14
	expect 0 holm images
	local before
	before=$(used)
	refuses_for_space holm load -i "$BATS_TEST_TMPDIR/big"
	[ "$(used)" -le $((before + 256)) ]
	expect 0 holm images -q
	output_is ""
}

@test "a container on a full disk sees that it is full, and is removed" {
	expect 0 holm run --rm busybox true
	local before
	before=$(used)
	expect 1 holm run --rm busybox dd if=/dev/zero of=/big bs=1M
	output_has "No space left on device"
	[ "$(used)" -le $((before + 256)) ]
}

@test "a record that cannot be written is no container" {
	expect 0 holm run --rm busybox true
	fill 0
	run holm create --name half busybox true
	if [ "$status" != 0 ]; then
		output_has "No space left on device"
		expect 0 holm ps -aq
		output_is ""
	fi
	rm "$disk/filler"
	expect 0 holm run --rm --name half2 busybox echo works
	output_is works
}

@test "a log that cannot be written does not stop its container" {
	expect 0 holm run --rm busybox true
	fill 512
	expect 0 timeout 60 holm run --name chatty busybox sh -c \
		'yes "a line of the log that is long enough to fill the disk" | head -n 40000 >&2; exit 0'
	rm "$disk/filler"
	expect 0 holm rm chatty
	expect 0 holm run --rm busybox echo works
	output_is works
}

@test "a save that does not fit leaves no file, and what is in the store stays" {
	export HOLM_ROOT=$BATS_TEST_TMPDIR/root
	big_image 4
	holm load -q -i "$BATS_TEST_TMPDIR/big"
	local image left format
	image=$(holm images -q)
	for left in 0 2000; do
		fill_up $left
		for format in docker-archive oci-archive oci-dir dir; do
			refuses_for_space holm save --format $format -o "$disk/saved" "$image"
			[ "$(ls -A "$disk")" = "$(printf 'filler\nlost+found')" ]
		done
		refuses_for_space holm push "$image" "oci:$disk/saved"
		[ ! -e "$disk/saved" ]
		rm "$disk/filler"
	done
	# what was there before is as it was
	expect 0 holm save -o "$disk/saved" "$image"
	cp "$disk/saved" before
	fill_up 100
	refuses_for_space holm save -o "$disk/saved" "$image"
	cmp before "$disk/saved"
	refuses_for_space bash -o pipefail -c 'holm save "$0" | cat >"$1"' "$image" "$disk/piped"
	expect 0 holm system check
}

@test "a push needs no room" {
	big_image 1
	registry_start
	holm load -q -i "$BATS_TEST_TMPDIR/big"
	local image
	image=$(holm images -q)
	fill_up 0
	expect 0 holm push "$image" "$REGISTRY/big:1"
	rm "$disk/filler"
	expect 0 holm system check
}

@test "a secret that does not fit is none, and does not replace the one before" {
	head -c 300K /dev/urandom >large
	echo small >small
	expect 0 holm secret create there small
	fill_up 100
	refuses_for_space holm secret create new large
	refuses_for_space holm secret create --replace there large
	expect 0 holm secret ls --format '{{.Name}}'
	output_is there
	rm "$disk/filler"
	expect 0 holm run --rm --secret there busybox cat /run/secrets/there
	output_is small
	expect 0 holm secret create new large
	expect 0 holm system check
}

box_running() { # NAME - wrote 2 MB that do not compress
	expect 0 holm run -d --name "$1" busybox sh -c \
		'dd if=/dev/urandom of=/file bs=1M count=2 2>/dev/null; touch /ready; sleep 1000'
	within 5 holm exec "$1" test -e /ready
	expect 0 holm exec "$1" stat -c %s /file
	output_is 2097152
}

file_of() { # NAME
	holm cp "$1:/file" - | tar -xO | sha256sum
}

@test "a snapshot or a clone that does not fit: the container goes on, whole, and the space is given back" {
	box_running web
	local sum before left
	sum=$(file_of web)
	before=$(used)
	for left in 0 1000; do
		fill_up $left
		refuses_for_space holm snapshot web
		refuses_for_space holm clone web web2
		rm "$disk/filler"
		expect 0 holm inspect -f '{{.State.Status}}' web
		output_is running
		[ "$(file_of web)" = "$sum" ]
		expect 0 holm snapshot ls -q web
		output_is ""
		expect 0 holm ps -aq
		[ "${#lines[@]}" = 1 ]
		[ "$(used)" -le $((before + 256)) ]
	done
	# one that does not run needs no more than a record: it is taken, or all is as it was
	expect 0 holm stop -t 0 web
	fill_up 0
	run holm snapshot web
	run holm restore web snap0
	run holm rebuild --snapshot web
	rm "$disk/filler"
	expect 0 holm system check
	expect 0 holm snapshot web kept
	expect 0 holm restore web kept
	if holm snapshot ls -q web | grep -q '^snap'; then holm restore web "$(holm snapshot ls -q web | grep -m 1 '^snap')"; fi
	[ "$(file_of web)" = "$sum" ]
}

@test "a backup that does not fit leaves no file, and a container that is whole" {
	export HOLM_ROOT=$BATS_TEST_TMPDIR/root
	box_running web
	local sum left
	sum=$(file_of web)
	for left in 0 1000; do
		fill_up $left
		expect 1 holm backup -o "$disk/web.holm" web
		[[ $stderr == *"disk is full"* || $stderr == *"No space left on device"* ]]
		[ ! -e "$disk/web.holm" ]
		rm "$disk/filler"
		expect 0 holm inspect -f '{{.State.Status}}' web
		output_is running
		[ "$(file_of web)" = "$sum" ]
	done
	expect 0 holm backup -o "$disk/web.holm" web
	expect 0 holm rm -f web
	expect 0 holm receive "$disk/web.holm"
	[ "$(file_of web)" = "$sum" ]
	expect 0 holm system check
}
