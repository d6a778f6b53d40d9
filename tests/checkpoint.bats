# Containers stored in files and made again, by criu.
# shellcheck disable=SC2154

load holm
load runtime/bundle
load runtime/oci
load criu

setup() {
	oci_setup
	IMAGES=$BATS_TEST_TMPDIR/images
}

teardown() {
	criu_teardown
	oci_teardown
}

# A counter that writes to a pipe, which ends in $OUT.
counter_start() {
	criu_that_can
	OUT=$BATS_TEST_TMPDIR/out
	bundle_edit '.process.args = ["sh", "-c", "i=0; while sleep 0.1; do i=$((i + 1)); echo $i; done"]
		| del(.annotations["org.holm.seccomp"])
		| .mounts = [.mounts[] | select(.type != "mqueue")]'
	: >"$OUT"
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null > >(cat >>"$OUT") 2>&1 3>&-
	within 20 counts 3
}

counts() { # AT_LEAST
	[ "$(tail -n 1 "$OUT")" -ge "$1" ]
}

checkpoint() { # ARGUMENT...
	run rt checkpoint --image-path "$IMAGES" "$@" "$ID"
	echo "$output"
	[ "$status" = 0 ] || { cat "$IMAGES/dump.log" || true; return 1; }
}

@test "checkpoint and restore: the counter goes on where it was" {
	counter_start
	checkpoint
	[ -z "$(rt list -q)" ]
	before=$(tail -n 1 "$OUT")
	rt restore --detach --image-path "$IMAGES" --bundle "$BUNDLE" \
		--pid-file "$BATS_TEST_TMPDIR/pid" "$ID" </dev/null > >(cat >>"$OUT") 2>&1 3>&- ||
		{ cat "$IMAGES/restore.log"; return 1; }
	[ "$(rt state "$ID" | jq -r .status)" = running ]
	[ "$(rt state "$ID" | jq .pid)" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
	within 20 counts $((before + 3))
	[ "$(grep -c '^1$' "$OUT")" = 1 ]
	expect 0 rt exec "$ID" true
	expect 0 rt delete --force "$ID"
}

# Takes the terminals that are sent to $CONSOLE, one after the other, and writes what they show to $OUT.
console_start() {
	needs python3
	CONSOLE=$BATS_TEST_TMPDIR/console
	OUT=$BATS_TEST_TMPDIR/out
	: >"$OUT"
	service python3 -c '
import os, socket, sys, threading
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
def show(fd):
    with open(sys.argv[2], "ab", 0) as out:
        try:
            while text := os.read(fd, 4096):
                out.write(text)
        except OSError:
            pass
while True:
    c, _ = s.accept()
    threading.Thread(target=show, args=(socket.recv_fds(c, 4096, 1)[1][0],), daemon=True).start()
' "$CONSOLE" "$OUT"
	within 20 test -S "$CONSOLE"
}

counts_on_terminal() { # AT_LEAST
	[ "$(tr -d '\r' <"$OUT" | sed -n 's/^count //p' | tail -n 1)" -ge "$1" ]
}

counter_on_terminal() {
	console_start
	bundle_edit '.process.args = ["sh", "-c", "tty; i=0; while sleep 0.1; do i=$((i + 1)); echo count $i; done"]
		| .process.terminal = true
		| del(.annotations["org.holm.seccomp"])
		| .mounts = [.mounts[] | select(.type != "mqueue")]'
	rt run --detach --console-socket "$CONSOLE" --bundle "$BUNDLE" "$ID" </dev/null 3>&-
	within 20 counts_on_terminal 3
}

@test "what criu is asked as a service, and the terminal that it hands over" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "$BATS_TEST_DIRNAME/runtime/fake_criu.py" "$BATS_TEST_TMPDIR/bin/criu"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH FAKE_CRIU_ASKED=$BATS_TEST_TMPDIR/asked
	bundle_edit '.mounts += [{ destination: "/data", type: "bind", source: $data, options: ["bind"] }]' \
		--arg data "$BATS_TEST_TMPDIR"
	counter_on_terminal
	FAKE_CRIU_FAILS=1 expect 1 rt checkpoint --image-path "$IMAGES" "$ID"
	output_has "criu dump failed: see $IMAGES/dump.log"
	FAKE_CRIU_FAILS=1 FAKE_CRIU_LOG=$IMAGES/dump.log expect 1 rt checkpoint --image-path "$IMAGES" "$ID"
	output_has "criu dump failed: Can't get 1:16 opt: Operation not supported ($IMAGES/dump.log)"
	output_has "criu 4.1 and earlier cannot store sockets of the network on Linux 6.16"
	pid=$(rt state "$ID" | jq .pid)
	expect 0 rt checkpoint --image-path "$IMAGES" --tcp-established --manage-cgroups-mode full "$ID"
	[ -z "$(rt list -q)" ]
	# criu_opts of images/rpc.proto: pid, tcp_established, log_file, modes of cgroups, external, terminal
	local asked
	for asked in "2 $pid" "5 1" "10 dump.log" "34 4" "37 mnt[/data]:/data" "50 1"; do
		grep -qxF "$asked" "$FAKE_CRIU_ASKED"
	done
	: >"$OUT"
	expect 0 rt restore --detach --console-socket "$CONSOLE" --image-path "$IMAGES" --bundle "$BUNDLE" "$ID"
	for asked in "10 restore.log" "13 $RT_ROOT/$ID/root" "26 1" "34 3" "37 mnt[/data]:$BATS_TEST_TMPDIR" "50 1"; do
		grep -qxF "$asked" "$FAKE_CRIU_ASKED"
	done
	within 20 counts_on_terminal 3
	[ "$(rt state "$ID" | jq -r .status)" = running ]
	rt delete --force "$ID"
}

