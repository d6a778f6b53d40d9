#!/usr/bin/env bats
# Root in a container of an ordinary user, with every right that the user can give, tries to be more
# than the user on the host.
# shellcheck disable=SC2016 # scripts for other shells
load holm
load person

setup_file() {
	needs_root "they make users of their own"
}

setup() {
	holm_setup
	person_new 300000:65536
	person_named other 1001 400000:65536
	host=$BATS_TEST_TMPDIR/host
	mkdir "$host" "$host/mine"
	echo secret >"$host/roots"
	chmod 600 "$host/roots"
	cp "$host/roots" "$host/others"
	chown 1001:1001 "$host/others"
	mknod -m 600 "$host/memory" c 1 1
	chown 1000:1000 "$host/mine"
	service sleep 1000
	root=${SERVICES[-1]}
	service setpriv --reuid 1001 --regid 1001 --clear-groups sleep 1000
	other=${SERVICES[-1]}
	within 5 eval '[ "$(stat -c %u "/proc/$other")" = 1001 ]'
}

teardown() {
	person_end
	holm_teardown
}

# Each line is a way to touch the host; what works is printed.
tries='
cat /host/roots
cat /host/others
echo x >>/host/roots
echo x >>/host/others
chown 0:0 /host/roots
chmod 666 /host/others
rm -f /host/roots
mv /host/others /host/mine/
chown 70000 /host/mine/file
chown 4294967294 /host/mine/file
mknod /host/mine/disk b 7 0
mknod /host/mine/kmem c 1 2
cat /host/memory
head -c 1 /dev/mem
mount -t ext4 /host/memory /mnt
mount -t debugfs none /mnt
mount -t securityfs none /mnt
swapon /host/mine/file
insmod /host/mine/file
date -s 2001-01-01; date +%Y | grep 2001
echo 5 >/proc/sys/kernel/panic
echo "|/host/mine/file" >/proc/sys/kernel/core_pattern
mount -t proc proc /mnt && echo 5 >/mnt/sys/kernel/panic
mount -o remount,rw /proc/sys && echo 5 >/proc/sys/kernel/panic
echo h >/proc/sysrq-trigger
echo "0 0 1" >/proc/self/uid_map
ip link add probe0 type dummy
ip link set lo down
kill -TERM $root
kill -TERM $other
kill -STOP $other
renice -n 5 -p $other
echo 500 >/proc/$root/oom_score_adj
head -c 1 /proc/$root/mem
head -c 1 /proc/$root/environ | grep .
ls /proc/$other/root/
ls /proc/$other/fd/
chroot /proc/$root/root true
nsenter -t $root -m true
nsenter -t $root -n true
nsenter -t $root -p true
nsenter -t $root -u hostname taken
nsenter -t $other -m true
nsenter -t $other -i true
'

# Root of a container with these ids.
tries_with() { # MODE
	echo "$tries" >"$host/tries"
	[ "$(grep -c . "$host/tries")" -ge 40 ]
	expect 0 u run --rm --privileged --userns "$1" --user 0 --pid host --network host -v "$host:/host" \
		-e "root=$root" -e "other=$other" busybox sh -c '
		touch /host/mine/file
		[ "$(readlink /proc/self/ns/net)" ] && [ "$(id -u)" = 0 ] && [ -e "/proc/$root/stat" ] || exit 9
		while read -r try; do
			type "${try%% *}" >/dev/null || [ -z "$try" ] || echo "no program: $try"
			[ -z "$try" ] || { (eval "$try") >/dev/null 2>&1 </dev/null && echo "this works: $try"; }
		done </host/tries
		exit 0'
	output_is ""
	[ "$(stat -c '%u:%g %a' "$host/roots" "$host/others" | tr '\n' ' ')" = "0:0 600 1001:1001 600 " ]
	[ "$(cat "$host/roots" "$host/others" | tr '\n' ' ')" = "secret secret " ]
	[ "$(find "$host/mine" -not -uid 1000 -not \( -uid +299999 -uid -365536 \))" = "" ]
	kill -0 "$root"
	kill -0 "$other"
	grep -q '^State:	S' "/proc/$other/status"
}

