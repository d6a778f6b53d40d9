# callers.bash - for files in which another engine drives holm-runtime: `load holm`, then `load
# callers/callers`. One engine serves a whole file, from callers_setup_file to callers_teardown_file;
# what it keeps lies in $CALLER, and /run and /dev/shm are the file's own. What the machine lacks for it
# is CALLER_LACKS, for setup() to skip with: bats 1.8 cannot skip in setup_file.
# shellcheck shell=bash

setup() {
	[ -z "${CALLER_LACKS:-}" ] || skip "no $CALLER_LACKS here (tests/packages/callers)"
	holm_setup
}

# Status 1: there is nothing to go on with.
callers_setup_file() { # PROGRAM|/FILE...
	for CALLER_LACKS in holm-runtime "$@"; do
		[ -e "$CALLER_LACKS" ] || command -v "$CALLER_LACKS" >/dev/null || {
			export CALLER_LACKS
			return 1
		}
	done
	unset CALLER_LACKS
	RUNTIME=$(command -v holm-runtime)
	export CALLER=$BATS_FILE_TMPDIR/caller RUNTIME
	mkdir "$CALLER"
	mount --make-rshared / # what volumes and pods expect of a host
	mount -t tmpfs -o mode=755 run /run
	mount -t tmpfs -o mode=1777 shm /dev/shm
	HOLM_ROOT=$CALLER/holm HOLM_RUN=/run/holm holm run --rm busybox true
	HOLM_ROOT=$CALLER/holm HOLM_RUN=/run/holm holm save -o "$CALLER/busybox.tar" busybox
}

callers_teardown_file() {
	local name
	for name in "$@"; do
		caller_ends "$name"
	done
	umount -l /run /dev/shm
}

# The block that the README shows for this file, with the path of the program that is tested.
readme_block() { # FILE
	awk -v file="\`$1\`" 'index($0, file) { found = 1 } /^```/ && found && inside++ { exit }
		inside && !/^```/' "$BATS_TEST_DIRNAME/../README.md" |
		sed "s|/usr/local/bin/holm-runtime|$RUNTIME|"
}

# A daemon of the caller's, for caller_ends.
caller_starts() { # NAME COMMAND...
	local name=$1
	shift
	"$@" >"$CALLER/$name.log" 2>&1 3>&- &
	echo $! >"$CALLER/$name.pid"
}

# bats runs the end of a file in a process of its own, which is not the daemon's parent.
caller_ends() { # NAME
	local pid
	[ -e "$CALLER/$1.pid" ] || return 0
	pid=$(cat "$CALLER/$1.pid")
	kill "$pid" || return 0
	within 20 not test -e "/proc/$pid" || kill -KILL "$pid"
}

# The command, or function that is exported, with a terminal for its three streams.
on_a_terminal() { # COMMAND...
	SHELL=/bin/bash script --quiet --return --command "$(printf '%q ' "$@")" /dev/null </dev/null
}

# What a container sees of its own limits, as a script for its shell: memory, quota, processes.
limits_script() {
	if cgroup_v2; then
		echo 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'
	else
		echo 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max'
	fi
}

# One file of the cgroup of a process, as the host names it on v1 and on v2: CONTROLLER/FILE or FILE.
cgroup_file() { # PID V1 V2
	local path controller=${2%%/*}
	if cgroup_v2; then
		path=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
		cat "/sys/fs/cgroup$path/$3"
	else
		path=$(sed -n "s/^[0-9]*:\([^:]*,\)\?$controller\(,[^:]*\)\?:\(.*\)/\3/p" "/proc/$1/cgroup")
		cat "/sys/fs/cgroup/$controller$path/${2#*/}"
	fi
}

# containerd, at /run/containerd-test.sock.
caller_containerd() {
	cat >"$CALLER/containerd.toml" <<-E
		version = 2
		root = "$CALLER/containerd"
		state = "/run/containerd-test"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "/run/containerd-test.sock"
	E
	caller_starts containerd containerd --config "$CALLER/containerd.toml"
	within 20 command ctr --address /run/containerd-test.sock version
}

# What follows is the same for docker and for podman: ENGINE, and ENGINE_run for a container without a
# network.

caller_has_said() { # ENGINE NAME TEXT
	"$1" logs "$2" | grep -qF "$3"
}

# Leaves the container busy, paused.
caller_pauses() { # ENGINE
	local before
	"$1_run" -d --name busy -v "$PWD:/out" busybox \
		sh -c 'while sleep 0.05; do echo >>/out/ticks; done' >/dev/null
	within 5 test -s ticks
	expect 0 "$1" pause busy
	before=$(wc -l <ticks)
	expect 0 "$1" inspect --format '{{.State.Status}}' busy
	output_is paused
	sleep 0.3
	[ "$(wc -l <ticks)" = "$before" ]
	expect 0 "$1" unpause busy
	rm ticks
	within 5 test -s ticks
	expect 0 "$1" pause busy
}

caller_restricts() { # ENGINE
	expect 0 "$1_run" --rm --cap-drop all --security-opt no-new-privileges busybox \
		grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status
	output_is $'CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2'
	expect 0 "$1_run" --rm --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status
	output_is $'Seccomp:\t0'
	expect 0 "$1_run" --rm --read-only --tmpfs /t -v data:/data -v "$PWD:/host:ro" busybox \
		sh -c 'touch /t/x /data/x && ! touch /x 2>/dev/null && ! touch /host/x 2>/dev/null'
	expect 0 "$1_run" --rm --privileged busybox sh -c 'test -e /dev/fuse && test -e /dev/kmsg'
}
