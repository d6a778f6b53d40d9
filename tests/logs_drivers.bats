#!/usr/bin/env bats
# Where a container's log goes, and what each of its lines carries.
load holm

teardown() {
	services_stop
	! mountpoint -q /run/systemd || umount /run/systemd
	holm_teardown
}

# A journal of the test's own: writes each datagram that comes as a line of JSON to ./journal.
journal_start() {
	[ -d /run/systemd ] || skip "no /run/systemd here to mount a journal of the test's own over"
	mount -t tmpfs holm-journal /run/systemd
	mkdir /run/systemd/journal
	cat >journal.py <<-'E'
		import json, socket, struct
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind("/run/systemd/journal/socket")
		out = open("journal", "w")
		while True:
		    data, fields = s.recv(1 << 20), {}
		    while data:
		        name, _, rest = data.partition(b"\n")
		        if b"=" in name:
		            key, _, value = name.partition(b"=")
		            data = rest
		        else:
		            size = struct.unpack("<Q", rest[:8])[0]
		            key, value, data = name, rest[8:8 + size], rest[8 + size + 1:]
		        fields[key.decode()] = value.decode("latin-1")
		    print(json.dumps(fields), file=out, flush=True)
	E
	service python3 journal.py
	within 5 [ -S /run/systemd/journal/socket ]
}

@test "--log-driver journald sends each line with docker's fields" {
	needs python3
	journal_start
	expect 0 holm run --name web --label tier=front -e STAGE=test --log-driver journald \
		--log-opt tag='{{.Name}}/{{.ImageName}}' --log-opt labels=tier --log-opt env=STAGE \
		busybox sh -c 'echo one; echo two >&2; printf "\377\001=x\n"; printf end'
	within 5 [ "$(wc -l <journal)" -ge 4 ]
	jq -se --arg id "$(holm ps -aq --no-trunc)" 'map(select(.MESSAGE == "one"))[0] == {
		MESSAGE: "one", PRIORITY: "6", CONTAINER_ID: $id[:12], CONTAINER_ID_FULL: $id,
		CONTAINER_NAME: "web", CONTAINER_TAG: "web/busybox", SYSLOG_IDENTIFIER: "web/busybox",
		IMAGE_NAME: "busybox", TIER: "front", STAGE: "test" }' journal
	[ "$(jq -r 'select(.MESSAGE == "two").PRIORITY' journal)" = 3 ]
	[ "$(jq -s 'map(select(.MESSAGE == "ÿ\u0001=x" or .MESSAGE == "end")) | length' journal)" = 2 ]
	expect 0 holm inspect web --format '{{.HostConfig.LogConfig.Type}}'
	output_is journald
	# it has no file
	[ -z "$(find "$HOLM_ROOT/containers" -name log)" ]
	holm rm web
	# a line that is longer than one record
	holm run --rm --log-driver journald busybox sh -c 'head -c 20000 /dev/zero | tr "\0" x; echo'
	within 5 eval '[ "$(jq -r "select(.MESSAGE | startswith(\"xxx\")) | (.MESSAGE | length)" journal | xargs)" = "16384 3616" ]'
	[ "$(jq -r 'select(.CONTAINER_PARTIAL_MESSAGE).CONTAINER_PARTIAL_MESSAGE' journal)" = true ]
}

@test "a journal that is started anew gets the next lines" {
	needs python3
	journal_start
	mkfifo gate
	holm run -d --name web -v "$PWD:/here" --log-driver journald busybox \
		sh -c 'echo before; read -r x </here/gate; echo after; sleep 1000' >/dev/null
	within 5 grep -q before journal
	services_stop
	rm /run/systemd/journal/socket
	service python3 journal.py
	within 5 [ -S /run/systemd/journal/socket ]
	echo go >gate
	within 5 grep -q after journal
	holm rm -f web
}

