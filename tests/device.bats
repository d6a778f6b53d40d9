#!/usr/bin/env bats
# Devices, mounts and networks come and go while a container runs, or while it does not.
load holm
load systems

setup() {
	holm_setup
}

teardown() {
	local status=0
	holm_teardown || status=1
	umount /etc/subuid /etc/subgid 2>/dev/null || true
	return $status
}

# Starts box; with a text of options.
box() {
	expect 0 holm run -d --name box --network none "$@" busybox sleep 1000
}

rows() { # FORMAT
	expect 0 holm device ls --format "$1" box
}

# A folder comes into box and goes again; over a restart it is there as well.
comes_and_goes() {
	mkdir -p data
	echo inside >data/note
	given data
	expect 0 holm device add -v "$PWD/data:/data/deep" box
	expect 0 holm exec box cat /data/deep/note
	output_is inside
	expect 0 holm inspect -f '{{range .Mounts}}{{.Source}} {{.Destination}}{{end}}' box
	output_is "$PWD/data /data/deep"
	rows '{{.Type}} {{.Source}} {{.Target}} {{.Temporary}}'
	output_is "bind $PWD/data /data/deep no"
	refused 1 "has /data/deep already" holm device add -v "$PWD/data:/data/deep" box
	expect 0 holm restart -t 0 box
	expect 0 holm exec box cat /data/deep/note
	output_is inside
	expect 0 holm device rm box /data/deep
	expect 1 holm exec box test -e /data/deep/note
	expect 0 holm restart -t 0 box
	expect 1 holm exec box test -e /data/deep/note
	rows '{{.Target}}'
	output_is ""
	refused 1 "was given nothing at /data/deep" holm device rm box /data/deep
}

@test "a folder comes into a container that runs, stays over a restart, and goes again" {
	box
	comes_and_goes
}

@test "the same where it has ids of its own" {
	needs_root "of ranges that are a user's own, user_ids tells"
	ids_for_containers
	box --userns auto
	comes_and_goes
}

@test "one that was there from the start goes, too" {
	mkdir data
	echo inside >data/note
	given data
	box -v "$PWD/data:/data" --tmpfs /fast
	expect 0 holm device rm box /data /fast
	expect 1 holm exec box test -e /data/note
	expect 1 holm exec box grep -q ' /fast ' /proc/mounts
	expect 0 holm restart -t 0 box
	expect 1 holm exec box test -e /data/note
	[ "$(cat data/note)" = inside ]
}

@test "volumes, tmpfs, single files, read-only" {
	echo text >file
	given file
	box
	expect 0 holm device add -v things:/things --tmpfs /fast:size=1m --mount "type=bind,source=$PWD/file,target=/etc/file,readonly" box
	expect 0 holm exec box sh -c 'echo x >/things/x; cat /etc/file; ! echo y >/etc/file; df -k /fast | tail -1'
	[[ $output == "text"*" 1024 "* ]]
	expect 0 holm volume inspect things
	rows '{{.Type}} {{.Source}} {{.Target}} {{.Options}}'
	[[ $output == *"volume things /things "* && $output == *"bind $PWD/file /etc/file ro"* && $output == *"tmpfs"*"/fast size=1m"* ]]
	refused 1 "is used by a container" holm volume rm things
	expect 0 holm device rm box /things /fast /etc/file
	expect 0 holm volume rm things
}

@test "one that does not run has it at its next start" {
	mkdir data
	echo inside >data/note
	given data
	expect 0 holm create --name box --network none busybox cat /data/note
	expect 0 holm device add -v "$PWD/data:/data" box
	expect 0 holm start -a box
	output_is inside
	expect 0 holm device rm box /data
	expect 1 holm start -a box
	refused 1 "does not run: it can have nothing for a time" holm device add --temporary -v "$PWD/data:/data" box
}

