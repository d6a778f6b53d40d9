#!/usr/bin/env bats
# Hooks, as runtime-spec v1.3 config.md#posix-platform-hooks and runtime.md#lifecycle describe them.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
	TRACE=$BATS_TEST_TMPDIR/trace
	: >"$TRACE"
}

# Makes a hook of these lines, and prints its path; $TRACE is known to it.
script() { # NAME LINE...
	local file=$BATS_TEST_TMPDIR/$1
	shift
	printf '%s\n' '#!/bin/bash' "TRACE=$TRACE" "$@" >"$file"
	chmod 755 "$file"
	echo "$file"
}

# Adds a hook to the list KIND; MORE is JSON that is merged into it.
hook() { # KIND PATH [MORE]
	bundle_edit '.hooks[$k] += [{ path: $p } + $m]' --arg k "$1" --arg p "$2" --argjson m "${3:-{\}}"
}

# One in the container's root, by busybox.
inner_script() { # NAME LINE...
	local name=$1
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$ROOTFS/bin/$name"
	chmod 755 "$ROOTFS/bin/$name"
}

@test "all six kinds run in the order of the specification, each where it belongs" {
	local kind all
	all=$(script all 'state=$(cat)' \
		'echo "$1 $(jq -r .status <<<"$state") $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/net)" >>"$TRACE"')
	inner_script inner 'echo "startContainer $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/net)" >/tmp/inner
		grep -o "\"status\":\"[a-z]*\",\"pid\":[0-9]*" >>/tmp/inner'
	for kind in prestart createRuntime createContainer poststart poststop; do
		hook $kind "$all" "{\"args\": [\"all\", \"$kind\"]}"
	done
	hook createRuntime "$all" '{"args": ["all", "second"]}'
	hook startContainer /bin/inner
	expect 0 bundle sh -c 'cat /tmp/inner; readlink /proc/self/ns/mnt'
	cat "$TRACE"
	local host inside
	host="$(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/net)"
	inside=$(head -1 "$ROOTFS/tmp/inner")
	inside=${inside#startContainer }
	[[ $inside != "$host" && ${inside%% *} = "${lines[-1]}" ]]
	[ "$(cat "$TRACE")" = "prestart creating $host
createRuntime creating $host
second creating $host
createContainer creating $inside
poststart running $host
poststop stopped $host" ]
	output_has '"status":"created","pid":1'
}

@test "the state on standard input is compact, unescaped, and names the process as its reader sees it" {
	local save
	# shellcheck disable=SC2016 # for the hook
	save=$(script save 'cat >"$TRACE.$1"; pid=$(jq .pid "$TRACE.$1"); readlink "/proc/$pid/ns/uts" >>"$TRACE"')
	bundle_edit '.annotations += { "some/key": "a \"quoted\" / value" }'
	hook createRuntime "$save" '{"args": ["save", "create"]}'
	hook poststart "$save" '{"args": ["save", "start"]}'
	hook poststart "$(script "go" "touch $ROOTFS/tmp/go")"
	hook createContainer "$(script inside 'cat >"$TRACE.inside"')"
	expect 0 bundle sh -c 'until [ -e /tmp/go ]; do sleep 0.01; done'
	[[ $(head -1 "$TRACE") == uts:* && $(head -1 "$TRACE") != "$(readlink /proc/self/ns/uts)" ]]
	[ "$(sed -n 2p "$TRACE")" = "$(head -1 "$TRACE")" ]
	[ "$(sed 's/"pid":[0-9]*/"pid":N/; s/"id":"[^"]*"/"id":"ID"/' "$TRACE.create")" = \
		'{"ociVersion":"1.3.0","id":"ID","status":"creating","pid":N,"bundle":"'"$BUNDLE"'","annotations":{"org.holm.seccomp":"default","some/key":"a \"quoted\" / value"}}' ]
	[ "$(jq -r .status "$TRACE.start")" = running ]
	[ "$(jq .pid "$TRACE.inside")" = 1 ]
}

@test "a hook has the arguments and the environment that are written, and nothing else" {
	local show
	show=$(script show 'tr "\0" " " </proc/$$/environ; tr "\0" " " </proc/$$/cmdline; pwd; ls /proc/self/fd | tr "\n" " "')
	bundle_edit '.annotations["run.oci.hooks.stdout"] = $t' --arg t "$TRACE"
	hook prestart "$show"
	hook prestart "$show" '{"args": ["zero", "one", "two words"], "env": ["A=1", "B=x y"]}'
	exec 8</etc/passwd
	INHERITED=no expect 0 bundle_again
	exec 8<&-
	cat "$TRACE"
	# the interpreter stands before the script; ls opens 3 itself
	[ "$(cat "$TRACE")" = "/bin/bash $show $BUNDLE
0 1 2 3 A=1 B=x y /bin/bash $show one two words $BUNDLE
0 1 2 3 " ]
}

@test "createContainer hooks see the container's tree at root.path, and what they mount there stays" {
	local change
	mkdir "$ROOTFS/data" "$BATS_TEST_TMPDIR/source"
	echo mounted >"$BATS_TEST_TMPDIR/source/file"
	change=$(script change "mount --bind $BATS_TEST_TMPDIR/source $ROOTFS/data" \
		"touch $ROOTFS/dev/shm/made" 'pwd >"$TRACE"')
	hook createContainer "$change"
	expect 0 bundle sh -c 'cat /data/file; ls /dev/shm'
	output_is $'mounted\nmade'
	[ "$(cat "$TRACE")" = "$ROOTFS" ]
	[ -z "$(ls "$ROOTFS/data")" ]
	# a hook of the runtime reaches the tree through the process
	bundle_edit 'del(.hooks)'
	hook prestart "$(script enter 'nsenter -t "$(jq .pid)" -m touch '"$ROOTFS"'/dev/shm/entered')"
	expect 0 bundle ls /dev/shm
	output_is entered
}

@test "a hook that fails fails the create or the start, with its path, status and last words" {
	local kind bad
	bad=$(script bad 'echo first >&2; echo "it is broken" >&2; exit 7')
	inner_script bad 'echo "it is broken" >&2' 'exit 7'
	for kind in prestart createRuntime createContainer startContainer poststart; do
		bundle_edit 'del(.hooks)'
		if [ $kind = startContainer ]; then bad=/bin/bad; fi
		hook $kind /bin/true
		[ $kind = startContainer ] || hook $kind "$bad"
		[ $kind != startContainer ] || hook $kind /bin/bad
		hook $kind "$bad"
		hook poststop "$(script "after" 'echo poststop >>"$TRACE"')"
		bundle_refused 125 "hooks.${kind}[1]: $bad: exit status 7: it is broken" bundle sleep 60
		bad=$BATS_TEST_TMPDIR/bad
	done
	[ "$(sort "$TRACE" | uniq -c | tr -s ' ')" = " 5 poststop" ]
}

@test "a poststop hook that fails is warned of, and the others run" {
	hook poststop "$(script bad 'echo oh >&2; exit 3')"
	hook poststop "$(script good 'echo good >>"$TRACE"')"
	expect 5 bundle sh -c 'exit 5'
	output_has "warning: hooks.poststop[0]: $BATS_TEST_TMPDIR/bad: exit status 3: oh"
	[ "$(cat "$TRACE")" = good ]
}

@test "a hook that dies of a signal says so" {
	hook createRuntime "$(script dies 'echo words >&2; kill -SEGV $$')"
	bundle_refused 125 "dies: killed by SIGSEGV: words" bundle true
}

@test "a hook that overruns its timeout is killed with all that it started" {
	local slow
	# the inner one tells that it runs, holds the output, and would outlive its parent
	slow=$(script slow 'sleep 1000 & echo $! $$ >"$TRACE"; sleep 1000')
	hook createRuntime "$slow" '{"timeout": 1}'
	bundle_refused 125 "hooks.createRuntime[0]: $slow: killed after its timeout of 1 s" bundle true
	local pid
	while read -r pid; do
		within 5 is_gone "$pid"
	done < <(tr ' ' '\n' <"$TRACE")
}

is_gone() { # PID
	! kill -0 "$1"
}

@test "a hook that leaves something in the background which holds its output is not waited for" {
	hook createRuntime "$(script daemon 'sleep 1000 & echo $! >"$TRACE"')"
	expect 0 bundle true
	kill "$(cat "$TRACE")" # it was left alone
}

@test "paths that cannot be run are refused by name" {
	local entry
	printf 'no interpreter' >"$BATS_TEST_TMPDIR/text"
	printf '#!/does/not/exist\n' >"$BATS_TEST_TMPDIR/script"
	: >"$BATS_TEST_TMPDIR/plain"
	chmod 755 "$BATS_TEST_TMPDIR/text" "$BATS_TEST_TMPDIR/script"
	for entry in "/does/not/exist: cannot be run: No such file" "$BATS_TEST_TMPDIR: cannot be run: Is a directory" \
		"$BATS_TEST_TMPDIR/plain: cannot be run: Permission denied" \
		"$BATS_TEST_TMPDIR/text: exit status 127: exec: Exec format error" \
		"$BATS_TEST_TMPDIR/script: exit status 127: exec: No such file"; do
		bundle_edit 'del(.hooks)'
		hook prestart "${entry%%: *}"
		bundle_refused 125 "hooks.prestart[0]: $entry" bundle true
	done
	# and what is no path at all, in any list, before anything is made
	bundle_edit 'del(.hooks)'
	hook poststop bin/true
	bundle_refused 125 "hooks.poststop[0]: path 'bin/true' is not absolute" bundle true
	bundle_edit '.hooks.poststop[0] = { path: "" }'
	bundle_refused 125 "hooks.poststop[0]: path '' is not absolute" bundle true
	bundle_edit '.hooks.poststop[0] = { path: "/bin/true", timeout: 0 }'
	bundle_refused 125 "hooks.poststop[0]: timeout 0 is not between" bundle true
}

@test "a large state reaches a slow reader whole, and hurts no hook that does not read" {
	bundle_edit '.annotations.large = ("x" * 200000)'
	hook createRuntime /bin/true
	hook createRuntime "$(script slow 'sleep 0.2; wc -c >"$TRACE"; exit 0')"
	hook createRuntime "$(script closes 'exec <&-; exit 0')"
	hook createContainer /bin/true
	inner_script count 'grep -o "x*" | wc -c >/tmp/count'
	hook startContainer /bin/count
	expect 0 bundle cat /tmp/count
	[ "$output" -ge 200000 ]
	[ "$(cat "$TRACE")" -ge 200000 ]
}

@test "a thousand hooks run, and one that says very much" {
	bundle_edit '.hooks.createRuntime = [range(1000) | { path: "/bin/sh", args: ["sh", "-c", "echo >>\($t)"] }]' --arg t "$TRACE"
	expect 0 bundle true
	[ "$(wc -l <"$TRACE")" = 1000 ]
	bundle_edit '.hooks.createRuntime = []'
	hook createRuntime "$(script talks 'yes "a line of words" | head -c 3000000 >&2; echo "the end" >&2; exit 1')"
	bundle_refused 125 "talks: exit status 1: the end" bundle true
}

@test "a container that dies while its hooks run is told of" {
	hook createRuntime "$(script kills 'kill -KILL "$(jq .pid)"')"
	hook createRuntime "$(script after 'echo after >>"$TRACE"')"
	bundle_refused 125 "killed by signal 9" bundle true
	[ "$(cat "$TRACE")" = after ]
}

@test "what hooks say can be kept in files, which are appended to" {
	echo before >"$TRACE"
	bundle_edit '.annotations += { "run.oci.hooks.stdout": $t, "run.oci.hooks.stderr": ($t + ".err") }' --arg t "$TRACE"
	inner_script says 'echo inside; echo problem >&2'
	hook createRuntime "$(script says 'echo outside')"
	hook startContainer /bin/says
	hook poststop "$(script after 'echo stopped')"
	expect 0 bundle sh -c 'ls /proc/self/fd | tr "\n" " "'
	output_is "0 1 2 3 "
	[ "$(cat "$TRACE")" = $'before\noutside\ninside\nstopped' ]
	[ "$(cat "$TRACE.err")" = problem ]
	bundle_edit '.annotations["run.oci.hooks.stdout"] = "/does/not/exist"'
	bundle_refused 125 "run.oci.hooks.stdout: open /does/not/exist" bundle true
	mkfifo "$TRACE.fifo"
	bundle_edit '.annotations["run.oci.hooks.stdout"] = $t' --arg t "$TRACE.fifo"
	bundle_refused 125 "run.oci.hooks.stdout: open $TRACE.fifo: No such device or address" bundle true
}

@test "startContainer hooks have no more rights than the container" {
	inner_script rights 'id -u >/tmp/rights; grep -E "CapEff|Seccomp:" /proc/self/status >>/tmp/rights'
	chmod 777 "$ROOTFS/tmp"
	bundle_edit '.process.user = { uid: 1000, gid: 1000 }'
	hook startContainer /bin/rights
	expect 0 bundle cat /tmp/rights
	output_is $'1000\nCapEff:\t0000000000000000\nSeccomp:\t2'
}

@test "hooks run for a container with a user namespace, in it where they belong to it" {
	bundle_edit '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$ROOTFS"
	# programs of the host, found by those in the user namespace, too
	hook createRuntime /bin/sh '{"args": ["sh", "-c", "cat /proc/self/uid_map >outer"]}'
	hook createContainer /bin/sh '{"args": ["sh", "-c", "id -u >tmp/inner; cat /proc/self/uid_map >>tmp/inner"]}'
	expect 0 bundle sh -c 'tr -s " " </tmp/inner'
	output_is $'0\n 0 100000 65536'
	cmp "$BUNDLE/outer" /proc/self/uid_map
}
