#!/usr/bin/env bats
# The runtime by itself: namespaces, mounts, processes of a bundle, as runtime-spec v1.3 describes them.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
}

KINDS="cgroup ipc mnt net pid uts"

namespaces() { # PID
	local kind
	for kind in $KINDS user time; do
		readlink "/proc/$1/ns/$kind"
	done
}

# A process that sleeps in new namespaces of these kinds, with ids mapped if asked for; its pid is
# $NEIGHBOUR.
neighbour_start() { # UNSHARE OPTION...
	service unshare --kill-child --fork "$@" sleep 60
	within 5 neighbour_runs "${SERVICES[-1]}"
	NEIGHBOUR=$(pgrep -P "${SERVICES[-1]}")
}

neighbour_runs() { # PARENT
	[ "$(cat "/proc/$(pgrep -P "$1")/comm")" = sleep ]
}

@test "every namespace that is asked for is new" {
	local kind
	bundle_edit '.linux.namespaces += [{ type: "time" }, { type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	chown 100000:100000 "$ROOTFS"
	expect 0 bundle sh -c 'for k in cgroup ipc mnt net pid uts user time; do readlink /proc/self/ns/$k; done'
	for kind in $KINDS user time; do
		[[ $output == *"$kind:["* && $output != *"$(readlink "/proc/self/ns/$kind")"* ]]
	done
}

@test "a namespace that is not named is the host's" {
	bundle_edit '.linux.namespaces = [{ type: "mount" }] | del(.hostname)
		| .mounts |= map(select(.destination != "/sys/fs/cgroup"))'
	expect 0 bundle sh -c 'for k in cgroup ipc net pid uts user time; do readlink /proc/self/ns/$k; done'
	[ "$output" = "$(for k in cgroup ipc net pid uts user time; do readlink "/proc/self/ns/$k"; done)" ]
}

@test "namespaces are joined by their paths, and /proc shows the processes there" {
	neighbour_start --pid --net --ipc --uts
	bundle_edit 'del(.hostname) | .linux.namespaces |= map(
		if .type == "network" then .path = $p + "net"
		elif .type == "pid" or .type == "ipc" or .type == "uts" then .path = $p + .type else . end)' \
		--arg p "/proc/$NEIGHBOUR/ns/"
	expect 0 bundle sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid; cat /proc/1/comm; ps | grep -c "sleep 60"; exit 0'
	[ "${lines[0]}" = "$(readlink "/proc/$NEIGHBOUR/ns/net")" ]
	[ "${lines[1]}" = "$(readlink "/proc/$NEIGHBOUR/ns/pid")" ]
	[ "${lines[2]}" = sleep ]
	expect 9 bundle sh -c 'exit 9'
	bundle_refused 127 "not found" bundle nowhere
	expect 0 bundle_exec readlink /proc/self/ns/pid
	output_is "$(readlink "/proc/$NEIGHBOUR/ns/pid")"
	kill -KILL "$NEIGHBOUR" # unshare itself takes no SIGTERM
}

@test "a path that is no namespace of that kind is refused" {
	bundle_edit '.linux.namespaces |= map(if .type == "ipc" then .path = "/proc/self/ns/net" else . end)'
	bundle_refused 125 "/proc/self/ns/net is not a ipc namespace" bundle true
	bundle_edit '.linux.namespaces |= map(if .type == "ipc" then .path = "/etc/passwd" else . end)'
	bundle_refused 125 "/etc/passwd is not a ipc namespace" bundle true
	bundle_edit '.linux.namespaces = [{ type: "mount" }, { type: "mount" }]'
	bundle_refused 125 "there twice" bundle true
}

@test "a user namespace maps ids and has devices from the host" {
	bundle_edit '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$ROOTFS"
	expect 0 bundle sh -c 'tr -s " " </proc/self/uid_map; head -c 3 /dev/zero | wc -c; echo x >/dev/null; touch /made; stat -c %u /made'
	[ "${lines[0]}" = " 0 100000 65536" ]
	[ "${lines[1]}" = 3 ]
	[ "${lines[2]}" = 0 ]
	[ "$(stat -c %u "$ROOTFS/made")" = 100000 ]
	expect 0 bundle_exec sh -c 'id -u; grep CapEff /proc/self/status'
	[ "${lines[0]}" = 0 ]
}

