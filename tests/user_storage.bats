#!/usr/bin/env bats
# Where an ordinary user's home is on a filesystem that overlayfs writes to, and where it is not.
# shellcheck disable=SC2016 # scripts for other shells
load holm
load person

setup_file() {
	needs_root "they make users of their own"
}

setup() {
	holm_setup
	person_new 300000:65536
	home=$BATS_TEST_TMPDIR/person/tester
	mkdir "$BATS_TEST_TMPDIR/person/elsewhere"
	chown 1000:1000 "$BATS_TEST_TMPDIR/person/elsewhere"
}

teardown() {
	[ -z "${ODD:-}" ] || umount "$home"
	[ -z "${FUSE:-}" ] || umount /dev/fuse
	person_end
	holm_teardown
}

# Another overlay: overlayfs takes no upper folder from one.
home_is_odd() {
	mkdir "$BATS_TEST_TMPDIR/odd" "$BATS_TEST_TMPDIR/odd/lower" "$BATS_TEST_TMPDIR/odd/upper" "$BATS_TEST_TMPDIR/odd/work"
	chown 1000:1000 "$BATS_TEST_TMPDIR/odd/upper"
	mount -t overlay -o "lowerdir=$BATS_TEST_TMPDIR/odd/lower,upperdir=$BATS_TEST_TMPDIR/odd/upper,workdir=$BATS_TEST_TMPDIR/odd/work" none "$home"
	ODD=yes
}

# The user's, in this mount namespace alone.
fuse_is_open() {
	needs fuse-overlayfs
	mknod -m 666 "$BATS_TEST_TMPDIR/fuse" c 10 229
	mount --bind "$BATS_TEST_TMPDIR/fuse" /dev/fuse
	FUSE=yes
	head -c 0 /dev/fuse 2>/dev/null || skip "/dev/fuse cannot be opened here"
}

# What sshfs and most other programs are, too: renameat2(2) takes no flags there, and overlayfs no upper folder.
home_is_fuse() { # OPTION...
	needs bindfs
	mkdir "$BATS_TEST_TMPDIR/odd"
	chown 1000:1000 "$BATS_TEST_TMPDIR/odd"
	bindfs "$@" "$BATS_TEST_TMPDIR/odd" "$home" || skip "/dev/fuse cannot be opened here"
	ODD=yes
}

@test "a home on FUSE: what is new is made without a rename that looks first" {
	home_is_fuse
	expect 0 u run --name a busybox sh -c 'rm /etc/passwd; echo x >/made; chown 7:8 /made; stat -c %u:%g /made /bin'
	output_is "7:8
0:0"
	output_has "the container's root is a copy of its image"
	expect 125 u run --name a busybox true
	output_has "the name 'a' is taken"
	expect 0 u start -a a
	expect 0 u commit a mine
	expect 0 u run --rm mine sh -c 'cat /made; stat -c %u:%g /made; [ ! -e /etc/passwd ]'
	output_is "x
7:8"
	expect 0 u volume create v
	expect 0 u volume create v
	expect 0 u run --rm -v v:/v busybox sh -c 'echo kept >/v/file'
	expect 0 u run --rm -v v:/v busybox cat /v/file
	output_is kept
	# two steps would leave none of them for a moment
	expect 0 u secret create key - <<<one
	refused 1 "is taken" u secret create key - <<<two
	refused 1 "Invalid argument" u secret create --replace key - <<<two
	[[ $stderr == *"HOLM_ROOT"* ]]
	expect 0 u run --rm --secret key busybox cat /run/secrets/key
	output_is one
	expect 0 u rm a
	expect 0 u system check
	[ "$(find "$BATS_TEST_TMPDIR/odd/.local/share/holm" -name '.new-*' -o -name '.dead-*' -o -name newborn)" = "" ]
}

@test "a home on FUSE that gives files no owners is told, and what does it" {
	home_is_fuse --chown-deny --chgrp-deny
	expect 125 u run busybox true
	output_has "copy the image"
	output_has "gives files no other owners"
	expect 0 u ps -aq
	output_is ""
	expect 0 u --root "$BATS_TEST_TMPDIR/person/elsewhere" run --rm busybox true
}

