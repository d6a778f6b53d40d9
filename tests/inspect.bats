#!/usr/bin/env bats
# inspect, of containers, images and volumes.
load holm

@test "a container is described in docker's shape, with what it is made of" {
	id=$(holm create --name web -e A=1 -w /tmp --label x=y -m 64m --cpus 0.5 -v /tmp:/mnt:ro \
		--user 1:2 --restart on-failure:3 busybox echo hi)
	holm inspect web >inspect.json
	expect 0 jq -e --arg id "$id" '.[0] | .Id == $id and .Name == "/web" and
		.Config.Cmd == ["echo", "hi"] and .Config.WorkingDir == "/tmp" and
		.Config.User == "1:2" and .Config.Labels.x == "y" and
		(.Config.Env | index("A=1") != null) and
		.State.Status == "created" and .State.Running == false and
		.HostConfig.Memory == 67108864 and .HostConfig.NanoCpus == 500000000 and
		.HostConfig.RestartPolicy == {"Name": "on-failure", "MaximumRetryCount": 3} and
		(.Mounts[0] | .Type == "bind" and .Source == "/tmp" and .Destination == "/mnt" and
		 .RW == false) and
		has("Holm")' inspect.json
	holm rm web
}

@test "the state of a container is told as it changes" {
	holm run -d --name web busybox sleep 1000 >/dev/null
	expect 0 holm inspect -f '{{.State.Status}} {{.State.Running}} {{gt .State.Pid 1}}' web
	output_is "running true true"
	holm pause web
	expect 0 holm inspect -f '{{.State.Status}} {{.State.Paused}}' web
	output_is "paused true"
	holm unpause web
	holm kill web
	expect 0 holm inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' web
	output_is "exited 137 false"
	holm rm web
}

@test "formats: json, templates, members that are not there" {
	holm create --name web --label a.b=1 busybox true >/dev/null
	expect 0 bash -c "holm inspect --format json web | jq -e '.[0].Name'"
	expect 0 holm inspect -f '{{json .Config.Cmd}}' web
	output_is '["true"]'
	expect 0 holm inspect -f '{{index .Config.Labels "a.b"}}{{.Config.Labels.none}}' web
	output_is '1<no value>'
	expect 0 holm inspect -f '{{if .State.Health}}yes{{else}}no{{end}}' web
	output_is no
	expect 0 holm inspect -f '{{range .Config.Env}}{{println .}}{{end}}' web
	output_has PATH=
	refused 1 'map has no entry for key "Nmae"' holm inspect -f '{{.Nmae}}' web
	output_has "did you mean .Name?"
	refused 1 'function "jsn" not defined' holm inspect -f '{{jsn .Name}}' web
	refused 1 "template: :1: unexpected EOF" holm inspect -f '{{if .Name}}' web
	holm rm web
}

@test "images and volumes are found when no container has the name" {
	holm create --name web -v data:/data busybox true >/dev/null
	expect 0 holm inspect -f '{{.Mountpoint}}' data
	output_is "$HOLM_ROOT/volumes/data/data"
	expect 0 holm inspect -f '{{index .RepoTags 0}} {{.Os}}' busybox
	output_is "busybox:latest linux"
	expect 0 holm image inspect -f '{{.Id}}' busybox
	[[ $output == sha256:* ]]
	expect 0 holm volume inspect -f '{{.Driver}}' data
	output_is local
	refused 1 "no such image" holm image inspect web
	refused 1 "no such container" holm container inspect busybox
	refused 1 "no such image" holm inspect --type image web
	holm rm web
	holm volume rm data
}

@test "what is not found is reported, the others are shown" {
	holm create --name web busybox true >/dev/null
	expect 1 bash -c 'holm inspect web nosuch 2>error | jq -r ".[].Name"; exit "${PIPESTATUS[0]}"'
	output_is /web
	grep -q nosuch error
	expect 1 bash -c 'holm inspect nosuch 2>/dev/null'
	output_is '[]'
	holm rm web
}

@test "explain: a container for which nothing was said is as by default" {
	holm run -d --name plain busybox sleep 1000 >/dev/null
	expect 0 holm inspect --explain plain
	[[ ${lines[0]} == "plain ("*"), running: 0 weaker than by default, 0 tighter" ]]
	[[ ${lines[1]} =~ ^PRIMITIVE\ +VALUE ]]
	local pid kind
	pid=$(holm inspect -f '{{.State.Pid}}' plain)
	for kind in mnt pid net ipc uts cgroup user time; do
		output_has "$(readlink "/proc/$pid/ns/$kind")"
	done
	for kind in pid ipc uts cgroup; do
		output_has "$kind  "
	done
	[[ $output != *weaker*weaker* && $output == *"holm's profile"* && $output == *"/holm/"* ]]
	expect 0 holm inspect -f '{{.Holm.Weaker}} {{.Holm.Tighter}}' plain
	output_is "[] []"
	holm rm -f plain
}

