#!/usr/bin/env bats
# Settings of a container by key, and options from files: holm set, --profile.
load holm

# A key of `holm set NAME`.
setting() { # NAME KEY
	holm set "$1" | sed -n "s/^$2=//p"
}

@test "set shows all keys, changes some for a container that runs, and they stay" {
	holm run -d --name web -m 64m --ulimit nofile=100:200 busybox sleep 1000 >/dev/null
	[ "$(setting web memory)" = 64m ]
	[ "$(setting web ulimit)" = nofile=100:200 ]
	[ "$(setting web cpus)" = 0 ]
	expect 0 holm set web memory=96m memory-swap=-1 'cpus = 0.5' pids-limit=77 autostart=5
	output_is ""
	[ "$(limit web memory.max memory/memory.limit_in_bytes)" = $((96 << 20)) ]
	[ "$(limit web pids.max pids/pids.max)" = 77 ]
	[ "$(setting web memory)" = 96m ]
	[ "$(setting web cpus)" = 0.5 ]
	[ "$(setting web autostart)" = 5 ]
	expect 0 holm restart -t 0 web
	[ "$(limit web memory.max memory/memory.limit_in_bytes)" = $((96 << 20)) ]
	# every key that is shown can be set to what is shown
	holm set web >all
	expect 0 holm set web --file all
	holm set web | diff - all
}

@test "set: an unknown key is named with the nearest one, in a file with its line" {
	holm create --name web busybox >/dev/null
	refused 1 "no key 'memoryy'" holm set web memoryy=1g
	output_has "did you mean memory?"
	printf '# limits\nmemory = 64m\n\n  pids-limti=3\n' >limits
	refused 1 "limits, line 4: no key 'pids-limti'" holm set web -f limits
	output_has "did you mean pids-limit?"
	# nothing of it counts
	[ "$(setting web memory)" = 0 ]
	refused 1 "cpus needs a value" holm set web cpus
	refused 1 "--cpus" holm set web cpus=none
	refused 1 "no such container" holm set nobody memory=64m
	refused 1 "--rm" sh -c 'holm run -d --rm --name gone busybox sleep 1000 >/dev/null && holm set gone autostart=yes'
	holm rm -f gone
}

@test "rates of block devices and ulimits can be changed, and taken away" {
	disk=$(lsblk -dnpo NAME 2>/dev/null | head -1)
	[ -b "$disk" ] || skip "there is no block device here"
	holm run -d --name web busybox sleep 1000 >/dev/null
	expect 0 holm set web "device-read-bps=$disk:1mb"
	[ "$(setting web device-read-bps)" = "$disk:1048576" ]
	cgroup_v2 || [[ $(limit web - blkio/blkio.throttle.read_bps_device) == *" 1048576" ]]
	expect 0 holm set web device-read-bps= ulimit=nofile=50:60
	[ "$(setting web device-read-bps)" = "" ]
	cgroup_v2 || [ "$(limit web - blkio/blkio.throttle.read_bps_device)" = "" ]
	expect 0 holm restart -t 0 web
	expect 0 holm exec web sh -c 'ulimit -n; ulimit -Hn'
	output_is $'50\n60'
}

@test "profiles stack, the command line counts most, and lists add up" {
	mkdir profiles
	export HOLM_PROFILES=$PWD/profiles
	printf 'memory = 64m\ncpus=0.5\nenv = A=1\nlabel=from=small\n' >profiles/small.conf
	printf '# tight\nread-only\nmemory=32m\nenv=B=2\ncap-drop=ALL\n' >profiles/tight.conf
	expect 0 holm create --name web --profile small,tight -e C=3 busybox
	expect 0 holm inspect web --format '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.ReadonlyRootfs}}'
	output_is "$((32 << 20)) 500000000 true"
	expect 0 holm create --name other --profile tight --profile small -m 48m busybox
	expect 0 holm inspect other --format '{{.HostConfig.Memory}} {{.Config.Labels.from}}'
	output_is "$((48 << 20)) small"
	expect 0 holm run --rm --profile small,tight -e C=3 busybox sh -c 'echo $A$B$C; touch /x 2>&1 || echo fixed'
	output_has 123
	output_has fixed
}

@test "a profile that is not there, or wrong, is refused before anything is made" {
	mkdir profiles
	export HOLM_PROFILES=$PWD/profiles
	refused 125 "there is no such profile" holm run --profile none busybox true
	output_has "none.conf is looked for in $PWD/profiles"
	refused 125 "not a name" holm run --profile ../x busybox true
	printf 'memory=64m\n\nmemoryy=1g\n' >profiles/bad.conf
	refused 125 "bad.conf, line 3: no key 'memoryy'" holm run --profile bad busybox true
	printf 'name=x\n' >profiles/one.conf
	refused 125 "name is for one container" holm run --profile one busybox true
	expect 0 holm ps -aq
	output_is ""
}
