#!/usr/bin/env bats
# What docker prints as JSON, holm prints with the same members of the same types: a private dockerd
# and holm are asked about the same containers, image and volume. And Go's templates, as its documents
# and docker's have them.
# shellcheck disable=SC2016 # templates have $ in them

load holm
load callers/callers

setup() {
	holm_setup
}

setup_file() {
	needs_root "it compares with docker's and podman's containers of root"
	callers_setup_file dockerd docker containerd runc jq || return 0
	caller_starts dockerd dockerd --host unix:///run/docker-test.sock --data-root "$CALLER/docker" \
		--exec-root /run/docker-test --pidfile /run/docker-test.pid --storage-driver overlay2 \
		--exec-opt native.cgroupdriver=cgroupfs --bridge none --iptables=false --ip6tables=false
	export DOCKER_HOST=unix:///run/docker-test.sock
	within 30 docker version
	docker load -q -i "$CALLER/busybox.tar"
}

teardown_file() {
	[ -z "${CALLER:-}" ] || callers_teardown_file dockerd
}

teardown() {
	[ -n "${CALLER_LACKS:-}" ] || docker ps -aq | xargs -r docker rm -f -v >/dev/null || true
	holm_teardown
}

needs_docker() {
	[ -z "${CALLER_LACKS:-}" ] || skip "no $CALLER_LACKS here (tests/packages/callers)"
}

# Older ones know no --format json, and print CapAdd and Ulimits in another way.
needs_docker_client() { # MAJOR
	needs_docker
	local version
	version=$(docker version --format '{{.Client.Version}}')
	((${version%%.*} >= $1)) || skip "docker's client is $version, not $1"
}

# Each member of docker's that holm's lacks or has with another type; null goes with any. Elements of
# an array count as one. What stands behind are members that need not be there, as patterns of jq's.
differences() { # DOCKER.json HOLM.json [EXCEPT...]
	jq -rn --slurpfile docker "$1" --slurpfile holm "$2" --args '
		def types: [paths as $p | {
				key: ($p | map(if type == "number" then "[]" else . end) | join(".")),
				value: (getpath($p) | type) }] |
			group_by(.key) | map({ key: .[0].key, value: (map(.value) | unique) }) | from_entries;
		($docker | types) as $d | ($holm | types) as $h |
		$d | to_entries[] | . as $one |
		select(($ARGS.positional | any(. as $except | $one.key | test("^(\\[\\]\\.)*(" + $except + ")(\\.|$)"))) | not) |
		if $h[.key] == null then "no " + .key
		elif (.value - ["null"]) as $a | ($h[.key] - ["null"]) as $b |
			($a | length) > 0 and ($b | length) > 0 and ($a - $b) == $a
		then "\(.key) is \($h[.key]), not \(.value)"
		else empty end' "${@:3}"
}

same_shape() { # EXCEPT... : of docker.json and holm.json
	local found
	found=$(differences docker.json holm.json "$@")
	[ -z "$found" ] || {
		echo "$found"
		return 1
	}
}

both() { # COMMAND...: to docker.json and holm.json
	docker "$@" >docker.json
	holm "$@" >holm.json
}

some_containers() {
	local program
	for program in docker holm; do
		$program run -d --name web -e A=1 -w /tmp --label x=y -m 64m --cpus 0.5 -v /tmp:/mnt:ro -v data:/data \
			--tmpfs /t:size=1m --user 1:2 --network none --ulimit nofile=1000:2000 --cap-add NET_ADMIN --cap-drop KILL \
			--restart on-failure:3 --stop-signal INT --stop-timeout 5 -h inner --domainname example.org --add-host a:1.2.3.4 \
			--dns 1.1.1.1 --security-opt no-new-privileges --init --mount type=bind,src=/tmp,dst=/bind,readonly \
			--log-opt max-size=1m --device /dev/null:/dev/other --group-add 5 --sysctl kernel.shm_rmid_forced=1 busybox sleep 1000
		$program run -d --name plain --network none busybox sleep 1000
		$program create --name made --network none busybox echo "hi there"
		$program run --name ended --network none busybox sh -c 'exit 3' || true
	done >/dev/null
}

