#!/usr/bin/env bats
# The list of containers.
load holm

@test "ps shows what runs, ps -a all, the newest first" {
	holm run -d --name web busybox sleep 1000 >/dev/null
	holm create --name made busybox true >/dev/null
	holm run --name ended busybox sh -c 'exit 3' || true
	expect 0 holm ps
	[ "${#lines[@]}" = 2 ]
	[[ ${lines[0]} == "CONTAINER ID   IMAGE     COMMAND"*"CREATED"*"STATUS"*"PORTS"*"NAMES" ]]
	output_has '"sleep 1000"'
	output_has "Up "
	expect 0 holm ps -a --format '{{.Names}} {{.State}}'
	output_is $'ended exited\nmade created\nweb running'
	expect 0 holm ps -a
	output_has "Exited (3)"
	output_has "Created"
	expect 0 holm container ls -q
	[ "${#output}" = 12 ]
	expect 0 holm ps -q --no-trunc
	[ "${#output}" = 64 ]
	expect 0 holm ps -l --format '{{.Names}}'
	output_is ended
	expect 0 holm ps -n 2 --format '{{.Names}}'
	output_is $'ended\nmade'
	holm pause web
	expect 0 holm ps
	output_has "(Paused)"
	holm rm -f web made ended
}

@test "ps filters" {
	holm run -d --name web --label tier=front busybox sleep 1000 >/dev/null
	holm create --name db --label tier=back busybox true >/dev/null
	names() {
		expect 0 holm ps -a --format '{{.Names}}' "$@"
	}
	names --filter name=w
	output_is web
	names -f status=created
	output_is db
	names --filter label=tier
	output_is $'db\nweb'
	names --filter label=tier=back
	output_is db
	names --filter ancestor=busybox --filter status=running
	output_is web
	names --filter id="$(holm ps -q)"
	output_is web
	names --filter name=nothing
	output_is ""
	names --filter is-task=true
	output_is ""
	names --filter is-task=false --filter name=w
	output_is web
	names --filter before=web
	output_is ""
	names --filter since=web
	output_is db
	# an ordinary user's are in no network by default
	[ -n "${HOLM_TEST_USER:-}" ] || {
		names --filter network=bridge --filter label=tier=front
		output_is web
	}
	refused 1 "neither true nor false" holm ps --filter is-task=perhaps
	refused 1 "" holm ps --filter colour=red
	refused 1 "" holm ps --filter name
	holm rm -f web db
}

@test "ps prints JSON and templates" {
	holm run -d --name web --label a=1 --label b=2 busybox sleep 1000 >/dev/null
	expect 0 bash -c "holm ps --format json | jq -e '.Names == \"web\" and (.Labels | contains(\"a=1\") and contains(\"b=2\")) and .Image == \"busybox\"'"
	expect 0 holm ps --format 'table {{.Names}}\t{{.Image}}'
	output_is $'NAMES     IMAGE\nweb       busybox'
	expect 0 holm ps --format '{{.Label "b"}}-{{upper .Names}}'
	output_is 2-WEB
	refused 1 "did you mean .Names?" holm ps --format '{{.Name}}'
	refused 1 "column" holm ps --format '{{.Names'
	holm rm -f web
}

@test "an empty list is a heading, and nothing with -q" {
	expect 0 holm ps
	[ "${#lines[@]}" = 1 ]
	expect 0 holm ps -q
	output_is ""
	expect 0 holm ps --format json
	output_is ""
}

@test "ids and names are cut and found by their beginnings" {
	id=$(holm run -d --name web busybox sleep 1000)
	expect 0 holm inspect -f '{{.Name}}' "${id:0:4}"
	output_is /web
	expect 0 holm stop -t 0 "${id:0:12}"
	expect 0 holm rm "$id"
	refused 1 "no such container" holm rm "$id"
}

@test "ls: all by name, with state, kind and addresses" {
	needs ip
	expect 0 holm run -d --name web busybox sleep 1000
	expect 0 holm create --name made busybox true
	local address
	address=$(holm inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' web)
	expect 0 holm ls
	[[ ${lines[0]} =~ ^NAMES\ +STATE\ +KIND\ +IPV4\ +IPV6\ +IMAGE$ ]]
	[[ ${lines[1]} =~ ^made\ +created\ +application\ +-\ +-\ +busybox$ ]]
	[[ ${lines[2]} =~ ^web\ +running\ +application\ +"${address:--}"\ +[-0-9a-f:]+\ +busybox$ ]]
	expect 0 holm ls -q
	output_is $'made\nweb'
	expect 0 holm ls -aq
	output_is $'made\nweb'
	refused 1 "--all and --running exclude each other" holm ls -a --running
	expect 0 holm ls --running --format '{{.Names}} {{.IPv4}}'
	output_is "web $address"
	expect 0 holm ls --filter status=created -q
	output_is made
	holm rm -f web made
}
