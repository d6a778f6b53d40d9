#!/usr/bin/env bats
# The promise of SECURITY.md, clause by clause: what a process in a container can and cannot do by
# default, and what an image cannot make holm do.
load holm

setup() {
	holm_setup
	made_image probe image
	image=oci:$image:latest
}

# Each name must answer with the word given: `answers EPERM bpf mount ...`.
answers() { # WORD NAME...
	local word=$1 name
	shift
	for name; do
		[[ " $(tr '\n' ' ' <<<"$output") " == *" $name $word "* ]] || {
			echo "$name: expected $word, got: $(grep "^$name " <<<"$output")"
			return 1
		}
	done
}

@test "system calls that reach the kernel's rarely walked parts are refused" {
	expect 0 holm run --rm "$image" probe
	answers EPERM user_namespace user_namespace_by_clone mount_namespace bpf perf_event \
		userfaultfd open_by_handle mount fsopen add_key keyring kernel_module reboot swapon \
		tiocsti tiocsti_high io_uring personality
	answers ENOSYS clone3 unknown_call
	[[ $output != *"af_alg ok"* && $output != *"af_vsock ok"* ]]
	[[ $output != *"af_packet ok"* && $output != *"raw_socket ok"* && $output != *"mknod ok"* ]]
	[[ $output != *"syslog ok"* && $output != *"x32 ok"* && $output != *"i386 ok"* ]]
}

@test "what programs need every day works" {
	expect 0 holm run --rm "$image" probe inet_socket thread
	answers ok inet_socket thread
	expect 0 holm run --rm "$image" sh -c 'mkdir /d && mv /d /e && chown 1:1 /e && chmod 700 /e &&
		su user -c id && kill -0 1'
}

@test "root has eleven capabilities, none of them ambient or inheritable" {
	expect 0 holm run --rm "$image" grep Cap /proc/self/status
	# chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service sys_chroot setfcap
	for set in CapPrm CapEff CapBnd; do
		grep -q "^$set:	00000000800405fb$" <<<"$output"
	done
	for set in CapInh CapAmb; do
		grep -q "^$set:	0000000000000000$" <<<"$output"
	done
}

@test "an ordinary user in a container has no capabilities" {
	expect 0 holm run --rm -u 1000 "$image" grep -E 'Cap(Prm|Eff|Inh|Amb)' /proc/self/status
	[ "$(grep -c 0000000000000000 <<<"$output")" = 4 ]
}

@test "a container runs under its seccomp filter" {
	expect 0 holm run --rm "$image" grep -E '^Seccomp:' /proc/self/status
	output_is "Seccomp:	2"
	expect 0 holm run --rm --security-opt seccomp=unconfined "$image" grep -E '^Seccomp:' /proc/self/status
	output_is "Seccomp:	0"
}

@test "exec is confined like the container" {
	expect 0 holm run -d --name box "$image" sleep 1000
	expect 0 holm exec box probe
	answers EPERM user_namespace bpf mount perf_event keyring io_uring
	expect 0 holm exec box grep -E 'CapEff|CapInh|^Seccomp:' /proc/self/status
	output_has "CapEff:	00000000800405fb"
	output_has "CapInh:	0000000000000000"
	output_has "Seccomp:	2"
}

@test "no descriptor of the host comes along" {
	exec 7</etc/hostname
	expect 0 holm run --rm "$image" sh -c 'ls /proc/self/fd | tr "\n" " "'
	[ "${output% }" = "0 1 2 3" ] # 3 is ls' own, of the folder
	expect 0 holm run -d --name box "$image" sleep 1000
	expect 0 holm exec box sh -c 'ls /proc/self/fd | tr "\n" " "'
	[ "${output% }" = "0 1 2 3" ]
	exec 7<&-
}

@test "a working directory in /proc/self/fd gets nowhere" {
	local n
	expect 0 holm run -d --name box "$image" sleep 1000
	for n in $(seq 3 12); do
		run holm run --rm -w "/proc/self/fd/$n" "$image" cat ../../../etc/hostname
		[[ $status != 0 && $output != *"$(cat /etc/hostname)"* ]]
		run holm exec -w "/proc/self/fd/$n" box cat ../../../etc/hostname
		[[ $status != 0 ]]
	done
}

