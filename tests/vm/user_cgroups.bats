#!/usr/bin/env bats
# Limits for the containers of an ordinary user: scopes of the user's own systemd, and cgroups that were
# delegated. On the system itself: a user whose services run without a login.
# shellcheck disable=SC2016,SC2154 # scripts for other shells; bats sets what is unset here
load ../holm
load ../runtime/bundle
load ../runtime/oci

# shellcheck disable=SC2034 # for runtime/bundle
BUNDLE_PROGRAMS=$BATS_TEST_DIRNAME/../../unit/src/runtime
PERSON=holm-test

setup() {
	[ -d /run/systemd/system ] || skip "no systemd here"
	cgroup_v2 || skip "a user is given no cgroup of v1"
	[ -e /usr/lib/systemd/user/dbus.socket ] || skip "users have no bus here (dbus-user-session)"
	oci_setup
	useradd --create-home --shell /bin/sh $PERSON
	loginctl enable-linger $PERSON
	RUN=/run/user/$(id -u $PERSON)
	within 30 test -S "$RUN/bus"
	cp -r "$BUNDLE" /home/$PERSON/bundle # into bats' own folders nobody else gets
	BUNDLE=/home/$PERSON/bundle
	chown -R $PERSON: $BUNDLE
	bundle_edit '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 77 } } | .process.args = $ARGS.positional' \
		--args -- cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max
}

teardown() {
	[ -z "${RUN:-}" ] || {
		loginctl disable-linger $PERSON
		loginctl terminate-user $PERSON || true
		within 30 not test -e "$RUN/bus"
	}
	! id $PERSON >/dev/null 2>&1 || userdel --remove $PERSON 2>/dev/null || true
	oci_teardown
}

as_user() { # COMMAND...
	setpriv --reuid $PERSON --regid $PERSON --init-groups env -i -C /home/$PERSON PATH="$PATH" \
		HOME=/home/$PERSON XDG_RUNTIME_DIR="$RUN" "$@"
}

# The same as a service of the user's systemd, for which systemd-run takes the options.
as_service() { # [OPTION...] COMMAND...
	as_user systemd-run --user --pipe --wait --quiet --collect "$@"
}

runtime() { # ARGUMENT...
	as_service "$(command -v holm-runtime)" --root "$RUN/holm-test" --systemd-cgroup "$@"
}

# What stays must not hold the pipe that systemd-run waits for.
runtime_detached() { # ARGUMENT...
	as_service sh -c 'exec "$0" "$@" </dev/null >/dev/null 2>&1' "$(command -v holm-runtime)" \
		--root "$RUN/holm-test" --systemd-cgroup "$@"
}

@test "--systemd-cgroup of a user: a scope of the user's own systemd, with its limits" {
	bundle_edit '.linux.cgroupsPath = "user.slice:holm:limited"'
	expect 0 runtime run --bundle "$BUNDLE" limited
	output_is $'67108864\n77'
	bundle_edit '.process.args = ["sleep", "1000"]'
	expect 0 runtime_detached run --detach --bundle "$BUNDLE" limited
	expect 0 as_user systemctl --user show -p MemoryMax,TasksMax --value holm-limited.scope
	output_has 67108864
	output_has 77
	expect 0 runtime update --memory 33554432 limited
	expect 0 as_user systemctl --user show -p MemoryMax --value holm-limited.scope
	output_is 33554432
	expect 0 runtime exec limited cat /proc/self/cgroup
	output_is "0::/"
	expect 0 runtime delete --force limited
	within 20 not as_user systemctl --user is-active --quiet holm-limited.scope
}

@test "a cgroup that was delegated: limits beside the caller's own, and told without one" {
	# the folder that was given has no processes of its own once the shell is in one below (0: itself;
	# of $$ systemd makes $)
	expect 0 as_service -p Delegate=yes sh -c \
		'cg=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup); mkdir $cg/shell && echo 0 >$cg/shell/cgroup.procs &&
		"$1" --root "$2" run --bundle "$3" delegated' \
		- "$(command -v holm-runtime)" "$RUN/holm-test" "$BUNDLE"
	output_is $'67108864\n77'
	run --separate-stderr as_user holm-runtime --root "$RUN/holm-test" run --bundle "$BUNDLE" refused
	[ "$status" != 0 ]
	[[ $stderr == *"Delegate=yes"* ]]
}

# holm of the user, as a service would call it.
h() { # ARGUMENT...
	as_service -E "HOLM_LIBEXEC=$HOLM_LIBEXEC" -E NO_COLOR=1 "$(command -v holm)" "$@"
}

