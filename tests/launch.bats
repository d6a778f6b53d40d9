#!/usr/bin/env bats
# Whole systems: booted, rebooted, stopped, from inside and from outside.
load holm
load networks
load systems

setup() {
	systems_setup
}

teardown() {
	systems_teardown
}

# What tests below have in common: Debian with systemd, without a network.
debian() { # NAME [OPTION...]
	local name=$1
	shift
	[[ "$*" == *--network* ]] || set -- --network none "$@"
	holm launch "$@" "$(system_image systemd)" "$name"
}

@test "Debian with systemd boots to running, with ids of its own" {
	made_image systemd
	expect 0 debian deb
	output_is deb
	is_running deb
	expect 0 holm exec deb cat /proc/self/uid_map
	[ -n "${HOLM_TEST_USER:-}" ] || [[ $output =~ ^\ +0\ +1[0-9]+\ +65536$ ]]
	expect 0 holm exec deb sh -c 'hostname; cat /etc/hostname'
	output_is $'deb\ndeb'
}

@test "it boots as the host's root, too, where that is asked for" {
	needs_root "a container of a user is never the host's root"
	made_image systemd
	debian deb --userns host
	is_running deb
	expect 0 holm exec deb cat /proc/self/uid_map
	[[ $output =~ ^\ +0\ +0\  ]]
}

@test "its init finds what systemd's interface promises" {
	made_image systemd
	debian deb -e ASKED=for
	expect 0 holm exec deb sh -c "tr '\\0' '\\n' </proc/1/environ"
	output_has container=holm
	output_has ASKED=for
	output_has NOTIFY_SOCKET=/run/host/notify
	uuid=$(sed -n 's/^container_uuid=//p' <<<"$output")
	expect 0 holm exec deb cat /run/host/container-manager /run/host/container-uuid
	output_is "holm"$'\n'"$uuid"
	[ "$(machine_id deb)" = "${uuid//-/}" ]
	expect 0 holm exec deb systemd-detect-virt --container
	expect 0 holm exec deb stat -f -c %T /sys/fs/cgroup /run /tmp /run/lock
	output_is $'cgroup2fs\ntmpfs\ntmpfs\ntmpfs'
	expect 0 holm exec deb sh -c 'readlink /proc/1/exe; cat /proc/1/cgroup | grep ^0:'
	output_has 0::/init.scope
	# the host's boot has another id, and that of the next boot here is another
	expect 0 holm exec deb cat /proc/sys/kernel/random/boot_id
	[ "$output" != "$(cat /proc/sys/kernel/random/boot_id)" ]
}

@test "what is the host's cannot be written from inside" {
	made_image systemd
	debian deb --userns host
	for file in /proc/sys/kernel/panic /sys/kernel/mm/ksm/run /proc/sysrq-trigger /run/host/x; do
		not holm exec deb sh -c "echo 0 >$file"
	done
	expect 0 holm exec deb sh -c 'mknod /root/disk b 254 0 && cat /root/disk || echo no'
	output_has no
	expect 0 holm exec deb sh -c 'dmesg >/dev/null 2>&1 || echo no'
	output_is no
	expect 0 holm exec deb sh -c 'date -s 2020-01-01 >/dev/null 2>&1 || echo no'
	output_is no
	# its own network is its own
	holm exec deb sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	# nor what is another's, by whatever name it has its network
	for network in host ${HOLM_TEST_USER:-"ns:/proc/$$/ns/net"}; do
		[ "$network" != 1 ] || continue # ns: is another's
		holm launch --userns host --network "$network" busybox guest >/dev/null
		expect 1 holm exec guest sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
		output_has "Read-only file system"
		holm rm -f guest >/dev/null
	done
}

@test "stop asks its init, and what it had to say is in the log" {
	made_image systemd
	debian deb
	expect 0 holm stop deb
	[ "$(status_of deb)" = "exited 0" ]
	said deb "Reached target"
	expect 0 holm start deb
	within 60 is_running deb
	expect 0 holm restart deb
	within 60 is_running deb
}

@test "poweroff inside stops it, whatever the restart policy" {
	made_image systemd
	debian deb --restart always
	expect 0 holm exec deb poweroff
	within 60 test "$(holm wait deb)" = 0
	[ "$(status_of deb)" = "exited 0" ]
}

@test "reboot inside and outside boots it again, with its address" {
	needs nft
	made_image systemd
	debian deb --network bridge
	address=$(holm inspect --format '{{.NetworkSettings.Networks.bridge.IPAddress}}' deb)
	boot=$(holm exec deb cat /proc/sys/kernel/random/boot_id)
	net=$(holm exec deb readlink /proc/self/ns/net)
	started=$(holm inspect --format '{{.State.StartedAt}}' deb)
	expect 0 holm reboot deb
	is_running deb
	[ "$(holm exec deb readlink /proc/self/ns/net)" = "$net" ]
	[ "$(holm exec deb cat /proc/sys/kernel/random/boot_id)" != "$boot" ]
	[ "$(holm inspect --format '{{.State.StartedAt}}' deb)" != "$started" ]
	started=$(holm inspect --format '{{.State.StartedAt}}' deb)
	id=$(machine_id deb)
	holm exec -d deb reboot
	within 60 rebooted deb "$started"
	within 60 is_running deb
	[ "$(machine_id deb)" = "$id" ]
	holm exec deb ip -o address show | grep -qF " $address/"
	[ "$(holm inspect --format '{{.RestartCount}}' deb)" = 0 ]
	holm rm -f deb
	within 10 not has_veth
	[ -n "${HOLM_TEST_USER:-}" ] || {
		ip link delete holm0
		nft delete table inet holm
	}
}

