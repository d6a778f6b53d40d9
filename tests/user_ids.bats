#!/usr/bin/env bats
# Which ids a container of an ordinary user has: --userns, --uidmap, --gidmap, --subuidname,
# --group-add keep-groups; and where the user's own come from.
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
	store=$home/.local/share/holm
}

teardown() {
	person_end
	holm_teardown
}

maps='tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map'

# Nothing in the store is anybody's but the user's and the range's. A container that ended goes after its
# exit code has been told.
all_is_ours() {
	within 5 eval '[ -z "$(find "$store" -name ".dead-*")" ]'
	local others
	others=$(find "$store" \( -not -uid 1000 -not \( -uid +299999 -uid -365536 \) \) -o \
		\( -not -gid 1000 -not \( -gid +299999 -gid -365536 \) \))
	[ "$others" = "" ] || {
		echo "neither the user's nor of the range: $others"
		return 1
	}
}

@test "keep-id: the caller is the same inside, root is one of the range, and so are its files" {
	mkdir "$home/made"
	chown 1000:1000 "$home/made"
	expect 0 u run --rm --userns keep-id -v "$home/made:/made" busybox sh -c '
		id -u; id -g; touch /made/mine; stat -c %u:%g /made/mine /bin/busybox / /etc/passwd /etc/hosts; touch /no 2>/dev/null || echo no root'
	output_is "1000
1000
1000:1000
0:0
0:0
0:0
0:0
no root"
	expect 0 u run --rm --userns keep-id --user 0 -v "$home/made:/made" busybox sh -c '
		'"$maps"'; touch /made/roots /roots && stat -c %u /roots; chown 33 /made/roots; cat /etc/resolv.conf >/dev/null && echo read'
	output_is " 0 1 1000
 1000 0 1
 1001 1001 64536
 0 1 1000
 1000 0 1
 1001 1001 64536
0
read"
	[ "$(stat -c %u:%g "$home/made/mine")" = 1000:1000 ]
	[ "$(stat -c %u:%g "$home/made/roots")" = 300033:300000 ]
	expect 0 u run --rm --userns keep-id:uid=7,gid=8 busybox sh -c 'id -u; id -g'
	output_is "7
8"
	expect 0 u run --rm --userns keep-id:size=2000 busybox tail -n 1 /proc/self/uid_map
	[[ $output =~ 1001\ +1001\ +999 ]]
	all_is_ours
	expect 0 u system prune -af
	all_is_ours
	[ "$(find "$store/layers" -name 'ids-*' | wc -l)" = 0 ]
}

@test "an image is a mount, with the ids of the container" {
	local userns
	expect 0 u run --rm --mount type=image,src=busybox,dst=/img busybox stat -c %u:%g /img /img/etc/passwd
	output_is "0:0
0:0"
	for userns in --userns=keep-id --userns=auto "--uidmap=0:1:100 --uidmap=100:0:1"; do
		# shellcheck disable=SC2086 # words
		expect 0 u run --rm $userns --user 0 --mount type=image,src=busybox,dst=/img busybox sh -c 'stat -c %u:%g /img /img/etc/passwd; sha256sum </img/bin/busybox; sha256sum </bin/busybox; touch /img/x 2>/dev/null || echo no'
		[ "${lines[0]} ${lines[1]} ${lines[4]}" = "0:0 0:0 no" ]
		[ "${lines[2]}" = "${lines[3]}" ]
		# shellcheck disable=SC2086
		expect 0 u run --rm $userns --user 0 --mount type=image,source=busybox,target=/x,subpath=etc busybox sh -c 'stat -c %u:%g /x /x/passwd'
		output_is "0:0
0:0"
	done
	# of several layers, which come while it runs, and a collection that leaves what a container needs
	mkdir one two
	head -c 9000 /dev/zero >one/low
	echo high >two/high
	tar -C one --owner=5:5 --group=6:6 -cf one.tar .
	tar -C two --owner=0:0 --group=0:0 -cf two.tar .
	oci_image oci files one.tar two.tar
	tar -C oci -cf "$home/oci.tar" .
	chmod 644 "$home/oci.tar"
	expect 0 u load -q -i oci.tar
	expect 0 u run -d --name web --userns keep-id --mount type=image,src=files,dst=/a busybox sleep 1000
	expect 0 u device add --mount type=image,src=files,dst=/b web
	expect 0 u exec web sh -c 'stat -c "%u:%g %s" /a/low /b/low; cat /a/high /b/high; cmp /a/low /b/low'
	output_is "5:6 9000
5:6 9000
high
high"
	expect 0 u gc
	expect 0 u restart -t 0 web
	expect 0 u exec web cat /a/high /b/high
	output_is "high
high"
	expect 0 u cp web:/a/low low
	expect 0 u rm -f web
	expect 0 u system prune -af
	[ "$(find "$store/layers" -name 'ids-*' | wc -l)" = 0 ]
	all_is_ours
}

