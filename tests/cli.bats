#!/usr/bin/env bats
# The command line: help, spelling, errors and exit statuses.
load holm

@test "help lists the commands and each command shows its options" {
	expect 0 holm
	output_has "Usage: holm [OPTIONS] COMMAND"
	output_has "  run "
	expect 0 holm --help
	output_has "  ps "
	expect 0 holm help run
	output_has "--detach"
	expect 0 holm run --help
	output_has "  -m, --memory SIZE"
	expect 0 holm image --help
	output_has "  ls "
	expect 0 holm image
	output_has "  prune "
	expect 0 holm image ls --help
	output_has "--digests"
	for command in create start stop restart kill rm ps logs exec attach wait inspect pause \
		unpause pull images tag rmi load save import version info doctor 'volume ls' \
		'volume create' 'volume rm' 'volume inspect' 'volume prune' 'image prune'; do
		# shellcheck disable=SC2086
		expect 0 holm $command --help
		output_has "Usage: holm $command"
	done
}

@test "a wrong command or option is named, with the nearest one" {
	refused 1 "unknown command 'stpo'" holm stpo
	output_has "did you mean 'holm stop'?"
	refused 1 "unknown command 'image lss'" holm image lss
	output_has "did you mean 'holm image ls'?"
	refused 125 "unknown option --nmae" holm run --nmae web busybox
	output_has "did you mean --name?"
	refused 125 "unknown option -Z" holm run -Z busybox
	refused 125 "unknown option --bogus" holm --bogus ps
	refused 125 "--name needs a value" holm run --name
	refused 125 "neither true nor false" holm run --detach=maybe busybox
}

@test "arguments are counted" {
	refused 125 "needs at least 1 argument" holm run
	refused 1 "needs at least 2 arguments" holm exec web
	refused 1 "takes no arguments" holm ps web
	refused 1 "takes exactly 1 argument" holm logs a b
	refused 1 "takes exactly 2 arguments" holm tag a
}

@test "ten clumsy and hostile command lines change nothing" {
	refused 125 "" holm run --memory lots busybox true
	refused 125 "" holm run --cpus -1 busybox true
	refused 125 "" holm run -v relative/../path:/x:zz busybox true
	refused 125 "" holm run --name ../x busybox true
	refused 125 "" holm run --name "$(printf 'a%.0s' $(seq 300))" busybox true
	refused 125 "" holm run -u 4294967296 busybox true
	refused 125 "" holm run --network nosuch busybox true
	refused 125 "" holm run --pid container:nosuch busybox true
	refused 125 "" holm run --cap-add CAP_NONSENSE busybox true
	refused 125 "" holm run --stop-signal SIGNONE busybox true
	refused 125 "" holm run --env-file /nonexistent busybox true
	refused 125 "" holm run --restart sometimes busybox true
	refused 125 "" holm run --rm --restart always busybox true
	refused 125 "" holm run "" true
	refused 125 "" holm run 'Busy Box' true
	refused 125 "" holm run -it busybox sh </dev/null
	refused 125 "" holm run --detach-keys alt-x -d busybox true
	refused 125 "" holm run -d -a stdout busybox true
	refused 1 "" holm rm ../../etc
	refused 1 "the container's name or id is empty" holm stop ""
	refused 1 "the container's name or id is empty" holm logs /
	refused 1 "" holm rm $'a\nb'
	refused 1 "" holm volume rm ../x
	refused 1 "" holm --root /proc/nowhere ps
	expect 0 holm ps -aq
	output_is ""
}

@test "exit statuses are the container's, and 125, 126 and 127 are holm's" {
	expect 0 holm run --rm busybox true
	expect 1 holm run --rm busybox false
	expect 42 holm run --rm busybox sh -c 'exit 42'
	expect 137 holm run --rm busybox sh -c 'kill -KILL $$'
	expect 143 holm run --rm busybox sh -c 'kill -TERM $$'
	refused 127 "nosuch" holm run --rm busybox nosuch
	refused 127 "/no/such" holm run --rm busybox /no/such
	refused 126 "/etc" holm run --rm busybox /etc
	refused 126 "/etc/passwd" holm run --rm busybox /etc/passwd
	refused 1 "no such container" holm start nosuch
}

@test "all that stands behind the image belongs to the container" {
	expect 0 holm run --rm busybox echo --name -d -- --help
	output_is "--name -d -- --help"
	expect 0 holm run --rm -- busybox echo x
	output_is "x"
	expect 0 holm run --rm -e A=1 -eB=2 --env=C=3 busybox sh -c 'echo $A$B$C'
	output_is "123"
	A=from-here expect 0 holm run --rm -e A busybox sh -c 'echo $A'
	output_is "from-here"
}

