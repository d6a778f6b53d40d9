#!/usr/bin/env bats
# What an image and the processes of a container may try against the runtime that sets it up:
# links where folders are expected, exchanges while it mounts, descriptors and programs of the
# host. The classes of CVE-2016-9962, 2019-5736, 2019-19921, 2021-30465, 2024-21626, 2025-31133.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
	SENTINEL=$BATS_TEST_TMPDIR/sentinel
	mkdir "$SENTINEL"
	echo untouched >"$SENTINEL/file"
}

# Nothing was made, mounted or changed in the folder that stands for the host.
sentinel_untouched() {
	[ "$(ls -A "$SENTINEL")" = file ]
	[ "$(cat "$SENTINEL/file")" = untouched ]
	not grep -q "$SENTINEL" /proc/self/mountinfo
}

@test "filesystems of the system meet no link: /proc, /sys and /dev as links are refused" {
	local name
	for name in proc sys dev; do
		for target in "$SENTINEL" tmp nowhere; do
			rm -rf "${ROOTFS:?}/$name"
			ln -s "$target" "$ROOTFS/$name"
			bundle_refused 125 "mount /$name: /$name is not a folder in the image, but a link to $target" bundle true
		done
		rm "$ROOTFS/$name"
		echo file >"$ROOTFS/$name"
		bundle_refused 125 "mount /$name: /$name is not a folder in the image" bundle true
		rm "$ROOTFS/$name"
	done
	sentinel_untouched
	[ ! -e "$ROOTFS/nowhere" ]
}

@test "it is said before anything is mounted or made" {
	ln -s tmp "$ROOTFS/sys"
	bundle_edit '.mounts |= [{ destination: "/first", type: "tmpfs", source: "tmpfs" }] + .'
	bundle_refused 125 "mount /sys: /sys is not a folder" bundle true
	[ ! -e "$ROOTFS/first" ]
	[ ! -e "$ROOTFS/proc" ]
}

@test "links for devpts, mqueue and cgroups where no tmpfs hides them are refused" {
	local type
	for type in devpts mqueue cgroup; do
		ln -sfn tmp "$ROOTFS/place"
		bundle_edit '.mounts |= map(select(.destination != "/place")) + [{ destination: "/place", type: $t, source: $t }]' \
			--arg t "$type"
		bundle_refused 125 "mount /place: /place is not a folder in the image, but a link to tmp" bundle true
	done
}

# The other variants: what a person mounts follows the links of the image, as with docker and runc, but
# not to where it would hide the system's from who looks for it by its name.
@test "no link leads a mount onto or into /proc, /sys, /dev" {
	local target
	mkdir -p "$BATS_TEST_TMPDIR/volume"
	echo content >"$BATS_TEST_TMPDIR/file"
	for target in /proc /proc/sys ../proc/self /sys/kernel /dev /dev/pts; do
		ln -sfn "$target" "$ROOTFS/data"
		bundle_edit '.mounts |= map(select(.destination != "/data")) + [{ destination: "/data", type: "bind", source: $v, options: ["rbind"] }]' \
			--arg v "$BATS_TEST_TMPDIR/volume"
		bundle_refused 125 "mount /data: a link of the image leads it to a filesystem of the kernel" bundle true
		bundle_edit '.mounts[-1] = { destination: "/data", type: "tmpfs", source: "tmpfs", options: [] }'
		bundle_refused 125 "mount /data: a link of the image leads it to a filesystem of the kernel" bundle true
	done
	ln -sfn /proc "$ROOTFS/data"
	bundle_edit '.mounts[-1] = { destination: "/data/version", type: "bind", source: $f, options: ["bind"] }' \
		--arg f "$BATS_TEST_TMPDIR/file"
	bundle_refused 125 "mount /data/version: a link of the image leads it to a filesystem of the kernel" bundle true
	# by its own name it is a person's wish
	bundle_edit '.mounts[-1].destination = "/proc/version"'
	expect 0 bundle cat /proc/version
	output_is content
}

