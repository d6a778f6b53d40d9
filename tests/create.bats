#!/usr/bin/env bats
# create, start, stop, restart, kill, wait, rm; and what options of identity come to.
load holm

@test "a container is created, started, ends, and is removed" {
	expect 0 holm create --name box busybox sh -c 'echo hello; exit 3'
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	expect 0 holm inspect -f '{{.State.Status}}' box
	output_is created
	expect 3 holm start -a box
	output_is hello
	expect 0 holm inspect -f '{{.State.Status}} {{.State.ExitCode}}' box
	output_is "exited 3"
	expect 0 holm wait box
	output_is 3
	expect 0 holm rm box
	output_is box
	refused 1 "no such container: box" holm start box
}

@test "it is found by name, id, and the beginning of an id" {
	local id
	id=$(holm create --name box busybox true)
	for name in box /box "$id" "${id:0:12}" "${id:0:3}"; do
		expect 0 holm inspect -f '{{.Id}}' "$name"
		output_is "$id"
	done
	expect 0 holm run --name "${id:0:6}" busybox true
	expect 0 holm inspect -f '{{.Name}}' "${id:0:6}" # a name goes before an id
	output_is "/${id:0:6}"
}

@test "a beginning that fits two ids is said to" {
	expect 0 holm run --rm busybox true
	for _ in $(seq 17); do # at least two of them begin with the same digit
		holm create busybox true >>"$BATS_TEST_TMPDIR/ids"
	done
	local digit
	digit=$(cut -c1 "$BATS_TEST_TMPDIR/ids" | sort | uniq -d | head -1)
	refused 1 "begins several ids" holm start "$digit"
}

@test "names: generated ones differ, bad ones are refused, taken ones stay taken" {
	local first second
	first=$(holm create busybox true)
	second=$(holm create busybox true)
	expect 0 holm inspect -f '{{.Name}}' "$first" "$second"
	[ "$(sort -u <<<"$output" | wc -l)" = 2 ]
	[[ $output =~ ^/[a-z]+_[a-z]+ ]]
	for name in ../x -x .x a/b 'a b' "$(printf 'x%.0s' $(seq 129))"; do
		refused 1 "--name" holm create --name="$name" busybox true
	done
	refused 1 "an empty name" holm create --name= busybox true
	expect 0 holm create --name box busybox true
	refused 1 "the name 'box' is taken" holm create --name box busybox true
}

@test "environment: the image's, files, options, and what the caller has" {
	printf '# a comment\n\nA=from file\nB=from file\nCALLER\nNOBODY\n  C=trailing blank \n' \
		>"$BATS_TEST_TMPDIR/env"
	CALLER=mine OTHER=too expect 0 holm run --rm --env-file "$BATS_TEST_TMPDIR/env" -e B=option \
		-e OTHER -e UNSET_HERE -e EMPTY= busybox env
	output_has "A=from file"
	output_has "B=option"
	output_has "CALLER=mine"
	output_has "OTHER=too"
	output_has "C=trailing blank "
	output_has "EMPTY="
	output_has "PATH=/usr/local/sbin:"
	output_has "HOME=/root"
	[[ $output != *NOBODY* && $output != *UNSET_HERE* ]]
	printf 'A=1\nx y=2\n' >"$BATS_TEST_TMPDIR/bad"
	refused 125 "line 2: the name 'x y' has blanks" \
		holm run --rm --env-file "$BATS_TEST_TMPDIR/bad" busybox true
	refused 125 "No such file" holm run --rm --env-file /nosuch busybox true
	refused 125 "no name before '='" holm run --rm -e =x busybox true
}

@test "an image's entrypoint, command, user, folder, environment and labels" {
	local name=oci:$BATS_TEST_TMPDIR/image tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/srv"
	cp /bin/busybox "$tree/busybox"
	tar -cf "$BATS_TEST_TMPDIR/layer.tar" -C "$tree" .
	CONFIG='{"Entrypoint":["/busybox","echo"],"Cmd":["cmd"],"User":"12:34","WorkingDir":"/srv",
		"Env":["FROM=image"],"Labels":{"a":"1","b":"2"},"StopSignal":"SIGUSR1"}' \
		oci_image "$BATS_TEST_TMPDIR/image" x "$BATS_TEST_TMPDIR/layer.tar"
	expect 0 holm run --rm "$name" # entrypoint and command
	output_is cmd
	expect 0 holm run --rm "$name" other
	output_is other
	expect 0 holm run --rm --entrypoint /busybox "$name" sh -c 'echo $FROM; pwd'
	output_is $'image\n/srv'
	refused 125 "no command" holm run --rm --entrypoint '' "$name"
	expect 0 holm create --name box -l b=3 -l c "$name"
	expect 0 holm inspect -f '{{json .Config.Labels}} {{.Config.User}} {{.Config.StopSignal}}' box
	output_is '{"a":"1","b":"3","c":""} 12:34 SIGUSR1'
}

