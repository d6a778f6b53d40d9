#!/usr/bin/env bats
# snapshot and restore: what a container has is kept, and brought back. Of one that does not run
# nothing is copied; of one that runs what it wrote, while it stands still.
load holm

box() { # NAME [OPTION...] - has written, and ended
	local name=$1
	shift
	expect 0 holm run --name "$name" "$@" busybox sh -c '
		echo one >/file; mkdir -p /d/sub; echo f >/d/f; rm /etc/group; rm -r /home; mkdir /home
		echo again >/home/new; ln /d/f /d/hard; chown 1000:1001 /d/f; chmod 711 /'
}

running() { # NAME [OPTION...]
	local name=$1
	shift
	expect 0 holm run -d --name "$name" "$@" busybox sh -c '
		echo one >/file; mkdir /d; echo f >/d/f; rm /etc/group; rm -r /home; mkdir /home; touch /ready
		sleep 1000'
	within 5 holm exec "$name" test -e /ready
}

# All that a container sees of its root: names, owners, modes, sizes.
tree() { # NAME
	holm export "$1" | tar --numeric-owner -tvf - | grep -v ' run/' | sort -k 6
}

change() { # NAME
	expect 0 holm cp - "$1:/" < <(cd "$BATS_TEST_TMPDIR" && mkdir -p c && echo two >c/file && tar c -C c .)
}

@test "snapshot, break, restore: all is as it was, also what was deleted and who owns it" {
	box web
	tree web >before
	expect 0 holm snapshot web
	output_is snap0
	tree web >after
	diff before after
	expect 0 holm start -a web
	expect 0 holm snapshot --comment 'second run' web second
	output_is second
	expect 0 holm cp "$0" web:/file
	expect 0 holm restore web snap0
	tree web >after
	diff before after
	expect 0 holm snapshot ls -q web
	output_is $'snap0\nsecond'
	expect 0 holm snapshot ls web
	[[ ${lines[0]} == NAME*CREATED*EXPIRES*STATE*COMMENT ]]
	[[ ${lines[2]} == second*never*stopped*'second run' ]]
	expect 0 holm restore web second
	expect 0 holm restore web snap0
	tree web >after
	diff before after
}

@test "a snapshot of one that runs, and of one in a user namespace" {
	running web --userns auto
	expect 0 holm snapshot web
	tree web >before
	expect 0 holm exec web sh -c 'rm -r /d /file; echo x >/etc/group'
	refused 1 "container web is running" holm restore web snap0
	expect 0 holm restore --restart web snap0
	expect 0 holm exec web cat /file /d/f
	output_is $'one\nf'
	expect 1 holm exec web test -e /etc/group
	expect 0 holm exec web stat -c %u:%g /d/f
	output_is 0:0
	expect 0 holm rm -f web
}
