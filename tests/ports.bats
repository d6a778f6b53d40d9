#!/usr/bin/env bats
# Published ports: who reaches a container by the host's addresses, and who does not.
load holm
load networks

teardown() {
	local status=0
	nft delete table inet firewall 2>/dev/null || true
	nft delete table ip filter 2>/dev/null || true
	[ -z "${SERVER:-}" ] || kill "$SERVER" 2>/dev/null || true
	networks_end
	within 10 not has_veth || status=1
	[ -z "${BATS_TEST_COMPLETED:-}" ] || [ -z "$(elements)" ] || {
		elements
		status=1
	}
	for family in ip ip6; do
		nft delete table $family holm 2>/dev/null || true
	done
	networks_forget || status=1
	return $status
}

# What the maps of the ports have.
elements() {
	nft -j list table inet holm 2>/dev/null |
		jq -c '.nftables[] | (.map // .set // empty) | select(.name | test("ports|judged")) | .elem // empty'
}

web() { # NAME [ARGUMENT...]
	local name=$1
	shift
	holm run -d --name "$name" --network bridge "$@" busybox sh -c "
		mkdir /www; hostname >/www/index.html; echo $name >/www/name
		exec httpd -f -p 80 -h /www" >/dev/null
}

# The host's rules, and who is nobody, are not an ordinary user's to see.
of_root() { # COMMAND...
	[ -n "${HOLM_TEST_USER:-}" ] || "$@"
}

get() { # URL: what the server says
	curl -sg -m "$(seconds 2)" "$1"
}

@test "a published port is reached from another host, from this one and from containers" {
	make_world
	web one -p 8080:80
	within 10 get http://127.0.0.1:8080/name
	expect 0 in_world curl -s -m "$(seconds 2)" http://192.0.2.1:8080/name
	output_is one
	expect 0 get http://127.0.0.1:8080/name
	output_is one
	expect 0 get http://192.0.2.1:8080/name
	output_is one
	expect 0 holm run --rm --network bridge busybox wget -q -O- http://192.0.2.1:8080/name
	output_is one
	expect 0 holm exec one wget -q -O- http://192.0.2.1:8080/name
	output_is one
}

# The host's own rules, as they are where people have a firewall.
make_firewall() {
	nft -f - <<-END
		table inet firewall {
			chain input {
				type filter hook input priority filter; policy drop;
				ct state established,related accept
				icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
				iifname lo accept
			}
		}
	END
}

from_world() { # URL
	in_world curl -sg -m "$(seconds 2)" "$1"
}

@test "the host's input rules decide about a published port" {
	needs_root "networks of a user are not the host's, at which the test looks"
	make_world
	web one -p 8080:80
	web two -p 8081:80 --publish-mode open
	within 10 get http://127.0.0.1:8080/name
	make_firewall
	run from_world http://192.0.2.1:8080/name
	[ "$status" = 28 ]
	expect 0 from_world http://192.0.2.1:8081/name
	output_is two
	nft add rule inet firewall input ip saddr 192.0.2.7 tcp dport 8080 accept
	run from_world http://192.0.2.1:8080/name
	[ "$status" = 28 ]
	nft add rule inet firewall input tcp dport 8080 accept
	expect 0 from_world http://192.0.2.1:8080/name
	output_is one
	expect 0 holm port --explain one
	output_has "those whose packets to port 8080/tcp these let in:
    inet firewall input (policy drop, 5 rules)"
	expect 0 holm port --explain two
	output_has "other hosts: all, whatever the host's input rules say"
	# the host and its containers are not asked
	nft flush chain inet firewall input
	nft add rule inet firewall input ct state established,related accept
	expect 0 get http://192.0.2.1:8080/name
	expect 0 holm exec two wget -q -O- http://192.0.2.1:8080/name
	output_is one
}

