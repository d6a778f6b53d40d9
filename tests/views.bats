#!/usr/bin/env bats
# What a container sees of its limits: /proc/meminfo and its like, sysinfo(2), the number of CPUs,
# uptime and load.
load holm
load networks
load systems
load person

setup() {
	systems_setup
}

teardown() {
	systems_teardown
}

# The first number behind the key in a file of /proc inside.
figure() { # CONTAINER FILE KEY
	holm exec "$1" cat "$2" | sed -n "s/^$3:\? *\([0-9]\+\).*/\1/p" | head -1
}

host_cpus() {
	local n
	n=$(nproc)
	[ "$n" -ge 2 ] || skip "this host has one CPU"
}

@test "Debian with systemd sees its own limits, without being asked to" {
	made_image systemd
	host_cpus
	expect 0 holm launch --network none -m 384m --cpus 1 "$(system_image systemd)" deb
	is_running deb
	expect 0 holm exec deb free -k
	[[ ${lines[1]} =~ ^Mem:\ +393216\  ]]
	expect 0 holm exec deb nproc
	output_is 1
	expect 0 holm exec deb cat /sys/devices/system/cpu/online
	output_is 0
	[ "$(holm exec deb grep -c ^processor /proc/cpuinfo)" = 1 ]
	[ "$(holm exec deb grep -c '^cpu[0-9]' /proc/stat)" = 1 ]
	# of a minute ago at most, where the host runs for longer
	expect 0 holm exec deb cat /proc/uptime
	[ "${output%%.*}" -lt "$(seconds 60)" ]
	expect 0 holm exec deb uptime -p
	[[ $output == "up 0 minutes" || $output == "up 1 minute" ]]
	# started since it began, and not in the future, by the clocks that ps asks
	expect 0 holm exec deb ps -o etimes= -p 1
	[ "$output" -le "$(seconds 60)" ]
	expect 0 holm exec deb top -b -n 1
	output_has "MiB Mem :    384.0 total"
	expect 0 holm exec deb sh -c 'readlink /proc/self/ns/time'
	[ "$output" != "$(readlink /proc/self/ns/time)" ]
	expect 0 holm inspect --explain deb
	output_has "its own: memory, CPUs, uptime, load"
}

@test "a limit that is changed is seen at once, in files and in system calls" {
	host_cpus
	expect 0 holm run -d --name box --view limits -m 256m --cpus 1 busybox sleep 1000
	[ "$(figure box /proc/meminfo MemTotal)" = 262144 ]
	# busybox asks sysinfo(2) for the free of its uptime, and sched_getaffinity(2) for nproc
	expect 0 holm exec box nproc
	output_is 1
	expect 0 holm update -m 128m --cpus 1.5 box
	[ "$(figure box /proc/meminfo MemTotal)" = 131072 ]
	expect 0 holm exec box nproc
	output_is 2
	expect 0 holm exec box cat /sys/devices/system/cpu/online
	output_is 0-1
	expect 0 holm update --cpuset-cpus 1 --cpus 0 box
	expect 0 holm exec box cat /sys/devices/system/cpu/online
	output_is 1
	[ "$(holm exec box grep ^processor /proc/cpuinfo)" = "$(grep ^processor /proc/cpuinfo | sed -n 2p)" ]
}

# sysinfo(2) by its number, as <sys/sysinfo.h> lays it out: uptime, three loads, totalram...
sysinfo() { # ADDRESS-OR-BUFFER
	cat <<-E
		my \$n = {x86_64 => 99, aarch64 => 179}->{(POSIX::uname())[4]};
		my \$b = "\\0" x 128;
		syscall(\$n, $1) == 0 or die "\$!\\n";
		my (\$uptime, undef, undef, undef, \$total) = unpack "q5", \$b;
		print "\$uptime \$total\\n";
	E
}

@test "sysinfo tells the container's memory and uptime" {
	made_image systemd
	image=$(system_image systemd)
	expect 0 holm run -d --name box --view limits -m 256m "$image" sleep 1000
	expect 0 holm exec box perl -MPOSIX -e "$(sysinfo '$b')"
	[[ $output =~ ^([0-9]+)\ 268435456$ ]]
	[ "${BASH_REMATCH[1]}" -lt "$(seconds 60)" ]
	# who hands over a pointer to nowhere is told so, and nothing happens to anybody
	run holm exec box perl -MPOSIX -e "$(sysinfo 1)"
	output_is "Bad address"
	# as it is without
	expect 0 holm run --rm -m 256m "$image" perl -MPOSIX -e "$(sysinfo '$b')"
	[[ $output != *\ 268435456 ]]
}

@test "what it uses is its own, and what others use is not" {
	expect 0 holm run -d --name box --view limits -m 256m --tmpfs /data busybox sleep 1000
	free=$(figure box /proc/meminfo MemFree)
	expect 0 holm exec box dd if=/dev/zero of=/data/x bs=1M count=100
	[ "$(figure box /proc/meminfo Shmem)" -ge 102400 ]
	[ "$(figure box /proc/meminfo MemFree)" -le $((free - 100000)) ]
	expect 0 holm exec -d box sh -c 'while :; do :; done'
	sleep 3
	expect 0 holm exec box cat /proc/stat
	[[ ${lines[0]} =~ ^cpu\ \ ([0-9]+)\ 0\ ([0-9]+) ]]
	[ $((BASH_REMATCH[1] + BASH_REMATCH[2])) -ge 20 ]
	# the first look counts from the beginning; from then on it is counted as the kernel does
	within 60 eval "[[ \$(holm exec box cat /proc/loadavg) != 0.0* ]]"
}

