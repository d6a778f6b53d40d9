#!/usr/bin/env bats
# What podman prints where docker has no such thing (pods), and what templates written for podman print
# in holm: both are asked about the same containers. Docker's shape is what format.bats compares.
# shellcheck disable=SC2154

load holm
load callers/callers

setup_file() {
	needs_root "it compares with docker's and podman's containers of root"
	callers_setup_file podman conmon jq /etc/containers/policy.json || return 0
	export CONTAINERS_CONF=$CALLER/containers.conf
	{
		readme_block /etc/containers/containers.conf |
			sed '/^runtime = /a events_logger = "file"\nruntime_supports_nocgroup = ["holm-runtime"]'
		printf '[containers]\ndefault_ulimits = []\n'
	} >"$CONTAINERS_CONF"
	podman load -q -i "$CALLER/busybox.tar"
	podman tag localhost/busybox docker.io/library/busybox
	podman rmi localhost/busybox
}

teardown_file() {
	[ -n "${CALLER_LACKS:-}" ] || callers_teardown_file
}

teardown() {
	[ -z "${CALLER_LACKS:-}" ] || return 0
	podman pod rm -f -t 0 -a >/dev/null 2>&1 || true
	podman rm -f -t 0 -a >/dev/null 2>&1 || true
	podman volume rm -a -f >/dev/null 2>&1 || true
	within 10 not pgrep -x podman # conmon has it tidy up
	! mountpoint -q "$CALLER/root/overlay" || umount "$CALLER/root/overlay"
	holm_teardown
}

podman() { # ARGUMENT...
	command podman --root "$CALLER/root" --runroot /run/podman-test --tmpdir /run/podman-tmp \
		--storage-driver overlay --cgroup-manager cgroupfs "$@"
}

some_things() { # PROGRAM
	"$1" volume create --label a=b data
	"$1" pod create --name shop -l k=v --share ipc,uts --infra-image busybox ${2:+"$2" "$3"}
	"$1" create --pod shop --name one --network none -v data:/data -e A=1 -w /tmp --user 1:2 -l x=y busybox sleep 1000
	"$1" create --pod shop --name two --network none busybox true
	"$1" run --name ended --network none --restart on-failure:2 busybox sh -c 'exit 3' || [ $? = 3 ]
}

same_output() { # ARGUMENT...: sorted, since the orders are each one's own
	podman "$@" | sort >podman.out
	holm "$@" | sort >holm.out
	diff podman.out holm.out
}

@test "templates for podman print the same in holm: ps, pods, volumes, images, system df, inspect" {
	holm load -q -i "$CALLER/busybox.tar"
	# podman's own command for a pod, /catatonit, is not in this image
	some_things podman --infra-command 'sleep 1000'
	some_things holm
	same_output ps -a --filter name=ended --format '{{.Names}} {{.ExitCode}} {{.Pid}}'
	same_output ps -a --filter name=one --format '{{.Names}} {{.ExitCode}} {{.Status}}'
	same_output pod ps --format '{{.Name}} {{.Status}} {{.NumberOfContainers}} {{.ContainerStatuses}}'
	same_output volume ls --format '{{.Name}} {{.Driver}} {{.Scope}}'
	same_output volume inspect data --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Labels}} {{.Options}}'
	# the image of holm's pods is the same busybox, which is one image; docker lists the build cache, too
	podman system df --format '{{.Type}} {{.Total}}' >podman.out
	holm system df --format '{{.Type}} {{.Total}}' | grep -v '^Build Cache' >holm.out
	diff podman.out holm.out
	same_output inspect ended --format '{{.Path}} {{.Args}} {{.State.Status}} {{.State.ExitCode}}
		{{.State.Running}} {{.State.Paused}} {{.State.OOMKilled}} {{.RestartCount}} {{.HostConfig.NetworkMode}}
		{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}} {{.HostConfig.Privileged}}'
	same_output inspect one --format '{{.Path}} {{.Args}} {{.Config.WorkingDir}} {{.Config.User}} {{.Config.Cmd}}
		{{.Config.Tty}} {{.Config.OpenStdin}} {{index .Config.Labels "x"}} {{.HostConfig.ReadonlyRootfs}}
		{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}}{{end}}'
	same_output image inspect busybox --format '{{.Architecture}} {{.Os}} {{.Config.Cmd}} {{len .RootFS.Layers}} {{.Config.Labels}}'
	same_output images --format '{{.ID}} {{.Created}}'
}

@test "pod inspect has podman's members, of the same types" {
	some_things podman --infra-command 'sleep 1000' >/dev/null
	some_things holm >/dev/null
	podman pod inspect shop >podman.json
	holm pod inspect shop >holm.json
	local filter='(if type == "array" then .[0] else . end) |
		{ Name, State, Labels, CreateInfra, ExitPolicy, NumContainers, shared: (.SharedNamespaces | sort),
			containers: [.Containers[] | .State], types: [.Id, .Created, .InfraContainerID | type],
			infra: (.InfraConfig | [.HostNetwork, .DNSServer, .HostAdd, .pid_ns, .uts_ns]) }'
	diff <(jq "$filter" podman.json) <(jq "$filter" holm.json)
}
