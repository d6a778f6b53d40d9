#!/usr/bin/env bats
# SELinux with holm-runtime: what a container's processes, keyrings and filesystems are labelled. Made
# for the VM, whose VM_LSM=selinux has it in force; here it is skipped where it is not.
load holm
load runtime/bundle
load runtime/oci

# Types that every policy with virtual machines has; the categories have a comma between them.
PROCESS=system_u:system_r:svirt_t:s0:c1,c2
OTHER=system_u:system_r:svirt_t:s0:c3
FILES=system_u:object_r:svirt_image_t:s0:c1,c2

selinux() {
	[ -e /sys/fs/selinux/status ] || skip "SELinux is not active in this kernel"
	for label in $PROCESS $OTHER $FILES; do
		echo -n "$label" 2>/dev/null >/sys/fs/selinux/context ||
			skip "the policy has no label $label"
	done
}

# Of a path as the running container has it.
label_of() { # PATH
	stat -c %C "/proc/$(rt state "$ID" | jq .pid)/root$1"
}

labelled() { # LABEL PATH...
	local wanted=$1 path
	shift
	for path; do
		[ "$(label_of "$path")" = "$wanted" ] || {
			echo "$path: $(label_of "$path") instead of $wanted"
			return 1
		}
	done
}

sleeps() {
	bundle_edit '.process.args = ["sleep", "100"]'
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 3>&-
}

run_fails() { # TEXT
	expect 1 rt run --bundle "$BUNDLE" "$ID"
	output_has "holm-runtime: run $ID: "
	output_has "$1"
}

layered() {
	mkdir -p "$BUNDLE"/{layer,upper,work}
	echo content >"$BUNDLE/layer/file"
	bundle_edit '.annotations += { "org.holm.rootfs.lower": ([$b + "/layer", $b + "/rootfs"] | tojson),
		"org.holm.rootfs.upper": ($b + "/upper"), "org.holm.rootfs.work": ($b + "/work") }' --arg b "$BUNDLE"
}

@test "without SELinux a label is refused by its name" {
	[ ! -e /sys/fs/selinux/status ] || skip "SELinux is active"
	bundle_edit '.process.selinuxLabel = $l' --arg l $PROCESS
	run_fails "SELinux label $PROCESS: SELinux is not active on this host"
	bundle_edit 'del(.process.selinuxLabel) | .linux.mountLabel = $l' --arg l $FILES
	run_fails "linux.mountLabel $FILES: SELinux is not active on this host"
}

@test "the processes of a container have its label, exec's too, or one of their own" {
	selinux
	bundle_edit '.process.selinuxLabel = $l' --arg l $PROCESS
	sleeps
	[ "$(tr -d '\0' <"/proc/$(rt state "$ID" | jq .pid)/attr/current")" = $PROCESS ]
	expect 0 rt exec "$ID" sh -c "tr -d '\0' </proc/self/attr/current"
	output_is $PROCESS
	expect 0 rt exec --process-label $OTHER "$ID" sh -c "tr -d '\0' </proc/self/attr/current"
	output_is $OTHER
}

@test "a label that the policy does not know is refused" {
	selinux
	bundle_edit '.process.selinuxLabel = "system_u:system_r:holm_test_t:s0"'
	run_fails "SELinux label system_u:system_r:holm_test_t:s0: "
	bundle_edit 'del(.process.selinuxLabel) | .linux.mountLabel = "system_u:object_r:holm_test_t:s0"'
	run_fails "linux.mountLabel: option context=system_u:object_r:holm_test_t:s0: "
}

