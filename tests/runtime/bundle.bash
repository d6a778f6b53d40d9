# bundle.bash - bundles for tests of the runtime alone, without engine and monitor: `load holm` and
# `load runtime/bundle`. The rootfs is busybox; bundle_run (bundle_run.c) runs it.
# shellcheck shell=bash disable=SC2154 # bats sets status, output and lines

BUNDLE_PROGRAMS=${BUILD:-$BATS_TEST_DIRNAME/../build}/src/runtime
[ -d "$BUNDLE_PROGRAMS" ] || BUNDLE_PROGRAMS=$BATS_TEST_DIRNAME/../unit/src/runtime # in the VM

# Makes $BUNDLE, with a rootfs and a config.json much as the engine writes it.
bundle_new() {
	[ -x "$BUNDLE_PROGRAMS/bundle_run" ] || skip "no build folder with bundle_run"
	BUNDLE=$BATS_TEST_TMPDIR/bundle
	ROOTFS=$BUNDLE/rootfs
	mkdir -p "$ROOTFS/bin" "$ROOTFS/etc" "$ROOTFS/tmp"
	cp /bin/busybox "$ROOTFS/bin/"
	"$ROOTFS/bin/busybox" --install "$ROOTFS/bin"
	printf '%s\n' root:x:0:0:root:/root:/bin/sh app:x:1000:1000::/home/app:/bin/sh \
		>"$ROOTFS/etc/passwd"
	printf '%s\n' root:x:0: app:x:1000: wheel:x:44:app,other audio:x:63:app >"$ROOTFS/etc/group"
	bundle_config >"$BUNDLE/config.json"
}

bundle_config() {
	cat <<-'E'
		{ "ociVersion": "1.3.0",
		  "process": { "user": { "uid": 0, "gid": 0 }, "args": ["true"], "env": ["PATH=/bin"], "cwd": "/",
		    "capabilities": { "bounding": ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_SETGID", "CAP_KILL"],
		      "effective": ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_SETGID", "CAP_KILL"],
		      "permitted": ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_SETGID", "CAP_KILL"] } },
		  "root": { "path": "rootfs" }, "hostname": "box",
		  "mounts": [
		    { "destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"] },
		    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
		    { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
		    { "destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
		    { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"] },
		    { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] },
		    { "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"] } ],
		  "annotations": { "org.holm.seccomp": "default" },
		  "linux": {
		    "namespaces": [ { "type": "pid" }, { "type": "network" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }, { "type": "cgroup" } ],
		    "resources": { "pids": { "limit": 100 } },
		    "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/acpi", "/sys/firmware"],
		    "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"] } }
	E
}

# Changes config.json by a jq filter; further arguments go to jq.
bundle_edit() { # FILTER [JQ ARGUMENT...]
	local filter=$1
	shift
	jq "$filter" "$BUNDLE/config.json" "$@" >"$BUNDLE/config.new"
	mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

# Runs the command as the container's first process.
bundle() { # COMMAND...
	bundle_edit '.process.args = $ARGS.positional' --args -- "$@"
	bundle_again
}

# The same once more.
bundle_again() {
	# shellcheck disable=SC2086 # several words: BUNDLE_OPTIONS="-i /path", BUNDLE_WRAPPER="taskset -c 0"
	${BUNDLE_WRAPPER:-} "$BUNDLE_PROGRAMS/bundle_run" ${BUNDLE_OPTIONS:-} "$BUNDLE" "bundle-$BATS_TEST_NUMBER-$BASHPID"
}

# Runs the command by exec in a container that sleeps.
bundle_exec() { # COMMAND...
	bundle_edit '.process.args = ["sleep", "60"]'
	# shellcheck disable=SC2086
	${BUNDLE_WRAPPER:-} "$BUNDLE_PROGRAMS/bundle_run" ${BUNDLE_OPTIONS:-} "$BUNDLE" \
		"bundle-$BATS_TEST_NUMBER-$BASHPID" -- "$@"
}

# The error of bundle_run: this status, and the text in it.
bundle_refused() { # STATUS TEXT COMMAND...
	local wanted=$1 text=$2
	shift 2
	expect "$wanted" "$@"
	output_has "$text"
	output_has "bundle_run: "
}