@test "logs of a container with journald are those of journalctl" {
	needs python3
	journal_start
	mkdir bin
	cat >bin/journalctl <<-'E'
		#!/bin/sh
		echo "$*" >>arguments
		echo '{"MESSAGE":"one","PRIORITY":"6","__REALTIME_TIMESTAMP":"1700000000000001"}'
		echo '{"MESSAGE":[255,10],"PRIORITY":"3","__REALTIME_TIMESTAMP":"1700000000000002"}'
		echo '{"MESSAGE":"par","CONTAINER_PARTIAL_MESSAGE":"true","PRIORITY":"6","__REALTIME_TIMESTAMP":"1"}'
		echo '{"MESSAGE":"tial","PRIORITY":"6","__REALTIME_TIMESTAMP":"1"}'
		[ "${arguments#*--follow}" = "$arguments" ] || exec sleep 1000
	E
	chmod +x bin/journalctl
	holm run --name web --log-driver journald busybox true
	PATH=$PWD/bin:$PATH expect 0 holm logs --tail 5 --since 1700000000 web
	output_is $'one\npartial'
	[ "$stderr" = $'\377' ]
	grep -qx -- "--output=json --all --quiet --lines=5 --since=@1700000000.000000 CONTAINER_ID_FULL=$(holm ps -aq --no-trunc)" arguments
	PATH=$PWD/bin:$PATH expect 0 holm logs -t web
	[ "${lines[0]}" = "2023-11-14T22:13:20.000001Z one" ]
	PATH=$PWD/bin:$PATH expect 0 timeout 20 holm logs -f web
	output_is $'one\npartial'
	ln -s "$(command -v holm)" bin/holm
	rm bin/journalctl
	refused 1 "no journalctl(1) here" env PATH="$PWD/bin" holm logs web
	holm rm web
}

@test "pod logs takes the lines of a journal and those of files in the order of time" {
	needs python3
	journal_start
	mkdir bin
	cat >bin/journalctl <<-'E'
		#!/bin/sh
		echo '{"MESSAGE":"first","PRIORITY":"6","__REALTIME_TIMESTAMP":"1700000000000001"}'
		echo '{"MESSAGE":"last","PRIORITY":"6","__REALTIME_TIMESTAMP":"4100000000000002"}'
		[ "${*#*--follow}" = "$*" ] || exec sleep 1000
	E
	chmod +x bin/journalctl
	holm pod create --name both >/dev/null
	holm run --pod both --name here --log-driver journald busybox true
	holm run --pod both --name there busybox echo middle
	PATH=$PWD/bin:$PATH expect 0 holm pod logs -n both
	output_is $'here first\nthere middle\nhere last'
	# those that are followed come as they are known
	PATH=$PWD/bin:$PATH expect 0 timeout 20 holm pod logs -f -n both
	[ "$(sort <<<"$output")" = $'here first\nhere last\nthere middle' ]
	holm run -d --pod both --name stays busybox sh -c 'echo up; exec sleep 1000' >/dev/null
	PATH=$PWD/bin:$PATH timeout 2 holm pod logs -f both >followed || [ $? = 124 ]
	grep -q up followed
	grep -q last followed
	rm bin/journalctl
	ln -s "$(command -v holm)" bin/holm
	refused 1 "no journalctl(1) here" env PATH="$PWD/bin" holm pod logs both
	holm pod rm -f both
}

@test "without a journal a container with journald is not started" {
	[ -d /run/systemd ] || skip "no /run/systemd here"
	mount -t tmpfs holm-journal /run/systemd
	refused 125 "no journal takes lines here" holm run --rm --log-driver journald busybox true
	holm create --name web --log-driver journald busybox true >/dev/null
	refused 1 "no journal takes lines here" holm start web
	holm rm web
}

@test "--log-opt tag, labels and env go into each record, and logs --details shows them" {
	holm run --name web --label tier=front -e STAGE=test --log-opt labels=tier,nothing \
		--log-opt env=STAGE --log-opt tag='{{.ImageName}} {{ .ID }}' busybox echo hello
	local id
	id=$(holm ps -aq)
	jq -e --arg tag "busybox $id" '.attrs == {tier: "front", STAGE: "test", tag: $tag} and
		.log == "hello\n"' "$HOLM_ROOT"/containers/*/log
	expect 0 holm logs --details web
	output_is "tier=front,STAGE=test,tag=busybox $id hello"
	expect 0 holm logs web
	output_is hello
	holm rm web
	refused 125 "{{.X}}" holm run --log-opt tag='{{.Colour}}' busybox true
	refused 125 "colour=red" holm run --log-opt colour=red busybox true
	refused 125 "max-size" holm run --log-driver journald --log-opt max-size=1m busybox true
	refused 125 "none" holm run --log-driver none --log-opt tag=x busybox true
}