@test "a recursive bind of the host's / may have its own /proc mounted below" {
	mkdir -p "$BATS_TEST_TMPDIR/host/proc" "$BATS_TEST_TMPDIR/volume"
	mount -t proc proc "$BATS_TEST_TMPDIR/host/proc"
	echo volume >"$BATS_TEST_TMPDIR/volume/file"
	bundle_edit '.mounts += [{ destination: "/host", type: "bind", source: $h, options: ["rbind"] },
		{ destination: "/host/proc", type: "bind", source: $v, options: ["rbind"] }]' \
		--arg h "$BATS_TEST_TMPDIR/host" --arg v "$BATS_TEST_TMPDIR/volume"
	expect 0 bundle cat /host/proc/file
	umount "$BATS_TEST_TMPDIR/host/proc"
	output_is volume
}

@test "mount targets and the working directory lead through links into the container alone" {
	ln -s ../../../../../../../../.."$SENTINEL" "$ROOTFS/work"
	ln -s "$SENTINEL/deep" "$ROOTFS/volume"
	mkdir -p "$BATS_TEST_TMPDIR/volume"
	bundle_edit '.process.cwd = "/work/here"
		| .mounts += [{ destination: "/volume/x", type: "bind", source: $v, options: ["rbind"] }]' \
		--arg v "$BATS_TEST_TMPDIR/volume"
	expect 0 bundle sh -c 'pwd; ls -d /volume/x; [ -c /dev/null ]'
	sentinel_untouched
}

@test "without a mount on /dev the nodes go into the image's own /dev, wherever that leads" {
	ln -s "$SENTINEL" "$ROOTFS/dev"
	bundle_edit '.mounts |= map(select(.destination | startswith("/dev") | not))'
	expect 0 bundle sh -c '[ -c /dev/null ] && [ -c /dev/zero ]'
	sentinel_untouched
}

@test "a false /dev/null covers no masked path" {
	mkdir "$ROOTFS/dev"
	echo secret >"$ROOTFS/dev/null"
	bundle_edit '.mounts |= map(select(.destination | startswith("/dev") | not))'
	bundle_refused 125 "device /dev/null: something else is there" bundle true
	rm "$ROOTFS/dev/null"
	ln -s "$SENTINEL/file" "$ROOTFS/dev/null"
	bundle_refused 125 "device /dev/null: something else is there" bundle true
	sentinel_untouched
}

@test "a console that is a link is not followed" {
	mkdir "$ROOTFS/dev"
	ln -s "$SENTINEL/file" "$ROOTFS/dev/console"
	bundle_edit '.process.terminal = true | .mounts |= map(select(.destination != "/dev"))'
	bundle_refused 125 "/dev/console" bundle true
	sentinel_untouched
}

# The class of CVE-2021-30465: another container that shares the volume swaps the mount's target
# for a link while it is made.
@test "an exchange of the mount target by a link reaches nothing of the host, 60 times" {
	local volume=$BATS_TEST_TMPDIR/volume
	mkdir -p "$volume/target" "$BATS_TEST_TMPDIR/source"
	echo inner >"$BATS_TEST_TMPDIR/source/mark"
	ln -s ../../../../../../../../../../.."$SENTINEL" "$volume/link"
	bundle_edit '.mounts += [
		{ destination: "/volume", type: "bind", source: $v, options: ["rbind"] },
		{ destination: "/volume/target", type: "bind", source: $s, options: ["rbind"] },
		{ destination: "/volume/target/made", type: "tmpfs", source: "tmpfs", options: [] }]' \
		--arg v "$volume" --arg s "$BATS_TEST_TMPDIR/source"
	bundle sh -c 'echo "$$" >/volume/target/made/x'
	service "$BUNDLE_PROGRAMS/exchange" "$volume/target" "$volume/link"
	for _ in $(seq 60); do
		# a round may fail where the link leads, it may not reach the host
		bundle_again >/dev/null 2>&1 || true
		sentinel_untouched
	done
	services_stop
}

