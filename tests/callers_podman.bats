# Podman, with holm-runtime as its runtime: containers.conf as the README has it.
# shellcheck disable=SC2154

load holm
load callers/callers
load nested

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
	callers_setup_file podman conmon /etc/containers/policy.json || return 0
	export CONTAINERS_CONF=$CALLER/containers.conf
	{
		readme_block /etc/containers/containers.conf |
			sed '/^runtime = /a events_logger = "file"\nruntime_supports_nocgroup = ["holm-runtime"]'
		# raising limits takes CAP_SYS_RESOURCE, which not every root has
		printf '[containers]\ndefault_ulimits = []\n'
	} >"$CONTAINERS_CONF"
	podman load -q -i "$CALLER/busybox.tar"
}

teardown_file() {
	[ -z "${CALLER:-}" ] || callers_teardown_file
}

teardown() {
	[ -z "${CALLER_LACKS:-}" ] || return 0
	podman pod rm -f -a >/dev/null 2>&1 || true
	podman rm -f -t 0 -a >/dev/null 2>&1 || true
	within 10 not pgrep -x podman # conmon has it tidy up
	! mountpoint -q "$CALLER/root/overlay" || umount "$CALLER/root/overlay" # podman's, for all of them
	holm_teardown
}

podman() { # ARGUMENT...
	command podman --root "$CALLER/root" --runroot /run/podman-test --tmpdir /run/podman-tmp \
		--storage-driver overlay --cgroup-manager cgroupfs "$@"
}

# `podman run` without a network, which takes the longest by far.
podman_run() { # ARGUMENT...
	podman run --network none "$@"
}

podman_sleeper() { # NAME [ARGUMENT...]
	local name=$1
	shift
	podman_run -d --name "$name" "$@" busybox sleep 1000 >/dev/null
}

is() { # NAME "RESTARTS STATUS CODE"
	[ "$(podman inspect --format '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' "$1")" = "$2" ]
}

@test "podman run: output, and every kind of exit status" {
	expect 0 podman_run --rm busybox echo hello
	output_is hello
	expect 42 podman_run --rm busybox sh -c 'exit 42'
	expect 127 podman_run --rm busybox nowhere
	output_has 'executable file not found in $PATH'
	expect 126 podman_run --rm busybox /etc
	output_has 'permission denied'
	expect 125 podman_run --rm --no-such-option busybox true
	expect 0 podman run --rm --network host busybox true
	expect 0 podman info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}'
	output_has "holm-runtime holm-runtime version "
}

@test "podman run -d: logs, exec, top, stats, stop; the trap's exit status comes back" {
	podman_run -d --name web busybox \
		sh -c 'echo started; trap "exit 3" TERM; while sleep 0.1; do :; done' >/dev/null
	within 5 caller_has_said podman web started
	expect 9 podman exec web sh -c 'exit 9'
	expect 0 podman exec -u 1000 -w /tmp -e A=b web sh -c 'id -u; pwd; echo $A'
	output_is $'1000\n/tmp\nb'
	expect 0 podman exec -i web cat <<<in
	output_is in
	expect 127 podman exec web nowhere
	expect 126 podman exec web /etc
	expect 0 podman exec -d web sleep 77
	expect 0 podman top web
	output_has "sleep 77"
	expect 0 podman stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' web
	[[ $output =~ ^web\ [1-9].*B\ /\ .*B$ ]]
	expect 0 podman stop web
	expect 0 podman inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.OCIRuntime}}' web
	output_is "exited 3 holm-runtime"
	expect 0 podman start web
	expect 0 podman kill web
	expect 0 podman wait web
	output_is 137
	expect 0 podman events --stream=false --since 1h --filter container=web --format '{{.Status}}'
	[[ $output == *start*died*start*kill*died* ]]
}

@test "podman: terminals, for run and for exec" {
	export -f podman podman_run
	podman_sleeper sleeper
	for where in "" on_a_terminal; do # of what ends at once, podman loses the last words
		expect 4 $where podman_run --rm -it busybox sh -c 'tty; sleep 0.3; exit 4'
		output_has /dev/pts/0
		expect 5 $where podman exec -it sleeper sh -c 'tty; sleep 0.3; exit 5'
		output_has /dev/pts/0
	done
}

@test "podman pause and unpause: nothing runs in between" {
	caller_pauses podman
	expect 0 podman rm -f -t 0 busy
}

