#!/usr/bin/env bats
# What runs at boot and stops at shutdown, in which order; --requires.
load holm

status_of() {
	holm inspect --format '{{.State.Status}}' "$1"
}

is() { # STATUS NAME
	[ "$(status_of "$2")" = "$1" ]
}

started_at() { # NAME
	date -d "$(holm inspect --format '{{.State.StartedAt}}' "$1")" +%s%N
}

before() { # NAME NAME
	[ "$(started_at "$1")" -lt "$(started_at "$2")" ]
}

monitors() {
	pgrep -f "holm-monitor run $HOLM_RUN/containers/"
}

# The host goes down without a word: its processes, its cgroups and its tmpfs are gone.
power_off() {
	monitors | xargs -r kill -KILL
	within 5 not monitors
	within 5 no_processes
	cgroups | sort -r | xargs -r rmdir 2>/dev/null || true
	find "$HOLM_RUN" -mindepth 1 -delete
}

no_processes() {
	[ -z "$(container_processes)" ]
}

sleeper() { # NAME [OPTION...]
	local name=$1
	shift
	holm run -d --name "$name" "$@" busybox sleep 1000 >/dev/null
}

@test "after a crash of the host ps says exited, and autostart starts what should run" {
	sleeper always --restart always
	sleeper unless --restart unless-stopped
	sleeper failure --restart on-failure
	sleeper plain
	sleeper yes --autostart yes
	sleeper never --restart always --autostart no
	holm run -d --rm --name gone busybox sleep 1000 >/dev/null
	sleeper stopped --restart unless-stopped
	sleeper stopped-always --restart always
	holm stop -t 0 stopped stopped-always >/dev/null
	holm create --name created busybox sleep 1000 >/dev/null
	power_off
	[ "$(holm ps -aq | wc -l)" = 9 ]
	[ -z "$(holm ps -q)" ]
	[ "$(holm inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}' plain)" = 'exited 255 the host went down' ]
	[[ $(holm ps -a --filter name=plain --format '{{.Status}}') == 'Exited (255) '* ]]
	is exited stopped
	is created created
	expect 0 holm autostart
	[ "$(sort <<<"$output")" = $'started always\nstarted stopped-always\nstarted unless\nstarted yes' ]
	[ "$(holm ps --format '{{.Names}}' | sort | xargs)" = 'always stopped-always unless yes' ]
	expect 0 holm autostart
	output_is ''
}

