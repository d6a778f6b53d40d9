#!/usr/bin/env bats
# The systemd cgroup manager: scopes with the container's limits. Where systemd is PID 1 it is asked
# itself; elsewhere a stand-in on a bus of its own (runtime/fake_systemd.py).
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
	export BUNDLE_OPTIONS=-s
	CALLS=$BATS_TEST_TMPDIR/calls
	bundle_edit '.linux.cgroupsPath = "holm-test.slice:box:one"'
	if real; then
		command -v systemd-run >/dev/null || skip "no systemd-run here"
		export BUNDLE_WRAPPER=$OUTSIDE
	else
		command -v python3 >/dev/null || skip "neither systemd nor python3 here"
		service "$BATS_TEST_DIRNAME/runtime/fake_systemd.py" "$BATS_TEST_TMPDIR/bus" "$CALLS"
		within 10 test -S "$BATS_TEST_TMPDIR/bus"
		export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$BATS_TEST_TMPDIR/bus,guid=0
	fi
}

# A test is in PID and cgroup namespaces of its own, where systemd knows no process: it has systemd
# run what talks to systemd.
OUTSIDE="systemd-run --pipe --wait --quiet --collect"

# systemctl speaks to systemd's own socket, which takes nobody from another PID namespace.
ask_systemd() { # ARGUMENT...
	$OUTSIDE systemctl "$@"
}

real() {
	[ -d /run/systemd/system ]
}

only_fake() {
	! real || skip "this is about the calls, which the stand-in writes down"
}

# The property of the scope as it was given when it was made.
given() { # NAME
	jq -r --arg name "$1" 'select(.[0] == "StartTransientUnit") | .[3][] | select(.[0] == $name) | .[1]
		| if type == "array" then map(tostring) | join(" ") else tostring end' "$CALLS"
}

no_scope_left() {
	if real; then
		[ "$(ask_systemd show -p LoadState --value box-one.scope)" = not-found ]
	else
		[ -z "$(find /sys/fs/cgroup -type d -name box-one.scope)" ]
	fi
}

scope_is_there() {
	if real; then
		ask_systemd is-active --quiet box-one.scope
	else
		find /sys/fs/cgroup -type d -path '*/box-one.scope/container' | grep -q .
	fi
}

@test "a container runs in a scope below its slice, and both go with it" {
	bundle_edit '.linux.namespaces |= map(select(.type != "cgroup"))'
	expect 0 bundle sh -c 'grep -E "^0::|:pids:" /proc/self/cgroup'
	[[ $output == *"/holm.slice/holm-test.slice/box-one.scope/container"* ]]
	within 10 no_scope_left
}

@test "limits are in the cgroup and known to systemd" {
	bundle_edit '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 77 }, cpu: { shares: 512 } }'
	if cgroup_v2; then
		expect 0 bundle sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max cpu.weight'
		output_is $'67108864\n77\n59'
	else
		expect 0 bundle sh -c 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.shares'
		output_is $'67108864\n77\n512'
	fi
	real || {
		[ "$(given TasksMax)" = 77 ]
		[ "$(given Delegate)" = 1 ]
		[ "$(given Slice)" = holm-test.slice ]
		[ "$(given CollectMode)" = inactive-or-failed ]
		[ "$(given Description)" = "holm container $(jq -r 'select(.[0] == "StartTransientUnit") | .[3][] | select(.[0] == "Description") | .[1]' "$CALLS" | cut -d' ' -f3)" ]
	}
	within 10 no_scope_left
}

@test "systemd shows what the scope may use" {
	real || skip "no systemd here"
	bundle_edit '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 77 },
		cpu: { shares: 512, quota: 50000, period: 100000, cpus: "0" } }
		| .annotations["org.systemd.property.TimeoutStopSec"] = "7"
		| .annotations["org.systemd.property.Description"] = "\u0027a box\u0027"
		| .process.args = ["sleep", "60"]'
	# shellcheck disable=SC2086 # several words
	service $OUTSIDE "$BUNDLE_PROGRAMS/bundle_run" -s "$BUNDLE" box-real
	within 30 scope_is_there
	expect 0 ask_systemd show box-one.scope -p MemoryMax -p TasksMax -p CPUWeight -p CPUQuotaPerSecUSec \
		-p AllowedCPUs -p Slice -p Delegate -p TimeoutStopUSec -p Description -p ControlGroup
	local line
	for line in MemoryMax=67108864 TasksMax=77 CPUWeight=59 CPUQuotaPerSecUSec=500ms AllowedCPUs=0 \
		Slice=holm-test.slice Delegate=yes TimeoutStopUSec=7s "Description=a box" \
		ControlGroup=/holm.slice/holm-test.slice/box-one.scope; do
		grep -qxF "$line" <<<"$output"
	done
	# told to reload, systemd takes nothing back
	ask_systemd daemon-reload
	# shellcheck disable=SC2086 # several words
	expect 0 $OUTSIDE cat /sys/fs/cgroup/holm.slice/holm-test.slice/box-one.scope/container/pids.max
	output_is 77
	ask_systemd stop box-one.scope
	within 30 no_scope_left
}

