#!/usr/bin/env bats
# Descriptors of the caller's for a container: the sockets of a service manager, --preserve-fds and
# --preserve-fd.
load holm

# bats itself uses 3.
two_files() { # COMMAND...
	"$@" 3</etc/passwd 4</etc/hostname
}

far_files() { # COMMAND...
	"$@" 3<&- 5</etc/passwd 17</etc/hostname
}

# Opens a socket that listens on 127.0.0.1 as descriptor 3, and becomes the command. Linux lets it wait
# for the server of the container with what comes meanwhile.
with_socket() { # PORT COMMAND...
	needs python3
	python3 -c '
import os, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.dup2(server.fileno(), 3)
os.execvp(sys.argv[2], sys.argv[2:])' "$@"
}

# A web server for descriptor 3, by the host's Python in a container.
web_server() {
	host_programs=(-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v "$PWD/server.py:/server.py:ro")
	cat >server.py <<-'P'
		import http.server, os, socket

		class Answer(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        self.send_response(200)
		        self.end_headers()
		        self.wfile.write(f"{os.uname().nodename} {os.listdir('/sys/class/net')}\n".encode())

		server = http.server.HTTPServer(("", 0), Answer, bind_and_activate=False)
		server.socket = socket.socket(fileno=3)
		server.serve_forever()
	P
	given server.py
}

answers() { # PORT TEXT
	[ "$(curl -sS -m 20 "http://127.0.0.1:$1/")" = "$2" ]
}

# Whose is the socket that listens on this port of the host? Commands, in order.
owners() { # PORT
	local hex inode link
	printf -v hex 0100007F:%04X "$1"
	inode=$(awk -v at="$hex" '$2 == at && $4 == "0A" { print $10 }' /proc/net/tcp)
	for link in /proc/[0-9]*/fd/*; do
		[ "$(readlink "$link")" != "socket:[$inode]" ] || cat "${link%/fd/*}/comm"
	done 2>/dev/null | sort | tr '\n' ' '
}

open_inside='ls /proc/self/fd | tr "\n" " "'

@test "a container has the caller's descriptors that are asked for, and no other" {
	# ls has one of its own
	expect 0 two_files holm run --rm busybox sh -c "$open_inside"
	output_is "0 1 2 3 "
	expect 0 two_files holm run --rm --preserve-fds 1 busybox sh -c "$open_inside; head -c 4 <&3"
	output_is "0 1 2 3 4 root"
	expect 0 two_files holm run --rm --preserve-fds 2 busybox sh -c "$open_inside; cat <&4"
	output_is "0 1 2 3 4 5 $(cat /etc/hostname)"
	expect 0 far_files holm run --rm --preserve-fd 17 --preserve-fd 5,17 busybox sh -c "$open_inside; head -c 4 <&5"
	output_is "0 1 17 2 3 5 root"
	expect 0 two_files holm run --rm --init=false --preserve-fds 2 busybox sh -c "$open_inside; cat <&4"
	output_is "0 1 2 3 4 5 $(cat /etc/hostname)"
	expect 0 two_files holm run --rm -t --preserve-fds 2 busybox sh -c 'head -c 4 <&3'
	output_is root
}

@test "the container's init keeps none of them" {
	expect 0 two_files holm run --rm --preserve-fds 2 busybox sh -c 'ls /proc/1/fd | tr "\n" " "'
	output_is "0 1 2 "
	# who writes to the end of this pipe ends it
	expect 0 sh -c '{ holm run --rm --preserve-fds 1 busybox sh -c "echo said >&3" 3>&1 >/dev/null; } | cat'
	output_is said
}

@test "sockets of a service manager are told with the pid of the command" {
	export LISTEN_FDS=2 LISTEN_FDNAMES=users:name
	tell='echo $LISTEN_FDS $LISTEN_FDNAMES; [ $LISTEN_PID = $$ ] && echo "its own"; cat <&4'
	for options in --init --init=false "--pid host" --restart=on-failure; do
		# shellcheck disable=SC2086
		expect 0 two_files holm run --name web $options busybox sh -c "$tell"
		output_is "2 users:name
its own
$(cat /etc/hostname)"
		holm rm web
	done
	# with others behind them, and each under its number
	unset LISTEN_FDNAMES
	LISTEN_FDS=1 expect 0 two_files holm run --rm --preserve-fds 2 busybox sh -c "env | grep -c ^LISTEN; $tell"
	output_is "2
1
its own
$(cat /etc/hostname)"
	# what is another process's is left alone
	LISTEN_PID=1 expect 0 two_files holm run --rm busybox sh -c "env | grep -c ^LISTEN; $open_inside"
	output_is "0
0 1 2 3 "
	# a variable of that name that somebody gave it stays as it is
	unset LISTEN_FDS
	expect 0 holm run --rm -e LISTEN_PID=7777777777 busybox sh -c 'echo $LISTEN_PID'
	output_is 7777777777
}

@test "what is not open, is holm's own or cannot be is refused, and nothing is made" {
	refused 125 "--preserve-fds 40: descriptor 5 is not open" two_files holm run --preserve-fds 40 busybox true
	refused 125 "--preserve-fd 3,9: descriptor 9 is not open" two_files holm run --preserve-fd 3,9 busybox true
	refused 125 "--preserve-fd 2: descriptor 2: 0 to 2 are the standard streams" holm run --preserve-fd 2 busybox true
	refused 125 "--preserve-fd 3,: " two_files holm run --preserve-fd 3, busybox true
	refused 125 "--preserve-fds 5000: descriptors 3 to 1026 can be kept" holm run --preserve-fds 5000 busybox true
	refused 125 "preserve-fds" holm run --preserve-fds -1 busybox true
	LISTEN_FDS=30 refused 125 "LISTEN_FDS: descriptor 5 is not open" two_files holm run busybox true
	LISTEN_FDS=many refused 125 "LISTEN_FDS: " holm run busybox true
	expect 0 holm ps -aq
	output_is ""
	holm create --name a busybox true
	holm create --name b busybox true
	refused 1 "only one container" two_files holm start --preserve-fds 1 a b
	refused 1 "do not go with --checkpoint" two_files holm start --preserve-fds 1 --checkpoint now a
	holm rm a b
}

@test "as many as the limit of descriptors allows, and an error that says so behind it" {
	expect 0 python3 -c '
import os, sys
for fd in range(3, 203):
    os.dup2(os.open("/etc/passwd", os.O_RDONLY), fd)
os.execvp("holm", ["holm", "run", "--rm", "--preserve-fds", "200", "busybox", "sh", "-c", "head -c 4 <&202"])'
	output_is root
	refused 125 "ulimit -n" bash -c 'ulimit -n 24; exec holm run --rm --network none --preserve-fds 2 --preserve-fd 17 busybox true \
		3</etc/passwd 4</etc/passwd 17</etc/passwd'
	expect 0 holm ps -aq
	output_is ""
}

@test "a server in a container without a network answers at a socket from outside, after restarts too" {
	web_server
	with_socket 8080 holm run -d --name web --network none --hostname inner --restart always \
		--preserve-fds 1 "${host_programs[@]}" busybox /usr/bin/python3 -u /server.py >/dev/null
	within 10 answers 8080 "inner ['lo']"
	[ "$(owners 8080)" = "holm-monitor python3 " ]
	holm update --restart on-failure web
	for _ in 1 2; do
		holm exec web killall -KILL python3
		# it waits in the socket's queue until the server is there again
		answers 8080 "inner ['lo']"
	done
	[ "$(holm inspect web --format '{{.RestartCount}}')" = 2 ]
	holm rm -f web
	within 5 not listens 8080
}

@test "a container that is started later gets what that start was given" {
	web_server
	holm create --name web --network none --hostname later "${host_programs[@]}" busybox \
		/usr/bin/python3 -u /server.py >/dev/null
	with_socket 8080 holm start --preserve-fds 1 web
	within 10 answers 8080 "later ['lo']"
	holm stop -t 0 web
	# the record knows of none
	holm create --name none busybox sh -c "$open_inside"
	two_files holm start --preserve-fds 2 none
	holm wait none
	expect 0 holm start -a none
	output_is "0 1 2 3 "
	holm rm web none
}

@test "systemd-socket-activate starts a container with the socket that it listens on" {
	needs systemd-socket-activate curl
	web_server
	service systemd-socket-activate -l 127.0.0.1:8080 --fdname=http env "PATH=$PATH" "HOME=$HOME" \
		"HOLM_ROOT=$HOLM_ROOT" "HOLM_RUN=$HOLM_RUN" "HOLM_LIBEXEC=${HOLM_LIBEXEC:-}" holm run --rm --name web \
		--network none --hostname asked "${host_programs[@]}" busybox sh -c \
		'echo "$LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID == $$))"; exec /usr/bin/python3 -u /server.py'
	within 10 listens 8080
	within 10 answers 8080 "asked ['lo']"
	expect 0 holm logs web
	[ "${lines[0]}" = "1 http 1" ]
	holm rm -f web
}

@test "exec gives its command what it was given itself, and nothing to others" {
	two_files holm run -d --name web --preserve-fds 2 busybox sleep 1000 >/dev/null
	expect 0 holm exec web sh -c "$open_inside" 3<&-
	output_is "0 1 2 3 "
	expect 0 far_files holm exec --preserve-fd 5,17 web sh -c "$open_inside; head -c 4 <&5"
	output_is "0 1 17 2 3 5 root"
	expect 0 two_files holm exec --preserve-fds 1 web sh -c "$open_inside; head -c 4 <&3"
	output_is "0 1 2 3 4 root"
	LISTEN_FDS=1 expect 0 two_files holm exec web sh -c 'echo $LISTEN_FDS $((LISTEN_PID == $$))'
	output_is "1 1"
	# the end of a pipe is the command's alone: it ends with that
	mkfifo end
	given end
	holm exec -d --preserve-fds 1 web sh -c 'echo said >&3; exec 3>&-; sleep 1000' 3>end &
	job=$!
	expect 0 timeout 20 cat end
	output_is said
	wait "$job"
	refused 1 "descriptor 3 is not open" bash -c 'exec 3<&-; holm exec --preserve-fds 1 web true'
	holm rm -f web
}
