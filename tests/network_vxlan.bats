#!/usr/bin/env bats
# Networks that span hosts, and what a bridge keeps apart. The other host is a network namespace with
# a store of its own.
load holm
load networks

setup_file() {
	needs_root "networks of a user are not the host's, at which the test looks"
}

setup() {
	networks_setup
	service unshare -n sleep 1000
	OTHER=${SERVICES[-1]}
	within 5 apart "$OTHER"
	ip link add wire type veth peer name wire netns "$OTHER"
	ip address add 192.0.2.1/24 dev wire
	ip link set wire up
	there ip address add 192.0.2.2/24 dev wire
	there ip link set wire up
	there ip link set lo up
}

teardown() {
	holm_there ps -aq | xargs -r nsenter -t "$OTHER" -n env "HOLM_ROOT=$HOLM_ROOT.2" "HOLM_RUN=$HOLM_RUN.2" holm rm -f >/dev/null 2>&1 || true
	networks_end
	ip link delete wire 2>/dev/null || true
	networks_forget
}

there() { # COMMAND...
	nsenter -t "$OTHER" -n "$@"
}

holm_there() { # ARGUMENT...
	there env "HOLM_ROOT=$HOLM_ROOT.2" "HOLM_RUN=$HOLM_RUN.2" holm "$@"
}

@test "vxlan: containers of two hosts are neighbours" {
	holm network create -d vxlan -o vxlan_id=7 -o remote=192.0.2.2 -o parent=wire --subnet 10.97.0.0/16 \
		--ip-range 10.97.1.0/24 --gateway 10.97.1.1 wide >/dev/null
	holm_there network create -d vxlan -o vxlan_id=7 -o remote=192.0.2.1 -o parent=wire --subnet 10.97.0.0/16 \
		--ip-range 10.97.2.0/24 --gateway 10.97.2.1 wide >/dev/null
	holm run -d --name one --network wide:ip=10.97.1.9 busybox \
		sh -c 'while :; do echo from one | nc -l -p 80; done' >/dev/null
	holm_there run -d --name two --cap-add NET_RAW --network wide busybox sleep 1000 >/dev/null
	expect 0 holm_there exec two ping -c 1 -W "$(seconds 2)" 10.97.1.9
	within 5 reads_from_one
	# packets have room for what the tunnel adds
	expect 0 holm_there exec two ip link show eth0
	output_has "mtu 1450"
	expect 0 holm_there exec two ping -c 1 -s 1400 -W "$(seconds 2)" 10.97.1.9
	# the tunnel is mended when somebody removed it
	ip -o link show type vxlan | grep -q vx-
	ip link delete "$(ip -j link show type vxlan | jq -r '.[0].ifname')"
	holm run --rm --network wide busybox true
	expect 0 holm_there exec two ping -c 1 -W "$(seconds 2)" 10.97.1.9
	holm rm -f one >/dev/null
	holm network rm wide >/dev/null
	[ -z "$(ip -o link show type vxlan)" ]
}

reads_from_one() {
	[ "$(holm_there exec two nc -w 2 10.97.1.9 80 </dev/null)" = "from one" ]
}

@test "vxlan: what is missing is asked for" {
	refused 1 "which network of the tunnel is it?" holm network create -d vxlan -o remote=192.0.2.2 x
	refused 1 "where are the other hosts?" holm network create -d vxlan -o vxlan_id=7 x
	refused 1 "--opt vxlan_id=16777216: not a number from 1 to 16777215" \
		holm network create -d vxlan -o vxlan_id=16777216 -o remote=192.0.2.2 x
	refused 1 "--opt remote: IPv4 and IPv6 in one tunnel" \
		holm network create -d vxlan -o vxlan_id=7 -o remote=192.0.2.2,2001:db8::2 x
	refused 1 "--opt group: by which device?" holm network create -d vxlan -o vxlan_id=7 -o group=239.1.1.1 x
	refused 1 "--opt remote: 'here' is not an IP address" holm network create -d vxlan -o vxlan_id=7 -o remote=here x
}

@test "containers of a network with enable_icc=false reach the host and not each other" {
	local one
	holm network create -o com.docker.network.bridge.enable_icc=false apart >/dev/null
	holm run -d --name one --cap-add NET_RAW --network apart busybox sleep 1000 >/dev/null
	holm run -d --name two --cap-add NET_RAW --network apart busybox sleep 1000 >/dev/null
	one=$(holm inspect --format '{{.NetworkSettings.Networks.apart.IPAddress}}' one)
	gateway=$(holm inspect --format '{{.NetworkSettings.Networks.apart.Gateway}}' one)
	expect 0 holm exec two ping -c 1 -W "$(seconds 1)" "$gateway"
	expect 1 holm exec two ping -c 1 -W 1 "$one"
	# nor over the host: the gateway's address as the next hop to a neighbour
	in_net two ip route add "$one" via "$gateway"
	expect 1 holm exec two ping -c 1 -W 1 "$one"
	refused 1 "neither true nor false" holm network create -o com.docker.network.bridge.enable_icc=maybe x
	refused 1 "networks are apart" holm network create -o isolate=false x
	expect 0 holm network create -o isolate=true other
}

@test "on a bridge, too, a container uses its own addresses alone" {
	local one mac
	holm network create --ipv6 --subnet 10.97.4.0/24 net >/dev/null
	holm run -d --name one --cap-add NET_RAW --network net:ip=10.97.4.9 busybox sleep 1000 >/dev/null
	holm run -d --name two --cap-add NET_RAW --network net busybox sleep 1000 >/dev/null
	two=$(pid_of two)
	nsenter -t "$two" -n ip address add 10.97.4.77/24 dev eth0
	expect 0 holm exec two ping -c 1 -W "$(seconds 1)" 10.97.4.9
	expect 1 holm exec two ping -c 1 -W 1 -I 10.97.4.77 10.97.4.9
	# what it shouts about another's address is not heard: one's neighbours stay as they are
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" 10.97.4.1
	claims two
	not believes two
	# unless it is permitted
	holm run -d --name three --cap-add NET_RAW --network net:allow=10.97.4.78 busybox sleep 1000 >/dev/null
	in_net three ip address add 10.97.4.78/24 dev eth0
	expect 0 holm exec three ping -c 1 -W "$(seconds 1)" -I 10.97.4.78 10.97.4.9
	holm run -d --name any --cap-add NET_RAW --network net:allow=any busybox sleep 1000 >/dev/null
	claims any
	believes any
}

# To be the gateway; twice, since what was learned in the last second is not forgotten so soon.
claims() { # CONTAINER
	in_net "$1" ip address add 10.97.4.1/32 dev eth0
	in_net "$1" busybox arping -q -U -c 2 -I eth0 10.97.4.1 || true
}

# Does one take it for the gateway?
believes() { # CONTAINER
	local mac
	mac=$(in_net "$1" ip -j link show eth0 | jq -r '.[0].address')
	in_net one ip neigh show 10.97.4.1 | grep -F "$mac"
}
