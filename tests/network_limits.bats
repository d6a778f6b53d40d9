#!/usr/bin/env bats
# How fast: over each kind of network, and no faster than was said. iperf3 measures.
load holm
load networks
load lan

# Bits a second that SIDE (received, sent) of iperf3 saw; with the server in the container's network.
bits() { # CONTAINER ADDRESS SIDE ARGUMENT...
	local container=$1 address=$2 side=$3
	shift 3
	serve "$container"
	"${FROM:-env}" iperf3 -J -c "$address" "$@" | jq ".end.sum_$side.bits_per_second | floor"
}

# Answers one client.
serve() { # CONTAINER
	service nsenter -t "$(pid_of "$1")" -n iperf3 -s -1 -p 5201
	within 5 serves "$1"
}

serves() { # CONTAINER
	in_net "$1" ss -Htln 'sport = 5201' | grep -q .
}

between() { # LOW VALUE HIGH
	if [ "$2" -lt "$1" ] || [ "$2" -gt "$3" ]; then
		echo "$2 is not between $1 and $3"
		return 1
	fi
}

@test "limits.ingress and limits.egress: what a container receives and sends" {
	needs iperf3
	local address=10.96.3.9
	holm network create --subnet 10.96.3.0/24 net >/dev/null
	sleeper_at net:ip=$address,limits.ingress=20mbit,limits.egress=40mbit one
	between 4000000 "$(bits one $address received -t 1)" 26000000
	between 8000000 "$(bits one $address received -t 1 -R)" 52000000
	# UDP as well, beyond the rate
	between 4000000 "$(bits one $address received -t 1 -u -b 100M)" 26000000
	# and what has no limit goes faster
	sleeper_at net:ip=10.96.3.10 two
	between 60000000 "$(bits two 10.96.3.10 received -t 1)" 1000000000000
	expect 0 holm run --rm --network net:limits.max=1gbit busybox true
	refused 125 "limits.max=10: not a rate" holm run --rm --network net:limits.max=10 busybox true
	refused 125 "limits.egress=1kbit: not a rate" holm run --rm --network net:limits.egress=1kbit busybox true
}

@test "iperf3 over each kind, and stats count what it was" {
	needs iperf3
	FROM=in_neighbour
	holm network create -d routed -o parent=lan --subnet 192.0.2.0/24 --ip-range 192.0.2.64/26 routed >/dev/null
	sleeper_at routed:ip=192.0.2.70 one
	between 10000000 "$(bits one 192.0.2.70 received -n 8M)" 1000000000000
	holm rm -f one >/dev/null
	holm network rm routed >/dev/null
	holm network create -d macvlan -o parent=lan --subnet 192.0.2.0/24 --ip-range 192.0.2.64/26 mac >/dev/null
	sleeper_at mac:ip=192.0.2.71 one
	between 10000000 "$(bits one 192.0.2.71 received -n 8M)" 1000000000000
	expect 0 holm stats --no-stream --format json one
	# 8 MiB less what was under way when it ended
	[[ $(jq -r .NetIO <<<"$output") =~ ^[4-9]\.[0-9]*MB ]]
	holm rm -f one >/dev/null
	unset FROM
	sleeper_at bridge two
	between 10000000 "$(bits two "$(holm inspect --format '{{.NetworkSettings.IPAddress}}' two)" received -n 8M)" 1000000000000
	expect 0 holm stats --no-stream --format json two
	[[ $(jq -r .NetIO <<<"$output") =~ ^[4-9]\.[0-9]*MB ]]
}
