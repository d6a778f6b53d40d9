#!/usr/bin/env bats
# backup, receive, copy and move: a whole container on another root directory, by a file or by ssh.
load holm
load frozen
load move

setup() {
	holm_setup
	move_setup
}

teardown() {
	move_teardown
	holm_teardown
}

tree() { # NAME
	holm export "$1" | tar --numeric-owner -tvf - | grep -v -e ' run/' -e ' dev/' -e etc/hosts -e etc/hostname -e etc/resolv.conf | sort -k 6
}

@test "backup, and receive elsewhere: files, settings and snapshots" {
	box web -e K=v -m 64m
	expect 0 holm snapshot --comment 'the first' web first
	expect 0 holm start -a web
	expect 0 holm cp "$0" web:/file
	tree web >before
	expect 0 holm backup -o web.holm web
	[ "$(stat -c %a web.holm)" = 600 ]
	refused 1 "web.holm: File exists" holm backup -o web.holm web
	expect 0 there receive web.holm
	output_is web
	HOLM_ROOT=$OTHER/root HOLM_RUN=$OTHER/run tree web >after
	diff before after
	expect 0 there inspect -f '{{.HostConfig.Memory}} {{.Config.Env}}' web
	[[ $output == *67108864*K=v* ]]
	expect 0 there snapshot ls --format '{{.Name}} {{.Comment}}' web
	output_is 'first the first'
	expect 0 there restore web first
	expect 0 there cp web:/file got
	[ "$(cat got)" = one ]
	refused 1 "the name 'web' is taken" there receive web.holm
	expect 0 there receive --name two - <web.holm
	[ "$(frozen_layers "$OTHER/root")" = 2 ]
	expect 0 there system check
	expect 0 there rm web two
	[ "$(frozen_layers "$OTHER/root")" = 0 ]
}

@test "a name is free whose letters begin the id of another container" {
	local id
	box web
	id=$(holm inspect -f '{{.Id}}' web)
	holm backup web >web.tar
	expect 0 holm receive --name "${id:0:5}" <web.tar
	expect 0 holm receive --refresh --name "${id:0:6}" <web.tar
	expect 0 holm ps -a --format '{{.Names}}'
	[ "${#lines[@]}" = 3 ]
}

@test "a container with ids of its own gets others where it is received" {
	box web --userns auto
	expect 0 holm backup -o web.holm web
	expect 0 there receive web.holm
	expect 0 there start -a web
	expect 0 there run --name plain busybox true
	expect 0 there snapshot web
	expect 0 there commit web web:1
	expect 0 there run --rm web:1 stat -c %u:%g /d/f
	output_is 1000:1001
	expect 0 there rm web plain
	expect 0 holm rm web
}

@test "a stream that is cut, damaged or none is refused, and leaves nothing" {
	box web
	expect 0 holm backup -o web.holm web
	size=$(stat -c %s web.holm)
	for part in 5 40 1000 $((size / 2)) $((size - 1)); do
		head -c "$part" web.holm >part.holm
		refused 1 "" there receive part.holm
	done
	refused 1 "it is no container" there receive "$0"
	sed 's/holm container 1/holm container 9/' web.holm >newer
	refused 1 "a newer holm" there receive newer
	expect 0 there ps -aq
	output_is ""
	[ "$(frozen_layers "$OTHER/root")" = 0 ]
	expect 0 holm start -a web
}

@test "a receive that is killed while it reads holds no lock" {
	box web
	expect 0 holm backup -o web.holm web
	mkfifo pipe
	{ head -c 100000 web.holm; exec sleep 60; } >pipe &
	writer=$!
	HOLM_ROOT=$OTHER/root HOLM_RUN=$OTHER/run holm receive - <pipe &
	receiver=$!
	within 10 pgrep -P "$receiver" -f "^holm-image load"
	expect 1 flock -n "$OTHER/root/layers" true
	kill -9 "$receiver"
	wait "$receiver" || true
	within 5 flock -n "$OTHER/root/layers" true
	kill "$writer"
	wait "$writer" || true
}

edited() { # PROGRAM - web.holm with other records: what python makes of c, its container, and h, the header
	python3 - "$1" <<-'EOT'
		import json, struct, sys
		data = open("web.holm", "rb").read()
		first, rest = data[:17], data[19:]
		text = b""
		while True:
		    n, = struct.unpack("<I", rest[:4])
		    text, rest = text + rest[4:4 + n], rest[4 + n:]
		    if n == 0: break
		h = json.loads(text)
		c = h["container"]
		exec(sys.argv[1])
		text = json.dumps(h).encode()
		out = first + b"H\0"
		for at in range(0, len(text), 65536):
		    part = text[at:at + 65536]
		    out += struct.pack("<I", len(part)) + part
		open("edited.holm", "wb").write(out + struct.pack("<I", 0) + rest)
	EOT
}

