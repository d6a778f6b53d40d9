#!/usr/bin/env bats
# What a container may use: memory, processors, processes, block devices; on cgroup v1 and v2.
load holm

# FILE of a limit as the container sees it: v1_file v2_file
limit() { # CONTROLLER V1_FILE V2_FILE
	if cgroup_v2; then echo "/sys/fs/cgroup/$3"; else echo "/sys/fs/cgroup/$1/$2"; fi
}

has_controller() { # NAME
	if cgroup_v2; then
		grep -qw "$1" /sys/fs/cgroup/cgroup.controllers
	else
		awk '/ - cgroup / { print $NF }' /proc/self/mountinfo | tr , '\n' | grep -qx "$1"
	fi
}

# The value of a file in the cgroup of container $1, as the host sees it.
host_limit() { # NAME CONTROLLER V1_FILE V2_FILE
	local id folder=/sys/fs/cgroup file=$4
	id=$(holm inspect -f '{{.Id}}' "$1")
	cgroup_v2 || { folder=/sys/fs/cgroup/$2; file=$3; }
	cat "$folder/holm/$id/$file"
}

@test "limits are seen inside and hold outside" {
	expect 0 holm run -d --name box -m 64m --pids-limit 30 --cpu-shares 512 --cpus 0.5 busybox sleep 1000
	[ "$(host_limit box memory memory.limit_in_bytes memory.max)" = $((64 << 20)) ]
	[ "$(host_limit box pids pids.max pids.max)" = 30 ]
	if cgroup_v2; then
		[ "$(host_limit box cpu x cpu.max)" = "50000 100000" ]
		[ "$(host_limit box cpu x cpu.weight)" = 59 ]
	else
		[ "$(host_limit box cpu cpu.cfs_quota_us x)" = 50000 ]
		[ "$(host_limit box cpu cpu.shares x)" = 512 ]
	fi
	expect 0 holm exec box cat "$(limit memory memory.limit_in_bytes memory.max)"
	output_is $((64 << 20))
	expect 0 holm exec box cat "$(limit pids pids.max pids.max)"
	output_is 30
}

@test "the limit of memory and swap is that of both" {
	expect 0 holm run -d --name box -m 64m --memory-swap 96m --memory-reservation 32m busybox sleep 1000
	if cgroup_v2; then
		[ "$(host_limit box memory x memory.swap.max)" = $((32 << 20)) ]
		[ "$(host_limit box memory x memory.low)" = $((32 << 20)) ]
	else
		[ "$(host_limit box memory memory.memsw.limit_in_bytes x)" = $((96 << 20)) ]
		[ "$(host_limit box memory memory.soft_limit_in_bytes x)" = $((32 << 20)) ]
	fi
}

@test "who takes too much memory is killed, and it is said why" {
	expect 137 holm run --name hog -m 16m --memory-swap 16m busybox sh -c 'tail /dev/zero'
	expect 0 holm inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' hog
	output_is "true 137"
	expect 0 holm rm hog
	expect 3 holm run --name good -m 64m busybox sh -c 'exit 3'
	expect 0 holm inspect -f '{{.State.OOMKilled}}' good
	output_is false
}

@test "a fork bomb stays small" {
	expect 0 holm run -d --name bomb --pids-limit 20 busybox sh -c \
		'(while :; do sleep 100 & done) 2>/dev/null; exec sleep 1000'
	refused_forks() { [ "$(host_limit bomb pids pids.events pids.events | awk '{ print $2 }')" -gt 0 ]; }
	within 5 refused_forks
	[ "$(host_limit bomb pids pids.current pids.current)" -le 20 ]
	expect 0 holm kill bomb
}

@test "processors are picked" {
	has_controller cpuset || skip "no cpuset controller here"
	expect 0 holm run --rm --cpuset-cpus 0 busybox grep Cpus_allowed_list /proc/self/status
	output_is "Cpus_allowed_list:	0"
	refused 125 9999 holm run --rm --cpuset-cpus 9999 busybox true
}

