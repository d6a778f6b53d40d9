#!/usr/bin/env bats
# What the kernel remembers of a container's processes: scheduler, priorities, CPUs, memory, limits;
# for the first one and for those that exec sends in.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
}

# Of /proc/PID/stat: 19 is the nice value, 40 the priority, 41 the policy.
STATE='cut -d " " -f 19,40,41 /proc/self/stat; ionice -p $$; umask
	sed -n "s/Cpus_allowed_list:.//p" /proc/self/status; cat /proc/self/oom_score_adj'

# exec with a process of its own, as runc exec --process: `exec_as JSON COMMAND...`.
exec_as() { # JSON COMMAND...
	jq -n --argjson more "$1" '{ user: { uid: 0, gid: 0 }, env: ["PATH=/bin"], cwd: "/" } + $more' \
		>"$BATS_TEST_TMPDIR/process.json"
	shift
	EXEC_PROCESS=$BATS_TEST_TMPDIR/process.json bundle_exec "$@"
}

all_cpus() {
	sed -n 's/Cpus_allowed_list:.//p' /proc/self/status
}

@test "scheduler, I/O priority, memory policy and personality are as asked; CPUs are for exec alone" {
	bundle_edit '.process.scheduler = { policy: "SCHED_BATCH", nice: 5 }
		| .process.ioPriority = { class: "IOPRIO_CLASS_IDLE", priority: 0 }
		| .process.execCPUAffinity = { initial: "0", final: "0" }
		| .linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0" } | .linux.personality = { domain: "LINUX32" }'
	expect 0 bundle sh -c "$STATE; uname -m; grep -c bind:0 /proc/self/numa_maps"
	[ "${lines[0]}" = "5 0 3" ]
	[ "${lines[1]}" = idle ]
	[ "${lines[3]}" = "$(all_cpus)" ]
	[ "${lines[5]}" != x86_64 ]
	[ "${lines[6]}" -gt 0 ]
	expect 0 bundle_exec sh -c "$STATE; uname -m; grep -c bind:0 /proc/self/numa_maps"
	[ "${lines[0]}" = "5 0 3" ]
	[ "${lines[1]}" = idle ]
	[ "${lines[3]}" = 0 ]
	[ "${lines[5]}" != x86_64 ]
	[ "${lines[6]}" -gt 0 ]
}

@test "what exec does not say is the container's, what it says is its own" {
	bundle_edit '.process.scheduler = { policy: "SCHED_BATCH", nice: 5 } | .process.oomScoreAdj = 500
		| .process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 } | .process.user.umask = 63'
	expect 0 exec_as '{}' sh -c "$STATE"
	output_is "5 0 3
best-effort: prio 6
0077
$(all_cpus)
500"
	expect 0 exec_as '{ "scheduler": { "policy": "SCHED_OTHER", "nice": 7 }, "oomScoreAdj": 600,
		"ioPriority": { "class": "IOPRIO_CLASS_BE", "priority": 1 }, "execCPUAffinity": { "final": "0" },
		"user": { "uid": 0, "gid": 0, "umask": 7, "additionalGids": [44] } }' sh -c "$STATE; id -G"
	output_is "7 0 0
best-effort: prio 1
0007
0
600
0 44"
}

@test "a process may have SCHED_DEADLINE, which would not survive a fork, in exec, too" {
	local scheduler='{ "policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 20000000, "period": 30000000 }'
	chrt --deadline -T 1000000 -D 20000000 -P 30000000 0 true || skip "this kernel gives no SCHED_DEADLINE here"
	bundle_edit '.process.scheduler = $s' --argjson s "$scheduler"
	expect 0 bundle cut -d ' ' -f 41 /proc/self/stat
	output_is 6
	bundle_edit 'del(.process.scheduler)'
	expect 0 exec_as "{ \"scheduler\": $scheduler }" cut -d ' ' -f 41 /proc/self/stat
	output_is 6
	bundle_edit '.process.scheduler = { policy: "SCHED_OTHER", nice: 3, flags: ["SCHED_FLAG_RESET_ON_FORK"] }'
	expect 0 bundle_exec cut -d ' ' -f 19 /proc/self/stat
	output_is 3
}