@test "keep-id: the caller has a name inside, once, where the image gives it to nobody" {
	expect 0 u run --name a --userns keep-id busybox sh -c 'tail -n 1 /etc/passwd; tail -n 1 /etc/group; id -un; whoami'
	output_is "tester:*:1000:1000:tester:/:/bin/sh
tester:x:1000:
tester
tester"
	expect 0 u start -a a
	[ "$(u cp a:/etc/passwd - | tar -xO | grep -c tester)" = 1 ]
	expect 0 u rm a
	expect 0 u run --rm --userns keep-id:uid=33,gid=33 busybox id
	output_has "uid=33"
	# a name or number that the image has, a root that is read-only, files that are not files
	expect 0 u run --name b --userns keep-id --user 0 busybox sh -c 'sed -i /tester/d /etc/passwd; echo tester:x:7:7::/:/bin/sh >>/etc/passwd; rm /etc/group; ln -s /etc/passwd /etc/group'
	expect 0 u start b
	within 5 eval '[ "$(u inspect -f "{{.State.Running}}" b)" = false ]'
	[ "$(u cp b:/etc/passwd - | tar -xO | grep -c "^tester:\*")" = 0 ]
	expect 0 u rm b
	expect 1 u run --rm --read-only --userns keep-id busybox grep tester /etc/passwd
	expect 1 u run --rm busybox grep tester /etc/passwd
}

@test "keep-id: layers are there once, with other owners: large files have no bytes of their own" {
	kernel_before 6 16 && skip "overlayfs takes layers with data alone in a user namespace from Linux 6.16 on"
	expect 0 u run --rm --userns keep-id --user 0 busybox sh -c 'sha256sum </bin/busybox; cp /bin/busybox /copy; sha256sum </copy; echo x >>/bin/busybox; sha256sum </copy'
	[ "${lines[0]}" = "${lines[1]}" ]
	[ "${lines[0]}" = "${lines[2]}" ]
	local other
	other=$(find "$store/layers" -path '*/ids-*/bin/busybox')
	[ "$(stat -c '%u %b' "$other")" = "300000 0" ] || [ "$(stat -c '%u %b' "$other")" = "300000 8" ]
	[ "$(sha256sum <"$(find "$store/layers" -path '*/fs/bin/busybox' -not -path '*/ids-*')")" = "${lines[0]}" ]
	# one that is killed over it is done again
	rm -r "$store"/layers/*/ids-*
	for _ in 1 2 3; do
		killed_at_random 200 as_person holm run --rm --userns keep-id busybox true
	done
	expect 0 u run --rm --userns keep-id busybox stat -c %u /bin/busybox
	output_is 0
}

@test "keep-id: a second layer, hard links, setuid, a folder that hides another, devices" {
	cat >layers.sh <<-'S'
		mkdir -p one/d one/h two/d two/h
		echo old >one/d/old; head -c 9000 /dev/zero >one/h/a; ln one/h/a one/h/b
		head -c 9000 /dev/zero | tr '\0' x >two/h/a
		head -c 9000 /dev/zero | tr '\0' y >one/big; chown 5:6 one/big; chmod 4755 one/big
		mknod one/disk b 8 0
		touch two/d/.wh..wh..opq two/d/new
		tar -C one -cf one.tar .
		tar -C two -cf two.tar .
	S
	sh layers.sh
	cat > base.sh <<-'S'
		mkdir -p base/bin && cp "$(command -v busybox)" base/bin/busybox && ln -s busybox base/bin/sh
		tar -C base -cf base.tar .
	S
	needs busybox
	sh base.sh
	oci_image oci one base.tar one.tar two.tar
	tar -C oci -cf "$home/oci.tar" .
	chmod 644 "$home/oci.tar"
	expect 0 u load -i oci.tar
	[ "$(cat "$store"/layers/*/layer.json | jq -s 'map(.skipped // 0) | add')" = 1 ]
	expect 0 u run --rm --userns keep-id --user 0 "$(u images -q)" /bin/busybox sh -c '
		busybox ls /d; busybox head -c 1 /h/a; busybox head -c 1 /h/b | busybox od -An -tx1
		busybox stat -c "%u:%g %a" /big; busybox head -c 1 /big; busybox test -e /disk || echo " no disk"'
	output_is "new
