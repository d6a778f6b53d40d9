#!/usr/bin/env bats
# A person at a terminal: raw mode, size, keys, detaching and coming back.
load holm

# tests/terminal.py SCRIPT drives holm on a pseudo-terminal; a script is lines of
#	spawn ARG...   send TEXT   expect TEXT   resize ROWS COLUMNS   raw|cooked   status N
terminal() {
	expect 0 timeout "$(seconds 60)" python3 "$BATS_TEST_DIRNAME/terminal.py" "$1"
}

@test "a shell in a terminal: size, resize, ctrl-c, exit status" {
	terminal '
		spawn run --rm -it --name sh busybox sh
		expect # 
		raw
		send stty size\n
		expect 24 80
		resize 40 100
		send stty size\n
		expect 40 100
		send tty\n
		expect /dev/pts/0
		send sleep 1000\n
		send \x03
		expect # 
		send exit 7\n
		status 7
		cooked'
}

@test "ctrl-p ctrl-q leaves it running, attach comes back" {
	terminal '
		spawn run -it --name sh busybox sh
		expect # 
		send \x10\x11
		expect holm attach sh
		status 0
		cooked
		spawn attach sh
		send echo aga""in\n
		expect again
		send \x10x\x03
		send exit 5\n
		status 5
		cooked
		spawn start -ai sh
		expect # 
		send exit 6\n
		status 6
		cooked'
	holm rm sh
}

@test "other detach keys, and none" {
	terminal '
		spawn run -it --detach-keys ctrl-a,d --name sh busybox sh
		expect # 
		send \x01d
		expect holm attach sh
		status 0
		spawn attach --detach-keys  sh
		send \x10\x11
		send exit 4\n
		status 4
		cooked'
	holm rm sh
}

@test "exec -it has a terminal, too" {
	holm run -d --name web busybox sleep 1000 >/dev/null
	terminal '
		spawn exec -it web sh
		expect # 
		raw
		resize 50 90
		send stty size\n
		expect 50 90
		send exit 9\n
		status 9
		cooked'
	holm rm -f web
}

@test "the terminal is restored when holm is ended by a signal or the container is killed" {
	terminal '
		spawn run -it --rm --name sh busybox sleep 1000
		raw
		signal TERM
		status 143
		cooked
		spawn run -it --rm --name sh busybox sleep 1000
		raw
		holm kill sh
		status 137
		cooked'
}

@test "two are attached to one terminal" {
	holm run -dit --name sh busybox sh >/dev/null
	terminal '
		spawn attach sh
		send echo o""ne\n
		expect one
		second attach sh
		send echo t""wo\n
		expect two
		expect-second two
		send exit\n
		status 0
		status-second 0'
	holm rm sh
}

@test "without -t signals are passed on" {
	holm run --rm --name web --no-init busybox sh -c 'trap "echo got; exit 3" INT; echo up; while :; do sleep 0.1; done' >out &
	local pid=$!
	within 5 grep -q up out
	kill -INT $pid
	wait $pid && status=0 || status=$?
	[ "$status" = 3 ]
	grep -q got out
}
