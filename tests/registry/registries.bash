# registries.bash - for `load registry/registries`: images to pull, and the registry that misbehaves,
# hostile.py.
# shellcheck shell=bash disable=SC2154 # bats sets status and output

# A small image of two layers in $BATS_TEST_TMPDIR/image, tag 1.
small_image() {
	local work=$BATS_TEST_TMPDIR/layers
	mkdir -p "$work/a/etc" "$work/b/bin"
	echo one >"$work/a/etc/one"
	head -c 300000 /dev/urandom >"$work/a/etc/noise"
	cp /bin/busybox "$work/b/bin/busybox"
	tar -C "$work/a" -cf "$work/a.tar" .
	tar -C "$work/b" -cf "$work/b.tar" .
	oci_image "$BATS_TEST_TMPDIR/image" 1 "$work/a.tar" "$work/b.tar"
}

hostile_start() {
	HOSTILE=127.0.0.1:6000
	HOSTILE_LOG=$BATS_TEST_TMPDIR/requests
	service "$BATS_TEST_DIRNAME/registry/hostile.py" 6000 "$HOSTILE_LOG"
	within 10 listens 6000
	within 10 listens 6001
}

# Nothing of a pull that failed is to be seen, and the store works.
store_is_empty() {
	expect 0 holm images -q
	output_is ""
	[ -z "$(find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1)" ] || {
		find "$HOLM_ROOT/layers" -maxdepth 2
		return 1
	}
}

# The pull of this mode fails with this text within the seconds.
hostile_refused() { # MODE TEXT [SECONDS]
	hostile_start
	run timeout "${3:-20}" holm pull "$HOSTILE/$1/image:1"
	[ "$status" = 1 ] || [ "$status" = 125 ] || {
		echo "status $status: $output"
		return 1
	}
	output_has "$2"
	store_is_empty
}

hostile_pulled() { # MODE
	hostile_start
	expect 0 timeout 30 holm pull "$HOSTILE/$1/image:1"
	[ -f "$(echo "$HOLM_ROOT"/layers/*/fs/data)" ]
	expect 0 holm images -q --no-trunc
	output_has sha256:
}

partial_begun() {
	[ -n "$(find "$HOLM_ROOT/partial" -type f -size +200k)" ]
}

no_helper() {
	! container_processes | grep -q holm-image
}
