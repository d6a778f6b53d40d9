#!/usr/bin/env bats
# The runtime by itself: user namespaces, mapped mounts, and what an ordinary user can have.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
}

teardown() {
	[ -z "${POD:-}" ] || kill -KILL "$POD" # unshare itself takes no SIGTERM
	[ -z "${ORDINARY_USER:-}" ] || umount /etc/passwd /etc/group /etc/subuid /etc/subgid
	# shellcheck disable=SC2046 # one mount point a word
	umount -l $(awk -v d="$BATS_TEST_TMPDIR/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo) \
		2>/dev/null || true
	holm_teardown
}

# A user namespace with these ids; the root is given to them.
map_ids() { # HOST SIZE
	bundle_edit '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: $first, size: $size }]
		| .linux.gidMappings = .linux.uidMappings' --argjson first "$1" --argjson size "$2"
	chown -hR "$1:$1" "$ROOTFS"
}

# A process that sleeps in a new user namespace with these ids, and in new namespaces that it owns;
# its pid is $POD.
pod_start() { # HOST SIZE [UNSHARE OPTION...]
	local first=$1 size=$2
	shift 2
	service unshare --kill-child --fork --pid --ipc --uts --net --user "$@" sleep 60
	within 5 pod_runs "${SERVICES[-1]}"
	POD=$(pgrep -P "${SERVICES[-1]}")
	echo "0 $first $size" >"/proc/$POD/gid_map"
	echo "0 $first $size" >"/proc/$POD/uid_map"
}

pod_runs() { # PARENT
	[ "$(cat "/proc/$(pgrep -P "$1")/comm")" = sleep ]
}

# The namespaces of these types are the pod's.
join_pod() { # TYPE...
	local type file
	for type; do
		file=${type/network/net}
		bundle_edit '.linux.namespaces |= (map(select(.type != $type)) + [{ type: $type, path: $path }])' \
			--arg type "$type" --arg path "/proc/$POD/ns/$file"
	done
}

ids() { # FILE...
	stat -c '%u:%g' "$@"
}

# --- namespaces -------------------------------------------------------------------------------

@test "a PID and a user namespace are joined at once" {
	pod_start 200000 65536
	join_pod user pid ipc network
	chown -hR 200000:200000 "$ROOTFS"
	expect 0 bundle sh -c 'for k in user pid ipc net; do readlink /proc/self/ns/$k; done; cat /proc/1/comm; id -u; touch /made'
	output_is "$(for k in user pid ipc net; do readlink "/proc/$POD/ns/$k"; done)
sleep
0"
	[ "$(ids "$ROOTFS/made")" = 200000:200000 ]
	expect 7 bundle sh -c 'exit 7'
	bundle_refused 127 "not found" bundle nowhere
	expect 0 bundle_exec sh -c 'readlink /proc/self/ns/pid; readlink /proc/self/ns/user; grep Uid /proc/self/status; stat -c %u /made'
	output_is "$(readlink "/proc/$POD/ns/pid" "/proc/$POD/ns/user")
Uid:	0	0	0	0
0"
}

@test "a user namespace is joined, and what is new belongs to it" {
	pod_start 200000 65536
	join_pod user
	chown -hR 200000:200000 "$ROOTFS"
	expect 0 bundle sh -c 'readlink /proc/self/ns/user; echo $$; ls /sys/class/net; hostname'
	output_is "$(readlink "/proc/$POD/ns/user")
1
lo
box"
}

@test "namespaces of the host are joined by a container with a user namespace of its own" {
	service unshare --kill-child --fork --net --pid --ipc sleep 60
	within 5 pod_runs "${SERVICES[-1]}"
	POD=$(pgrep -P "${SERVICES[-1]}")
	join_pod network ipc pid
	map_ids 300000 65536
	expect 0 bundle sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/ipc; tr -s " " </proc/self/uid_map'
	[ "${lines[0]}" = "$(readlink "/proc/$POD/ns/net")" ]
	[ "${lines[1]}" = "$(readlink "/proc/$POD/ns/ipc")" ]
	[ "${lines[2]}" = " 0 300000 65536" ]
	expect 0 bundle sh -c 'cat /proc/1/comm; ls /sys/class/net; ls -d /sys/fs/cgroup; stat -f -c %T /dev/mqueue'
	output_is "sleep
lo
/sys/fs/cgroup
UNKNOWN"
	expect 0 bundle_exec id -u
	output_is 0
}

@test "maps that make no sense are refused with the line that is wrong" {
	local first
	bundle_edit '.linux.namespaces += [{ type: "user" }]'
	bundle_refused 125 "linux: uidMappings: 0 mappings of ids" bundle true
	bundle_edit '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }, { containerID: 9, hostID: 200000, size: 10 }]
		| .linux.gidMappings = .linux.uidMappings'
	bundle_refused 125 "linux: uidMappings[1]: gives ids of the container twice" bundle true
	bundle_edit '.linux.uidMappings[1] = { containerID: 10, hostID: 100009, size: 10 }'
	bundle_refused 125 "linux: uidMappings[1]: gives ids of the host twice" bundle true
	for first in 4294967295 4294967290; do
		bundle_edit '.linux.uidMappings = [{ containerID: 0, hostID: $first, size: 10 }]' --argjson first "$first"
		bundle_refused 125 "goes beyond 4294967294" bundle true
	done
	bundle_edit '.linux.uidMappings[0] = { containerID: 0, hostID: 100000, size: 0 }'
	bundle_refused 125 "linux: uidMappings[0]: the size is 0" bundle true
	bundle_edit '.linux.uidMappings[0] = { containerID: 1, hostID: 100000, size: 1 } | .linux.gidMappings = .linux.uidMappings'
	bundle_refused 125 "0 must be among the container's ids" bundle true
	bundle_edit '.linux.namespaces |= map(select(.type != "user"))'
	bundle_refused 125 "linux.uidMappings or gidMappings without a user namespace" bundle true
}

# --- mounts -----------------------------------------------------------------------------------

# A folder with files of several owners, and one of them mounted.
owned_source() {
	SOURCE=$BATS_TEST_TMPDIR/source
	mkdir -p "$SOURCE/below" "$BATS_TEST_TMPDIR/other"
	mount --bind "$BATS_TEST_TMPDIR/other" "$SOURCE/below" # a tmpfs maps ids since Linux 6.3 only
	touch "$SOURCE/root" "$SOURCE/user" "$SOURCE/below/root"
	chown 1000:1001 "$SOURCE/user"
}

add_mount() { # OPTIONS (JSON) [MEMBERS (jq)]
	bundle_edit '.mounts += [{ destination: "/m", type: "bind", source: $s, options: $o } + '"${2:-"{}"}"']' \
		--arg s "$SOURCE" --argjson o "$1"
}

change_mount() { # OPTIONS (JSON) [MEMBERS (jq)]
	bundle_edit 'del(.mounts[-1])'
	add_mount "$@"
}

@test "a mount is mapped by the container's ids" {
	owned_source
	map_ids 100000 65536
	add_mount '["bind"]'
	expect 0 bundle sh -c 'stat -c %u:%g /m/root /m/user'
	output_is "65534:65534
65534:65534"
	change_mount '["rbind", "idmap"]'
	expect 0 bundle sh -c 'stat -c %u:%g /m/root /m/user /m/below/root; touch /m/made; chown 5:6 /m/made'
	output_is "0:0
1000:1001
65534:65534"
	[ "$(ids "$SOURCE/made")" = 5:6 ]
	change_mount '["rbind", "ridmap"]'
	expect 0 bundle sh -c 'stat -c %u:%g /m/below/root'
	output_is 0:0
	change_mount '["rbind", "ridmap", "ro"]'
	expect 0 bundle sh -c 'stat -c %u:%g /m/user; touch /m/made 2>/dev/null || echo read-only'
	output_is "1000:1001
read-only"
}

@test "a mount is mapped by ids of its own" {
	owned_source
	add_mount '["bind"]' '{ uidMappings: [{ containerID: 0, hostID: 7, size: 1 }, { containerID: 1000, hostID: 0, size: 5 }],
		gidMappings: [{ containerID: 0, hostID: 8, size: 2000 }] }'
	expect 0 bundle sh -c 'stat -c %u:%g /m/root /m/user'
	output_is "7:8
0:1009"
	change_mount '["bind", "idmap=uids=0-9-1#1000-20-1;gids=0-0-2000"]'
	expect 0 bundle sh -c 'stat -c %u:%g /m/root /m/user'
	output_is "9:0
20:1001"
	map_ids 100000 65536
	change_mount '["bind", "idmap=uids=@0-3-1#@1000-0-1;gids=@0-0-65536"]'
	expect 0 bundle sh -c 'stat -c %u:%g /m/root /m/user'
	output_is "3:0
0:1001"
	change_mount '["rbind", "ridmap=uids=@0-0-2000;gids=@0-0-2000"]'
	expect 0 bundle sh -c 'stat -c %u:%g /m/below/root'
	output_is 0:0
}

