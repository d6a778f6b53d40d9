# systems.bash - for the tests of whole systems: `load systems` behind `load holm`. One store for the
# file, so that each image is unpacked once.
# shellcheck shell=bash disable=SC2034 # HOLM_MOUNTS is for holm.bash

systems_setup() {
	holm_setup
	export HOLM_ROOT=$BATS_FILE_TMPDIR/root
	mkdir -p "$HOLM_ROOT"
	given "$HOLM_ROOT"
	chmod a+rx "$BATS_FILE_TMPDIR"
	ids_for_containers
}

# Ranges of ids, without which holm warns that it takes its own. A user of tests/bats has one.
ids_for_containers() {
	[ -z "${HOLM_TEST_USER:-}" ] || return 0
	echo containers:1000000000:100000000 >"$BATS_TEST_TMPDIR/subid"
	mount --bind "$BATS_TEST_TMPDIR/subid" /etc/subuid
	mount --bind "$BATS_TEST_TMPDIR/subid" /etc/subgid
	HOLM_MOUNTS=$(mounts)
}

systems_teardown() {
	holm_teardown || return
	[ -n "${HOLM_TEST_USER:-}" ] || umount /etc/subuid /etc/subgid
}

# The name of a made image, in the store from now on.
system_image() { # NAME
	local layout
	made_image "$1" layout
	holm image exists "$1" || {
		holm pull -q "oci:$layout:bookworm" >/dev/null || return
		holm tag bookworm "$1"
	}
	echo "$1"
}

# Of systemd inside: "running", or what has failed.
is_running() { # CONTAINER
	[ "$(holm exec "$1" systemctl is-system-running)" = running ] || {
		holm exec "$1" systemctl --failed --no-pager
		return 1
	}
}

status_of() { # CONTAINER
	holm inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1"
}

machine_id() { # CONTAINER
	holm exec "$1" cat /etc/machine-id
}
