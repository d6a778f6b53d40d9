#!/usr/bin/env bats
# import --from lxc and nspawn: containers with their files and their configuration.
# shellcheck disable=SC2016,SC2154 # variables of the guest; what expect sets
load holm
load networks
load systems

setup() {
	systems_setup
	umask 022
	chmod 755 "$BATS_TEST_TMPDIR" . "$BATS_FILE_TMPDIR" "$HOLM_ROOT"
	given "$BATS_TEST_TMPDIR" .
}

teardown() {
	systems_teardown
}

# A container of LXC's as lxc-create makes it, in ./lxc; more lines of its configuration on standard
# input. A user's has the user's files.
busybox_lxc() { # NAME
	needs lxc-create
	mkdir -p lxc
	lxc-create -P "$PWD/lxc" -n "$1" -t busybox >lxc.log 2>&1 || skip "lxc-create: $(tail -1 lxc.log)"
	# its interfaces are asked for elsewhere: udhcpc takes seconds without an answer
	rm -f "lxc/$1/rootfs/etc/init.d/rcS"
	printf '#!/bin/sh\necho booted\n' >"lxc/$1/rootfs/etc/init.d/rcS"
	chmod +x "lxc/$1/rootfs/etc/init.d/rcS"
	cat >>"lxc/$1/config"
	given lxc
}

# What `import --dry-run` says of it.
dry_run() { # KIND FOLDER
	expect 0 holm import --from "$1" --dry-run "$2"
}

has_setting() { # TEXT...
	local text
	for text; do
		[[ " $output " == *" $text "* ]] || {
			echo "no '$text' in: $output"
			return 1
		}
	done
}

@test "a container of lxc-create is imported, boots, and is what it was" {
	busybox_lxc bb <<-E
		lxc.environment = WHO=lxc
		lxc.net.0.type = empty
		lxc.start.auto = 1
		lxc.start.order = 7
		lxc.group = web
		lxc.cgroup.memory.limit_in_bytes = 100M
		lxc.hook.pre-start = $PWD/lxc/bb/hook one
	E
	printf '#!/bin/sh\necho "$*" >>%s/told\n' "$PWD" >lxc/bb/hook
	chmod 755 lxc/bb/hook
	: >told
	chmod 666 told
	echo mine >lxc/bb/rootfs/etc/mine
	chmod 640 lxc/bb/rootfs/etc/mine
	[ -n "${HOLM_TEST_USER:-}" ] || chown 7:8 lxc/bb/rootfs/etc/mine
	given lxc
	find lxc -printf '%p %m %U %s\n' | sort >before
	expect 0 holm import --from lxc "$PWD/lxc"
	output_has "Imported container: bb"
	find lxc -printf '%p %m %U %s\n' | sort | diff before -
	expect 0 holm start bb
	within 10 holm exec bb true
	expect 0 holm exec bb sh -c 'hostname; stat -c "%a %u" /etc/mine; cat /etc/mine'
	if [ -n "${HOLM_TEST_USER:-}" ]; then
		output_is $'bb\n640 0\nmine'
	else
		output_is $'bb\n640 7\nmine'
	fi
	expect 0 holm exec bb sh -c 'tr "\0" "\n" </proc/1/environ'
	output_has WHO=lxc
	within 10 said bb booted
	[ "$(cat told)" = "one bb lxc pre-start" ]
	expect 0 holm set bb
	output_has autostart=7
	output_has autostart-group=web
	output_has memory=100m
	output_has "$HOLM_ROOT/containers/$(holm inspect -f '{{.Id}}' bb)/hooks/hook one"
	expect 0 holm rm -f bb
}

@test "Debian with systemd, made by lxc's hand, boots to running" {
	needs_root "only root unpacks a Debian with its owners here"
	made_image systemd
	system_image systemd >/dev/null
	mkdir -p lxc/deb/rootfs
	holm create --name tree systemd true >/dev/null
	holm export tree | tar -x -C lxc/deb/rootfs
	holm rm tree >/dev/null
	cat >lxc/deb/config <<-E
		lxc.include = /usr/share/lxc/config/common.conf
		lxc.arch = linux64
		lxc.rootfs.path = dir:$PWD/lxc/deb/rootfs
		lxc.uts.name = deb
		lxc.net.0.type = empty
	E
	expect 0 holm import --from lxc "$PWD/lxc"
	# LXC's own defaults are not spoken of
	not output_has warning
	expect 0 holm start deb
	within 30 is_running deb
	expect 0 holm stop deb
	expect 0 holm rm deb
}

