#!/usr/bin/env bats
# Namespaces shared on purpose: a container with tools looks into one without them.
load holm

setup() {
	holm_setup
}

# Debian with tcpdump, strace and ipcmk, under the name tools.
load_tools() {
	local image
	made_image tools image
	expect 0 holm load -i "$image"
	expect 0 holm images -q
	holm tag "${lines[0]}" tools
}

# busybox' web server answering on port 80.
start_web() {
	expect 0 holm run -d --name web busybox sh -c \
		'echo "a page" >/tmp/index.html; exec httpd -f -p 80 -h /tmp'
	within 5 holm run --rm --net container:web busybox wget -qO /dev/null http://127.0.0.1/
}

@test "a container on another's network sees its sockets and reaches them by loopback" {
	start_web
	expect 0 holm run --rm --net container:web busybox wget -qO - http://127.0.0.1/
	output_is "a page"
	expect 0 holm run --rm --net container:web busybox netstat -ltn
	output_has ":80 "
	expect 0 holm run --rm --net none busybox netstat -ltn
	[[ $output != *":80 "* ]]
}

@test "tcpdump sees the traffic of the container whose network it shares" {
	load_tools
	start_web
	expect 0 holm run -d --name tap --net container:web --cap-add NET_RAW tools \
		tcpdump -l -A -i lo -c 12 tcp port 80
	within 10 sh -c 'holm logs tap 2>&1 | grep -q "listening on lo"'
	for _ in 1 2; do
		holm exec web wget -qO /dev/null http://127.0.0.1/
	done
	expect 0 holm wait tap
	output_is 0
	expect 0 holm logs tap
	output_has "GET / HTTP/1.1"
	output_has "a page"
}

@test "tcpdump needs the capability that was not asked for" {
	load_tools
	start_web
	run holm run --rm --net container:web tools tcpdump -c 1 -i lo
	[ "$status" = 1 ]
	output_has "You don't have permission"
}

@test "strace attaches to a process of the container whose PID namespace it shares" {
	load_tools
	expect 0 holm run -d --name app busybox sh -c 'while :; do echo marked >/dev/null; sleep 0.1; done'
	expect 0 holm run --rm --pid container:app tools ps -e -o pid,args
	output_has "echo marked"
	# the shell is the child of PID 1
	expect 0 holm run --rm --pid container:app --cap-add SYS_PTRACE tools sh -c \
		'strace -f -e trace=write -o /trace -p "$(pgrep -o -P 1)" & pid=$!
		 while kill -0 $pid && ! grep -qs marked /trace; do sleep 0.1; done
		 kill $pid; wait; cat /trace'
	output_has 'write(1, "marked\n", 7)'
}

@test "a process of another container ends by a signal from the one that shares its PIDs" {
	expect 0 holm run -d --name app busybox sleep 1000
	expect 0 holm run --rm --pid container:app busybox sh -c 'kill $(pidof sleep)'
	expect 0 holm wait app
	output_is 143
}

@test "a shared memory segment is seen by who shares the IPC namespace, and by nobody else" {
	load_tools
	expect 0 holm run -d --name a --ipc shareable tools sleep 1000
	expect 0 holm exec a ipcmk -M 4096
	expect 0 holm run --rm --ipc container:a tools ipcs -m
	output_has " 4096 "
	expect 0 holm run --rm tools ipcs -m
	[[ $output != *" 4096 "* ]]
	# /dev/shm goes with it
	expect 0 holm exec a sh -c 'echo kept >/dev/shm/file'
	expect 0 holm run --rm --ipc container:a tools cat /dev/shm/file
	output_is kept
}

@test "/dev/shm of a shareable container has the size asked for, and is the same for both" {
	expect 0 holm run -d --name a --ipc shareable --shm-size 1m busybox sleep 1000
	for who in "exec a" "run --rm --ipc container:a busybox"; do
		# shellcheck disable=SC2086
		expect 0 holm $who sh -c 'df -k /dev/shm | tail -1; touch /dev/shm/by-$$'
		output_has " 1024 "
	done
	expect 0 holm run -d --name b --ipc container:a busybox sleep 1000
	expect 1 holm exec b dd if=/dev/zero of=/dev/shm/much bs=64k count=32
	output_has "No space left"
	expect 0 holm exec a sh -c 'ls /dev/shm | wc -l; stat -c %s /dev/shm/much; grep /dev/shm /proc/mounts'
	output_has "1048576"
	[[ $output == *nosuid*nodev*noexec* ]]
	expect 0 holm exec b sh -c 'grep /dev/shm /proc/mounts'
	[[ $output == *nosuid*nodev*noexec* ]]
	# it is theirs alone, and lives as long as the one of them
	not ls /dev/shm/much
	expect 0 holm stop -t 0 a
	expect 0 holm exec b stat -c %s /dev/shm/much
	output_is 1048576
	refused 1 "not running" holm exec a true
	refused 125 "not running" holm run --rm --ipc container:a busybox true
}

@test "a folder that a container puts in the place of its /dev/shm leads nowhere else" {
	expect 0 holm run -d --name a --ipc shareable --cap-add SYS_ADMIN \
		--security-opt seccomp=unconfined busybox sh -c \
		'echo mine >/etc/mark
		 umount /dev/shm && rmdir /dev/shm && ln -s ../../../../etc /dev/shm && echo ready
		 sleep 1000'
	within 5 eval 'holm logs a | grep -q ready'
	expect 0 holm run --rm --ipc container:a busybox cat /dev/shm/mark
	output_is mine
}

@test "the IPC namespace of a container that keeps it private is not joined" {
	expect 0 holm run -d --name a --ipc private busybox sleep 1000
	refused 125 "a" holm run --rm --ipc container:a busybox true
}

@test "the host's namespaces are there when asked for, and only then" {
	local kind
	for kind in net pid ipc uts; do
		expect 0 holm run --rm "--$kind" host busybox readlink "/proc/self/ns/$kind"
		output_is "$(readlink "/proc/self/ns/$kind")"
		expect 0 holm run --rm busybox readlink "/proc/self/ns/$kind"
		[ "$output" != "$(readlink "/proc/self/ns/$kind")" ]
	done
	expect 0 holm run --rm --cgroupns host busybox readlink /proc/self/ns/cgroup
	output_is "$(readlink /proc/self/ns/cgroup)"
}

@test "a namespace of a container that does not run is refused" {
	expect 0 holm create --name sleeper busybox sleep 1000
	refused 125 'it is not running' holm run --rm --net container:sleeper busybox true
	refused 125 'it is not running' holm run --rm --pid container:sleeper busybox true
	refused 125 nobody holm run --rm --net container:nobody busybox true
}

@test "a container outlives the one whose network it shares" {
	start_web
	expect 0 holm run -d --name peer --net container:web busybox sleep 1000
	expect 0 holm rm -f web
	expect 0 holm exec peer ip addr show lo
	output_has "127.0.0.1"
}