x 00
5:6 4755
y no disk"
}

@test "nomap: the caller is nobody inside" {
	mkdir "$home/made"
	chown 1000:1000 "$home/made"
	chmod 755 "$home/made"
	expect 0 u run --rm --userns nomap -v "$home/made:/made" busybox sh -c '
		id -u; '"$maps"'; stat -c %u /made; touch /made/x 2>/dev/null || echo not mine'
	output_is "0
 0 1 65536
 0 1 65536
65534
not mine"
	all_is_ours
}

@test "auto: every container has a range of its own, out of the user's" {
	expect 0 u run -d --name a --userns auto busybox sh -c 'touch /made && sleep 1000'
	expect 0 u run -d --name b --userns auto:size=1000 busybox sleep 1000
	expect 0 u create --name c --userns auto:size=70000 busybox true || true
	refused 1 "--userns: no 70000 ids side by side are free" u create --userns auto:size=70000 busybox true
	output_has "have more given to you in /etc/subuid"
	[ "$(u inspect -f '{{index .HostConfig.IDMappings.UidMap 0}}' a b | tr '\n' ' ')" = "0:1:4096 0:4097:1000 " ]
	local pid
	pid=$(u inspect -f '{{.State.Pid}}' b)
	[ "$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")" = 304096 ]
	expect 0 u exec a sh -c 'id -u; stat -c %u /made'
	output_is "0
0"
	expect 0 u cp a:/made -
	expect 0 u diff a
	output_is "A /made"
	expect 0 u stop -t 0 a
	expect 0 u start a
	expect 0 u exec a stat -c %u /made
	output_is 0
	# what one keeps for itself another may not read, though both are the user's
	expect 0 u exec a sh -c 'chmod 700 /made'
	expect 0 u run --rm --userns container:b --pid container:b busybox stat -c %u /bin/busybox
	output_is 0
	expect 0 u rm -f a b
	all_is_ours
}

@test "commit, snapshot, clone and restore with ids of one's own" {
	expect 0 u run -d --name a --userns auto busybox sh -c 'echo one >/made; chown 7:8 /made; sleep 1000'
	within 5 eval 'u exec a test -e /made'
	expect 0 u stop -t 0 a
	expect 0 u commit a mine
	expect 0 u run --rm mine stat -c %u:%g /made
	output_is 7:8
	expect 0 u run --rm --userns keep-id mine sh -c 'stat -c %u:%g /made; cat /made'
	output_is "7:8
one"
	expect 0 u snapshot create a before || expect 0 u snapshot a before
	expect 0 u clone a b
	expect 0 u start b
	expect 0 u exec b sh -c 'stat -c %u:%g /made; cat /made; stat -c %u /bin/busybox; stat -c %u /'
	output_is "7:8
one
0
0"
	[ "$(u inspect -f '{{index .HostConfig.IDMappings.UidMap 0}}' a b | sort -u | wc -l)" = 2 ]
	expect 0 u rm -f a b
	all_is_ours
}

@test "the root folder is root's after a rebuild, and in a clone whose it was" {
	expect 0 u run --name kept --network none --userns keep-id --user 0 busybox stat -c %u:%g /
	output_is 0:0
	expect 0 u rebuild kept
	expect 0 u start -a kept
	output_is 0:0
	expect 0 u run --name given --network none --userns auto busybox sh -c 'stat -c %u:%g /; chown 7:8 /'
	output_is 0:0
	expect 0 u clone given other
	expect 0 u start -a other
	output_is 7:8
	expect 0 u rm kept given other
}