@test "a mount that cannot be mapped is named, with its filesystem and what would do" {
	SOURCE=/proc/self
	map_ids 100000 65536
	add_mount '["bind", "idmap"]'
	bundle_refused 125 "mount /m: a filesystem of type proc cannot map ids" bundle true
	output_has "put the files on ext4"
	owned_source
	mount -t proc proc "$SOURCE/below"
	change_mount '["rbind", "ridmap"]'
	bundle_refused 125 "(or one mounted below it)" bundle true
	change_mount '["bind", "idmap=uids=0-1"]'
	bundle_refused 125 "mount /m: option idmap: uids: '0-1' is not FILE-HOST-SIZE" bundle true
	change_mount '["bind", "idmap=uids=@0-65535-2"]'
	bundle_refused 125 "65535 and 1 after it are not in one mapping of the container" bundle true
	change_mount '["bind"]' '{ uidMappings: [{ containerID: 0, hostID: 7, size: 1 }] }'
	bundle_refused 125 "mount /m: gidMappings: 0 mappings of ids" bundle true
	bundle_edit '.mounts[-1] = { destination: "/m", type: "tmpfs", source: "x", options: ["idmap"] }'
	bundle_refused 125 "mount /m: mapped ids on a mount that is no bind" bundle true
	bundle_edit '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	change_mount '["bind", "idmap"]'
	bundle_refused 125 "mount /m: map ids: the container has no user namespace to map them by" bundle true
}

