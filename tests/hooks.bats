#!/usr/bin/env bats
# --hook: programs of the host that are run at ten points of a container's life, as LXC has them.
# shellcheck disable=SC2016 # variables are the hook's
load holm

setup() {
	holm_setup
	mkdir -m 755 bin
	umask 022
	chmod 755 "$BATS_TEST_TMPDIR" .
	given "$BATS_TEST_TMPDIR" .
	# what a hook says of itself goes to a file that any user may write
	: >told
	chmod 666 told
}

# A program of the host, as a hook.
hook() { # NAME TEXT
	printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
	chmod 755 "bin/$1"
	given bin "bin/$1"
}

# One that tells its point.
teller() {
	hook tell "echo \"\$HOLM_HOOK_TYPE\${HOLM_TARGET:+ \$HOLM_TARGET}\" >>'$PWD/told'"
}

told() {
	tr '\n' ' ' <told
}

@test "ten points, in LXC's order, of a start, a stop, a clone and a removal" {
	local point options=()
	teller
	for point in destroy clone post-stop stop start-host autodev mount pre-mount pre-start; do
		options+=(--hook "$point=$PWD/bin/tell")
	done
	hook in "echo inside"
	mkdir -p root
	cp bin/in root/hook
	tar -C root -cf more.tar .
	expect 0 holm create --name web "${options[@]}" --userns host busybox sleep 1000
	expect 0 holm cp root/hook web:/hook
	expect 0 holm set web "hook=start=/bin/touch /started"
	expect 0 holm start web
	expect 0 holm exec web test -e /started
	[ "$(told)" = "pre-start pre-mount mount autodev start-host " ]
	: >told
	expect 0 holm stop -t 0 web
	within 5 grep -q post-stop told
	[ "$(told)" = "stop stop post-stop stop " ]
	: >told
	expect 0 holm clone web copy
	expect 0 holm rm copy
	[ "$(told)" = "clone destroy " ]
	: >told
	expect 0 holm rm web
	[ "$(told)" = "destroy " ]
}

@test "a hook is told what LXC tells: arguments, variables, and the state of OCI" {
	hook ask "echo \"\$*\" >>'$PWD/told'; env >>'$PWD/told'; cat >'$PWD/state'"
	: >state
	chmod 666 state
	expect 0 holm run -d --name web --hook "start-host=$PWD/bin/ask one 'two three'" busybox sleep 1000
	local pid
	pid=$(holm inspect -f '{{.State.Pid}}' web)
	[ "$(head -1 told)" = "one two three web lxc start-host" ]
	for word in NAME=web HOOK_TYPE=start-host HOOK_SECTION=lxc "PID=$pid"; do
		grep -x "HOLM_$word" told
		grep -x "LXC_$word" told
	done
	grep -x "HOLM_ID=$(holm inspect -f '{{.Id}}' web)" told
	grep "^HOLM_CONFIG_FILE=$HOLM_ROOT/containers/" told
	jq -e --arg id "$(holm inspect -f '{{.Id}}' web)" --argjson pid "$pid" \
		'.id == $id and .status == "created" and .pid == $pid' state
	expect 0 holm rm -f web
}

@test "mount has the root where it says, and what it changes there is in the container" {
	hook change 'pwd >"$HOLM_ROOTFS_MOUNT/from"; mkdir mnt && mount -t tmpfs hook "$HOLM_ROOTFS_MOUNT/mnt" && echo yes >mnt/there'
	expect 0 holm run --rm --userns host --hook "mount=$PWD/bin/change" busybox sh -c 'cat /from /mnt/there'
	output_is "$HOLM_RUN
yes"
	not grep hook /proc/mounts
}

@test "what pre-mount mounts is seen by the container alone" {
	mkdir data
	hook mount "mount -t tmpfs hook '$PWD/data' && echo secret >'$PWD/data/file'"
	expect 0 holm run --rm -v "$PWD/data:/data" --hook "pre-mount=$PWD/bin/mount" busybox cat /data/file
	output_is secret
	[ ! -e data/file ]
	not grep hook /proc/mounts
}

