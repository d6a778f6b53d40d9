#!/usr/bin/env bats
# The network of an ordinary user's containers: a program carries their packets.
# shellcheck disable=SC2016 # scripts for other shells
load holm
load person

setup_file() {
	needs_root "they make users of their own"
}

# The user's host has an address, a default route, and 10.9.9.1 as the world; /dev/net/tun is open.
setup() {
	holm_setup
	person_new 300000:65536
	mount -t tmpfs -o mode=755 tmpfs /dev/net
	mknod -m 666 /dev/net/tun c 10 200
	service unshare --net sleep 1000
	WORLD=${SERVICES[-1]}
	within 20 eval '[ "$(readlink /proc/$WORLD/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
	# no number of a device in a container, which scopes are told by
	ip link add up0 index 77 type veth peer name world netns "$WORLD"
	ip address add 10.9.9.2/24 dev up0
	ip address add fd09::2/64 dev up0 nodad
	ip link set up0 up
	ip route add default via 10.9.9.1
	ip -6 route add default via fd09::1
	world ip link set lo up
	world ip address add 10.9.9.1/24 dev world
	world ip address add fd09::1/64 dev world nodad
	world ip link set world up
}

teardown() {
	person_end
	ip link delete up0 2>/dev/null || true
	umount /dev/net
	holm_teardown
}

world() { # COMMAND...
	nsenter --net="/proc/$WORLD/ns/net" "$@"
}

# The first is the world's.
services_end_but_world() {
	local pid
	for pid in "${SERVICES[@]:1}"; do
		kill "$pid" 2>/dev/null || true # some end with their one connection
		wait "$pid" || true
	done
	SERVICES=("${SERVICES[0]}")
}

# Answers each connection with a line.
serve() { # ADDRESS PORT TEXT
	python3 -c 'import socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    c, a = s.accept()
    c.sendall((sys.argv[3] + " " + a[0] + "\n").encode())
    c.close()' "$@"
}

says() { # ADDRESS PORT
	timeout 5 bash -c 'head -n1 </dev/tcp/$0/$1' "$1" "$2"
}

@test "slirp4netns carries packets out, and in by published ports, and ends with the container" {
	needs slirp4netns
	export -f serve
	service nsenter --net="/proc/$WORLD/ns/net" bash -c 'serve 10.9.9.1 7000 far'
	within 5 world timeout 1 bash -c '</dev/tcp/10.9.9.1/7000'
	expect 0 u run --rm busybox nc 10.9.9.1 7000
	output_is "far 10.9.9.2"
	expect 0 u run --rm busybox cat /etc/resolv.conf
	output_has "nameserver 127.0.0.11"
	# published, on one address of the host's alone
	expect 0 u run -d --name web -p 127.0.0.1:8080:80 -p 8081:81 busybox \
		sh -c 'while :; do echo other | nc -l -p 81; done & while :; do echo eighty | nc -l -p 80; done'
	within 20 eval '[ "$(says 127.0.0.1 8080)" = eighty ]'
	within 20 eval '[ "$(says 10.9.9.2 8081)" = other ]'
	not says 10.9.9.2 8080
	expect 0 u port web 80
	output_is 127.0.0.1:8080
	refused 125 "8080" u run --rm -p 127.0.0.1:8080:80 busybox true
	expect 0 u stop -t 0 web
	within 20 not pgrep -x slirp4netns
	expect 0 u start web
	within 20 eval '[ "$(says 127.0.0.1 8080)" = eighty ]'
	expect 0 u rm -f web
	within 20 not pgrep -x slirp4netns
}

@test "pasta by name: the host's address and route, and it ends with a monitor that was killed" {
	needs pasta
	expect 0 u run -d --name web --network pasta -p 127.0.0.1:8080:80 busybox sleep 1000
	expect 0 u inspect --format '{{.HostConfig.NetworkMode}}' web
	output_is pasta
	expect 0 u exec web ip route
	output_has "default via 10.9.9.1"
	expect 0 u port web
	output_is "80/tcp -> 127.0.0.1:8080"
	kill -KILL "$(pgrep -f 'holm-monitor run /run/user/1000')"
	expect 0 u ps -a --format '{{.Status}}'
	output_has "Exited (137)"
	within 20 not pgrep -f 'pasta --config'
}

@test "without the device, or the programs, there is loopback; asked for, it is an error that says why" {
	chmod 600 /dev/net/tun
	expect 0 u run --rm busybox ip -o link
	[ "${#lines[@]}" = 1 ]
	refused 125 "pasta: " u run --rm --network pasta busybox true
}