@test "an application is not rebooted" {
	holm run -d --name app busybox sleep 1000
	started=$(holm inspect --format '{{.State.StartedAt}}' app)
	refused 1 "it is no system that could reboot" timeout 20 "$(command -v holm)" reboot app
	[ "$(holm inspect --format '{{.State.StartedAt}}' app)" = "$started" ]
}

rebooted() { # NAME STARTED
	[ "$(holm inspect --format '{{.State.Status}} {{.State.StartedAt}}' "$1")" != "running $2" ]
}

@test "ten at once have names and machine-ids of their own" {
	made_image systemd
	system_image systemd
	for n in $(seq 10); do
		holm launch --network none systemd "d$n" >"$BATS_TEST_TMPDIR/$n" 2>&1 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	ids=$(for n in $(seq 10); do machine_id "d$n"; done)
	[ "$(sort -u <<<"$ids" | wc -l)" = 10 ]
	names=$(for n in $(seq 10); do holm exec "d$n" hostname; done)
	[ "$names" = "$(printf 'd%s\n' $(seq 10))" ]
	holm rm -f $(seq -f d%g 10)
}

@test "keys of ssh that an image brings are made anew" {
	made_image systemd
	id=$(holm create "$(system_image systemd)")
	mkdir -p etc/ssh etc/systemd/system usr/bin
	printf '[Service]\nType=oneshot\nExecStart=/bin/cat /etc/ssh/ssh_host_x_key\n' \
		>etc/systemd/system/ssh.service
	printf '#!/bin/sh\necho new >/etc/ssh/ssh_host_x_key\n' >usr/bin/ssh-keygen
	chmod +x usr/bin/ssh-keygen
	echo secret >etc/ssh/ssh_host_ed25519_key
	echo kept >etc/ssh/sshd_config
	echo 0123456789abcdef0123456789abcdef >etc/machine-id
	holm cp etc "$id:/"
	holm cp usr "$id:/"
	holm commit "$id" withkeys >/dev/null
	holm rm "$id"
	holm launch --network none withkeys deb
	expect 0 holm exec deb ls /etc/ssh
	output_is sshd_config
	[ "$(machine_id deb)" != 0123456789abcdef0123456789abcdef ]
	holm exec deb systemctl start ssh.service
	expect 0 holm exec deb cat /etc/ssh/ssh_host_x_key
	output_is new
}

@test "sysvinit halts and reboots as it wants to be asked" {
	made_image sysvinit
	expect 0 holm launch --network none "$(system_image sysvinit)" sys
	expect 0 holm exec sys cat /proc/1/comm
	output_is init
	started=$(holm inspect --format '{{.State.StartedAt}}' sys)
	expect 0 holm reboot sys
	rebooted sys "$started"
	expect 0 holm stop sys
	[ "$(status_of sys)" = "exited 0" ]
}

has_status() { # NAME STATUS
	[ "$(status_of "$1")" = "$2" ]
}

said_times() { # NAME TEXT TIMES
	[ "$(holm logs "$1" 2>&1 | grep -cF "$2")" -ge "$3" ]
}

# Booted, rebooted, stopped, all by itself and in less than the minute after which it would be killed.
halts_and_reboots() { # IMAGE COMM SAID [INIT]
	made_image "$1"
	expect 0 holm launch --network none "$(system_image "$1")" sys ${4:+"$4"}
	expect 0 holm exec sys cat /proc/1/comm
	output_is "$2"
	within 20 said_times sys "$3" 1
	started=$(holm inspect --format '{{.State.StartedAt}}' sys)
	expect 0 holm reboot sys
	rebooted sys "$started"
	within 20 said_times sys "$3" 2
	expect 0 holm stop sys
	[ "$(status_of sys)" = "exited 0" ]
	# and from inside
	holm start sys
	within 20 said_times sys "$3" 3
	holm exec -d sys "${@:5}"
	within 30 has_status sys "exited 0"
}

@test "OpenRC halts and reboots as it wants to be asked" {
	halts_and_reboots openrc openrc-init "Starting default runlevel" /sbin/openrc-init openrc-shutdown --poweroff now
}

@test "runit halts and reboots as it wants to be asked" {
	halts_and_reboots runit runit "runit: enter stage: /etc/runit/2" "" init 0
}

