#!/usr/bin/env bats
# move --live: a container that runs goes on at another root directory, by ssh.
load holm
load frozen
load criu
load move

setup() {
	needs_root "criu stores root's containers"
	holm_setup
	move_setup
}

teardown() {
	[ -z "${HOLM_TEST_USER:-}" ] || return 0
	move_teardown
	holm_teardown
	criu_teardown
}

# shellcheck disable=SC2034 # for counter
BEFORE='echo mine >/mine'

goes_on() { # HOLM NAME
	local last
	last=$("$1" logs "$2" | tail -n 1)
	within 10 counts "$1" "$2" $((last + 3))
}

begun_anew() { # HOLM NAME
	[ "$("$1" logs "$2" | grep -cx 1)" = 1 ]
}

nothing_there() {
	expect 0 there ps -aq
	output_is ""
	[ "$(frozen_layers "$OTHER/root")" = 0 ]
}

@test "what runs goes on there: its memory, its open file, what it wrote; and is gone here" {
	criu_that_can
	sshd_up
	counter web -m 64m --restart always
	expect 0 holm snapshot web s
	expect 0 holm exec web sh -c 'echo late >/late'
	expect 0 holm move --live "${SSH[@]}" web root@127.0.0.1
	refused 1 "no such container" holm inspect web
	[ "$(frozen_layers "$HOLM_ROOT")" = 0 ]
	goes_on there web
	[ "$(there logs web | head -n 1)" -gt 3 ]
	expect 0 there exec web sh -c 'cat /mine /late; grep -cx 1 /count; tail -n 1 /count'
	[ "${lines[0]}${lines[1]}${lines[2]}" = minelate1 ]
	[ "${lines[3]}" -ge "$(there logs web | head -n 1)" ]
	expect 0 there inspect -f '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}' web
	output_is "67108864 always"
	expect 0 there snapshot ls -q web
	output_is s
	# it is a container as any: its end is seen, and it can be started again
	expect 0 there stop -t 0 web
	expect 0 there start web
	within 10 begun_anew there web
	# and back again
	goes_on there web
}

slow_at() { # WORD SECONDS - a criu for the other side that waits before it does WORD
	mkdir -p slow
	cat >slow/criu <<-E
		#!/bin/sh
		case \$1 in $1) touch $PWD/slow/asked; sleep $2;; esac
		exec $(command -v criu) "\$@"
	E
	chmod +x slow/criu
	given_path=$PWD/slow:$PATH
	SSH[-1]=${SSH[-1]/PATH=$PATH/PATH=$given_path}
}

@test "what fails there lets it run on here, and leaves nothing there" {
	criu_that_can
	sshd_up
	counter web
	expect 0 there run --name web busybox true
	expect 1 holm move --live "${SSH[@]}" web root@127.0.0.1
	output_has "the name 'web' is taken"
	goes_on holm web
	expect 0 there rm web
	# no criu there
	mkdir none
	local bare=("${SSH[@]}")
	bare[-1]=${SSH[-1]/PATH=$PATH/PATH=$PWD/none}
	expect 1 holm move --live "${bare[@]}" web root@127.0.0.1
	output_has "there is no criu here"
	goes_on holm web
	nothing_there
	# its network is not there
	expect 0 holm network create own
	counter net --network own
	expect 1 holm move --live "${SSH[@]}" net root@127.0.0.1
	output_has "network"
	goes_on holm net
	nothing_there
	expect 1 holm move --live -o Port=2 "${SSH[@]}" web root@127.0.0.1
	output_has "ended with status 255"
	goes_on holm web
	expect 0 ls -A "$HOLM_ROOT/containers/$(holm inspect -f '{{.Id}}' web)/checkpoints"
	output_is ""
}

@test "what cannot be moved while it runs is refused before anything is sent" {
	criu_that_can
	SSH=(--remote-command false)
	box still
	refused 1 "container still is not running" holm move --live "${SSH[@]}" still root@127.0.0.1
	expect 0 holm run -d --name vol -v data:/data busybox sleep 60
	refused 1 "its volumes are not sent" holm move --live "${SSH[@]}" vol root@127.0.0.1
	expect 0 holm run -d --name rm --rm busybox sleep 60
	refused 1 "it goes when it ends" holm move --live "${SSH[@]}" rm root@127.0.0.1
	expect 0 holm run -d --name sees --view limits busybox sleep 60
	refused 1 "sees its limits" holm move --live "${SSH[@]}" sees root@127.0.0.1
	refused 1 "give --live" holm move "${SSH[@]}" sees root@127.0.0.1
}