@test "ids of an unprivileged container, an overlay as its root" {
	needs_root "only root has files of other users"
	busybox_lxc bb <<-E
		lxc.idmap = u 0 100000 65536
		lxc.idmap = g 0 100000 65536
		lxc.rootfs.path = overlay:$PWD/lxc/bb/rootfs:$PWD/lxc/bb/delta0
		lxc.net.0.type = empty
	E
	echo old >lxc/bb/rootfs/old
	echo gone >lxc/bb/rootfs/gone
	mkdir lxc/bb/delta0
	echo new >lxc/bb/delta0/old
	mknod lxc/bb/delta0/gone c 0 0
	chown -R 100000:100000 lxc/bb/rootfs lxc/bb/delta0
	chown 100007:100008 lxc/bb/delta0/old
	expect 0 holm import --from lxc "$PWD/lxc" bb
	expect 0 holm start bb
	within 10 holm exec bb true
	expect 0 holm exec bb sh -c 'cat /old; stat -c %u:%g /old /bin; ls /gone 2>&1 | wc -l; cat /proc/self/uid_map'
	[[ $output =~ ^$'new\n7:8\n0:0\n1\n'\ +0\ +100000\ +65536$ ]]
	expect 0 holm rm -f bb
}

@test "a loop image" {
	needs_root "an ordinary user has no disk images"
	needs mkfs.ext4
	busybox_lxc bb </dev/null
	truncate -s 20M lxc/bb/rootdev
	mkfs.ext4 -q -d lxc/bb/rootfs lxc/bb/rootdev
	cat >>lxc/bb/config <<-E
		lxc.rootfs.path = loop:$PWD/lxc/bb/rootdev
		lxc.net.0.type = empty
	E
	sha256sum lxc/bb/rootdev >sum
	expect 0 holm import --from lxc "$PWD/lxc" bb
	sha256sum --quiet -c sum
	expect 0 holm start bb
	within 10 holm exec bb true
	expect 0 holm rm -f bb
}

@test "what its configuration says becomes options" {
	mkdir -p lxc/a/rootfs data
	cat >lxc/a/config <<-E
		lxc.rootfs = $PWD/lxc/a/rootfs
		lxc.utsname = "old"
		lxc.network.type = veth
		lxc.network.hwaddr = 02:00:00:00:00:01
		lxc.network.name = net0
		lxc.cap.keep = net_raw chown
		lxc.cgroup2.memory.max = 64M
		lxc.cgroup2.memory.swap.max = 64M
		lxc.cgroup2.cpu.max = 50000 100000
		lxc.cgroup2.cpu.weight = 100
		lxc.cgroup2.pids.max = 50
		lxc.cgroup2.devices.allow = c 10:200 rwm
		lxc.mount.entry = $PWD/data mnt/a\040b none bind,ro,create=dir 0 0
		lxc.mount.entry = tmpfs $PWD/lxc/a/rootfs/scratch tmpfs size=1m 0 0
		lxc.mount.entry = /nowhere srv none bind,optional 0 0
		lxc.limit.nofile = 100:200
		lxc.sysctl.net.ipv4.ip_forward = 1
		lxc.haltsignal = SIGRTMIN+4
		lxc.init.cmd = /sbin/init 'two words'
		lxc.no_new_privs = 1
		lxc.ephemeral = 1
	E
	given lxc
	dry_run lxc "$PWD/lxc"
	has_setting --name=a --hostname=old --network=bridge:mac=02:00:00:00:00:01,interface_name=net0 \
		--cap-drop=ALL --cap-add=net_raw --memory=67108864 --memory-swap=134217728 \
		--cpu-quota=50000 --cpu-period=100000 --cpu-shares=2597 --pids-limit=50 \
		'"--device-cgroup-rule=c 10:200 rwm"' --tmpfs=/scratch:size=1m --ulimit=nofile=100:200 \
		--sysctl=net.ipv4.ip_forward=1 --stop-signal=SIGRTMIN+4 --rm=true \
		--security-opt=no-new-privileges "$PWD/lxc/a/rootfs /sbin/init \"two words\""
	output_has 'target=/mnt/a b'
	not output_has warning
	[ -z "$(holm ps -aq)" ]
}