# --- an ordinary user -------------------------------------------------------------------------

# The bundle becomes an ordinary user's, who may reach it; with the ids after it in /etc/subuid and
# /etc/subgid (none: the user has no line). BUNDLE_WRAPPER runs the runtime as that user.
ordinary_user() { # [FIRST:COUNT]
	local folder=$BUNDLE
	until [ "$folder" = / ]; do
		chmod a+x "$folder"
		folder=$(dirname "$folder")
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh tester:x:1000:1000::/:/bin/sh >"$BATS_TEST_TMPDIR/passwd"
	echo "someone:700000:65536${1:+
tester:$1}" >"$BATS_TEST_TMPDIR/subid"
	printf '%s\n' root:x:0: tester:x:1000: >"$BATS_TEST_TMPDIR/group"
	mount --bind "$BATS_TEST_TMPDIR/passwd" /etc/passwd
	mount --bind "$BATS_TEST_TMPDIR/group" /etc/group
	mount --bind "$BATS_TEST_TMPDIR/subid" /etc/subuid
	mount --bind "$BATS_TEST_TMPDIR/subid" /etc/subgid
	ORDINARY_USER=yes
	chown -hR 1000:1000 "$BUNDLE"
	BUNDLE_WRAPPER="setpriv --reuid 1000 --regid 1000 --clear-groups"
}

# config.json much as `crun spec --rootless` writes it, but for the terminal and what this kernel lacks.
rootless_config() {
	bundle_edit '.linux |= del(.resources) | .linux.namespaces |= map(select(.type != "network" and .type != "cgroup"))
		| .linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 1000, size: 1 }]
		| .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(select(.destination != "/sys/fs/cgroup")
			| if .destination == "/sys" then { destination: "/sys", type: "none", source: "/sys",
				options: ["rbind", "nosuid", "noexec", "nodev", "ro"] }
			elif .destination == "/dev/pts" then .options -= ["gid=5"] else . end)'
}