@test "the publish mode of a network is that of its containers, unless they say otherwise" {
	needs_root "networks of a user are not the host's, at which the test looks"
	make_world
	make_firewall
	holm network create -o publish-mode=open --subnet 10.98.0.0/24 wide >/dev/null
	web one -p 8080:80
	holm network connect wide one
	holm network disconnect bridge one
	holm network connect bridge one
	web two -p 8081:80 --publish-mode firewall
	holm network disconnect bridge two
	holm network connect wide two
	# default: a container of the network bridge
	web three -p 8082:80
	within 10 from_world http://192.0.2.1:8080/name
	expect 0 holm port --explain one
	output_has "other hosts: all, whatever the host's input rules say"
	for port in 8081 8082; do
		run from_world "http://192.0.2.1:$port/name"
		[ "$status" = 28 ]
	done
	# into a network that does not say so
	expect 0 holm network disconnect wide one
	run from_world http://192.0.2.1:8080/name
	[ "$status" = 28 ]
	expect 0 holm network update --publish-mode open bridge
	run from_world http://192.0.2.1:8082/name
	[ "$status" = 28 ]
	holm restart -t 0 three >/dev/null
	within 10 from_world http://192.0.2.1:8082/name
	expect 0 holm network update --publish-mode firewall bridge
	refused 1 "publish-mode: half: not firewall or open" \
		holm network create -o publish-mode=half other
	refused 125 "is not one of firewall|open" holm network update --publish-mode half wide
}

@test "what is not published is not reached, and 127.0.0.1 from nowhere but the host" {
	make_world
	web one -p 127.0.0.1:8080:80 -p 192.0.2.1:8081:80
	within 10 get http://127.0.0.1:8080/name
	run from_world "http://$(address_of one)/name"
	[ "$status" != 0 ]
	run from_world http://192.0.2.1:8080/name
	[ "$status" = 7 ]
	expect 0 from_world http://192.0.2.1:8081/name
	run get http://127.0.0.1:8081/name
	[ "$status" = 7 ]
	in_world ip route add 127.0.0.0/8 via 192.0.2.1 table 9
	in_world sysctl -qw net.ipv4.conf.world.route_localnet=1
	in_world ip rule add to 127.0.0.1 lookup 9 pref 0
	run from_world http://127.0.0.1:8080/name
	[ "$status" != 0 ]
	python3 -m http.server -d "$BATS_TEST_TMPDIR/here" --bind 127.0.0.1 8099 >/dev/null 2>&1 3>&- &
	SERVER=$!
	within 10 get http://127.0.0.1:8099/
	run holm run --rm --network bridge --privileged busybox sh -c '
		ip route add 127.0.0.2/32 via 10.99.0.1; ip rule add to 127.0.0.1 lookup main pref 0
		echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet
		ip address delete 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via 10.99.0.1
		timeout 2 wget -q -O- http://127.0.0.1:8099/'
	[ "$status" != 0 ]
	kill "$SERVER"
}

@test "UDP, IPv6 and both on one port" {
	make_world
	holm network create --ipv6 --subnet fd99::/64 six >/dev/null
	holm run -d --name one --network six -p 8080:80 -p 5300:53/udp busybox sh -c '
		mkdir /www; echo six >/www/name; httpd -p 80 -h /www
		exec sleep 1000' >/dev/null
	nsenter -t "$(pid_of one)" -n python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 53))
while True:
	data, peer = s.recvfrom(65535)
	s.sendto(b"heard %d" % len(data), peer)' 3>&- &
	SERVER=$!
	within 10 get http://127.0.0.1:8080/name
	expect 0 from_world 'http://[fd01::1]:8080/name'
	output_is six
	expect 0 from_world http://192.0.2.1:8080/name
	expect 0 get 'http://[fd01::1]:8080/name'
	expect 0 get http://localhost:8080/name
	output_is six
	make_firewall
	run from_world 'http://[fd01::1]:8080/name'
	[ "$status" = 28 ]
	ask() {
		in_world python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[1]))
s.sendto(b"x" * int(sys.argv[2]), ("192.0.2.1", 5300))
print(s.recv(100).decode().strip())' "$@"
	}
	run ask 1 1
	[ "$status" != 0 ]
	nft add rule inet firewall input udp dport 5300 accept
	expect 0 ask "$(seconds 3)" 4000
	output_is "heard 4000"
	kill "$SERVER"
}

