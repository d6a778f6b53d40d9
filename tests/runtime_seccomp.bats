#!/usr/bin/env bats
# Seccomp profiles that ask an agent: listenerPath, as runtime-spec v1.3 config-linux.md#seccomp has it.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
	AGENT=$BATS_TEST_TMPDIR/agent
	bundle_edit 'del(.annotations["org.holm.seccomp"]) | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		listenerPath: $a, listenerMetadata: "some=words",
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }] }' --arg a "$AGENT"
}

agent() { # ERRNO
	service "$BATS_TEST_DIRNAME/runtime/seccomp_agent.py" "$AGENT" "$AGENT.log" "$1"
	within 10 test -S "$AGENT"
}

@test "the agent gets the listener with the state of the process, and answers its calls" {
	agent 28
	expect 1 bundle mkdir /tmp/made
	output_has "No space left on device"
	[ ! -e "$ROOTFS/tmp/made" ]
	within 5 grep -q end "$AGENT.log"
	local state
	state=$(sed -n '1s/ 1$//p' "$AGENT.log")
	[ "$(jq -c '[.ociVersion, .fds, .metadata, .state.status, .state.bundle, .state.ociVersion]' <<<"$state")" = \
		'["1.3.0",["seccompFd"],"some=words","creating","'"$BUNDLE"'","1.3.0"]' ]
	[ "$(jq '.pid == .state.pid and .pid > 1 and (.state.id | startswith("bundle-"))' <<<"$state")" = true ]
}

@test "exec has a listener of its own, with its own pid" {
	agent 28
	expect 1 bundle_exec mkdir /tmp/made
	output_has "No space left on device"
	local first second
	first=$(sed -n '1s/ 1$//p' "$AGENT.log")
	second=$(sed -n '2s/ 1$//p' "$AGENT.log")
	[ "$(jq -r .state.status <<<"$second")" = running ]
	[ "$(jq .state.pid <<<"$second")" = "$(jq .pid <<<"$first")" ]
	[ "$(jq .pid <<<"$second")" != "$(jq .pid <<<"$first")" ]
}

@test "calls of the runtime itself that are asked about do not stop it" {
	agent 0
	bundle_edit '.linux.seccomp.syscalls[0].names = ["setresuid", "setresgid", "setgroups", "capset", "prctl", "close", "fcntl",
		"recvmsg", "clone", "setsid", "execve", "openat2", "openat", "fchdir", "exit_group", "umask"]'
	expect 0 bundle sh -c 'echo through'
	output_is through
	expect 0 bundle_exec echo through
	output_is through
	bundle_edit '.process.noNewPrivileges = true'
	expect 0 bundle_exec echo through
	output_is through
}

@test "every flag of the specification is taken" {
	local flags
	agent 28
	flags='["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
	bundle_edit '.linux.seccomp.flags = $f' --argjson f "$flags"
	run bundle mkdir /tmp/made
	[[ $output != *"this kernel has no SECCOMP_FILTER_FLAG_"* ]] || skip "$output"
	output_has "No space left on device"
	# and where nobody is asked
	bundle_edit '.linux.seccomp.syscalls[0] |= { names: .names, action: "SCMP_ACT_ERRNO", errnoRet: 122 }'
	expect 1 bundle mkdir /tmp/made
	output_has "quota exceeded"
	bundle_edit '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_NONE"]'
	bundle_refused 125 "linux.seccomp: flags[0] 'SECCOMP_FILTER_FLAG_NONE' is unknown" bundle true
}

@test "a value that is none is refused with the path of its member" {
	local profile text
	while IFS='|' read -r profile text; do
		bundle_edit 'del(.annotations["org.holm.seccomp"]) | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" } + $p' \
			--argjson p "$profile"
		bundle_refused 125 "linux.seccomp: $text" bundle true
	done <<-'E'
		{ "defaultAction": "ALLOW" }|defaultAction 'ALLOW' is unknown
		{ "defaultErrnoRet": 5 }|defaultErrnoRet: SCMP_ACT_ALLOW has none
		{ "architectures": ["SCMP_ARCH_X86_64", "X"] }|architectures[1] 'X' is unknown
		{ "listenerMetadata": "x" }|listenerMetadata without a listenerPath
		{ "syscalls": [{ "names": ["chmod"], "action": "X" }] }|syscalls[0]: action 'X' is unknown
		{ "syscalls": [{ "names": ["chmod"] }] }|syscalls[0]: action '' is unknown
		{ "syscalls": [{ "action": "SCMP_ACT_ERRNO" }] }|syscalls[0]: names is empty
		{ "syscalls": [{ "names": ["chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5000 }] }|syscalls[0]: errnoRet 5000 of SCMP_ACT_ERRNO
		{ "syscalls": [{ "names": ["chmod"], "action": "SCMP_ACT_KILL", "errnoRet": 5 }] }|syscalls[0]: errnoRet: SCMP_ACT_KILL has none
		{ "syscalls": [{ "names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [{ "index": 9, "op": "SCMP_CMP_EQ" }] }] }|syscalls[0]: args[0]: index 9
		{ "syscalls": [{ "names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [{ "index": 0, "op": "EQ" }] }] }|syscalls[0]: args[0]: op 'EQ' is unknown
	E
}

@test "crun's annotation names the agent, too" {
	agent 28
	bundle_edit '.annotations["run.oci.seccomp.receiver"] = .linux.seccomp.listenerPath | del(.linux.seccomp.listenerPath)'
	expect 1 bundle mkdir /tmp/made
	output_has "No space left on device"
}

@test "without somebody who answers nothing starts" {
	bundle_refused 125 "seccomp listener: connect to $AGENT: No such file or directory" bundle true
	bundle_edit 'del(.linux.seccomp.listenerPath)'
	bundle_refused 125 "SCMP_ACT_NOTIFY without a listenerPath" bundle true
	bundle_edit '.linux.seccomp.listenerPath = "relative"'
	bundle_refused 125 "listenerPath 'relative' is not absolute" bundle true
	bundle_edit '.linux.seccomp.listenerPath = "/a" | .linux.seccomp.syscalls[0].names = ["sendmsg"]'
	bundle_refused 125 "syscalls[0]: SCMP_ACT_NOTIFY for sendmsg would stop the runtime itself" bundle true
	bundle_edit '.linux.seccomp |= { defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/a" }'
	bundle_refused 125 "defaultAction SCMP_ACT_NOTIFY would stop the runtime itself" bundle true
}

@test "an agent that hangs up at once leaves calls that fail, not ones that wait" {
	service python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
while True: s.accept()[0].close()' "$AGENT"
	within 10 test -S "$AGENT"
	# it may be gone before it has been told, and then nothing starts
	run bundle mkdir /tmp/made
	[ "$status" = 1 ] || { [ "$status" = 125 ] && output_has "agent: send: "; }
	[ ! -e "$ROOTFS/tmp/made" ]
}

@test "an unknown system call is skipped, unless it is to be an error" {
	bundle_edit '.linux.seccomp.syscalls = [{ names: ["no_such_call"], action: "SCMP_ACT_ERRNO" }]'
	expect 0 bundle true
	bundle_edit '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"'
	bundle_refused 125 "seccomp: syscalls[0]: no system call 'no_such_call'" bundle true
}