@test "podman limits: they hold, are changed by update, and an OOM is reported" {
	expect 0 podman_run --rm -m 64m --cpus 0.5 --pids-limit 33 busybox sh -c "$(limits_script)"
	[[ $output == $'67108864\n50000'*$'\n33' ]]
	podman_sleeper limited -m 64m
	expect 0 podman update -m 48m --cpus 0.25 limited
	pid=$(podman inspect --format '{{.State.Pid}}' limited)
	[ "$(cgroup_file "$pid" memory/memory.limit_in_bytes memory.max)" = 50331648 ]
	[[ $(cgroup_file "$pid" cpu/cpu.cfs_quota_us cpu.max) == 25000* ]]
	expect 137 podman_run --name greedy -m 20m busybox dd if=/dev/zero of=/dev/null bs=100M
}

@test "podman: users, groups, capabilities, seccomp, read-only roots, devices" {
	expect 0 podman_run --rm --user 1000:1000 --group-add 55 busybox id
	output_has "uid=1000(1000) gid=1000(1000) groups=55,1000(1000)"
	caller_restricts podman
	expect 0 podman_run --rm --device /dev/fuse busybox stat -c %a:%t:%T /dev/fuse
	output_is "$(stat -c %a:%t:%T /dev/fuse)"
	expect 0 podman_run --rm --uidmap 0:100000:65536 busybox cat /proc/self/uid_map
	output_has 100000
	podman_sleeper apart --cgroups=disabled
	not grep -E "holm|libpod-" "/proc/$(podman inspect --format '{{.State.Pid}}' apart)/cgroup"
	expect 0 podman_run --rm --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward
	output_is 1
}

@test "podman --systemd: a container has a place of its own in systemd's hierarchy, with or without systemd here" {
	grep -q ' - cgroup .*name=systemd' /proc/self/mountinfo || skip "no hierarchy name=systemd here"
	expect 0 podman_run --rm --systemd always busybox grep name=systemd: /proc/1/cgroup
	output_has "/libpod-"
}

@test "podman --init, health checks, restart policies" {
	needs catatonit
	expect 0 podman_run --rm --init busybox cat /proc/1/comm
	output_is podman-init
	podman_sleeper checked --health-cmd 'test -e /ok' --health-interval disable
	expect 1 podman healthcheck run checked
	expect 0 podman exec checked touch /ok
	expect 0 podman healthcheck run checked
	podman_run -d --restart on-failure:2 --name again busybox sh -c 'exit 3' >/dev/null
	within 10 is again "2 exited 3"
}

@test "a pod: containers that share namespaces" {
	needs catatonit
	# for runc and crun as well
	! cgroup_v2 || skip "podman 4.3 forbids all devices in a pod's cgroup of v2, without systemd"
	expect 0 podman pod create --name pod --network none --share net,ipc,uts,pid
	expect 0 podman run -d --pod pod --name a busybox sleep 888
	expect 0 podman run --rm --pod pod busybox sh -c 'ps; readlink /proc/self/ns/net'
	output_has "sleep 888"
	net=${lines[-1]}
	expect 0 podman exec a readlink /proc/self/ns/net
	output_is "$net"
	expect 0 podman pod stop -t 0 pod
	expect 0 podman pod rm -f pod
}

counts() { # NAME AT_LEAST
	[ "$(podman logs "$1" | tr -d '\r' | tail -n 1)" -ge "$2" ]
}

podman_stores_and_restores() { # [ARGUMENT...] of run
	podman_run -d --name counter "$@" busybox \
		sh -c 'i=0; while sleep 0.1; do i=$((i + 1)); echo $i; done' >/dev/null
	within 20 counts counter 3
	run --separate-stderr podman container checkpoint --keep counter
	[[ $stderr != *"does not know Linux"* ]] || skip "$stderr"
	[ "$status" = 0 ]
	expect 0 podman inspect --format '{{.State.Status}} {{.State.Checkpointed}}' counter
	output_is "exited true"
	before=$(podman logs counter | tr -d '\r' | tail -n 1)
	expect 0 podman container restore --keep counter
	expect 0 podman inspect --format '{{.State.Status}}' counter
	output_is running
	within 20 counts counter $((before + 3))
	[ "$(podman logs counter | tr -d '\r' | grep -c '^1$')" = 1 ]
	expect 0 podman exec counter true
	expect 0 podman rm -f -t 0 counter
}

