# move.bash - for tests that send containers to another root directory: `load move` after `load holm`.
# shellcheck shell=bash

move_setup() {
	export OTHER=$BATS_TEST_TMPDIR/other
}

move_teardown() {
	services_stop
	if [ -n "${private_run:-}" ]; then umount /run; fi
	if [ -n "${private_passwd:-}" ]; then umount /etc/passwd; fi
	there ps -aq 2>/dev/null | xargs -r env HOLM_ROOT="$OTHER/root" HOLM_RUN="$OTHER/run" holm rm -f >/dev/null 2>&1 || true
}

there() { # COMMAND... - holm with another root, as on another host
	HOLM_ROOT=$OTHER/root HOLM_RUN=$OTHER/run holm "$@"
}

sshd_up() {
	local sshd
	needs ssh ssh-keygen
	sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || skip "no sshd here"
	grep -q ^sshd: /etc/passwd || { # whom it is while it knows nobody yet
		{ cat /etc/passwd; echo "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin"; } >passwd
		mount --bind passwd /etc/passwd
		private_passwd=1
	}
	mount -t tmpfs -o mode=755 holm-test /run # for /run/sshd, which sshd wants
	private_run=1
	mkdir -p ssh /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f ssh/host
	ssh-keygen -q -t ed25519 -N '' -f ssh/me
	cat >ssh/config <<-EOT
		ListenAddress 127.0.0.1:2222
		HostKey $PWD/ssh/host
		AuthorizedKeysFile $PWD/ssh/me.pub
		PidFile none
		StrictModes no
		UsePAM no
		PermitRootLogin yes
	EOT
	ip link set lo up 2>/dev/null || true
	service "$sshd" -D -e -f "$PWD/ssh/config"
	# shellcheck disable=SC2034 # for whoever sends
	SSH=(-o "IdentityFile=$PWD/ssh/me" -o Port=2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR
		--remote-command "env PATH=$PATH ${ASAN_OPTIONS:+ASAN_OPTIONS=$ASAN_OPTIONS} HOLM_ROOT=$OTHER/root HOLM_RUN=$OTHER/run HOLM_LIBEXEC=$HOLM_LIBEXEC $(command -v holm)")
	within 10 bash -c ': </dev/tcp/127.0.0.1/2222'
}