@test "explain: what is weaker, what is tighter, and because of which option" {
	holm run -d --name db --ipc shareable busybox sleep 1000 >/dev/null
	holm create --name web --pid host --ipc container:db --net container:db --cap-add NET_ADMIN --cap-drop kill \
		-m 64m --cpus 1.5 --pids-limit 10 --read-only -v /tmp:/host:ro -v data:/d --ulimit nofile=10:20 \
		--security-opt no-new-privileges --security-opt seccomp=unconfined --user 1:2 \
		--security-opt unmask=/proc/keys --device /dev/null:/dev/zero2 --sysctl kernel.shm_rmid_forced=1 busybox true >/dev/null
	while IFS='|' read -r primitive value compared flag; do
		holm inspect --explain --format json web | jq -e --arg p "$primitive" --arg v "$value" --arg c "$compared" --arg f "$flag" \
			'.[0].Rows | any(.Primitive == $p and (.Value | startswith($v)) and .Compared == $c and .Flag == $f)' >/dev/null || {
			echo "not so: $primitive|$value|$compared|$flag"
			holm inspect --explain web
			return 1
		}
	done <<-E
		pid|the host's|weaker|--pid host
		ipc|container db's|weaker|--ipc container:db
		network|container db's|weaker|--network container:db
		uts|its own||
		user|the host's||
		  added|NET_ADMIN|weaker|--cap-add NET_ADMIN
		  dropped|KILL|tighter|--cap-drop KILL
		seccomp|none|weaker|--security-opt seccomp=unconfined
		setuid programs|gain nothing|tighter|--security-opt no-new-privileges
		  shown|/proc/keys|weaker|--security-opt unmask=/proc/keys
		  device|/dev/null as /dev/zero2 (rwm)|weaker|--device /dev/null
		kernel.shm_rmid_forced|1|changed|--sysctl kernel.shm_rmid_forced=1
		user|1:2|tighter|--user 1:2, or the image's
		memory|64m|tighter|--memory 64m
		memory and swap|128m|tighter|--memory-swap 128m
		CPU|1.5 CPUs|tighter|--cpus 1.5
		processes|10|tighter|--pids-limit 10
		ulimit nofile|10, at most 20|changed|--ulimit nofile=10:20
		disk|no limit||
		/|an overlay of busybox (1 layer), read-only|tighter|--read-only
		/host|the host's /tmp, read-only|weaker|--volume /tmp:/host:ro
		/d|volume data, writable|changed|--volume data:/d
	E
	expect 0 holm inspect -f '{{json .Holm.Weaker}}' web
	jq -e 'index("--pid host") and index("--cap-add NET_ADMIN") and (index("--read-only") | not)' <<<"$output"
	holm rm -f web db
	holm volume rm data
}

@test "explain: ids of its own, privileges of the host's, and what excludes it" {
	needs_root "the network of a user's container is another, and so is what is said of it"
	holm create --name own --userns auto --ipc none --pids-limit -1 busybox true >/dev/null
	expect 0 holm inspect --explain --format '{{range .Rows}}{{if .Compared}}{{.Primitive}}={{.Compared}} {{end}}{{end}}' own
	output_is "ipc=tighter user=tighter users=tighter groups=tighter processes=weaker "
	holm create --name all --privileged busybox true >/dev/null
	expect 0 holm inspect --explain --format '{{range .Rows}}{{if .Compared}}{{.Primitive}}={{.Compared}}:{{.Flag}};{{end}}{{end}}' all
	[[ $output == *"seccomp=weaker:--privileged;"*"devices=weaker:--privileged;"* ]]
	expect 0 holm container inspect --explain own all
	[[ $output == "own ("*"all ("* ]]
	refused 1 "--explain and --type image exclude each other" holm inspect --explain --type image busybox
	refused 1 "no such container: busybox" holm inspect --explain --format json busybox
	expect 0 script -qec "env -u NO_COLOR TERM=xterm holm inspect --explain own" /dev/null
	[[ $output == *$'\e[31m'* && $output == *$'\e[32m'* ]]
	expect 0 script -qec "env NO_COLOR=1 TERM=xterm holm inspect --explain own" /dev/null
	[[ $output != *$'\e'* ]]
	holm rm own all
}

@test "inspect --size: what a container wrote, and all its files" {
	holm run --name wrote busybox dd if=/dev/zero of=/file bs=1M count=3 2>/dev/null
	expect 0 holm inspect --size wrote
	jq -e '.[0] | .SizeRw >= 3145728 and .SizeRw < 3300000 and .SizeRootFs > .SizeRw' <<<"$output"
	expect 0 holm inspect -s -f '{{.SizeRw}}' wrote
	[ "$output" -ge 3145728 ]
	expect 0 holm container inspect -s wrote
	jq -e '.[0] | has("SizeRw")' <<<"$output"
	expect 0 holm inspect wrote
	jq -e '.[0] | has("SizeRw") | not' <<<"$output"
	expect 0 holm inspect --size busybox
	refused 1 "exclude each other" holm inspect --explain --size wrote
	holm rm wrote
}