@test "busybox halts and reboots as it wants to be asked" {
	expect 0 holm launch --network none busybox bb
	expect 0 holm exec bb cat /proc/1/comm
	output_is init
	started=$(holm inspect --format '{{.State.StartedAt}}' bb)
	expect 0 holm reboot bb
	rebooted bb "$started"
	expect 0 holm stop bb
	[ "$(status_of bb)" = "exited 0" ]
}

@test "an init that ends at once is a failure, with the last it said" {
	mkdir -p root/sbin root/bin
	cp /bin/busybox root/bin/sh
	printf '#!/bin/sh\necho out of luck\nexit 3\n' >root/sbin/init
	chmod +x root/sbin/init
	expect 1 holm launch --network none "dir:$PWD/root" dies
	output_has "its init ended before it was ready, with exit code 3"
	output_has "out of luck"
	[ "$(status_of dies)" = "exited 3" ]
}

@test "a root filesystem without an init is refused" {
	mkdir -p root/bin
	cp /bin/busybox root/bin/sh
	refused 127 "there is no init to boot" holm launch --network none "dir:$PWD/root" none
	output_has "holm run"
	holm rm none
}

@test "an init for another processor is refused, and says why" {
	mkdir -p root/sbin
	# the head of an ELF file for s390
	printf '\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\2\0\26\0\0\0\1' >root/sbin/init
	head -c 100 /dev/zero >>root/sbin/init
	chmod +x root/sbin/init
	refused 126 "exec format error" holm launch --network none "dir:$PWD/root" other
	output_has "binfmt"
	holm rm other
}

@test "a /proc that is a symbolic link is refused" {
	mkdir -p root/sbin root/elsewhere
	cp /bin/busybox root/sbin/init
	ln -s elsewhere root/proc
	expect 1 holm launch --network none --userns host "dir:$PWD/root" link
	output_has /proc
	[ ! -e root/elsewhere/self ]
	holm rm link
}

@test "what contradicts itself is refused before anything is made" {
	refused 1 "--system and --pid host" holm create --system --pid host busybox
	refused 1 "--system and --init" holm create --system --init busybox
	refused 1 "--system and --user" holm create --system --user nobody busybox
	refused 125 "--systemd" holm create --systemd maybe busybox
	refused 1 "two names" holm launch --name one busybox two
	expect 0 holm ps -aq
	output_is ""
}

@test "podman's --systemd" {
	holm create --name a --systemd always busybox >/dev/null
	holm create --name t --systemd true busybox /sbin/init >/dev/null
	holm create --name f --systemd false busybox /sbin/init >/dev/null
	holm create --name s --systemd true busybox sh >/dev/null
	expect 0 holm ps -a --format '{{.Names}}' --filter kind=system
	output_is $'t\na'
	holm rm a t f s
}

# A root filesystem in a folder: busybox, whose init starts nothing.
busybox_root() { # FOLDER
	mkdir -p "$1"/{bin,sbin,etc,proc,sys,dev,run,tmp,root}
	cp /bin/busybox "$1/bin/"
	ln -s ../bin/busybox "$1/sbin/init"
	ln -s busybox "$1/bin/sh"
	ln -s busybox "$1/bin/touch"
	echo root:x:0:0::/root:/bin/sh >"$1/etc/passwd"
	echo 0123456789abcdef0123456789abcdef >"$1/etc/machine-id"
}

@test "a folder is booted in place, by one at a time" {
	busybox_root root
	given root
	holm launch --network none "dir:$PWD/root" one
	holm exec one touch /root/written
	[ "$(stat -c %u root/root/written)" = "$(stat -c %u root)" ]
	[ "$(cat root/etc/machine-id)" = 0123456789abcdef0123456789abcdef ]
	refused 1 "is booted already" holm launch --network none "dir:$PWD/root" two
	holm rm two
	holm stop one
	holm launch --network none "dir:$PWD/root" two
	[ -e root/root/written ]
	# and beside it, without leaving a trace there
	holm launch --ephemeral --network none "dir:$PWD/root" three
	holm exec three touch /root/gone
	[ ! -e root/root/gone ]
	holm stop three
	within 5 not holm inspect three
	[ ! -e root/root/gone ]
	[ -e root/root/written ]
}

@test "cloud-init finds what it is to do" {
	printf '#cloud-config\npassword: sesame\n' >data
	holm launch --network none --user-data data busybox bb
	expect 0 holm exec bb cat /var/lib/cloud/seed/nocloud/user-data
	output_is "$(cat data)"
	expect 0 holm exec bb cat /var/lib/cloud/seed/nocloud/meta-data
	output_has "local-hostname: bb"
	expect 0 holm exec bb stat -c '%a %u' /var/lib/cloud/seed/nocloud/user-data
	output_is "400 0"
	refused 1 "--user-data is for systems" holm create --user-data data busybox
	refused 1 "--user-data nothing" holm create --system --user-data nothing busybox
	head -c 100 /dev/urandom >noise
	refused 1 "not text" holm create --system --user-data noise busybox
}
