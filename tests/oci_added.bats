#!/usr/bin/env bats
# What a container that runs gets later: devices and mounts, by holm-runtime.
load holm
load runtime/bundle
load runtime/oci

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	oci_setup
	SOURCE=$BATS_TEST_TMPDIR/source
	mkdir "$SOURCE"
}

rt_refused() { # TEXT ARGUMENT...
	local text=$1
	shift
	run --separate-stderr rt "$@"
	[ "$status" != 0 ]
	output_has "holm-runtime: "
	output_has "$text"
}

running() {
	bundle_edit '.process.args = ["sleep", "100"]'
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
}

deny_devices() {
	[ -c /dev/fuse ] || skip "no /dev/fuse here"
	bundle_edit '.linux.resources.devices = [{ allow: false, access: "rwm" }]'
}

with_user_namespace() {
	bundle_edit '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$ROOTFS"
}

change_mounts() { # add|remove JSON
	rt mounts "$1" "$ID" - <<<"$2"
}

refused_mounts() { # TEXT add|remove JSON
	run --separate-stderr change_mounts "$2" "$3"
	[ "$status" != 0 ]
	output_has "$1"
}

inside() { # COMMAND...
	rt exec "$ID" sh -c "$*"
}

@test "a device is allowed and made in a running container, and others stay forbidden" {
	deny_devices
	running
	not inside 'test -e /dev/fuse'
	rt devices add "$ID" /dev/fuse
	expect 0 inside ': <>/dev/fuse && stat -c "%t %T" /dev/fuse'
	output_is "a e5"
	# that one for reading only, at another place; those before it stay
	rt devices add "$ID" /dev/random:/dev/sub/chance:r
	expect 0 inside 'head -c 3 /dev/sub/chance | wc -c; : <>/dev/fuse && echo fuse; head -c 3 /dev/zero | wc -c'
	output_is $'3\nfuse\n3'
	# asked for twice is no harm
	rt devices add "$ID" /dev/fuse
	rt_refused "/dev/loop-none: No such file" devices add "$ID" /dev/loop-none
	rt_refused "/etc/passwd is no device" devices add "$ID" /etc/passwd
	rt_refused "something else is there" devices add "$ID" /dev/zero:/etc/passwd
	rt_refused "not an absolute path" devices add "$ID" /dev/fuse:fuse
	rt_refused "device access" devices add "$ID" /dev/fuse:/dev/fuse2:rwx
	rt kill "$ID" KILL
	within 5 sh -c "holm-runtime --root '$RT_ROOT' state '$ID' | grep -q stopped"
	rt_refused "container not running" devices add "$ID" /dev/fuse
}

@test "only what was asked for may be done with a device" {
	deny_devices
	running
	rt devices add "$ID" /dev/fuse:/dev/fuse:r
	expect 0 inside ': </dev/fuse && echo read; (: >>/dev/fuse) || echo refused'
	output_is $'read\nrefused'
}

@test "rules of a later update leave the devices that were added, and count for those to come" {
	deny_devices
	mknod "$ROOTFS/kmsg" c 1 11
	mknod "$ROOTFS/mem" c 1 1
	running
	rt devices add "$ID" /dev/fuse
	rt update --resources - "$ID" <<<'{ "devices": [{ "allow": false, "access": "rwm" },
		{ "allow": true, "type": "c", "major": 1, "minor": 11, "access": "rw" }] }'
	expect 0 inside ': <>/dev/fuse && echo fuse; (: >>/kmsg) && echo kmsg; (: </mem) || echo none'
	output_is $'fuse\nkmsg\nnone'
	rt devices add "$ID" /dev/random:/dev/chance
	expect 0 inside ': <>/dev/fuse && : >>/kmsg && head -c 3 /dev/chance | wc -c'
	output_is 3
}

# edit_record PROGRAM: as if holm had been killed in the middle
edit_record() {
	jq "$1" <"$RT_ROOT/$ID/record.json" >"$RT_ROOT/$ID/record.new"
	mv "$RT_ROOT/$ID/record.new" "$RT_ROOT/$ID/record.json"
}

@test "what is added is recorded first, and can be removed after a kill in between" {
	running
	local list
	list="[{ \"destination\": \"/a\", \"type\": \"bind\", \"source\": \"$SOURCE\", \"options\": [\"bind\"] }]"
	# killed before the mount was made: the record has it, and nothing is there
	run strace -f -qq -o /dev/null -e trace=move_mount -e inject=move_mount:signal=KILL \
		holm-runtime --root "$RT_ROOT" mounts add "$ID" - <<<"$list"
	[ "$status" != 0 ]
	change_mounts add "$list"
	# and after it
	edit_record '.container.mounts[-1] |= (.below = 1 | del(.id))'
	change_mounts remove "$list"
	expect 1 inside 'grep " /a " /proc/self/mountinfo'
	# what was there before is not taken for it
	change_mounts add "$list"
	edit_record '.container.mounts[-1] |= (.below = .id | del(.id))'
	refused_mounts "the mount that was added is not there" remove "$list"
	expect 0 inside 'grep " /a " /proc/self/mountinfo'
}

