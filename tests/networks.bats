#!/usr/bin/env bats
# Networks: a bridge of their own for containers, with a way to the world that they do not have from there.
load holm
load networks

teardown() {
	ip link delete wire1 2>/dev/null || true
	ip link delete wire2 2>/dev/null || true
	networks_teardown
}

reaches() { # CONTAINER ADDRESS
	holm exec "$1" ping -c 1 -W 1 "$2" >/dev/null
}

@test "containers on the default bridge reach the host and each other" {
	sleeper one --network bridge
	sleeper two --network bridge
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" 10.99.0.1
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" "$(address_of two)"
	expect 0 holm exec two cat /etc/hosts
	output_has "$(address_of two)	$(holm inspect --format '{{.Config.Hostname}}' two)"
	expect 0 holm exec two ip route
	output_has "default via 10.99.0.1 dev eth0"
	[ "$(address_of one)" != "$(address_of two)" ]
	expect 0 holm network inspect --format '{{len .Containers}}' bridge
	output_is 2
}

@test "what leaves for the world has the host's address, and nobody comes in unasked" {
	make_world
	sleeper web --network bridge
	in_world timeout "$(seconds 30)" python3 -m http.server -d "$BATS_TEST_TMPDIR/here" 8000 \
		>/dev/null 2>"$BATS_TEST_TMPDIR/heard" 3>&- &
	within 10 holm exec web wget -q -O- http://192.0.2.2:8000/
	expect 0 cat "$BATS_TEST_TMPDIR/heard"
	output_has "192.0.2.1 - - "
	expect 0 reaches web 192.0.2.2
	run in_world busybox ping -c 1 -W 1 "$(address_of web)"
	[ "$status" != 0 ]
	run in_world busybox ping -c 1 -W 1 192.0.2.1
	[ "$status" = 0 ]
}

@test "networks are apart, an internal one is closed" {
	expect 0 holm network create --subnet 10.98.1.0/24 a
	expect 0 holm network create --internal b
	sleeper one --network a
	sleeper two --network b
	sleeper both --network a --network b
	run reaches two "$(address_of one a)"
	[ "$status" != 0 ]
	run reaches one "$(address_of two b)"
	[ "$status" != 0 ]
	expect 0 reaches both "$(address_of one a)"
	expect 0 reaches both "$(address_of two b)"
	expect 0 holm exec two ip route
	[[ $output != *default* ]]
}

@test "addresses: by wish, the same after a restart, never twice, until there are none" {
	expect 0 holm network create --subnet 10.98.2.0/29 small
	sleeper one --network small --ip 10.98.2.5 --mac-address 02:42:00:00:00:07
	[ "$(address_of one small)" = 10.98.2.5 ]
	expect 0 holm exec one ip link show eth0
	output_has 02:42:00:00:00:07
	refused 125 "10.98.2.5 is that of container" holm run --rm --network small --ip 10.98.2.5 busybox true
	refused 125 "not in the subnet" holm run --rm --network small --ip 10.98.3.5 busybox true
	refused 125 "network's own" holm run --rm --network small --ip 10.98.2.1 busybox true
	for i in 1 2 3 4; do
		sleeper "n$i" --network small
	done
	[ "$(for i in 1 2 3 4; do address_of "n$i" small; done | sort -u | wc -l)" = 4 ]
	refused 125 "all addresses of 10.98.2.0/29 are taken" holm run --rm --network small busybox true
	before=$(address_of n2 small)
	holm restart -t 0 n2 >/dev/null
	[ "$(address_of n2 small)" = "$before" ]
	holm rm -f n1 >/dev/null
	expect 0 holm run --rm --network small busybox true
}

@test "IPv6, and the network of a container with ids of its own" {
	expect 0 holm network create --ipv6 six
	sleeper one --network six --userns auto
	expect 0 holm exec one ip -6 address show eth0
	output_has "scope global"
	six=$(holm inspect --format '{{.NetworkSettings.Networks.six.GlobalIPv6Address}}' one)
	expect 0 holm run --rm --cap-add NET_RAW --network six busybox ping -c 1 -W "$(seconds 1)" "$six"
	expect 0 holm exec one ls /sys/class/net
	output_is $'eth0\nlo'
}

