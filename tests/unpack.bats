#!/usr/bin/env bats
# What holm unpacks is what GNU tar unpacks, down to the last attribute; whoever packed it, in
# whichever of tar's formats. And what holm packs, GNU tar unpacks to what it was.
load holm

setup_file() {
	needs_root "it compares owners with those that tar makes as root"
}

setup() {
	holm_setup
	work=$BATS_TEST_TMPDIR/work
	mkdir "$work"
	cd "$work" || return 1
	odd_tree=$BATS_TEST_DIRNAME/odd_tree.py
	"$odd_tree" make tree
}

# Extracts as root, keeping all there is to keep.
by_tar() { # FILE DIR
	mkdir "$2"
	tar --numeric-owner --delay-directory-restore --xattrs --xattrs-include='*' \
		-xpf "$1" -C "$2"
}

# Fails with the first differences.
same_as() { # DIR SHOWN
	"$odd_tree" show "$1" >shown
	diff "$2" shown >differences || {
		cut -c1-300 differences | head -20
		return 1
	}
}

# holm's layer of each archive is what tar makes of it. tar's own word on what it does not like
# goes to a file.
unpacks_like_tar() { # FILE...
	local file
	for file; do
		echo "$file"
		by_tar "$file" by_tar 2>tar.err
		"$odd_tree" show by_tar >wanted
		[ "$(wc -l <wanted)" -gt 50 ]
		expect 0 holm import "$file" odd:1
		same_as "$(echo "$HOLM_ROOT"/layers/*/fs)" wanted
		expect 0 holm rmi odd:1
		rm -rf by_tar
	done
}

@test "GNU tar's formats" {
	local format
	for format in v7 ustar oldgnu gnu posix; do
		# what a format cannot say is left out, and tar says so
		tar -C tree --numeric-owner --format=$format -cf $format.tar . 2>$format.err || true
	done
	tar -C tree --numeric-owner --xattrs --xattrs-include='*' -cf attributes.tar .
	unpacks_like_tar v7.tar ustar.tar oldgnu.tar gnu.tar posix.tar attributes.tar
}

@test "GNU tar's four ways to say that a file is sparse" {
	local version
	for version in 0.0 0.1 1.0; do
		tar -C tree --numeric-owner --format=posix -S --sparse-version=$version \
			-cf sparse-$version.tar .
	done
	tar -C tree --numeric-owner --format=gnu -S -cf sparse-gnu.tar .
	tar -C tree --numeric-owner --format=oldgnu -S -cf sparse-oldgnu.tar . 2>tar.err
	unpacks_like_tar sparse-*.tar
	# tar is no more than a witness: with all that it can say, it is the tree itself
	tar -C tree --numeric-owner --xattrs --xattrs-include='*' -S -cf all.tar .
	"$odd_tree" show tree >wanted
	expect 0 holm import all.tar odd:1
	same_as "$(echo "$HOLM_ROOT"/layers/*/fs)" wanted
}

@test "sizes beyond 8 GiB, which octal digits cannot say" {
	mkdir large
	truncate -s 9G large/hole
	printf end | dd of=large/hole bs=1 seek=$((9 << 30)) conv=notrunc status=none
	tar -C large --format=posix -S -cf large-posix.tar .
	tar -C large --format=gnu -S -cf large-gnu.tar .
	for file in large-posix.tar large-gnu.tar; do
		expect 0 holm import "$file" large:1
		[ "$(stat -c %s "$HOLM_ROOT"/layers/*/fs/hole)" = $(((9 << 30) + 3)) ]
		[ "$(stat -c %b "$HOLM_ROOT"/layers/*/fs/hole)" -lt 1000 ]
		[ "$(tail -c 3 "$HOLM_ROOT"/layers/*/fs/hole)" = end ]
		expect 0 holm rmi large:1
	done
}

@test "bsdtar's formats" {
	needs bsdtar
	local format
	for format in pax gnutar; do
		LC_ALL=C.UTF-8 bsdtar --numeric-owner --no-xattrs --format=$format -cf bsd-$format.tar \
			-C tree . 2>bsdtar.err || true
	done
	unpacks_like_tar bsd-*.tar
}

@test "the formats of python's tarfile" {
	local format
	for format in pax gnu ustar; do
		"$odd_tree" pack $format tree python-$format.tar
	done
	unpacks_like_tar python-*.tar
}

@test "archives that were appended to, cut off after the last file, or have something behind them" {
	tar -C tree --format=gnu --label=VOLUME -cf label.tar .
	tar -C tree --format=posix --pax-option='globexthdr.name=g,comment=hello' -cf global.tar .
	tar -C tree -cf again.tar . && tar -C tree -rf again.tar size-1 symlink
	(tar -C tree -cf - . && echo behind) >behind.tar
	tar -C tree -P --transform='s,^\.,/,;s,^//,/,' -cf absolute.tar .
	unpacks_like_tar label.tar global.tar again.tar behind.tar absolute.tar
}

@test "what holm packs, tar unpacks to what it was" {
	# tar has no way to say that two names are one device; holm packs holes as zeros
	rm -r tree/sparse
	"$odd_tree" show tree >wanted
	expect 0 holm import tree odd:1
	same_as "$(echo "$HOLM_ROOT"/layers/*/fs)" wanted
	by_tar "$(find "$HOLM_ROOT/images/blobs/sha256" -size +100k)" by_tar 2>tar.err
	same_as by_tar wanted
}
