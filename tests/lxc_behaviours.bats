#!/usr/bin/env bats
# The 54 things that LXC's own tests (lxc/lxc, src/tests) look at, and where holm's tests do. What has no
# test elsewhere has it here. "-": holm has no such thing, and why.
#
#  1 start, stop, again; the configuration stays     here
#  2 start of what runs, stop of what does not       here
#  3 an init that lives for a moment, ten times      restart: a start right after an exit
#  4 an init that is not there                       launch: a root filesystem without an init
#  5 exit codes of run and exec                      exec: returns its status; run and cli
#  6 streams of exec that are files, pipes, nothing  here
#  7 a command by standard input                     here
#  8 a megabyte over a terminal, uncorrupted         endurance: in hexadecimal
#  9 a hundred execs in a row                        here
# 10 exec sees namespaces, cgroup, LSM label         exec; runtime_cgroups; lsm: exec has it, too
# 11 hostname                                        create: host name, hosts and resolv.conf
# 12 limits asked for and set, stopped and running   update; set
# 13 frozen and thawed                               create: pause; limits: a paused container
# 14 the cgroup of each controller                   runtime_cgroups; inspect
# 15 a cgroup of one's choice                        here; callers_kubernetes; cgroup_systemd
# 16 a read-only root, nodev, nosuid                 volumes: the root is read-only; the flags of a mount
# 17 an idmapped root that its root can write        userns: writes its files, and a new volume
# 18 /proc and /sys that are missing are made        runtime_*: each bundle is without them
# 19 sys:mixed                                       - /sys is read-only; its part for networks is not needed
# 20 cgroups mounted ro, mixed, rw                   security (ro), launch (rw, v2 alone); no others
# 21 sysctls, oom_score_adj                          security: sysctls; limits
# 22 the exact bounding set                          security: eleven capabilities
# 23 no_new_privs                                    security: no-new-privileges
# 24 mount targets made, relative, optional          volumes; runtime_mounts: a relative destination
# 25 mount targets that are links                    runtime_hostile; volumes; disk
# 26 mounts into what runs, and out of it            oci_added
# 27 devices into what runs, and out of it           oci_added
# 28 /proc/self/exe                                  runtime_hostile: the program of PID 1
# 29 clones of clones, on btrfs, too                 snapshot; clone; store_disks; - lvm, zfs
# 30 a clone's MAC, its interfaces, its hooks        here; hooks: go along with its clones
# 31 what clones share cannot go under them          snapshot: what clones share stays
# 32 snapshots: list, restore, remove                snapshot
# 33 templates for MACs                              - a MAC is made of the address, or given whole
# 34 reboot(2), each command                         endurance: reboot(2) inside
# 35 reboots in a row                                endurance: reboots
# 36 a clean shutdown in time                        create: stop; launch: stop asks its init
# 37 terminals: as many as there are                 shell: the console; - they are no fixed number
# 38 what the console said; the log and its rotation shell; logs: rotated and bounded
# 39 autostart: order, delay, groups                 autostart
# 40 many wait for a state at once                   here
# 41 many at once, and no descriptor lost            parallel; endurance
# 42 locks between processes                         parallel
# 43 namespaces of others                            namespaces; pods
# 44 lists in one order                              endurance: the list is in one order
# 45 each key: shown, set, unset; unknown ones       set; verify
# 46 names of processors                             build_platforms; unit tests oci/platform
# 47 another store, by a link                        here
# 48 all of it as an ordinary user                   user*; make test-user
# 49 a quota of interfaces for users                 - networks of a user's take none of the host's
# 50 a program with a user's ids                     user: unshare
# 51 who may control                                 user_hostile: another user cannot enter
# 52 AppArmor profiles                               lsm
# 53 damaged configurations                          make fuzz; check: random damage
# 54 checkpoint and restore                          checkpoint
load holm

record_of() { # NAME
	sha256sum <"$HOLM_ROOT/containers/$(holm inspect -f '{{.Id}}' "$1")/config.json"
}

@test "1: started and stopped ten times, and its configuration is as it was" {
	expect 0 holm create --name box --label a=b -e K=v -m 64m busybox sh -c 'trap "exit 3" TERM; while :; do sleep 0.02; done'
	local before
	before=$(record_of box)
	for _ in $(seq 10); do
		expect 0 holm start box
		[ "$(holm inspect -f '{{.State.Status}}' box)" = running ]
		expect 0 holm stop box
		[ "$(holm inspect -f '{{.State.Status}}' box)" = exited ]
	done
	[ "$(record_of box)" = "$before" ]
}

@test "2: start of what runs and stop of what does not change nothing and are no failure" {
	expect 0 holm create --name box busybox sleep 1000
	expect 0 holm stop box
	[ "$(holm inspect -f '{{.State.Status}}' box)" = created ]
	expect 0 holm start box
	local pid
	pid=$(holm inspect -f '{{.State.Pid}}' box)
	expect 0 holm start box
	[ "$(holm inspect -f '{{.State.Pid}}' box)" = "$pid" ]
	expect 0 holm stop -t 0 box
	expect 0 holm stop box
	refused 1 "not running" holm exec box true
}