@test "exec goes into the scope, too" {
	bundle_edit '.linux.namespaces |= map(select(.type != "cgroup"))'
	expect 0 bundle_exec grep -E '^0::|:pids:' /proc/self/cgroup
	[[ $output == *"/box-one.scope/container"* ]]
	within 10 no_scope_left
}

@test "the subgroup has another name, or is not there" {
	bundle_edit '.linux.namespaces |= map(select(.type != "cgroup")) | .annotations["run.oci.systemd.subgroup"] = "inner"'
	expect 0 bundle sh -c 'grep -E "^0::|:pids:" /proc/self/cgroup'
	[[ $output == *"/box-one.scope/inner"* ]]
	bundle_edit '.annotations["run.oci.systemd.subgroup"] = ""'
	expect 0 bundle sh -c 'grep -E "^0::|:pids:" /proc/self/cgroup'
	grep -q '/box-one.scope$' <<<"$output"
	bundle_edit '.annotations["run.oci.systemd.subgroup"] = "../up"'
	bundle_refused 125 'run.oci.systemd.subgroup: "../up" is no name' bundle true
	within 10 no_scope_left
}

@test "a cgroup below the limits is given away" {
	bundle_edit '.linux.namespaces |= map(select(.type != "cgroup")) | .annotations["run.oci.delegate-cgroup"] = "payload"'
	if cgroup_v2; then
		expect 0 bundle sh -c 'cat /proc/self/cgroup; cat /sys/fs/cgroup/pids.max'
		[[ $output == *"/box-one.scope/container/payload"*max ]]
	else
		bundle_refused 125 "only cgroup v2 can be given away safely" bundle true
	fi
	within 10 no_scope_left
}

@test "annotations are properties, with their types" {
	only_fake
	bundle_edit '.annotations += { "org.systemd.property.TimeoutStopSec": "7",
		"org.systemd.property.KillMode": "\u0027mixed\u0027", "org.systemd.property.After": "[\u0027a.service\u0027, \u0027b.service\u0027]" }'
	expect 0 bundle true
	[ "$(given TimeoutStopUSec)" = 7000000 ]
	[ "$(given KillMode)" = mixed ]
	[ "$(given After)" = "a.service b.service" ]
	bundle_edit '.annotations += { "org.systemd.property.KillMode": "mixed" }'
	bundle_refused 125 'annotation org.systemd.property.KillMode: "mixed" is no value' bundle true
	within 10 no_scope_left
}

@test "a start that fails leaves no scope" {
	bundle_edit '.linux.resources = { cpu: { cpus: "0-8191" } }'
	expect 125 bundle true
	output_has cpu
	within 10 no_scope_left
	bundle_edit '.linux.resources = {}'
	expect 127 bundle nosuchcommand
	within 10 no_scope_left
}

@test "what systemd refuses is told in its words" {
	only_fake
	bundle_edit '.linux.cgroupsPath = "/holm/box"'
	bundle_refused 125 "the systemd manager takes slice:prefix:name" bundle true
	bundle_edit '.linux.cgroupsPath = "a--b.slice:box:one"'
	bundle_refused 125 "a--b.slice is not a slice" bundle true
	bundle_edit '.linux.cgroupsPath = "holm-test.slice:box:one"'
	FAKE_RESULT=timeout service "$BATS_TEST_DIRNAME/runtime/fake_systemd.py" "$BATS_TEST_TMPDIR/slow" "$CALLS"
	within 10 test -S "$BATS_TEST_TMPDIR/slow"
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$BATS_TEST_TMPDIR/slow bundle_refused 125 \
		"systemd: box-one.scope: timeout" bundle true
	within 10 no_scope_left
}

@test "where no systemd answers it is said so" {
	BUNDLE_WRAPPER=''
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$BATS_TEST_TMPDIR/nobody bundle_refused 125 \
		"systemd does not answer: connect to unix:path=$BATS_TEST_TMPDIR/nobody" bundle true
	output_has "use the cgroupfs manager"
	within 10 no_scope_left
}

@test "another scope of that name is not taken over" {
	bundle_edit '.process.args = ["sleep", "60"]'
	# shellcheck disable=SC2086 # several words
	service $BUNDLE_WRAPPER "$BUNDLE_PROGRAMS/bundle_run" -s "$BUNDLE" box-first
	within 30 scope_is_there
	expect 125 bundle_again
	output_has StartTransientUnit
	scope_is_there
	if real; then
		ask_systemd stop box-one.scope
	else
		kill -9 "$(pgrep -P "${SERVICES[-1]}" -x sleep)"
	fi
	within 30 no_scope_left
}