@test "inspect, ps: docker's members and types; and the values that can be the same" {
	needs_docker_client 23
	some_containers
	both inspect web plain made ended
	same_shape
	cat >same.jq <<-'E'
		[.[] | del(.Config.Hostname) | {
			Path, Args, Name, RestartCount, Driver, Platform, ExecIDs, Image,
			State: (.State | [.Status, .Running, .ExitCode, .Error]),
			HostConfig: (.HostConfig | { NetworkMode, RestartPolicy, AutoRemove, CapAdd, CapDrop, Dns, ExtraHosts,
				GroupAdd, IpcMode, OomScoreAdj, PidMode, Privileged, ReadonlyRootfs, SecurityOpt, UTSMode, UsernsMode,
				ShmSize, ConsoleSize, Memory, NanoCpus, MemorySwap, Devices, Ulimits, Mounts, LogConfig,
				Binds: (.Binds // [] | sort) }),
			Config: (.Config | { Domainname, User, AttachStdin, AttachStdout, Tty, OpenStdin, StdinOnce, Env, Cmd, Image,
				Volumes, WorkingDir, Entrypoint, Labels, StopSignal, StopTimeout }),
			Mounts: ([.Mounts[] | select(.Type != "tmpfs") |
				[.Type, .Destination, .Mode, .RW, .Propagation, .Name]] | sort),
			Network: (.NetworkSettings | [.Ports, .IPAddress, .Bridge, (.Networks | keys)])
		}]
	E
	diff <(jq -f same.jq docker.json) <(jq -f same.jq holm.json)
	both ps -a --no-trunc --format json
	same_shape
	diff <(jq '{ Command, Image, Names, Labels, State, Networks, LocalVolumes, Ports, Size, Platform }' docker.json) \
		<(jq '{ Command, Image, Names, Labels, State, Networks, LocalVolumes, Ports, Size, Platform }' holm.json)
	[[ $(jq -r .CreatedAt holm.json | head -1) =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}\ [0-9:]{8}\ [+-][0-9]{4}\ [A-Z]+$ ]]
	both ps -a --format 'table {{.Names}}\t{{.Image}}\t{{.Command}}\t{{.State}}'
	diff docker.json holm.json
}

@test "image inspect, images, history, volumes, version, info, system df: docker's members and types" {
	needs_docker_client 23
	holm load -q -i "$CALLER/busybox.tar" >/dev/null
	both image inspect busybox
	same_shape GraphDriver.Data
	both images --format json
	same_shape
	both history --format json busybox
	same_shape
	docker volume create data >/dev/null
	holm volume create data >/dev/null
	both volume inspect data
	same_shape
	both volume ls --format json
	same_shape
	both version --format json
	same_shape 'Server.Components.\[\].Details.GitCommit'
	both info --format json
	same_shape 'Runtimes\..*' DriverStatus.* Warnings.* ContainerdCommit RuncCommit InitCommit 'ClientInfo.Plugins' FirewallBackend
	both system df --format json
	same_shape
	docker volume rm data
	holm volume rm data
}

@test "templates print what docker prints, on the same containers" {
	needs_docker
	some_containers
	# in one, since a program of docker's takes long to start
	local all
	all=$(cat -n <<-'E'
		{{.Name}}
		{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}
		{{json .Config.Cmd}} {{json .HostConfig.RestartPolicy}}
		{{range .Config.Env}}{{println .}}{{end}}
		{{range $i, $e := .Config.Cmd}}{{$i}}={{$e}};{{end}}
		{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}
		{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}}:{{.Destination}} {{end}}{{end}}
		{{with .Config.Labels}}{{len .}}{{else}}none{{end}}
		{{index .Config.Cmd 0}} {{index .Config.Labels "x"}}
		{{if and .State.Running (gt .State.Pid 0)}}up{{else if .State.StartedAt}}was{{end}}
		{{if or (eq .State.Status "exited" "created") .State.Paused}}down{{end}}
		{{if not .State.Running}}not{{else}}yes{{end}}
		{{join .Config.Cmd ","}} {{upper .Name}} {{lower "ABC"}} {{title "word"}}
		{{split .Name "e"}} {{(index (split .Name "e") 0)}}
		{{printf "%s|%-8s|%5d|%q|%v|%05d|%x|%t" .Name .Path .State.ExitCode .Path .Args 7 255 .State.Running}}
		{{.Name | printf "%s!" | upper}}
		{{len .Args}} {{.HostConfig.Memory}}
		{{- .Name -}} x {{- /* a comment */ -}} y
		{{$n := .Name}}{{range .Args}}{{$n}}:{{.}} {{end}}{{$n}}
		{{range .Args}}{{.}}{{else}}no arguments{{end}}
		{{.Config.Cmd}} {{.Args}} {{.Config.Labels}}
		{{println .Name .Path}}{{print 1 2 "a" "b" 3}}
		{{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 2 1}} {{ne "a" "b"}} {{eq 1 1}}
		{{range $i := .Args}}{{if eq $i "1000"}}{{break}}{{end}}{{$i}}{{end}}
		{{json .Config.Labels}}{{json .Name}}
		{{"quoted \"text\""}} {{`raw`}} {{1.5}} {{0x10}} {{true}}
		{{ .Name }}{{ if .Name }} {{ end }}|
		{{html "<a href='x'>&\"" .Name}} {{js "a='<\n\"\\>&"}} {{urlquery "a b&c/~-_.=" 1}} {{.Path | html}}
		{{define "t"}}<{{.}}>{{end}}{{template "t" .Name}}{{range .Args}}{{template "t" .}}{{end}}{{template "t"}}
		{{block "b" .State}}{{.Status}} {{$.ExitCode}}{{end}}{{template "b" .State}}
		{{.HostConfig.DeviceRequests}} {{.Config.OnBuild}} {{.State.Health}} {{.ExecIDs}} {{range .Mounts}}{{if eq .Type "bind"}}<{{.Name}}{{.Driver}}>{{end}}{{end}}
		{{.HostConfig.OomKillDisable}} {{.Config.Volumes}} {{.HostConfig.Tmpfs}} {{.HostConfig.PortBindings}} {{len .Config.OnBuild}}
		{{.Config.Entrypoint}} {{.Config.Healthcheck}} {{.HostConfig.GroupAdd}} {{.Config.ExposedPorts}} {{.Config.Labels.nosuch}}
	E
	)
	docker inspect --format "$all" web plain made ended >docker.out
	holm inspect --format "$all" web plain made ended >holm.out
	diff docker.out holm.out
}

# What docker tells of networks and of holm's own files in a container is left out; docker 20.10 puts
# a blank behind the command of an exec.
told_by() { # PROGRAM SINCE
	"$1" events --since "$2" --until "$(date +%s.%N)" --format '{{.Type}} {{.Action}}' |
		grep -v '^network\|^volume' | sed 's/ *$//'
}

attributes_of() { # PROGRAM SINCE
	"$1" events --since "$2" --until "$(date +%s.%N)" -f type=container \
		--format '{{.Action}} {{range $k, $v := .Actor.Attributes}}{{$k}} {{end}}' |
		grep -v '^kill' | sed 's/  */ /g; s/ execDuration//'
}

a_day_of() { # PROGRAM
	"$1" run -d --name web --network none -v data:/data busybox sleep 1000
	"$1" exec web true
	"$1" exec -d web sh -c 'exit 3'
	within 5 ended "$1"
	"$1" cp f web:/f
	"$1" cp web:/f g
	"$1" top web
	"$1" rename web net
	"$1" update --memory 64m --memory-swap -1 net
	"$1" export net -o x.tar
	"$1" commit -m why net img:1
	"$1" pause net
	"$1" unpause net
	"$1" kill -s KILL net
	"$1" wait net
	"$1" tag img:1 img:2
	"$1" rmi img:2
	"$1" import x.tar imp:1
	"$1" rmi imp:1
	"$1" rm net
	"$1" run --rm --name once --network none busybox false || [ $? = 1 ]
	"$1" run --rm --name never --network none busybox /nosuch || [ $? = 127 ]
}

ended() { # PROGRAM
	"$1" events --since "$since" --until "$(date +%s.%N)" -f event=exec_die --format '{{.Actor.Attributes.exitCode}}' |
		grep -qx 3
}

@test "events tells of the same things in the same words" {
	needs_docker
	holm load -q -i "$CALLER/busybox.tar" >/dev/null
	local program since
	echo hi >f
	for program in docker holm; do
		since=$(date +%s.%N)
		a_day_of $program >/dev/null
		told_by $program "$since" >$program.told
		attributes_of $program "$since" >$program.attributes
	done
	diff docker.told holm.told
	diff docker.attributes holm.attributes
	docker rmi img:1 >/dev/null
	docker volume rm data >/dev/null
}

@test "errors of templates are worded as Go words them" {
	needs_docker
	docker create --name web --network none busybox true >/dev/null
	holm create --name web --network none busybox true >/dev/null
	local template
	while read -r template; do
		expect 1 holm inspect --format "$template" web
		# docker: "template parsing error: template: :1: unexpected..."
		local ours=${stderr%%$'\n'*}
		docker inspect --format "$template" web >docker.out 2>&1 || true
		local theirs
		theirs=$(grep -o 'template: .*' docker.out | head -1)
		[[ $ours == *"${theirs#template: :1: }"* ]] || {
			echo "$template"
			echo "docker: $theirs"
			echo "holm:   $ours"
			return 1
		}
	done <<-'E'
		{{.Name
		{{if .Name}}
		{{end}}
		{{nosuch .Name}}
		{{.Name | }}
		{{range}}{{end}}
		{{"open}}
		{{$x}}
		{{(.Name}}
		{{if .Name}}{{else}}{{else}}{{end}}
	E
}