@test "docker's words: inspect, ps, port, ranges, exposed and dynamic ports" {
	holm run -d --name one --network bridge -p 8000-8001:8000-8001 -p 127.0.0.1:9000-9005:90/udp \
		-p 80 --expose 70-71 busybox sleep 1000 >/dev/null
	any=$(holm port one 80)
	[[ $any =~ ^0\.0\.0\.0:[0-9]+$ ]]
	expect 0 holm port one
	output_is "80/tcp -> $any
90/udp -> 127.0.0.1:9000
8000/tcp -> 0.0.0.0:8000
8001/tcp -> 0.0.0.0:8001"
	expect 0 holm port one 90/udp
	output_is 127.0.0.1:9000
	refused 1 "no public port '90' is published for one" holm port one 90
	expect 0 holm ps --format '{{.Ports}}'
	output_is "0.0.0.0:8000-8001->8000-8001/tcp, 70-71/tcp, $any->80/tcp, 127.0.0.1:9000->90/udp"
	expect 0 holm inspect --format '{{json .HostConfig.PortBindings}}' one
	jq -e '."90/udp" == [{HostIp: "127.0.0.1", HostPort: "9000-9005"}] and
		."80/tcp" == [{HostIp: "", HostPort: ""}]' <<<"$output"
	expect 0 holm inspect --format '{{json .NetworkSettings.Ports}}' one
	jq -e '."70/tcp" == null and ."8000/tcp" == [{HostIp: "0.0.0.0", HostPort: "8000"}]' <<<"$output"
	expect 0 holm inspect --format '{{json .Config.ExposedPorts}}' one
	jq -e 'keys == ["70/tcp", "71/tcp", "80/tcp", "8000/tcp", "8001/tcp", "90/udp"]' <<<"$output"
	expect 0 holm ps -q --filter publish=8000-9000/udp
	[ -n "$output" ]
	expect 0 holm ps -q --filter publish=90/udp --filter expose=70
	output_is ""
	expect 0 holm run -d --name two --network bridge -P --expose 70 --expose 71/udp busybox sleep 1000
	expect 0 holm port two
	[ "${#lines[@]}" = 2 ]
	holm stop -t 0 one two >/dev/null
	expect 0 holm port one
	output_is ""
	refused 125 "neither a port nor a range" holm run --network bridge -p 80:x busybox true
	refused 125 "is not one of firewall|open" holm run --network bridge -p 80 --publish-mode x busybox true
	refused 125 "exclude each other" holm run --network container:two -p 80 busybox true
	refused 125 "port 8080/tcp is given twice" holm run --rm -p 8080:80 -p 8080:81 busybox true
	refused 125 "port 8081/udp is given twice" \
		holm run --rm -p 8080-8082:80-82/udp -p 127.0.0.1:8081:90/udp busybox true
	of_root refused 125 "no IPv6 subnet" holm run --rm --network bridge -p '[fd01::1]:80:80' busybox true
}

@test "where no port can be published a warning says so, and the container starts" {
	expect 0 holm run --rm --network host -p 8080:80 busybox true
	output_has "published ports are discarded when using host network mode"
	expect 0 holm run --rm --network none -p 8080:80 busybox true
	output_has "published ports are discarded with --network none"
	expect 0 holm run --rm --network none -P --expose 80 busybox true
	output_has "published ports are discarded with --network none"
	expect 0 holm run --rm --network host --expose 80 busybox true
	output_is ""
	expect 0 holm run --rm --network bridge -p 8080:80 busybox true
	output_is ""
}

# None of them is left: they end with the container, however that ends.
no_proxy() {
	! pgrep -x holm-proxy >/dev/null
}

# How much the pipes of a process can hold, each end counted.
pipe_bytes() { # PID
	python3 - "$1" <<-'E'
		import fcntl, os, sys
		folder = "/proc/%s/fd/" % sys.argv[1]
		ends = [folder + n for n in os.listdir(folder) if os.readlink(folder + n).startswith("pipe:")]
		print(sum(fcntl.fcntl(os.open(e, os.O_RDONLY | os.O_NONBLOCK), 1032) for e in ends))
	E
}

