# holm-runtime as a service: readiness and sockets of the service manager, by create and start and by run.
# shellcheck disable=SC2154

load holm
load runtime/bundle
load runtime/oci

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	oci_setup
	MANAGER=$BATS_TEST_TMPDIR/manager
	cat >"$BATS_TEST_TMPDIR/sender.c" <<-'C'
		#include <stdlib.h>
		#include <string.h>
		#include <sys/socket.h>
		#include <sys/un.h>
		int main(int argc, char **argv)
		{
			struct sockaddr_un a = { .sun_family = AF_UNIX };
			int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
			strcpy(a.sun_path, getenv("NOTIFY_SOCKET"));
			return sendto(fd, argv[1], strlen(argv[1]), 0, (struct sockaddr *)&a, sizeof(a)) < 0;
		}
	C
	cc -static -o "$ROOTFS/bin/sender" "$BATS_TEST_TMPDIR/sender.c" ||
		skip "no C compiler for static programs"
	service python3 -u -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
print("bound")
while True: print(s.recv(9999).decode().replace("\n", "|"))' "$MANAGER"
	within 10 grep -q bound "$BATS_TEST_TMPDIR/service.0.log"
}

@test "start returns once the container said that it is ready, whose pid goes along" {
	bundle_edit '.process.args = ["sh", "-c", "sender STATUS=loading; sleep 0.3; sender READY=1; exec sleep 100"]'
	export NOTIFY_SOCKET=$MANAGER
	rt create --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" c1 </dev/null >/dev/null 2>&1 3>&-
	expect 0 rt start c1
	grep -q "^READY=1|MAINPID=$(cat "$BATS_TEST_TMPDIR/pid")" "$BATS_TEST_TMPDIR/service.0.log"
	grep -q STATUS=loading "$BATS_TEST_TMPDIR/service.0.log"
	expect 0 rt exec c1 sh -c 'echo "socket:$NOTIFY_SOCKET"'
	output_is socket:
	expect 0 rt delete --force c1
	[ ! -e "$RT_ROOT/c1" ]
}

@test "run hands on all the time; MAINPID is its own" {
	bundle_edit '.process.args = ["sh", "-c", "sender READY=1; sleep 0.2; sender STATUS=later; sleep 0.2"]'
	NOTIFY_SOCKET=$MANAGER holm-runtime --root "$RT_ROOT" run --bundle "$BUNDLE" c2 </dev/null >/dev/null 2>&1 3>&- &
	pid=$!
	wait $pid
	grep -q "^READY=1|MAINPID=$pid" "$BATS_TEST_TMPDIR/service.0.log"
	grep -q STATUS=later "$BATS_TEST_TMPDIR/service.0.log"
}

@test "sockets of the service manager come first, then the preserved descriptors" {
	bundle_edit '.process.args = ["sh", "-c", "echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; cat <&3; cat <&4"]'
	echo first >"$BATS_TEST_TMPDIR/first"
	echo second >"$BATS_TEST_TMPDIR/second"
	LISTEN_FDS=1 LISTEN_FDNAMES=web rt run --preserve-fds 1 --bundle "$BUNDLE" c3 \
		>"$BATS_TEST_TMPDIR/out" 3<"$BATS_TEST_TMPDIR/first" 4<"$BATS_TEST_TMPDIR/second"
	[ "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/out")" = "1 1 web first second " ]
}

@test "--cgroup-manager disabled makes none, and refuses limits" {
	bundle_edit 'del(.linux.resources) | .process.args = ["cat", "/proc/self/cgroup"]'
	expect 0 rt --cgroup-manager disabled run --bundle "$BUNDLE" c4
	[[ $output != *c4* ]]
	bundle_edit '.linux.resources = {pids: {limit: 10}}'
	expect 1 rt --cgroup-manager disabled run --bundle "$BUNDLE" c4
	output_has "cgroups are disabled"
	[ ! -e "$RT_ROOT/c4" ]
}
