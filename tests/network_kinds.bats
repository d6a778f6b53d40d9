#!/usr/bin/env bats
# Networks on the host's own devices: macvlan, ipvlan, vlan, phys.
load holm
load networks
load lan

setup_file() {
	needs_root "networks of a user are not the host's, at which the test looks"
}

knows() { # KIND: has the kernel such devices?
	! ip link add holm-probe type "$1" 2>&1 | grep -q 'Unknown device type'
}

lanwork() { # DRIVER NAME [ARGUMENT...]
	local driver=$1 name=$2
	shift 2
	holm network create -d "$driver" --subnet 192.0.2.0/24 --ip-range 192.0.2.128/25 \
		--gateway 192.0.2.2 "$@" "$name" >/dev/null
}

@test "macvlan: containers are neighbours of the host's neighbours, with addresses and MACs of their own" {
	lanwork macvlan mac -o parent=lan
	sleeper_at mac one
	sleeper_at mac:ip=192.0.2.200,mac=02:00:00:00:00:07,interface_name=lan0 two
	expect 0 in_neighbour busybox ping -c 1 -W "$(seconds 1)" 192.0.2.200
	expect 0 in_neighbour ip neigh show 192.0.2.200
	output_has 02:00:00:00:00:07
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" 192.0.2.200
	expect 0 holm exec two ip -o address show lan0
	output_has 192.0.2.200/24
	expect 0 holm exec two ip route
	output_has "default via 192.0.2.2 dev lan0"
	expect 0 holm inspect --format '{{.NetworkSettings.Networks.mac.MacAddress}}' two
	output_is 02:00:00:00:00:07
	refused 125 "the address 192.0.2.1 is the host's own" \
		holm run --rm --network mac:ip=192.0.2.1 busybox true
	# which one of them is private hears the neighbours and not the others
	holm rm -f one two >/dev/null
	holm network rm mac >/dev/null
	lanwork macvlan mac -o parent=lan -o macvlan_mode=private
	sleeper_at mac one
	sleeper_at mac:ip=192.0.2.201 two
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" 192.0.2.2
	expect 1 holm exec one ping -c 1 -W 1 192.0.2.201
}

@test "macvlan: what cannot be is refused by name" {
	refused 1 "--opt macvlan_mode=weird: not one of bridge, private, vepa, passthru" \
		holm network create -d macvlan -o parent=lan -o macvlan_mode=weird x
	refused 1 "there is no network device nowhere" holm network create -d macvlan -o parent=nowhere x
	refused 1 "on which of the host's devices?" holm network create -d macvlan x
	refused 1 "--opt ipvlan_mode: not one of" holm network create -d macvlan -o parent=lan -o ipvlan_mode=l2 x
	refused 1 "it overlaps 192.0.2.1/24 of lan" holm network create --subnet 192.0.2.0/25 x
	lanwork macvlan mac -o parent=lan -o macvlan_mode=passthru
	sleeper_at mac one
	refused 125 "join the network mac" holm run --rm --network mac busybox true
}

