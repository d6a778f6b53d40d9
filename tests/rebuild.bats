#!/usr/bin/env bats
# rebuild: a container begins again with the root of its image, or of another one. What it is called,
# how it is configured, what it is connected to and what lies in volumes stays.
load holm
load frozen

tree() { # NAME
	holm export "$1" | tar --numeric-owner -tvf - | grep -v -e ' run/' -e etc/hosts -e etc/hostname -e etc/resolv.conf | sort -k 6
}

box() { # NAME [OPTION...] - has written, and ended
	local name=$1
	shift
	expect 0 holm run --name "$name" "$@" busybox sh -c '
		echo one >/file; rm /etc/group; rm -r /home; mkdir /home; echo again >/home/new; chmod 711 /
		echo kept >/data/kept'
}

other_image() { # NAME - with a file more
	holm create --name made busybox true >/dev/null
	echo other >other
	holm cp other made:/other
	holm commit made "$1" >/dev/null
	holm rm made >/dev/null
}

@test "the root is the image's again; name, configuration and volumes stay" {
	expect 0 holm create --name fresh -v data:/data busybox true
	tree fresh >before
	box web -e K=v -m 64m -v data:/data -v /nameless --label a=b
	expect 0 holm inspect -f '{{.Id}} {{.Config.Env}} {{.HostConfig.Memory}} {{json .Mounts}} {{.Config.Labels}}' web
	echo "$output" >configured
	tree web >broken
	run diff <(grep -v nameless broken) before
	[ "$status" = 1 ]
	expect 0 holm rebuild web
	output_is ""
	expect 0 holm inspect -f '{{.Id}} {{.Config.Env}} {{.HostConfig.Memory}} {{json .Mounts}} {{.Config.Labels}}' web
	diff configured <(echo "$output")
	tree web >after
	diff before <(grep -v nameless after)
	[ "$(frozen_layers)" = 0 ]
	expect 0 holm diff web
	output_is ""
	expect 0 holm run --rm --volumes-from web busybox cat /data/kept
	output_is kept
	expect 0 holm start -a web
	tree web >after
	diff broken after
	expect 0 holm rebuild web
	expect 0 holm rebuild web
	expect 0 holm system check
	expect 0 holm rm fresh web
}

@test "one that runs is refused, or with --restart stopped and started; --snapshot keeps what was" {
	expect 0 holm run -d --name web --userns auto --stop-timeout 0 busybox sh -c '
		test -e /file || echo first >/first; echo one >/file; sleep 1000'
	within 5 holm exec web test -e /file
	refused 1 "container web is running" holm rebuild web
	[[ $stderr == *"holm rebuild --restart web stops it"* ]]
	expect 0 holm exec web sh -c 'rm /bin/vi; echo more >/more'
	expect 0 holm rebuild --restart --snapshot web
	output_is snap0
	within 5 holm exec web test -e /file
	expect 0 holm exec web test -e /bin/vi
	expect 1 holm exec web test -e /more
	expect 0 holm snapshot ls --format '{{.Name}} {{.State}} {{.Comment}}' web
	output_is 'snap0 stopped before a rebuild'
	expect 0 holm restore --restart web snap0
	expect 0 holm exec web cat /more
	output_is more
	expect 1 holm exec web test -e /bin/vi
	expect 0 holm rm -f web
	[ "$(frozen_layers)" = 0 ]
}

@test "of another image, and back by a snapshot; that one is not sent as if it were of this one" {
	other_image other:1
	box web -v data:/data
	tree web >before
	expect 0 holm rebuild -s web other:1
	output_is snap0
	expect 0 holm inspect -f '{{.Config.Image}}' web
	output_is other:1
	expect 0 holm cp web:/other got
	[ "$(cat got)" = other ]
	# its image is needed, and that of the snapshot, by whom it is restored
	expect 0 holm rmi -f other:1
	expect 0 holm image prune -af
	expect 0 holm cp web:/other got
	refused 1 "snapshot snap0 of container web is of another image" holm backup -o web.holm web
	[ ! -e web.holm ]
	expect 0 holm restore web snap0
	tree web >after
	diff before after
	expect 0 holm system check
}

@test "what is wrong is said before anything is stopped or lost" {
	refused 1 "no such container: web" holm rebuild web
	expect 0 holm run -d --name web busybox sleep 1000
	refused 1 "" holm rebuild --restart web "oci:$PWD/none"
	expect 0 holm exec web true
	expect 0 holm inspect -f '{{.Config.Image}}' web
	output_is busybox
	expect 0 holm rm -f web
	expect 0 holm run -d --rm --name gone busybox sleep 1000
	refused 1 "container gone is running" holm rebuild --restart gone
	expect 0 holm rm -f gone
	expect 0 holm pod create --name pod
	refused 1 "" holm rebuild "$(holm pod inspect -f '{{.InfraContainerID}}' pod)"
	expect 0 holm pod rm -f pod
}
