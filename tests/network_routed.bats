#!/usr/bin/env bats
# Routed networks: containers with addresses of the host's own subnet, and with those alone.
load holm

# A neighbour on the host's own network: 192.0.2.2 and 2001:db8::2, and we are .1 and ::1 there.
setup() {
	command -v nft >/dev/null || skip "no nft here"
	holm_setup
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
	holm ps -aq | xargs -r holm rm -f >/dev/null 2>&1 || true
	holm network prune -f >/dev/null 2>&1 || true
	ip link delete lan 2>/dev/null || true
	within 10 not has_veth
	nft delete table inet holm 2>/dev/null || true
	holm_teardown
}

has_veth() {
	ip -o link show type veth | grep -q .
}

mac_of() { # DEVICE
	ip -j link show "$1" | jq -r '.[0].address'
}

pid_of() { # CONTAINER
	holm inspect --format '{{.State.Pid}}' "$1"
}

in_neighbour() { # COMMAND...
	nsenter -t "$(pid_of neighbour)" -n "$@"
}

# With the host's programs in the container's network.
in_net() { # CONTAINER COMMAND...
	local pid
	pid=$(pid_of "$1")
	shift
	nsenter -t "$pid" -n "$@"
}

routed() { # [ARGUMENT...]
	holm network create -d routed -o parent=lan --subnet 192.0.2.0/24 --ip-range 192.0.2.128/25 \
		--gateway 192.0.2.2 --subnet 2001:db8::/64 "$@" onlan >/dev/null
}

sleeper() { # NAME [ARGUMENT...]
	local name=$1
	shift
	sleeper_at onlan "$name" "$@"
}

sleeper_at() { # NETWORK[:OPTIONS] NAME [ARGUMENT...]
	local network=$1 name=$2
	shift 2
	holm run -d --name "$name" --cap-add NET_RAW --network "$network" "$@" busybox sleep 1000 >/dev/null
}

@test "a routed container is a neighbour of the host's neighbours, under its own address" {
	routed
	sleeper web --ip 192.0.2.200 --ip6 2001:db8::200
	expect 0 holm exec web ip -4 -o address show eth0
	output_has "192.0.2.200/32"
	expect 0 holm exec web ip route
	output_has "default via 169.254.0.1 dev eth0"
	expect 0 in_neighbour busybox ping -c 1 -W "$(seconds 1)" 192.0.2.200
	expect 0 in_neighbour busybox ping -c 1 -W "$(seconds 1)" 2001:db8::200
	expect 0 holm exec web ping -c 1 -W "$(seconds 1)" 192.0.2.2
	expect 0 holm exec web ping -c 1 -W "$(seconds 1)" 2001:db8::2
	expect 0 busybox ping -c 1 -W "$(seconds 1)" 192.0.2.200
	expect 0 holm exec web ping -c 1 -W "$(seconds 1)" 192.0.2.1
	expect 0 in_neighbour ip neigh show 192.0.2.200
	output_has "$(mac_of lan)"
}

# What the neighbour hears while the container does this; a ping that may pass marks the end.
listen() {
	in_neighbour tcpdump -l -n -e -i neighbour >"$BATS_TEST_TMPDIR/heard" 2>"$BATS_TEST_TMPDIR/tcpdump" 3>&- &
	TCPDUMP=$!
	within 5 grep -q listening "$BATS_TEST_TMPDIR/tcpdump"
}

listened() {
	in_neighbour busybox ping -c 1 -s 99 -W 1 192.0.2.1 >/dev/null
	within 5 grep -q 'length 107' "$BATS_TEST_TMPDIR/heard"
	kill "$TCPDUMP"
	wait "$TCPDUMP" || true
}

heard() { # TEXT
	grep -qF -- "$1" "$BATS_TEST_TMPDIR/heard"
}

# One frame, as raw as can be: FIELDS is python for the bytes behind the addresses.
send_frame() { # CONTAINER SOURCE_MAC FIELDS
	in_net "$1" /usr/bin/python3 - "$2" "$3" "$(mac_of "$(outer_of "$1")")" <<-'P'
		import socket, struct, sys
		mac = bytes.fromhex(sys.argv[1].replace(":", ""))
		ip = socket.inet_aton
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("eth0", 0))
		gateway = bytes.fromhex(sys.argv[3].replace(":", ""))
		s.send((gateway + mac + eval(sys.argv[2])).ljust(60, b"\0"))
	P
}

checksummed() { # SRC: the header's sum counts, or the host drops it itself
	/usr/bin/python3 - "$1" <<-'P'
		import socket, struct, sys
		h = bytearray(b"\x45\x00" + struct.pack(">HHHBBH", 36, 1, 0, 64, 17, 0) +
			      socket.inet_aton(sys.argv[1]) + socket.inet_aton("192.0.2.2"))
		s = sum(struct.unpack(">10H", h)); s = (s & 0xffff) + (s >> 16); s = (s & 0xffff) + (s >> 16)
		h[10:12] = struct.pack(">H", ~s & 0xffff)
		print(repr(b"\x08\x00" + bytes(h) + struct.pack(">HHHH", 9, 9, 16, 0) + b"x" * 8))
	P
}

@test "a routed container uses its own addresses and no others" {
	local mac
	routed
	sleeper_at onlan:ip=192.0.2.200,allow=192.0.2.210 web
	mac=$(holm inspect --format '{{.NetworkSettings.Networks.onlan.MacAddress}}' web)
	# with the host's programs, as one who has all rights over the container's network would
	in_net web ip address add 192.0.2.201/32 dev eth0
	in_net web ip address add 192.0.2.210/32 dev eth0
	listen
	in_net web busybox ping -c 1 -W 1 -I 192.0.2.201 192.0.2.2 >/dev/null || true
	in_net web busybox ping -c 1 -W 1 -I 192.0.2.210 192.0.2.2 >/dev/null || true
	send_frame web "$mac" "$(checksummed 192.0.2.200)"
	send_frame web "$mac" "$(checksummed 192.0.2.202)"
	send_frame web 02:00:00:00:00:77 "$(checksummed 192.0.2.200)"
	listened
	heard "192.0.2.200.9 > 192.0.2.2.9"
	heard "192.0.2.210 > 192.0.2.2"
	not heard "192.0.2.201 >"
	not heard "192.0.2.202.9 >"
	[ "$(grep -c "192.0.2.200.9 > 192.0.2.2.9" "$BATS_TEST_TMPDIR/heard")" = 1 ]
	# a claim to an address that is not ours changes nobody's table
	expect 0 busybox ping -c 1 -W "$(seconds 1)" 192.0.2.200
	send_frame web "$mac" "b'\\x08\\x06\\0\\x01\\x08\\0\\x06\\x04\\0\\x02' + mac + ip('169.254.0.1') + gateway + ip('169.254.0.1')"
	expect 0 ip neigh show dev "$(outer_of web)"
	[[ $output != *169.254.0.1* ]]
	# with another MAC it is silent
	in_net web ip link set eth0 address 02:00:00:00:00:99
	expect 1 in_net web busybox ping -c 1 -W 1 192.0.2.2
}

outer_of() { # CONTAINER
	jq -r '.places[0].outer' "$HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' "$1")/network.json"
}