@test "a root shell inside, with every right, tries to touch the host as another user" {
	tries_with host
}

@test "so it does with ids of its own: keep-id, auto, nomap" {
	local mode
	for mode in keep-id auto nomap; do
		tries_with "$mode"
		rm -f "$host/mine/file"
	done
}

# Of one user: auto gives each a part of the range, and what one keeps is not the other's.
@test "root of one container of a user's, with ids of its own, is nobody to another's" {
	mkdir "$host/shared"
	chmod 1777 "$host/shared"
	expect 0 u run -d --name a --userns auto -v "$host/shared:/shared" busybox sh -c 'umask 077; echo secret >/shared/kept; exec sleep 1000'
	within 5 test -s "$host/shared/kept"
	[ "$(stat -c %u "$host/shared/kept")" = 300000 ]
	expect 0 u run --rm --userns auto --privileged --pid host -v "$host/shared:/shared" -e "pid=$(u inspect -f '{{.State.Pid}}' a)" busybox sh -c '
		for try in "cat /shared/kept" "rm -f /shared/kept" "chown 0 /shared/kept" "kill $pid" "ls /proc/$pid/root/" "nsenter -t $pid -m true"; do
			(eval "$try") >/dev/null 2>&1 && echo "this works: $try"
		done
		exit 0'
	output_is ""
	[ "$(cat "$host/shared/kept")" = secret ]
	expect 0 u rm -f a
}

@test "a setuid program that a container leaves in a folder of the host is the user's" {
	expect 0 u run --rm --privileged -v "$host:/host" -v /usr/bin/id:/id:ro busybox \
		sh -c 'cp /id /host/mine/id && chown 0:0 /host/mine/id && chmod 6755 /host/mine/id
		cp /id /host/mine/id42 && chown 42:42 /host/mine/id42 && chmod 6755 /host/mine/id42'
	[ "$(stat -c %u:%g "$host/mine/id" "$host/mine/id42" | tr '\n' ' ')" = "1000:1000 300041:300041 " ]
	expect 0 as other "$host/mine/id" -u
	output_is 1000
	expect 0 as other "$host/mine/id42" -u
	output_is 300041
}

@test "another user cannot enter the user namespace, nor see what runs" {
	expect 0 u run -d --name web busybox sleep 1000
	local pid
	pid=$(u inspect --format '{{.State.Pid}}' web)
	not as other nsenter --user="/proc/$pid/ns/user" true
	not as other kill "$pid"
	not as other ls /run/user/1000/holm "$BATS_TEST_TMPDIR/person/tester/.local/share/holm"
	expect 0 as other holm ps -aq
	output_is ""
	kill -0 "$pid"
	expect 0 u rm -f web
}

# What the other tries, with every right that it has, against what the first one's container and files are;
# what works is printed.
others_tries='
kill -TERM $pid
kill -STOP $monitor
kill -0 $monitor
head -c 1 /proc/$pid/mem
cat /proc/$pid/environ
ls /proc/$pid/root/
ls /proc/$pid/fd/
readlink /proc/$pid/ns/net
nsenter --user=/proc/$pid/ns/user true
nsenter --net=/proc/$pid/ns/net true
nsenter --mount=/proc/$pid/ns/mnt true
echo $$ >$cgroup/cgroup.procs
echo $$ >$cgroup/tasks
rmdir $cgroup
ls $store
ls $store/containers/$id
cat $store/containers/$id/config.json
cat $store/containers/$id/log
ls $run
cat $run/containers/$id/state.json
touch $run/containers/$id/alive
python3 -c "import socket; socket.socket(socket.AF_UNIX).connect(\"$run/containers/$id/socket\")"
python3 -c "import socket; socket.socket(socket.AF_UNIX).connect(\"$run/containers/$id/slirp\")"
cat $temporary/secret
rm -f $temporary/secret
holm --root $store ps
holm --run $run ps
holm --root $store --run $run exec $id true
holm exec $id true
holm exec alone true
holm logs alone
holm kill alone
holm stop -t 0 alone
holm rm alone
holm inspect alone
holm cp alone:/etc/passwd /dev/null
holm attach alone
holm port add alone 8090:80
holm network inspect inner
holm network rm inner
holm network connect inner mine
holm run --rm --network inner busybox true
holm run --rm --network container:alone busybox true
holm run --rm --pid container:alone busybox true
holm volume inspect kept
holm run --rm -p 8089:80 busybox true
'