@test "both clocks of a time namespace are set off, and exec sees the same" {
	bundle_edit '.linux.namespaces += [{ type: "time" }]
		| .linux.timeOffsets = { boottime: { secs: 864000000 }, monotonic: { secs: -5, nanosecs: 999999999 } }'
	local try='cut -d. -f1 /proc/uptime; tr -s " \t" " " </proc/self/timens_offsets; readlink /proc/self/ns/time'
	expect 0 bundle sh -c "$try"
	[ "${lines[0]}" -gt 864000000 ]
	[ "${lines[1]}" = "monotonic -5 999999999" ]
	[ "${lines[2]}" = "boottime 864000000 0" ]
	[ "${lines[3]}" != "$(readlink /proc/self/ns/time)" ]
	expect 0 bundle_exec sh -c "$try; readlink /proc/1/ns/time"
	[ "${lines[0]}" -gt 864000000 ]
	[ "${lines[1]}" = "monotonic -5 999999999" ]
	[ "${lines[3]}" = "${lines[4]}" ]
}

@test "a time namespace is joined by its path, with the offsets that it has" {
	neighbour_start --time --boottime 1000000
	bundle_edit '.linux.namespaces += [{ type: "time", path: $p }]' --arg p "/proc/$NEIGHBOUR/ns/time"
	expect 0 bundle sh -c 'tail -n 1 /proc/self/timens_offsets | tr -s " " " "; readlink /proc/self/ns/time'
	[ "${lines[0]}" = "boottime 1000000 0" ]
	[ "${lines[1]}" = "$(readlink "/proc/$NEIGHBOUR/ns/time")" ]
	bundle_edit '.linux.timeOffsets = { boottime: { secs: 1 } }'
	bundle_refused 125 "linux.timeOffsets without a new time namespace" bundle true
	kill -KILL "$NEIGHBOUR" # unshare itself takes no SIGTERM
}

@test "offsets that no clock can have are refused" {
	bundle_edit '.linux.timeOffsets = { boottime: { secs: 1 } }'
	bundle_refused 125 "linux.timeOffsets without a new time namespace" bundle true
	bundle_edit '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets = { realtime: { secs: 1 } }'
	bundle_refused 125 "linux.timeOffsets 'realtime' is unknown" bundle true
	bundle_edit '.linux.timeOffsets = { monotonic: { secs: 1, nanosecs: 1000000000 } }'
	bundle_refused 125 "linux.timeOffsets.monotonic.nanosecs 1000000000 is not below a second" bundle true
	bundle_edit '.linux.timeOffsets = { boottime: { secs: -999999999999 } }'
	bundle_refused 125 "linux.timeOffsets: " bundle true
	output_has "no clock can go below zero"
}

@test "bind mounts have the flags asked for, for one mount or all below it" {
	local source=$BATS_TEST_TMPDIR/source
	mkdir -p "$source/below"
	mount -t tmpfs inner "$source/below"
	touch "$source/below/file" "$source/file"
	bundle_edit '.mounts += [
		{ destination: "/one", type: "bind", source: $s, options: ["rbind", "ro"] },
		{ destination: "/all", type: "bind", source: $s, options: ["rbind", "rro"] },
		{ destination: "/alone", type: "bind", source: $s, options: ["bind", "nosuid", "nodev", "noexec"] },
		{ destination: "/deep/er/file", type: "bind", source: ($s + "/file"), options: ["bind"] }]' \
		--arg s "$source"
	expect 0 bundle sh -c 'touch /one/x 2>/dev/null || echo one; touch /one/below/x && echo below
		touch /all/below/x 2>/dev/null || echo all; ls /alone/below; echo written >/deep/er/file; grep " /alone " /proc/self/mountinfo'
	umount "$source/below"
	[ "${lines[0]} ${lines[1]} ${lines[2]}" = "one below all" ]
	[[ ${lines[3]} == *nosuid,nodev,noexec* ]]
	[ "$(cat "$source/file")" = written ]
	bundle_edit '.mounts += [{ destination: "/x", type: "bind", source: "/etc", options: ["bind", "nonsense"] }]'
	bundle_refused 125 "mount /x: option nonsense means nothing to a bind mount" bundle true
}

@test "a mount that cannot be made is named, with the kernel's reason" {
	bundle_edit '.mounts += [{ destination: "/a", type: "bind", source: "/does/not/exist", options: ["bind"] }]'
	bundle_refused 125 "mount /a: source /does/not/exist: No such file or directory" bundle true
	bundle_edit '.mounts[-1] = { destination: "/b", type: "nofs", source: "x" }'
	bundle_refused 125 "mount /b: this kernel has no filesystem nofs" bundle true
	bundle_edit '.mounts[-1] = { destination: "/c", type: "tmpfs", source: "x", options: ["size=much"] }'
	bundle_refused 125 "mount /c: " bundle true
	bundle_edit '.mounts[-1] = { destination: "/", type: "tmpfs", source: "x" }'
	bundle_refused 125 "the root itself is no place for a mount" bundle true
}

