#!/usr/bin/env bats
# The network of an ordinary user's containers: a program carries their packets.
# shellcheck disable=SC2016 # scripts for other shells
load holm
load person

# The user's host has an address, a default route, and 10.9.9.1 as the world; /dev/net/tun is open.
setup() {
	holm_setup
	person_new 300000:65536
	mount -t tmpfs -o mode=755 tmpfs /dev/net
	mknod -m 666 /dev/net/tun c 10 200
	service unshare --net sleep 1000
	WORLD=${SERVICES[-1]}
	within 5 eval '[ "$(readlink /proc/$WORLD/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
	ip link add up0 type veth peer name world netns "$WORLD"
	ip address add 10.9.9.2/24 dev up0
	ip link set up0 up
	ip route add default via 10.9.9.1
	world ip link set lo up
	world ip address add 10.9.9.1/24 dev world
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
	within 5 eval '[ "$(says 127.0.0.1 8080)" = eighty ]'
	within 5 eval '[ "$(says 10.9.9.2 8081)" = other ]'
	not says 10.9.9.2 8080
	expect 0 u port web 80
	output_is 127.0.0.1:8080
	refused 125 "8080" u run --rm -p 127.0.0.1:8080:80 busybox true
	expect 0 u stop -t 0 web
	within 5 not pgrep -x slirp4netns
	expect 0 u start web
	within 5 eval '[ "$(says 127.0.0.1 8080)" = eighty ]'
	expect 0 u rm -f web
	within 5 not pgrep -x slirp4netns
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
	within 5 not pgrep -f 'pasta --config'
}

@test "without the device, or the programs, there is loopback; asked for, it is an error that says why" {
	chmod 600 /dev/net/tun
	expect 0 u run --rm busybox ip -o link
	[ "${#lines[@]}" = 1 ]
	refused 125 "pasta: " u run --rm --network pasta busybox true
}
