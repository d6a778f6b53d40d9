#!/usr/bin/env bats
# template:DISTRIBUTION/SUITE: a root filesystem made by mmdebstrap from the host's own mirror. No
# mirror can be reached from these tests' network, so a stand-in gives the tar of Debian that the
# real one made before (tests/images).
load holm

setup() {
	holm_setup
	made_image debian
	mkdir "$BATS_TEST_TMPDIR/bin"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

stand_in() { # what it does: lines of shell
	cat >"$BATS_TEST_TMPDIR/bin/mmdebstrap" <<-E
		#!/bin/sh
		echo "\$@" >>$BATS_TEST_TMPDIR/arguments
		cat >$BATS_TEST_TMPDIR/sources
		$1
	E
	chmod +x "$BATS_TEST_TMPDIR/bin/mmdebstrap"
}

@test "a template is made once, with the host's sources, and runs" {
	stand_in "exec cat $HOLM_IMAGES/debian.tar"
	expect 0 holm run --rm template:debian/bookworm cat /etc/os-release
	output_has "Making template:debian/bookworm by mmdebstrap"
	output_has "VERSION_CODENAME=bookworm"
	grep -q 'bookworm - -$' "$BATS_TEST_TMPDIR/arguments"
	grep -q '^deb \[signed-by=/[^]]*\] http.*/debian bookworm main$' "$BATS_TEST_TMPDIR/sources"
	grep -q '/debian-security bookworm-security main$' "$BATS_TEST_TMPDIR/sources"

	expect 0 holm run --rm template:debian/bookworm bash -c 'echo $((40 + 2))'
	output_is 42
	[ "$(wc -l <"$BATS_TEST_TMPDIR/arguments")" = 1 ]
	expect 0 holm images
	output_has template:debian/bookworm
}

@test "four at once make it once" {
	stand_in "exec cat $HOLM_IMAGES/debian.tar"
	local pids=() pid
	for _ in 1 2 3 4; do
		holm run --rm template:debian/bookworm true 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	[ "$(wc -l <"$BATS_TEST_TMPDIR/arguments")" = 1 ]
}

@test "when mmdebstrap fails its last words are told, and no image is there" {
	stand_in "head -c 100000 $HOLM_IMAGES/debian.tar; echo 'E: no such suite' >&2; exit 25"
	expect 125 holm run --rm template:debian/nosuch true
	output_has "status 25"
	output_has "no such suite"
	expect 0 holm images -q
	output_is ""
}

@test "a system is launched from a template that has an init" {
	stand_in "exec cat $HOLM_IMAGES/debian.tar"
	expect 127 holm launch --network none template:debian/bookworm deb
	output_has "there is no init to boot"
	grep -q -- '--include=systemd-sysv,' "$BATS_TEST_TMPDIR/arguments"
	grep -q 'bookworm - -$' "$BATS_TEST_TMPDIR/arguments"
	expect 0 holm inspect --format '{{.Config.Image}}' deb
	output_is template:debian/bookworm/system
	holm rm deb
	expect 0 holm create --name app template:debian/bookworm/system
	holm rm app
	[ "$(wc -l <"$BATS_TEST_TMPDIR/arguments")" = 1 ]
}

@test "a name that is no distribution and suite is refused before anything runs" {
	stand_in "exit 0"
	for name in debian debian/ /bookworm debian/-o debian/../x 'debian/a b' DEBIAN/x debian/x/y; do
		expect 125 holm run --rm "template:$name" true
		output_has "not a distribution and a suite"
	done
	[ ! -e "$BATS_TEST_TMPDIR/arguments" ]
}