@test "an ordinary user runs what crun spec --rootless writes" {
	ordinary_user
	rootless_config
	expect 0 bundle sh -c 'id -u; tr -s " " </proc/self/uid_map; cat /proc/self/setgroups; touch /made; echo x >/dev/null
		hostname; ls /sys/class >/dev/null && echo sys; touch /sys/x 2>/dev/null || echo $$'
	output_is "0
 0 1000 1
deny
box
sys
1"
	[ "$(ids "$ROOTFS/made")" = 1000:1000 ]
	expect 5 bundle sh -c 'exit 5'
	expect 0 bundle_exec sh -c 'id -u; readlink /proc/1/exe'
	[ "${lines[0]}" = 0 ]
}

@test "an ordinary user runs the very file of crun and of runc, with a terminal" {
	local runtime
	ordinary_user
	needs crun runc
	for runtime in crun runc; do
		rm -f "$BUNDLE/config.json"
		(cd "$BUNDLE" && $BUNDLE_WRAPPER "$runtime" spec --rootless)
		bundle_edit '.root.readonly = false | .process.env = ["PATH=/bin"]'
		expect 0 bundle sh -c 'tty; id -u; cat /proc/self/setgroups; touch /made'
		[ "${output//$'\r'/}" = "/dev/pts/0
0
deny" ]
		rm "$ROOTFS/made"
	done
}

@test "an ordinary user has a user namespace also where none is asked for, with the subordinate ids" {
	ordinary_user 300000:65536
	bundle_edit 'del(.linux.resources)'
	expect 0 bundle sh -c 'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; cat /proc/self/setgroups
		touch /made; chown 1000:44 /made; ls /sys/class/net; ls -A /sys/fs/cgroup; ls -n /dev/pts/ptmx | cut -c1-10'
	output_is " 0 1000 1
 1 300000 65536
 0 1000 1
 1 300000 65536
allow
lo
crw-rw-rw-"
	[ "$(ids "$ROOTFS/made")" = 300999:300043 ]
	bundle_edit '.process.user = { uid: 1000, gid: 1000, additionalGids: [44] }'
	expect 0 bundle id
	output_is "uid=1000(app) gid=1000(app) groups=44(wheel),1000(app)"
	bundle_edit '.process.user.uid = 65537'
	bundle_refused 125 "become user 65537" bundle true
	output_has "/etc/subuid"
}

@test "an ordinary user without a range has one id, and is told so where it matters" {
	ordinary_user
	bundle_edit 'del(.linux.resources)'
	expect 0 bundle sh -c 'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; ls -n /dev/pts/ptmx | cut -c1-10'
	output_is " 0 1000 1
 0 1000 1
crw-rw-rw-"
	bundle_edit '.process.terminal = true'
	expect 0 bundle sh -c 'tty; stat -c %u /dev/pts/0'
	bundle_edit '.process.terminal = false | .process.user.uid = 5'
	bundle_refused 125 "become user 5" bundle true
	output_has "one alone"
	bundle_edit '.process.user = { uid: 0, gid: 0, additionalGids: [44] }'
	bundle_refused 125 "supplementary groups: the container's user namespace has one group alone" bundle true
	output_has "/etc/subgid"
}

@test "an ordinary user whose newuidmap is not there has one id, with a warning" {
	ordinary_user 300000:65536
	bundle_edit 'del(.linux.resources)'
	mount --bind /dev/null "$(command -v newuidmap)"
	expect 0 bundle sh -c 'tr -s " " </proc/self/uid_map' || { umount "$(command -v newuidmap)"; return 1; }
	umount /usr/bin/newuidmap
	output_is " 0 1000 1"
	output_has "newuidmap and newgidmap are not there (Debian: apt install uidmap)"
}

@test "ids that were not given to an ordinary user are refused, in newuidmap's words and with the file" {
	ordinary_user 300000:10
	bundle_edit 'del(.linux.resources)'
	map_ids 300000 65536
	chown -hR 1000:1000 "$BUNDLE"
	bundle_refused 125 "user namespace: newgidmap: " bundle true
	output_has "/etc/subgid must give you these ids (as USER:300000:65536)"
	ordinary_user 0:100000
	bundle_edit 'del(.linux.uidMappings, .linux.gidMappings)'
	bundle_refused 125 "/etc/subuid gives you the host's root: the range 0:100000" bundle true
	umount /etc/passwd /etc/group /etc/subuid /etc/subgid
}

@test "the subordinate ids are found behind 10000 lines of others and bad ones" {
	ordinary_user 300000:65536
	{
		seq 10000 | sed 's/.*/user&:&00000:65536/'
		printf '%s\n' tester:4294967290:10 tester:1:0 tester:-5:10 tester:5 tester::: tester:400000:1000
	} >"$BATS_TEST_TMPDIR/subid"
	bundle_edit 'del(.linux.resources)'
	expect 0 bundle sh -c 'tr -s " " </proc/self/uid_map'
	output_is " 0 1000 1
 1 400000 1000"
}

@test "an ordinary user's limit without a cgroup of its own is refused with the file, none is quiet" {
	ordinary_user
	bundle_refused 125 "cgroup" bundle true
	output_has "Permission denied"
	output_has "Delegate=yes"
	bundle_edit '.linux.resources = { devices: [{ allow: false, access: "rwm" }] }'
	expect 0 bundle true
	[ -z "$stderr" ]
}

@test "an ordinary user's container shares what it is told to, with the host's /proc and /sys" {
	ordinary_user
	bundle_edit 'del(.linux.resources) | .linux.namespaces |= map(select(.type != "pid" and .type != "network" and .type != "ipc"))
		| .mounts |= map(select(.destination != "/sys/fs/cgroup" and .destination != "/dev/mqueue"))'
	expect 0 bundle sh -c 'readlink /proc/self/ns/pid; touch /sys/x 2>/dev/null || echo read-only; cat /proc/1/comm'
	[ "${lines[0]}" = "$(readlink /proc/self/ns/pid)" ]
	[ "${lines[1]}" = read-only ]
	[ "${lines[2]}" = "$(cat /proc/1/comm)" ]
	output_has "/proc is the host's, because the container's user namespace does not own its PID namespace"
	output_has "/sys is the host's, because the container's user namespace does not own its network namespace"
}

@test "an ordinary user has binds, a tmpfs and devices, and no others" {
	ordinary_user 300000:65536
	mkdir "$BUNDLE/data"
	echo text >"$BUNDLE/data/file"
	chown 1000:1000 "$BUNDLE/data"
	bundle_edit 'del(.linux.resources) | .mounts += [
		{ destination: "/data", type: "bind", source: "data", options: ["rbind", "nosuid", "nodev"] },
		{ destination: "/ro", type: "bind", source: "data", options: ["rbind", "ro"] },
		{ destination: "/run", type: "tmpfs", source: "run", options: ["size=64k", "mode=755", "noexec"] }]'
	expect 0 bundle sh -c 'cat /data/file; touch /data/made /run/x; touch /ro/x 2>/dev/null || echo read-only; head -c 5 /dev/zero | wc -c; mknod /n c 1 3 2>/dev/null || echo none'
	output_is "text
read-only
5
none"
	[ "$(ids "$BUNDLE/data/made")" = 1000:1000 ]
	bundle_edit '.linux.devices = [{ path: "/dev/kmsg", type: "c", major: 1, minor: 11 }]'
	expect 0 bundle stat -c %t:%T /dev/kmsg
	bundle_edit '.mounts += [{ destination: "/m", type: "bind", source: "data", options: ["bind", "idmap"] }] | .linux.devices = []'
	bundle_refused 125 "mount /m: map ids: an ordinary user may not do that" bundle true
}

