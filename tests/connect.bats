#!/usr/bin/env bats
# network connect, disconnect, update: a container comes into networks and leaves them.
load holm
load networks

pings() { # CONTAINER NAME
	holm exec "$1" ping -c 1 -W 1 "$2" >/dev/null
}

@test "connect and disconnect while it runs: device, names, hosts, inspect, record, events" {
	holm network create a >/dev/null
	holm network create --subnet 10.98.1.0/24 b >/dev/null
	sleeper db --network b
	sleeper app --network a
	run pings app db
	[ "$status" != 0 ]
	before=$(holm exec app ls -i /etc/hosts)
	expect 0 holm network connect --ip 10.98.1.7 --alias front --alias web b app
	expect 0 pings app db
	expect 0 pings db front
	expect 0 pings db web
	expect 0 holm exec app cat /etc/hosts
	output_has "10.98.1.7	$(holm inspect --format '{{.Config.Hostname}}' app)"
	[ "$(holm exec app ls -i /etc/hosts)" = "$before" ]
	[ "$(address_of app b)" = 10.98.1.7 ]
	expect 0 holm exec app ls /sys/class/net
	output_is $'eth0\neth1\nlo'
	expect 0 holm network inspect --format '{{len .Containers}}' b
	output_is 2
	refused 1 "in the network b already" holm network connect b app
	refused 1 "not in the subnet" holm network connect --ip 10.98.1.7 a db
	[ "$(holm inspect --format '{{len .NetworkSettings.Networks}}' db)" = 1 ]
	holm restart -t 0 app >/dev/null
	[ "$(address_of app b)" = 10.98.1.7 ]
	expect 0 pings db front

	expect 0 holm network disconnect b app
	expect 0 holm exec app ls /sys/class/net
	output_is $'eth0\nlo'
	run pings db front
	[ "$status" != 0 ]
	expect 0 holm exec app cat /etc/hosts
	[[ $output != *10.98.1.7* ]]
	[ "$(holm inspect --format '{{len .NetworkSettings.Networks}}' app)" = 1 ]
	expect 0 holm run --rm --network b --ip 10.98.1.7 busybox true
	refused 1 "is not in the network b" holm network disconnect b app
	expect 0 holm network disconnect -f b app
	id=$(holm inspect --format '{{.Id}}' app)
	expect 0 holm events --since 0 --until 0s --filter type=network \
		--format '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.container}}'
	output=$(sed -n "s/ $id\$//p" <<<"$output")
	output_is $'connect a\nconnect b\ndisconnect a\ndisconnect b\nconnect a\nconnect b\ndisconnect b'
}

@test "a connect that fails leaves nothing of itself" {
	holm network create a >/dev/null
	holm network create --subnet 10.98.1.0/24 b >/dev/null
	sleeper app --network a
	id=$(holm inspect --format '{{.Id}}' app)
	expect 0 holm exec app ip route
	before=$output
	mv "$HOLM_ROOT/containers/$id/hosts" hosts
	mkdir "$HOLM_ROOT/containers/$id/hosts"
	run holm network connect --gw-priority 9 --ip 10.98.1.7 b app
	[ "$status" = 1 ]
	rmdir "$HOLM_ROOT/containers/$id/hosts"
	mv hosts "$HOLM_ROOT/containers/$id/hosts"
	expect 0 holm exec app ls /sys/class/net
	output_is $'eth0\nlo'
	expect 0 holm exec app ip route
	output_is "$before"
	expect 0 jq -r '.places[].network' "$HOLM_RUN/containers/$id/network.json"
	output_is a
	[ ! -e "$HOLM_RUN/names/b/$id" ]
	expect 0 holm run --rm --network b --ip 10.98.1.7 busybox true
	expect 0 holm network connect --ip 10.98.1.7 b app
}

@test "connect and disconnect, killed at their abort points: the next try does it, and so does a restart" {
	needs_abort_points
	holm network create a >/dev/null
	holm network create b >/dev/null
	sleeper app --network a
	sleeper peer --network b
	for next in "network connect b" "restart -t 0"; do
		HOLM_FAULT=connect.record run holm network connect b app
		[ "$status" = 137 ]
		# shellcheck disable=SC2086
		expect 0 holm $next app
		pings app peer
		HOLM_FAULT=disconnect.record run holm network disconnect b app
		[ "$status" = 137 ]
		# shellcheck disable=SC2086
		expect 0 holm ${next/connect/disconnect} app
		expect 0 holm exec app ls /sys/class/net
		output_is $'eth0\nlo'
		[ ! -e "$HOLM_RUN/names/b/$(holm inspect --format '{{.Id}}' app)" ]
	done
}