@test "in a user namespace a device is the host's node, bound" {
	deny_devices
	with_user_namespace
	running
	rt devices add "$ID" /dev/zero:/dev/nought
	expect 0 inside 'head -c 3 /dev/nought | wc -c; grep -c " /dev/nought " /proc/self/mountinfo'
	output_is $'3\n1'
}

@test "mounts come into a running container and go again" {
	echo content >"$SOURCE/file"
	running
	change_mounts add "[{ \"destination\": \"/new/folder\", \"type\": \"bind\", \"source\": \"$SOURCE\", \"options\": [\"bind\", \"ro\"] },
		{ \"destination\": \"/new/file\", \"type\": \"bind\", \"source\": \"$SOURCE/file\", \"options\": [\"bind\"] },
		{ \"destination\": \"/new/tmp\", \"type\": \"tmpfs\", \"source\": \"t\", \"options\": [\"size=1m\", \"nosuid\"] }]"
	expect 0 inside 'cat /new/folder/file /new/file; touch /new/tmp/x && stat -f -c %T /new/tmp; touch /new/folder/x 2>/dev/null || echo read-only'
	output_is $'content\ncontent\ntmpfs\nread-only'
	change_mounts remove '[{ "destination": "/new/tmp" }, { "destination": "/new//file" }]'
	expect 0 inside 'ls /new/tmp; grep -c " /new/" /proc/self/mountinfo; cat /new/file'
	output_is 1
	refused_mounts "/new/tmp is no mount that was added" remove '[{ "destination": "/new/tmp" }]'
	refused_mounts "/proc is no mount that was added" remove '[{ "destination": "/proc" }]'
	change_mounts remove '[{ "destination": "/new/folder" }]'
	expect 1 inside 'grep " /new/" /proc/self/mountinfo'
}

@test "in a user namespace, too" {
	echo content >"$SOURCE/file"
	with_user_namespace
	running
	change_mounts add "[{ \"destination\": \"/a\", \"type\": \"bind\", \"source\": \"$SOURCE\", \"options\": [\"bind\"] },
		{ \"destination\": \"/t\", \"type\": \"tmpfs\", \"source\": \"t\" }]"
	expect 0 inside 'cat /a/file; touch /t/x; stat -c %u /t/x'
	output_is $'content\n0'
	change_mounts remove '[{ "destination": "/a" }, { "destination": "/t" }]'
	expect 1 inside 'grep -E " /(a|t) " /proc/self/mountinfo'
}

@test "of several mounts all are made, or none" {
	running
	refused_mounts "mount /b: " add "[{ \"destination\": \"/a\", \"type\": \"bind\", \"source\": \"$SOURCE\", \"options\": [\"bind\"] },
		{ \"destination\": \"/b\", \"type\": \"tmpfs\", \"source\": \"t\", \"options\": [\"size=much\"] }]"
	expect 1 inside 'grep " /a " /proc/self/mountinfo'
	refused_mounts "/a is no mount that was added" remove '[{ "destination": "/a" }]'
	local type
	for type in proc sysfs mqueue cgroup; do
		refused_mounts "type $type cannot be added" add "[{ \"destination\": \"/x\", \"type\": \"$type\", \"source\": \"x\" }]"
	done
	refused_mounts "not " add '{}'
}

@test "links in the container lead nowhere else; what lies on top of a mount is not taken for it" {
	mkdir "$ROOTFS/real"
	ln -s "/../../../../../../real" "$ROOTFS/link"
	running
	change_mounts add "[{ \"destination\": \"/link\", \"type\": \"bind\", \"source\": \"$SOURCE\", \"options\": [\"bind\"] }]"
	expect 0 inside 'grep -c " /real " /proc/self/mountinfo'
	# another mount over it
	change_mounts add '[{ "destination": "/real", "type": "tmpfs", "source": "t" }]'
	refused_mounts "the mount that was added is not there" remove '[{ "destination": "/link" }]'
	change_mounts remove '[{ "destination": "/real" }]'
	change_mounts remove '[{ "destination": "/link" }]'
	expect 1 inside 'grep " /real " /proc/self/mountinfo'
}