@test "a hierarchy without a limit is not joined" {
	! cgroup_v2 || skip "this is about cgroup v1"
	has_controller blkio || skip "no blkio controller here"
	local id
	expect 0 holm run -d --name box busybox sleep 1000
	id=$(holm inspect -f '{{.Id}}' box)
	[ ! -e "/sys/fs/cgroup/blkio/holm/$id" ]
	[ -e "/sys/fs/cgroup/memory/holm/$id" ]
}

@test "a rate of a block device" {
	has_controller blkio || has_controller io || skip "no controller of block devices here"
	local device numbers
	device=$(lsblk -dnpo NAME,TYPE 2>/dev/null | awk '$2 == "disk" { print $1; exit }')
	[ -b "$device" ] || skip "no block device here"
	numbers=$((0x$(stat -c %t "$device"))):$((0x$(stat -c %T "$device")))
	expect 0 holm run -d --name box --device-read-bps "$device:1mb" busybox sleep 1000
	host_limit box blkio blkio.throttle.read_bps_device io.max | grep "^$numbers .*1048576"
}

@test "limits without sense are refused in one line" {
	refused 125 "6" holm run --rm -m 4m busybox true
	refused 125 swap holm run --rm -m 64m --memory-swap 32m busybox true
	refused 125 "10" holm run --rm --blkio-weight 5 busybox true
	refused 125 shares holm run --rm --cpu-shares 1 busybox true
}

@test "a paused container stands still, and can be killed" {
	expect 0 holm run -d --name box busybox sh -c 'while :; do echo x >>/ticks; sleep 0.05; done'
	within 5 holm exec box test -s /ticks
	expect 0 holm pause box
	expect 0 holm inspect -f '{{.State.Status}} {{.State.Paused}}' box
	output_is "paused true"
	expect 0 holm unpause box
	expect 0 holm exec box true
	expect 0 holm pause box
	expect 0 holm rm -f box
}

@test "a frozen cgroup of that name hangs nobody" {
	! cgroup_v2 || skip "this is about cgroup v1's freezer"
	expect 0 holm run -d --name a busybox sleep 1000
	expect 0 holm pause a
	# another one starts beside it all the same
	expect 0 holm run --rm busybox true
	expect 0 holm rm -f a
}

@test "rlimits: what was asked for is given or refused, never less" {
	expect 0 holm run --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -n; ulimit -Hn'
	output_is $'100\n200'
	expect 0 holm run --rm --ulimit nofile=100:200 --ulimit NOFILE=150 busybox sh -c 'ulimit -n; ulimit -Hn'
	output_is $'150\n150'
	expect 0 holm run --rm --ulimit core=0 busybox sh -c 'ulimit -c'
	output_is 0
	refused 125 nofile holm run --rm --ulimit nofile=200:100 busybox true
	refused 125 nosuch holm run --rm --ulimit nosuch=1 busybox true
	if ! capsh --has-p=cap_sys_resource >/dev/null 2>&1; then
		refused 125 NOFILE holm run --rm --ulimit nofile=99999999 busybox true
	fi
}

# A tree of cgroup v2 alone that lacks the controller, as a nested root may meet it.
@test "without the controller pids the limit that nobody asked for gives way, one asked for fails" {
	needs_root "it changes what is mounted at /sys/fs/cgroup"
	local v2=/sys/fs/cgroup/unified
	[ -e "$v2/cgroup.controllers" ] || skip "no cgroup v2 tree beside v1 here"
	not grep -qw pids "$v2/cgroup.controllers" || skip "the cgroup v2 tree has the controller pids"
	mkdir v2
	# shellcheck disable=SC2016 # the inner shell's
	expect 0 unshare --mount bash -c 'mount --bind "$1" v2; umount -R -l /sys/fs/cgroup; mount --move v2 /sys/fs/cgroup
		holm run --rm busybox echo hi || exit 9
		holm run --rm --pids-limit 100 busybox echo no 2>refused && exit 8
		holm run --rm --pids-limit -1 busybox true' -- "$v2"
	output_is hi
	[[ $stderr == *"no limit of processes"*pids* ]]
	grep -q pids refused
}