@test "phys: a device moves into the container, and back, also after kill -9" {
	ip link add wire type veth peer name far
	ip link set wire address 02:00:00:00:00:11 mtu 1400 up
	ip address add 198.51.100.2/24 dev wire
	ip address add fd77::2/64 dev wire nodad
	holm network create -d phys -o parent=wire --subnet 198.51.100.0/24 --gateway 198.51.100.1 card >/dev/null
	sleeper_at card:ip=198.51.100.7 one
	expect 0 holm exec one ip -o address show eth0
	output_has 198.51.100.7/24
	expect 0 holm exec one ip link show eth0
	output_has 02:00:00:00:00:11
	expect 1 ip link show wire
	refused 125 "the device wire is in the container" holm run --rm --network card busybox true
	# the end of one that had it before takes it from nobody
	id=$(holm inspect --format '{{.Id}}' one)
	dead=$HOLM_RUN/containers/.dead-$(tr 0-9a-f 1-9a-f0 <<<"$id")
	mkdir "$dead"
	cp "$HOLM_RUN/containers/$id/network.json" "$dead"
	expect 0 holm network leave "$dead"
	rm -r "$dead"
	expect 1 ip link show wire
	holm rm -f one >/dev/null
	within 5 ip link show wire
	ip -o link show wire up | grep -q wire
	expect 0 ip -o address show wire
	output_has "198.51.100.2/24"
	output_has "fd77::2/64"
	# a start that fails after the device has moved
	refused 125 "/nosuch" holm run --rm --network card --device /nosuch busybox true
	ip link show wire
	[ ! -e "$HOLM_RUN/moved/wire" ]
	# a MAC of its own is not taken back home
	sleeper_at card:mac=02:00:00:00:00:22 one
	kill -KILL "$(cat "$HOLM_RUN"/containers/*/state.json | jq -r 'select(.monitorPid) | .monitorPid' | sort -n | tail -1)"
	within 5 came_back
	expect 0 ip link show wire
	output_has 02:00:00:00:00:11
	output_has "mtu 1400"
	[ ! -e "$HOLM_RUN/moved/wire" ]
	expect 0 holm start one
	expect 0 holm exec one ip link show eth0
	output_has 02:00:00:00:00:22
	holm rm -f one >/dev/null
	within 5 ip link show wire
	ip link delete wire
	refused 125 "there is no network device wire" holm run --rm --network card busybox true
}

@test "phys: what a start killed at an abort point left is taken back by the next, its own or another's" {
	needs_abort_points
	ip link add wire type veth peer name far
	ip address add 198.51.100.2/24 dev wire
	ip link set wire up
	holm network create -d phys -o parent=wire --subnet 198.51.100.0/24 card >/dev/null
	HOLM_FAULT=network.joined run holm run -d --name one --network card busybox sleep 1000
	[ "$status" = 137 ]
	expect 1 ip link show wire
	expect 0 holm run --rm --network card busybox ip link show eth0
	within 5 ip link show wire
	expect 0 ip -o address show wire
	output_has "198.51.100.2/24"
	HOLM_FAULT=network.joined run holm start one
	[ "$status" = 137 ]
	expect 1 ip link show wire
	expect 0 holm start one
	expect 0 holm exec one ip link show eth0
	holm rm -f one >/dev/null
	within 5 ip link show wire
	[ ! -e "$HOLM_RUN/moved/wire" ]
}

# With the next command that meets the container.
came_back() {
	holm ps -a >/dev/null
	ip link show wire
}

@test "ipvlan, vlan: as the kernel has them, or an error that says what it lacks" {
	lanwork ipvlan ipv -o parent=lan
	if ! knows ipvlan; then
		refused 125 "the kernel has no devices of the kind ipvlan" holm run --rm --network ipv busybox true
		output_has "modprobe ipvlan"
		holm network rm ipv >/dev/null
		holm network create -d vlan -o parent=lan.10 --subnet 198.51.100.0/24 tagged >/dev/null
		refused 125 "the kernel has no devices of the kind vlan" holm run --rm --network tagged busybox true
		output_has "modprobe 8021q"
		skip "no ipvlan and no vlan in this kernel"
	fi
	sleeper_at ipv:ip=192.0.2.200 one
	expect 0 in_neighbour busybox ping -c 1 -W "$(seconds 1)" 192.0.2.200
	holm rm -f one >/dev/null
	holm network rm ipv >/dev/null
	# the neighbour is in the same VLAN
	in_neighbour ip link add link neighbour name neighbour.10 type vlan id 10
	in_neighbour ip address add 198.51.100.2/24 dev neighbour.10
	in_neighbour ip link set neighbour.10 up
	holm network create -d vlan -o parent=lan.10 --subnet 198.51.100.0/24 --gateway 198.51.100.2 tagged >/dev/null
	sleeper_at tagged one
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" 198.51.100.2
	refused 125 "the VLAN 10 of lan is in use already" holm run --rm --network tagged busybox true
	holm rm -f one >/dev/null
	holm network rm tagged >/dev/null
	# made for a macvlan, and gone with its network
	holm network create -d macvlan -o parent=lan.10 --subnet 198.51.100.0/24 --gateway 198.51.100.2 mac >/dev/null
	sleeper_at mac one
	expect 0 ip link show lan.10
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" 198.51.100.2
	holm rm -f one >/dev/null
	holm network rm mac >/dev/null
	expect 1 ip link show lan.10
}