@test "an empty volume gets what the image has there, once" {
	local volume=$BATS_TEST_TMPDIR/volume
	mkdir -p "$ROOTFS/data/sub" "$volume"
	echo one >"$ROOTFS/data/a"
	ln "$ROOTFS/data/a" "$ROOTFS/data/sub/b"
	ln -s /etc/passwd "$ROOTFS/data/link"
	mkfifo "$ROOTFS/data/fifo"
	chmod 4751 "$ROOTFS/data/a"
	touch -d @1000000 "$ROOTFS/data/a"
	chown 1000:44 "$ROOTFS/data"
	chmod 2750 "$ROOTFS/data"
	bundle_edit '.mounts += [{ destination: "/data", type: "bind", source: $v, options: ["rbind", "copyup", "ro"] }]' \
		--arg v "$volume"
	expect 0 bundle sh -c 'touch /data/x 2>/dev/null || echo read-only'
	output_is read-only
	[ "$(stat -c '%u:%g %a' "$volume")" = "1000:44 2750" ]
	[ "$(stat -c '%h %a %Y' "$volume/a")" = "2 4751 1000000" ]
	[ "$volume/a" -ef "$volume/sub/b" ]
	[ "$(readlink "$volume/link")" = /etc/passwd ]
	[ -p "$volume/fifo" ]
	echo two >"$ROOTFS/data/later"
	expect 0 bundle true
	[ ! -e "$volume/later" ]
}

@test "a tmpfs can begin with what the image has there" {
	mkdir "$ROOTFS/cache"
	echo kept >"$ROOTFS/cache/file"
	bundle_edit '.mounts += [{ destination: "/cache", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] }]'
	expect 0 bundle sh -c 'cat /cache/file; rm /cache/file; stat -f -c %T /cache'
	output_is $'kept\ntmpfs'
	[ "$(cat "$ROOTFS/cache/file")" = kept ]
}

@test "files of a mount show other owners by its own map" {
	mkdir "$BATS_TEST_TMPDIR/owned"
	touch "$BATS_TEST_TMPDIR/owned/file"
	bundle_edit '.mounts += [{ destination: "/m", type: "bind", source: $s, options: ["bind"],
		uidMappings: [{ containerID: 0, hostID: 5000, size: 10 }], gidMappings: [{ containerID: 0, hostID: 6000, size: 10 }] }]' \
		--arg s "$BATS_TEST_TMPDIR/owned"
	run bundle stat -c %u:%g /m/file
	[[ $output != *"map ids of the mount"* ]] || skip "no idmapped mounts on this filesystem"
	output_is 5000:6000
	[ "$(stat -c %u "$BATS_TEST_TMPDIR/owned/file")" = 0 ]
}

@test "a file is mounted through a link that leads nowhere yet" {
	ln -s ../run/resolve/stub.conf "$ROOTFS/etc/resolv.conf"
	echo nameserver 192.0.2.1 >"$BATS_TEST_TMPDIR/resolv"
	bundle_edit '.mounts += [{ destination: "/etc/resolv.conf", type: "bind", source: $s, options: ["bind", "ro"] }]' \
		--arg s "$BATS_TEST_TMPDIR/resolv"
	expect 0 bundle cat /etc/resolv.conf /run/resolve/stub.conf
	output_is $'nameserver 192.0.2.1\nnameserver 192.0.2.1'
}

@test "a read-only root is read-only, what is mounted in it is not" {
	bundle_edit '.root.readonly = true'
	expect 0 bundle sh -c 'touch /x 2>/dev/null || echo no; touch /dev/shm/x && echo yes'
	output_is $'no\nyes'
}

@test "masked paths are empty, read-only ones cannot be written" {
	mkdir "$ROOTFS/secret"
	echo secret | tee "$ROOTFS/secret/file" >"$ROOTFS/key"
	bundle_edit '.linux.maskedPaths += ["/secret", "/key", "/not/there"] | .linux.readonlyPaths += ["/tmp", "/not/there"]'
	expect 0 bundle sh -c 'ls /secret; cat /key; echo x >/key; cat /proc/keys; touch /secret/x /tmp/x 2>/dev/null || echo refused
		echo 1 >/proc/sys/kernel/domainname 2>/dev/null || echo refused'
	output_is $'refused\nrefused'
	[ "$(cat "$ROOTFS/key")" = secret ]
}