@test "what was removed behind our back is there again with the next start" {
	needs_root "networks of a user are not the host's, at which the test looks"
	expect 0 holm run --rm --network bridge busybox true
	within 10 not has_veth
	nft flush ruleset
	expect 0 holm run --rm --network bridge busybox true
	nft list set inet holm bridges | grep -q holm0
	# the table of an earlier version is replaced, once
	within 10 not has_veth
	nft flush chain inet holm forward
	nft delete set inet holm counts6
	expect 0 holm run --rm --network bridge busybox true
	nft list set inet holm bridges | grep -q holm0
	nft add set inet holm kept "{ type ipv4_addr; }"
	expect 0 holm run --rm --network bridge busybox true
	nft list set inet holm kept >/dev/null
	within 10 not has_veth
	ip link delete holm0
	expect 0 holm run --rm --cap-add NET_RAW --network bridge busybox ping -c 1 -W "$(seconds 1)" 10.99.0.1
	within 10 not has_veth
	# as one leaves it that is killed right after the bridge's birth
	ip link set holm0 down
	ip link set holm0 alias ""
	ip address flush dev holm0
	expect 0 holm run --rm --cap-add NET_RAW --network bridge busybox ping -c 1 -W "$(seconds 1)" 10.99.0.1
	ip link show holm0 | grep -q 'alias holm:'
	within 10 not has_veth
	holm network create --subnet 10.98.7.0/24 --opt com.docker.network.bridge.name=born born >/dev/null
	holm run --rm --network born busybox true
	within 10 not has_veth
	ip link set born down
	ip link set born alias ""
	holm network rm born >/dev/null
	not ip link show born
	ip link set holm0 down
	ip link set holm0 alias mine
	refused 125 "the device holm0 is not that of the network bridge" \
		holm run --rm --network bridge busybox true
}

@test "the first on a network may be many at once" {
	needs_root "networks of a user are not the host's, at which the test looks"
	local i pids=()
	expect 0 holm network create --subnet 10.98.6.0/24 a
	for i in $(seq 20); do
		if ((i % 2)); then set -- bridge; else set -- a; fi
		holm run --rm --network "$1" busybox true >"$BATS_TEST_TMPDIR/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || { cat "$BATS_TEST_TMPDIR/out.$((i + 1))"; return 1; }
	done
	expect 0 nft list set inet holm bridges
	output_has '"holm0"'
	output_has '"holm-'
}

@test "a container that is killed with its monitor leaves neither device nor address" {
	sleeper web --network bridge --ip 10.99.0.9
	kill -KILL "$(cat "$HOLM_RUN"/containers/*/state.json | jq -r .monitorPid)"
	within 10 not has_veth
	expect 0 holm run --rm --network bridge --ip 10.99.0.9 busybox true
}