@test "podman container checkpoint and restore, without a terminal and with one" {
	needs criu
	podman_stores_and_restores
	podman_stores_and_restores -t
}

# A system with a user 1000 who has subordinate ids, whatever the host's is like.
podman_user() {
	USER_HOME=$TMPDIR/podman-user # what is above bats' own folders can be opened to him
	mkdir "$USER_HOME"
	mkdir -p /run/user/1000
	chmod 755 "$TMPDIR"
	cp "$CALLER/busybox.tar" "$CONTAINERS_CONF" "$USER_HOME"
	chown -R 1000:1000 "$USER_HOME" /run/user/1000
	echo "podman:x:1000:1000::$USER_HOME:/bin/sh" | cat /etc/passwd - |
		awk -F: '!seen[$3]++' >passwd
	echo "podman:x:1000:" | cat /etc/group - | awk -F: '!seen[$3]++' >group
	awk -F: '$3 == 1000 { print $1 ":200000:65536" }' passwd >subid
	mount --bind passwd /etc/passwd
	mount --bind group /etc/group
	mount --bind subid /etc/subuid
	mount --bind subid /etc/subgid
}

podman_user_end() {
	umount /etc/passwd /etc/group /etc/subuid /etc/subgid
	rm -rf "${USER_HOME:?}" /run/user/1000
}

podman_as_user() { # ARGUMENT...
	setpriv --reuid 1000 --regid 1000 --clear-groups env -C "$USER_HOME" HOME="$USER_HOME" TMPDIR="$USER_HOME" \
		XDG_RUNTIME_DIR=/run/user/1000 CONTAINERS_CONF="$USER_HOME/containers.conf" \
		podman --storage-driver vfs --cgroup-manager cgroupfs "$@"
}

@test "podman of an ordinary user" {
	needs newuidmap setpriv
	[ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "no /etc/subuid and /etc/subgid here"
	podman_user
	expect 0 podman_as_user load -q -i busybox.tar
	expect 42 podman_as_user run --rm --network none busybox sh -c 'id -u; exit 42'
	output_is 0
	expect 0 podman_as_user run --rm --network none --userns keep-id busybox id -u
	output_is 1000
	expect 127 podman_as_user run --rm --network none busybox nowhere
	expect 0 podman_as_user run -d --network none --name sleeper busybox sleep 1000
	expect 9 podman_as_user exec sleeper sh -c 'exit 9'
	expect 0 podman_as_user exec -t sleeper tty
	expect 0 podman_as_user stop -t 0 sleeper
	expect 0 podman_as_user inspect --format '{{.State.ExitCode}} {{.OCIRuntime}}' sleeper
	output_is "137 holm-runtime"
	expect 0 podman_as_user rm sleeper
	podman_user_end
}

@test "holm in a container of podman's, as a user and as root" {
	holm_runs_inside podman run --rm
}

@test "podman plays what holm generates, and holm what podman generates" {
	podman tag busybox docker.io/library/busybox:latest 2>/dev/null || true
	holm pod create web >/dev/null
	holm create --pod web --name web-one -m 64m --cpus 0.5 --cap-drop ALL -u 5:6 -v played:/data -v /etc/hostname:/h:ro \
		-e A=yes busybox sh -c 'sleep 1000' >/dev/null
	holm create --pod web --name web-two busybox sleep 1000 >/dev/null
	holm kube generate web played >ours.yaml
	holm pod rm -f web >/dev/null
	holm volume rm played >/dev/null
	expect 0 podman kube play --network none ours.yaml
	expect 0 podman exec web-one sh -c 'id -u; id -g; echo $A; ls -d /data /h'
	output_is $'5\n6\nyes\n/data\n/h'
	[ "$(podman inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.EffectiveCaps}}' web-one)" = "67108864 500000000 []" ]
	podman kube generate web played >theirs.yaml 2>/dev/null
	podman kube down ours.yaml >/dev/null
	podman volume rm -a -f >/dev/null
	expect 0 holm kube play --network none theirs.yaml
	expect 0 holm exec web-web-one sh -c 'id -u; id -g; echo $A; ls -d /data /h'
	output_is $'5\n6\nyes\n/data\n/h'
	[ "$(holm inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}' web-web-one)" = "67108864 500000000" ]
	[ "$(holm exec web-web-one sed -n 's/^CapBnd:\s*//p' /proc/1/status)" = 0000000000000000 ]
	expect 0 holm kube down --force theirs.yaml
}