@test "networks are those of holm that have the same device" {
	needs_root "networks of a user have no devices of the host"
	expect 0 holm network create -o com.docker.network.bridge.name=lxcbr7 --subnet 10.7.0.0/24 lan
	ip link add wire type veth peer name other
	expect 0 holm network create -d macvlan -o parent=wire --subnet 10.8.0.0/24 mac
	mkdir -p lxc/a/rootfs machines/m
	cat >lxc/a/config <<-E
		lxc.rootfs.path = dir:$PWD/lxc/a/rootfs
		lxc.net.0.type = veth
		lxc.net.0.link = lxcbr7
		lxc.net.0.ipv4.address = 10.7.0.9/24
		lxc.net.1.type = macvlan
		lxc.net.1.link = wire
		lxc.net.2.type = veth
		lxc.net.2.link = lxcbr0
		lxc.net.2.ipv4.address = 10.0.3.9/24
		lxc.net.3.type = veth
	E
	dry_run lxc "$PWD/lxc"
	has_setting --network=lan:ip=10.7.0.9 --network=mac --network=bridge
	output_has "the address 10.0.3.9/24 is not taken: lxcbr0 is no bridge"
	output_has "lxc.net.3.type = veth: it is in that network already"
	expect 0 holm import --from lxc "$PWD/lxc"
	expect 0 holm inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}' a
	output_is "bridge lan mac "
	expect 0 holm rm a
	printf '[Network]\nMACVLAN=wire\n' | settings m
	expect 0 holm import --from nspawn --dry-run "$PWD/machines"
	umount /etc/systemd
	has_setting --network=mac
	ip link del wire
	expect 0 holm network rm lan mac
}

@test "what is not taken is said by its name, with file and line" {
	mkdir -p lxc/a/rootfs lxc/a/snaps/snap0
	cat >lxc/a/config <<-E
		lxc.include = $PWD/lxc/more.conf
		lxc.rootfs.path = dir:$PWD/lxc/a/rootfs
		lxc.net.0.type = macvlan
		lxc.net.0.link = eth0
		lxc.seccomp.profile = /etc/lxc/own.seccomp
		lxc.apparmor.profile = unconfined
		lxc.mount.auto = proc:rw
		lxc.mount.entry = /nowhere srv none bind 0 0
		lxc.cgroup2.memory.high = 5
		lxc.idmap = u 0 4294967296 65536
	E
	echo 'lxc.unheard.of = x' >lxc/more.conf
	given lxc
	dry_run lxc "$PWD/lxc"
	for text in "lxc/more.conf:1: lxc.unheard.of = x: holm has no such thing" \
		"a/config:3: lxc.net.0.type = macvlan: make such a network" \
		"a/config:5: lxc.seccomp.profile = /etc/lxc/own.seccomp: holm's own filter" \
		"a/config:6: lxc.apparmor.profile = unconfined: holm's own profile" \
		"a/config:7: lxc.mount.auto = proc:rw" \
		"a/config:8: lxc.mount.entry = /nowhere srv none bind 0 0: its source is not there" \
		"a/config:9: lxc.cgroup2.memory.high = 5: holm has no such limit" \
		"a/config:10: lxc.idmap = u 0 4294967296 65536: not KIND" \
		"snapshots are not taken"; do
		output_has "$text"
	done
	has_setting --network=none
}