@test "input and output pass through unchanged, in any amount" {
	expect 0 bash -c 'echo x | holm run --rm -i busybox cat'
	output_is "x"
	expect 0 bash -c 'head -c 20000000 /dev/urandom | tee sent | holm run --rm --log-driver none -i busybox cat >got; cmp got sent'
	expect 0 bash -c 'holm run --rm --log-driver none busybox sh -c "head -c 104857600 /dev/zero" | wc -c'
	output_is 104857600
	expect 0 bash -c 'holm run --rm busybox sh -c "echo out; echo err >&2" 2>/dev/null'
	output_is out
	expect 0 bash -c 'holm run --rm busybox sh -c "echo out; echo err >&2" 2>&1 >/dev/null'
	output_is err
	expect 0 holm run --rm busybox cat
	output_is ""
}

@test "a reader that goes away ends the container as it would end a program" {
	expect 0 bash -c 'timeout 20 holm run --rm busybox yes | head -n 2'
	output_is $'y\ny'
	expect 0 bash -c 'set -o pipefail; timeout 20 holm run --rm busybox sh -c "exec yes" | head -n 1; echo "${PIPESTATUS[0]}"'
	output_is $'y\n141'
}

@test "a full disk behind the output is an error" {
	expect 1 bash -c 'holm version >/dev/full'
	output_has "No space left on device"
	expect 1 bash -c 'holm ps >/dev/full'
	expect 125 bash -c 'holm run --rm busybox echo hi >/dev/full'
	output_has "print what the container wrote: No space left on device"
	expect 125 bash -c 'timeout 20 holm run --rm busybox yes >/dev/full'
	expect 3 bash -c 'holm run --rm busybox sh -c "echo hi; exit 3" >/dev/full'
}

@test "streams that the caller has closed stay closed: no other file gets their numbers" {
	refused 1 "standard input: read: Bad file descriptor" bash -c 'holm import - <&-'
	expect 1 bash -c 'holm ps >&-'
	output_has "Bad file descriptor"
	expect 1 bash -c 'holm start nosuch >&- 2>&-'
	expect 0 bash -c 'holm run --rm -i busybox cat <&-'
	expect 0 bash -c 'holm run --rm --name quiet busybox true <&- >&- 2>&-'
	expect 125 bash -c 'holm run --rm busybox echo x <&- >&- 2>&-'
	expect 0 bash -c 'id=$(holm create busybox echo x); holm start "$id" <&- >&- 2>&- || true; holm wait "$id"'
}

@test "global options stand in front of the command" {
	expect 0 holm --root "$BATS_TEST_TMPDIR/other" --run "$HOLM_RUN/other" info -f '{{.DockerRootDir}}'
	output_is "$BATS_TEST_TMPDIR/other"
	expect 0 holm -v
	output_has "holm version"
	expect 0 holm --debug version
	refused 125 "--log-level: 'loud'" holm --log-level loud version
}

@test "info, version and doctor answer as text, JSON and by template" {
	expect 0 holm version --format '{{.Client.Version}}'
	expect 0 bash -c "holm info --format json | jq -e '.Containers == 0 and .Driver == \"overlay2\"'"
	expect 0 holm info
	output_has "Storage driver: overlay"
	run holm doctor
	output_has "overlayfs"
	expect 0 bash -c "holm doctor --format json | jq -se 'map(.Name) | index(\"cgroups\") != null'"
}

@test "completion offers commands, options, values and live names" {
	expect 0 holm __complete -- st
	output_has "start"
	expect 0 holm __complete -- run --memory-s
	output_has "--memory-swap"
	expect 0 holm __complete -- run --pull ''
	output_is $'always\nmissing\nnever'
	holm create --name a-name busybox true
	expect 0 holm __complete -- rm a-
	output_is "a-name"
	expect 0 holm __complete -- run busy
	output_has "busybox"
	expect 0 holm __complete -- run --env-file ''
	output_is ":files"
	expect 0 bash -c '. "$1"; COMP_WORDS=(holm rm a-); COMP_CWORD=2; _holm; echo "${COMPREPLY[@]}"' - \
		"$BATS_TEST_DIRNAME/../completions/holm.bash"
	output_is "a-name"
	holm rm a-name
}

@test "control characters of names and arguments do not reach the terminal" {
	refused 1 '\x1b' holm rm $'\x1b[31mred'
	holm create --name esc busybox echo $'\x1b[31mred'
	expect 0 holm ps -a --no-trunc
	output_has '\x1b[31mred'
	holm rm esc
}