@test "a home on another overlay: by fuse-overlayfs, where /dev/fuse is open" {
	home_is_odd
	fuse_is_open
	expect 0 u run --name a busybox sh -c 'rm /etc/passwd; echo x >/made; chown 7:8 /made; grep " / " /proc/self/mounts | cut -d" " -f3; stat -c %u:%g /made /bin'
	output_is "fuse.fuse-overlayfs
7:8
0:0"
	expect 0 u info --format '{{.Driver}}'
	output_is fuse-overlayfs
	u doctor --format json >facts || true
	[ "$(jq -rs '.[] | select(.Name == "overlayfs of yours") | "\(.Verdict) \(.Fact)"' facts)" = "less fuse-overlayfs" ]
	expect 0 u start -a a
	expect 0 u run --rm busybox true
	expect 0 u rm a
	within 5 eval '! pgrep -u 1000 -x fuse-overlayfs'
}

@test "what a container removed by fuse-overlayfs is gone in diff, commit and snapshots" {
	home_is_odd
	fuse_is_open
	expect 0 u run --name a busybox sh -c 'rm /etc/passwd; rm -r /home; mkdir /home; touch /home/new; rmdir /mnt 2>/dev/null; ! touch /.wh.x'
	u diff a | grep -v /root >changes
	[ "$(grep -c wh changes)" = 0 ]
	grep -qx 'D /etc/passwd' changes
	grep -qx 'A /home/new' changes
	expect 0 u commit a mine
	expect 0 u run --rm mine sh -c 'ls -a /home; [ ! -e /etc/passwd ]'
	output_is ".
..
new"
	expect 0 u save -o mine.tar mine
	mv "$home/mine.tar" .
	mkdir mine && tar -C mine -xf mine.tar
	find mine -type f -exec tar -tf {} \; >files 2>/dev/null || true
	grep -q 'etc/\.wh\.passwd$' files
	[ "$(grep -c 'home/\.wh\.\.wh\.\.opq$' files)" -le 1 ]
	expect 0 u snapshot create a one
	expect 0 u run --name b busybox true
	expect 0 u start a
	expect 0 u diff a
	[[ $output == *"D /etc/passwd"* && $output == *"A /home/new"* && $output != *.wh.* ]]
	expect 0 u commit a again
	expect 0 u run --rm again sh -c 'ls /home; [ ! -e /etc/passwd ]'
	output_is new
	expect 0 u clone a c
	expect 0 u export -o c.tar c
	tar -tf "$home/c.tar" >files
	[ "$(grep -c -e '\.wh\.' -e '^\(./\)\?etc/passwd$' files)" = 0 ]
	expect 0 u restore a one
	expect 0 u rm a b c
}