@test "::1: a program carries the connections, of containers with IPv4 and with IPv6" {
	web one -p '[::1]:8080:80'
	within 10 get 'http://[::1]:8080/name'
	expect 0 get 'http://[::1]:8080/name'
	output_is one
	expect 0 holm port one
	output_is "80/tcp -> [::1]:8080"
	of_root expect 0 holm port --explain one
	of_root output_has "other hosts: no, ::1 is this host alone"
	of_root [ "$(ps -o user= -C holm-proxy | sort -u)" = nobody ]
	[ -z "$(elements)" ]
	# whole answers, many at once, and both directions to their ends
	holm exec one sh -c 'head -c 3000000 /dev/urandom >/www/big'
	sum=$(holm exec one sha256sum /www/big | cut -c -64)
	local jobs=()
	for _ in 1 2 3 4 5; do
		[ "$(get 'http://[::1]:8080/big' | sha256sum | cut -c -64)" = "$sum" ] || touch bad &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	[ ! -e bad ]
	within 5 eval '[ "$(pgrep -xc holm-proxy)" = 1 ]'
	# one that carries nothing takes little of what a user may have of pipes
	exec 9<>/dev/tcp/::1/8080
	within 5 eval '[ "$(pgrep -xc holm-proxy)" = 2 ]'
	within 5 eval '[ "$(pipe_bytes "$(pgrep -xn holm-proxy)")" -gt 0 ]'
	[ "$(pipe_bytes "$(pgrep -xn holm-proxy)")" -le 524288 ]
	exec 9>&-
	within 5 eval '[ "$(pgrep -xc holm-proxy)" = 1 ]'
	refused 125 "port 8080/tcp is published by the container one" \
		holm run --rm --network bridge -p '[::1]:8080:80' busybox true
	# while it runs
	expect 0 holm port add one '[::1]:8081:80'
	expect 0 get 'http://[::1]:8081/name'
	expect 0 holm port rm one '[::1]:8080:80'
	run get 'http://[::1]:8080/name'
	[ "$status" = 7 ]
	expect 0 get 'http://[::1]:8081/name'
	holm network create --subnet fd12::/64 six >/dev/null
	expect 0 holm network connect six one
	expect 0 holm network disconnect bridge one
	expect 0 get 'http://[::1]:8081/name'
	output_is one
	holm rm -f one >/dev/null
	within 5 no_proxy
	# a port for all addresses beside one for ::1, and an end that nobody sees
	web two -p 127.0.0.1:8080:80 -p '[::1]:8080:80'
	within 10 get 'http://[::1]:8080/name'
	expect 0 get http://127.0.0.1:8080/name
	kill -KILL "$(jq -r .monitorPid "$HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' two)/state.json")"
	within 10 not pgrep -f 'httpd.*two'
	holm ps -a >/dev/null
	within 5 no_proxy
	refused 125 "sctp at ::1" holm run --rm --network bridge -p '[::1]:8080:80/sctp' busybox true
	holm rm -f two >/dev/null
	# of UDP as well
	holm run -d --name three --network bridge -p '[::1]:5300:53/udp' busybox sleep 1000 >/dev/null
	nsenter -t "$(pid_of three)" -n python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 53))
for i in range(2):
	data, peer = s.recvfrom(99)
	s.sendto(b"heard " + data, peer)' 3>&- &
	within 10 eval '[ "$(nsenter -t "$(pid_of three)" -n ss -Hlun sport = 53)" ]'
	expect 0 python3 -c '
import socket
for word in b"one", b"two":
	s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	s.settimeout(5)
	s.sendto(word, ("::1", 5300))
	print(s.recv(100).decode())'
	output_is "heard one
heard two"
	wait $!
	of_root [ "$(ps -o user= -C holm-proxy | sort -u)" = nobody ]
	expect 0 holm port rm three 53/udp
	within 5 no_proxy
	holm rm -f three >/dev/null
	holm network rm six >/dev/null
}