@test "a hook that fails before the start ends it, with the last line that it said" {
	teller
	hook fail "echo no disk >&2; exit 3"
	local point
	for point in pre-start pre-mount mount start-host; do
		: >told
		refused 125 "no disk" holm run --name web --hook "$point=$PWD/bin/fail" \
			--hook "post-stop=$PWD/bin/tell" busybox true
		output_has "exit status 3"
		sleep 0.2
		# whatever had begun is taken back by post-stop
		[ "$point" = pre-start ] && [ ! -s told ] || grep -q post-stop told
		expect 0 holm rm web
	done
	refused 125 "hooks.startContainer" holm run --rm --hook start=/bin/false busybox true
}

@test "a hook that fails at the end is warned of; none follows a post-stop that failed" {
	hook fail "exit 1"
	teller
	expect 0 holm run --name web --hook "stop=$PWD/bin/fail" --hook "post-stop=$PWD/bin/tell" busybox true
	within 5 grep -q "post-stop stop" told
	expect 0 holm rm web
	: >told
	expect 0 holm run -d --name again --restart always --hook "pre-start=$PWD/bin/tell" \
		--hook "post-stop=$PWD/bin/fail" busybox true
	within 5 sh -c '[ "$(holm inspect -f "{{.State.Status}}" again)" = exited ]'
	[ "$(told)" = "pre-start " ]
	expect 0 holm rm again
}

@test "stop has the namespaces of what ended" {
	hook look 'echo "$*" >>'"'$PWD/told'"'; nsenter --net="$HOLM_NET_NS" ip -br link show lo >>'"'$PWD/told'"
	expect 0 holm run --name web --network none --hook "stop=$PWD/bin/look" busybox true
	grep -q 'web lxc stop .*net:/proc/[0-9]*/fd/[0-9]*' told
	grep -q '^lo' told
	expect 0 holm rm web
}

@test "a hook that does not end is killed at its timeout, and others do not wait for it" {
	hook sleep "sleep 1000"
	refused 125 "killed after its timeout of 1 s" \
		holm run --rm --hook "pre-start,timeout=1=$PWD/bin/sleep" busybox true
	hook slow "echo here >>'$PWD/told'; sleep 25"
	expect 0 holm run -d --name web --hook "stop=$PWD/bin/slow" busybox sleep 1000
	# longer than a monitor may be silent
	expect 0 holm stop -t 0 web
	grep -q here told
	expect 0 holm inspect -f '{{.State.ExitCode}} {{.State.Error}}' web
	output_is "137 "
	expect 0 holm rm web
}

@test "start-host may look into what the container sees of its limits" {
	: >meminfo
	chmod 666 meminfo
	hook look "cat /proc/\$HOLM_PID/root/proc/meminfo >'$PWD/meminfo'"
	expect 0 holm run --rm --view limits -m 256m --hook "start-host,timeout=5=$PWD/bin/look" busybox true
	grep -q 'MemTotal: *262144 kB' meminfo
}

@test "clone has the new root, and fails with the hook; destroy keeps the container" {
	hook mark 'echo "$HOLM_SRC_NAME $HOLM_NAME" >"$HOLM_ROOTFS_MOUNT/cloned"'
	hook fail "exit 1"
	expect 0 holm create --name web --hook "clone=$PWD/bin/mark" busybox cat /cloned
	expect 0 holm clone web copy
	expect 0 holm start -a copy
	output_is "web copy"
	expect 0 holm set web "hook=clone=$PWD/bin/fail"
	refused 1 "hook clone" holm clone web two
	[ "$(holm ps -aq | wc -l)" = 2 ]
	expect 0 holm set web "hook=destroy=$PWD/bin/fail"
	refused 1 "hook destroy" holm rm web
	output_has "holm set web hook=destroy="
	expect 0 holm set web hook=destroy=
	expect 0 holm rm web copy
}

