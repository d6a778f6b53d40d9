#!/usr/bin/env bats
# What a service manager gives to a service goes on to the container: NOTIFY_SOCKET and LISTEN_FDS.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
	MANAGER=$BATS_TEST_TMPDIR/manager
	export BUNDLE_STATE=$BATS_TEST_TMPDIR/state
	mkdir "$BUNDLE_STATE"
}

# A service manager: a line for each message, newlines as "|".
manager() { # SOCKET
	service python3 -u -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1].replace("@", "\0"))
print("bound")
while True: print(s.recv(9999).decode().replace("\n", "|"))' "$1"
	within 10 grep -q bound "$BATS_TEST_TMPDIR/service.0.log"
}

messages() {
	grep -v bound "$BATS_TEST_TMPDIR/service.0.log"
}

# Sends each argument as one message to $NOTIFY_SOCKET, from inside: there is no sd_notify in busybox.
sender() {
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
			for (int i = 1; i < argc; i++)
				if (sendto(fd, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&a, sizeof(a)) < 0)
					return 1;
			return 0;
		}
	C
	cc -static -o "$ROOTFS/bin/sender" "$BATS_TEST_TMPDIR/sender.c" || skip "no C compiler for static programs"
}

@test "READY=1 of the container reaches the service manager, with the container's pid" {
	sender
	manager "$MANAGER"
	bundle_edit '.process.user = { uid: 1000, gid: 1000 }'
	NOTIFY_SOCKET=$MANAGER expect 0 bundle sh -c \
		'echo $NOTIFY_SOCKET; sender STATUS=loading "MAINPID=1
FDSTORE=1" "READY=1
STATUS=it is up
MAINPID=77"; sleep 0.1'
	output_is /run/notify/notify.sock
	within 5 eval '[ "$(messages | wc -l)" = 2 ]'
	[ "$(messages | head -1)" = "STATUS=loading|" ]
	[[ $(messages | tail -1) =~ ^'READY=1|STATUS=it is up|MAINPID='[0-9]+$ ]]
	[ "${BASH_REMATCH[0]##*=}" != 77 ]
}

@test "a container that ends without being ready does not hold its runtime up" {
	manager "$MANAGER"
	NOTIFY_SOCKET=$MANAGER expect 3 bundle sh -c 'exit 3'
	[ -z "$(messages)" ]
}

@test "the service manager may listen at an abstract name; one that is not there is told of" {
	sender
	manager "@holm-test-$$"
	NOTIFY_SOCKET=@holm-test-$$ expect 0 bundle sender READY=1
	within 5 eval '[[ $(messages) == READY=1*MAINPID=* ]]'
	export NOTIFY_SOCKET=/does/not/exist
	bundle_refused 125 "NOTIFY_SOCKET: connect to /does/not/exist: No such file or directory" bundle true
}

# With config.json and passwd as the two descriptors; bats itself uses 3.
handed_over() { # COMMAND...
	"$@" 3<"$BUNDLE/config.json" 4</etc/passwd
}

@test "sockets of the service manager become those of the container, with its own pid" {
	export LISTEN_FDS=2 LISTEN_FDNAMES=config:users
	expect 0 handed_over bundle sh -c \
		'echo $LISTEN_FDS $LISTEN_FDNAMES; [ $LISTEN_PID = $$ ] && echo "its own"; ls /proc/self/fd | tr "\n" " "; head -c 1 <&3'
	output_is "2 config:users
its own
0 1 2 3 4 5 {"
	# with the host's PID namespace, too
	unset LISTEN_FDNAMES
	bundle_edit '.linux.namespaces |= map(select(.type != "pid"))'
	expect 0 handed_over bundle sh -c '[ $LISTEN_PID = $$ ] && [ $$ -gt 1 ] && echo own $LISTEN_FDNAMES'
	output_is own
}

@test "LISTEN_FDS that are another process's are left alone, ones that are not there refused" {
	LISTEN_FDS=1 LISTEN_PID=1 expect 0 bundle sh -c 'echo "[$LISTEN_FDS]"'
	output_is "[]"
	export LISTEN_FDS=500
	bundle_refused 125 "is not open" bundle true
	export LISTEN_FDS=many
	bundle_refused 125 "LISTEN_FDS: " bundle true
}