# slirp4netns listens; what answers is a shell in a container.
answers() { # NAME PORT
	u exec -d "$1" sh -c "while :; do echo $1-$2 | nc -l -p $2; done"
}

@test "port add and rm on a container that runs, with a network of its own program" {
	needs slirp4netns
	expect 0 u run -d --name web -p 127.0.0.1:8080:80 busybox sleep 1000
	answers web 80
	answers web 81
	within 20 eval '[ "$(says 127.0.0.1 8080)" = web-80 ]'
	expect 0 u port add web 8081:81 8082:80
	within 20 eval '[ "$(says 10.9.9.2 8081)" = web-81 ]'
	within 20 eval '[ "$(says 127.0.0.1 8082)" = web-80 ]'
	expect 0 u port web
	[ "$(sort <<<"$output")" = "80/tcp -> 0.0.0.0:8082
80/tcp -> 127.0.0.1:8080
80/tcp -> [::]:8082
81/tcp -> 0.0.0.0:8081
81/tcp -> [::]:8081" ]
	# all or none
	refused 1 "port 8081/tcp is published by the container web" u port add web 8085:80 8081:80
	not says 127.0.0.1 8085
	expect 0 u port rm web 8081:81
	not says 10.9.9.2 8081
	within 20 eval '[ "$(says 127.0.0.1 8082)" = web-80 ]'
	refused 1 "it does not publish 9:9" u port rm web 9:9
	# recorded for the next start
	expect 0 u restart -t 0 web
	expect 0 u port web 80
	output_is "0.0.0.0:8082
127.0.0.1:8080
[::]:8082"
	expect 0 u rm -f web
}

@test "with pasta, too, ports come and go while the container runs" {
	needs pasta
	expect 0 u run -d --name web --network pasta busybox sleep 1000
	answers web 81
	expect 0 u port add web 8081:81
	within 20 eval '[ "$(says 10.9.9.2 8081)" = web-81 ]'
	expect 0 u port rm web 8081:81
	not says 10.9.9.2 8081
	expect 0 u rm -f web
}

network_of() { # NAME
	echo "/proc/$(u inspect -f '{{.State.Pid}}' "$1")/ns/net"
}

# In the container's network: tells who asks.
tells() { # NAME PORT
	export -f serve
	service nsenter --net="$(network_of "$1")" python3 -c 'import socket, sys
s = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    c, a = s.accept()
    c.sendall((a[0].removeprefix("::ffff:") + "\n").encode())
    c.close()' "$2"
	within 5 nsenter --net="$(network_of "$1")" timeout 1 bash -c "</dev/tcp/127.0.0.1/$2"
}

from_world() { # ADDRESS PORT
	world timeout 5 bash -c 'head -n1 </dev/tcp/$0/$1' "$1" "$2"
}

is_told() { # ADDRESS PORT
	[ -n "$(from_world "$@")" ]
}

# Published at 8080 on all addresses, of both families.
sees_who_asks() { # NAME
	[ "$(from_world 10.9.9.2 8080)" = 10.9.9.1 ]
	[ "$(from_world fd09::2 8080)" = fd09::1 ]
	# whom a service may trust does not come from outside
	[ "$(says 127.0.0.1 8080)" != 127.0.0.1 ]
	[ "$(says ::1 8080)" != ::1 ]
	says 127.0.0.1 8080 && says ::1 8080
}

@test "an internal network publishes for this host alone, until there is another" {
	needs slirp4netns nft
	expect 0 u network create --internal closed
	expect 0 u network create lan
	expect 0 u run -d --name web --network closed -p 8080:80 busybox sleep 1000
	tells web 80
	within 10 says 127.0.0.1 8080
	says 10.9.9.2 8080
	[ -z "$(from_world 10.9.9.2 8080)" ]
	expect 0 u network connect lan web
	[ "$(from_world 10.9.9.2 8080)" = 10.9.9.1 ]
	expect 0 u network disconnect lan web
	[ -z "$(from_world 10.9.9.2 8080)" ]
	services_end_but_world
	expect 0 u rm -f web
	expect 0 u network rm lan closed
}

@test "published ports: IPv4 and IPv6, and the container sees who asks, whatever carries its packets" {
	needs slirp4netns pasta nft
	local network
	u network create lan >/dev/null
	for network in slirp4netns pasta lan; do
		expect 0 u run -d --name web --network "$network" -p 0.0.0.0:8080:80 -p '[::]:8080:80' -p '[::1]:8081:80' busybox sleep 1000
		tells web 80
		if [ $network = lan ]; then # it has IPv4 alone
			from_world fd09::2 8080
			[ "$(from_world 10.9.9.2 8080)" = 10.9.9.1 ]
		else
			within 10 eval '[ "$(from_world fd09::2 8080)" = fd09::1 ]'
			sees_who_asks web
			# of the same link, whose address means nothing in there
			local own
			own=$(ip -6 -o address show dev up0 scope link | awk '{ sub("/.*", "", $4); print $4 }')
			within 5 is_told "$own%world" 8080
		fi
		says ::1 8081
		not from_world fd09::2 8081
		# what the service asks of the same host is not turned round
		export -f serve
		service nsenter --net="/proc/$WORLD/ns/net" bash -c 'serve 10.9.9.1 7000 far'
		within 5 world timeout 1 bash -c '</dev/tcp/10.9.9.1/7000'
		# (where one hangs now and then with Debian 12's pasta: decision 0037)
		[ $network = pasta ] || expect 0 u exec web nc -w 10 10.9.9.1 7000
		[ $network = pasta ] || output_is "far 10.9.9.2"
		services_end_but_world
		expect 0 u port rm web '[::]:8080:80'
		not says fd09::2 8080
		expect 0 u rm -f web
		within 5 not pgrep -x holm-proxy
		not says 10.9.9.2 8080
	done
	expect 0 u network rm lan
}

# Asks a UDP port: from each address of ours so often, and prints what comes back, sorted.
ask_udp() { # ADDRESS PORT [COUNT [FROM...]]
	python3 -c 'import socket, sys, time
host, port, count, *own = sys.argv[1:]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
all = []
for address in own or [""]:
    for i in range(int(count)):
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.settimeout(3)
        s.bind((address, 0))
        s.sendto(b"?", socket.getaddrinfo(host, int(port), family)[0][4])
        all.append((s, address))
        time.sleep(0.001) # a socket holds some hundred datagrams
for s, address in all:
    try:
        text, (sender, at, *_) = s.recvfrom(9000)
        text = text.decode()
        assert at == int(port) and sender.partition("%")[0] == host.partition("%")[0], (sender, at)
        print(text.replace(str(s.getsockname()[1]), "PORT"))
    except TimeoutError:
        print("nothing")' "$1" "$2" "${3:-1}" "${@:4}" | sort | uniq -c | sed 's/^ *//'
}

world_asks() {
	export -f ask_udp
	world bash -c 'ask_udp "$@"' ask "$@"
}

# In the container's network: a UDP service that tells who asks, and a word more.
tells_udp() { # NAME PORT [WORD]
	service nsenter --net="$(network_of "$1")" python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(("::", int(sys.argv[1])))
while True:
    text, a = s.recvfrom(9000)
    s.sendto((a[0].removeprefix("::ffff:") + " " + str(a[1]) + sys.argv[2]).encode(), a)' "$2" "${3:-}"
}

hears_udp() { # ADDRESS PORT
	[ "$(world_asks "$1" "$2")" != "1 nothing" ]
}

@test "UDP: IPv4 and IPv6, and the service sees who asks, whatever carries its packets" {
	needs slirp4netns pasta nft
	local network
	u network create lan >/dev/null
	world ip address add 10.9.9.7/24 dev world
	for network in slirp4netns pasta lan; do
		expect 0 u run -d --name web --network "$network" -p 8080:80/udp -p '[::1]:8081:80/udp' -p 10.9.9.2:8082:80/udp busybox sleep 1000
		tells_udp web 80
		within 10 hears_udp 10.9.9.2 8080
		[ "$(world_asks 10.9.9.2 8080 1 10.9.9.1 10.9.9.7)" = $'1 10.9.9.1 PORT\n1 10.9.9.7 PORT' ]
		[ "$(world_asks 10.9.9.2 8082)" = "1 10.9.9.1 PORT" ]
		# an IPv4 network has no IPv6 ports (decision 0030)
		[ $network = lan ] || within 10 eval '[ "$(world_asks fd09::2 8080)" = "1 fd09::1 PORT" ]'
		# whom a service may trust does not come from outside
		[[ "$(ask_udp 127.0.0.1 8080)" =~ ^"1 "[0-9a-f] ]]
		[[ "$(ask_udp 127.0.0.1 8080)" != *127.0.0.1* ]]
		[[ "$(ask_udp ::1 8081)" =~ ^"1 "[0-9a-f] ]]
		# many clients, of which each gets its own answer
		[ "$(world_asks 10.9.9.2 8080 300 10.9.9.1 10.9.9.7)" = $'300 10.9.9.1 PORT\n300 10.9.9.7 PORT' ]
		# ports come and go while it runs
		expect 0 u port add web 8083:80/udp
		[ "$(world_asks 10.9.9.2 8083)" = "1 10.9.9.1 PORT" ]
		refused 1 "port 8083/udp is published by the container web" u port add web 8083:80/udp
		expect 0 u port rm web 8083:80/udp
		[ "$(world_asks 10.9.9.2 8083)" = "1 nothing" ]
		services_end_but_world
		expect 0 u port rm web 80/udp
		# nothing of the ways back is left in the container's network
		! nsenter --net="$(network_of web)" ip rule | grep -q udp
		expect 0 u rm -f web
		within 5 not pgrep -x holm-proxy
	done
	expect 0 u network rm lan
	refused 125 "an ordinary user's ports are of TCP or UDP" u run --rm -p 80:80/sctp busybox true
}

@test "UDP: it goes with the container from network to network, and of an internal one to this host alone" {
	needs slirp4netns nft
	expect 0 u network create --internal closed
	expect 0 u network create lan
	expect 0 u run -d --name web --network closed -p 8080:80/udp busybox sleep 1000
	tells_udp web 80
	within 10 eval '[ "$(ask_udp 10.9.9.2 8080)" != "1 nothing" ]'
	[ "$(world_asks 10.9.9.2 8080)" = "1 nothing" ]
	expect 0 u network connect lan web
	within 5 hears_udp 10.9.9.2 8080
	[ "$(world_asks 10.9.9.2 8080)" = "1 10.9.9.1 PORT" ]
	expect 0 u network disconnect closed web
	within 5 hears_udp 10.9.9.2 8080
	[ "$(world_asks 10.9.9.2 8080)" = "1 10.9.9.1 PORT" ]
	services_end_but_world
	expect 0 u rm -f web
	expect 0 u network rm lan closed
}

@test "UDP: an answer comes from the address that was asked, and the service's own questions go out" {
	needs slirp4netns
	ip address add 10.9.9.3/24 dev up0
	expect 0 u run -d --name web -p 8080:80/udp busybox sleep 1000
	tells_udp web 80
	within 10 hears_udp 10.9.9.2 8080
	# one socket asks at two addresses of the host, from the port that the service has
	[ "$(world python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.bind(("10.9.9.1", 80))
for host in "10.9.9.2", "10.9.9.3":
    s.sendto(b"?", (host, 8080))
    text, (sender, port) = s.recvfrom(9000)
    print(sender, port, text.decode().split()[0])')" = "10.9.9.2 8080 10.9.9.1
10.9.9.3 8080 10.9.9.1" ]
	# large ones, and empty ones
	[ "$(world python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
for size in 0, 1, 8000:
    s.sendto(b"x" * size, ("10.9.9.2", 8080))
    print(s.recvfrom(9000)[0].decode().split()[0])')" = "10.9.9.1
10.9.9.1
10.9.9.1" ]
	# of the client whom it has just answered it asks by itself, from another port
	service nsenter --net="/proc/$WORLD/ns/net" python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.9.1", 7000))
while True:
    text, a = s.recvfrom(9000)
    s.sendto(("far " + a[0]).encode(), a)'
	export -f ask_udp
	within 5 eval '[ "$(nsenter --net="$(network_of web)" bash -c "ask_udp 10.9.9.1 7000")" = "1 far 10.9.9.2" ]'
	services_end_but_world
	expect 0 u rm -f web
}

@test "UDP: a flood of senders that are nobody leaves memory and descriptors bounded, and a client in" {
	needs slirp4netns
	expect 0 u run -d --name web -p 8080:80/udp busybox sleep 1000
	tells_udp web 80
	within 10 hears_udp 10.9.9.2 8080
	# of 60000 addresses and ports none has an answer; one who had one goes on
	world ip address add 10.9.64.1/18 dev world
	ip route add 10.9.64.0/18 via 10.9.9.1
	expect 0 world python3 -c 'import socket
known = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
known.settimeout(1)
known.connect(("10.9.9.2", 8080))
def ask():
    for i in range(10): # what a full buffer does not take is lost
        try:
            known.send(b"?")
            return known.recv(9000)
        except TimeoutError:
            pass
before = ask()
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for i in range(20000):
    source = bytes([10, 9, 64 + (i >> 8) % 64, i & 255])
    udp = (1000 + i).to_bytes(2, "big") + (8080).to_bytes(2, "big") + (9).to_bytes(2, "big") + b"\0\0?"
    ip = b"\x45\0\0\0\0\0\0\0\x40\x11\0\0" + source + bytes([10, 9, 9, 2])
    try:
        raw.sendto(ip + udp, ("10.9.9.2", 0))
    except OSError:
        pass
    if i % 1000 == 0:
        assert ask() == before
print(before.decode().split()[0])'
	output_is 10.9.9.1
	local proxy
	for proxy in $(pgrep -x holm-proxy); do
		[ "$(find "/proc/$proxy/fd" | wc -l)" -le 1048 ]
		[ "$(awk '/^VmHWM/ { print $2 }' "/proc/$proxy/status")" -le 4096 ]
	done
	[ "$(nsenter --net="$(network_of web)" ip route show table all | grep -c "^local.*proto static")" -le 1024 ]
	ip route del 10.9.64.0/18
	[ "$(world_asks 10.9.9.2 8080)" = "1 10.9.9.1 PORT" ]
	services_end_but_world
	expect 0 u rm -f web
}

@test "a port that ordinary users may not have: the sysctl is named" {
	needs slirp4netns
	echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start
	refused 125 "ports below 1024 are not for ordinary users" u run --rm -p 80:80 busybox true
	output_has "sysctl net.ipv4.ip_unprivileged_port_start=80"
	echo 80 >/proc/sys/net/ipv4/ip_unprivileged_port_start
	expect 0 u run --rm -p 80:80 busybox true
}

@test "networks: names, the world, published ports, connect and disconnect, and nothing stays" {
	needs slirp4netns nft
	export -f serve
	service nsenter --net="/proc/$WORLD/ns/net" bash -c 'serve 10.9.9.1 7000 far'
	within 5 world timeout 1 bash -c '</dev/tcp/10.9.9.1/7000'
	expect 0 u network create lan
	expect 0 u run -d --name web --network lan -p 127.0.0.1:8080:80 busybox sleep 1000
	answers web 80
	within 20 eval '[ "$(says 127.0.0.1 8080)" = web-80 ]'
	not says 10.9.9.2 8080
	expect 0 u run --rm --network lan busybox sh -c 'nc web 80; nc 10.9.9.1 7000'
	output_is "web-80
far 10.9.9.2"
	# of the host's devices nothing has changed, and one program serves all
	[ -z "$(ip -o link show type bridge)" ]
	[ "$(pgrep -cx slirp4netns)" = 1 ]
	expect 0 u port add web 8081:81
	answers web 81
	within 20 eval '[ "$(says 10.9.9.2 8081)" = web-81 ]'
	expect 0 u port rm web 8081:81
	not says 10.9.9.2 8081
	# another network, and networks are apart
	expect 0 u network create other
	expect 0 u run -d --name db --network other busybox sleep 1000
	answers db 90
	expect 1 u exec web sh -c 'echo | nc -w 1 db 90'
	expect 0 u network connect other web
	within 20 eval '[ "$(u exec web nc -w 1 db 90)" = db-90 ]'
	refused 1 "the network other is that of the container" u network rm other
	expect 0 u network disconnect lan web
	within 20 eval '[ "$(says 127.0.0.1 8080)" = web-80 ]'
	expect 0 u network inspect other --format '{{len .Containers}}'
	output_is 2
	expect 0 u rm -f web
	not says 127.0.0.1 8080
	[ "$(pgrep -cx slirp4netns)" = 1 ]
	expect 0 u rm -f db
	within 20 not pgrep -x slirp4netns
	[ ! -e /run/user/1000/holm/uplink ]
	expect 0 u network rm lan other
}

@test "networks: the program that serves them ends behind monitors that were killed, and many come and go" {
	needs slirp4netns nft
	expect 0 u run -d --name web --network bridge busybox sleep 1000
	kill -KILL "$(pgrep -f 'holm-monitor run /run/user/1000')"
	expect 0 u ps -a --format '{{.Status}}'
	output_has "Exited (137)"
	within 20 not pgrep -x slirp4netns
	local i pids=()
	for i in 1 2 3 4 5 6; do
		u run --rm --network bridge busybox ip -4 -o addr show eth0 >"out$i" 2>"err$i" &
		pids+=($!)
	done
	wait "${pids[@]}" || cat err?
	grep -q inet out1 out2 out3 out4 out5 out6
	[ "$(cat err?)" = "" ]
	within 20 not pgrep -x slirp4netns
	# one that was killed itself is made anew
	expect 0 u start web
	pkill -KILL -x slirp4netns
	expect 0 u stop -t 0 web
	expect 0 u start web
	expect 0 u exec web ip -4 -o addr show eth0
	output_has inet
	expect 0 u rm -f web
	within 20 not pgrep -x slirp4netns
}