@test "nginx in front of the world: its log has the visitor's own address" {
	local image
	made_image nginx image
	registry_start
	registry_push "oci:$image:bookworm" nginx:latest
	make_world
	holm run -d --name web --network bridge -p 8080:80 "$REGISTRY/nginx" >/dev/null
	within 20 get http://127.0.0.1:8080/
	expect 0 from_world http://192.0.2.1:8080/
	output_has "Welcome to nginx!"
	expect 0 holm exec web cat /var/log/nginx/access.log
	output_has '192.0.2.2 - - ['
	# more than fits into one packet, or into a buffer
	holm exec web sh -c 'head -c 20000000 /dev/urandom >/var/www/html/much'
	expect 0 holm exec web sha256sum /var/www/html/much
	expected=${output%% *}
	[ "$(in_world curl -s -m "$(seconds 20)" http://192.0.2.1:8080/much | sha256sum)" = "$expected  -" ]
	[ "$(curl -s -m "$(seconds 20)" http://127.0.0.1:8080/much | sha256sum)" = "$expected  -" ]
}

# The host takes a packet only by the device by which it would answer its sender.
@test "strict reverse path filters, on all devices and for devices to come" {
	sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1
	make_world
	web one -p 8080:80
	web two -p 127.0.0.1:8081:80
	within 10 get http://127.0.0.1:8080/name
	[ "$(cat /proc/sys/net/ipv4/conf/{all,holm0,outside}/rp_filter | sort -u)" = 1 ]
	expect 0 from_world http://192.0.2.1:8080/name
	output_is one
	within 10 get http://127.0.0.1:8081/name
	expect 0 holm exec two wget -q -O- http://192.0.2.1:8080/name
	output_is one
	expect 0 holm exec one wget -q -O- http://192.0.2.1:8080/name
	output_is one
	make_firewall
	run from_world http://192.0.2.1:8080/name
	[ "$status" = 28 ]
	nft add rule inet firewall input tcp dport 8080 accept
	expect 0 from_world http://192.0.2.1:8080/name
	output_is one
}

@test "a port that is taken is refused, by the name of who has it" {
	needs_root "who has a port is root's to see"
	web one -p 8080:80 -p 8081:81/udp
	refused 125 "port 8080/tcp is published by the container one" \
		holm run --rm --network bridge -p 8080:80 busybox true
	refused 125 "port 8080/tcp is published by the container one" \
		holm run --rm --network bridge -p 127.0.0.1:8080:80 busybox true
	refused 125 "port 8081/udp is published by the container one" \
		holm run --rm --network bridge -p 8081:80/udp busybox true
	run timeout "$(seconds 5)" python3 -m http.server 8080
	[[ $status != 0 && $output == *"Address already in use"* ]]
	python3 -m http.server --bind 127.0.0.1 8082 >/dev/null 2>&1 3>&- &
	SERVER=$!
	within 10 get http://127.0.0.1:8082/
	refused 125 "port 8082/tcp of 0.0.0.0 is taken by python3 (process $SERVER)" \
		holm run --rm --network bridge -p 8082:80 busybox true
	expect 0 holm run --rm --network bridge -p 8080-8083:80 -p 8082/udp busybox true
	kill "$SERVER"
	wait "$SERVER" || true
	# what the server left (TIME_WAIT) is in nobody's way
	expect 0 holm run --rm --network bridge -p 8082:80 busybox true
	holm stop -t 0 one >/dev/null
	expect 0 holm run --rm --network bridge -p 8080:80 busybox true
}

@test "of many that want one port at once one gets it" {
	local i pids=() good=0
	for i in 1 2 3 4 5 6; do
		holm run -d --network bridge -p 8080:80 busybox sleep 1000 >/dev/null \
			2>"$BATS_TEST_TMPDIR/err.$i" &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		if wait "${pids[i]}"; then good=$((good + 1)); else grep -q 'port 8080/tcp' "$BATS_TEST_TMPDIR/err.$((i + 1))"; fi
	done
	[ "$good" = 1 ]
	[ "$(holm ps -q --filter publish=8080 | wc -l)" = 1 ]
}

