#!/usr/bin/env bats
# Health checks: options, the image's own, what they show and what follows from them.
load holm

health() { # NAME
	holm inspect --format '{{.State.Health.Status}}' "$1"
}

is() { # STATUS NAME
	[ "$(health "$2")" = "$1" ]
}

log_of() { # NAME
	holm inspect "$1" | jq -c '.[0].State.Health.Log'
}

checked() { # TIMES NAME
	[ "$(log_of "$2" | jq length)" -ge "$1" ]
}

ended() { # NAME
	[ "$(holm inspect --format '{{.State.Status}}' "$1")" = exited ]
}

monitor_of() {
	pgrep -f "holm-monitor run $HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' "$1")" | head -n 1
}

@test "starting, healthy, unhealthy, healthy again: inspect, ps and its filter tell" {
	holm run -d --name web --health-cmd 'test ! -e /bad || { echo it is bad; exit 3; }' \
		--health-interval 200ms --health-retries 2 busybox sleep 1000 >/dev/null
	holm run -d --name plain busybox sleep 1000 >/dev/null
	within 5 is healthy web
	expect 0 holm ps --format '{{.Names}} {{.Status}}'
	[[ $output == *'web Up '*' (healthy)'* ]]
	[ "$(holm ps -q --filter health=healthy)" = "$(holm ps -q --filter name=web)" ]
	[ "$(holm ps --filter health=none --format '{{.Names}}')" = plain ]
	[ -z "$(holm ps -q --filter health=unhealthy)" ]
	holm exec web touch /bad
	within 5 is unhealthy web
	expect 0 holm ps
	output_has '(unhealthy)'
	[ "$(holm inspect web | jq '.[0].State.Health.FailingStreak')" -ge 2 ]
	[ "$(log_of web | jq -r '.[-1] | "\(.ExitCode) \(.Output)"')" = $'3 it is bad' ]
	holm exec web rm /bad
	within 5 is healthy web
	[ "$(holm inspect web | jq '.[0].State.Health.FailingStreak')" = 0 ]
	expect 0 holm events --since 1h --until 0s --filter container=web --filter event=health_status --format '{{.Action}}'
	output_is $'health_status: healthy\nhealth_status: unhealthy\nhealth_status: healthy'
	[ "$(holm inspect plain | jq '.[0].State | has("Health")')" = false ]
}

@test "until the first check it is starting" {
	holm run -d --name web --health-cmd true --health-interval 1h busybox sleep 1000 >/dev/null
	is starting web
	[ "$(log_of web)" = '[]' ]
	expect 0 holm ps --filter health=starting
	output_has '(health: starting)'
}

@test "five results are kept, the last one last, with Docker's members" {
	holm run -d --name web --health-cmd 'cat /n; echo x >>/n' --health-interval 30ms busybox \
		sh -c 'echo first >/n; sleep 1000' >/dev/null
	seven() { log_of web | jq -e '(.[-1].Output | split("\n") | length) > 8'; }
	within 10 seven
	log_of web | jq -e 'length == 5 and all(.[]; keys == ["End", "ExitCode", "Output", "Start"]) and
		all(.[]; .ExitCode == 0 and .Start < .End)' >/dev/null
	log_of web | jq -e '[.[].Output | length] | . == sort and .[0] < .[4]' >/dev/null
}

@test "the image's own check: CMD, CMD-SHELL, NONE; options take the place of its parts" {
	needs busybox
	mkdir tree
	cp "$(command -v busybox)" tree/busybox
	ln -s busybox tree/sh
	tar cf layer.tar -C tree .
	image() { # TAG HEALTHCHECK [MORE]
		CONFIG="{\"Cmd\":[\"/busybox\",\"sleep\",\"1000\"],\"Env\":[\"WORD=of-env\"],\"User\":\"7:8\",\"Healthcheck\":$2${3:-}}" \
			oci_image "image.$1" "$1" layer.tar
	}
	image cmd '{"Test":["CMD","/sh","-c","echo $WORD"],"Interval":100000000,"Retries":5}'
	holm run -d --name cmd "oci:image.cmd" >/dev/null
	within 5 is healthy cmd
	[ "$(log_of cmd | jq -r '.[0].Output')" = of-env ]
	[ "$(holm inspect cmd | jq -c '.[0].Config.Healthcheck')" = \
		'{"Test":["CMD","/sh","-c","echo $WORD"],"Interval":100000000,"Retries":5}' ]
	image shell '{"Test":["CMD-SHELL","/busybox id -u; /busybox id -g"],"Interval":100000000}' ',"Shell":["/sh","-c"]'
	holm run -d --name shell oci:image.shell >/dev/null
	within 5 is healthy shell
	[ "$(log_of shell | jq -r '.[0].Output')" = $'7\n8' ]
	image none '{"Test":["NONE"]}'
	holm run -d --name none oci:image.none >/dev/null
	[ "$(holm inspect none | jq '.[0].State | has("Health")')" = false ]
	holm run -d --name off --no-healthcheck oci:image.cmd >/dev/null
	[ "$(holm inspect off | jq '.[0].State | has("Health")')" = false ]
	[ "$(holm inspect off | jq -c '.[0].Config.Healthcheck.Test')" = '["NONE"]' ]
	holm create --name part --health-timeout 2s oci:image.cmd >/dev/null
	[ "$(holm inspect part | jq -c '.[0].Config.Healthcheck | [.Test[0], .Interval, .Timeout, .Retries]')" = \
		'["CMD",100000000,2000000000,5]' ]
}