@test "two users side by side: neither sees nor touches what is the other's" {
	local id pid monitor
	mount -t tmpfs -o mode=755 tmpfs /dev/net
	mknod -m 666 /dev/net/tun c 10 200
	mkdir -m 1777 "$host/tmp"
	expect 0 u network create inner
	expect 0 u volume create kept
	expect 0 u run -d --name alone -p 8089:80 -v "$host/tmp:/tmp" busybox \
		sh -c 'umask 077; echo mine >/tmp/secret; echo said; exec sleep 1000'
	within 5 test -s "$host/tmp/secret"
	expect 0 as other holm run -d --name mine --network bridge busybox sleep 1000
	id=$(u inspect -f '{{.Id}}' alone)
	pid=$(u inspect -f '{{.State.Pid}}' alone)
	monitor=$(jq -r .monitorPid "/run/user/1000/holm/containers/$id/state.json")
	echo "$others_tries" >"$host/others_tries"
	[ "$(grep -c . "$host/others_tries")" -ge 40 ]
	# the same names are free for the other, and are others
	expect 0 as other env id="$id" pid="$pid" monitor="$monitor" temporary="$host/tmp" \
		cgroup="$(echo /sys/fs/cgroup/{,*/}holm/"$id")" run=/run/user/1000/holm \
		store="$BATS_TEST_TMPDIR/person/tester/.local/share/holm" bash -c '
		[ -n "$id" ] && [ "$pid" -gt 1 ] && [ "$monitor" -gt 1 ] || exit 9
		while read -r try; do
			[ -z "$try" ] || { timeout 20 bash -c "$try" >/dev/null 2>&1 </dev/null && echo "this works: $try"; }
		done <"$0"
		exit 0' "$host/others_tries"
	output_is ""
	expect 0 as other holm ps -a --format '{{.Names}}'
	output_is mine
	expect 0 as other holm network ls -q --filter driver=bridge
	[ "${#lines[@]}" = 1 ]
	expect 0 as other holm volume ls -q
	output_is ""
	expect 0 as other holm events --since 1h --until 0s
	not grep -q alone <<<"$output"
	# nothing has happened to it
	expect 0 u exec alone cat /tmp/secret
	output_is mine
	expect 0 u logs alone
	output_is said
	# names that are taken by one are the other's to take
	expect 0 as other holm network create inner
	expect 0 as other holm volume create kept
	expect 0 as other holm run -d --name alone busybox sleep 1000
	# their networks are two, with the same addresses
	expect 0 u network inspect inner --format '{{.Id}}'
	first=$output
	expect 0 as other holm network inspect inner --format '{{.Id}}'
	[ "$output" != "$first" ]
	expect 0 as other holm rm -f alone mine
	expect 0 as other holm network rm inner
	expect 0 as other holm volume rm kept
	expect 0 u inspect -f '{{.State.Running}}' alone
	output_is true
	expect 0 u rm -f alone
	expect 0 u network rm inner
	expect 0 u volume rm kept
	umount /dev/net
}

@test "nothing that is installed has more rights than who calls it" {
	[ "$(find "$HOLM_STAGE" -type f -name 'holm*' | wc -l)" -gt 4 ]
	[ "$(find "$HOLM_STAGE" -perm -4000)" = "" ]
	[ "$(find "$HOLM_STAGE" -type f -perm /6000)" = "" ]
	[ "$(getcap -r "$HOLM_STAGE")" = "" ]
}
