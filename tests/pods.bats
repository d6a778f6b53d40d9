#!/usr/bin/env bats
# Pods: containers that share namespaces, held by one that sleeps.
load holm

teardown() {
	[ -z "${BATS_TEST_COMPLETED:-}" ] || holm pod rm --all --force >/dev/null
	holm_teardown
}

ns_of() { # CONTAINER KIND
	readlink "/proc/$(holm inspect -f '{{.State.Pid}}' "$1")/ns/$2"
}

status_is() { # POD STATUS
	[ "$(holm pod ps --filter name="$1" --format '{{.Status}}')" = "$2" ]
}

@test "containers of a pod share network, IPC and host name, and nothing else" {
	expect 0 holm pod create --name web -l a=b
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	local id=$output
	expect 0 holm run -d --pod web --name one busybox sleep 1000
	expect 0 holm run -d --pod "${id:0:12}" --name two busybox sleep 1000
	local kind
	for kind in net ipc uts; do
		[ "$(ns_of one $kind)" = "$(ns_of two $kind)" ]
		[ "$(ns_of one $kind)" != "$(readlink /proc/self/ns/$kind)" ]
	done
	for kind in pid mnt cgroup; do
		[ "$(ns_of one $kind)" != "$(ns_of two $kind)" ]
	done
	expect 0 holm exec one hostname
	output_is web
	expect 0 holm exec one sh -c 'echo $HOSTNAME; echo shared >/dev/shm/x'
	output_is web
	holm exec -d one sh -c 'while :; do echo over the loopback | nc -l -p 80; done'
	expect 0 holm exec two cat /dev/shm/x
	output_is shared
	within 5 answers
	expect 0 holm pod ps
	[[ ${lines[0]} =~ ^POD\ ID\ +NAME\ +STATUS\ +CREATED\ +INFRA\ ID\ +#\ OF\ CONTAINERS$ ]]
	[[ ${lines[1]} =~ ^${id:0:12}\ +web\ +Running\ .*\ 3$ ]]
	expect 0 holm pod inspect --format '{{.Name}} {{.State}} {{.NumContainers}} {{.SharedNamespaces}} {{.Labels.a}} {{range .Containers}}{{.Name}} {{end}}' web
	output_is "web Running 3 [net ipc uts] b web two one "
	expect 0 holm ps --pod --filter name=one
	[[ ${lines[0]} == *"POD ID"*"PODNAME" && ${lines[1]} == *"one"*"${id:0:12}   web" ]]
	expect 0 holm inspect --explain --format '{{range .Rows}}{{if eq .Primitive "network"}}{{.Flag}}{{end}}{{end}}' one
	output_is "--pod web"
}

answers() {
	holm exec two nc -w 1 127.0.0.1 80 </dev/null | grep -q "over the loopback"
}

@test "the pid namespace is shared when it is asked for; none shares nothing" {
	expect 0 holm pod create --share +pid all
	holm run -d --pod all --name a busybox sleep 1234
	expect 0 holm run --rm --pod all busybox ps -o args
	output_has "sleep 1234"
	output_has holm-init
	expect 0 holm pod create --name apart --share none
	holm run -d --pod apart --name b busybox sleep 1000
	[ "$(ns_of b net)" != "$(ns_of apart net)" ]
	expect 0 holm pod inspect --format '{{.SharedNamespaces}}' all
	output_is "[net ipc uts pid]"
}

@test "start, stop, restart, kill, pause: all together" {
	expect 0 holm create --pod new:web --name one busybox sleep 1000
	expect 0 holm create --pod web --name two busybox sh -c 'trap "exit 3" TERM; sleep 1000 & wait'
	status_is web Created
	expect 0 holm pod start web
	output_is web
	status_is web Running
	expect 0 holm pod pause web
	status_is web Paused
	expect 0 holm pod unpause web
	holm stop -t 0 one
	status_is web Degraded
	expect 0 holm pod restart -t 0 web
	status_is web Running
	expect 0 holm pod kill --all
	within 5 status_is web Exited
	refused 1 "pod web is not running" holm pod kill web
	expect 0 holm pod start web
	expect 0 holm pod stop -t 5 web
	status_is web Exited
	[ "$(holm ps -q | wc -l)" = 0 ]
	# one of them starts the pod
	expect 0 holm start one
	[ "$(ns_of one net)" = "$(ns_of web net)" ]
}

@test "rm: not while it runs, unless forced; prune; and the pod's own container goes last" {
	holm run -d --pod new:web --name one busybox sleep 1000
	refused 1 "container one of it is running" holm pod rm web
	refused 1 "it is a pod with 1 container" holm rm -f web
	expect 0 holm pod exists web
	expect 0 holm pod rm -f web
	output_is web
	expect 1 holm pod exists web
	expect 0 holm ps -aq
	output_is ""
	expect 0 holm pod rm -f web
	refused 1 "no such pod: web" holm pod rm web
	holm create --pod new:old busybox true
	holm run -d --pod new:young busybox sleep 1000
	expect 0 holm pod prune -f
	output_is old
	expect 0 holm pod ps -q
	[ "${#lines[@]}" = 1 ]
}

@test "logs of all as one, in the order of time" {
	holm pod create web >/dev/null
	holm run --pod web --name one busybox sh -c 'echo first; sleep 0.1; echo third; printf cut'
	holm run --pod web --name two busybox sh -c 'echo fourth; echo bad >&2'
	holm run --pod web --name mute --log-driver none busybox echo nothing
	expect 0 holm pod logs -n web
	output_is $'one first\none third\none cut\ntwo fourth'
	[[ $stderr == *"mute keeps no log"* && $stderr == *"two bad" ]]
	expect 0 holm pod logs -c two web
	output_is fourth
	expect 0 holm pod logs --names --tail 1 -t web
	[[ ${lines[0]} =~ ^one\ 2[0-9-]+T[0-9:.]+Z\ cut$ ]]
	refused 1 "--container nosuch: pod web has none" holm pod logs -c nosuch web
	refused 1 "no such pod: one" holm pod logs one
	refused 1 "--tail" holm pod logs --tail x web
	# followed until all have ended
	holm run -d --pod web --name a busybox sh -c 'echo a1; until [ -e /dev/shm/go ]; do sleep 0.05; done; echo a2'
	holm run -d --pod web --name b busybox sh -c 'echo b1; until [ -e /dev/shm/go ]; do sleep 0.05; done; sleep 0.1; echo b2'
	holm pod logs -f -c a -c b -n web >followed 3>&- &
	local pid=$!
	within 5 grep -q b1 followed
	holm exec web touch /dev/shm/go
	wait $pid
	diff <(printf '%s\n' 'a a1' 'a a2' 'b b1' 'b b2') <(sort followed)
}

@test "top and stats of all its containers" {
	holm run -d --pod new:web --name one busybox sleep 1111
	holm run -d --pod web --name two busybox sleep 2222
	holm create --pod web --name made busybox true
	holm run -d --name other busybox sleep 3333
	expect 0 holm pod top web
	[[ $output == *"sleep 1111"*"sleep 2222"* && $output != *"sleep 3333"* ]]
	[ "$(grep -c PID <<<"$output")" = 1 ]
	expect 0 holm pod top web -o pid,args
	output_has "sleep 2147483647"
	expect 0 holm pod stats --no-stream --format '{{.Name}} {{.Pod}}' web
	local id
	id=$(holm pod ps -q)
	[ "$(sort <<<"$output")" = "one $id"$'\n'"two $id"$'\n'"web $id" ]
	expect 0 holm pod stats --no-stream
	[[ ${lines[0]} =~ ^POD\ +CID\ +NAME\ +CPU\ %\ +MEM\ USAGE\ /\ LIMIT\ +MEM\ %\ +NET\ IO\ +BLOCK\ IO\ +PIDS$ ]]
	[ "${#lines[@]}" = 4 ]
	expect 0 holm pod stats --no-stream --format json web
	[ "$(jq -r .MemUsage <<<"${lines[0]}" | grep -c iB)" = 1 ]
	holm pod stop -t 0 web
	refused 1 "pod web is not running" holm pod top web
	expect 0 holm pod stats --no-stream web
	[ "${#lines[@]}" = 1 ]
	refused 1 "no such pod: nosuch" holm pod stats --no-stream nosuch
	holm rm -f other
}

@test "create: its own network, a file with its id, in the place of another" {
	expect 0 holm pod create --network none --add-host db:10.1.2.3 --dns 10.9.9.9 --pod-id-file id web
	[ "$(cat id)" = "$output" ]
	expect 0 holm run --rm --pod web busybox sh -c 'cat /etc/hosts /etc/resolv.conf; ls /sys/class/net'
	[[ $output == *"10.1.2.3"*"db"*"nameserver 10.9.9.9"* ]]
	[ "${lines[-1]}" = lo ]
	holm create --pod web --name member busybox true
	refused 1 "the name 'web' is taken" holm pod create web
	printf 'a=b\n' >labels
	expect 0 holm pod create --replace --label-file labels web
	[ "$output" != "$(cat id)" ]
	expect 0 holm pod inspect -f '{{.Labels.a}} {{.NumContainers}}' web
	output_is "b 1"
	refused 1 "no such container" holm inspect member
	refused 1 "the file is there already" holm pod create --pod-id-file id other
	refused 1 "--replace needs a name" holm pod create --replace
}

@test "what is refused" {
	refused 125 "no such pod: nosuch" holm run --pod nosuch busybox true
	refused 1 "'mnt' is not one of net, ipc, uts, pid" holm pod create --share net,mnt x
	expect 0 holm pod create x
	refused 1 "the name 'x' is taken" holm pod create --name x
	refused 125 "the name 'x' is taken" holm run --pod new:x busybox true
	refused 125 "--network host and --pod x exclude each other" holm run --pod x --network host busybox true
	refused 125 "--hostname y and --pod x exclude each other" holm run --pod x --hostname y busybox true
	refused 125 "--ipc host and --pod x exclude each other" holm run --pod x --ipc host busybox true
	refused 1 "needs a POD, or --all" holm pod stop
	refused 1 "--all and names exclude each other" holm pod stop --all x
	holm create --name c busybox true
	refused 1 "no such pod: c" holm pod rm c
	refused 125 "no such pod: c" holm run --pod c busybox true
	# a pod that was made for a container that could not be
	refused 125 "not an absolute path" holm run --rm --pod new:y -w relative busybox true
	expect 1 holm pod exists y
}

@test "killed at any point, a pod is whole or not there" {
	holm run -d --pod new:web --name one busybox sleep 1000
	kill -KILL "$(holm inspect -f '{{.Holm.MonitorPid}}' web)"
	within 5 status_of_pod_is exited
	status_is web Running # its container goes on
	expect 0 holm exec one true
	expect 0 holm pod start web
	within 5 status_of_pod_is running
	local i pids=()
	for i in 1 2 3 4; do
		holm pod rm -f web >/dev/null 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || true
	done
	expect 0 holm ps -aq
	output_is ""
}

status_of_pod_is() { # STATUS
	[ "$(holm inspect -f '{{.State.Status}}' web)" = "$1" ]
}

@test "pod clone: the same containers with their files, in namespaces of their own" {
	holm pod create --name web --share +pid -l a=b >/dev/null
	holm run -d --pod web --name one busybox sh -c 'echo kept >/file; exec sleep 1000' >/dev/null
	holm run -d --pod web --name two --requires one busybox sleep 1000 >/dev/null
	within 5 holm exec one test -f /file
	expect 0 holm pod clone web
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	local id=$output
	status_is web-clone Created
	[ "$(holm pod inspect -f '{{.Id}}' web-clone)" = "$id" ]
	[ "$(holm pod inspect -f '{{.Labels.a}}' web-clone)" = b ]
	expect 0 holm pod start web-clone
	expect 0 holm exec one-clone cat /file
	output_is kept
	expect 0 holm exec two-clone hostname
	output_is web-clone
	local kind
	for kind in net ipc uts pid; do
		[ "$(ns_of one-clone $kind)" = "$(ns_of two-clone $kind)" ]
		[ "$(ns_of one-clone $kind)" != "$(ns_of one $kind)" ]
	done
	# what one requires is its own neighbour
	expect 0 holm pod rm -f web
	refused 1 "one-clone" holm rm -f one-clone
	expect 0 holm pod stop web-clone
	expect 0 holm pod start web-clone
	expect 0 holm pod clone --start --destroy web-clone again
	status_is again Running
	expect 0 holm exec one-clone-clone cat /file
	output_is kept
	expect 1 holm pod exists web-clone
	expect 1 holm container exists one-clone
}

@test "pod clone: names that are taken, what is no pod, and a failure that leaves nothing" {
	holm pod create --name web >/dev/null
	holm create --pod web --name one busybox true >/dev/null
	holm create --name one-clone busybox true >/dev/null
	expect 0 holm pod clone web
	expect 0 holm ps -a --format '{{.Names}}'
	output_has one-clone1
	refused 1 "no such pod: one" holm pod clone one
	refused 1 "web" holm pod clone web web
	refused 1 "exclude each other" holm pod clone --name a web b
	refused 1 "'a b'" holm pod clone web 'a b'
	refused 1 "holm pod clone" holm clone one
	expect 0 holm pod ps -q
	[ "${#lines[@]}" = 2 ]
	holm rm one-clone >/dev/null
}
