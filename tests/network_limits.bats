#!/usr/bin/env bats
# How fast: over each kind of network, and no faster than was said. iperf3 measures.
load holm
load networks
load lan

setup_file() {
	needs_root "networks of a user are not the host's, at which the test looks"
}

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

# How many of five connections there are at once.
held() { # COMMAND... ADDRESS PORT
	"$@" <<-'E'
	import socket, sys
	held = []
	for _ in range(5):
	    s = socket.socket()
	    s.settimeout(0.5)
	    try:
	        s.connect((sys.argv[1], int(sys.argv[2])))
	        held.append(s)
	    except OSError:
	        pass
	print(len(held))
	E
}

@test "limits.connections: those that it opens and those to its ports, at once, and no more" {
	holm run -d --name one -p 8080:80 --network "bridge:limits.connections=3" busybox httpd -f -p 80 >/dev/null
	sleeper two
	sleeper three --network bridge:limits.connections=2
	within 5 in_net one ss -Htln 'sport = 80'
	[ "$(held in_neighbour python3 - 192.0.2.1 8080)" = 3 ]
	# its own
	service nsenter -t "$(pid_of neighbour)" -n python3 -m http.server 9000 --bind 192.0.2.2
	within 5 in_neighbour curl -s -m 1 -o /dev/null http://192.0.2.2:9000/
	[ "$(held in_net three python3 - 192.0.2.2 9000)" = 2 ]
	[ "$(held in_net two python3 - 192.0.2.2 9000)" = 5 ]
	# its end takes it back, also if nobody was there to do so, and so does leaving the network
	nft list map inet holm gets4 | grep -q "$(address_of one) : jump gets-3"
	nft flush ruleset
	expect 0 holm network reload
	nft list map inet holm opens4 | grep -q "$(address_of one) : jump opens-3"
	expect 0 holm network disconnect bridge one
	! nft list map inet holm opens4 | grep -q "jump opens-3" || false
	expect 0 holm network connect --driver-opt limits.connections=7 bridge one
	nft list map inet holm opens4 | grep -q "$(address_of one) : jump opens-7"
	holm rm -f one three >/dev/null
	! nft list map inet holm opens4 | grep -q jump || false
	refused 125 "limits.connections=0: not a number from 1" holm run --rm --network bridge:limits.connections=0 busybox true
}

@test "limits.priority: what it sends has it on its way out" {
	nft add table inet seen
	nft add chain inet seen out '{ type filter hook postrouting priority 300; }'
	nft add rule inet seen out ip daddr 192.0.2.2 meta priority 0:6 counter
	for priority in 6 1; do
		holm run -d --name "p$priority" --cap-add NET_RAW --network "bridge:limits.priority=$priority" busybox sleep 1000 >/dev/null
		expect 0 holm exec "p$priority" ping -c 2 -W 2 192.0.2.2
	done
	nft list table inet seen | grep -q "counter packets 2 "
	nft delete table inet seen
	expect 0 holm network ls -v --format '{{.Limits}}'
	output_has "priority=6"
	holm rm -f p6 p1 >/dev/null
	! nft list map inet holm priorities4 | grep -q elements || false
	refused 125 "limits.priority=16: not a number from 0 to 15" holm run --rm --network bridge:limits.priority=16 busybox true
	holm network create -d macvlan -o parent=lan --subnet 192.0.2.0/24 --ip-range 192.0.2.64/26 mac >/dev/null
	refused 125 "limits.max: the network mac is a macvlan, where nothing is limited" \
		holm run --rm --network mac:limits.max=1mbit busybox true
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
