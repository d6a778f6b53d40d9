#!/usr/bin/env bats
# What a container gets of the caller and of its image: variables, time zone, umask, volumes.
load holm

setup() {
	holm_setup
}

# An image "has" with two variables and a volume.
build_has() {
	printf '%s\n' 'FROM busybox' 'ENV ONE=1 TWO=2 PATH=/usr/bin:/bin' 'VOLUME /data' >Dockerfile
	holm build -q -t has . >/dev/null
}

@test "variables of the image go, and are built upon" {
	build_has
	expect 0 holm run --rm --unsetenv ONE has /usr/bin/env
	[[ $output == *TWO=2* && $output != *ONE=* ]]
	# shellcheck disable=SC2016
	expect 0 holm run --rm --env-merge 'PATH=${PATH}:/more' --env-merge 'THREE=$ONE-$NONE' has /usr/bin/env
	[[ $output == *PATH=/usr/bin:/bin:/more* && $output == *THREE=1-* ]]
	expect 0 holm run --rm --unsetenv-all -e TWO=3 has /usr/bin/env
	[[ $output == *TWO=3* && $output != *ONE=* ]]
	refused 125 "not the name of a variable" holm run --rm --unsetenv A=b has /usr/bin/env
	refused 125 "not KEY=VALUE" holm run --rm --env-merge A has /usr/bin/env
	# shellcheck disable=SC2016
	refused 125 'a variable is written ${NAME}' holm run --rm --env-merge 'A=${B' has /usr/bin/env
}

@test "variables of the caller: below those of the image" {
	build_has
	export ONE=mine OTHER=mine http_proxy=http://proxy:1
	expect 0 holm run --rm --env-host has /usr/bin/env
	[[ $output == *ONE=1* && $output == *OTHER=mine* ]]
	expect 0 holm run --rm has /usr/bin/env
	[[ $output != *OTHER* && $output != *proxy* ]]
	expect 0 holm run --rm --http-proxy has /usr/bin/env
	[[ $output == *http_proxy=http://proxy:1* && $output != *OTHER* ]]
}

@test "--umask is that of run and of exec" {
	expect 0 holm run -d --name a --umask 0027 busybox sh -c 'touch /made; exec sleep 1000'
	within 10 holm exec a test -e /made
	expect 0 holm exec a sh -c 'umask; stat -c %a /made'
	output_is $'0027\n640'
	refused 125 "not octal" holm run --rm --umask 99 busybox true
	refused 125 "not octal" holm run --rm --umask 1777 busybox true
}

@test "--tz: a zone of this host" {
	[ -f /usr/share/zoneinfo/Asia/Tokyo ] || skip "no time zones here (tzdata)"
	expect 0 holm run --rm --tz Asia/Tokyo busybox cmp /etc/localtime /etc/localtime
	expect 0 holm run --rm --tz Asia/Tokyo busybox sh -c 'wc -c </etc/localtime'
	[ "$output" = "$(wc -c <"$(readlink -f /usr/share/zoneinfo/Asia/Tokyo)")" ]
	refused 125 "no such time zone" holm run --rm --tz Moon/Base busybox true
	refused 125 "no such time zone" holm run --rm --tz ../../../etc/passwd busybox true
}

@test "--image-volume, --read-only-tmpfs" {
	build_has
	expect 0 holm run --rm --image-volume tmpfs has stat -f -c %T /data
	output_is tmpfs
	expect 0 holm run --rm --image-volume ignore has sh -c 'grep -c " /data " /proc/mounts || true'
	output_is 0
	expect 0 holm run --rm has sh -c 'grep -c " /data " /proc/mounts'
	output_is 1
	refused 125 "is not one of" holm run --rm --image-volume moon has true
	expect 0 holm run --rm --read-only --read-only-tmpfs busybox touch /tmp/x /run/x /var/tmp/x
	expect 1 holm run --rm --read-only busybox touch /tmp/x
	refused 125 "goes with --read-only" holm run --rm --read-only-tmpfs busybox true
}

@test "--replace takes the name from a container that runs" {
	expect 0 holm run -d --name web busybox sleep 1000
	refused 125 "web" holm run -d --name web busybox true
	expect 0 holm run --replace --name web busybox echo new
	output_is new
	expect 0 holm create --replace --name web busybox true
	[ "$(holm ps -aq | wc -l)" = 1 ]
	refused 125 "goes with --name" holm run --replace busybox true
}

@test "--replace leaves the container there where the options of the new one are wrong" {
	expect 0 holm run -d --name web busybox sleep 1000
	refused 125 "sometimes" holm run --replace --name web --restart sometimes busybox true
	expect 0 holm inspect -f '{{.State.Running}}' web
	output_is true
}

@test "--replace leaves a container alone whose id begins like the name" {
	local id
	id=$(holm run -d --name web busybox sleep 1000)
	expect 0 holm create --replace --name "${id:0:5}" busybox true
	expect 0 holm inspect -f '{{.State.Running}}' web
	output_is true
	[ "$(holm ps -aq | wc -l)" = 2 ]
}

@test "--arch is a part of --platform" {
	expect 0 holm run --rm --arch amd64 --os linux busybox true
	refused 125 "exclude each other" holm run --arch amd64 --platform linux/amd64 busybox true
	refused 125 "go with --arch" holm run --os linux busybox true
}

@test "what docker or podman have and holm does not says what there is instead" {
	refused 125 "unknown option --link" holm rm --link a
	[[ $stderr == *"holm network disconnect"* ]]
	refused 125 "unknown option --isolation" holm run --isolation=hyperv busybox
	[[ $stderr == *Windows* ]]
	refused 1 "unknown command 'swarm'" holm swarm init
	[[ $stderr == *swarm*containerd* ]]
	refused 1 "unknown command 'generate systemd'" holm generate systemd web
	[[ $stderr == *autostart* ]]
	refused 1 "unknown command 'image sign'" holm image sign x
	[[ $stderr == *cosign* ]]
}
