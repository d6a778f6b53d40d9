#!/usr/bin/env bats
# More layers than a mount option has room for.
load holm

# Layer N writes its number to /numbers/N and to /last, and takes /numbers/N-100 away.
make_layers() { # COUNT
	local n fs=$BATS_TEST_TMPDIR/fs
	cd "$BATS_TEST_TMPDIR" || return
	for n in $(seq "$1"); do
		rm -rf "$fs"
		mkdir -p "$fs/numbers"
		[ "$n" != 1 ] || {
			mkdir "$fs/bin"
			cp /bin/busybox "$fs/bin/"
			ln -s busybox "$fs/bin/sh"
		}
		echo "$n" >"$fs/numbers/$n"
		echo "$n" >"$fs/last"
		[ "$n" -le 100 ] || : >"$fs/numbers/.wh.$((n - 100))"
		tar -C "$fs" --numeric-owner -cf "layer$n.tar" .
	done
	COMPRESS=none oci_image many latest $(seq -f 'layer%g.tar' "$1")
}

@test "an image of 120 layers runs" {
	make_layers 120
	expect 0 holm run --rm "oci:$BATS_TEST_TMPDIR/many:latest" \
		/bin/sh -c 'cat /last; echo /numbers/* | /bin/busybox wc -w; /bin/busybox ls /numbers/20'
	output_has "120"
	[ "${lines[0]}" = 120 ]
	[ "${lines[1]}" = 100 ]
	[[ ${lines[2]} == *"No such file"* ]]
}

@test "120 layers share their unpacked copies with an image of 119" {
	make_layers 120
	expect 0 holm load -i "$BATS_TEST_TMPDIR/many"
	local before
	before=$(find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1 -type d | wc -l)
	[ "$before" = 120 ]
	rm -rf "$BATS_TEST_TMPDIR/many"
	COMPRESS=none oci_image "$BATS_TEST_TMPDIR/fewer" latest $(seq -f "$BATS_TEST_TMPDIR/layer%g.tar" 119)
	expect 0 holm run --rm "oci:$BATS_TEST_TMPDIR/fewer:latest" /bin/busybox cat /last
	output_is 119
	[ "$(find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1 -type d | wc -l)" = 120 ]
}

@test "mountinfo of 120 layers shows no path of the host" {
	make_layers 120
	expect 0 holm run --rm "oci:$BATS_TEST_TMPDIR/many:latest" /bin/busybox cat /proc/self/mountinfo
	[[ $output != *"$HOLM_ROOT"* ]]
}