@test "a working directory through /proc/self/fd is refused, for run and for exec" {
	local fd
	exec 7<"$SENTINEL" 8</
	for fd in $(seq 3 15) 7/. 8/../etc; do
		bundle_edit '.process.cwd = "/proc/self/fd/" + $fd' --arg fd "$fd"
		expect 125 bundle pwd
		output_has "working directory /proc/self/fd/$fd"
		bundle_edit '.process.cwd = "/"'
		EXEC_CWD=/proc/self/fd/$fd expect 125 bundle_exec pwd
		output_has "working directory /proc/self/fd/$fd"
	done
	exec 7<&- 8<&-
}

@test "no descriptor of the caller comes along" {
	exec 7<"$SENTINEL" 8</etc/passwd 9</
	expect 0 bundle sh -c 'ls /proc/$$/fd; true'
	output_is $'0\n1\n2'
	expect 0 bundle_exec sh -c 'ls /proc/$$/fd; true'
	output_is $'0\n1\n2'
	exec 7<&- 8<&- 9<&-
}

@test "descriptors that are to be kept arrive as 3 and 4, and no others" {
	exec 7<"$SENTINEL/file" 9<"$ROOTFS/etc/passwd"
	bundle_edit '.process.args = ["sh", "-c", "ls /proc/$$/fd; cat <&3; head -n 1 <&4"]'
	expect 0 "$BUNDLE_PROGRAMS/bundle_run" -k 7 -k 9 "$BUNDLE" "keep-$BASHPID"
	output_is $'0\n1\n2\n3\n4\nuntouched\nroot:x:0:0:root:/root:/bin/sh'
	exec 7<&- 9<&-
}