@test "an ordinary user's PID 1 is a sealed copy" {
	ordinary_user
	bundle_edit 'del(.linux.resources) | .annotations["org.holm.init"] = "true"'
	# shellcheck disable=SC2034 # bundle reads it
	BUNDLE_OPTIONS="-i $HOLM_LIBEXEC/holm-init"
	expect 0 bundle sh -c 'readlink /proc/1/exe; (: >>/proc/1/exe) 2>/dev/null || echo sealed'
	output_is "/memfd:program (deleted)
sealed"
}

@test "a root that belongs to somebody else is named when it cannot be used" {
	ordinary_user 300000:65536
	bundle_edit 'del(.linux.resources)'
	chown -hR 0:0 "$ROOTFS"
	bundle_refused 125 "mount /proc: " bundle true
	output_has "the root filesystem belongs to a user of the host who has no id in the container"
	mkdir -p "$ROOTFS"/{proc,dev,sys}
	expect 0 bundle sh -c 'stat -c %u /bin; touch /made 2>/dev/null || echo not ours'
	output_is "65534
not ours"
}

# --- a root that belongs to the host's root ---------------------------------------------------

# The root as an overlay of the rootfs and one more layer, with an upper folder, all root's.
overlay_root() {
	mkdir "$BUNDLE/layer" "$BUNDLE/upper" "$BUNDLE/work"
	echo layer >"$BUNDLE/layer/from"
	chown 7:8 "$BUNDLE/layer/from"
	bundle_edit '.annotations += { "org.holm.rootfs.lower": ([$b + "/layer", $b + "/rootfs"] | tojson),
		"org.holm.rootfs.upper": ($b + "/upper"), "org.holm.rootfs.work": ($b + "/work"), "org.holm.rootfs.idmap": "true" }' \
		--arg b "$BUNDLE"
}

