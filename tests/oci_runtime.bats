# holm-runtime by its own command line, called as engines and people call runc and crun.
# shellcheck disable=SC2154

load holm
load runtime/bundle
load runtime/oci

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	oci_setup
	RT_LOG=$BATS_TEST_TMPDIR/log.json
}

rt() { # ARGUMENT...
	holm-runtime --root "$RT_ROOT" --log "$RT_LOG" --log-format json "$@"
}

# The words of this error are in the message on stderr and in the log, which is one line of JSON.
rt_refused() { # STATUS TEXT ARGUMENT...
	local wanted=$1 text=$2
	shift 2
	rm -f "$RT_LOG"
	expect "$wanted" rt "$@"
	[[ $stderr == "holm-runtime: "*"$text"* ]] || { echo "no '$text' in: $stderr"; return 1; }
	[ "$(wc -l <"$RT_LOG")" = 1 ]
	jq -e --arg text "$text" '.level == "error" and (.time | fromdateiso8601? // . | tostring | length > 5)
		and (.msg | contains($text))' "$RT_LOG" >/dev/null || { cat "$RT_LOG"; return 1; }
}

args() { # COMMAND...
	local word
	bundle_edit '.process.args = []'
	for word; do
		bundle_edit '.process.args += [$word]' --arg word "$word"
	done
}

# The same in the background, so that $! is the program itself.
rt_spawn() { # ARGUMENT...
	holm-runtime --root "$RT_ROOT" --log "$RT_LOG" --log-format json "$@" \
		</dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
}

# create as an engine does: its own streams are not the container's business for long.
create() { # ARGUMENT...
	rt create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$@" "$ID" \
		</dev/null >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&-
}

status_is() { # STATUS
	[ "$(rt state "$ID" | jq -r .status)" = "$1" ]
}

@test "run gives the command's output and exit status and leaves nothing" {
	args sh -c 'echo out; echo err >&2; exit 7'
	expect 7 rt run --bundle "$BUNDLE" "$ID"
	output_is out
	[ "$stderr" = err ]
	expect 0 rt list -q
	output_is ""
}

@test "create, start, state, kill, delete: the life of a container" {
	args sh -c 'echo started; exec sleep 100'
	create
	status_is created
	[ ! -s "$BATS_TEST_TMPDIR/out" ]
	pid=$(cat "$BATS_TEST_TMPDIR/pid")
	expect 0 rt state "$ID"
	jq -e --arg id "$ID" --argjson pid "$pid" --arg bundle "$BUNDLE" \
		'.ociVersion == "1.3.0" and .id == $id and .pid == $pid and .bundle == $bundle
		 and .rootfs == $bundle + "/rootfs" and .owner == "root"' <<<"$output"
	expect 0 rt start "$ID"
	status_is running
	within 5 grep -q started "$BATS_TEST_TMPDIR/out"
	rt_refused 1 "cannot start an already running container" start "$ID"
	rt_refused 1 "that is not stopped: running" delete "$ID"
	expect 0 rt kill "$ID" 0
	status_is running
	expect 0 rt kill "$ID" KILL
	within 5 status_is stopped
	rt_refused 1 "container not running" kill "$ID" 0
	rt state "$ID" | jq -e '.pid == 0'
	rt_refused 1 "container not running" kill "$ID" TERM
	rt_refused 1 "cannot start a container that has stopped" start "$ID"
	rt_refused 1 "container not running" exec "$ID" true
	expect 0 rt delete "$ID"
	for command in state start delete kill pause resume ps; do
		rt_refused 1 "container does not exist" $command "$ID"
	done
	expect 0 rt delete --force "$ID"
}

@test "a created container is deleted with its process, and never ran" {
	args sh -c 'echo ran'
	create
	expect 0 rt delete "$ID"
	not kill -0 "$(cat "$BATS_TEST_TMPDIR/pid")"
	[ ! -s "$BATS_TEST_TMPDIR/out" ]
}

