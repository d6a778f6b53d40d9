#!/usr/bin/env bats
# What happens when a container uses more than a person wanted to know of: --rule; and how often its
# limits were met.
load holm

# The events of thresholds of a container, one a line: "action resource".
thresholds() { # NAME
	holm events --since 0 --until 0s --filter "container=$1" --filter event=threshold \
		--format '{{.Actor.Attributes.action}} {{.Actor.Attributes.resource}} {{.Actor.Attributes.amount}}'
}

# In a period of 100000.
quota() { # of box
	limit box cpu.max cpu/cpu.cfs_quota_us | cut -d' ' -f1
}

@test "log: the event is there once, and again only after less was used" {
	holm run -d --name box --tmpfs /data --rule memory:log=40m busybox sleep 1000 >/dev/null
	sleep "$(seconds 2)"
	[ "$(thresholds box)" = "" ]
	holm exec box dd if=/dev/zero of=/data/x bs=1M count=60 2>/dev/null
	within 10 eval '[ "$(thresholds box)" = "log memory 41943040" ]'
	sleep "$(seconds 3)"
	[ "$(thresholds box | wc -l)" = 1 ]
	holm exec box rm /data/x
	sleep "$(seconds 3)"
	holm exec box dd if=/dev/zero of=/data/x bs=1M count=60 2>/dev/null
	within 10 eval '[ "$(thresholds box | wc -l)" = 2 ]'
}

@test "signals: the first process gets it" {
	holm run -d --name box --init=false --rule pids:sigusr1=3 busybox \
		sh -c 'trap "echo got it" USR1; while :; do sleep 1 & wait $!; done' >/dev/null
	sleep "$(seconds 2)"
	holm logs box | not grep 'got it'
	holm exec -d box sleep 1000
	holm exec -d box sleep 1000
	within 10 eval 'holm logs box | grep "got it"'
	[ "$(thresholds box)" = "sigusr1 pids 3" ]
}

@test "throttle: a tenth of a CPU while more is used, and its own again afterwards" {
	holm run -d --name box --tmpfs /data --cpus 1 --rule memory:throttle=40m busybox sleep 1000 >/dev/null
	[ "$(quota)" = 100000 ]
	holm exec box dd if=/dev/zero of=/data/x bs=1M count=60 2>/dev/null
	within 10 eval '[ "$(quota)" = 10000 ]'
	holm exec box rm /data/x
	within 10 eval '[ "$(quota)" = 100000 ]'
	# and when the rule is taken away
	holm exec box dd if=/dev/zero of=/data/x bs=1M count=60 2>/dev/null
	within 10 eval '[ "$(quota)" = 10000 ]'
	holm set box rule=
	within 10 eval '[ "$(quota)" = 100000 ]'
}

@test "throttle: a limit that is changed meanwhile counts afterwards" {
	holm run -d --name box --tmpfs /data --cpus 1 --rule memory:throttle=40m busybox sleep 1000 >/dev/null
	holm exec box dd if=/dev/zero of=/data/x bs=1M count=60 2>/dev/null
	within 10 eval '[ "$(quota)" = 10000 ]'
	holm update --cpus 0.5 box
	sleep "$(seconds 2)"
	[ "$(quota)" = 10000 ]
	holm exec box rm /data/x
	within 10 eval '[ "$(quota)" = 50000 ]'
}

@test "what happens to a container that was renamed meanwhile is told in its own words" {
	holm run -d --name box --rule pids:log=2 busybox sleep 1000 >/dev/null
	holm rename box other
	holm exec -d other sleep 1000
	holm exec -d other sleep 1000
	within 10 eval '[ "$(thresholds other)" = "log pids 2" ]'
}

@test "a limit that is changed tells nothing again of what is exceeded already" {
	holm run -d --name box --rule pids:log=2 busybox sleep 1000 >/dev/null
	holm exec -d box sleep 1000
	holm exec -d box sleep 1000
	within 10 eval '[ "$(thresholds box)" = "log pids 2" ]'
	holm update --memory 64m --memory-swap 64m box
	sleep "$(seconds 3)"
	[ "$(thresholds box)" = "log pids 2" ]
}

@test "rules of one that runs can be changed, stay, and are refused when they are none" {
	holm run -d --name box busybox sleep 1000 >/dev/null
	holm set box 'rule=pids:log=2 cpu:log=500'
	[ "$(holm set box | sed -n 's/^rule=//p')" = "pids:log=2 cpu:log=500" ]
	holm exec -d box sleep 1000
	holm exec -d box sleep 1000
	within 10 eval '[ "$(thresholds box)" = "log pids 2" ]'
	refused 1 "'memori' is not one of memory, pids, cpu" holm set box rule=memori:log=1m
	refused 1 "is not one of log, throttle" holm set box rule=memory:beep=1m
	refused 1 "deny is what a limit does" holm set box rule=memory:deny=1m
	refused 125 "not RESOURCE:ACTION=AMOUNT" holm run --rule memory busybox true
	refused 125 "memory:log=x" holm run --rule memory:log=x busybox true
}

@test "how often its limits were met stands in inspect" {
	holm run -d --name box --pids-limit 5 --cpus 0.1 busybox sleep 1000 >/dev/null
	expect 0 holm inspect box --format '{{.Holm.Failures.Pids}}'
	output_is 0
	holm exec box sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done' || true
	holm exec box sh -c 'for i in 1 2 3 4 5 6 7; do sleep 5 & done' 2>/dev/null || true
	expect 0 holm inspect box --format '{{.Holm.Failures.Pids}} {{.Holm.Failures.CpuThrottled}}'
	read -r pids throttled <<<"$output"
	[ "$pids" -ge 1 ]
	[ "$throttled" -ge 1 ]
	# by a container of its own, which is killed for it
	run holm run --name full --memory 16m --memory-swap 16m --tmpfs /data busybox dd if=/dev/zero of=/data/x bs=1M count=64
	[ "$status" != 0 ]
}