@test "network create, ls, rm: names, subnets and options that cannot be are refused by name" {
	expect 0 holm network create --subnet 10.98.4.0/24 --gateway 10.98.4.9 --ip-range 10.98.4.128/25 \
		--label a=b -o mtu=1400 made
	sleeper one --network made
	expect 0 holm exec one ip link show eth0
	output_has "mtu 1400"
	[[ $(address_of one made) =~ ^10\.98\.4\.(12[89]|1[3-9].|2..)$ ]]
	expect 0 holm network ls --filter label=a=b --format '{{.Name}} {{.Driver}}'
	output_is "made bridge"
	refused 1 "there is a network made already" holm network create made
	refused 1 "it overlaps 10.98.4.0/24 of the network made" holm network create --subnet 10.98.0.0/16 other
	refused 1 "has a meaning of its own" holm network create host
	refused 1 "no name of a network" holm network create ../x
	refused 1 "is an address in the subnet 10.97.0.0/24" holm network create --subnet 10.97.0.1/24 other
	refused 1 "is no subnet" holm network create --subnet 10.97.0.0 other
	for subnet in 224.0.0.0/8 239.1.0.0/16 ff02::/64; do
		refused 1 "is multicast" holm network create --subnet "$subnet" other
	done
	refused 1 "the loopback device's" holm network create --subnet 127.3.0.0/16 other
	refused 1 "stands for this host" holm network create --subnet 0.0.0.0/0 other
	refused 1 "too small" holm network create --subnet 10.97.0.0/31 other
	refused 1 "in none of the --subnet" holm network create --subnet 10.97.0.0/24 --gateway 10.96.0.1 other
	refused 1 "--opt mtu=5" holm network create -o mtu=5 other
	refused 1 "--driver weave" holm network create -d weave other
	refused 1 "is that of the container one" holm network rm made
	refused 1 "is always there" holm network rm bridge
	refused 1 "no network is called nowhere" holm network rm nowhere
	refused 125 "no network is called nowhere" holm run --rm --network nowhere busybox true
	refused 125 "--network: host excludes all others" holm run --rm --network made --network host busybox true
	refused 125 "--network: host excludes all others" holm run --rm --network made,host busybox true
	refused 125 "--network made: given twice" holm run --rm --network made,made busybox true
	refused 125 "not a network's name" holm run --rm --network made, busybox true
	# two, as podman writes them
	expect 0 holm network create second
	expect 0 holm run --rm --network made,second busybox ip -o -4 addr show scope global
	[ "${#lines[@]}" = 2 ]
	expect 0 holm network rm second
	refused 125 "--ip wants a network" holm run --rm --network none --ip 10.98.4.7 busybox true
	refused 125 "--mac-address 00:00" holm run --rm --network made --mac-address 00:00:00:00:00:00 busybox true
	refused 125 "--mac-address 01:00" holm run --rm --network made --mac-address 01:00:00:00:00:01 busybox true
	holm rm -f one >/dev/null
	within 10 not has_veth
	expect 0 holm network rm made
	[ -z "$(ip -o link show type bridge)" ]
	expect 0 holm network ls -q
}

# Two other hosts on a wire each, 192.0.2.2 and 198.51.100.2; we are .1 on both, by devices that are
# neither bridges nor veth pairs. They take us for their router.
make_strangers() {
	local i subnet
	for i in 1 2; do
		subnet=$([ "$i" = 1 ] && echo 192.0.2 || echo 198.51.100)
		ip link add "wire$i" type veth peer name "far$i"
		# or it answers for near, too, and packets come in by it, a veth pair
		ip link set "wire$i" up arp off
		ip link add link "wire$i" name "near$i" type macvlan mode bridge 2>/dev/null ||
			skip "no macvlan here"
		ip address add "$subnet.1/24" dev "near$i"
		ip address add "fd0$i::1/64" dev "near$i" nodad
		ip link set "near$i" up
		holm run -d --name "stranger$i" --network none busybox sleep 1000 >/dev/null
		ip link set "far$i" netns "$(pid_of "stranger$i")"
		stranger "$i" ip address add "$subnet.2/24" dev "far$i"
		stranger "$i" ip address add "fd0$i::2/64" dev "far$i" nodad
		stranger "$i" ip link set "far$i" up
		stranger "$i" ip route add default via "$subnet.1"
		stranger "$i" ip route add default via "fd0$i::1"
	done
}

stranger() { # NUMBER COMMAND...
	in_net "stranger$1" "${@:2}"
}

pass() { # ADDRESS of stranger 2: does stranger 1 reach it?
	stranger 1 busybox ping -c 1 -W 1 "$1" >/dev/null
}