@test "a run folder that outlives the boot is known by its boot id" {
	sleeper web --restart always
	file=$(echo "$HOLM_RUN"/containers/*/container.json)
	monitors | xargs kill -KILL
	within 5 not monitors
	within 5 no_processes
	jq -c '(.. | strings | select(test("^[0-9a-f]{8}-[0-9a-f-]{27}$"))) |= "00000000-0000-0000-0000-000000000000"' \
		"$file" >"$file.new"
	not cmp -s "$file" "$file.new"
	mv "$file.new" "$file"
	[ "$(holm inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}' web)" = 'exited 255 the host went down' ]
	cgroups | sort -r | xargs -r rmdir 2>/dev/null || true
	expect 0 holm autostart
	output_is 'started web'
}

@test "a record that cannot be read, or what an earlier crash left, holds up nobody" {
	sleeper web --restart always
	sleeper bad --restart always
	folder=$HOLM_ROOT/containers/$(holm inspect --format '{{.Id}}' web)
	broken=$HOLM_ROOT/containers/$(holm inspect --format '{{.Id}}' bad)/config.json
	power_off
	printf '%500s' junk >>"$folder/.exit"
	cp "$broken" good.json
	echo '{' >"$broken"
	expect 0 holm autostart
	output_is 'started web'
	output_has 'holm: warning: '
	power_off
	cp good.json "$broken"
	[ "$(holm inspect --format '{{.State.Status}} {{.State.ExitCode}}' web)" = 'exited 255' ]
}

@test "a network that went with the host comes back with the first container" {
	needs nft
	holm network create lan >/dev/null
	sleeper web --restart always --network lan
	address=$(holm inspect --format '{{.NetworkSettings.Networks.lan.IPAddress}}' web)
	[ -n "$address" ]
	power_off
	ip -o link show type bridge | awk -F': ' '{ print $2 }' | xargs -r -n 1 ip link del
	[ -z "$(ip -o link show type bridge)" ]
	expect 0 holm autostart
	output_is 'started web'
	holm exec web ip -4 addr show eth0 | grep -qF "$address"
	holm rm -f web >/dev/null
	holm network rm lan
}

@test "those that are needed come first, then lower numbers; one that fails holds up nobody" {
	holm create --name db --autostart yes busybox sleep 1000 >/dev/null
	holm create --name cache --autostart 5 busybox sleep 1000 >/dev/null
	holm create --name web --autostart -1 --requires db,cache busybox sleep 1000 >/dev/null
	holm create --name side --autostart -2 --network container:web busybox sleep 1000 >/dev/null
	holm create --name early --autostart -3 busybox sleep 1000 >/dev/null
	holm create --name late --autostart 9 --volumes-from web busybox sleep 1000 >/dev/null
	holm create --name broken --autostart -9 busybox no-such-command >/dev/null
	expect 1 holm autostart
	[[ $stderr == 'holm: autostart broken: '*no-such-command* ]]
	[ "$(wc -l <<<"$output")" = 6 ]
	before early side
	before db web
	before cache web
	before web side
	before side late
	expect 0 holm autostart --stop
	[ "$(sed -n 1p <<<"$output")" = 'stopped late' ]
	[ "$(grep -n 'side$' <<<"$output" | cut -d: -f1)" -lt "$(grep -n 'web$' <<<"$output" | cut -d: -f1)" ]
	[ "$(grep -n 'web$' <<<"$output" | cut -d: -f1)" -lt "$(grep -n 'cache$' <<<"$output" | cut -d: -f1)" ]
	[ -z "$(holm ps -q)" ]
}

@test "a shutdown is not a person's stop" {
	sleeper web --restart unless-stopped
	sleeper stopped --restart unless-stopped
	sleeper plain
	holm run -d --name nice --restart always busybox sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done' >/dev/null
	within 5 said nice ready
	holm pause plain
	holm stop -t 0 stopped >/dev/null
	expect 0 holm autostart --stop --time 5
	[ "$(sort <<<"$output")" = $'stopped nice\nstopped plain\nstopped web' ]
	[ "$(holm inspect --format '{{.State.ExitCode}}' nice)" = 7 ]
	expect 0 holm autostart
	[ "$(sort <<<"$output")" = $'started nice\nstarted web' ]
}

@test "autostart --stop --time kills what does not end in time" {
	holm run -d --name deaf --no-init --stop-timeout 1000 --restart unless-stopped busybox \
		sh -c 'trap "" TERM; echo ready; while :; do sleep 0.05; done' >/dev/null
	within 5 said deaf ready
	expect 0 holm autostart --stop --time 0
	is exited deaf
	[ "$(holm inspect --format '{{.State.ExitCode}}' deaf)" = 137 ]
	expect 0 holm autostart
	output_is 'started deaf'
}

@test "a container that waits for its restart is stopped, and started at boot" {
	holm run -d --name web --restart unless-stopped busybox false >/dev/null
	waits() { is restarting web && [ "$(holm inspect --format '{{.RestartCount}}' web)" -ge 3 ]; }
	within 10 waits
	expect 0 holm autostart --stop
	output_is 'stopped web'
	expect 0 holm autostart
	output_is 'started web'
}

@test "--requires: the required ones are started first, by run and start" {
	holm create --name db busybox sleep 1000 >/dev/null
	holm create --name cache --requires db busybox sleep 1000 >/dev/null
	sleeper web --requires cache
	is running db
	is running cache
	[ "$(holm inspect web | jq -r '.[0].Dependencies[0]')" = "$(holm inspect --format '{{.Id}}' cache)" ]
	holm stop -t 0 web cache db >/dev/null
	holm start web >/dev/null
	is running db
	holm stop -t 0 web cache db >/dev/null
	holm create --name broken busybox no-such-command >/dev/null
	refused 125 'which it requires' holm run -d --name x --requires broken busybox true
	is created x
	refused 125 'which it requires' holm run --rm --name y --requires broken busybox true
	refused 1 'no such container' holm inspect y
}

@test "--requires: what is required cannot be removed before" {
	holm create --name db busybox sleep 1000 >/dev/null
	holm create --name web --requires db busybox sleep 1000 >/dev/null
	refused 1 'container db is required by web' holm rm db
	holm start web >/dev/null
	refused 1 'container db is required by web' holm rm -f db
	is running db
	holm stop -t 0 web db >/dev/null
	expect 0 holm rm web
	expect 0 holm rm db
	refused 1 "--requires nobody: no such container: nobody" holm create --requires nobody busybox true
	refused 1 "--requires 'a,,b': an empty name" holm create --requires a,,b busybox true
	[ -z "$(holm ps -aq)" ]
}

@test "the scripts for OpenRC and sysv init start and stop" {
	local examples=$HOLM_STAGE/share/holm/examples
	export HOLM=holm
	holm create --name web --restart always busybox sleep 1000 >/dev/null
	expect 0 "$examples/holm-autostart.sysv" start
	output_is 'started web'
	expect 0 "$examples/holm-autostart.sysv" restart
	output_is $'stopped web\nstarted web'
	expect 0 "$examples/holm-autostart.sysv" status
	output_has web
	expect 2 "$examples/holm-autostart.sysv" jump
	openrc() { # FUNCTION
		sh -ec 'ebegin() { echo "$*"; }; eend() { return "$1"; }; . "$0"; "$1"' "$examples/holm-autostart.openrc" "$1"
	}
	expect 0 openrc stop
	output_is $'Stopping containers\nstopped web'
	expect 0 openrc start
	output_is $'Starting containers\nstarted web'
	[ -s "$HOLM_STAGE/lib/systemd/system/holm-autostart.service" ]
	not grep -r '@HOLM@' "$examples" "$HOLM_STAGE/lib/systemd/system"
}

@test "wrong values are named" {
	refused 1 '--autostart soon: not yes, no or a number' holm create --autostart soon busybox true
	refused 125 '--autostart yes and --rm exclude' holm run --rm --autostart yes busybox true
	refused 1 '--time says nothing without --stop' holm autostart --time 3
	refused 1 "--time: 'x'" holm autostart --stop --time x
	expect 0 holm autostart
	output_is ''
	expect 0 holm autostart --stop
	output_is ''
}

@test "groups: only those that are named are started, and stopped" {
	for name in web db other; do
		sleeper "$name" --autostart yes
		holm stop -t 0 "$name" >/dev/null
	done
	holm set web autostart-group=front
	holm set db 'autostart-group=front back'
	[ "$(holm set db | sed -n 's/^autostart-group=//p')" = "front back" ]
	expect 0 holm autostart --group back
	output_is "started db"
	expect 0 holm autostart -g front
	output_is "started web"
	is exited other
	expect 0 holm autostart
	output_is "started other"
	expect 0 holm autostart --stop --group front --time 1
	is exited web
	is exited db
	is running other
	refused 1 "not a name" holm set web autostart-group=a/b
}

@test "a delay holds up those that come after, and nobody else" {
	sleeper first --autostart 1 --autostart-delay 2
	sleeper second --autostart 2 --autostart-delay 1000
	holm stop -t 0 first second >/dev/null
	expect 0 holm autostart
	[ $(($(started_at second) - $(started_at first))) -ge 2000000000 ]
	refused 1 "--autostart-delay" holm set first autostart-delay=-1
}