@test "a check that hangs is killed at its timeout, with its children" {
	holm run -d --name web --health-cmd 'echo begun; sleep 3001 & setsid sleep 3002 & sleep 3003' \
		--health-interval 100ms --health-timeout "$(seconds 0.5)s" --health-retries 1 busybox sleep 1000 >/dev/null
	within 10 is unhealthy web
	[ "$(log_of web | jq -c '.[0] | [.ExitCode, .Output]')" = \
		"[-1,\"Health check exceeded timeout ($(seconds 0.5)s): begun\\n\"]" ]
	holm pause web # so that the next check is not begun
	[ -z "$(pgrep -x -f 'sleep 300[123]')" ]
	holm unpause web
}

@test "a check that writes without end, or leaves something behind it, has its first 4096 bytes kept" {
	holm run -d --name web --health-cmd 'yes | head -c 1000000; yes >&2 & exit 4' --health-interval 100ms \
		busybox sleep 1000 >/dev/null
	within 10 checked 1 web
	[ "$(log_of web | jq '.[0] | [.ExitCode, (.Output | length)] | @csv')" = '"4,4099"' ]
	log_of web | jq -e '.[0].Output | endswith("...")' >/dev/null
}

@test "a command that is not there fails the check, and tells why" {
	holm run -d --name web --health-cmd true --health-interval 100ms --entrypoint sleep busybox 1000 >/dev/null
	within 5 is healthy web
	holm exec web rm /bin/sh
	failed() { log_of web | jq -e '.[-1].ExitCode == -1'; }
	within 5 failed
	[[ $(log_of web | jq -r '.[-1].Output') == *sh* ]]
}

@test "failures in the start period do not count" {
	holm run -d --name web --health-cmd 'exit 1' --health-interval 100ms --health-start-interval 50ms \
		--health-start-period 60s --health-retries 1 busybox sleep 1000 >/dev/null
	within 10 checked 5 web
	is starting web
	[ "$(holm inspect web | jq '.[0].State.Health.FailingStreak')" = 0 ]
}

@test "checks never overlap" {
	holm run -d --name web --health-cmd 'mkdir /lock || echo overlap >>/bad; sleep 0.2; rmdir /lock; echo x >>/ran' \
		--health-interval 10ms busybox sleep 1000 >/dev/null
	ran() { [ "$(holm exec web sh -c 'wc -l </ran')" -ge 3 ]; }
	local pids=() pid
	for _ in 1 2 3; do
		holm healthcheck run web &
		pids+=($!)
	done
	within 10 ran
	for pid in "${pids[@]}"; do wait "$pid"; done
	expect 1 holm exec web cat /bad
}

@test "a paused container is not checked" {
	holm run -d --name web --health-cmd true --health-interval 50ms busybox sleep 1000 >/dev/null
	within 5 checked 2 web
	holm pause web
	before=$(log_of web)
	sleep 0.3
	[ "$(log_of web)" = "$before" ]
	refused 125 paused holm healthcheck run web
	holm unpause web
	goes_on() { [ "$(log_of web)" != "$before" ]; }
	within 5 goes_on
}

@test "healthcheck run: one check now, its status tells" {
	holm run -d --name web --health-cmd 'test -e /good' --health-interval 1h busybox sleep 1000 >/dev/null
	expect 1 holm healthcheck run web
	output_is unhealthy
	holm exec web touch /good
	expect 0 holm healthcheck run web
	output_is ''
	is healthy web
	[ "$(log_of web | jq -c '[.[].ExitCode]')" = '[1,0]' ]
	holm run -d --name plain busybox sleep 1000 >/dev/null
	refused 125 'no health check' holm healthcheck run plain
	holm stop -t 0 web >/dev/null
	refused 125 'not running' holm healthcheck run web
	refused 125 'no such container' holm healthcheck run nobody
}

@test "an ended container is unhealthy, as docker has it, and keeps its last results" {
	holm run -d --name web --health-cmd 'echo fine' --health-interval 50ms busybox sleep 1000 >/dev/null
	within 5 is healthy web
	holm stop -t 0 web >/dev/null
	is unhealthy web
	# the last one may have been killed along with the container
	log_of web | jq -r '.[].Output' | grep -qx fine
	[ "$(holm ps -aq --filter health=unhealthy | wc -l)" = 1 ]
	holm start web >/dev/null
	within 5 is healthy web
}

