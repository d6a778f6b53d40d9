#!/usr/bin/env bats
# Containers with ids of their own: --userns, --uidmap, --gidmap.
load holm

setup_file() {
	needs_root "of ranges that are a user's own, user_ids tells"
}

# These lines are the host's /etc/subuid and /etc/subgid.
subordinate() { # LINE...
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/subid"
	mount --bind "$BATS_TEST_TMPDIR/subid" /etc/subuid
	mount --bind "$BATS_TEST_TMPDIR/subid" /etc/subgid
	SUBORDINATE=yes
}

setup() {
	holm_setup
	touch /etc/subuid /etc/subgid
}

teardown() {
	[ -z "${SUBORDINATE:-}" ] || umount /etc/subuid /etc/subgid
	holm_teardown
}

map() { # CONTAINER
	holm inspect -f '{{index .HostConfig.IDMappings.UidMap 0}}' "$1"
}

upper() { # CONTAINER
	echo "$HOLM_ROOT/containers/$(holm inspect -f '{{.Id}}' "$1")/upper"
}

@test "every container gets a range of its own out of those for containers" {
	subordinate someone:100000:65536 containers:200000:200000
	expect 0 holm run -d --name a --userns auto busybox sleep 60
	expect 0 holm create --name b --userns auto busybox true
	expect 0 holm create --name c --userns=private busybox true
	[ "$(map a) $(map b) $(map c)" = "0:200000:65536 0:265536:65536 0:331072:65536" ]
	refused 1 "--userns: no 65536 ids side by side are free" holm create --userns auto busybox true
	output_has "auto:size=N"
	expect 0 holm create --name d --userns auto:size=3392 busybox true
	[ "$(map d)" = 0:396608:3392 ]
	holm rm b
	expect 0 holm create --name e --userns auto busybox true
	[ "$(map e)" = 0:265536:65536 ]
	expect 0 holm exec a sh -c 'tr -s " " </proc/self/uid_map; id -u; touch /made; stat -c %u / /made /bin'
	output_is " 0 200000 65536
0
0
0
0"
	[ "$(stat -c %u:%g "$(upper a)" "$(upper a)/made")" = "200000:200000
200000:200000" ]
	[ "$(awk '/^Uid/ { print $2 }' "/proc/$(holm inspect -f '{{.State.Pid}}' a)/status")" = 200000 ]
	holm rm -f a
}

@test "without a range for containers there is one that nobody else uses" {
	subordinate someone:1879048192:65536
	expect 0 holm run --name a --userns auto busybox sh -c 'tr -s " " </proc/self/uid_map'
	output_is " 0 1879113728 65536"
	expect 0 holm --debug run --userns auto busybox true
	output_has "neither 'containers' nor 'holm' has ids in /etc/subuid and /etc/subgid"
}

@test "the host's root is given away by no line of a file, and by an option with a warning" {
	subordinate containers:0:200000
	refused 125 "--userns: /etc/subuid gives containers the host's root (0)" holm run --userns auto busybox true
	expect 0 holm run --rm --uidmap 0:0:1000 busybox id -u
	output_is 0
	output_has "--uidmap gives the container the host's 0, root"
}

@test "many at once share no id" {
	local i pids=()
	subordinate holm:500000:5000
	for i in $(seq 20); do
		holm create --name "c$i" --userns auto:size=250 busybox true >/dev/null 2>&1 &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(for i in $(seq 20); do map "c$i"; done | sort -u | wc -l)" = 20 ]
	refused 1 "no 1 ids side by side" holm create --userns auto:size=1 busybox true
}

@test "ids are mapped as asked for" {
	expect 0 holm run --rm --uidmap 0:10000:10 --uidmap 10:30000:1 --gidmap 0:@20000:100 busybox \
		sh -c 'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; touch /made; chown 10:99 /made; stat -c %u:%g /made'
	output_is " 0 10000 10
 10 30000 1
 0 20000 100
10:99"
	expect 0 holm run --rm --userns private --gidmap 0:5000:1000 busybox sh -c 'tr -s " " </proc/self/uid_map'
	output_is " 0 5000 1000"
	subordinate containers:200000:200000
	expect 0 holm run --rm --userns auto:size=100,uidmapping=50:7:1,gidmapping=0:9:1 busybox \
		sh -c 'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map'
	output_is " 0 200000 50
 50 7 1
 51 200050 49
 0 9 1
 1 200000 99"
}

@test "what makes no sense is refused" {
	local option text
	while IFS='|' read -r option text; do
		# shellcheck disable=SC2086
		refused 125 "$text" holm run $option busybox true
	done <<-'E'
		--userns nosuch|--userns nosuch: not one of host, private, auto
		--userns keep-id|--userns keep-id is for containers of ordinary users
		--userns auto:size=0|--userns auto: size=0
		--userns auto:size=4294967296|--userns auto: '4294967296' is more than
		--userns auto:length=1|--userns auto: 'length=1' is not one of size=, uidmapping=, gidmapping=
		--userns auto:uidmapping=1|--userns auto: '1' is not [FLAGS]CONTAINER:[@]HOST[:SIZE]
		--userns host --uidmap 0:1:1|--userns host excludes --uidmap
		--userns auto --gidmap 0:1:1|--userns auto excludes --uidmap
		--userns container:nosuch|--userns container:nosuch: no such container
		--uidmap 0:1:0|uidMappings[0]: the size is 0
		--uidmap 1:1:1|the container's 0 must be among the ids
		--uidmap 0:1:10 --uidmap 5:50:10|uidMappings[1]: gives ids of the container twice
		--uidmap 0:1:10 --uidmap 10:5:10|uidMappings[1]: gives ids of the host twice
		--uidmap 0:4294967290:10|goes beyond 4294967294
		--uidmap 0:4294967296|--uidmap: '0:4294967296': '4294967296' is more than
		--uidmap 0|--uidmap: '0' is not [FLAGS]CONTAINER:[@]HOST[:SIZE]
	E
}

@test "a container shares the user namespace of another, and its ids" {
	expect 0 holm run -d --name a --userns auto:size=1000 busybox sleep 60
	expect 0 holm run --rm --userns container:a --pid container:a --net container:a busybox \
		sh -c 'readlink /proc/self/ns/user; readlink /proc/self/ns/pid; readlink /proc/self/ns/net; stat -c %u / /bin/busybox; touch /made; id -u'
	[ "$output" = "$(for k in user pid net; do holm exec a readlink /proc/self/ns/$k; done)
0
0
0" ]
	expect 0 holm create --name b --userns container:a busybox true
	[ "$(map b)" = "$(map a)" ]
	holm rm -f a
	refused 1 "--userns container" holm start b
	expect 0 holm run -d --name plain busybox sleep 60
	refused 125 "container:plain has no user namespace of its own" holm run --userns container:plain busybox true
	holm rm -f plain
}

@test "namespaces of the host and of others go together with ids of one's own" {
	expect 0 holm run -d --name a busybox sleep 60
	expect 0 holm run --rm --userns auto:size=1000 --pid container:a --net container:a busybox \
		sh -c 'readlink /proc/self/ns/net; cat /proc/1/comm; tr -s " " </proc/self/uid_map | cut -d" " -f4'
	[ "${lines[0]}" = "$(holm exec a readlink /proc/self/ns/net)" ]
	[ "${lines[2]}" = 1000 ]
	holm rm -f a
	expect 0 holm run --rm --userns auto:size=1000 --pid host --net host --ipc host --uts host busybox \
		sh -c 'readlink /proc/self/ns/net; ls /sys/class/net >/dev/null && cat /proc/1/comm'
	[ "${lines[0]}" = "$(readlink /proc/self/ns/net)" ]
	[ "${lines[1]}" = "$(cat /proc/1/comm)" ]
}

@test "a container with ids of its own writes its files, and a new volume, and starts again" {
	subordinate containers:200000:200000
	expect 0 holm run --name a --userns auto -v data:/etc -v plain:/srv --tmpfs /t -u 1000:1000 busybox \
		sh -c 'id -u; cat /etc/passwd >/dev/null; echo x >/t/x; cat /etc/resolv.conf >/dev/null; (touch /made) 2>/dev/null || echo not root'
	output_is "1000
not root"
	[ "$(stat -c %u "$HOLM_ROOT/volumes/data/data/passwd")" = 200000 ]
	expect 0 holm run --rm --userns auto busybox sh -c 'echo 1.2.3.4 there >>/etc/hosts && cat /etc/hosts | grep there'
	expect 0 holm start -a a
	output_is "1000
not root"
	holm rm a
}

@test "inspect shows the ids" {
	subordinate containers:200000:200000
	expect 0 holm create --name a --userns auto:size=10 busybox true
	expect 0 holm inspect a
	[ "$(jq -c '.[0].HostConfig | [.UsernsMode, .IDMappings]' <<<"$output")" = \
		'["auto:size=10",{"UidMap":["0:200000:10"],"GidMap":["0:200000:10"]}]' ]
	[ "$(jq -c '.[0].Holm | [.Namespaces.user, .Ids.UidMap]' <<<"$output")" = '["auto:size=10",["0:200000:10"]]' ]
	expect 0 holm create --name b busybox true
	[ "$(holm inspect b | jq -c '.[0] | [.HostConfig.UsernsMode, .HostConfig.IDMappings, .Holm.Namespaces.user]')" = \
		'["",null,"host"]' ]
}

@test "root with ids of its own is nobody on the host, and confined as ever" {
	subordinate containers:200000:65536
	expect 0 holm run --rm --userns auto -v /:/host:ro busybox \
		sh -c 'cat /host/etc/shadow 2>/dev/null || echo no shadow; stat -c %u /host/etc/passwd; mknod /n c 1 3 2>/dev/null || echo no node; unshare -m true 2>/dev/null || echo no mounts; head -c 3 /dev/urandom | wc -c'
	output_is "no shadow
65534
no node
no mounts
3"
	expect 0 holm run --rm --userns auto --privileged busybox sh -c 'mount -t tmpfs x /tmp && echo mounted; (echo 1 >/proc/sys/kernel/panic) 2>/dev/null || echo not the kernel'
	output_is "mounted
not the kernel"
}