@test "one id is one container, also for two who create it at once" {
	local pids=()
	args sleep 100
	create
	rt_refused 1 "container with id exists" create --bundle "$BUNDLE" "$ID"
	expect 0 rt delete --force "$ID"
	for i in 1 2 3 4 5 6; do
		rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &&
			echo "$i" >>"$BATS_TEST_TMPDIR/made" &
		pids+=($!)
	done
	wait "${pids[@]}" || true
	[ "$(wc -l <"$BATS_TEST_TMPDIR/made")" = 1 ]
	status_is created
}

@test "a killed create leaves nothing that delete --force, or the next create, cannot clear" {
	args sleep 100
	for delay in 001 002 003 004 006 008 012; do
		rt_spawn create --bundle "$BUNDLE" "$ID"
		sleep 0.$delay
		kill -KILL $! 2>/dev/null || true
		wait $! || true
		expect 0 rt delete --force "$ID"
		[ -z "$(rt list -q)" ]
		[ ! -e "$RT_ROOT/$ID" ]
	done
	rt_spawn create --bundle "$BUNDLE" "$ID"
	sleep 0.004
	kill -KILL $! 2>/dev/null || true
	wait $! || true
	[ -e "$RT_ROOT/$ID/record.json" ] || create
	expect 0 rt delete --force "$ID"
}

@test "a cgroup of somebody else's is not touched when a half-made container is cleared" {
	mkdir -p "$RT_ROOT/$ID"
	bundle_edit '.linux.cgroupsPath = "/"'
	cp "$BUNDLE/config.json" "$RT_ROOT/$ID/"
	sleep 100 3>&- &
	expect 0 rt delete --force "$ID"
	kill -0 $!
	kill $!
}

@test "exec: status, streams, user, folder, variables, capabilities, groups" {
	args sleep 100
	create
	expect 0 rt start "$ID"
	expect 3 rt exec "$ID" sh -c 'exit 3'
	expect 0 rt exec --cwd /tmp -e A=b -u 1000:44 -g 63 "$ID" sh -c 'pwd; echo $A; id'
	output_has /tmp
	output_has b
	output_has "uid=1000(app) gid=44(wheel) groups=44(wheel),63(audio)"
	expect 0 rt exec -u app "$ID" id -un
	output_is app
	expect 0 rt exec "$ID" grep CapEff /proc/self/status
	before=$output
	expect 0 rt exec --cap CAP_NET_ADMIN "$ID" grep CapEff /proc/self/status
	[ "$before" != "$output" ]
	expect 0 rt exec "$ID" cat <<<in
	output_is in
	rt_refused 127 'exec: "nowhere": executable file not found in $PATH' exec "$ID" nowhere
	rt_refused 1 "4294967296" exec -u 4294967296 "$ID" true
	rt_refused 1 "process args cannot be empty" exec "$ID"
}

@test "exec --process --detach, as engines do: pid file, and the process goes on" {
	args sleep 100
	create
	expect 0 rt start "$ID"
	jq '.process | .args = ["sleep", "99"]' "$BUNDLE/config.json" >"$BATS_TEST_TMPDIR/process.json"
	ln -s process.json "$BATS_TEST_TMPDIR/link.json"
	rt exec --process "$BATS_TEST_TMPDIR/link.json" --detach \
		--pid-file "$BATS_TEST_TMPDIR/pid2" "$ID" </dev/null >/dev/null 2>&1 3>&-
	pid=$(cat "$BATS_TEST_TMPDIR/pid2")
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 99 " ]
	expect 0 rt ps --format json "$ID"
	jq -e --argjson pid "$pid" 'length == 2 and (. | index($pid))' <<<"$output"
	expect 0 rt ps "$ID"
	output_has "sleep 99"
	[ "$(wc -l <<<"$output")" = 3 ]
	# more than a pipe holds, and nobody reads it
	rt_refused 1 "ps printed no column PID" ps "$ID" -eo comm:40000,args
	rt_refused 1 "either --process or a command" exec --process x "$ID" true
	for word in --user=0 --additional-gids=0 --cwd=/ --env=A=b --cap=KILL --no-new-privs \
		--process-label=x --apparmor=x; do
		rt_refused 1 "either --process or ${word%%=*}: the file tells all" exec --process x "$word" "$ID"
	done
	# the first process of a PID namespace does not hear it
	expect 0 rt kill --all "$ID" TERM
	within 5 not kill -0 "$pid"
	status_is running
}