@test "killed at an abort point, when its ports are written down, it leaves none" {
	needs_abort_points
	HOLM_FAULT=ports.written run holm run -d --name box --network bridge -p 8080:80 busybox true
	[ "$status" = 137 ]
	expect 0 holm run --rm --network bridge -p 8080:80 busybox true
	holm rm -f box
}

@test "ports of a running container: added, removed, still so after a restart" {
	web one -p 8080:80
	within 10 get http://127.0.0.1:8080/name
	expect 0 holm port add one 8081:80 127.0.0.1:8082:80
	expect 0 get http://127.0.0.1:8081/name
	output_is one
	refused 1 "port 8080/tcp is published by the container one" holm port add one 8090:80 8080:81
	refused 125 "port 8081/tcp is published by the container one" \
		holm run --rm --network bridge -p 8081:80 busybox true
	expect 0 holm port rm one -p 8080:80
	run get http://127.0.0.1:8080/name
	[ "$status" = 7 ]
	expect 0 holm run --rm --network bridge -p 8080:80 busybox true
	refused 1 "it does not publish 8080:80" holm port rm one 8080:80
	expect 0 holm port one
	output_is "80/tcp -> 0.0.0.0:8081
80/tcp -> 127.0.0.1:8082"
	holm restart -t 0 one >/dev/null
	expect 0 holm port one
	output_is "80/tcp -> 0.0.0.0:8081
80/tcp -> 127.0.0.1:8082"
	within 10 get http://127.0.0.1:8081/name
	holm stop -t 0 one >/dev/null
	expect 0 holm port rm one 80
	expect 0 holm port add one 8083:80
	holm start one >/dev/null
	expect 0 holm port one
	output_is "80/tcp -> 0.0.0.0:8083"
}

@test "ports follow a container that leaves the network they led to" {
	needs_root "networks of a user are not the host's, at which the test looks"
	holm network create --subnet 10.98.0.0/24 other >/dev/null
	web one -p 8080:80 --network other
	within 10 get http://127.0.0.1:8080/name
	elements | grep -q "$(address_of one)"
	address=$(address_of one)
	expect 0 holm network disconnect bridge one
	[[ $(elements) != *"$address"* ]]
	expect 0 get http://127.0.0.1:8080/name
	output_is one
	expect 0 holm port one
	output_is "80/tcp -> 0.0.0.0:8080"
	# the address is another's now, and nothing leads to it
	holm run -d --name two --network "bridge:ip=$address" busybox sleep 1000 >/dev/null
	expect 0 get http://127.0.0.1:8080/name
	output_is one
	expect 0 holm network disconnect other one
	[ -z "$(elements)" ]
	expect 0 holm port one
	output_is ""
	run get http://127.0.0.1:8080/name
	[ "$status" = 7 ]
	# the host's port is still its own
	refused 125 "port 8080/tcp is published by the container one" \
		holm run --network bridge -p 8080:80 busybox true
	expect 0 holm network connect other one
	expect 0 get http://127.0.0.1:8080/name
	output_is one
	expect 0 holm port one
	output_is "80/tcp -> 0.0.0.0:8080"
	# and may be given up while it leads nowhere
	expect 0 holm network disconnect other one
	expect 0 holm port rm one 8080:80
	expect 0 holm run --rm --network bridge -p 8080:80 busybox true
	expect 0 holm network connect bridge one
	[ -z "$(elements)" ]
	holm rm -f one two >/dev/null
	holm network rm other >/dev/null
}