@test "what is for a time is gone with the container's end" {
	mkdir data
	echo inside >data/note
	given data
	box
	expect 0 holm device add --temporary -v "$PWD/data:/data" box
	expect 0 holm exec box cat /data/note
	rows '{{.Target}} {{.Temporary}}'
	output_is "/data yes"
	expect 0 holm inspect -f '{{len .Mounts}}' box
	output_is 0
	expect 0 holm restart -t 0 box
	expect 1 holm exec box test -e /data/note
	rows '{{.Target}}'
	output_is ""
	expect 0 holm device add --temporary -v "$PWD/data:/data" box
	expect 0 holm device rm box /data
	expect 1 holm exec box test -e /data/note
}

@test "a target that is a symbolic link is looked up inside" {
	mkdir data trap
	echo inside >data/note
	given data trap
	box
	expect 0 holm exec box sh -c "mkdir -p $PWD/trap; ln -s $PWD/trap /link; ln -s /../../../../../../$PWD/trap /up"
	expect 0 holm device add -v "$PWD/data:/link" box
	expect 0 holm exec box cat "$PWD/trap/note"
	output_is inside
	[ -z "$(ls trap)" ]
	expect 0 holm device rm box /link
	expect 0 holm device add -v "$PWD/data:/up/below" box
	[ -z "$(ls trap)" ]
	expect 0 holm device rm box /up/below
	refused 1 "Too many levels" bash -c 'holm exec box ln -s /circle /circle && holm device add -v "$PWD/data:/circle" box'
	rows '{{.Target}}'
	output_is ""
	expect 0 holm exec box true
}

@test "a device comes into a container that runs, may be used, and goes again" {
	box
	expect 1 holm exec box test -e /dev/fuse
	expect 0 holm device add box /dev/null:/dev/nothing:rw
	expect 0 holm exec box sh -c 'echo x >/dev/nothing; test -c /dev/nothing'
	rows '{{.Type}} {{.Source}} {{.Target}} {{.Options}}'
	output_is "device /dev/null /dev/nothing rw"
	expect 0 holm inspect -f '{{range .HostConfig.Devices}}{{.PathInContainer}}{{end}}' box
	output_is /dev/nothing
	expect 0 holm restart -t 0 box
	expect 0 holm exec box sh -c 'echo x >/dev/nothing; test -c /dev/nothing'
	expect 0 holm device rm box /dev/nothing
	expect 1 holm exec box test -e /dev/nothing
	# what every container has is allowed as before
	expect 0 holm exec box sh -c 'echo x >/dev/null'
	expect 0 holm restart -t 0 box
	expect 1 holm exec box test -e /dev/nothing
	refused 1 "/dev/none: No such file" holm device add box /dev/none
	refused 1 "it is no device" holm device add box /etc/passwd
	rows '{{.Target}}'
	output_is ""
}

@test "its permission comes and goes with it" {
	needs_root "the kernel lets an ordinary user set no rules for devices"
	[ -c /dev/fuse ] || skip "no /dev/fuse here"
	box --cap-add MKNOD
	expect 0 holm exec box mknod /mine c 10 229
	expect 1 holm exec box sh -c ': <>/mine'
	expect 0 holm device add box /dev/fuse
	expect 0 holm exec box sh -c ': <>/mine; : <>/dev/fuse'
	expect 0 holm device rm box /dev/fuse
	expect 1 holm exec box sh -c ': <>/mine'
	expect 0 holm device add --temporary box /dev/fuse:/dev/other:r
	expect 0 holm exec box sh -c ': </dev/other'
	expect 1 holm exec box sh -c ': <>/mine'
	expect 0 holm device rm box /dev/other
	expect 1 holm exec box sh -c ': </mine'
	# twice under two names: one stays
	expect 0 holm device add box /dev/fuse:/dev/one /dev/fuse:/dev/two
	expect 0 holm device rm box /dev/one
	expect 0 holm exec box sh -c ': <>/dev/two; : <>/mine'
	expect 0 holm restart -t 0 box
	expect 0 holm exec box sh -c ': <>/dev/two; : <>/mine'
}

