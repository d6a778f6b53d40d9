#!/usr/bin/env bats
# The runtime by itself: cgroups of a bundle, on v1, v2 and hosts that have both.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
}

# The folders of the hierarchies that every container joins.
joined() {
	local name
	if cgroup_v2; then
		echo /sys/fs/cgroup
	else
		for name in memory pids devices freezer cpu cpuacct; do echo "/sys/fs/cgroup/$name"; done
		named
	fi
}

# The folders of those that have a name and no controllers.
named() {
	awk '/ - cgroup .*[ ,]name=/ { print $5 }' /proc/self/mountinfo
}

make_cgroup() { # PATH
	local folder
	while read -r folder; do mkdir -p "$folder$1"; done < <(joined)
}

no_cgroup_left() { # NAME
	[ -z "$(find /sys/fs/cgroup -type d -name "$1*" 2>/dev/null)" ]
}

resources() { # JSON
	bundle_edit '.linux.resources = $r' --argjson r "$1"
}

@test "a container joins the hierarchies that count and limit it and those with a name, and no others" {
	! cgroup_v2 || skip "this is about cgroup v1"
	resources '{ "pids": { "limit": 100 } }'
	expect 0 bundle sh -c 'grep -v "^0::" /proc/self/cgroup | grep -v ":/$" | cut -d: -f2 | sort'
	# what is seen through the cgroup namespace as its root was joined
	expect 0 bundle sh -c 'ls /sys/fs/cgroup | sort | tr "\n" " "'
	output_is "$({ printf '%s\n' cpu cpuacct devices freezer memory pids; named | xargs -rn 1 basename; } |
		sort | tr '\n' ' ')"
}

@test "systemd in a container finds a place of its own in its hierarchy" {
	! cgroup_v2 || skip "this is about cgroup v1"
	grep -q ' - cgroup .*name=systemd' /proc/self/mountinfo || skip "no hierarchy name=systemd here"
	bundle_edit '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	expect 0 bundle sh -c 'grep name=systemd: /proc/self/cgroup; mkdir /sys/fs/cgroup/systemd/init.scope &&
		echo $$ >/sys/fs/cgroup/systemd/init.scope/cgroup.procs && grep name=systemd: /proc/self/cgroup;
		echo $$ >/sys/fs/cgroup/systemd/cgroup.procs; rmdir /sys/fs/cgroup/systemd/init.scope'
	[[ ${lines[0]} == *:name=systemd:/ && ${lines[1]} == *:name=systemd:/init.scope ]]
}

@test "a limit brings its hierarchy along" {
	! cgroup_v2 || skip "this is about cgroup v1"
	[ -e /sys/fs/cgroup/cpuset ] || skip "no cpuset hierarchy here"
	resources '{ "cpu": { "cpus": "0", "mems": "0" } }'
	expect 0 bundle sh -c 'cat /sys/fs/cgroup/cpuset/cpuset.cpus; grep -c "" /sys/fs/cgroup/cpuset/tasks'
	[ "${lines[0]}" = 0 ]
}

@test "a v2 tree beside v1 hierarchies is left alone, whatever controller it holds" {
	! cgroup_v2 || skip "this is about hybrid hosts"
	[ -e /sys/fs/cgroup/unified/cgroup.procs ] || skip "no cgroup v2 tree beside v1 here"
	local before
	before=$(cat /sys/fs/cgroup/unified/cgroup.subtree_control; find /sys/fs/cgroup/unified -type d)
	expect 0 bundle sh -c 'cat /sys/fs/cgroup/pids/pids.max; ls /sys/fs/cgroup'
	[ "${lines[0]}" = 100 ]
	[[ $output != *unified* ]]
	[ "$before" = "$(cat /sys/fs/cgroup/unified/cgroup.subtree_control; find /sys/fs/cgroup/unified -type d)" ]
}

@test "a limit whose controller only the v2 tree has is refused by name" {
	! cgroup_v2 || skip "this is about hybrid hosts"
	grep -qw hugetlb /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null ||
		skip "no cgroup v2 tree with hugetlb beside v1 here"
	resources '{ "hugepageLimits": [ { "pageSize": "2MB", "limit": 4194304 } ] }'
	bundle_refused 125 "hugetlb.2MB.limit_in_bytes: this host has no cgroup controller hugetlb" bundle true
	resources '{ "unified": { "hugetlb.2MB.max": "4194304" } }'
	bundle_refused 125 '"unified" is for cgroup v2, and this host has v1' bundle true
}