@test "checkpoint and restore of a container with a terminal: it goes on, on a new one" {
	criu_that_can
	counter_on_terminal
	checkpoint
	[ -z "$(rt list -q)" ]
	before=$(tr -d '\r' <"$OUT" | sed -n 's/^count //p' | tail -n 1)
	expect 1 rt restore --detach --image-path "$IMAGES" --bundle "$BUNDLE" "$ID"
	output_has "without setting console socket"
	rt restore --detach --console-socket "$CONSOLE" --image-path "$IMAGES" --bundle "$BUNDLE" "$ID" </dev/null 3>&- ||
		{ tail -n 40 "$IMAGES/restore.log"; return 1; }
	within 20 counts_on_terminal $((before + 3))
	[ "$(grep -c '/dev/pts/0' "$OUT")" = 1 ]
	expect 0 rt exec "$ID" sh -c 'test -t 0 </proc/1/fd/0'
	expect 0 rt delete --force "$ID"
}

@test "the mount for a service's readiness is restored where it was stored, and nowhere else" {
	counter_start
	checkpoint
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/manager rt restore --detach --image-path "$IMAGES" --bundle "$BUNDLE" "$ID" \
		</dev/null > >(cat >>"$OUT") 2>&1 3>&- || { cat "$IMAGES/restore.log"; return 1; }
	expect 1 rt exec "$ID" grep /run/notify /proc/self/mountinfo
	rt delete --force "$ID"
	rm -r "$IMAGES"
	# one that is a service's: create adds what the bundle does not have
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/manager rt create --bundle "$BUNDLE" "$ID" </dev/null > >(cat >>"$OUT") 2>&1 3>&-
	rt start "$ID"
	within 20 counts 3
	checkpoint
	rt restore --detach --image-path "$IMAGES" --bundle "$BUNDLE" "$ID" </dev/null > >(cat >>"$OUT") 2>&1 3>&- ||
		{ cat "$IMAGES/restore.log"; return 1; }
	expect 0 rt exec "$ID" grep /run/notify /proc/self/mountinfo
}

@test "what every container of holm has is stored, too: its seccomp filter and /dev/mqueue" {
	criu_that_can
	bundle_edit '.process.args = ["sh", "-c", "while sleep 0.1; do :; done"]'
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	within 20 rt exec "$ID" grep -q '^Seccomp:.*2' /proc/1/status
	checkpoint
	rt restore --detach --image-path "$IMAGES" --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- ||
		{ cat "$IMAGES/restore.log"; return 1; }
	expect 0 rt exec "$ID" sh -c 'grep "^Seccomp:.*2" /proc/1/status && grep " /dev/mqueue " /proc/1/mountinfo'
	expect 0 rt delete --force "$ID"
}

@test "checkpoint --leave-running leaves it running" {
	counter_start
	checkpoint --leave-running
	before=$(tail -n 1 "$OUT")
	within 20 counts $((before + 3))
	[ "$(rt state "$ID" | jq -r .status)" = running ]
	[ -e "$IMAGES/descriptors.json" ]
}

# To fetch them is left out: criu 4.1 fails at the first page (page-pipe: splice).
@test "lazy pages: criu waits at the port for whoever fetches them" {
	counter_start
	local port=9876 dump before
	holm-runtime --root "$RT_ROOT" checkpoint --image-path "$IMAGES" --lazy-pages \
		--page-server "127.0.0.1:$port" "$ID" >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
	dump=$!
	within 20 listens "$port" || { cat "$BATS_TEST_TMPDIR/said"; return 1; }
	before=$(tail -n 1 "$OUT")
	bash -c "echo >'/dev/tcp/127.0.0.1/$port'" # and goes
	not wait "$dump"
	cat "$BATS_TEST_TMPDIR/said"
	grep -q "Starting lazy pages server" "$IMAGES/dump.log"
	within 20 counts $((before + 3))
	[ "$(rt state "$ID" | jq -r .status)" = running ]
}

listens() { # PORT
	ss -Hltn "sport = :$1" | grep -q .
}

@test "what cannot be stored is told" {
	criu_that_can
	expect 1 rt checkpoint "$ID"
	output_has "container does not exist"
	expect 1 rt restore --image-path "$BATS_TEST_TMPDIR/nowhere" --bundle "$BUNDLE" "$ID"
	[[ $stderr == *"does not know Linux"* || $stderr == *"$BATS_TEST_TMPDIR/nowhere"* ]]
	[ -z "$(rt list -q)" ]
	[ ! -e "$RT_ROOT/$ID" ]
}

@test "options that cannot be right are told before anything is stored" {
	bundle_edit '.process.args = ["sleep", "60"]'
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	expect 1 rt checkpoint --image-path "$BATS_TEST_TMPDIR/images" --page-server 10.0.0.1 "$ID"
	output_has "--page-server 10.0.0.1 is not ADDRESS:PORT"
	[ ! -e "$BATS_TEST_TMPDIR/images" ]
}

@test "without criu: one line that says so" {
	bundle_edit '.process.args = ["sleep", "60"]'
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	mkdir "$BATS_TEST_TMPDIR/empty"
	expect 1 env PATH="$BATS_TEST_TMPDIR/empty" "$(command -v holm-runtime)" --root "$RT_ROOT" checkpoint "$ID"
	output_has "there is no criu here"
}
