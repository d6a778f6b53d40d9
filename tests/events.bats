#!/usr/bin/env bats
# What has happened: the journal of events, and who follows it.
load holm

# Those since the test began, "create start die".
actions() { # ARGUMENTS...
	expect 0 holm events --since "$EVENTS_FROM" --stream=false --format '{{.Action}}' "$@"
	output=$(paste -sd ' ' <<<"$output")
}

setup() {
	holm_setup
	EVENTS_FROM=$(date +%s.%N)
}

@test "events tells a container's life in Docker's words" {
	holm run --name web busybox true
	actions --filter container=web
	output_is "create attach start die"
	holm rm web
	holm run -d --name web busybox sleep 1000 >/dev/null
	actions --filter container=web
	output_is "create attach start die destroy create start"
	holm pause web
	holm unpause web
	holm kill -s CONT web
	holm restart -t 1 web
	holm stop -t 1 web
	holm start web
	holm kill web
	holm rm -f web
	actions --filter type=container
	[[ $output == *" pause unpause kill kill die stop start restart kill die stop start kill die destroy" ]]
	holm run --rm --name gone busybox true
	actions --filter container=gone
	output_is "create attach start die destroy"
	holm run --rm --name never busybox /nothing || [ $? = 127 ]
	actions --filter container=never
	output_is "create attach destroy"
}

@test "events prints lines and JSON as docker does" {
	holm run --name web --label tier=front busybox sh -c 'exit 3' || true
	expect 0 holm events --since "$EVENTS_FROM" --stream=false --filter event=die
	local id
	id=$(holm ps -aq --no-trunc)
	[[ $output =~ ^20[0-9-]+T[0-9:]{8}\.[0-9]{9}(Z|[+-][0-9:]{5})\ container\ die\ $id\ \(execDuration=0,\ exitCode=3,\ image=busybox,\ name=web,\ .*,\ tier=front\)$ ]]
	expect 0 holm events --since "$EVENTS_FROM" --stream=false -f event=die --format json
	jq -e --arg id "$id" '.status == "die" and .id == $id and .from == "busybox" and
		.Type == "container" and .Action == "die" and .Actor.ID == $id and
		(.Actor.Attributes | with_entries(select(.key | contains(".") | not))) == {execDuration: "0", exitCode: "3", image: "busybox",
			name: "web", tier: "front"} and
		.scope == "local" and (.timeNano / 1000000000 | floor) == .time' <<<"$output"
	[ "$(jq -r 'keys_unsorted | join(" ")' <<<"$output")" = \
		"status id from Type Action Actor scope time timeNano" ]
	local json=$output
	expect 0 holm events --since "$EVENTS_FROM" --stream=false -f event=die --format '{{json .}}'
	output_is "$json"
	expect 0 holm events --since "$EVENTS_FROM" --stream=false -f event=die \
		--format '{{.Type}} {{.Status}} {{.Actor.Attributes.name}} {{.From}} {{.Scope}}'
	output_is "container die web busybox local"
	holm rm web
}

@test "events of images, volumes and commands" {
	holm create --name web busybox true >/dev/null
	holm rm web
	holm tag busybox other:1
	holm save -o a.tar other:1
	holm rmi other:1
	holm load -i a.tar
	holm rmi other:1
	holm import a.tar imported
	actions --filter type=image
	output_is "pull tag save untag load untag delete tag import"
	expect 0 holm events --since "$EVENTS_FROM" --stream=false -f event=pull \
		--format '{{.ID}} {{.Actor.Attributes.name}}'
	output_is "busybox:latest busybox"
	holm rmi imported
	actions --filter type=image --filter event=delete
	output_is "delete delete"

	holm volume create data
	holm run -d --name web -v data:/data busybox sleep 1000 >/dev/null
	holm exec web sh -c 'exit 4' || true
	expect 0 holm events --since "$EVENTS_FROM" --stream=false -f event=exec_create -f event=exec_die \
		--format '{{.Action}} {{.Actor.Attributes.exitCode}}'
	output_is $'exec_create: sh -c exit 4 <no value>\nexec_die 4'
	actions -f event=exec_start
	output_is "exec_start: sh -c exit 4"
	holm rm -f web
	holm volume rm data
	expect 0 holm events --since "$EVENTS_FROM" --stream=false -f volume=data \
		--format '{{.Action}} {{.ID}}{{index .Actor.Attributes "read/write"}}'
	output_is $'create \nmount true\nunmount \ndestroy '
}