@test "a home on another overlay, and /dev/fuse is closed: by copying, and what that takes away" {
	home_is_odd
	mkdir -p one/d two && echo old >one/d/old && echo new >two/new
	mkdir two/d && touch two/d/.wh..wh..opq && echo 1 >two/d/first
	touch one/gone two/.wh.gone two/.wh.kept && echo 2 >two/kept && mkdir one/e two/e && touch one/e/old two/.wh.e two/e/new
	tar -C one -cf one.tar . && tar -C two -cf two.tar .
	cp "$(command -v busybox)" one/ 2>/dev/null || needs busybox
	mkdir one/bin && cp one/busybox one/bin/sh && chown 3:4 one/d && tar -C one -cf one.tar .
	oci_image oci one one.tar two.tar
	tar -C oci -cf "$home/oci.tar" .
	chmod 644 "$home/oci.tar"
	expect 0 u load -i oci.tar
	local layered
	layered=$(u images -q)
	expect 0 u run --rm "$layered" sh -c 'ls -a /d | tail -n 1; stat -c %u:%g /d; cat /new; cat /kept; ls /e; [ ! -e /gone ]'
	output_is "first
0:0
new
2
new"
	output_has "the container's root is a copy of its image"
	output_has "you may not open /dev/fuse"
	expect 0 u run --name a busybox sh -c 'rm /etc/passwd; echo x >/made; chown 7:8 /made; stat -c %u:%g /made /bin'
	output_is "7:8
0:0"
	expect 0 u run --rm --userns keep-id busybox stat -c %u:%g /bin /bin/busybox
	output_is "0:0
0:0"
	# a layer is nobody's to write to
	expect 0 u run --rm busybox sh -c 'stat -c %u:%g /bin; ls /made 2>/dev/null; ls /etc/passwd; echo y >/etc/passwd'
	output_is "0:0
/etc/passwd"
	expect 0 u run --rm busybox head -c 4 /etc/passwd
	output_is root
	expect 0 u cp a:/made here
	# what it changed is found by comparing
	expect 0 u diff a
	[ "$(grep -v "/root$" <<<"$output" | sort)" = "A /made
C /etc
D /etc/passwd" ]
	# an image of all its files
	expect 0 u commit a mine
	expect 0 u run --rm mine sh -c 'cat /made; stat -c %u:%g /made /bin; [ ! -e /etc/passwd ]'
	output_has "x
7:8
0:0"
	[ "$(u image inspect --format '{{len .RootFS.Layers}}' mine)" = 1 ]
	expect 0 u clone a b
	expect 0 u start -a b
	output_is "7:8
0:0"
	expect 0 u cp a:/made here
	expect 0 u rm b
	# of a machine another one, whatever ids it has
	local ids
	for ids in "" --userns=keep-id --userns=auto; do
		# shellcheck disable=SC2086 # words
		expect 0 u run --name k $ids --user 0 busybox sh -c 'mkdir -p /var/lib/dbus /var/lib/systemd; echo seed >/var/lib/systemd/random-seed
			echo 00112233445566778899aabbccddeeff | tee /etc/machine-id >/var/lib/dbus/machine-id; chown 7:8 /etc/machine-id; rm /etc/group'
		expect 0 u diff k
		[ "$(grep -v "/root$\|^C" <<<"$output" | sort)" = "A /etc/machine-id
A /var/lib
A /var/lib/dbus
A /var/lib/dbus/machine-id
A /var/lib/systemd
A /var/lib/systemd/random-seed
D /etc/group" ]
		expect 0 u clone k l
		u cp l:/etc/machine-id - >id.tar
		[[ "$(tar -xOf id.tar)" =~ ^[0-9a-f]{32}$ ]]
		[ "$(tar -xOf id.tar)" != 00112233445566778899aabbccddeeff ]
		[ "$(tar --numeric-owner -tvf id.tar | awk '{ print $2 }')" = 7/8 ]
		# a range of its own, where each container has one
		local owner_k owner_l
		owner_k=$(stat -c %u "$home/.local/share/holm/containers/$(u inspect -f '{{.Id}}' k)/upper/bin")
		owner_l=$(stat -c %u "$home/.local/share/holm/containers/$(u inspect -f '{{.Id}}' l)/upper/bin")
		[ "$ids" = --userns=auto ] && [ "$owner_k" != "$owner_l" ] || [ "$owner_k" = "$owner_l" ]
		refused 1 "Could not find the file" u cp l:/var/lib/dbus/machine-id -
		refused 1 "Could not find the file" u cp l:/var/lib/systemd/random-seed -
		expect 0 u rm k l
	done
	expect 0 u start a
	expect 0 u run -d --name c busybox sleep 1000
	refused 1 "and it runs" u clone c d
	expect 0 u rm -f c
	refused 1 "is a copy of its image" u snapshot create a one
	output_has "holm clone keeps it as it is now, holm export has all of it"
	expect 0 u info
	output_has "Storage driver: copy"
	output_has "not supported as upperdir"
	u doctor --format json >facts || true
	jq -se '.[] | select(.Name == "overlayfs of yours") | .Verdict == "less" and (.Fact | startswith("copies: ")) and (.Advice | contains("fuse-overlayfs"))' facts
	expect 0 u rm a
	expect 0 u ps -aq
	output_is ""
}

@test "info tells a user the user's things" {
	expect 0 u info --format json
	[ "$(jq -c '.User.IDMappings' <<<"$output")" = '{"UidMap":["0:1000:1","1:300000:65536"],"GidMap":["0:1000:1","1:300000:65536"]}' ]
	[ "$(jq -r '.User.Storage, .Driver' <<<"$output" | tr '\n' ' ')" = "overlay overlay2 " ]
	[ "$(jq -r '.User.Network' <<<"$output")" != null ]
	[[ $(jq -r '.User.Cgroup' <<<"$output") == *delegated* ]]
	expect 0 u info
	output_has "  user ids (inside:outside:count): 0:1000:1, 1:300000:65536"
	[ "$(holm info --format json | jq -c .User)" = null ]
	[ "$(find "$BATS_TEST_TMPDIR/person/tester/.local/share/holm" -maxdepth 1 -name '.overlay*')" = "" ]
}
