#!/usr/bin/env bats
# Names: containers of a network find each other, and the rest of the world, by name.
load holm

setup() {
	command -v nft >/dev/null || skip "no nft here"
	holm_setup
}

teardown() {
	holm ps -aq | xargs -r holm rm -f >/dev/null 2>&1 || true
	holm network prune -f >/dev/null 2>&1 || true
	within 10 not has_veth
	ip link delete holm0 2>/dev/null || true
	nft delete table inet holm 2>/dev/null || true
	holm_teardown
}

has_veth() {
	ip -o link show type veth | grep -q .
}

address_of() { # CONTAINER NETWORK
	holm inspect --format "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"
}

sleeper() { # NAME [ARGUMENT...]
	local name=$1
	shift
	holm run -d --name "$name" "$@" busybox sleep 1000 >/dev/null
}

@test "two containers of a network find each other by name, short id and host name" {
	holm network create web >/dev/null
	sleeper db --network web --hostname store
	sleeper app --network web --cap-add NET_RAW
	expect 0 holm exec app ping -c 1 -W "$(seconds 1)" db
	expect 0 holm exec app cat /etc/resolv.conf
	output_has "nameserver 127.0.0.11"
	for name in db DB "$(holm inspect --format '{{.Id}}' db | cut -c1-12)" store db.web; do
		expect 0 holm exec app nslookup "$name"
		output_has "$(address_of db web)"
	done
}
