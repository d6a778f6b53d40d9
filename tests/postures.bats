#!/usr/bin/env bats
# Postures, switches and immutable roots: what each allows and refuses, tried from inside.
load holm
load networks
load systems

setup() {
	systems_setup
}

teardown() {
	systems_teardown
}

in_posture() { # POSTURE COMMAND
	holm run --rm --posture "$1" busybox sh -c "$2"
}

@test "hardened: no capability, ids of its own, nothing to write but /tmp and /run" {
	expect 0 in_posture hardened 'grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status'
	[[ ${lines[0]} =~ 0000000000000000 && ${lines[1]} =~ 0000000000000000 ]]
	[[ ${lines[2]} =~ 1$ ]]
	expect 0 in_posture hardened 'cat /proc/self/uid_map'
	[[ $output =~ ^\ +0\ +[1-9][0-9]*\ + ]]
	expect 0 in_posture hardened 'for d in / /etc /root /var; do touch $d/x 2>/dev/null && echo "wrote $d"; done; touch /tmp/x /run/x && echo ok'
	output_is ok
	expect 0 in_posture hardened 'chown 1:1 /tmp 2>/dev/null || echo no'
	output_is no
	expect 0 holm run -d --name hard --posture hardened busybox sleep 1000
	expect 0 holm inspect --explain hard
	output_has "hardened"
	# what is said beside it counts more
	expect 0 holm run --rm --posture hardened --pids-limit 99 --userns host busybox cat /proc/self/uid_map
	[ "$(tr -s ' ' <<<"$output")" = "$(holm run --rm busybox cat /proc/self/uid_map | tr -s ' ')" ]
}

@test "chroot: a tree of its own, all else the host's; container: as if nothing was said" {
	expect 0 in_posture chroot 'readlink /proc/self/ns/pid; readlink /proc/self/ns/net; readlink /proc/self/ns/uts; ls /'
	[ "${lines[0]}" = "$(readlink /proc/self/ns/pid)" ]
	[ "${lines[1]}" = "$(readlink /proc/self/ns/net)" ]
	[ "${lines[2]}" = "$(readlink /proc/self/ns/uts)" ]
	output_has bin
	# and no way out by the filter, or by rights
	expect 0 in_posture chroot 'mount -t tmpfs x /tmp 2>/dev/null || echo no'
	output_is no
	expect 0 in_posture container 'readlink /proc/self/ns/pid'
	[ "$output" != "$(readlink /proc/self/ns/pid)" ]
	expect 125 holm run --posture loose busybox true
}

@test "system: boots the init of the image" {
	expect 0 holm create --name sys --posture system busybox
	expect 0 holm inspect sys --format '{{.Config.Cmd}}'
	output_has /sbin/init
}

@test "switches: what is denied fails inside, what is allowed works" {
	expect 0 holm run --rm --network none --allow raw_sockets busybox sh -c 'ping -c 1 127.0.0.1 >/dev/null && echo yes'
	output_is yes
	run holm run --rm --network none --sysctl net.ipv4.ping_group_range='1 0' busybox sh -c 'ping -c 1 127.0.0.1 >/dev/null 2>&1 || echo no'
	output_is no
	made_image systemd
	image=$(system_image systemd)
	holm launch --network none --deny set_hostname --deny mount "$image" deb >/dev/null || true
	expect 0 holm exec deb sh -c 'hostname other 2>/dev/null || echo no; mount -t tmpfs x /mnt 2>/dev/null || echo no'
	output_is $'no\nno'
	expect 0 holm run --rm --deny sysvipc "$image" sh -c 'ipcmk -Q 2>&1 || echo no'
	output_has no
	expect 0 holm run --rm "$image" sh -c 'ipcmk -Q'
	output_has "id:"
	expect 0 holm run --rm --deny reserved_ports --deny chroot "$image" sh -c 'chroot / true 2>/dev/null || echo no'
	output_is no
	holm create --name shown --deny ptrace busybox >/dev/null
	expect 0 holm inspect --explain shown
	output_has "--deny ptrace"
}

@test "switches that are none, or contradict, are refused" {
	refused 125 "not one of" holm run --rm --deny set_hostnam busybox true
	output_has "did you mean set_hostname?"
	refused 125 "no switch for it" holm run --rm --allow mount busybox true
	refused 125 "both name raw_sockets" holm run --rm --allow raw_sockets --deny raw_sockets busybox true
	refused 125 "--deny needs holm's own seccomp profile" \
		holm run --rm --deny mount --security-opt seccomp=unconfined busybox true
}

@test "immutable roots: strict, fixed and flexible, tried from inside" {
	made_image systemd
	image=$(system_image systemd)
	try='for d in / /usr /etc /var /root /home /tmp; do touch $d/.x 2>/dev/null && echo $d; done; true'
	expect 0 holm run --rm --immutable strict "$image" sh -c "$try"
	output_is ""
	expect 0 holm run --rm --immutable fixed "$image" sh -c "$try"
	output_is $'/var\n/tmp'
	expect 0 holm run --rm --immutable flexible "$image" sh -c "$try"
	output_is $'/etc\n/var\n/root\n/home\n/tmp'
	# what was written stays, and what holm mounts there is still there
	expect 0 holm run --name box --immutable flexible --hostname its-own "$image" sh -c 'echo kept >/var/x; cat /etc/hostname'
	output_is its-own
	expect 0 holm start -a box
	expect 0 holm cp box:/var/x -
}

@test "immutable roots: a root that may mount cannot make it writable in a user namespace of its own" {
	needs_root "in its user namespace a user has every right"
	made_image systemd
	image=$(system_image systemd)
	expect 0 holm launch --network none --immutable fixed "$image" deb
	expect 0 holm exec deb sh -c 'mount -o remount,rw / 2>/dev/null; touch /usr/.x 2>/dev/null || echo no'
	output_is no
	expect 0 holm exec deb cat /etc/machine-id
	[ "$output" != "$(holm run --rm "$image" cat /etc/machine-id)" ]
}