@test "what cannot be taken is refused, and nothing is left" {
	mkdir -p lxc/a/rootfs lxc/b/rootfs
	conf() {
		printf '%s\n' "$@" >lxc/a/config
		given lxc
	}
	refused 1 "no container 'x'" holm import --from lxc "$PWD/lxc" x
	conf "lxc.rootfs.path = lvm:/dev/vg/a"
	refused 1 "its root is lvm" holm import --from lxc "$PWD/lxc"
	conf "lxc.rootfs.path = dir:$PWD/lxc/none"
	refused 1 "No such file" holm import --from lxc "$PWD/lxc"
	conf "lxc.uts.name = a"
	refused 1 "no lxc.rootfs.path" holm import --from lxc "$PWD/lxc"
	conf "lxc.rootfs.path = dir:$PWD/lxc/a/rootfs" "nonsense"
	refused 1 "a/config, line 2: 'nonsense' is not KEY = VALUE" holm import --from lxc "$PWD/lxc"
	conf "lxc.include = $PWD/lxc/a/config"
	refused 1 "includes are deeper" holm import --from lxc "$PWD/lxc"
	conf "lxc.rootfs.path = dir:$PWD/lxc/a/rootfs" "lxc.init.uid = 1000"
	refused 1 "line 2: lxc.init.uid = 1000: an init that is not root" holm import --from lxc "$PWD/lxc"
	conf "lxc.rootfs.path = dir:$PWD/lxc/a/rootfs" "lxc.namespace.share.net = web"
	refused 1 "shares a namespace" holm import --from lxc "$PWD/lxc"
	conf "lxc.rootfs.path = dir:$PWD/lxc/a/rootfs" "lxc.cgroup.memory.limit_in_bytes = lots"
	refused 1 "lots" holm import --from lxc "$PWD/lxc"
	refused 1 "does not go with" holm import --from lxc --only images "$PWD/lxc"
	refused 1 "goes with --from lxc" holm import --from docker --dry-run "$PWD/lxc"
	conf "lxc.rootfs.path = dir:$PWD/lxc/a/rootfs" "lxc.hook.pre-start = /bin/sh -c id"
	chmod 666 lxc/a/config
	refused 1 "a/config can be written by others" holm import --from lxc "$PWD/lxc"
	chmod 644 lxc/a/config
	if [ -z "${HOLM_TEST_USER:-}" ]; then
		# a user's, which root is to take
		chown 12345 lxc/a/config
		refused 1 "a/config belongs to user 12345" holm import --from lxc "$PWD/lxc"
		chown 0 lxc/a/config
	fi
	conf "lxc.rootfs.path = dir:$PWD/lxc/a/rootfs" "lxc.cgroup.memory.limit_in_bytes = lots"
	# one that is bad does not keep the others
	printf 'lxc.rootfs.path = %s\nlxc.net.0.type = empty\n' "$PWD/lxc/b/rootfs" >lxc/b/config
	given lxc
	expect 1 holm import --from lxc "$PWD/lxc"
	output_has "holm: import: 1 could not be taken"
	[ "$(holm ps -a --format '{{.Names}}')" = b ]
	refused 1 "the name 'b' is taken" holm import --from lxc "$PWD/lxc" b
	expect 0 holm rm b
}

@test "one that runs is refused" {
	needs python3
	mkdir -p lxc/a/rootfs
	printf 'lxc.rootfs.path = %s\nlxc.net.0.type = empty\n' "$PWD/lxc/a/rootfs" >lxc/a/config
	given lxc
	service python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind("\0" + sys.argv[1])
s.listen()
time.sleep(1000)' "$PWD/lxc/a/command"
	within 5 grep -q "@$PWD/lxc/a/command" /proc/net/unix
	refused 1 "it is running" holm import --from lxc "$PWD/lxc"
	output_has "lxc-stop"
}

@test "an import that is killed leaves no half container" {
	local i
	mkdir -p lxc/a/rootfs
	head -c 4M /dev/urandom >lxc/a/rootfs/noise
	printf 'lxc.rootfs.path = %s\nlxc.net.0.type = empty\n' "$PWD/lxc/a/rootfs" >lxc/a/config
	given lxc
	for ((i = 0; i < 5; i++)); do
		killed_at_random 300 holm import --from lxc "$PWD/lxc"
		[ -z "$(holm ps -aq)" ] || {
			holm export a | tar -xO noise | cmp - lxc/a/rootfs/noise
			holm rm a
		}
	done
	expect 0 holm system prune -f
	expect 0 holm import --from lxc "$PWD/lxc"
	expect 0 holm rm a
	expect 0 holm system prune -f
	[ -z "$(holm images -q --filter dangling=true)" ]
}