@test "the program that starts containers cannot be written from inside" {
	local before
	before=$(cat "$HOLM_LIBEXEC"/* "$(command -v holm)" | sha256sum)
	# what the container's first process, and a command by exec, were executed from
	expect 0 holm run -d --name box "$image" sh -c \
		'while :; do for p in /proc/[0-9]*/exe; do echo x >>"$p"; done 2>/dev/null; sleep 0.01; done'
	for _ in $(seq 10); do
		expect 0 holm exec box true
		run holm exec box /proc/self/exe
	done
	[ "$(cat "$HOLM_LIBEXEC"/* "$(command -v holm)" | sha256sum)" = "$before" ]
}

@test "what the kernel tells of the host is masked" {
	local file
	expect 0 holm run --rm "$image" sh -c 'for f in kcore keys timer_list sched_debug interrupts \
		latency_stats timer_stats slabinfo vmallocinfo; do
			[ ! -e /proc/$f ] || echo "$f $(head -c 1 /proc/$f 2>/dev/null | wc -c)"
		done; ls /proc/acpi /proc/scsi /sys/firmware 2>/dev/null; :'
	[[ $output != *" 1"* ]]
	not grep -vE '^(/|$)|: *$| 0$' <<<"$output"
}

@test "the kernel's settings are read-only" {
	local file
	for file in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/vm/overcommit_memory \
		/proc/irq/default_smp_affinity /sys/kernel/mm/transparent_hugepage/enabled; do
		run holm run --rm "$image" sh -c "cat $file >/tmp/x 2>/dev/null; echo 1 >$file"
		[ "$status" != 0 ]
	done
	run holm run --rm "$image" sh -c 'touch /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/x'
	[ "$status" != 0 ]
}

@test "devices are the few that every container has" {
	expect 0 holm run --rm "$image" sh -c 'cd /dev; for n in *; do [ -L $n ] && continue; [ -c $n ] && echo $n; [ -b $n ] && echo $n; done; :'
	local n
	for n in $output; do
		[[ " console full null ptmx random tty urandom zero " == *" $n "* ]]
	done
	[[ $output == *null* && $output == *urandom* ]]
	expect 0 holm run --rm "$image" sh -c 'head -c 3 /dev/zero | wc -c; echo x >/dev/null; head -c 1 /dev/urandom | wc -c'
	output_is $'3\n1'
}

@test "a node of a device that is not allowed cannot be made, and not used with MKNOD" {
	run holm run --rm "$image" mknod /disk b 8 0
	[ "$status" != 0 ]
	run holm run --rm --cap-add MKNOD "$image" sh -c 'mknod /mem c 1 1 && head -c 1 /mem'
	[ "$status" != 0 ]
	output_has "Operation not permitted"
}

@test "processes of the host and of other containers are out of sight" {
	expect 0 holm run -d --name other "$image" sleep 4321
	expect 0 holm run --rm "$image" sh -c 'cat /proc/[0-9]*/cmdline | tr "\0" " "'
	[[ $output != *4321* && $output != *bats* ]]
	expect 0 holm run --rm "$image" hostname
	[ "$output" != "$(hostname)" ]
	expect 0 holm run --rm "$image" cat /proc/self/cgroup
	not grep -v ':/$' <<<"$output"
}

@test "the number of processes is limited" {
	expect 0 holm run -d --name box "$image" sleep 1000
	local limit
	limit=$(cat /sys/fs/cgroup/pids/holm/*/pids.max 2>/dev/null || cat /sys/fs/cgroup/holm/*/pids.max)
	[ "$limit" = 2048 ]
	run timeout 30 holm run --rm --pids-limit 10 "$image" sh -c \
		'for i in $(seq 30); do sleep 5 & done; wait'
	output_has "Resource temporarily unavailable"
}

ids_that_are_none=(-1 4294967295 4294967296 18446744073709551616 0x0 "1 " " 1" +1 1e3
	0:-1 0:4294967296)

@test "a user id that is none is refused, not root" {
	local id
	for id in "${ids_that_are_none[@]}"; do
		expect 125 holm run --rm -u "$id" "$image" id
		output_is ""
	done
}

@test "groups are the user's own, none of the caller's" {
	expect 0 holm run --rm -u user "$image" id
	output_is "uid=1000(user) gid=1000(user) groups=1000(user),1001(extra)"
	expect 0 holm run --rm -u 1000:1001 "$image" id -G
	output_is "1001"
}

hostile_image() { # COMMANDS that make the root in $fs
	local fs=$BATS_TEST_TMPDIR/fs
	mkdir -p "$fs"
	tar -C "$fs" -xf "${image_tar:-/dev/null}" 2>/dev/null || true
	mkdir -p "$fs/bin" "$fs/etc"
	cp /bin/busybox "$fs/bin/"
	ln -s busybox "$fs/bin/sh"
	eval "$1"
	tar -C "$fs" --numeric-owner -cf "$BATS_TEST_TMPDIR/fs.tar" .
	oci_image "$BATS_TEST_TMPDIR/hostile" latest "$BATS_TEST_TMPDIR/fs.tar"
	hostile=oci:$BATS_TEST_TMPDIR/hostile:latest
}

@test "a fifo for /etc/passwd does not hang holm" {
	hostile_image 'mkfifo "$fs/etc/passwd" "$fs/etc/group"'
	run timeout 20 holm run --rm -u nosuchuser "$hostile" /bin/sh -c true
	[[ $status != 124 && $status != 0 ]]
	refused 125 "not a regular file" timeout 20 holm run --rm -u 1000 "$hostile" /bin/true
}

@test "a link for /etc/passwd is followed inside the image only" {
	echo 'onlyhost:x:7777:7777::/:/bin/sh' >"$BATS_TEST_TMPDIR/passwd"
	hostile_image 'ln -s "$BATS_TEST_TMPDIR/passwd" "$fs/etc/passwd"'
	run holm run --rm -u onlyhost "$hostile" /bin/busybox id
	[ "$status" != 0 ]
	[[ $output != *7777* ]]
}

@test "mount points through links stay inside" {
	mkdir "$BATS_TEST_TMPDIR/victim" "$BATS_TEST_TMPDIR/source"
	echo secret >"$BATS_TEST_TMPDIR/victim/file"
	hostile_image 'ln -s "$BATS_TEST_TMPDIR/victim" "$fs/data"; ln -s ../../../../../.. "$fs/up"
		rm -rf "$fs/proc" "$fs/dev" "$fs/sys"; ln -s "$BATS_TEST_TMPDIR/victim" "$fs/proc"'
	run holm run --rm -v "$BATS_TEST_TMPDIR/source:/data/new" -v "$BATS_TEST_TMPDIR/source:/up/made" \
		-w "/data/work" "$hostile" /bin/sh -c 'echo x >/data/new/x'
	[ "$(ls -A "$BATS_TEST_TMPDIR/victim")" = file ]
	[ ! -e "$BATS_TEST_TMPDIR/made" ] && [ ! -e /made ]
}

@test "hosts, hostname and resolv.conf as links are not written through" {
	local name
	for name in hosts hostname resolv.conf; do
		echo mine >"$BATS_TEST_TMPDIR/$name"
	done
	hostile_image 'for n in hosts hostname resolv.conf; do ln -s "$BATS_TEST_TMPDIR/$n" "$fs/etc/$n"; done'
	run holm run --rm "$hostile" /bin/sh -c 'echo hacked >>/etc/hosts'
	for name in hosts hostname resolv.conf; do
		[ "$(cat "$BATS_TEST_TMPDIR/$name")" = mine ]
	done
}

@test "an image's environment takes nothing of the host's" {
	export SECRET_OF_HOST=hunter2
	CONFIG='{"Env":["SECRET_OF_HOST","PATH=/bin"]}' hostile_image ':'
	run holm run --rm "$hostile" /bin/busybox env
	[[ $output != *hunter2* ]]
}

@test "what an image says does not steer the terminal" {
	CONFIG='{"Labels":{"x":"a\u001b]0;owned\u0007"},"Cmd":["\u001b[31mred"]}' hostile_image ':'
	expect 0 holm load -i "$BATS_TEST_TMPDIR/hostile"
	run holm run --name box "$hostile"
	[[ $output != *$'\e'* ]]
	run holm ps -a
	[[ $output != *$'\e'* ]]
	run holm inspect box
	[[ $output != *$'\e'* ]]
}

@test "no-new-privileges takes setuid programs their power" {
	hostile_image 'chmod 4755 "$fs/bin/busybox"; echo "root:x:0:0::/:/bin/sh" >"$fs/etc/passwd"'
	expect 0 holm run --rm --security-opt no-new-privileges "$hostile" \
		/bin/busybox grep NoNewPrivs /proc/self/status
	output_is "NoNewPrivs:	1"
}

@test "names are names" {
	local name
	for name in ../x . .. a/b "a b" "-x" $'a\nb' "$(printf 'x%.0s' $(seq 300))"; do
		expect 1 holm create --name "$name" "$image"
	done
	expect 0 holm ps -aq
	output_is ""
}

@test "sysctls are those of the container's own namespaces" {
	local before
	before=$(cat /proc/sys/kernel/core_pattern)
	for key in kernel.core_pattern vm.overcommit_memory kernel/core_pattern \
		net.ipv4/../../kernel/core_pattern; do
		run holm run --rm --sysctl "$key=x" "$image" true
		[ "$status" = 125 ]
	done
	[ "$(cat /proc/sys/kernel/core_pattern)" = "$before" ]
	expect 0 holm run --rm --sysctl net.ipv4.ip_default_ttl=33 "$image" \
		cat /proc/sys/net/ipv4/ip_default_ttl
	output_is 33
	run holm run --rm --net host --sysctl net.ipv4.ip_default_ttl=33 "$image" true
	[ "$status" = 125 ]
}

@test "privileged gives what the caller has, not more" {
	needs_root "in its user namespace a user has every right"
	expect 0 holm run --rm --privileged "$image" grep CapEff /proc/self/status
	[ "${output##*	}" = "$(awk '/CapBnd/ { print $2 }' /proc/self/status)" ]
}

@test "every weakening is shown by inspect" {
	expect 0 holm create --name box --cap-add SYS_PTRACE --security-opt seccomp=unconfined --pid host "$image"
	expect 0 holm inspect box
	output_has SYS_PTRACE
	output_has unconfined
	output_has '"host"'
	expect 0 holm rm box
}