@test "--uidmap and --gidmap count in the user namespace, with @ on the host; the flags are podman's" {
	expect 0 u run --rm --uidmap 0:1:10 --gidmap 0:@300000:5 --gidmap 5:0:1 busybox sh -c "$maps"
	output_is " 0 1 10
 0 1 5
 5 0 1"
	expect 0 u run --rm --uidmap 0:5:1000 busybox sh -c "$maps"
	output_is " 0 5 1000
 0 5 1000"
	expect 0 u run --rm --uidmap +100:@300006:3 busybox sh -c "$maps"
	output_is " 0 0 1
 10 10 90
 100 7 3
 103 103 65434
 1 1 6
 0 0 1
 10 10 90
 100 7 3
 103 103 65434
 1 1 6"
	expect 0 u run --rm --uidmap u0:1:10 busybox sh -c "$maps"
	output_is " 0 1 10
 0 0 1
 1 1 65536"
	refused 125 "--uidmap: '0:@5:1': the host's ids from 5 on, 1 in all, are not yours" u run --rm --uidmap 0:@5:1 busybox true
	refused 125 "--uidmap: '0:@0:1': the host's ids from 0 on" u run --rm --uidmap 0:@0:1 busybox true
	refused 125 "" u run --rm --uidmap 0:70000:10 busybox true
	expect 0 u ps -aq
	output_is ""
}

@test "--subuidname: the ids of a line of one's own, and of nobody else's" {
	expect 0 u run --rm --subuidname tester busybox sh -c "$maps"
	output_is " 0 1 65536
 0 1 65536"
	refused 125 "--subuidname: /etc/subuid: the ids of someone, 700000:65536, are not yours" u run --rm --subuidname someone busybox true
	refused 125 "--subuidname: /etc/subuid has no ids for nobody" u run --rm --subuidname nobody busybox true
	refused 125 "exclude --uidmap" u run --rm --subuidname tester --uidmap 0:1:1 busybox true
	expect 0 holm run --rm --subuidname someone busybox sh -c "$maps"
	output_is " 0 700000 65536
 0 700000 65536"
}

@test "what makes no sense is refused" {
	local option text
	while IFS='|' read -r option text; do
		# shellcheck disable=SC2086
		refused 125 "$text" u run $option busybox true
	done <<-'E'
		--userns keep-id:uid=x|--userns keep-id: 'x'
		--userns keep-id:user=1|'user=1' is not one of uid=, gid=, size=
		--userns keep-id:uid=4294967295|--userns keep-id: '4294967295' is more than
		--userns nomap:size=1|--userns nomap:size=1: not one of
		--userns keep-id --uidmap 0:1:1|--userns keep-id excludes --uidmap
		--userns keep-idx|--userns keep-idx: not one of
		--uidmap +u|--uidmap: '+u' is not [FLAGS]CONTAINER:[@]HOST[:SIZE]
		--uidmap x0:1:1|'x0'
		--group-add keep-groups --group-add 5|--group-add keep-groups keeps the caller's groups
	E
	refused 125 "--userns nomap is for containers of ordinary users" holm run --userns nomap busybox true
}

@test "who has one id is told what a range would add" {
	person_named lonely 1002
	expect 0 as lonely holm run --rm busybox sh -c 'id -u; wc -l </proc/self/uid_map'
	output_is "0
1"
	refused 125 "--userns keep-id: you have one id alone, and the container's 0 needs another" \
		as lonely holm run --rm --userns keep-id busybox true
	output_has "usermod --add-subuids"
	refused 125 "--userns nomap: you have one id alone" as lonely holm run --rm --userns nomap busybox true
	expect 0 as lonely holm run --rm --userns keep-id:uid=0,gid=0 busybox id -u
	output_is 0
	refused 125 "no 4096 ids side by side are free" as lonely holm run --rm --userns auto busybox true
}

@test "--group-add keep-groups: what a group of the caller's may read, the container may" {
	mkdir "$home/shared"
	echo secret >"$home/shared/file"
	chown -R 0:5555 "$home/shared"
	chmod 750 "$home/shared"
	chmod 640 "$home/shared/file"
	local member=(setpriv --reuid 1000 --regid 1000 --groups 5555 env -i -C "$home" "PATH=$PATH" "HOLM_LIBEXEC=$HOLM_LIBEXEC"
		"HOME=$home" XDG_RUNTIME_DIR=/run/user/1000)
	expect 1 "${member[@]}" holm run --rm -v "$home/shared:/shared" busybox cat /shared/file
	expect 0 "${member[@]}" holm run --rm --group-add keep-groups -v "$home/shared:/shared" busybox cat /shared/file
	output_is secret
	expect 0 "${member[@]}" holm run --rm --userns keep-id --group-add keep-groups -v "$home/shared:/shared" busybox cat /shared/file
	output_is secret
	expect 0 "${member[@]}" holm run -d --name web --group-add keep-groups -v "$home/shared:/shared" busybox sleep 1000
	expect 0 "${member[@]}" holm exec web cat /shared/file
	output_is secret
	expect 0 "${member[@]}" holm rm -f web
}