# ---- nspawn ----

# Settings of root's, in a /etc/systemd of this test's own.
settings() { # NAME
	mkdir -p etc/nspawn
	grep -q " /etc/systemd " /proc/self/mountinfo || mount --bind "$PWD/etc" /etc/systemd
	cat >"etc/nspawn/$1.nspawn"
}

@test "a machine of nspawn with its settings is imported, and boots" {
	needs_root "machines are root's"
	[ -d /etc/systemd ] || skip "no /etc/systemd here"
	busybox_lxc bb </dev/null
	mkdir -p machines data
	cp -a lxc/bb/rootfs machines/web
	chown -R 131072:131072 machines/web
	settings web <<-E
		[Exec]
		Boot=yes
		Environment=WHO=nspawn "TWO=b c"
		LimitNOFILE=1000:2000
		Hostname=other
		KillSignal=SIGUSR1
		SystemCallFilter=@keyring
		# goes on
		DropCapability=CAP_NET_RAW \\
			CAP_CHOWN
		[Files]
		BindReadOnly=/lib
		BindReadOnly=/usr/lib
		BindReadOnly=/lib64
		BindReadOnly=/usr/lib64
		Bind=$PWD/data:/mnt/a\\:b
		TemporaryFileSystem=/scratch:size=1m
		[Network]
		Private=yes
	E
	expect 0 holm import --from nspawn "$PWD/machines"
	umount /etc/systemd
	output_has "etc/systemd/nspawn/web.nspawn:7: SystemCallFilter=@keyring"
	expect 0 holm start web
	within 10 holm exec web true
	expect 0 holm exec web sh -c 'hostname; stat -c %u /bin; ulimit -n; ls -d /mnt/a:b; grep -c scratch /proc/mounts
		tr "\0" "\n" </proc/1/environ | grep -E "WHO|TWO"; ls /sys/class/net'
	output_is $'other\n0\n1000\n/mnt/a:b\n1\nWHO=nspawn\nTWO=b c\nlo'
	expect 0 holm inspect -f '{{.HostConfig.CapDrop}}' web
	output_has CHOWN
	expect 0 holm stop web
	expect 0 holm rm web
}

@test "settings beside a machine are not root's, and heeded as little as nspawn heeds them" {
	mkdir -p machines/web/etc
	printf '[Exec]\nHostname=x\nCapability=all\nEnvironment=A=b HOME\n[Files]\nBind=/etc\n[Network]\nPrivate=no\n' >machines/web.nspawn
	given machines
	dry_run nspawn "$PWD/machines"
	has_setting --hostname=x --network=bridge --env=A=b
	output_has "web.nspawn:4: Environment=A=b HOME: not KEY=VALUE"
	not output_has "--env=HOME"
	output_has "web.nspawn:3: Capability=all: the file is not one of root's"
	output_has "Bind=/etc: the file"
	not output_has "--mount"
	not output_has "host "
	printf '[Exec]\nBoot=no\nParameters=sh -c "echo a"\n' >machines/web.nspawn
	dry_run nspawn "$PWD/machines"
	not output_has --system
	# root in there is not the host's, either
	[ -n "${HOLM_TEST_USER:-}" ] || has_setting --userns=auto
	has_setting 'sh -c "echo a"'
	printf 'Boot=no\n' >machines/web.nspawn
	refused 1 "web.nspawn: line 1: 'Boot=no' is in no section" holm import --from nspawn "$PWD/machines"
	expect 0 flock machines/.#web.lck sh -c '! holm import --from nspawn '"$PWD"'/machines 2>err; grep "it is running" err'
}

@test "a machine that is a disk image" {
	needs_root "an ordinary user has no disk images"
	needs mkfs.ext4
	mkdir -p machines tree/etc
	echo here >tree/etc/mark
	truncate -s 20M machines/disk.raw
	mkfs.ext4 -q -d tree machines/disk.raw
	expect 0 holm import --from nspawn "$PWD/machines" disk
	expect 0 holm cp disk:/etc/mark -
	[ "$(holm cp disk:/etc/mark - | tar -xO)" = here ]
	expect 0 holm rm disk
}
