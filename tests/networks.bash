# networks.bash - for tests of networks: `load networks` after `load holm`. What they leave on the host
# (bridges, rules) is taken away after each test.
# shellcheck shell=bash

setup() {
	networks_setup
}

teardown() {
	networks_teardown
}

networks_setup() {
	holm_setup
	needs nft
}

networks_teardown() {
	networks_end
	networks_forget
}

# Ends all that is in a network, or keeps the namespace of one, and the networks.
networks_end() {
	services_stop
	ip link delete outside 2>/dev/null || true
	holm ps -aq | xargs -r holm rm -f >/dev/null 2>&1 || true
	holm network prune -f >/dev/null 2>&1 || true
}

# Behind that: no device of theirs may be left. The default bridge and the rules stay by design. (Of a
# teardown bats takes the last status alone.)
networks_forget() {
	local status=0
	within 10 not has_veth || status=1
	ip link delete holm0 2>/dev/null || true
	ip link delete holm-out 2>/dev/null || true
	nft delete table inet holm 2>/dev/null || true
	holm_teardown || status=1
	return $status
}

# Of containers: one pair more stays where a port was published, by which the host's rules judge.
has_veth() {
	ip -o link show type veth | grep -qv ' holm-in@\| holm-out@'
}

address_of() { # CONTAINER [NETWORK]
	holm inspect --format "{{(index .NetworkSettings.Networks \"${2:-bridge}\").IPAddress}}" "$1"
}

pid_of() { # CONTAINER
	holm inspect --format '{{.State.Pid}}' "$1"
}

# With the host's programs in the container's network.
in_net() { # CONTAINER COMMAND...
	local pid
	pid=$(pid_of "$1")
	shift
	nsenter -t "$pid" -n "$@"
}

# Is it in its own network yet?
apart() { # PID
	[ ! "/proc/$1/ns/net" -ef /proc/self/ns/net ]
}

sleeper() { # NAME [ARGUMENT...]
	local name=$1
	shift
	holm run -d --name "$name" --cap-add NET_RAW "$@" busybox sleep 1000 >/dev/null
}

# Another host, in the namespace of a container: 192.0.2.2 and fd01::2, and we are .1 and ::1 to it. It
# knows the way to our containers.
make_world() {
	ip link add outside type veth peer name world
	ip address add 192.0.2.1/24 dev outside
	ip address add fd01::1/64 dev outside nodad
	ip link set outside up
	holm run -d --name world --network none busybox sleep 1000 >/dev/null
	WORLD=$(pid_of world)
	ip link set world netns "$WORLD"
	in_world ip address add 192.0.2.2/24 dev world
	in_world ip address add fd01::2/64 dev world nodad
	in_world ip link set world up
	in_world ip route add 10.99.0.0/24 via 192.0.2.1
}

in_world() { # COMMAND...
	nsenter -t "$WORLD" -n "$@"
}