# Before Linux 6.2 who enters a cgroup with a cpuset of v2 has its CPUs, whatever was set before.
kept_cpus() { # CPUS
	[ "${lines[3]}" = "$1" ] || { cgroup_v2 && kernel_before 6 2 && [ "${lines[3]}" = "$(all_cpus)" ]; }
}

@test "CPUs until exec is in the cgroup, and from then on" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU only"
	expect 0 exec_as '{ "execCPUAffinity": { "initial": "1" } }' sh -c "$STATE"
	kept_cpus 1
	expect 0 exec_as '{ "execCPUAffinity": { "initial": "1", "final": "0" } }' sh -c "$STATE"
	[ "${lines[3]}" = 0 ]
	bundle_refused 125 "process.execCPUAffinity.final: set the CPUs 8000" \
		exec_as '{ "execCPUAffinity": { "final": "8000" } }' true
}

@test "CPUs that the container asks for are not narrowed by those of who starts it" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU only"
	# shellcheck disable=SC2034 # for bundle
	BUNDLE_WRAPPER="taskset -c 0"
	bundle_edit '.linux.resources.cpu = { cpus: "0-1" }'
	expect 0 bundle sh -c "$STATE"
	[ "${lines[3]}" = 0-1 ]
	expect 0 exec_as '{}' sh -c "$STATE"
	[ "${lines[3]}" = 0-1 ]
	bundle_edit 'del(.linux.resources.cpu)'
	expect 0 bundle sh -c "$STATE"
	kept_cpus 0
}

# Prints the core scheduling cookie of a process.
cookie() { # PID
	python3 - "$1" <<-'E'
		import ctypes, sys
		libc, value = ctypes.CDLL(None, use_errno=True), ctypes.c_ulonglong()
		# PR_SCHED_CORE, PR_SCHED_CORE_GET, pid, PR_SCHED_CORE_SCOPE_THREAD
		libc.prctl(62, 0, int(sys.argv[1]), 0, ctypes.byref(value)) == 0 or sys.exit(1)
		print(value.value)
	E
}

@test "core scheduling: a cookie for the container, and exec has it, too" {
	bundle_edit '.annotations["org.holm.core_sched"] = "yes"'
	bundle_refused 125 "org.holm.core_sched 'yes' is neither 'true' nor 'false'" bundle true
	bundle_edit '.annotations["org.holm.core_sched"] = "true"'
	if ! cookie $$; then
		run --separate-stderr bundle true
		output_has "org.holm.core_sched: this kernel has no core scheduling (CONFIG_SCHED_CORE)" ||
			[ "$status" = 0 ] # no core with two threads
		skip "this kernel has no core scheduling, which is said"
	fi
	service bundle_exec sleep 5
	local pids
	within 5 eval '[ "$(pgrep -xc sleep)" = 2 ]'
	pids=$(pgrep -x sleep)
	# shellcheck disable=SC2086
	set -- $pids
	[ "$(cookie "$1")" != 0 ]
	[ "$(cookie "$1")" = "$(cookie "$2")" ]
}

