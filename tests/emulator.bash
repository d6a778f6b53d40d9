# emulator.bash - programs of arm64, by qemu-user: `load emulator`.
# shellcheck shell=bash

# Runs the script by bash in a user namespace of its own, with ids as outside, where the kernel gives
# such programs to the emulator: binfmt_misc is such a namespace's since Linux 6.7. What it says goes
# to the file log. Skips the test where that cannot be had.
emulated() { # SCRIPT
	local pid status=0
	cat >emulated <<-'END'
		read -r _ <go
		mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 77
		printf '%s' ':qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:F' \
			>/proc/sys/fs/binfmt_misc/register || exit 77
		exec bash "$1"
	END
	mkfifo go
	unshare --user --mount bash emulated "$1" >log 2>&1 3>&- &
	pid=$!
	# shellcheck disable=SC2317 # called by within
	in_its_namespace() {
		[ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)" ]
	}
	within 10 in_its_namespace
	echo "0 0 65536" >"/proc/$pid/uid_map"
	echo "0 0 65536" >"/proc/$pid/gid_map"
	echo go >go
	wait "$pid" || status=$?
	[ "$status" != 77 ] || skip "binfmt_misc is not a user namespace's here (Linux 6.7)"
	cat log
	return "$status"
}
