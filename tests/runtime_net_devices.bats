#!/usr/bin/env bats
# Devices of the host that are moved into a container: linux.netDevices. The tests' own network
# namespace is the host.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
	ip link add ours type veth peer name theirs || skip "no veth in this kernel"
	ip link set ours up
}

teardown() {
	ip link del ours 2>/dev/null || true
	holm_teardown
}

@test "a device goes into the container with its addresses, and is up there" {
	ip addr add 192.0.2.5/24 dev theirs
	ip addr add 192.0.2.6/32 dev theirs noprefixroute
	ip addr add 169.254.7.7/16 dev theirs scope link
	ip link set theirs mtu 1400 address 02:00:00:00:00:05 up
	ip addr add 2001:db8::5/64 dev theirs nodad
	bundle_edit '.linux.netDevices = { theirs: {} }'
	expect 0 bundle sh -c 'ip addr show theirs; ip route; ls /proc/self/fd | tr "\n" " "'
	[[ $output == *",UP,"*"mtu 1400"*"02:00:00:00:00:05"* ]]
	output_has "inet 192.0.2.5/24"
	output_has "inet 192.0.2.6/32"
	output_has "inet6 2001:db8::5/64"
	output_has "192.0.2.0/24 dev theirs"
	output_has "0 1 2 3 "
	[[ $output != *169.254.7.7* ]]
	# a virtual device ends with its namespace
	within 5 is_gone theirs
}

is_gone() { # DEVICE
	! ip link show "$1" 2>/dev/null
}

@test "a device gets another name inside, and can be set by sysctl" {
	ip addr add 192.0.2.9/24 dev theirs
	bundle_edit '.linux.netDevices = { theirs: { name: "eth0" } } | .linux.sysctl = { "net.ipv4.conf.eth0.forwarding": "1" }'
	expect 0 bundle sh -c 'ip -o addr show eth0; cat /proc/sys/net/ipv4/conf/eth0/forwarding; ip link show theirs || echo "no other"'
	output_has "192.0.2.9/24"
	output_has $'\n1\n'
	output_has "no other"
}

@test "what is not there or cannot be is named, and the host keeps its device" {
	ip addr add 192.0.2.9/24 dev theirs
	ip link set theirs up
	bundle_edit '.linux.netDevices = { missing: {} }'
	bundle_refused 125 "linux.netDevices.missing: " bundle true
	output_has "No such device"
	bundle_edit '.linux.netDevices = { theirs: { name: "lo" } }'
	bundle_refused 125 "linux.netDevices.theirs: the container has a device 'lo'" bundle true
	bundle_edit '.linux.netDevices = { lo: { name: "lo2" } }'
	bundle_refused 125 "linux.netDevices.lo: " bundle true
	bundle_edit '.linux.netDevices = { theirs: { name: "a/b" } }'
	bundle_refused 125 "linux.netDevices.theirs: 'a/b' is no name of a device" bundle true
	bundle_edit '.linux.netDevices = { theirs: { name: "sixteen-letters-" } }'
	bundle_refused 125 "is no name of a device" bundle true
	bundle_edit '.linux.netDevices = { theirs: { name: "x" }, ours: { name: "x" } }'
	bundle_refused 125 "linux.netDevices: two are to be 'x'" bundle true
	bundle_edit '.linux.netDevices = { theirs: {} } | .linux.namespaces |= map(select(.type != "network"))
		| .mounts |= map(select(.destination != "/sys"))'
	bundle_refused 125 "linux.netDevices without a network namespace" bundle true
	ip -o addr show theirs | grep -q 192.0.2.9/24
	[[ $(ip -o link show theirs) == *,UP,* ]]
}

@test "when one of several cannot be moved, those before it come back as they were" {
	ip addr add 192.0.2.9/24 dev theirs
	ip link set theirs up
	ip addr add 192.0.2.10/32 dev ours
	ip link set ours down
	bundle_edit '.linux.netDevices = { theirs: { name: "eth0" }, ours: { name: "eth1" }, missing: {} }'
	bundle_refused 125 "linux.netDevices.missing: " bundle true
	ip -o addr show theirs | grep -q 192.0.2.9/24
	[[ $(ip -o link show theirs) == *,UP,* ]]
	ip -o addr show ours | grep -q 192.0.2.10/32
	[[ $(ip -o link show ours) != *,UP* ]]
	# nor do they stay in a namespace that is joined
	service unshare --kill-child --fork --net sleep 60
	within 5 pgrep -P "${SERVICES[-1]}"
	local neighbour
	neighbour=$(pgrep -P "${SERVICES[-1]}")
	bundle_edit '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)' --arg p "/proc/$neighbour/ns/net"
	bundle_refused 125 "linux.netDevices.missing: " bundle true
	ip -o addr show theirs | grep -q 192.0.2.9/24
	kill -KILL "$neighbour"
}

@test "a device goes to a namespace that is joined, too" {
	service unshare --kill-child --fork --net sleep 60
	within 5 pgrep -P "${SERVICES[-1]}"
	local neighbour
	neighbour=$(pgrep -P "${SERVICES[-1]}")
	bundle_edit '.linux.netDevices = { theirs: { name: "moved" } }
		| .linux.namespaces |= map(if .type == "network" then .path = $p else . end)' --arg p "/proc/$neighbour/ns/net"
	expect 0 bundle ip link show moved
	nsenter -t "$neighbour" -n ip link show moved
	kill -KILL "$neighbour"
}