@test "layers of root are a container's own, one copy for every range of ids" {
	local first
	for first in 100000 300000; do
		rm -rf "${BUNDLE:?}"
		bundle_new
		overlay_root
		map_ids "$first" 65536
		chown -hR 0:0 "$ROOTFS"
		chown 7:8 "$BUNDLE/layer/from"
		expect 0 bundle sh -c 'stat -c %u:%g / /bin/busybox /from; touch /made; chown 5:6 /made; echo more >>/from; mkdir /etc/new; rm /etc/passwd; ls /etc'
		output_is "0:0
0:0
7:8
group
new"
		[ "$(ids "$BUNDLE/upper/made" "$BUNDLE/upper/from" "$BUNDLE/upper")" = "$((first + 5)):$((first + 6))
$((first + 7)):$((first + 8))
$first:$first" ]
		[ "$(ids "$BUNDLE/layer/from" "$ROOTFS/etc/passwd")" = "7:8
0:0" ]
		[ "$(cat "$BUNDLE/layer/from")" = layer ]
		expect 0 bundle_exec stat -c %u:%g /made /from
		output_is "5:6
7:8"
	done
}

@test "one layer without an upper folder is mapped, too" {
	map_ids 100000 65536
	chown -hR 0:0 "$ROOTFS"
	mkdir -p "$ROOTFS"/{proc,dev,sys}
	bundle_edit '.annotations += { "org.holm.rootfs.lower": ([$b + "/rootfs"] | tojson), "org.holm.rootfs.idmap": "true" }' --arg b "$BUNDLE"
	expect 0 bundle sh -c 'stat -c %u:%g / /bin; touch /x 2>/dev/null || echo read-only'
	output_is "0:0
0:0
read-only"
}

@test "a root folder is mapped when that is asked for, else it is as it is" {
	map_ids 100000 65536
	chown -hR 0:0 "$ROOTFS"
	bundle_refused 125 "mount /proc: make folder /proc: Permission denied" bundle true
	output_has "org.holm.rootfs.idmap"
	bundle_edit '.annotations["org.holm.rootfs.idmap"] = "true"'
	expect 0 bundle sh -c 'stat -c %u:%g / /bin; touch /made; chown 3:4 /made'
	output_is "0:0
0:0"
	[ "$(ids "$ROOTFS/made")" = 3:4 ]
	bundle_edit '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	bundle_refused 125 "root filesystem: the container has no user namespace to map them by" bundle true
}

@test "layers are mapped by the ids of a user namespace that is joined" {
	pod_start 200000 65536
	overlay_root
	join_pod user pid
	expect 0 bundle sh -c 'stat -c %u:%g /bin/busybox /from; touch /tmp/x'
	output_is "0:0
7:8"
	[ "$(ids "$BUNDLE/upper/tmp/x")" = 200000:200000 ]
}

@test "layers on a filesystem that cannot be mapped are named, with what to try" {
	overlay_root
	map_ids 100000 65536
	mkdir "$BUNDLE"/{a,b,c}
	mount -t overlay overlay -o "lowerdir=$BUNDLE/layer,upperdir=$BUNDLE/b,workdir=$BUNDLE/c" "$BUNDLE/a"
	bundle_edit '.annotations["org.holm.rootfs.lower"] = ([$b + "/a", $b + "/rootfs"] | tojson)' --arg b "$BUNDLE"
	bundle_refused 125 "root filesystem: layer $BUNDLE/a: a filesystem of type overlay cannot map ids" bundle true
	output_has "put the files on ext4"
}

@test "an empty volume gets what the image has, owned as in the image" {
	mkdir -p "$ROOTFS/data" "$BUNDLE/volume"
	touch "$ROOTFS/data/file"
	chown 1000:44 "$ROOTFS/data" "$ROOTFS/data/file"
	map_ids 100000 65536
	chown -hR 0:0 "$ROOTFS"
	chown 1000:44 "$ROOTFS/data" "$ROOTFS/data/file"
	bundle_edit '.annotations["org.holm.rootfs.idmap"] = "true" | .mounts += [
		{ destination: "/data", type: "bind", source: "volume", options: ["rbind", "copyup"] }]'
	expect 0 bundle sh -c 'stat -c %u:%g /data /data/file; touch /data/made'
	output_is "1000:44
1000:44"
	[ "$(ids "$BUNDLE/volume" "$BUNDLE/volume/file" "$BUNDLE/volume/made")" = "101000:100044
101000:100044
100000:100000" ]
}

# --- in another container ---------------------------------------------------------------------

# Runs what follows as root of a user namespace, as in a container of an ordinary user or of holm's.
inner_root() { # [COMMAND in sh, run before with every right]
	printf '#!/bin/sh\n%s\nexec unshare --user --map-root-user --mount "$@"\n' "${1:-}" >"$BATS_TEST_TMPDIR/inner"
	chmod +x "$BATS_TEST_TMPDIR/inner"
	BUNDLE_WRAPPER="unshare --mount --propagation private $BATS_TEST_TMPDIR/inner"
	bundle_edit 'del(.linux.resources)'
}

@test "root of a user namespace runs containers in it, with or without one more" {
	inner_root
	expect 0 bundle sh -c 'tr -s " " </proc/self/uid_map; echo $$; ls /sys/class/net'
	output_is " 0 0 1
1
lo"
	bundle_edit '.linux.namespaces |= map(select(.type != "network"))'
	expect 0 bundle sh -c 'ls -d /sys/class'
	output_has "/sys is the host's, because the container's user namespace does not own its network namespace"
	bundle_edit '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }]
		| .linux.gidMappings = .linux.uidMappings'
	expect 0 bundle sh -c 'id -u; touch /made'
	output_is 0
}

@test "a masked /proc around an inner container is explained" {
	inner_root 'mount --bind /dev/null /proc/uptime'
	bundle_refused 125 "mount /proc: " bundle true
	output_has "holm runs in a container in which /proc/uptime is masked"
	output_has "--security-opt unmask=ALL"
	bundle_edit '.linux.namespaces |= map(select(.type != "pid"))'
	expect 0 bundle sh -c 'readlink /proc/self/ns/pid'
	output_has "/proc is the host's"
}

# --- cgroups of an ordinary user --------------------------------------------------------------

@test "a cgroup that was given to an ordinary user has the limits that are asked for" {
	local folder
	! cgroup_v2 || skip "on v2 the caller must be in a delegated cgroup, too"
	ordinary_user
	for folder in /sys/fs/cgroup/*; do
		mountpoint -q "$folder" && [ "$(stat -f -c %T "$folder")" = cgroupfs ] || continue
		mkdir "$folder/given"
		[ ! -e "$folder/given/cpuset.cpus" ] || {
			cat "$folder/cpuset.cpus" >"$folder/given/cpuset.cpus"
			cat "$folder/cpuset.mems" >"$folder/given/cpuset.mems"
		}
		chown -R 1000:1000 "$folder/given"
	done
	bundle_edit '.linux.cgroupsPath = "/given/box" | .linux.resources = { pids: { limit: 7 } }'
	expect 0 bundle cat /sys/fs/cgroup/pids/pids.max
	output_is 7
	[ ! -e /sys/fs/cgroup/pids/given/box ]
	rmdir /sys/fs/cgroup/*/given
}

# --- by holm-runtime --------------------------------------------------------------------------

# holm-runtime as the ordinary user.
rt() { # ARGUMENT...
	XDG_RUNTIME_DIR=$BUNDLE/run $BUNDLE_WRAPPER holm-runtime "$@"
}

@test "an ordinary user creates, starts, enters and deletes by holm-runtime" {
	ordinary_user 300000:65536
	mkdir "$BUNDLE/run"
	chown 1000:1000 "$BUNDLE/run"
	bundle_edit 'del(.linux.resources) | .process.args = ["sleep", "60"]'
	rt create --bundle "$BUNDLE" --pid-file "$BUNDLE/pid" box </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- || { cat "$BATS_TEST_TMPDIR/out"; false; }
	rt start box
	expect 0 rt exec box sh -c 'id -u; tr -s " " </proc/self/uid_map; cat /proc/1/comm'
	output_is "0
 0 1000 1
 1 300000 65536
sleep"
	[ "$(rt state box | jq -r .status)" = running ]
	rt kill box KILL
	within 5 rt delete box
	rm "$BUNDLE/config.json"
	(cd "$BUNDLE" && rt spec --rootless)
	bundle_edit '.process.args = ["id", "-u"] | .process.terminal = false | .process.env = ["PATH=/bin"]'
	expect 0 rt run --bundle "$BUNDLE" box
	output_is 0
}

# podman as the ordinary user, with holm-runtime.
podman_user() { # ARGUMENT...
	local home=$BUNDLE/home run=$TMPDIR/run/p
	$BUNDLE_WRAPPER env -C "$home" HOME="$home" XDG_RUNTIME_DIR="$run" TMPDIR="$home" \
		podman --root "$home/store" --runroot "$run" --storage-driver vfs --cgroup-manager cgroupfs \
		--events-backend none --runtime "$(command -v holm-runtime)" "$@"
}

@test "podman of an ordinary user runs its containers by holm-runtime" {
	needs podman
	ordinary_user 300000:65536
	mkdir "$BUNDLE/home" "$TMPDIR/run/p" # podman takes 50 characters
	tar -C "$ROOTFS" -cf "$BUNDLE/home/rootfs.tar" .
	chown -R 1000:1000 "$BUNDLE/home" "$TMPDIR/run/p"
	podman_user import "$BUNDLE/home/rootfs.tar" box
	expect 0 podman_user run --rm --network none box sh -c 'tr -s " " </proc/self/uid_map; touch /made; stat -c %u /made'
	output_is " 0 1000 1
 1 300000 65536
0"
	expect 0 podman_user run --rm --network none --userns keep-id box sh -c 'id -u; touch /tmp/x'
	output_is 1000
	expect 0 podman_user run --rm --network host box readlink /proc/self/ns/net
	output_is "$(readlink /proc/self/ns/net)"
	expect 0 podman_user run -d --name one --network none box sleep 60
	expect 0 podman_user exec one id -u
	output_is 0
	expect 0 podman_user run --rm --network container:one --pid container:one --userns container:one box \
		sh -c 'readlink /proc/self/ns/user; readlink /proc/self/ns/pid'
	[ "$output" = "$(podman_user exec one readlink /proc/self/ns/user)
$(podman_user exec one readlink /proc/self/ns/pid)" ]
	expect 0 podman_user rm -f -t 0 one
	chown -R 0:0 "$BUNDLE"
}