@test "records that no holm has sent: no folder of this host is a layer, none is too long to be read" {
	needs python3
	box web
	expect 0 holm snapshot web
	expect 0 holm backup -o web.holm web
	edited 'pass'
	expect 0 there receive --name same edited.holm
	edited 'c["storage"]["lower"] = ["/"]'
	refused 1 "its files or its pod are on another host" there receive edited.holm
	edited 'c["storage"]["upper"] = "/"'
	refused 1 "its files or its pod are on another host" there receive edited.holm
	edited 'c["storage"]["mounts"] = [{"type": "image", "target": "/m", "layers": ["../.."]}]'
	refused 1 "a mount is of what is no layer" there receive edited.holm
	edited 'c["annotations"] = {"org.holm.hooks": "{\"preStart\":[{\"path\":\"/bin/touch\",\"args\":[\"touch\",\"/hooked\"]}]}"}'
	refused 1 "org.holm.hooks is holm's own" there receive edited.holm
	edited 'h["live"] = "x86_64"'
	refused 1 "one that runs comes by holm move alone" there receive edited.holm
	edited 'c["labels"] = {"l": "x" * (5 << 20)}'
	refused 1 "its records are too long" there receive edited.holm
	edited 'h["snapshots"][0]["comment"] = "x" * (5 << 20)'
	refused 1 "its records are too long" there receive edited.holm
	expect 0 there ps -a --format '{{.Names}}'
	output_is same
	expect 0 there system check
	expect 0 there rm same
	[ "$(frozen_layers "$OTHER/root")" = 0 ]
}

@test "copy over ssh: what is there already stays out; --refresh; move" {
	needs_root "the ssh server that it starts is root's"
	sshd_up
	box web
	tree web >before
	expect 0 holm copy "${SSH[@]}" web root@127.0.0.1
	HOLM_ROOT=$OTHER/root HOLM_RUN=$OTHER/run tree web >after
	diff before after
	[ "$(frozen_layers "$OTHER/root")" = 1 ]
	expect 1 holm copy "${SSH[@]}" web root@127.0.0.1
	output_has "the name 'web' is taken"
	output_has "status 1"
	expect 0 holm copy "${SSH[@]}" web root@127.0.0.1:second
	[ "$(frozen_layers "$OTHER/root")" = 1 ]
	echo two >two
	expect 0 holm cp two web:/file
	expect 0 holm snapshot web s
	expect 0 holm copy --refresh "${SSH[@]}" web root@127.0.0.1
	[ "$(frozen_layers "$OTHER/root")" = 2 ]
	expect 0 there cp web:/file got
	[ "$(cat got)" = two ]
	expect 0 there snapshot ls -q web
	output_is s
	expect 1 holm move "${SSH[@]}" web root@127.0.0.1
	output_has "the name 'web' is taken"
	expect 0 holm move "${SSH[@]}" web root@127.0.0.1:third
	refused 1 "no such container" holm inspect web
	expect 0 there cp third:/file got
	[ "$(cat got)" = two ]
}

@test "a dead ssh and a full disk there: the container is as it was" {
	needs_root "the ssh server that it starts is root's"
	sshd_up
	box web
	tree web >before
	expect 1 holm copy -o Port=2 "${SSH[@]}" web root@127.0.0.1
	output_has "ssh root@127.0.0.1 ended with status 255"
	expect 1 holm move "${SSH[@]}" --remote-command false web root@127.0.0.1
	output_has "ended with status"
	expect 1 holm move "${SSH[@]}" --remote-command 'head -c 300 >/dev/null; true' web root@127.0.0.1
	output_has "has ended"
	refused 1 "no such container" holm move "${SSH[@]}" nothing root@127.0.0.1
	refused 1 "is no host" holm copy -- web -oProxyCommand=false
	expect 0 holm run --name big busybox dd if=/dev/urandom of=/big bs=1M count=30
	small_disk "$BATS_TEST_TMPDIR/small" 24
	expect 1 holm move "${SSH[@]}" --remote-command "env HOLM_ROOT=$BATS_TEST_TMPDIR/small/root HOLM_RUN=$OTHER/run HOLM_LIBEXEC=$HOLM_LIBEXEC $(command -v holm)" big root@127.0.0.1
	output_has "pace"
	HOLM_ROOT=$BATS_TEST_TMPDIR/small/root HOLM_RUN=$OTHER/run expect 0 holm ps -aq
	output_is ""
	small_disk_end "$BATS_TEST_TMPDIR/small"
	tree web >after
	diff before after
	expect 0 holm start -a big
	expect 0 holm run -d --name busy busybox sleep 1000
	refused 1 "container busy is running" holm move "${SSH[@]}" busy root@127.0.0.1
	expect 0 holm copy "${SSH[@]}" busy root@127.0.0.1
}