@test "pause and resume; exec into a paused container is refused unless it is asked for" {
	args sleep 100
	create
	expect 0 rt start "$ID"
	rt_refused 1 "container not paused" resume "$ID"
	expect 0 rt pause "$ID"
	status_is paused
	rt_refused 1 "cannot exec in a paused container" exec "$ID" true
	rt_refused 1 "container is paused" pause "$ID"
	rt exec --ignore-paused "$ID" sh -c 'echo resumed; exit 3' >"$BATS_TEST_TMPDIR/late" 2>&1 3>&- &
	late=$!
	sleep 0.5
	kill -0 $late
	[ ! -s "$BATS_TEST_TMPDIR/late" ]
	expect 0 rt resume "$ID"
	wait $late && false || [ $? = 3 ]
	[ "$(cat "$BATS_TEST_TMPDIR/late")" = resumed ]
	expect 0 rt pause "$ID"
	rt exec --ignore-paused "$ID" true >"$BATS_TEST_TMPDIR/late" 2>&1 3>&- &
	late=$!
	sleep 0.3
	expect 0 rt kill --all "$ID" KILL
	not wait $late
	grep -q "holm-runtime: exec" "$BATS_TEST_TMPDIR/late"
	expect 0 rt delete --force "$ID"
	create
	expect 0 rt start "$ID"
	expect 0 rt pause "$ID"
	expect 0 rt resume "$ID"
	status_is running
	expect 0 rt pause "$ID"
	expect 0 rt delete --force "$ID"
}

@test "a terminal goes to the console socket; without one, detaching is refused" {
	args sh -c 'tty; stty size; exec sleep 100'
	bundle_edit '.process.terminal = true | .process.consoleSize = {height: 33, width: 77}'
	rt_refused 1 "without setting console socket" create --bundle "$BUNDLE" "$ID"
	python3 - "$BATS_TEST_TMPDIR/console" >"$BATS_TEST_TMPDIR/terminal" 3>&- <<-'E' &
		import array, os, socket, sys
		s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
		c, _ = s.accept()
		name, fds, _, _ = socket.recv_fds(c, 4096, 1)
		print(name.decode()); sys.stdout.flush()
		text = b""
		while b"33 77" not in text:
		    text += os.read(fds[0], 4096)
		print(text.decode())
	E
	within 5 test -S "$BATS_TEST_TMPDIR/console"
	create --console-socket "$BATS_TEST_TMPDIR/console"
	expect 0 rt start "$ID"
	wait $!
	grep -q '^/dev/pts/' "$BATS_TEST_TMPDIR/terminal"
	grep -q '33 77' "$BATS_TEST_TMPDIR/terminal"
	bundle_edit '.process.terminal = false'
	rt_refused 1 "will not allocate tty" create --bundle "$BUNDLE" \
		--console-socket "$BATS_TEST_TMPDIR/console" other
}

@test "run with a terminal relays it, and passes signals on" {
	args sh -c 'trap "echo got it; exit 5" TERM; echo ready; while sleep 0.05; do :; done'
	rt_spawn run --bundle "$BUNDLE" "$ID"
	within 5 grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -TERM $!
	code=0
	wait $! || code=$?
	[ "$code" = 5 ]
	grep -q "got it" "$BATS_TEST_TMPDIR/out"
	args sh -c 'tty && read line && echo "said $line"'
	bundle_edit '.process.terminal = true'
	out=$(echo hello | rt run --bundle "$BUNDLE" "$ID")
	[[ $out == *"/dev/pts/0"*"said hello"* ]]
}

@test "descriptors: those that are to be preserved, and no other" {
	args sh -c 'ls /proc/self/fd; cat <&3'
	echo kept >"$BATS_TEST_TMPDIR/kept"
	rt run --preserve-fds 1 --bundle "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" \
		3<"$BATS_TEST_TMPDIR/kept" 7<"$BATS_TEST_TMPDIR/kept"
	[ "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/out")" = "0 1 2 3 4 kept " ]
	rt_refused 1 "is not open" run --preserve-fds 40 --bundle "$BUNDLE" "$ID"
}

