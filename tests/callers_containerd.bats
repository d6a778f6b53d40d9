# containerd, by its ctr: the shim of runc with holm-runtime in runc's place.
# shellcheck disable=SC2154

load holm
load callers/callers

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
	callers_setup_file containerd containerd-shim-runc-v2 ctr || return 0
	caller_containerd
	ctr image import "$CALLER/busybox.tar"
	IMAGE=$(ctr image ls -q)
	export IMAGE
}

teardown_file() {
	[ -z "${CALLER:-}" ] || callers_teardown_file containerd
}

teardown() {
	[ -z "${CALLER_LACKS:-}" ] || return 0
	local name
	for name in $(ctr task ls -q); do
		ctr task rm -f "$name" || true
	done
	for name in $(ctr container ls -q); do
		ctr container rm "$name" || true
	done
	holm_teardown
}

ctr() { # ARGUMENT...
	command ctr --address /run/containerd-test.sock "$@"
}

ctr_run() { # ARGUMENT...
	ctr run --runtime io.containerd.runc.v2 --runc-binary "$RUNTIME" "$@"
}

# Ends at once with that status when it is asked to.
ctr_service() { # NAME STATUS
	ctr_run -d "$IMAGE" "$1" sh -c "trap 'exit $2' TERM; while sleep 0.1; do :; done"
}

task_is() { # NAME STATUS
	ctr task ls | grep -qE "^$1 .* $2\$"
}

@test "ctr run: output and exit status" {
	expect 0 ctr_run --rm "$IMAGE" one echo hello
	output_is hello
	expect 42 ctr_run --rm "$IMAGE" two sh -c 'exit 42'
	expect 1 ctr_run --rm "$IMAGE" four nowhere
	output_has 'exec: "nowhere": executable file not found in $PATH'
	expect 1 ctr_run --rm "$IMAGE" five /etc
	output_has 'permission denied'
	expect 0 ctr_run --rm --privileged --net-host "$IMAGE" six true
}

@test "a task: exec, ps, metrics, kill, delete; the trap's exit status comes back" {
	ctr_service web 3
	within 5 task_is web RUNNING
	expect 9 ctr task exec --exec-id one web sh -c 'exit 9'
	expect 0 ctr task exec --exec-id two --cwd /tmp --user 1000 web sh -c 'id -u; pwd'
	output_is $'1000\n/tmp'
	expect 1 ctr task exec --exec-id three web nowhere
	output_has 'executable file not found in $PATH'
	expect 0 ctr task ps web
	[ "${#lines[@]}" -ge 2 ]
	expect 0 ctr task metrics web
	output_has pids.current
	expect 0 ctr task kill -s TERM web
	within 5 task_is web STOPPED
	run ctr task delete web
	output_has "non-zero exit code 3"
	expect 0 ctr container delete web
}

@test "pause and resume a task" {
	ctr_service web 0
	expect 0 ctr task pause web
	within 5 task_is web PAUSED
	expect 0 ctr task resume web
	within 5 task_is web RUNNING
	expect 0 ctr task kill -s KILL web
	within 5 task_is web STOPPED
}

@test "kill --all ends every process of a task that shares the host's PID namespace" {
	ctr_run -d --with-ns "pid:/proc/1/ns/pid" "$IMAGE" web sh -c 'sleep 999 & sleep 999'
	within 5 task_is web RUNNING
	expect 0 ctr task kill --all -s KILL web
	within 5 task_is web STOPPED
	within 5 not pgrep -f '^sleep 999'
}

@test "terminals, for run and for exec" {
	export -f ctr ctr_run
	expect 4 on_a_terminal ctr_run --rm -t "$IMAGE" one sh -c 'tty; exit 4'
	output_has /dev/pts/0
	ctr_service web 0
	expect 5 on_a_terminal ctr task exec -t --exec-id one web sh -c 'tty; exit 5'
	output_has /dev/pts/0
}

@test "limits" {
	ctr_run -d --memory-limit 67108864 --cpus 0.5 "$IMAGE" web sleep 1000
	pid=$(ctr task ls | awk '$1 == "web" { print $2 }')
	[ "$(cgroup_file "$pid" memory/memory.limit_in_bytes memory.max)" = 67108864 ]
	[[ $(cgroup_file "$pid" cpu/cpu.cfs_quota_us cpu.max) == 50000* ]]
}

@test "containerd takes the configuration for Kubernetes" {
	readme_block /etc/containerd/config.toml >config.toml
	expect 0 containerd --config "$PWD/config.toml" config dump
	output_has '.containerd.runtimes.holm]'
	output_has "BinaryName = \"$RUNTIME\""
}