@test "every filesystem that is made has the mount's label, but for procfs and sysfs" {
	selinux
	layered
	bundle_edit '.linux.mountLabel = $l | .linux.maskedPaths += ["/proc/sys/net"]' --arg l $FILES
	sleeps
	labelled $FILES / /file /bin/busybox /dev /dev/null /dev/shm /dev/pts /dev/mqueue /proc/sys/net
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || labelled $FILES /sys/fs/cgroup
	[[ $(label_of /proc/version) == *:proc_t:s0 && $(label_of /sys/kernel) == *:sysfs_t:s0 ]]
	expect 0 rt exec "$ID" sh -c 'touch /new /dev/shm/new; mount | grep -c "^overlay on / .*context=\"'$FILES'\""'
	output_is 1
	labelled $FILES /new /dev/shm/new
	[ "$(stat -c %C "$BUNDLE/layer/file")" != $FILES ]
}

@test "so have many layers, which kernels before 6.5 take by mount(2) alone" {
	selinux
	layered
	mkdir "$BUNDLE/layers" "$BUNDLE"/layers/{1..30}
	bundle_edit '.annotations["org.holm.rootfs.lower"] = ([range(1; 31) | "\($b)/layers/\(.)"] + [$b + "/layer", $b + "/rootfs"] | tojson)
		| .linux.mountLabel = $l' --arg b "$BUNDLE" --arg l $FILES
	sleeps
	labelled $FILES / /file
}

@test "a user namespace takes labels, too" {
	selinux
	bundle_edit '.linux.mountLabel = $l | .process.selinuxLabel = $p
		| .linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }]
		| .linux.gidMappings = .linux.uidMappings' --arg l $FILES --arg p $PROCESS
	chown 100000:100000 "$ROOTFS"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	sleeps
	# the root of mqueue belongs to an id that is not there, and keeps its label
	labelled $FILES /dev /dev/shm /dev/pts
	[ "$(tr -d '\0' <"/proc/$(rt state "$ID" | jq .pid)/attr/current")" = $PROCESS ]
}

@test "what is bound keeps its own labels, a plain root too" {
	selinux
	mkdir "$BUNDLE/data"
	touch "$BUNDLE/data/file"
	local own
	own=$(stat -c %C "$BUNDLE/data/file")
	bundle_edit '.linux.mountLabel = $l | .mounts += [{ "destination": "/data", "type": "bind", "source": "data", "options": ["bind"] }]' --arg l $FILES
	sleeps
	labelled "$own" /data/file /bin/busybox
}

@test "a read-only root of one layer is bound, and cannot have the mount's label" {
	selinux
	bundle_edit '.linux.mountLabel = $l | .annotations["org.holm.rootfs.lower"] = ([$b + "/rootfs"] | tojson)' \
		--arg l $FILES --arg b "$BUNDLE"
	run_fails "linux.mountLabel: one layer without an upper folder"
}

@test "another kind of context, as crun's annotation has it" {
	selinux
	bundle_edit '.linux.mountLabel = $l | .annotations["run.oci.mount_context_type"] = "rootcontext"
		| .mounts |= map(select(.type == "tmpfs" or .type == "proc"))' --arg l $FILES
	sleeps
	labelled $FILES /dev/shm
	expect 0 rt exec "$ID" touch /dev/shm/new
	[ "$(label_of /dev/shm/new)" != $FILES ] # the policy's
}

@test "the session keyring has the process's label" {
	selinux
	needs python3
	ln -s usr/lib "$ROOTFS/lib"
	ln -s usr/lib64 "$ROOTFS/lib64"
	# keyctl(2) by number: KEYCTL_GET_SECURITY of the session keyring
	cat >"$ROOTFS/keyring.py" <<-'P'
		import ctypes
		text = ctypes.create_string_buffer(200)
		ctypes.CDLL(None).syscall(250, 17, -3, text, 200)
		print(text.value.decode())
	P
	bundle_edit '.process.selinuxLabel = $l | del(.annotations) | .process.args = ["/usr/bin/python3", "/keyring.py"]
		| .mounts += [{ "destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"] }]' --arg l $PROCESS
	expect 0 rt run --bundle "$BUNDLE" "$ID"
	output_is $PROCESS
	expect 0 rt run --no-new-keyring --bundle "$BUNDLE" "$ID-other"
	[ "$output" != $PROCESS ]
}