@test "6: streams of exec that are files, pipes and /dev/null, in every mix, stay apart" {
	expect 0 holm run -d --name box busybox sleep 1000
	echo typed >in
	local in out err
	for in in in /dev/null pipe; do
		for out in out /dev/null pipe; do
			for err in err /dev/null pipe; do
				rm -f out err got_out got_err
				mix "$in" "$out" "$err"
				echo "in=$in out=$out err=$err"
				[ "$in" != /dev/null ] || [ ! -s got_in ]
				[ "$out" = /dev/null ] || [ "$(cat got_out)" = "to out$([ "$in" = /dev/null ] || printf '\ntyped')" ]
				[ "$err" = /dev/null ] || [ "$(cat got_err)" = "to err" ]
			done
		done
	done
}

# Runs one exec with these streams; what arrived at the two outputs is in got_out and got_err.
mix() { # IN OUT ERR
	local command=(holm exec -i box sh -c 'echo to out; echo to err >&2; cat')
	feed "$1" | {
		case $2.$3 in
		pipe.pipe) { "${command[@]}" 2>&3 | cat >got_out; } 3>&1 | cat >got_err ;;
		pipe.*) "${command[@]}" 2>"$3" | cat >got_out ;;
		*.pipe) { "${command[@]}" 2>&1 >"$2" | cat >got_err; } ;;
		*) "${command[@]}" >"$2" 2>"$3" ;;
		esac
	}
	[ "$2" != out ] || mv out got_out
	[ "$3" != err ] || mv err got_err
}

feed() { # IN
	case $1 in
	/dev/null) ;;
	pipe) echo typed ;;
	*) cat "$1" ;;
	esac
}

@test "7: a command by standard input" {
	expect 0 holm run -d --name box --hostname there busybox sleep 1000
	run holm exec -i box sh <<<'hostname; exit 7'
	[ "$status" = 7 ]
	output_is there
}

@test "9: a hundred execs in a row" {
	expect 0 holm run -d --name box busybox sleep 1000
	for i in $(seq 100); do
		[ "$(holm exec box echo "$i")" = "$i" ]
	done
}

@test "15: a cgroup of one's choice holds the container, and goes with it" {
	needs_root "a user's containers are below what was delegated"
	expect 0 holm run -d --name box --cgroup-parent /ours/deep busybox sleep 1000
	local id pid
	id=$(holm inspect -f '{{.Id}}' box)
	pid=$(holm inspect -f '{{.State.Pid}}' box)
	grep -q "/ours/deep/$id" "/proc/$pid/cgroup"
	expect 0 holm rm -f box
	not grep -rqs . /sys/fs/cgroup/*/ours/deep/"$id"/tasks
	find /sys/fs/cgroup -depth -path '*/ours*' -type d -exec rmdir {} + 2>/dev/null || true
}

@test "30: a clone has as many interfaces, and MACs and addresses of its own" {
	needs_root "a network of a user's is elsewhere"
	expect 0 holm network create --subnet 10.79.1.0/24 one
	expect 0 holm network create --subnet 10.79.2.0/24 two
	expect 0 holm run -d --name box --network one --mac-address 02:00:00:00:00:07 busybox sleep 1000
	expect 0 holm network connect two box
	expect 0 holm clone box copy
	expect 0 holm start copy
	[ "$(links box | wc -l)" = 3 ]
	[ "$(links copy | wc -l)" = 3 ]
	[ "$(links box copy | grep -v '^00:' | sort | uniq -d)" = "" ]
	[ "$(addresses box copy | grep -v '^127' | sort | uniq -d)" = "" ]
}

links() { # NAME...
	local name
	for name; do
		holm exec "$name" sh -c 'cat /sys/class/net/*/address'
	done
}

addresses() { # NAME...
	local name
	for name; do
		holm exec "$name" ip -4 -o addr | sed -n 's/.*inet \([0-9.]*\).*/\1/p'
	done
}

@test "40: twenty wait for one state and for one end, and none of them sleeps through it" {
	expect 0 holm create --name box busybox sh -c 'while [ ! -e /go ]; do sleep 0.05; done; exit 9'
	local waiters=() i
	for i in $(seq 20); do
		holm wait --condition running box &
		waiters+=($!)
	done
	expect 0 holm start box
	for i in $(seq 20); do
		holm wait box >"ended$i" &
		waiters+=($!)
	done
	expect 0 holm exec box touch /go
	for i in "${waiters[@]}"; do wait "$i"; done
	[ "$(cat ended* | sort -u)" = 9 ]
	[ "$(cat ended* | wc -l)" = 20 ]
}

@test "47: a store somewhere else, and by a link that leads there" {
	mkdir -p elsewhere
	given elsewhere
	ln -s elsewhere/root link
	[ -n "${HOLM_TEST_USER:-}" ] || mkdir elsewhere/root
	expect 0 holm --root "$PWD/elsewhere/root" --run "$HOLM_RUN" run -d --name box busybox sleep 1000
	expect 0 holm --root "$PWD/link" --run "$HOLM_RUN" exec box echo by link
	output_is "by link"
	expect 0 holm --root "$PWD/link" --run "$HOLM_RUN" rm -f box
	expect 0 holm --root "$PWD/elsewhere/root" --run "$HOLM_RUN" ps -aq
	output_is ""
}
