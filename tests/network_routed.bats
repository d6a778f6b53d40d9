#!/usr/bin/env bats
# Routed networks: containers with addresses of the host's own subnet, and with those alone.
load holm
load networks
load lan

setup_file() {
	needs_root "networks of a user are not the host's, at which the test looks"
}

routed() {
	holm network create -d routed -o parent=lan --subnet 192.0.2.0/24 --ip-range 192.0.2.128/25 \
		--gateway 192.0.2.2 --subnet 2001:db8::/64 onlan >/dev/null
}

@test "a routed container is a neighbour of the host's neighbours, under its own address" {
	routed
	sleeper_at onlan web --ip 192.0.2.200 --ip6 2001:db8::200
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
	nsenter -t "$(pid_of neighbour)" -n tcpdump -l -n -e -i neighbour >"$BATS_TEST_TMPDIR/heard" 2>"$BATS_TEST_TMPDIR/tcpdump" 3>&- &
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

@test "what the host answers for ends with the container, also with one that was killed" {
	routed
	sleeper_at onlan web --ip 192.0.2.200 --ip6 2001:db8::200
	expect 0 ip -6 neigh show proxy dev lan
	output_has 2001:db8::200
	holm rm -f web >/dev/null
	within 5 answers_for_none
	refused 125 "/nosuch" holm run --rm --network onlan --device /nosuch busybox true
	answers_for_none
	[ -z "$(find "$HOLM_RUN/names" -type f)" ]
	sleeper_at onlan web --ip 192.0.2.201 --ip6 2001:db8::201
	kill -KILL "$(jq -r .monitorPid "$HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' web)/state.json")"
	within 5 answers_for_none
	# even if nobody could: whoever joins next takes it back
	ip neigh add proxy 2001:db8::250 dev lan protocol 104
	ip neigh add proxy 2001:db8::251 dev lan
	sleeper_at onlan other --ip 192.0.2.202 --ip6 2001:db8::202
	expect 0 ip -6 neigh show proxy dev lan
	output_has 2001:db8::202
	output_has 2001:db8::251
	[[ $output != *2001:db8::250* ]]
}

answers_for_none() {
	holm ps -a >/dev/null
	! ip -6 neigh show proxy dev lan | grep . && ! ip -4 neigh show proxy dev lan | grep .
}

@test "routed: what cannot be is refused by name, and a second container takes what the first gave back" {
	refused 1 "which addresses may its containers have?" holm network create -d routed -o parent=lan x
	refused 1 "there is no network device nowhere" holm network create -d routed -o parent=nowhere --subnet 192.0.2.0/24 x
	refused 1 "--opt macvlan_mode: not one of mtu, parent" holm network create -d routed -o macvlan_mode=bridge x
	routed
	refused 125 "the address 192.0.2.1 is the host's own" holm run --rm --network onlan:ip=192.0.2.1 busybox true
	refused 125 "the address 192.0.2.2 is the network's own" holm run --rm --network onlan:ip=192.0.2.2 busybox true
	refused 125 "allow: 'here' is not an IP address" holm run --rm --network onlan:allow=here busybox true
	refused 125 "limits.ingress=fast: not a rate" holm run --rm --network onlan:limits.ingress=fast busybox true
	refused 125 "'colour' is not known" holm run --rm --network onlan:colour=red busybox true
	for _ in 1 2 3; do
		expect 0 holm run --rm --cap-add NET_RAW --network onlan:ip=192.0.2.203 busybox ping -c 1 -W "$(seconds 1)" 192.0.2.1
	done
}
