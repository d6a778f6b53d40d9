#!/usr/bin/env bats
# Containers and the services of systemd: whose cgroup a monitor is in, and holm-autostart.service.
load ../holm

teardown() {
	systemctl stop holm-test holm-autostart 2>/dev/null || true
	rm -rf /run/systemd/system/holm-autostart.service /run/systemd/system/holm-autostart.service.d
	systemctl daemon-reload
	systemctl reset-failed holm-test 2>/dev/null || true
	holm_teardown
}

# A service of systemd's with this command, and with the test's store.
in_service() { # COMMAND...
	systemd-run --quiet --unit holm-test "$@"
}

environment() {
	printf '%s\n' "HOLM_ROOT=$HOLM_ROOT" "HOLM_RUN=$HOLM_RUN" "HOLM_LIBEXEC=$HOLM_LIBEXEC" "PATH=$PATH"
}

detached() { # NAME [OPTION...]: started by a service that stays active
	local name=$1 options=()
	shift
	while read -r line; do
		options+=(-E "$line")
	done < <(environment)
	in_service -p Type=oneshot -p RemainAfterExit=yes "${options[@]}" "$(command -v holm)" run -d --name "$name" "$@"
}

status_of() {
	holm inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1"
}

is() { # STATUS NAME
	[[ $(status_of "$2") == $1* ]]
}

monitor_of() {
	pgrep -f "holm-monitor run $HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' "$1")" | head -n 1
}

# The last part of the monitor's cgroup, as systemd sees it.
unit_of() {
	sed -n 's,^0::.*/,,p; s,^[0-9]*:name=systemd:.*/,,p' "/proc/$(monitor_of "$1")/cgroup" | tail -n 1
}

scopes() {
	systemctl list-units --plain --no-legend 'holm-monitor-*.scope' | awk '{ print $1 }'
}

no_scopes() {
	[ -z "$(scopes)" ]
}

@test "run -d from a service outlives it, in a scope that ends with the container" {
	detached web busybox sleep 1000
	is running web
	[[ $(unit_of web) == holm-monitor-*.scope ]]
	systemctl show -p Before "$(unit_of web)" | grep -q 'holm-autostart.service'
	systemctl stop holm-test
	is running web
	expect 0 holm exec web true
	holm stop -t 0 web
	within 5 no_scopes
}

@test "in the foreground of a service it stays, and ends with it" {
	local options=()
	while read -r line; do
		options+=(-E "$line")
	done < <(environment)
	in_service -p Type=exec "${options[@]}" "$(command -v holm)" run --name web busybox sleep 1000
	within 10 is running web
	[ "$(unit_of web)" = holm-test.service ]
	systemctl stop holm-test
	within 5 is exited web
	no_scopes
}

@test "from a scope, as in a login session, it stays where it is" {
	systemd-run --quiet --scope --unit holm-test-session holm run -d --name web busybox sleep 1000
	[ "$(unit_of web)" = holm-test-session.scope ]
	no_scopes
	holm stop -t 0 web
}

@test "a scope that systemd stops stops its container, which is not a person's stop" {
	detached web --restart unless-stopped busybox sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
	within 10 said web ready
	systemctl stop "$(unit_of web)"
	within 5 is 'exited 7' web
	expect 0 holm autostart
	output_is 'started web'
}

@test "holm-autostart.service starts and stops what should run" {
	holm create --name db busybox sleep 1000
	holm create --name web --restart unless-stopped --requires db busybox sleep 1000
	holm create --name plain busybox sleep 1000
	mkdir -p /run/systemd/system/holm-autostart.service.d
	sed "s,/[^ ]*/bin/holm ,$(command -v holm) ," "$HOLM_STAGE/lib/systemd/system/holm-autostart.service" \
		>/run/systemd/system/holm-autostart.service
	{
		echo '[Service]'
		environment | sed 's/^/Environment=/'
	} >/run/systemd/system/holm-autostart.service.d/test.conf
	systemctl daemon-reload
	systemctl start holm-autostart
	is running web
	is running db
	is created plain
	[[ $(unit_of web) == holm-monitor-*.scope ]]
	[ "$(systemctl is-active holm-autostart)" = active ]
	systemctl stop holm-autostart
	is exited web
	is exited db
	systemctl start holm-autostart
	is running web
	journalctl -u holm-autostart -o cat | grep -q 'stopped web'
}
