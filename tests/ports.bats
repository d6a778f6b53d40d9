#!/usr/bin/env bats
# Published ports: who reaches a container by the host's addresses, and who does not.
load holm

setup() {
	command -v nft >/dev/null || skip "no nft here"
	holm_setup
	OUTSIDE=
}

teardown() {
	[ -z "${OUTSIDE:-}" ] || ip link delete outside 2>/dev/null || true
	nft delete table inet firewall 2>/dev/null || true
	holm ps -aq | xargs -r holm rm -f >/dev/null 2>&1 || true
	holm network prune -f >/dev/null 2>&1 || true
	within 10 not has_veth
	[ -z "${BATS_TEST_COMPLETED:-}" ] || [ -z "$(elements)" ] || { elements; return 1; }
	ip link delete holm0 2>/dev/null || true
	ip link delete holm-out 2>/dev/null || true
	for family in inet ip ip6; do
		nft delete table $family holm 2>/dev/null || true
	done
	holm_teardown
}

has_veth() {
	ip -o link show type veth | grep -qv ' holm-in@\| holm-out@'
}

# What the maps of the ports have.
elements() {
	nft -j list table inet holm 2>/dev/null |
		jq -c '.nftables[] | (.map // .set // empty) | select(.name | test("ports|judged")) | .elem // empty'
}

# Another host, in the namespace of a container: 192.0.2.2, and we are 192.0.2.1 to it. It knows the
# way to our containers.
make_world() {
	ip link add outside type veth peer name world
	OUTSIDE=1
	ip address add 192.0.2.1/24 dev outside
	ip address add fd01::1/64 dev outside nodad
	ip link set outside up
	holm run -d --name world --network none busybox sleep 1000 >/dev/null
	WORLD=$(holm inspect --format '{{.State.Pid}}' world)
	ip link set world netns "$WORLD"
	in_world ip address add 192.0.2.2/24 dev world
	in_world ip address add fd01::2/64 dev world nodad
	in_world ip link set world up
	in_world ip route add 10.99.0.0/24 via 192.0.2.1
}

in_world() {
	nsenter -t "$WORLD" -n "$@"
}

web() { # NAME [ARGUMENT...]
	local name=$1
	shift
	holm run -d --name "$name" --network bridge "$@" busybox sh -c "
		mkdir /www; hostname >/www/index.html; echo $name >/www/name
		exec httpd -f -p 80 -h /www" >/dev/null
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