@test "events filters" {
	holm create --name web --label a=1 busybox true >/dev/null
	holm create --name db --label a=2 busybox true >/dev/null
	names() {
		expect 0 holm events --since "$EVENTS_FROM" --stream=false -f type=container \
			--format '{{.Actor.Attributes.name}}' "$@"
	}
	names
	output_is $'web\ndb'
	names -f label=a
	output_is $'web\ndb'
	names -f label=a=2
	output_is db
	names -f label=b
	output_is ""
	names -f container="$(holm ps -aq -f name=web)"
	output_is web
	names -f image=busybox -f container=db
	output_is db
	names -f image=busy
	output_is ""
	names -f event=start -f event=create -f scope=local
	output_is $'web\ndb'
	names -f scope=swarm
	output_is ""
	refused 1 colour holm events -f colour=red
	refused 1 type holm events -f type
	refused 1 --since holm events --since yesterday
	refused 125 unknown holm events --follow
	holm rm web db
}

@test "events --since and --until bound what is told, and waiting ends at --until" {
	holm create --name old busybox true >/dev/null
	local between
	between=$(date +%s.%N)
	holm create --name new busybox true >/dev/null
	expect 0 holm events --since "$between" --until 0s --format '{{.Actor.Attributes.name}}'
	output_is new
	expect 0 holm events --until "$between" -f event=create --format '{{.Actor.Attributes.name}}'
	output_is old
	expect 0 holm events --since 2020-01-01 --until 2020-01-02T00:00:00Z
	output_is ""
	expect 0 holm events --since "$(date +%s.%N)" --until "$(date -d '+1 second' +%s)"
	output_is ""
	holm rm old new
}

@test "events follows what happens" {
	holm events --since "$EVENTS_FROM" -f type=container --format '{{.Action}}' >told &
	local follower=$!
	holm run --rm busybox true
	within 5 grep -q destroy told
	kill "$follower"
	wait "$follower" || true
	[ "$(paste -sd ' ' <told)" = "create attach start die destroy" ]
}

@test "a monitor that was killed is told as died once it is found" {
	holm run -d --name web busybox sleep 1000 >/dev/null
	kill -KILL "$(jq .monitorPid "$HOLM_RUN"/containers/*/state.json)"
	within 5 eval '[ "$(holm inspect web --format "{{.State.Status}}")" = exited ]'
	actions --filter container=web
	output_is "create start die"
	expect 0 holm events --since "$EVENTS_FROM" --stream=false -f event=die \
		--format '{{.Actor.Attributes.exitCode}}'
	output_is 137
	holm rm web
}

@test "a full run folder loses events, not containers" {
	mkdir small
	mount -t tmpfs -o size=256k holm-test small
	given small
	HOLM_RUN=$PWD/small
	holm create --name web busybox true >/dev/null
	dd if=/dev/zero of=small/filler bs=4k 2>/dev/null || true
	dd if=/dev/zero of=small/filler bs=1 oflag=append conv=notrunc 2>/dev/null || true
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		holm tag busybox other:1
	done
	rm small/filler
	holm rm web
	expect 0 holm events --since "$EVENTS_FROM" --stream=false -f event=destroy --format '{{.Action}}'
	output_is destroy
	umount small
}

@test "40 at once: no event is lost" {
	seq 40 | xargs -P 40 -I N holm create --name cN busybox true >/dev/null
	holm ps -aq | xargs -P 8 -n 5 holm rm >/dev/null
	expect 0 holm events --since "$EVENTS_FROM" --stream=false -f type=container --format '{{.Action}}'
	[ "$(grep -c create <<<"$output")" = 40 ]
	[ "$(grep -c destroy <<<"$output")" = 40 ]
}
