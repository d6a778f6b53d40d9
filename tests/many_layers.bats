#!/usr/bin/env bats
# More layers than a mount option has room for.
load holm

# Layer N writes its number to /numbers/N and to /last, and takes /numbers/N-100 away. The layers are
# made once, for all tests of this file.
setup_file() {
	local n fs=$BATS_FILE_TMPDIR/fs
	cd "$BATS_FILE_TMPDIR" || return
	for n in $(seq 120); do
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
	COMPRESS=none oci_image many latest $(seq -f 'layer%g.tar' 120)
	COMPRESS=none oci_image fewer latest $(seq -f 'layer%g.tar' 119)
}

@test "an image of 120 layers runs" {
	expect 0 holm run --rm "oci:$BATS_FILE_TMPDIR/many:latest" /bin/sh -c \
		'cat /last; echo /numbers/* | /bin/busybox wc -w; [ ! -e /numbers/20 ] && echo gone'
	output_is $'120\n100\ngone'
}

@test "120 layers share their unpacked copies with an image of 119" {
	expect 0 holm load -i "$BATS_FILE_TMPDIR/many"
	layers_are_120
	expect 0 holm run --rm "oci:$BATS_FILE_TMPDIR/fewer:latest" /bin/busybox cat /last
	output_is 119
	layers_are_120
}

layers_are_120() {
	[ "$(find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1 -type d | wc -l)" = 120 ]
}

@test "the mount of 120 layers shows no path of the host" {
	expect 0 holm run --rm "oci:$BATS_FILE_TMPDIR/many:latest" /bin/busybox grep ' / / ' /proc/self/mountinfo
	output_has overlay
	[[ $output != *"$HOLM_ROOT"* ]]
}
