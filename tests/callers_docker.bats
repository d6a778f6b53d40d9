# dockerd with holm-runtime as its default runtime: daemon.json as the README has it.
# shellcheck disable=SC2154

load holm
load callers/callers
load nested

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
	callers_setup_file containerd containerd-shim-runc-v2 dockerd docker || return 0
	caller_containerd
	readme_block /etc/docker/daemon.json >"$CALLER/daemon.json"
	DOCKER_BRIDGE=docker0
	iptables -t nat -L >/dev/null 2>&1 || DOCKER_BRIDGE=none
	export DOCKER_BRIDGE
	local network=(--bridge none --iptables=false --ip6tables=false)
	[ $DOCKER_BRIDGE = none ] || network=()
	caller_starts dockerd dockerd --config-file "$CALLER/daemon.json" --host unix:///run/docker-test.sock \
		--data-root "$CALLER/docker" --exec-root /run/docker-test --pidfile /run/docker-test.pid \
		--containerd /run/containerd-test.sock --storage-driver overlay2 \
		--exec-opt native.cgroupdriver=cgroupfs --userland-proxy=false "${network[@]}"
	export DOCKER_HOST=unix:///run/docker-test.sock
	within 30 docker version
	docker load -q -i "$CALLER/busybox.tar"
	docker run --rm --network host busybox true # makes a mount that stays as long as dockerd
}

teardown_file() {
	[ -z "${CALLER:-}" ] || callers_teardown_file dockerd containerd
}

teardown() {
	[ -z "${CALLER_LACKS:-}" ] || return 0
	docker swarm leave --force >/dev/null 2>&1 || true
	docker ps -aq | xargs -r docker rm -f -v >/dev/null || true
	holm_teardown
}

docker_run() { # ARGUMENT...
	docker run --network none "$@"
}

is() { # NAME FORMAT TEXT
	[ "$(docker inspect --format "$2" "$1")" = "$3" ]
}

@test "docker run: output, and every kind of exit status" {
	expect 0 docker info --format '{{.DefaultRuntime}} {{.Runtimes.holm.Path}}'
	output_is "holm $RUNTIME"
	expect 0 docker_run --rm busybox echo hello
	output_is hello
	expect 42 docker_run --rm busybox sh -c 'exit 42'
	expect 127 docker_run --rm busybox nowhere
	output_has 'exec: "nowhere": executable file not found in $PATH'
	expect 127 docker_run --rm busybox /no/where
	output_has 'no such file or directory'
	expect 126 docker_run --rm busybox /etc/passwd
	expect 126 docker_run --rm busybox /etc
	output_has 'permission denied'
	expect 125 docker_run --rm --no-such-option busybox true
}

@test "docker run -d: logs, exec, top, stats, stop, kill; the trap's exit status comes back" {
	docker_run -d --name web busybox \
		sh -c 'echo started; trap "exit 3" TERM; while sleep 0.1; do :; done'
	within 5 caller_has_said docker web started
	expect 9 docker exec web sh -c 'exit 9'
	expect 0 docker exec -u 1000 -w /tmp -e A=b web sh -c 'id -u; pwd; echo $A'
	output_is $'1000\n/tmp\nb'
	expect 0 docker exec -i web cat <<<in
	output_is in
	expect 126 docker exec web nowhere # 126 by this dockerd, whatever the runtime
	output_has 'executable file not found in $PATH'
	expect 0 docker exec -d web sleep 77
	expect 0 docker top web
	output_has "sleep 77"
	expect 0 docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' web
	[[ $output =~ ^web\ [1-9].*B\ /\ .*B$ ]]
	expect 0 docker stop web
	is web '{{.State.Status}} {{.State.ExitCode}} {{.HostConfig.Runtime}}' "exited 3 holm"
	expect 0 docker start web
	expect 0 docker kill web
	expect 0 docker wait web
	output_is 137
}

@test "docker: terminals, for run and for exec" {
	docker_run -d --name sleeper busybox sleep 1000
	export -f docker_run
	expect 4 on_a_terminal docker_run --rm -it busybox sh -c 'tty; exit 4'
	output_has /dev/pts/0
	expect 5 on_a_terminal docker exec -it sleeper sh -c 'tty; exit 5'
	output_has /dev/pts/0
}

@test "docker pause and unpause: nothing runs in between" {
	caller_pauses docker
	expect 0 docker rm -f busy
}

@test "docker limits: they hold, are changed by update, and an OOM is reported" {
	expect 0 docker_run --rm -m 64m --cpus 0.5 --pids-limit 33 busybox sh -c "$(limits_script)"
	[[ $output == $'67108864\n50000'*$'\n33' ]]
	docker_run -d --name limited -m 64m --memory-swap 64m busybox sleep 1000
	expect 0 docker update -m 48m --memory-swap 48m --cpus 0.25 --pids-limit 22 limited
	pid=$(docker inspect --format '{{.State.Pid}}' limited)
	[ "$(cgroup_file "$pid" memory/memory.limit_in_bytes memory.max)" = 50331648 ]
	[[ $(cgroup_file "$pid" cpu/cpu.cfs_quota_us cpu.max) == 25000* ]]
	[ "$(cgroup_file "$pid" pids/pids.max pids.max)" = 22 ]
	expect 137 docker_run --name greedy -m 20m busybox dd if=/dev/zero of=/dev/null bs=100M
	is greedy '{{.State.OOMKilled}} {{.State.ExitCode}}' "true 137"
	expect 0 docker_run --rm --cpuset-cpus 0 --cpu-shares 512 --memory-reservation 10m busybox true
}