@test "descriptors that the caller left free are not those of the runtime: its log, the container's folder" {
	args sleep 100
	create
	expect 0 rt start "$ID"
	none() { rt "$@" 3>&- 4>&- 5>&- 6>&- 7>&-; }
	one() { rt "$@" 3<"$BUNDLE/config.json" 4>&- 5>&- 6>&- 7>&-; }
	for count in 1 2 3; do
		expect 1 none exec --preserve-fds $count "$ID" ls -l /proc/self/fd
		output_has "descriptor 3 is not open"
		expect 1 none run --preserve-fds $count --bundle "$BUNDLE" "$ID-2"
		output_has "descriptor 3 is not open"
	done
	expect 1 one exec --preserve-fds 2 "$ID" ls -l /proc/self/fd
	output_has "descriptor 4 is not open"
	expect 0 one exec --preserve-fds 1 "$ID" sh -c 'head -c 1 <&3'
	output_is "{"
}

@test "--no-pivot and --no-new-keyring" {
	args sh -c 'ls -d /bin /rootfs /var/tmp 2>&1; cat /proc/self/mountinfo | wc -l; ls -di /'
	expect 0 rt run --no-pivot --no-new-keyring --bundle "$BUNDLE" "$ID"
	[[ $output == */bin* && $output == *"/var/tmp: No such"* ]]
	# keys of root are seen by an ordinary user in the session that has them, and nowhere else
	[ "$(uname -m)" = x86_64 ] || skip "the number of keyctl(2) is that of x86_64"
	in_session() {
		python3 -c 'import ctypes, os, sys
ctypes.CDLL(None).syscall(250, 1, b"the-caller-s-ring")
os.execvp(sys.argv[1], sys.argv[1:])' holm-runtime --root "$RT_ROOT" "$@"
	}
	args cat /proc/keys
	bundle_edit '.linux.maskedPaths = [] | .process.user = { uid: 1000, gid: 1000 }'
	expect 0 in_session run --no-new-keyring --bundle "$BUNDLE" "$ID"
	[[ $output == *the-caller-s-ring* ]]
	expect 0 in_session run --bundle "$BUNDLE" "$ID"
	[[ $output != *the-caller-s-ring* ]]
}

@test "--pidfd-socket gets the process itself, of run and of exec" {
	local socket=$BATS_TEST_TMPDIR/pidfd
	service python3 -u -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
while True:
    _, fds, _, _ = socket.recv_fds(s.accept()[0], 99, 1)
    print([l for l in open(f"/proc/self/fdinfo/{fds[0]}") if l.startswith("Pid:")][0].split()[1])' "$socket"
	within 10 test -S "$socket"
	args sleep 100
	create --pidfd-socket "$socket"
	expect 0 rt start "$ID"
	rt exec --detach --pid-file "$BATS_TEST_TMPDIR/pid2" --pidfd-socket "$socket" "$ID" sleep 100 \
		</dev/null >/dev/null 2>&1 3>&-
	within 5 eval '[ "$(wc -l <"$BATS_TEST_TMPDIR/service.0.log")" = 2 ]'
	[ "$(cat "$BATS_TEST_TMPDIR/service.0.log")" = "$(cat "$BATS_TEST_TMPDIR/pid")"$'\n'"$(cat "$BATS_TEST_TMPDIR/pid2")" ]
	rt_refused 1 "no-socket" exec --pidfd-socket "$BATS_TEST_TMPDIR/no-socket" "$ID" true
}

@test "spec writes a config.json that runs, and does not overwrite one" {
	mkdir "$BATS_TEST_TMPDIR/new"
	expect 0 rt spec --bundle "$BATS_TEST_TMPDIR/new"
	rt_refused 1 "exists" spec --bundle "$BATS_TEST_TMPDIR/new"
	jq '.process.terminal = false | .process.args = ["echo", "hello"]' \
		"$BATS_TEST_TMPDIR/new/config.json" >"$BUNDLE/config.json"
	expect 0 rt run --bundle "$BUNDLE" "$ID"
	output_is hello
	expect 0 rt spec --rootless -f rootless.json --bundle "$BATS_TEST_TMPDIR/new"
	jq -e '.linux.uidMappings[0].hostID == 0 and ([.linux.namespaces[].type] | index("user"))' \
		"$BATS_TEST_TMPDIR/new/rootless.json"
}