@test "a bridge that was deleted has its containers again, by the next start or by reload" {
	needs_root "networks of a user are not the host's, at which the test looks"
	sleeper one -p 8080:80
	sleeper two
	ip link delete holm0
	run holm exec one ping -c 1 -W 1 "$(address_of two)"
	[ "$status" != 0 ]
	sleeper three
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" "$(address_of two)"
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" 10.99.0.1
	expect 0 holm exec two ping -c 1 -W "$(seconds 1)" "$(address_of three)"
	ip link delete holm0
	expect 0 holm network reload
	expect 0 holm exec one ping -c 1 -W "$(seconds 1)" "$(address_of three)"
	ip -d link show dev "$(jq -r '.places[0].outer' "$HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' one)/network.json")" |
		grep -q "hairpin on"
}

@test "addresses that mean the whole subnet are nobody's" {
	needs_root "a user's containers are in no network by default, and so have no names there"
	refused 1 "--gateway: the address 10.98.1.255 is that of all in the subnet 10.98.1.0/24" \
		holm network create --subnet 10.98.1.0/24 --gateway 10.98.1.255 x
	refused 1 "--gateway: the address 10.98.1.0 is that of the subnet 10.98.1.0/24 itself" \
		holm network create --subnet 10.98.1.0/24 --gateway 10.98.1.0 x
	holm network create --subnet 10.98.1.0/24 x >/dev/null
	refused 125 "the address 10.98.1.255 is that of all" holm run --rm --network x:ip=10.98.1.255 busybox true
	holm create --name one busybox true >/dev/null
	refused 1 "the address 10.98.1.255 is that of all" holm network connect --ip 10.98.1.255 x one
	refused 1 "the address 10.98.1.0 is that of the subnet" holm network connect --ip 10.98.1.0 x one
}

@test "where holm turns forwarding on the host is no router for strangers" {
	needs_root "networks of a user are not the host's, at which the test looks"
	make_strangers
	sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	within 5 stranger 1 busybox ping -c 1 -W 1 192.0.2.1 >/dev/null
	within 5 stranger 2 busybox ping -c 1 -W 1 198.51.100.1 >/dev/null
	run pass 198.51.100.2
	[ "$status" != 0 ]
	sleeper one --network bridge
	[ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	run pass 198.51.100.2
	[ "$status" != 0 ]
	reaches one 198.51.100.2
	# no IPv6 network was started, so nothing was turned on
	[ "$(cat /proc/sys/net/ipv6/conf/all/forwarding)" = 0 ]
	holm network create --ipv6 --subnet fd99::/64 six >/dev/null
	sleeper two --network six
	[ "$(cat /proc/sys/net/ipv6/conf/all/forwarding)" = 1 ]
	run pass fd02::2
	[ "$status" != 0 ]
	reaches two fd02::2
	# the rules may go and come: it stays so
	nft flush ruleset
	expect 0 pass 198.51.100.2
	expect 0 holm network reload
	run pass 198.51.100.2
	[ "$status" != 0 ]
	run pass fd02::2
	[ "$status" != 0 ]
	reaches one 198.51.100.2
	# what others have for containers and machines of theirs is not in the way
	ip link add outside type veth peer name theirs
	ip link set outside up
	ip address add 203.0.113.1/24 dev outside
	holm run -d --name theirs --network none busybox sleep 1000 >/dev/null
	ip link set theirs netns "$(pid_of theirs)"
	their() { in_net theirs "$@"; }
	their ip address add 203.0.113.2/24 dev theirs
	their ip link set theirs up
	their ip route add default via 203.0.113.1
	within 5 their busybox ping -c 1 -W 1 198.51.100.2 >/dev/null
}

@test "a host that forwards already goes on doing so for all" {
	needs_root "networks of a user are not the host's, at which the test looks"
	make_strangers
	sysctl -qw net.ipv4.ip_forward=1
	within 5 pass 198.51.100.2
	sleeper one --network bridge
	expect 0 pass 198.51.100.2
	nft flush ruleset
	expect 0 holm network reload
	expect 0 pass 198.51.100.2
	reaches one 198.51.100.2
}