@test "what a program of the container made there instead stays" {
	needs_root "the kernel lets no ordinary user make devices"
	box --cap-add MKNOD
	expect 0 holm device add box /dev/null:/dev/nothing
	expect 0 holm exec box sh -c 'rm /dev/nothing && mknod /dev/nothing c 1 5'
	expect 0 holm device rm box /dev/nothing
	expect 0 holm exec box test -c /dev/nothing
	rows '{{.Target}}'
	output_is ""
}

@test "a device, where it has ids of its own" {
	needs_root "of ranges that are a user's own, user_ids tells"
	ids_for_containers
	box --userns auto
	expect 0 holm device add box /dev/null:/dev/nothing
	expect 0 holm exec box sh -c 'echo x >/dev/nothing; test -c /dev/nothing'
	expect 0 holm device rm box /dev/nothing
	expect 1 holm exec box test -e /dev/nothing
	rows '{{.Target}}'
	output_is ""
}

@test "a network comes and goes" {
	expect 0 holm network create side
	expect 0 holm network create main
	expect 0 holm run -d --name box --network main busybox sleep 1000
	expect 0 holm device add --network side box
	expect 0 holm exec box ip link show eth1
	rows '{{.Type}} {{.Source}}'
	output_is $'network main\nnetwork side'
	expect 0 holm device rm box side
	expect 1 holm exec box test -e /sys/class/net/eth1
	expect 0 holm rm -f box
	expect 0 holm network rm side main
}

@test "two at once" {
	local jobs=() i
	mkdir data
	given data
	box
	for i in $(seq 12); do
		holm device add -v "$PWD/data:/data$i" box &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do wait "$i"; done
	expect 0 holm exec box grep -c ' /data' /proc/mounts
	output_is 12
	jobs=()
	for i in $(seq 12); do
		holm device rm box "/data$i" &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do wait "$i"; done
	expect 1 holm exec box grep -q ' /data' /proc/mounts
	rows '{{.Target}}'
	output_is ""
}

# What is listed is what is there.
agrees() {
	local there=no
	rows '{{.Target}}'
	[ "$output" != /data ] || there=yes
	run holm exec box test -e /data/note
	[ "$status.$there" = 0.yes ] || [ "$status.$there" = 1.no ] || {
		echo "listed: $there, in the container: $status"
		return 1
	}
}

@test "kill -9 in between: what is listed is what is there" {
	mkdir data
	echo inside >data/note
	given data
	box
	for _ in $(seq 15); do
		killed_at_random 25 holm device add -v "$PWD/data:/data" box
		agrees
		killed_at_random 25 holm device rm box /data
		agrees
	done
	expect 0 holm device add --temporary -v "$PWD/data:/other" box
	expect 0 holm restart -t 0 box
	agrees
}

@test "an abort at any point of adding and removing: what is listed is what is there" {
	needs_abort_points
	local point
	mkdir data
	echo inside >data/note
	given data
	box
	for point in record mounted; do
		HOLM_FAULT=device.$point run holm device add -v "$PWD/data:/data" box
		[ "$status" -gt 128 ]
		agrees
		run holm device rm box /data
	done
	for point in leaving unrecorded gone; do
		run holm device add -v "$PWD/data:/data" box
		HOLM_FAULT=device.$point run holm device rm box /data
		[ "$status" -gt 128 ]
		agrees
	done
	run holm device rm box /data
	HOLM_FAULT=device.node run holm device add box /dev/null:/dev/nothing
	[ "$status" -gt 128 ]
	rows '{{.Target}}'
	output_is /dev/nothing
	expect 0 holm exec box test -c /dev/nothing
	HOLM_FAULT=device.unrecorded run holm device rm box /dev/nothing
	rows '{{.Target}}'
	output_is ""
	expect 1 holm exec box test -e /dev/nothing
}