@test "list, kill and delete by regular expression" {
	args sleep 100
	for name in web-1 web-2 db; do
		ID=$name create
		expect 0 rt start "$name"
	done
	expect 0 rt list
	output_has "ID "
	output_has "web-1"
	expect 0 rt list --format json
	jq -e 'map(.id) | sort == ["db", "web-1", "web-2"]' <<<"$output"
	expect 0 rt kill --regex '^web-' KILL
	expect 0 rt delete --force --regex '^web-'
	expect 0 rt list -q
	output_is db
	rt_refused 1 "regular expression" delete --regex '('
}

@test "bad ids, bundles and configurations are told in one line" {
	args true
	for id in ../x a/b . .. '' 'a b' 'a;b'; do
		rt_refused 1 "invalid container ID format" create --bundle "$BUNDLE" "$id"
	done
	rt_refused 1 "no/where" create --bundle no/where "$ID"
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/good.json"
	for bad in '' '{' '[]' 'null' '{"ociVersion": "2.0.0"}' '{"ociVersion": "1.0.0"}' \
		'{"ociVersion": "1.0.0", "process": {"args": "x"}}'; do
		echo "$bad" >"$BUNDLE/config.json"
		rt_refused 1 "" create --bundle "$BUNDLE" "$ID"
		[ -z "$(rt list -q)" ]
		[ ! -e "$RT_ROOT/$ID" ]
	done
	head -c 100 "$BATS_TEST_TMPDIR/good.json" >"$BUNDLE/config.json"
	rt_refused 1 "config.json" create --bundle "$BUNDLE" "$ID"
	head -c 5000000 /dev/zero | tr '\0' ' ' >"$BUNDLE/config.json"
	rt_refused 1 "config.json" create --bundle "$BUNDLE" "$ID"
	python3 -c 'print("{\"a\":" * 100000)' >"$BUNDLE/config.json"
	rt_refused 1 "config.json" create --bundle "$BUNDLE" "$ID"
	jq '.vm = { kernel: { path: "/vmlinuz" } }' "$BATS_TEST_TMPDIR/good.json" >"$BUNDLE/config.json"
	rt_refused 1 "vm: this runtime makes no virtual machines" create --bundle "$BUNDLE" "$ID"
	rt_refused 1 "did you mean 'state'" sttae "$ID"
	rt_refused 1 "too few arguments" create
}

@test "a bundle may vanish once the container is there" {
	args sleep 100
	create
	rm "$BUNDLE/config.json"
	expect 0 rt start "$ID"
	expect 0 rt exec "$ID" true
	expect 0 rt state "$ID"
	expect 0 rt delete --force "$ID"
}

@test "config.json may be a link, and another file by --config" {
	args echo linked
	mv "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/elsewhere.json"
	ln -s "$BATS_TEST_TMPDIR/elsewhere.json" "$BUNDLE/config.json"
	expect 0 rt run --bundle "$BUNDLE" "$ID"
	output_is linked
	rm "$BUNDLE/config.json"
	rt_refused 1 "spec" run --bundle "$BUNDLE" "$ID"
	expect 0 rt run --bundle "$BUNDLE" --config "$BATS_TEST_TMPDIR/elsewhere.json" "$ID"
	output_is linked
	expect 0 rt run --bundle "$BUNDLE" --config <(cat "$BATS_TEST_TMPDIR/elsewhere.json") "$ID"
	output_is linked
	mkfifo "$BUNDLE/config.json"
	rt_refused 1 "config.json is no regular file" run --bundle "$BUNDLE" "$ID"
}

@test "what runs in the container is a copy that cannot be written" {
	printf '#!/proc/self/exe\n' >"$ROOTFS/trap"
	chmod +x "$ROOTFS/trap"
	args sleep 100
	create
	expect 0 rt start "$ID"
	cat >"$ROOTFS/watch" <<-'E'
		#!/bin/sh
		end=$(($(date +%s) + 3))
		while [ "$(date +%s)" -lt $end ]; do
			for p in /proc/[0-9]*; do
				(echo x >"$p/exe") 2>/dev/null && echo "wrote $p"
			done
		done
	E
	chmod +x "$ROOTFS/watch"
	sum=$(sha256sum <"$(command -v holm-runtime)")
	rt exec "$ID" /watch >"$BATS_TEST_TMPDIR/watch" 2>&1 3>&- &
	for _ in $(seq 40); do
		run rt exec "$ID" /trap
	done
	wait $! || true
	not grep -q holm "$BATS_TEST_TMPDIR/watch"
	[ "$sum" = "$(sha256sum <"$(command -v holm-runtime)")" ]
}