@test "--health-on-failure kill: the policy says what follows" {
	holm run -d --name web --health-cmd false --health-interval 50ms --health-retries 1 \
		--health-on-failure kill busybox sleep 1000 >/dev/null
	within 10 ended web
	[ "$(holm inspect --format '{{.State.ExitCode}}' web)" = 137 ]
	holm run -d --name again --restart on-failure:2 --health-cmd false --health-interval 50ms --health-retries 1 \
		--health-on-failure kill busybox sleep 1000 >/dev/null
	within 10 ended again
	[ "$(holm inspect --format '{{.RestartCount}}' again)" = 2 ]
}

@test "--health-on-failure stop: its own signal, and no policy starts it again" {
	holm run -d --name web --restart always --health-cmd false --health-interval 50ms --health-retries 1 \
		--health-on-failure stop busybox sh -c 'trap "exit 5" TERM; while :; do sleep 0.05; done' >/dev/null
	within 10 ended web
	[ "$(holm inspect --format '{{.State.ExitCode}} {{.RestartCount}}' web)" = '5 0' ]
}

@test "--health-on-failure restart: without a policy, too, and stop is the end of it" {
	holm run -d --name web --health-cmd 'test -e /second' --health-interval 50ms --health-retries 1 \
		--health-on-failure restart busybox sh -c '[ ! -e /first ] || touch /second; touch /first; exec sleep 1000' >/dev/null
	within 15 is healthy web
	[ "$(holm inspect --format '{{.RestartCount}}' web)" = 1 ]
	holm stop -t 0 web >/dev/null
	ended web
}

@test "a container that ends, or is killed with its monitor, while a check runs leaves nothing" {
	for end in 'stop -t 0' 'rm -f' kill; do
		holm run -d --name web --health-cmd 'sleep 3005' --health-interval 10ms busybox sleep 1000 >/dev/null
		within 5 pgrep -x -f 'sleep 3005'
		# shellcheck disable=SC2086
		holm $end web >/dev/null
		within 5 not pgrep -x -f 'sleep 3005'
		holm rm -f web >/dev/null
	done
	holm run -d --name web --health-cmd 'sleep 3006' --health-interval 10ms busybox sleep 1000 >/dev/null
	within 5 pgrep -x -f 'sleep 3006'
	kill -KILL "$(monitor_of web)"
	within 5 not pgrep -x -f 'sleep 3006'
	within 5 ended web
	[ -z "$(cgroups)" ]
}

@test "the process that checks is killed: the check has failed, and the next one comes" {
	holm run -d --name web --health-cmd 'test -e /go || sleep 3007' --health-interval 100ms --health-timeout "$(seconds 1)s" busybox sleep 1000 >/dev/null
	within 5 pgrep -x -f 'sleep 3007'
	kill -KILL "$(pgrep -P "$(monitor_of web)" -x holm-monitor)"
	within 5 checked 1 web
	[ "$(log_of web | jq '.[0].ExitCode')" = -1 ]
	holm exec web touch /go
	within 10 is healthy web
}

@test "in the namespaces of the host the check and its children go at the timeout, too" {
	holm run -d --name web --pid host --health-cmd 'sleep 3008 & sleep 3009' --health-interval 50ms \
		--health-timeout 200ms busybox sleep 1000 >/dev/null
	within 5 checked 1 web
	holm stop -t 0 web >/dev/null
	[ -z "$(pgrep -x -f 'sleep 300[89]')" ]
}

@test "a monitor that checks is small when it waits" {
	holm run -d --name web --health-cmd true --health-interval 300ms busybox sleep 1000 >/dev/null
	within 5 checked 2 web
	monitor=$(monitor_of web)
	small() {
		[ "$(awk '$1 == "Pss:" { print $2 }' "/proc/$monitor/smaps_rollup")" -le 300 ]
	}
	within 5 small
}

@test "wrong values are named" {
	refused 125 "--health-interval: 'soon' is not a time" holm run --health-cmd true --health-interval soon busybox
	refused 125 '--health-timeout 10us: less than 1ms' holm run --health-cmd true --health-timeout 10us busybox
	refused 125 "--health-retries: '-1'" holm run --health-cmd true --health-retries -1 busybox
	refused 125 "'reboot' is not one of none|kill|restart|stop" holm run --health-cmd true --health-on-failure reboot busybox
	refused 125 'there is no health check' holm run --health-on-failure kill busybox true
	refused 125 '--no-healthcheck and --health-cmd exclude' holm run --no-healthcheck --health-cmd true busybox
	refused 1 "--filter health: 'fine' is none of" holm ps --filter health=fine
}