@test "rules that were flushed, devices that were removed, monitors that were killed" {
	needs_root "networks of a user are not the host's, at which the test looks"
	make_world
	web one -p 8080:80
	within 10 get http://127.0.0.1:8080/name
	nft flush ruleset
	expect 0 holm network reload
	expect 0 from_world http://192.0.2.1:8080/name
	nft flush ruleset
	ip link delete holm-out
	web two -p 8081:80
	expect 0 from_world http://192.0.2.1:8080/name
	within 10 from_world http://192.0.2.1:8081/name
	nft flush map inet holm ports4
	expect 0 holm network reload
	expect 0 from_world http://192.0.2.1:8080/name
	kill -KILL "$(holm inspect --format '{{.State.Pid}}' two >/dev/null; jq -r .monitorPid \
		"$HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' two)/state.json")"
	within 10 not pgrep -f 'httpd.*two'
	# nobody has looked yet
	[ -n "$(elements)" ]
	expect 0 holm run -d --name three --network bridge -p 8081:80 busybox sleep 1000
	expect 0 holm port three
	output_is "80/tcp -> 0.0.0.0:8081"
	# what two had is not taken back once more
	holm ps -a >/dev/null
	elements | grep -q 8081
}

@test "a pod publishes for its containers; an internal network for this host alone" {
	make_world
	expect 0 holm pod create -p 8080:80 --network bridge shop
	refused 125 "--publish 81 and --pod shop exclude each other" \
		holm run --rm --pod shop -p 81 busybox true
	holm run -d --name one --pod shop busybox sh -c 'echo pod >/tmp/name; exec httpd -f -h /tmp' >/dev/null
	within 10 get http://127.0.0.1:8080/name
	expect 0 from_world http://192.0.2.1:8080/name
	output_is pod
	holm network create --internal --subnet 10.98.0.0/24 closed >/dev/null
	holm run -d --name two --network closed -p 8081:80 busybox sh -c '
		echo closed >/tmp/name; exec httpd -f -h /tmp' >/dev/null
	within 10 get http://192.0.2.1:8081/name
	run from_world http://192.0.2.1:8081/name
	[ "$status" != 0 ]
	of_root [ "$status" = 28 ]
	of_root expect 0 holm port --explain two
	of_root output_has "other hosts: no, the network closed is internal"
	holm pod rm -f shop >/dev/null
}

@test "many starts and stops leave nothing" {
	needs_root "networks of a user are not the host's, at which the test looks"
	for _ in $(seq "${ROUNDS:-30}"); do
		holm run --rm --network bridge -p 8080:80 -p 8081:80/udp busybox true
	done
	within 10 not has_veth
	[ -z "$(elements)" ]
	nft list set inet holm bridges | grep -q holm0
}

@test "beside rules of others that drop what is forwarded, as Docker's and ufw's do" {
	needs_root "networks of a user are not the host's, at which the test looks"
	command -v iptables-nft >/dev/null || skip "no iptables here"
	make_world
	iptables-nft -P FORWARD DROP
	web one -p 8080:80
	within 10 get http://127.0.0.1:8080/name
	expect 0 from_world http://192.0.2.1:8080/name
	expect 0 holm exec one wget -q -O /dev/null http://192.0.2.1:8080/name
	expect 0 iptables-nft -S FORWARD
	output_is "-P FORWARD DROP
-A FORWARD -o holm0 -j ACCEPT
-A FORWARD -i holm0 -j ACCEPT"
	iptables-nft -F FORWARD
	iptables-nft -N DOCKER-USER
	iptables-nft -A FORWARD -j DOCKER-USER
	run from_world http://192.0.2.1:8080/name
	[ "$status" = 28 ]
	expect 0 holm network reload
	expect 0 holm network reload
	expect 0 from_world http://192.0.2.1:8080/name
	[ "$(iptables-nft -S DOCKER-USER | grep -c holm0)" = 2 ]
	holm network create --subnet 10.98.0.0/24 other >/dev/null
	# a device of somebody else's whose name ends as the bridge's
	id=$(holm network inspect --format '{{.Id}}' other)
	iptables-nft -A DOCKER-USER -i "xholm-${id:0:8}" -j DROP
	iptables-nft -A DOCKER-USER -o "xholm-${id:0:8}" -j DROP
	holm run --rm --network other busybox true
	[ "$(iptables-nft -S DOCKER-USER | grep -c ' holm')" = 4 ]
	holm network rm other >/dev/null
	[ "$(iptables-nft -S DOCKER-USER | grep -c ' holm')" = 2 ]
	[ "$(iptables-nft -S DOCKER-USER | grep -c ' xholm')" = 2 ]
	nft delete table ip filter
}