@test "host name, hosts and resolv.conf" {
	expect 0 holm run --rm --network none -h web.example --add-host db:10.0.0.7 --add-host 'v6:[::9]' --dns 9.9.9.9 \
		--dns-search example.org --dns-option ndots:2 busybox \
		sh -c 'hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf'
	[ "${lines[0]}" = web.example ]
	output_has $'10.0.0.7\tdb'
	output_has $'::9\tv6'
	output_has "nameserver 9.9.9.9"
	output_has "search example.org"
	output_has "options ndots:2"
	refused 125 "is not an IP address" holm run --rm --add-host a:b busybox true
	refused 125 "exclude each other" holm run --rm -h x --uts host busybox true
	refused 125 "--hostname" holm run --rm -h "$(printf 'x%.0s' $(seq 65))" busybox true
}

@test "stop: the signal, the grace time, then SIGKILL" {
	expect 0 holm run -d --name good busybox sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'
	expect 0 holm run -d --name deaf busybox sh -c 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
	within 5 said good ready
	within 5 said deaf ready
	expect 0 holm stop good
	expect 0 holm inspect -f '{{.State.ExitCode}}' good
	output_is 5
	local start=$SECONDS
	expect 0 holm stop -t 1 deaf
	[ $((SECONDS - start)) -lt 10 ] # the grace time that nobody asked for
	expect 0 holm inspect -f '{{.State.ExitCode}}' deaf
	output_is 137
	expect 0 holm stop good deaf # once more is no error
	refused 1 "--timeout" holm stop -t x good
	refused 1 "--signal" holm stop -s SIGNONE good
}

@test "several are stopped at the same time" {
	for i in 1 2 3 4 5; do
		expect 0 holm run -d --name "box$i" busybox sh -c 'trap "" TERM; while :; do sleep 0.1; done'
	done
	local start=$SECONDS
	expect 0 holm stop -t 3 box1 box2 box3 box4 box5
	[ $((SECONDS - start)) -lt 15 ] # one after the other takes no less
	expect 0 holm ps -q
	output_is ""
}

@test "kill: SIGKILL has ended it when it returns, others are only sent" {
	expect 0 holm run -d --name box busybox sleep 1000
	expect 0 holm kill box
	expect 0 holm rm box
	expect 0 holm run -d --name box busybox sh -c 'trap "exit 9" HUP; echo ready; while :; do sleep 0.05; done'
	within 5 said box ready
	expect 0 holm kill -s HUP box
	expect 0 holm wait box
	output_is 9
	refused 1 "is not running" holm kill box
	refused 1 "no such container" holm kill nosuch
}

@test "restart starts it anew, and also one that had ended" {
	expect 0 holm run -d --name box busybox sh -c 'echo x >> /count; sleep 1000'
	within 5 holm exec box test -s /count
	expect 0 holm restart -t 0 box
	within 5 eval '[ "$(holm exec box sh -c "wc -l < /count")" = 2 ]'
	expect 0 holm stop -t 0 box
	expect 0 holm restart -t 0 box
	within 5 eval '[ "$(holm exec box sh -c "wc -l < /count")" = 3 ]'
}

@test "what runs is not removed, unless by force" {
	expect 0 holm run -d --name box busybox sleep 1000
	refused 1 "is running" holm rm box
	expect 0 holm pause box
	refused 1 "is paused" holm rm box
	expect 0 holm rm -f box
	expect 0 holm rm -f box
	refused 1 "no such container" holm rm box
}

@test "pause stops it, unpause lets it go on" {
	expect 0 holm run -d --name box busybox sleep 1000
	expect 0 holm pause box
	expect 0 holm ps --format '{{.State}} {{.Status}}'
	output_has "paused Up"
	output_has "(Paused)"
	refused 1 "is paused" holm exec box true
	refused 1 "paused already" holm pause box
	expect 0 holm unpause box
	refused 1 "not paused" holm unpause box
	expect 0 holm exec box true
}