@test "hooks in the container's own folder go along with its clones" {
	expect 0 holm create --name web busybox true
	local folder
	folder=$HOLM_ROOT/containers/$(holm inspect -f '{{.Id}}' web)
	mkdir -m 755 "$folder/hooks"
	hook own "echo \"\$0\" >>'$PWD/told'"
	cp bin/own "$folder/hooks/"
	given "$folder/hooks"
	expect 0 holm set web "hook=pre-start=$folder/hooks/own"
	expect 0 holm clone web copy
	expect 0 holm rm web
	expect 0 holm start -a copy
	[ "$(told)" = "$HOLM_ROOT/containers/$(holm inspect -f '{{.Id}}' copy)/hooks/own " ]
	expect 0 holm rm copy
}

@test "set shows hooks, changes those of a point, and takes them away" {
	teller
	expect 0 holm create --name web --hook "stop=$PWD/bin/tell a 'b c'" --hook "stop,timeout=5=$PWD/bin/tell" busybox
	expect 0 holm set web
	output_has "hook=stop=$PWD/bin/tell a \"b c\" ; stop,timeout=5=$PWD/bin/tell"
	expect 0 holm set web "$(holm set web | grep ^hook)"
	output_is ""
	expect 0 holm set web "hook=start=/bin/true" "hook=stop=$PWD/bin/tell"
	expect 0 holm set web
	output_has "hook=start=/bin/true ; stop=$PWD/bin/tell"
	expect 0 holm set web "hook=stop=$PWD/bin/tell a ';' b"
	expect 0 holm set web "$(holm set web | grep ^hook)"
	expect 0 holm set web
	output_has "hook=start=/bin/true ; stop=$PWD/bin/tell a \";\" b"
	expect 0 holm set web hook=
	expect 0 holm set web
	[[ $output == *$'\nhook=\n'* ]]
	expect 0 holm rm web
}

@test "a point that is not known is told" {
	expect 0 holm create --name web --hook post-stop=/bin/true busybox
	sed -i 's/"post-stop"/"later"/' "$HOLM_ROOT"/containers/*/config.json
	expect 1 holm verify web
	output_has "hook 'later': no such point"
	refused 1 "hook 'later': no such point" holm start web
	expect 0 holm rm web
}

@test "what others or a container could write is not run" {
	hook x "exit 0"
	refused 1 "no point" holm create --hook "before=$PWD/bin/x" busybox
	output_has "pre-start, pre-mount"
	refused 1 "not an absolute path" holm create --hook pre-start=x busybox
	refused 1 "not POINT" holm create --hook pre-start busybox
	refused 1 "No such file" holm create --hook "pre-start=$PWD/bin/none" busybox
	refused 1 "timeout" holm create --hook "pre-start,timeout=0=$PWD/bin/x" busybox
	# root's group is root
	chgrp 1 bin/x
	chmod 775 bin/x
	refused 1 "can be written by others" holm create --hook "pre-start=$PWD/bin/x" busybox
	chmod 644 bin/x
	refused 1 "not a program" holm create --hook "pre-start=$PWD/bin/x" busybox
	chmod 755 bin/x
	refused 1 "mounted in the container" holm create -v "$PWD/bin:/x" --hook "pre-start=$PWD/bin/x" busybox
	expect 0 holm volume create -o type=none -o o=bind -o "device=$PWD/bin" folder
	refused 1 "mounted in the container" holm create -v folder:/x --hook "pre-start=$PWD/bin/x" busybox
	expect 0 holm create --name web -v "$PWD/bin:/x:ro" --hook "pre-start=$PWD/bin/x" busybox true
	chmod 777 bin
	refused 1 "can be written by others" holm start web
	chmod 755 bin
	mv bin/x bin/y
	ln -s "$HOLM_ROOT/containers/$(holm inspect -f '{{.Id}}' web)/config.json" bin/x
	chmod a+x bin/x
	refused 1 "holm's store" holm start web
	expect 0 holm rm web
}

@test "of a container from another host the hooks are left behind" {
	hook x "exit 0"
	expect 0 holm create --name web --hook "pre-start=$PWD/bin/x" busybox true
	expect 0 holm backup -o web.holm web
	expect 0 holm receive --name copy web.holm
	output_has "hooks"
	expect 0 holm set copy
	not output_has "bin/x"
	expect 0 holm rm web copy
}