scope_of() { # NAME
	as_user systemctl --user list-units --plain --no-legend --type scope "*$(h inspect --format '{{.Id}}' "$1")*" |
		awk '{ print $1 }' | grep -v monitor
}

@test "holm of a user: limits, pause, stats and update in a scope of the user's own systemd" {
	expect 0 h run -d --name web --network none -m 64m --pids-limit 77 busybox sleep 1000
	expect 0 h exec web cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max
	output_is $'67108864\n77'
	scope=$(scope_of web)
	[ -n "$scope" ]
	expect 0 as_user systemctl --user show -p MemoryMax --value "$scope"
	output_is 67108864
	expect 0 h update -m 32m --memory-swap 32m web
	expect 0 as_user systemctl --user show -p MemoryMax --value "$scope"
	output_is 33554432
	expect 0 h pause web
	expect 0 h ps --format '{{.Status}}'
	output_has Paused
	expect 0 h unpause web
	expect 0 h stats --no-stream --format '{{.MemUsage}}' web
	output_has "32MiB"
	expect 0 h rm -f web
	within 20 not as_user systemctl --user is-active --quiet "$scope"
	expect 0 h doctor --format json
	jq -se 'any(.[]; .Name == "cgroup of yours" and .Verdict == "ok")' <<<"$output"
}

@test "holm of a user: a limit that was asked for and cannot be set is an error that says what mends it" {
	run --separate-stderr h run --rm --network none --cpuset-cpus 0 busybox true
	[ "$status" = 125 ]
	[[ $stderr == *cpuset* && $stderr == *"systemctl edit user@.service"* ]]
	# without a systemd of the user's nothing is asked for by default, and so nothing refused
	expect 0 as_user env -u XDG_RUNTIME_DIR HOLM_LIBEXEC="$HOLM_LIBEXEC" holm --run "/home/$PERSON/run" run --rm --network none busybox echo fine
	output_is fine
	run --separate-stderr as_user env -u XDG_RUNTIME_DIR HOLM_LIBEXEC="$HOLM_LIBEXEC" \
		holm --run "/home/$PERSON/run" run --rm --network none -m 64m busybox true
	[ "$status" = 125 ]
	[[ $stderr == *"loginctl enable-linger"* && $stderr == *"chown /sys/fs/cgroup"* ]]
}

@test "the user's holm-autostart.service starts and stops what should run" {
	h create --name web --network none --restart unless-stopped busybox sleep 1000
	h create --name plain --network none busybox sleep 1000
	mkdir -p "/home/$PERSON/.config/systemd/user"
	sed "s,/[^ ]*/bin/holm ,$(command -v holm) ,; s,^\[Service\],&\nEnvironment=HOLM_LIBEXEC=$HOLM_LIBEXEC," \
		"$HOLM_STAGE/lib/systemd/user/holm-autostart.service" \
		>"/home/$PERSON/.config/systemd/user/holm-autostart.service"
	chown -R $PERSON: "/home/$PERSON/.config"
	as_user systemctl --user daemon-reload
	expect 0 as_user systemctl --user enable --now holm-autostart
	expect 0 h ps --format '{{.Names}}'
	output_is web
	expect 0 as_user systemctl --user stop holm-autostart
	expect 0 h ps -q
	output_is ""
	# and with the user's manager, that is at boot
	loginctl terminate-user $PERSON
	within 30 not test -e "$RUN/bus"
	loginctl disable-linger $PERSON
	loginctl enable-linger $PERSON
	within 60 test -S "$RUN/bus"
	within 60 eval '[ "$(h ps --format "{{.Names}}")" = web ]'
	h rm -f web plain
}

@test "systemd boots for a user" {
	made_image systemd layout
	chmod -R a+rX "$layout"
	h pull -q "oci:$layout:bookworm" >/dev/null
	expect 0 h launch --network none bookworm deb
	expect 0 h exec deb systemctl is-system-running
	output_is running
	expect 0 h rm -f deb
}

# A process of the user's that is not in the user's part of the tree, as after a login.
session() { # ARGUMENT...
	as_user env "HOLM_LIBEXEC=$HOLM_LIBEXEC" "$(command -v holm)" "$@"
}

@test "holm of a user after a login: run, exec and the foreground are in the user's part of the tree" {
	expect 0 session run --rm --network none -m 64m busybox cat /sys/fs/cgroup/memory.max
	output_is 67108864
	expect 0 session run -d --name web --network none -m 64m busybox sleep 1000
	expect 0 session exec web cat /sys/fs/cgroup/memory.max
	output_is 67108864
	expect 0 session pause web
	expect 0 session unpause web
	expect 0 session rm -f web
}