@test "wait answers for several, and for what has ended" {
	expect 0 holm run -d --name one busybox sh -c 'sleep 0.2; exit 1'
	expect 0 holm run -d --name two busybox sh -c 'exit 2'
	expect 0 holm wait one two
	output_is $'1\n2'
}

@test "the id goes into a new file" {
	expect 0 holm run --rm --cidfile "$BATS_TEST_TMPDIR/id" busybox true
	[[ $(cat "$BATS_TEST_TMPDIR/id") =~ ^[0-9a-f]{64}$ ]]
	refused 125 "is there already" holm run --rm --cidfile "$BATS_TEST_TMPDIR/id" busybox true
	refused 125 "--cidfile" holm run --rm --cidfile /nosuch/id busybox true
}

@test "what could not be started has the reason and can be tried again" {
	refused 127 "not found" holm run --name box busybox nosuch
	expect 0 holm inspect -f '{{.State.Status}} {{.State.ExitCode}}' box
	output_is "created 127"
	refused 126 "ermission denied" holm run --rm busybox /etc/passwd
	refused 127 "not found" holm run --rm --name gone busybox nosuch
	refused 1 "no such container" holm start gone
}

@test "each option that makes no sense is named with what it takes" {
	expect 0 holm run --rm busybox true
	while IFS='|' read -r text options; do
		# shellcheck disable=SC2086
		refused 125 "$text" holm run --rm $options busybox true
	done <<-'E'
		--memory 5k: at least 6 MiB|-m 5k
		--memory|-m 1x
		--memory-swap|-m 64m --memory-swap 32m
		--memory-swap 64m needs --memory|--memory-swap 64m
		--memory-reservation|-m 32m --memory-reservation 64m
		--memory-swappiness|--memory-swappiness 101
		--oom-score-adj|--oom-score-adj 1001
		--cpus|--cpus 1000
		--cpus|--cpus x
		--cpus and --cpu-period exclude each other|--cpus 1 --cpu-period 10000
		--cpu-period|--cpu-period 10
		--cpu-quota|--cpu-quota 10
		--cpu-shares|--cpu-shares 1
		--cpuset-cpus|--cpuset-cpus 3-1
		--cpuset-mems|--cpuset-mems x
		--pids-limit|--pids-limit x
		--blkio-weight|--blkio-weight 5
		--device-read-bps|--device-read-bps 1mb
		--ulimit|--ulimit nofile
		--ulimit|--ulimit nofile=10:5
		--ulimit|--ulimit nosuch=1
		--user|-u 4294967296
		--user|-u -1
		--user|-u 0:4294967295
		--group-add|--group-add 4294967296
		--workdir|-w relative
		--cap-add|--cap-add NOSUCH
		CAP_NET_RAW|--cap-add NET_RAW --cap-drop NET_RAW
		--security-opt|--security-opt nosuch=1
		--security-opt seccomp|--security-opt seccomp=/nosuch
		--security-opt no-new-privileges|--security-opt no-new-privileges=maybe
		--device|--device relative
		--device|--device /nosuch
		--device|--device /dev/null:/dev/x:q
		--device-cgroup-rule|--device-cgroup-rule nonsense
		--sysctl|--sysctl kernel.panic=1
		--sysctl|--sysctl nonsense
		--pid|--pid nosuch
		--ipc|--ipc nosuch
		--uts|--uts container:x
		--userns|--userns nosuch
		--cgroupns|--cgroupns nosuch
		--network|--network nosuch
		--network|--network none --network host
		--network container:nosuch|--network container:nosuch
		--pid container:nosuch|--pid container:nosuch
		--restart|--restart sometimes
		--restart always and --rm|--restart always
		--stop-signal|--stop-signal SIGNONE
		--stop-timeout|--stop-timeout x
		--pull|--pull sometimes
		--log-driver|--log-driver syslog
		--log-opt|--log-opt nosuch=1
		--shm-size|--shm-size 0
		--label|--label =x
		--annotation|--annotation x
		org.holm. is reserved|--annotation org.holm.seccomp=x
		--dns|--dns nosuch
	E
	expect 0 holm ps -aq
	output_is ""
}