@test "the way to the world follows: the first network's, the highest priority's, what is left" {
	holm network create --subnet 10.98.1.0/24 a >/dev/null
	holm network create --subnet 10.98.2.0/24 b >/dev/null
	holm network create --internal --subnet 10.98.3.0/24 inner >/dev/null
	sleeper app --network inner
	expect 0 holm exec app ip route
	[[ $output != *default* ]]
	expect 0 holm network connect a app
	expect 0 holm exec app ip route
	output_has "default via 10.98.1.1 dev eth1"
	expect 0 holm network connect --gw-priority 5 b app
	expect 0 holm exec app ip route
	output_has "default via 10.98.2.1 dev eth2"
	[ "$(grep -c default <<<"$output")" = 1 ]
	expect 0 holm network disconnect b app
	expect 0 holm exec app ip route
	output_has "default via 10.98.1.1 dev eth1"
	expect 0 holm network disconnect a app
	expect 0 holm exec app ip route
	[[ $output != *default* ]]
	sleeper both --network inner --network a:gw-priority=1 --network b
	expect 0 holm exec both ip route
	output_has "default via 10.98.1.1 dev eth1"
}

@test "a container that does not run, one without a network, one with ids of its own" {
	holm network create a >/dev/null
	holm network create b >/dev/null
	holm create --name app --network a busybox sleep 1000 >/dev/null
	expect 0 holm network connect --alias x b app
	expect 0 holm network disconnect a app
	holm start app >/dev/null
	[ -n "$(address_of app b)" ]
	expect 0 holm inspect --format '{{.HostConfig.NetworkMode}} {{len .NetworkSettings.Networks}}' app
	output_is "b 1"
	sleeper mapped --network b --userns auto
	expect 0 pings mapped x
	expect 0 holm network connect a mapped
	expect 0 holm exec mapped ls /sys/class/net
	output_is $'eth0\neth1\nlo'
	expect 0 holm network disconnect b mapped
	expect 0 holm network disconnect a mapped
	expect 0 holm exec mapped ls /sys/class/net
	output_is lo
	expect 0 holm network connect a mapped
	expect 0 pings mapped mapped
	sleeper none --network none
	refused 1 "is to have no network" holm network connect a none
	sleeper host --network host
	refused 1 "has no network of its own" holm network connect a host
	refused 1 "no network is called nowhere" holm network connect nowhere app
	refused 1 "nobody" holm network connect a nobody
	refused 1 "name or id is empty" holm network connect a ""
	expect 0 holm create --name later --network a busybox true
	refused 1 "203.0.113.7 is not in the subnets of the network b" holm network connect --ip 203.0.113.7 b later
	refused 1 "2001:db8::7 is not in the subnets of the network b" holm network connect --ip6 2001:db8::7 b later
	expect 0 holm inspect --format '{{len .NetworkSettings.Networks}}' later
	output_is 1
	refused 1 "is not in the network a" holm network disconnect a host
	refused 1 "is that of the container" holm network rm b
}

@test "network update: other name servers, heard at once" {
	needs dnsmasq
	service dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces \
		--listen-address=127.0.0.54 --address=/test/192.0.2.8 --pid-file= --user=root
	holm network create a >/dev/null
	sleeper app --network a
	within 10 "$BATS_TEST_DIRNAME/dns_ask.py" 127.0.0.54 x.test
	expect 0 holm network update --dns-add 127.0.0.54 a
	expect 0 holm exec app nslookup -type=a x.test
	output_has "Address: 192.0.2.8"
	refused 1 "not one of the network" holm network update --dns-drop 127.0.0.55 a
	refused 1 "is not an IP address" holm network update --dns-add here a
	expect 0 holm network update --dns-drop 127.0.0.54 a
	run holm exec app nslookup -type=a x.test
	[[ $output != *192.0.2.8* ]]
}