@test "features tells what is understood, in the specification's shape" {
	expect 0 rt features
	jq -e '.ociVersionMin == "1.0.0" and .ociVersionMax == "1.3.0"
		and (.hooks | length == 6) and (.mountOptions | index("rro"))
		and (.linux.namespaces | sort == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"])
		and (.linux.capabilities | index("CAP_CHOWN")) and .linux.cgroup.v1 and .linux.cgroup.v2
		and (.linux.seccomp.actions | index("SCMP_ACT_NOTIFY"))
		and (.linux.memoryPolicy.modes | index("MPOL_BIND"))' <<<"$output"
	jq -e '.linux.seccomp | (.supportedFlags | index("SECCOMP_FILTER_FLAG_LOG"))
		and .supportedFlags - .knownFlags == []' <<<"$output"
	# since Linux 6.0
	[[ $(uname -r) == [1-5].* ]] ||
		jq -e '.linux.seccomp.supportedFlags | index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")' <<<"$output"
	expect 0 rt --version
	[[ ${lines[0]} == "holm-runtime version "* && ${lines[1]} == "spec: 1.3.0" ]]
	for word in -v -V; do
		expect 0 rt "$word"
		[[ ${lines[0]} == "holm-runtime version "* ]]
	done
}

@test "update changes limits of a running container, by options and by JSON" {
	args sleep 100
	bundle_edit '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 50}}'
	create
	expect 0 rt start "$ID"
	limits() {
		rt events --stats "$ID" | jq -c '[.type, .id, .data.memory.usage.limit, .data.pids.limit]'
	}
	[ "$(limits)" = "[\"stats\",\"$ID\",67108864,50]" ]
	expect 0 rt update --memory 128m --memory-swap -1 --pids-limit 77 "$ID"
	[ "$(limits)" = "[\"stats\",\"$ID\",134217728,77]" ]
	expect 0 rt update --resources - "$ID" <<<'{"pids": {"limit": 33}, "cpu": {"shares": 512}}'
	[ "$(limits)" = "[\"stats\",\"$ID\",134217728,33]" ]
	echo '{"memory": {"limit": 67108864}}' >"$BATS_TEST_TMPDIR/r.json"
	expect 0 rt update -r "$BATS_TEST_TMPDIR/r.json" "$ID"
	[ "$(limits)" = "[\"stats\",\"$ID\",67108864,33]" ]
	rt_refused 1 "--memory" update --memory lots "$ID"
	rt_refused 1 "limit: not a whole number" update -r - "$ID" <<<'{"pids": {"limit": "x"}}'
	[ "$(limits)" = "[\"stats\",\"$ID\",67108864,33]" ]
	# nothing at all is changed where resctrl is missing
	[ "$(stat -f -c %T /sys/fs/resctrl 2>/dev/null)" != resctrl ] || return 0
	rt_refused 1 "--l3-cache-schema: " update --l3-cache-schema L3:0=f --pids-limit 11 "$ID"
	rt_refused 1 "--mem-bw-schema: " update --mem-bw-schema MB:0=20 "$ID"
	output_has "no resctrl filesystem at /sys/fs/resctrl"
	[ "$(limits)" = "[\"stats\",\"$ID\",67108864,33]" ]
}

@test "events: a line at each interval, and one when memory ran out" {
	args sh -c 'while sleep 0.2; do :; done'
	bundle_edit '.linux.resources = {memory: {limit: 33554432, swap: 33554432}}'
	create
	expect 0 rt start "$ID"
	rt_spawn events --interval 100ms "$ID"
	events=$!
	within 5 grep -q '"stats"' "$BATS_TEST_TMPDIR/out"
	rt exec "$ID" sh -c 'tail /dev/zero' 3>&- || true
	within 10 grep -q '"type":"oom"' "$BATS_TEST_TMPDIR/out"
	rt kill "$ID" KILL || true # the kernel may have chosen its first process
	within 5 not kill -0 "$events"
	jq -es 'map(.id) | unique | length == 1' "$BATS_TEST_TMPDIR/out"
}

@test "hooks: all six, by create, start and delete, each with the state" {
	args sleep 100
	cat >"$BATS_TEST_TMPDIR/hook" <<-E
		#!/bin/sh
		{ echo "\$1 \$(cat)"; } >>"$BATS_TEST_TMPDIR/hooks"
	E
	chmod +x "$BATS_TEST_TMPDIR/hook"
	for kind in prestart createRuntime poststart poststop; do
		bundle_edit '.hooks[$kind] = [{path: $hook, args: ["hook", $kind]}]' \
			--arg kind $kind --arg hook "$BATS_TEST_TMPDIR/hook"
	done
	create
	expect 0 rt start "$ID"
	expect 0 rt delete --force "$ID"
	[ "$(sed 's/ .*//' "$BATS_TEST_TMPDIR/hooks" | tr '\n' ' ')" = "prestart createRuntime poststart poststop " ]
	sed 's/^[^ ]* //' "$BATS_TEST_TMPDIR/hooks" | jq -es --arg id "$ID" \
		'map(.status) == ["creating", "creating", "running", "stopped"] and all(.id == $id)'
	bundle_edit '.hooks = {poststart: [{path: "/bin/false"}]}'
	create
	rt_refused 1 "/bin/false" start "$ID"
	within 5 status_is stopped
	expect 0 rt delete "$ID"
}

@test "exec goes into a cgroup below the container's where it is asked to" {
	args sleep 100
	create
	expect 0 rt start "$ID"
	rt_refused 1 ".." exec --cgroup ../.. "$ID" true
}

@test "a device's fileMode may be its st_mode, with the type of the file, as podman writes it" {
	args stat -c %F:%a:%t:%T /dev/old
	bundle_edit '.linux.devices = [{path: "/dev/old", type: "c", major: 1, minor: 3, fileMode: 8624}]'
	expect 0 rt run --bundle "$BUNDLE" "$ID"
	output_is "character special file:660:1:3"
	bundle_edit '.linux.devices[0].fileMode = 25008' # a block device's
	rt_refused 1 "out of range" run --bundle "$BUNDLE" "$ID"
}

@test "root of a user namespace keeps the state of containers in XDG_RUNTIME_DIR" {
	mkdir xdg
	bundle_edit '.root.path = "nowhere"'
	XDG_RUNTIME_DIR=$PWD/xdg expect 1 unshare --user --map-root-user \
		holm-runtime create --bundle "$BUNDLE" "$ID"
	[ -d xdg/holm/runtime ]
	rm -r xdg/holm
	XDG_RUNTIME_DIR=$PWD/xdg expect 1 holm-runtime create --bundle "$BUNDLE" "$ID"
	[ ! -e xdg/holm ]
}

@test "SIGTERM ends a create and a run whose hook hangs, and nothing is left" {
	local kind word pid
	printf '%s\n' '#!/bin/sh' "echo \$\$ >'$BATS_TEST_TMPDIR/hook'" 'exec sleep 1000' >"$BATS_TEST_TMPDIR/hang"
	chmod 755 "$BATS_TEST_TMPDIR/hang"
	for kind in prestart createContainer; do
		bundle_edit 'del(.hooks) | .hooks[$k] = [{ path: $p }]' --arg k "$kind" --arg p "$BATS_TEST_TMPDIR/hang"
		for word in create run "run --detach"; do
			rm -f "$BATS_TEST_TMPDIR/hook"
			# shellcheck disable=SC2086
			holm-runtime --root "$RT_ROOT" $word --bundle "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
			pid=$!
			within 20 test -s "$BATS_TEST_TMPDIR/hook"
			kill -TERM "$pid"

			cat "$BATS_TEST_TMPDIR/said"
			! wait "$pid"
			grep -q "a signal came" "$BATS_TEST_TMPDIR/said"
			[ ! -e "$RT_ROOT/$ID" ]
			within 5 gone "$BATS_TEST_TMPDIR/hang"
		done
	done
}

gone() { # FILE
	! pgrep -f "$1"
}

@test "--debug tells each step, and where the time went" {
	local step
	args true
	bundle_edit '.hooks.prestart = [{ path: "/bin/true" }]'
	expect 0 rt run --bundle "$BUNDLE" "$ID"
	[ ! -s "$RT_LOG" ]
	expect 0 rt --debug run --bundle "$BUNDLE" "$ID"
	for step in "mount /proc: proc of proc" "cgroup /" "namespaces .*pid" "hook /bin/true: [0-9]+ us" \
		"process [0-9]+: started"; do
		jq -es --arg step "$step" 'any(.level == "debug" and (.msg | test($step)))' "$RT_LOG"
	done
}

@test "help is told however runc's and crun's callers ask" {
	for word in --help -h '-?' --usage help; do
		expect 0 rt "$word"
		[[ $output == "usage: holm-runtime [OPTIONS] COMMAND"* ]]
	done
	for word in --help -h '-?' --usage; do
		expect 0 rt create "$word"
		[[ $output == "usage: holm-runtime create [OPTIONS] ID"* ]]
	done
	expect 0 rt help kill
	[[ $output == "usage: holm-runtime kill "* ]]
	rt_refused 1 "did you mean 'kill'" help kil
}

@test "an ordinary user: the same life, in a user namespace that nobody had to ask for" {
	local user="setpriv --reuid 1000 --regid 1000 --clear-groups"
	install -d -o 1000 -g 1000 "$TMPDIR/user" "$TMPDIR/user/xdg"
	cp -r "$BUNDLE" "$TMPDIR/user/bundle"
	cp "$(command -v holm-runtime)" "$TMPDIR/user/holm-runtime"
	chown -R 1000:1000 "$TMPDIR/user"
	chmod 711 "$TMPDIR" "$TMPDIR/user"
	rt_user() {
		$user env XDG_RUNTIME_DIR="$TMPDIR/user/xdg" "$TMPDIR/user/holm-runtime" "$@"
	}
	cd "$TMPDIR/user/bundle"
	rm config.json
	rt_user spec --rootless
	jq '.process.terminal = false | .process.args = ["sh", "-c", "id -u; cat /proc/self/uid_map; exit 7"]' \
		config.json >new && mv new config.json
	expect 7 rt_user run c1
	[ "$(tr -s ' \n' ' ' <<<"$output")" = "0 0 1000 1 " ]
	jq 'del(.linux.uidMappings, .linux.gidMappings) | .process.args = ["sleep", "100"]
		| .linux.namespaces = [.linux.namespaces[] | select(.type != "user" and .type != "cgroup")]' \
		config.json >new && mv new config.json
	rt_user run --detach c2 </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&-
	expect 0 rt_user exec c2 id -u
	output_is 0
	expect 0 rt_user ps --format json c2
	jq -e 'length == 1' <<<"$output"
	expect 0 rt_user list -q
	output_is c2
	expect 0 rt_user delete --force c2
	cd /
	rm -r "${TMPDIR:?}/user"
}

@test "the log may be the journal or syslog, by the caller's name for it" {
	[ ! -e /dev/log ] && [ ! -e /run/systemd/journal/socket ] || skip "a journal of the host's is there"
	mount -t tmpfs holm-test /run
	mkdir -p /run/systemd/journal
	RT_LOG=journald:web expect 1 rt state "$ID"
	output_has "connect to /run/systemd/journal/socket"
	python3 -u - "$BATS_TEST_TMPDIR/journal" 3>&- <<-'E' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind("/run/systemd/journal/socket")
		open(sys.argv[1], "wb").write(s.recv(9999))
	E
	within 5 test -S /run/systemd/journal/socket
	RT_LOG=journald:web expect 1 rt state "$ID"
	wait $!
	umount /run
	[ "$(tr '\n' '|' <"$BATS_TEST_TMPDIR/journal")" = \
		"PRIORITY=3|SYSLOG_IDENTIFIER=web|MESSAGE=state $ID: container does not exist|" ]
}
