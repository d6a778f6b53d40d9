# lan.bash - for tests of networks that reach into the host's own: `load lan` after `load holm`
# and `load networks`.
# shellcheck shell=bash disable=SC2154

# A neighbour on the host's own network: 192.0.2.2 and 2001:db8::2, and we are .1 and ::1 there.
setup() {
	networks_setup
	ip link add lan type veth peer name neighbour
	ip address add 192.0.2.1/24 dev lan
	ip address add 2001:db8::1/64 dev lan nodad
	ip link set lan up
	holm run -d --name neighbour --network none --cap-add NET_RAW busybox sleep 1000 >/dev/null
	ip link set neighbour netns "$(pid_of neighbour)"
	in_neighbour ip address add 192.0.2.2/24 dev neighbour
	in_neighbour ip address add 2001:db8::2/64 dev neighbour nodad
	in_neighbour ip link set neighbour up
}

teardown() {
	networks_end
	ip link delete lan 2>/dev/null || true
	ip link delete wire 2>/dev/null || true
	networks_forget
}

mac_of() { # DEVICE
	ip -j link show "$1" | jq -r '.[0].address'
}

in_neighbour() { # COMMAND...
	nsenter -t "$(pid_of neighbour)" -n "$@"
}

outer_of() { # CONTAINER
	jq -r '.places[0].outer' "$HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' "$1")/network.json"
}

sleeper_at() { # NETWORK[:OPTIONS] NAME [ARGUMENT...]
	local network=$1 name=$2
	shift 2
	sleeper "$name" --network "$network" "$@"
}
