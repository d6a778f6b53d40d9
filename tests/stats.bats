#!/usr/bin/env bats
# What containers use.
load holm

@test "stats shows what runs, in docker's columns" {
	holm run -d --name web -m 64m --network none busybox sleep 1000 >/dev/null
	holm create --name made busybox true >/dev/null
	expect 0 holm stats --no-stream
	[[ ${lines[0]} =~ ^"CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O   BLOCK I/O   PIDS"$ ]]
	[[ ${lines[1]} =~ ^[0-9a-f]{12}\ +web\ +[0-9.]+%\ +[0-9.]+[KM]iB\ /\ 64MiB\ +[0-9.]+%\ +0B\ /\ 0B\ +.+B\ /\ .+B\ +[1-9]$ ]]
	[ "${#lines[@]}" = 2 ]
	expect 0 holm stats --no-stream -a --format '{{.Name}} {{.PIDs}} {{.MemUsage}}'
	output_has "made 0 0B / 0B"
	[ "${#lines[@]}" = 2 ]
	expect 0 holm container stats --no-stream --format json made web
	[ "$(jq -r '.Name + " " + (keys | join(","))' <<<"${lines[0]}")" = \
		"made BlockIO,CPUPerc,Container,ID,MemPerc,MemUsage,Name,NetIO,PIDs" ]
	[ "$(jq -r .Name <<<"${lines[1]}")" = web ]
	expect 0 holm stats --no-stream --no-trunc --format '{{.ID}}' web
	[ "${#output}" = 64 ]
	refused 1 "no such container" holm stats --no-stream nothing
	holm pause web
	expect 0 holm stats --no-stream --format '{{.CPUPerc}}' web
	output_is 0.00%
	holm rm -f web made
}

@test "stats counts CPU time, memory, processes and traffic" {
	holm run -d --name busy busybox sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=20; while :; do :; done' >/dev/null
	holm run -d --name idle busybox sleep 1000 >/dev/null
	busy() {
		# a figure over 20 ms, on a machine that others use, too
		holm stats --no-stream --format '{{.CPUPerc}}' busy | awk '{ exit !($1 + 0 > 10) }'
	}
	within 10 busy
	mem() {
		holm stats --no-stream --format '{{.MemUsage}}' busy | awk '{ exit !($1 ~ /MiB/ && $1 + 0 > 20) }'
	}
	within 5 mem
	expect 0 holm stats --no-stream --format '{{.PIDs}}' idle
	[ "$output" -ge 1 ]
	[ "$output" -le 2 ]
	holm rm -f busy idle
}

@test "stats goes on until it is told to end, and sees what comes" {
	holm run -d --name first busybox sleep 1000 >/dev/null
	holm stats --format '{{.Name}}' >told &
	local stats=$!
	within 5 grep -q first told
	holm run -d --name second busybox sleep 1000 >/dev/null
	within 5 grep -q second told
	kill $stats
	wait $stats || true
	not grep -q "$(printf '\033')" told
	holm rm -f first second
}