# The class of CVE-2016-9962: with CAP_SYS_PTRACE it may look at everything that it can see. What
# enters by exec must not be seen before it is as the container's own.
@test "a watcher with every right sees nothing of the host's in what enters by exec" {
	local log=$ROOTFS/tmp/log
	bundle_edit '.process.args = ["sh", "-c", $watch]
		| .annotations = {}
		| .process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH"])' \
		--arg watch 'root=$(stat -Lc %d:%i /); : >/tmp/log; while :; do for p in /proc/[0-9]*; do
			there=$(stat -Lc %d:%i $p/root 2>/dev/null) && [ "$there" != "$root" ] && echo "root $p" >>/tmp/log
			there=$(stat -Lc %d:%i $p/cwd/. 2>/dev/null) && [ "$there" != "$root" ] && echo "cwd $p" >>/tmp/log
			for f in $p/fd/*; do [ -d $f/. ] && [ $p != /proc/$$ ] && case $(readlink $f) in /proc/*) ;; *) echo "fd $f $(readlink $f)" >>/tmp/log ;; esac; done
			[ $p = /proc/$$ ] || : >/tmp/seen
		done; done'
	"$BUNDLE_PROGRAMS/bundle_run" "$BUNDLE" "watch-$BASHPID" -- \
		sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0.1; done'
	[ -e "$ROOTFS/tmp/seen" ]
	cat "$log"
	[ ! -s "$log" ]
}

@test "the program of PID 1 cannot be written from inside" {
	local init=$HOLM_LIBEXEC/holm-init before
	[ -x "$init" ] || skip "no holm-init"
	before=$(sha256sum <"$init")
	bundle_edit '.annotations["org.holm.init"] = "true"
		| .process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])
		| .process.args = ["sh", "-c", "echo evil >/proc/1/exe; echo evil >>/proc/1/exe; exec 3</proc/1/exe; echo evil >/proc/self/fd/3"]'
	"$BUNDLE_PROGRAMS/bundle_run" -i "$init" "$BUNDLE" "init-$BASHPID" || true
	[ "$(sha256sum <"$init")" = "$before" ]
}

@test "a hostile passwd neither hangs nor misleads" {
	bundle_edit '.process.user.username = "app"'
	rm "$ROOTFS/etc/passwd"
	mkfifo "$ROOTFS/etc/passwd"
	bundle_refused 125 "/etc/passwd is not a regular file" timeout 10 "$BUNDLE_PROGRAMS/bundle_run" "$BUNDLE" fifo
	rm "$ROOTFS/etc/passwd"
	mkdir "$ROOTFS/etc/passwd"
	bundle_refused 125 "/etc/passwd is not a regular file" bundle id
	rmdir "$ROOTFS/etc/passwd"
	ln -s /dev/zero "$ROOTFS/etc/passwd"
	bundle_refused 125 "/etc/passwd is not a regular file" bundle id
	rm "$ROOTFS/etc/passwd"
	echo app:x:0:0::/:/bin/sh >"$SENTINEL/passwd"
	ln -s "$SENTINEL/passwd" "$ROOTFS/etc/passwd"
	bundle_refused 125 "no user 'app'" bundle id
	rm "$ROOTFS/etc/passwd" "$SENTINEL/passwd"
	truncate -s 10G "$ROOTFS/etc/passwd"
	bundle_refused 125 "no user 'app'" bundle id
	rm "$ROOTFS/etc/passwd"
	{ head -c 3000000 /dev/zero | tr '\0' a; echo; echo app:x:77:78::/:/bin/sh; } >"$ROOTFS/etc/passwd"
	expect 0 bundle id -u
	[ "${lines[-1]}" = 77 ]
}

@test "an id is taken exactly or refused" {
	local id
	for id in 4294967295 4294967296 18446744073709551616 -1 +1 1- 00x1; do
		bundle_edit '.process.user.username = $id' --arg id "$id"
		expect 125 bundle id -u
		[ "$status" = 125 ]
		bundle_edit '.process.user.username = "0:" + $id' --arg id "$id"
		expect 125 bundle id -u
	done
	bundle_edit '.process.user.username = "4294967294:4294967294"'
	expect 0 bundle sh -c 'id -u; id -g'
	output_is $'4294967294\n4294967294'
}

@test "groups are the user's in the image, never the caller's" {
	bundle_edit '.process.user.username = "app"'
	expect 0 setpriv --groups 4,27,999 "$BASH" -c "$(declare -f bundle bundle_again bundle_edit); BUNDLE=$BUNDLE \
		BUNDLE_PROGRAMS=$BUNDLE_PROGRAMS BATS_TEST_NUMBER=$BATS_TEST_NUMBER; bundle grep Groups /proc/self/status"
	[ "$(echo "$output" | tr -s '\t ' ' ')" = "Groups: 44 63 1000 " ]
	bundle_edit '.process.user.username = "app:wheel" | .annotations["org.holm.groups"] = "audio,7"'
	expect 0 bundle grep Groups /proc/self/status
	[ "$(echo "$output" | tr -s '\t ' ' ')" = "Groups: 7 44 63 " ]
}

@test "inheritable and ambient capabilities are empty, for run, exec and an ordinary user" {
	expect 0 bundle grep -E 'Cap(Inh|Amb)' /proc/self/status
	[[ ${lines[0]} == *0000000000000000 && ${lines[1]} == *0000000000000000 ]]
	expect 0 bundle_exec grep -E 'Cap(Inh|Amb)' /proc/self/status
	[[ ${lines[0]} == *0000000000000000 && ${lines[1]} == *0000000000000000 ]]
	EXEC_USER=app expect 0 bundle_exec grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status
	[ "$(echo "$output" | grep -c 0000000000000000)" = 4 ]
}

@test "sysctls of the host are refused in every spelling" {
	local key before
	before=$(cat /proc/sys/kernel/core_pattern)
	for key in kernel.core_pattern kernel/core_pattern net.../kernel.core_pattern \
		net/ipv4/../../kernel/core_pattern kernel.modprobe vm.overcommit_memory fs.file-max; do
		bundle_edit '.linux.sysctl = { ($key): "1" }' --arg key "$key"
		expect 125 bundle true
	done
	[ "$(cat /proc/sys/kernel/core_pattern)" = "$before" ]
	bundle_edit '.linux.sysctl = { "net.ipv4.ip_forward": "1" }
		| .linux.namespaces |= map(select(.type != "network"))'
	expect 125 bundle true
}

@test "a hostname is not given to the host" {
	bundle_edit '.linux.namespaces |= map(select(.type != "uts"))'
	bundle_refused 125 "without a UTS namespace" bundle true
}