@test "docker: users, groups, capabilities, seccomp, privileged, devices, --init" {
	expect 0 docker_run --rm -u 1000:1000 --group-add 55 busybox id
	output_is "uid=1000 gid=1000 groups=55,1000"
	caller_restricts docker
	cat >profile.json <<-E
		{ "defaultAction": "SCMP_ACT_ALLOW",
		  "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38 }] }
	E
	expect 1 docker_run --rm --security-opt "seccomp=$PWD/profile.json" busybox mkdir /x
	output_has "Function not implemented"
	expect 0 docker_run --rm --device /dev/fuse --sysctl net.ipv4.ip_forward=1 busybox \
		sh -c 'stat -c %t:%T /dev/fuse; cat /proc/sys/net/ipv4/ip_forward'
	output_is "$(stat -c %t:%T /dev/fuse)"$'\n1'
	command -v docker-init || skip "no docker-init here"
	expect 0 docker_run --rm --init busybox cat /proc/1/comm
	output_is docker-init
}

@test "docker health checks and restart policies" {
	docker_run -d --name checked --health-cmd 'test -e /ok' --health-interval 0.3s busybox sleep 1000
	expect 0 docker exec checked touch /ok
	within 15 is checked '{{.State.Health.Status}}' healthy
	docker_run -d --restart on-failure:2 --name again busybox sh -c 'exit 3'
	within 15 is again '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' "2 exited 3"
}

@test "docker's bridge: containers reach each other, and a published port reaches one" {
	[ "$DOCKER_BRIDGE" = docker0 ] || skip "no iptables here"
	docker run -d --name web -p 127.0.0.1:8080:80 busybox \
		sh -c 'mkdir /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www'
	within 10 curl -sf http://127.0.0.1:8080/
	expect 0 docker run --rm --link web busybox wget -qO- http://web/
	output_is hello
}

# So many tasks of the service run and were made from this setting of A.
tasks_run() { # COUNT VALUE
	[ "$(docker ps -q --filter label=com.docker.swarm.service.name=svc | xargs -r docker inspect \
		--format '{{.Config.Env}} {{.HostConfig.Runtime}}' | grep -c "A=$2 .*holm")" = "$1" ]
}

@test "a Swarm service on holm-runtime: scaled to three, updated, drained" {
	expect 0 docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377
	expect 0 docker service create --detach --name svc --network host --no-resolve-image --env A=one \
		busybox sh -c 'trap "exit 0" TERM; while sleep 0.1; do :; done'
	within 20 tasks_run 1 one
	expect 0 docker service scale --detach svc=3
	within 20 tasks_run 3 one
	expect 0 docker service update --detach --env-rm A --env-add A=two --update-parallelism 3 svc
	within 30 tasks_run 3 two
	expect 0 docker node update --availability drain "$(docker node ls -q)"
	within 20 tasks_run 0 two
	expect 0 docker service rm svc
}

# What inspect says of a health check, with times as their kind alone.
health_of() { # ENGINE NAME
	"$1" inspect "$2" | jq -cS '.[0] | [.Config.Healthcheck, (.State.Health | .FailingStreak |= (. > 0) |
		.Log |= [.[-1] | .Start |= type | .End |= type])]'
}

health_is() { # ENGINE NAME STATUS
	[ "$("$1" inspect --format '{{.State.Health.Status}}' "$2")" = "$3" ]
}

@test "a health check of holm's looks like docker's, alive and afterwards" {
	local options=(--network none --health-interval 200ms --health-retries 1 --health-timeout 1s) engine
	for engine in docker holm; do
		$engine run -d --name good "${options[@]}" --health-cmd 'echo fine' busybox sleep 1000 >/dev/null
		$engine run -d --name bad "${options[@]}" --health-cmd 'printf "a\0\377b"; yes | head -c 5000; exit 3' busybox sleep 1000 >/dev/null
		$engine run -d --name slow "${options[@]}" --health-cmd 'echo begun; sleep 100' busybox sleep 1000 >/dev/null
		within 20 health_is $engine good healthy
		within 20 health_is $engine bad unhealthy
		within 20 health_is $engine slow unhealthy
		$engine ps --format '{{.Names}} {{.Status}}' | sed 's/Up .* (/Up (/' | sort >"$engine.ps"
	done
	diff docker.ps holm.ps
	diff <(health_of docker good) <(health_of holm good)
	# what a check wrote before its timeout is told by docker from 23.0 on
	diff <(health_of docker slow | sed 's/: begun\\n//') <(health_of holm slow | sed 's/: begun\\n//')
	# the bytes of Go's strings that are no UTF-8, and NUL, which holm's records cannot hold
	diff <(health_of docker bad | sed 's/\\u0000/\xef\xbf\xbd/') <(health_of holm bad)
	for engine in docker holm; do
		$engine stop -t 0 good >/dev/null
	done
	diff <(health_of docker good) <(health_of holm good)
}

@test "holm in a container of docker's, as a user and as root" {
	holm_runs_inside docker run --rm
}
