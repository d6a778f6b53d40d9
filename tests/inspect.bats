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
	refused 1 "no member .Nmae" holm inspect -f '{{.Nmae}}' web
	output_has "did you mean .Name?"
	refused 1 "no function 'jsn'" holm inspect -f '{{jsn .Name}}' web
	refused 1 "{{end}} is missing" holm inspect -f '{{if .Name}}' web
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
