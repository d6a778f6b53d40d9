# criu.bash - for tests that store containers: `load criu` after `load holm`.
# shellcheck shell=bash disable=SC2154 # bats sets status and output

# The installed one where it knows this kernel, else the newer one that tests/images has fetched.
criu_that_can() {
	mount -t tmpfs run /run # criu remembers there what the kernel can do
	OWN_RUN=yes
	! has_known_criu || return 0
	made_image criu
	local root=$BATS_TEST_TMPDIR/criu
	mkdir -p "$root/bin"
	tar -C "$root" -xf "$HOLM_IMAGES/criu.tar"
	local loader=("$root"/usr/lib/*/ld-linux-*.so.*)
	printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "${loader[0]}" "${loader[0]%/*}" \
		"$root/usr/sbin/criu" >"$root/bin/criu"
	chmod +x "$root/bin/criu"
	export PATH=$root/bin:$PATH
	run criu check
	[ "$status" = 0 ] || skip "criu check: $output"
}

has_known_criu() { # criu 3 does not know Linux since 6.13
	local version
	version=$(criu --version 2>/dev/null | sed -n 's/^Version: \([0-9]*\).*/\1/p')
	[ -n "$version" ] || return 1
	[ "$version" -ge 4 ] || [ "$(printf '%s\n' 6.13 "$(uname -r)" | sort -V | head -n 1)" != 6.13 ]
}

criu_teardown() {
	[ -z "${OWN_RUN:-}" ] || umount -l /run
}

# Counts in its memory, and writes to a file that it holds open ($COUNT, else /count); BEFORE is what
# it does first.
counter() { # NAME [OPTION...]
	local name=$1
	shift
	expect 0 holm run -d --name "$name" "$@" busybox sh -c \
		"${BEFORE:-:}; "'exec 5>>${COUNT:-/count}; i=0; while sleep 0.1; do i=$((i + 1)); echo $i; echo $i >&5; done'
	within 10 counts holm "$name" 3
}

counts() { # HOLM NAME AT_LEAST
	[ "$("$1" logs "$2" 2>&1 | tail -n 1 | tr -d '\r')" -ge "$3" ]
}