@test "a terminal is the container's own, /dev/console is it, its size is as asked" {
	bundle_edit '.process.terminal = true | .process.consoleSize = { height: 33, width: 77 } | .process.user.username = "app"'
	expect 0 bundle sh -c 'tty; stty size; [ -w /dev/tty ] && [ /dev/console -ef /dev/pts/0 ] || stat -c %t:%T /dev/console; stat -c %u /dev/pts/0'
	[ "${lines[0]}" = $'/dev/pts/0\r' ]
	[ "${lines[1]}" = $'33 77\r' ]
	[ "${lines[-1]}" = $'1000\r' ]
	expect 0 bundle_exec tty
	output_is $'/dev/pts/1\r'
}

@test "a command that is not there is 127, one that cannot run is 126, with words" {
	local init=$HOLM_LIBEXEC/holm-init
	printf '#!/no/interpreter\n' >"$ROOTFS/bin/script"
	echo text >"$ROOTFS/bin/text"
	chmod 755 "$ROOTFS/bin/script" "$ROOTFS/bin/text"
	: >"$ROOTFS/bin/plain"
	local with
	for with in false true; do
		bundle_edit '.annotations["org.holm.init"] = $w' --arg w $with
		# shellcheck disable=SC2034 # for bundle.bash
		BUNDLE_OPTIONS="-i $init"
		bundle_refused 127 'exec: "nowhere": executable file not found in $PATH' bundle nowhere
		bundle_refused 127 'exec: "/no/where": no such file or directory' bundle /no/where
		bundle_refused 127 'its interpreter or loader is not' bundle script
		bundle_refused 126 'exec: "text": exec format error' bundle text
		bundle_refused 126 'exec: "/bin/plain": permission denied' bundle /bin/plain
		bundle_refused 126 'exec: "plain": permission denied' bundle plain
		bundle_refused 126 'exec: "/etc": is a directory: permission denied' bundle /etc
	done
	unset BUNDLE_OPTIONS
	bundle_edit 'del(.annotations["org.holm.init"])'
	bundle_refused 127 'exec: "nowhere": executable file not found in $PATH' bundle_exec nowhere
	bundle_refused 126 'exec: "/etc": is a directory: permission denied' bundle_exec /etc
}

@test "HOME is the user's in the image, unless it is said" {
	bundle_edit '.process.user.username = "app"'
	expect 0 bundle sh -c 'echo $HOME'
	output_is /home/app
	bundle_edit '.process.env += ["HOME=/elsewhere"]'
	expect 0 bundle sh -c 'echo $HOME'
	output_is /elsewhere
}

@test "a default limit above the caller's is lowered with a warning, one that was asked for fails" {
	capsh --has-p=cap_sys_resource 2>/dev/null && skip "CAP_SYS_RESOURCE is here: nothing is too high"
	bundle_edit '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 1000000000, hard: 1000000000 }]'
	bundle_refused 125 RLIMIT_NOFILE bundle true
	bundle_edit '.annotations["org.holm.defaults"] = "RLIMIT_NOFILE,oomScoreAdj" | .process.oomScoreAdj = -999'
	expect 0 bundle sh -c 'ulimit -n; cat /proc/self/oom_score_adj'
	output_has "RLIMIT_NOFILE is lowered"
	output_has "oomScoreAdj stays"
	bundle_edit '.annotations["org.holm.defaults"] = "RLIMIT_NOFILE"'
	bundle_refused 125 "CAP_SYS_RESOURCE" bundle true
}

@test "a limit of four descriptors is enough to start" {
	bundle_edit '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 4, hard: 4 }]'
	expect 0 bundle sh -c 'ulimit -n'
	output_is 4
	expect 0 bundle_exec sh -c 'ulimit -n'
	output_is 4
}

@test "a container that cannot be made leaves nothing" {
	local change
	for change in '.mounts += [{ destination: "/x", type: "bind", source: "/none", options: ["bind"] }]' \
		'.mounts[0].type = "nofs"' '.process.user.username = "nobody-here"' \
		'.linux.sysctl = { "kernel.panic": "1" }' '.process.cwd = "/bin/sh"' \
		'.linux.resources.memory.limit = 1'; do
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/saved"
		bundle_edit "$change"
		run bundle true
		[ "$status" = 125 ]
		[ -z "$(cgroups)" ]
		[ -z "$(container_processes)" ]
		mv "$BATS_TEST_TMPDIR/saved" "$BUNDLE/config.json"
	done
}