@test "the whole of a file is read, however it is read" {
	expect 0 holm run -d --name box --view limits busybox sleep 1000
	holm exec box cat /proc/cpuinfo >sendfile
	holm exec box dd if=/proc/cpuinfo bs=7 2>/dev/null >pieces
	grep -v MHz /proc/cpuinfo >host
	grep -v MHz sendfile >a
	grep -v MHz pieces >b
	cmp a host
	cmp b host
	not holm exec box sh -c 'echo x >/proc/meminfo'
}

@test "a container that reads without end is frozen all the same" {
	expect 0 holm run -d --name box --view limits busybox sh -c \
		'for i in 1 2 3; do (while :; do cat /proc/meminfo >/dev/null; done) & done; wait'
	sleep 1
	for _ in 1 2 3 4 5; do
		expect 0 holm pause box
		expect 0 holm unpause box
	done
	expect 0 holm exec box cat /proc/meminfo
	output_has MemTotal
	expect 0 holm rm -f box
}

@test "however many read without end, the monitor hears others" {
	expect 0 holm run -d --name box --view limits busybox sh -c \
		'for i in $(seq 40); do (while :; do dd if=/proc/meminfo bs=1 of=/dev/null 2>/dev/null; done) & done; wait'
	# as where there are so many CPUs that it never has answered all
	pgrep -f 'holm-monitor run' | xargs renice -n 19 -p >/dev/null
	sleep 2
	for _ in 1 2 3; do
		expect 0 timeout "$(seconds 5)" holm exec box true
		expect 0 timeout "$(seconds 5)" holm kill -s WINCH box
	done
	expect 0 timeout "$(seconds 10)" holm rm -f box
}

@test "what the host cannot show is refused if it was asked for, and done without if it was not" {
	mknod null c 1 3
	mount --bind null /dev/fuse
	run holm run --rm --view limits busybox true
	umount /dev/fuse
	[ "$status" = 125 ]
	output_has "FUSE"
	output_has "--view host"
	expect 125 holm run --rm --view all busybox true
	output_has "--view: 'all' is not one of limits|host"
	mount --bind null /dev/fuse
	holm launch --network none busybox sys >out 2>&1 || cat out
	run holm exec sys cat /proc/meminfo
	umount /dev/fuse
	output_has MemTotal
}

@test "a restart begins anew, and an application sees the host's unless it is asked" {
	expect 0 holm run -d --name box --view limits -m 64m busybox sleep 1000
	expect 0 holm restart -t 0 box
	[ "$(figure box /proc/meminfo MemTotal)" = 65536 ]
	expect 0 holm run --rm -m 64m busybox grep MemTotal /proc/meminfo
	output_is "$(grep MemTotal /proc/meminfo)"
}

@test "a hook that runs before the container does sees them, too" {
	expect 0 holm run -d --name box --view limits -m 64m \
		--hook "start=/bin/sh -c 'cp /proc/meminfo /seen'" busybox sleep 1000
	expect 0 holm exec box grep MemTotal /seen
	[[ $output == *" 65536 kB" ]]
}

@test "a figure is copied into an output that others write to, and holm reads" {
	expect 0 timeout "$(seconds 60)" holm run --rm --network none --view limits busybox sh -c '
		(i=0; while [ $i -lt 300000 ]; do echo x; i=$((i + 1)); done) &
		i=0; while [ $i -lt 500 ]; do cat /proc/uptime; i=$((i + 1)); done
		wait'
	[ "$(grep -c '^x$' <<<"$output")" -ge 299000 ]
	[ "$(grep -c '^[0-9.]* [0-9.]*$' <<<"$output")" -ge 400 ]
}

# What container box reads in small pieces, of which each is asked for by itself.
in_pieces() {
	holm exec box sh -c 'for i in $(seq 100); do dd if=/proc/uptime bs=1 2>/dev/null; done'
}

# Whole lines, of which none is older than the one before it.
is_whole() { # NUMBER
	[ "$(grep -c '^[0-9]*\.[0-9][0-9] [0-9]*\.[0-9][0-9]$' <<<"$output")" = "$1" ]
	sort -s -C -n -k 1,1 <<<"$output"
}

@test "a figure that is read in pieces is of one moment, and of now, whoever answers" {
	expect 0 holm run -d --name box --network none --view limits busybox sleep 1000
	run in_pieces
	is_whole 100
	# whoever answers is killed: another does
	mapfile -t found < <(pgrep -f 'holm-monitor run')
	[ "${#found[@]}" = 2 ]
	kill -9 "$(pgrep -P "${found[0]}" -f 'holm-monitor run')"
	run in_pieces
	is_whole 100
	[ "$(pgrep -c -f 'holm-monitor run')" = 2 ]
	expect 0 holm pause box
	expect 0 holm unpause box
	run in_pieces
	is_whole 100
	# nobody is left of a monitor that was killed
	kill -9 "${found[0]}"
	within 10 eval "! pgrep -f 'holm-monitor run' >/dev/null"
}

@test "an ordinary user's container sees its own, too, where /dev/fuse is open to all" {
	needs_root "they make users of their own"
	person_new 300000:65536
	mknod fuse c 10 229
	chmod 666 fuse
	mount --bind fuse /dev/fuse
	run u run --rm --view limits busybox sh -c 'cat /proc/uptime; grep -c fuse.holm /proc/mounts'
	umount /dev/fuse
	person_end
	[ "$status" = 0 ]
	[[ ${lines[0]} =~ ^[0-9]\. ]]
	[ "${lines[1]}" = 7 ]
}