@test "a controller with hands of its own: unified names files, and no others" {
	cgroup_v2 || skip "this is about cgroup v2"
	resources '{ "unified": { "memory.high": "104857600", "pids.max": "50" } }'
	expect 0 bundle sh -c 'cat /sys/fs/cgroup/memory.high /sys/fs/cgroup/pids.max'
	output_is $'104857600\n50'
	resources '{ "unified": { "../memory.high": "1" } }'
	bundle_refused 125 "not one of a controller" bundle true
	resources '{ "unified": { "cgroup.procs": "1" } }'
	bundle_refused 125 "not one of a controller" bundle true
	resources '{ "unified": { "dmem.max": "1" } }'
	bundle_refused 125 "dmem" bundle true
}

@test "exec goes into a cgroup below the container's, and not out of it" {
	bundle_edit '.linux.cgroupsPath = "/holm/parent" | .linux.namespaces |= map(select(.type != "cgroup"))'
	make_cgroup /holm/parent/sub
	EXEC_CGROUPS=sub expect 0 bundle_exec grep -E '^0::|:pids:' /proc/self/cgroup
	output_has /holm/parent/sub
	make_cgroup /holm/parent
	EXEC_CGROUPS=../other bundle_refused 125 "a path below the container's own cgroup" bundle_exec true
	EXEC_CGROUPS=gone bundle_refused 125 "cgroup gone below /holm/parent" bundle_exec true
	no_cgroup_left parent
}

@test "exec may name a cgroup for each controller" {
	! cgroup_v2 || skip "this is about cgroup v1"
	bundle_edit '.linux.cgroupsPath = "/holm/parent" | .linux.namespaces |= map(select(.type != "cgroup"))'
	make_cgroup /holm/parent/sub
	EXEC_CGROUPS="pids,memory:sub" expect 0 bundle_exec cat /proc/self/cgroup
	[[ $output == *":pids:"*"/holm/parent/sub"* && $output == *":memory:"*"/holm/parent/sub"* ]]
	grep -q ":cpu:.*/holm/parent$" <<<"$output"
	make_cgroup /holm/parent
	EXEC_CGROUPS=blkio:sub bundle_refused 125 "has no cgroup of blkio" bundle_exec true
}

@test "who does not fit into the memory limit is told so, and leaves nothing behind" {
	# the set-up itself takes much: what a tmpfs starts with
	mkdir "$ROOTFS/big"
	dd if=/dev/zero of="$ROOTFS/big/file" bs=1M count=16 status=none
	bundle_edit '.mounts += [{ destination: "/big", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] }]'
	resources '{ "memory": { "limit": 4194304, "swap": 4194304 } }'
	bundle_refused 125 "the memory limit of 4194304 bytes is too small to start the container" bundle true
	no_cgroup_left bundle-
	resources '{ "memory": { "limit": 4096 } }'
	bundle_refused 125 "nothing can start with less than" bundle true
	no_cgroup_left bundle-
}

@test "a container starts with little memory" {
	resources '{ "memory": { "limit": 524288 } }'
	expect 0 bundle echo small
	output_is small
}

@test "run into a frozen cgroup is refused at once" {
	local file=/sys/fs/cgroup/cold/cgroup.freeze frozen=1 thawed=0
	cgroup_v2 || { file=/sys/fs/cgroup/freezer/cold/freezer.state frozen=FROZEN thawed=THAWED; }
	make_cgroup /cold
	echo $frozen >"$file"
	bundle_edit '.linux.cgroupsPath = "/cold/box"'
	expect 125 timeout 5 "$BUNDLE_PROGRAMS/bundle_run" "$BUNDLE" cold-1
	output_has "is frozen, or one above it"
	bundle_edit '.linux.cgroupsPath = "/cold"'
	expect 125 timeout 5 "$BUNDLE_PROGRAMS/bundle_run" "$BUNDLE" cold-2
	output_has "is frozen, or one above it"
	echo $thawed >"$file"
	bundle_edit '.linux.cgroupsPath = "/cold/box"'
	expect 0 timeout 5 "$BUNDLE_PROGRAMS/bundle_run" "$BUNDLE" cold-3
	find /sys/fs/cgroup -depth -type d -name cold -exec rmdir {} +
}

@test "what a limit cannot be is refused with its name" {
	local rest
	while read -r rest; do
		resources "${rest#* }"
		bundle_refused 125 "${rest%% *}" bundle true
	done <<-'E'
		memory.kernel: { "memory": { "kernel": 4194304 } }
		memory.useHierarchy: { "memory": { "useHierarchy": false } }
		leaf { "blockIO": { "leafWeight": 100 } }
		10 { "blockIO": { "weightDevice": [ { "major": 8, "minor": 0, "weight": 5 } ] } }
		huge { "hugepageLimits": [ { "pageSize": "2M", "limit": 1 } ] }
		period { "cpu": { "period": 5 } }
	E
}