@test "an abort or a refusal while a device comes leaves no permission behind" {
	needs_abort_points
	needs_root "the kernel lets an ordinary user set no rules for devices"
	[ -c /dev/fuse ] || skip "no /dev/fuse here"
	box --cap-add MKNOD
	expect 0 holm exec box mknod /mine c 10 229
	HOLM_FAULT=device.node run holm device add box /dev/fuse
	[ "$status" -gt 128 ]
	rows '{{.Target}}'
	output_is /dev/fuse
	expect 0 holm exec box sh -c ': <>/mine; : <>/dev/fuse'
	expect 0 holm device rm box /dev/fuse
	expect 1 holm exec box sh -c ': <>/mine'
	HOLM_FAULT=device.node run holm device add --temporary box /dev/fuse
	[ "$status" -gt 128 ]
	rows '{{.Target}}'
	output_is ""
	expect 1 holm exec box sh -c ': <>/mine'
	expect 1 holm exec box test -e /dev/fuse
	expect 0 holm exec box touch /dev/other
	refused 1 "something else is there" holm device add --temporary box /dev/fuse:/dev/other
	expect 0 holm device add box /dev/null:/dev/nothing
	expect 0 holm device rm box /dev/nothing
	expect 1 holm exec box sh -c ': <>/mine'
}

@test "a folder of devices comes whole or not at all, and goes, though it was empty" {
	mkdir nodes
	given nodes
	box
	expect 0 holm device add --temporary box "$PWD/nodes:/dev/nodes"
	rows '{{.Target}}'
	output_is /dev/nodes
	expect 0 holm device rm box /dev/nodes
	rows '{{.Target}}'
	output_is ""
	needs_root "who may make no node of a device gets the host's node by its name"
	mknod nodes/a c 1 3
	mknod nodes/b c 1 3
	expect 0 holm exec box sh -c 'mkdir /dev/nodes; touch /dev/nodes/a'
	refused 1 "something else is there" holm device add --temporary box "$PWD/nodes:/dev/nodes"
	expect 1 holm exec box test -e /dev/nodes/b
	expect 0 holm exec box rm /dev/nodes/a
	expect 0 holm exec box touch /dev/nodes/b
	refused 1 "something else is there" holm device add --temporary box "$PWD/nodes:/dev/nodes"
	expect 1 holm exec box test -e /dev/nodes/a
	expect 0 holm exec box rm /dev/nodes/b
	expect 0 holm device add --temporary box "$PWD/nodes:/dev/nodes"
	expect 0 holm exec box sh -c 'echo x >/dev/nodes/a; echo x >/dev/nodes/b'
	expect 0 holm device rm box /dev/nodes
	expect 1 holm exec box sh -c 'test -e /dev/nodes/a || test -e /dev/nodes/b'
}

@test "what an ordinary user has under another name for a time goes, too" {
	box
	expect 0 holm device add --temporary box /dev/null:/dev/nothing
	expect 0 holm exec box sh -c 'echo x >/dev/nothing; test -c /dev/nothing'
	expect 0 holm device rm box /dev/nothing
	expect 1 holm exec box test -e /dev/nothing
	rows '{{.Target}}'
	output_is ""
}

@test "what every container has stays where it was added once more" {
	box
	expect 0 holm device add box /dev/null /dev/zero
	expect 0 holm device rm box /dev/null
	expect 0 holm exec box sh -c 'test -c /dev/null && echo x >/dev/null && head -c 1 /dev/zero >/dev/null'
	rows '{{.Target}}'
	output_is /dev/zero
	expect 0 holm restart -t 0 box
	expect 0 holm device rm box /dev/zero
	expect 0 holm exec box sh -c 'echo x >/dev/null; head -c 1 /dev/zero >/dev/null'
}
