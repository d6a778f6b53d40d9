#!/usr/bin/env bats
# The runtime by itself: user namespaces, mapped mounts, and what an ordinary user can have.
load holm
load runtime/bundle

setup() {
	holm_setup
	bundle_new
}

teardown() {
	[ -z "${POD:-}" ] || kill -KILL "$POD" # unshare itself takes no SIGTERM
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
	bundle_refused 125 "user namespace: uidMappings: 0 mappings of ids" bundle true
	bundle_edit '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }, { containerID: 9, hostID: 200000, size: 10 }]
		| .linux.gidMappings = .linux.uidMappings'
	bundle_refused 125 "uidMappings: [1]: gives ids of the container twice" bundle true
	bundle_edit '.linux.uidMappings[1] = { containerID: 10, hostID: 100009, size: 10 }'
	bundle_refused 125 "uidMappings: [1]: gives ids of the host twice" bundle true
	for first in 4294967295 4294967290; do
		bundle_edit '.linux.uidMappings = [{ containerID: 0, hostID: $first, size: 10 }]' --argjson first "$first"
		bundle_refused 125 "goes beyond 4294967294" bundle true
	done
	bundle_edit '.linux.uidMappings[0] = { containerID: 0, hostID: 100000, size: 0 }'
	bundle_refused 125 "uidMappings: [0]: the size is 0" bundle true
	bundle_edit '.linux.uidMappings[0] = { containerID: 1, hostID: 100000, size: 1 } | .linux.gidMappings = .linux.uidMappings'
	bundle_refused 125 "0 must be among the container's ids" bundle true
	bundle_edit '.linux.namespaces |= map(select(.type != "user"))'
	bundle_refused 125 "linux.uidMappings or gidMappings without a user namespace" bundle true
}

# --- mounts -----------------------------------------------------------------------------------

# A folder with files of several owners, and one of them mounted.
owned_source() {
	SOURCE=$BATS_TEST_TMPDIR/source
	mkdir -p "$SOURCE/below"
	mount -t tmpfs inner "$SOURCE/below"
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