@test "a value that is none is refused with the path of its member" {
	local filter text
	while IFS='|' read -r filter text; do
		bundle_edit "$filter"
		bundle_refused 125 "$text" bundle true
		bundle_config >"$BUNDLE/config.json"
	done <<-'E'
		.process.scheduler = { policy: "SCHED_NONE" }|process.scheduler.policy 'SCHED_NONE' is unknown
		.process.scheduler = { policy: "SCHED_OTHER", flags: ["X"] }|process.scheduler.flags 'X' is unknown
		.process.scheduler = { policy: "SCHED_OTHER", priority: 4 }|process.scheduler.priority is for SCHED_FIFO
		.process.ioPriority = { class: "IOPRIO_CLASS_X", priority: 0 }|process.ioPriority.class 'IOPRIO_CLASS_X' is unknown
		.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 8 }|process.ioPriority.priority 8
		.process.execCPUAffinity = { initial: "0-" }|process.execCPUAffinity.initial '0-'
		.process.user.umask = 512|process.user.umask 01000 is more than 0777
		.process.consoleSize = { height: 70000, width: 80 }|process.consoleSize
		.process.rlimits = [{ type: "RLIMIT_X", soft: 1, hard: 1 }]|process.rlimits[0].type: no resource limit "RLIMIT_X"
		.process.rlimits = [{ type: "RLIMIT_CORE", soft: 1, hard: 1 }, { type: "RLIMIT_CORE", soft: 2, hard: 2 }]|process.rlimits[1].type: RLIMIT_CORE is there twice
		.process.env += ["=x"]|process.env: '=x' is not NAME=VALUE
		.process.oomScoreAdj = 1001|process.oomScoreAdj 1001
		.linux.memoryPolicy = { mode: "MPOL_X", nodes: "0" }|linux.memoryPolicy.mode 'MPOL_X' is unknown
		.linux.memoryPolicy = { mode: "MPOL_BIND" }|linux.memoryPolicy.nodes: MPOL_BIND takes at least one
		.linux.personality = { domain: "BSD" }|linux.personality.domain 'BSD' is unknown
		.linux.personality = { domain: "LINUX", flags: ["X"] }|linux.personality.flags 'X' is unknown
		.linux.rootfsPropagation = "public"|linux.rootfsPropagation 'public' is unknown
		.linux.namespaces[1].type = "pidx"|linux.namespaces[1].type 'pidx' is unknown
		.linux.namespaces += [{ type: "pid" }]|linux.namespaces[6].type 'pid' is there twice
		.linux.resources.devices = [{ allow: false, access: "rwm" }, { allow: true, type: "x" }]|devices[1]: device type "x"
		.linux.resources.memory = { limit: 100 }|memory.limit 100
		.linux.resources.cpu = { shares: 1 }|cpu.shares 1
		.linux.resources.cpu = { period: 1 }|cpu.period 1
		.linux.resources.blockIO = { weight: 1 }|blockIO.weight 1
		.linux.resources.hugepageLimits = [{ pageSize: "x", limit: 1 }]|hugepageLimits[0]: pageSize "x"
		.process.user.additionalGids = [5, 4294967295]|user: additionalGids[1]: 4294967295 is no group id
		.process.user.uid = 4294967295|user: uid and gid: 4294967295 is no id
		.mounts += [{ type: "tmpfs" }]|mounts[7]: mount : destination is missing
		.mounts += [{ destination: "/x", type: "tmpfs" }, { destination: "/", type: "tmpfs" }]|mounts[8]: mount /: the root itself is no place for a mount
		.mounts[0].options += ["tmpcopyup"]|mounts[0]: mount /proc: option tmpcopyup is for tmpfs
		.mounts += [{ destination: "/x" }]|mounts[7]: mount /x: a mount without type that is no bind
		.mounts += [{ destination: "/x", options: ["bind"] }]|mounts[7]: mount /x: a bind mount has no source
		.linux.devices = [{ path: "x", type: "c", major: 1, minor: 3 }]|linux.devices[0]: device x: path is not absolute
		.linux.devices = [{ path: "/dev/x", type: "c", major: 1, minor: 3 }, { path: "/dev/y", type: "q" }]|linux.devices[1]: device /dev/y: type 'q' is none of
		.linux.devices = [{ path: "/dev/x", type: "c", major: -1, minor: 3 }]|linux.devices[0]: device /dev/x: major and minor: -1:3
		.linux.devices = [{ path: "/dev/x", type: "c", major: 1, minor: 3, fileMode: 99999 }]|linux.devices[0]: device /dev/x: fileMode, uid or gid
		.linux.sysctl = { "kernel.panic": "1" }|linux.sysctl: sysctl kernel.panic: belongs to no namespace
		.hooks.poststop = [{ path: "/bin/true" }, { path: "x" }]|hooks.poststop[1]: path 'x' is not absolute
		.hooks.prestart = [{ path: "/bin/true", timeout: 0 }]|hooks.prestart[0]: timeout 0
	E
	bundle_edit '.process.nothing = { a: 1 } | .linux.nothing = 2 | .nothing = []'
	expect 0 bundle true
}

@test "shares of caches take resctrl" {
	bundle_edit '.linux.intelRdt = { l3CacheSchema: "L3:0=f" }'
	[ "$(stat -f -c %T /sys/fs/resctrl 2>/dev/null)" != resctrl ] || skip "resctrl is here: nothing to refuse"
	bundle_refused 125 "linux.intelRdt: no resctrl filesystem at /sys/fs/resctrl" bundle true
	output_has "mount -t resctrl"
}