settled() { # nobody is at work there any more
	[ -z "$(pgrep -f "holm receive --answer")" ] &&
		[ -z "$(pgrep -f "^holm-monitor run $OTHER")" ] &&
		[ -z "$(there ps -aq)" ]
}

# While criu makes it there: who is killed?
killed_meanwhile() { # PATTERN
	counter "$1"
	slow_at swrk 2
	rm -f slow/asked
	holm move --live "${SSH[@]}" "$1" root@127.0.0.1 3>&- &
	mover=$!
	within 20 test -e slow/asked
	pkill -9 -f "$2"
	! wait "$mover"
	goes_on holm "$1"
	within 10 settled
	expect 0 there gc
	nothing_there
	expect 0 holm stop -t 0 "$1"
}

@test "kill -9 of this side, of the other, of ssh between them: it runs on here, and nowhere else" {
	criu_that_can
	sshd_up
	killed_meanwhile one "^holm move --live"
	killed_meanwhile two "holm receive --answer"
	killed_meanwhile three "^ssh -T"
	killed_meanwhile four "^holm-monitor run $OTHER"
}

@test "an error of ssh when all is done: it has ended here, and nothing is lost" {
	criu_that_can
	sshd_up
	counter web
	# what could have come to the other side, or not
	printf '#!/bin/sh\n%s "$@"\nexit 3\n' "$(command -v holm)" >odd
	chmod +x odd
	local odd=("${SSH[@]}")
	odd[-1]="${SSH[-1]% *} $PWD/odd"
	expect 1 holm move --live "${odd[@]}" web root@127.0.0.1
	output_has "when container web was to go on there"
	goes_on there web
	expect 0 holm ps -a --format '{{.State}}'
	output_is exited
	expect 0 holm checkpoint ls -q web
	output_is moved
	expect 0 there rm -f web
	expect 0 holm start --checkpoint moved web
	goes_on holm web
	refused 1 "there is a checkpoint moved already" holm move --live "${SSH[@]}" web root@127.0.0.1
	expect 0 holm checkpoint rm web moved
	expect 0 holm move --live "${SSH[@]}" web root@127.0.0.1
	goes_on there web
}

runs_at() { # HOLM
	[ -n "$("$1" ps -q --filter name=web)" ]
}

@test "holm that is killed at any moment leaves it running at one place, or stopped with its checkpoint" {
	criu_that_can
	sshd_up
	counter web
	for delay in 0.3 0.6 0.8 0.9 1.0 1.1 1.2 1.4; do
		holm move --live "${SSH[@]}" web root@127.0.0.1 3>&- &
		mover=$!
		sleep "$delay"
		kill -9 "$mover" || true
		wait "$mover" || true
		within 20 quiet
		if runs_at there; then
			! runs_at holm
			goes_on there web
			expect 0 there rm -f web
			holm rm -f web || true
			counter web
		elif ! runs_at holm; then
			expect 0 holm start --checkpoint moved web
		fi
		goes_on holm web
		holm checkpoint rm web moved || true
	done
}

quiet() {
	[ -z "$(pgrep -f "holm receive --answer")" ] && [ -z "$(pgrep -f "criu swrk")" ]
}

@test "killed at its abort points: it runs here, or has ended here with its checkpoint, and is nowhere else" {
	needs_abort_points
	criu_that_can
	sshd_up
	counter web
	local there_killed=("${SSH[@]}")
	there_killed[-1]=${SSH[-1]/env /env HOLM_FAULT=receive.running }
	# it has said that it runs, and has not heard that it is its own
	expect 1 holm move --live "${there_killed[@]}" web root@127.0.0.1
	within 20 settled
	expect 0 holm start --checkpoint moved web
	goes_on holm web
	expect 0 holm checkpoint rm web moved
	for point in live.stored live.named live.ended; do
		HOLM_FAULT=$point run holm move --live "${SSH[@]}" web root@127.0.0.1
		[ "$status" = 137 ]
		within 20 settled
		if [ $point = live.ended ]; then
			within 20 sh -c '[ "$(holm ps -a --format "{{.State}}")" = exited ]'
			expect 0 holm start --checkpoint moved web
		fi
		goes_on holm web
		[ $point = live.stored ] || expect 0 holm checkpoint rm web moved
	done
	expect 0 there gc
	nothing_there
}