# --- where the user's ids come from -----------------------------------------------------------

@test "where nsswitch.conf has subordinate ids from a service, getsubids asks it" {
	local bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	cat >"$bin/getsubids" <<-'S'
		#!/bin/sh
		[ "$1" = -g ] && first=500000 shift
		[ "$1" = -g ] && shift
		[ "$1" = tester ] || { echo "Error fetching ranges" >&2; exit 1; }
		echo "0: tester ${first:-300100} 1000"
	S
	chmod 755 "$bin" "$bin/getsubids"
	sed '/^subid:/d' /etc/nsswitch.conf >"$BATS_TEST_TMPDIR/etc/nsswitch.conf" 2>/dev/null || touch "$BATS_TEST_TMPDIR/etc/nsswitch.conf"
	echo "subid: directory" >>"$BATS_TEST_TMPDIR/etc/nsswitch.conf"
	[ -e /etc/nsswitch.conf ] || touch /etc/nsswitch.conf
	mount --bind "$BATS_TEST_TMPDIR/etc/nsswitch.conf" /etc/nsswitch.conf
	echo "tester:500000:1000" >>"$BATS_TEST_TMPDIR/etc/subuid"
	u doctor --format json >facts 2>/dev/null || true
	expect 0 as tester env PATH="$bin:$PATH" holm doctor --format json || true
	[ "$(jq -rs '.[] | select(.Name == "user ids") | .Fact' <<<"$output")" = 300100:1000 ]
	[ "$(jq -rs '.[] | select(.Name == "group ids") | .Fact' <<<"$output")" = 500000:1000 ]
	umount /etc/nsswitch.conf
}

# Root of a user namespace with all ids, in which nobody may make another.
@test "user namespaces that are switched off: by which sysctl" {
	echo root:0:400000 >>"$BATS_TEST_TMPDIR/etc/subuid"
	local inside='echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"'
	run --separate-stderr unshare --user --map-users 0,0,400000 --map-groups 0,0,400000 --setuid 0 --setgid 0 true
	[ "$status" = 0 ] || skip "unshare(1) cannot map many ids here"
	refused 125 "make a user namespace: " unshare --user --map-users 0,0,400000 --map-groups 0,0,400000 --setuid 0 --setgid 0 \
		sh -c "$inside" sh setpriv --reuid 1000 --regid 1000 --clear-groups env -i PATH="$PATH" HOLM_LIBEXEC="$HOLM_LIBEXEC" \
		HOME="$home" XDG_RUNTIME_DIR=/run/user/1000 "$(command -v holm)" run --rm busybox true
	output_has "user.max_user_namespaces is 0 here: an ordinary user may have none until an administrator"
}

# In a changed root the kernel refuses them, too; the files that an AppArmor or Debian's patch would have
# say why.
@test "user namespaces that are switched off: by AppArmor, by Debian's sysctl" {
	local file value
	while read -r file value; do
		refused 125 "make a user namespace: " unshare --mount sh -c '
			mkdir -p "$3" && mount --rbind / "$3" && mount -t tmpfs none "$3/proc/sys/kernel" &&
				echo "$2" >"$3/proc/sys/kernel/$1" || exit 9
			root=$3; shift 3; exec chroot "$root" "$@"' sh "$file" "$value" "$BATS_TEST_TMPDIR/changed" \
			setpriv --reuid 1000 --regid 1000 --clear-groups env -i PATH="$PATH" HOLM_LIBEXEC="$HOLM_LIBEXEC" \
			HOME="$home" XDG_RUNTIME_DIR=/run/user/1000 "$(command -v holm)" run --rm busybox true
		output_has "kernel.$file is $value here"
	done <<-'E'
		apparmor_restrict_unprivileged_userns 1
		unprivileged_userns_clone 0
	E
}

@test "a store that root made is refused, with its owner and a way out" {
	mkdir -p "$store"
	chown 1000:1000 "$home/.local" "$home/.local/share"
	refused 1 "$store belongs to user 0, and you are user 1000" u ps
	output_has "every user has a store of its own"
}