@test "subnets: where the host has a route to, or another store its bridge, none is made" {
	ip route add 10.99.0.0/25 via 192.0.2.2
	ip route add 10.44.0.0/16 via 192.0.2.2
	refused 1 "it overlaps 10.44.0.0/16 to which the host has a route by lan" holm network create --subnet 10.44.0.0/16 x
	refused 1 "it overlaps 10.44.0.0/16 to which the host has a route by lan" holm network create --subnet 10.0.0.0/8 x
	# a part of what is routed is a person's to take
	expect 0 holm network create --subnet 10.44.7.0/24 part
	# what is chosen keeps clear of it
	expect 0 holm run --rm busybox ip route
	output_has "default via 10.99.1.1"
	# where all of 10.0.0.0/8 leads into a VPN
	ip route add 10.0.0.0/8 via 192.0.2.2
	expect 0 holm network create chosen
	expect 0 holm network inspect --format '{{(index .IPAM.Config 0).Subnet}}' chosen
	output_is 172.28.0.0/24
	# a second store: its default network is another one, and its subnets are respected
	other=(env "HOLM_ROOT=$HOLM_ROOT.2" "HOLM_RUN=$HOLM_RUN.2" holm)
	refused 1 "it overlaps 10.99.1.1/24 of holm0" "${other[@]}" network create --subnet 10.99.1.0/24 x
	output_has "holm0 is a bridge of another --root of holm's"
	refused 1 "there is such a device already" "${other[@]}" network create -o com.docker.network.bridge.name=holm0 x
	expect 0 "${other[@]}" run --rm busybox ip route
	output_has "default via 172.28.0.1"
	# both chose that while neither had a bridge
	refused 125 "its subnet 172.28.0.0/24 overlaps 172.28.0.1/24 of holm-" holm run --rm --network chosen busybox true
	output_has "is a bridge of another --root of holm's"
	"${other[@]}" network inspect bridge | jq -r '.[0].Bridge' | xargs ip link delete
}

@test "a container in a network namespace that somebody else made, and in another container's" {
	service unshare -n sleep 1000
	local pid=${SERVICES[-1]}
	within 5 apart "$pid"
	nsenter -t "$pid" -n ip link set lo up
	nsenter -t "$pid" -n ip address add 198.51.100.99/32 dev lo
	expect 0 holm run --rm --network "ns:/proc/$pid/ns/net" busybox ip -o address show lo
	output_has 198.51.100.99
	refused 125 "--network ns:/proc/$pid/ns/pid: not a network namespace" \
		holm run --rm --network "ns:/proc/$pid/ns/pid" busybox true
	refused 125 "--network ns:/nowhere: No such file" holm run --rm --network ns:/nowhere busybox true
	refused 125 "--network: ns:/x excludes all others" holm run --rm --network ns:/x --network bridge busybox true
	# tcpdump beside a container, in its network
	lanwork macvlan mac -o parent=lan
	sleeper_at mac:ip=192.0.2.200 one
	holm run -d --name two --network container:one busybox sleep 1000 >/dev/null
	nsenter -t "$(pid_of two)" -n tcpdump -l -n -c 1 -i eth0 icmp >"$BATS_TEST_TMPDIR/heard" 2>"$BATS_TEST_TMPDIR/tcpdump" 3>&- &
	within 5 grep -q listening "$BATS_TEST_TMPDIR/tcpdump"
	in_neighbour busybox ping -c 1 -W "$(seconds 1)" 192.0.2.200 >/dev/null
	within 5 grep -q '192.0.2.2 > 192.0.2.200' "$BATS_TEST_TMPDIR/heard"
}
