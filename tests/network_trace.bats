#!/usr/bin/env bats
# Looking into networks: packets, and who has what.
load holm
load networks

setup_file() {
	needs_root "networks of a user are not the host's, at which the test looks"
}

@test "network trace: tcpdump reads what it wrote" {
	holm run -d --name web --cap-add NET_RAW busybox sleep 1000 >/dev/null
	service holm net trace -c 12 -w out.pcap web
	within 5 grep -q listening "$BATS_TEST_TMPDIR/service.0.log"
	holm exec web ping -c 12 -i 0.1 -W 1 -s 100 "$(address_of web | sed 's/[0-9]*$/1/')" >/dev/null
	within 5 grep -q "12 packets written, 0 lost" "$BATS_TEST_TMPDIR/service.0.log"
	expect 0 tcpdump -n -e -r out.pcap
	[ "${#lines[@]}" = 12 ]
	# shellcheck disable=SC2154
	[[ $stderr == *"link-type EN10MB"* ]]
	[ "$(tcpdump -n -r out.pcap "icmp[0] == 8 and src $(address_of web)" 2>/dev/null | grep -c 'length 108')" -ge 1 ]
}

@test "network trace: to a pipe, until it is told to end; cut packets, and times" {
	holm run -d --name web --cap-add NET_RAW busybox sleep 1000 >/dev/null
	service sh -c "holm network trace -s 60 web | tcpdump -l -n -e -tttt -r - >$BATS_TEST_TMPDIR/text"
	within 5 grep -q listening "$BATS_TEST_TMPDIR/service.0.log"
	holm exec web ping -c 1 -W 1 -s 500 "$(address_of web | sed 's/[0-9]*$/1/')" >/dev/null
	within 5 grep -q "$(date -u +%Y-).*length 542.*echo request" "$BATS_TEST_TMPDIR/text"
	# it ends with the container
	holm rm -f web >/dev/null
	within 5 grep -q "packets written" "$BATS_TEST_TMPDIR/service.0.log"
}

@test "network trace: of one host, port or protocol alone, for a time" {
	sleeper web
	sleeper other
	gateway=$(address_of web | sed 's/[0-9]*$/1/')
	service holm net trace --proto icmp --host "$(address_of other)" --time 3 -w out.pcap web
	service holm net trace --proto tcp --port 80 -c 1 -w tcp.pcap web
	within 5 grep -q listening "$BATS_TEST_TMPDIR/service.0.log"
	within 5 grep -q listening "$BATS_TEST_TMPDIR/service.1.log"
	holm exec web ping -c 1 -W 1 "$gateway" >/dev/null
	holm exec other ping -c 1 -W 1 "$(address_of web)" >/dev/null
	holm exec web nc -w 1 "$gateway" 80 </dev/null || true
	within 10 grep -q "2 packets written" "$BATS_TEST_TMPDIR/service.0.log"
	within 10 grep -q "1 packets written" "$BATS_TEST_TMPDIR/service.1.log"
	expect 0 tcpdump -n -r tcp.pcap
	output_has "> $gateway.80: Flags [S]"
	refused 1 "--host: 'here'" holm network trace --host here -w x web
	refused 125 "'http' is not one of arp|ip|ip6" holm network trace --proto http -w x web
	refused 1 "--port 70000: not a port" holm network trace --port 70000 -w x web
}

@test "network trace: what cannot be is refused by name" {
	refused 1 "no such container" holm network trace -w x nobody
	holm run -d --name web busybox sleep 1000 >/dev/null
	refused 1 "there is no network device eth7" holm network trace -i eth7 -w x web
	refused 1 "--snapshot-length 300000" holm network trace -s 300000 -w x web
	holm stop -t 0 web >/dev/null
	refused 1 "container web is not running" holm network trace -w x web
	[ ! -e x ]
}

@test "network ls -v: who has which device and address, and what was refused" {
	local pid
	holm network create --subnet 10.96.3.0/24 net >/dev/null
	holm run -d --name web --cap-add NET_RAW --network net:ip=10.96.3.9,allow=10.96.4.0/24,limits.egress=10mbit busybox sleep 1000 >/dev/null
	expect 0 holm network ls -v --filter name=net --format '{{.Network}} {{.Driver}} {{.Container}} {{.Addresses}} {{.Permits}} {{.Limits}} {{.Rules}}'
	output_is $'net bridge  10.96.3.0/24   inet holm\nnet bridge web 10.96.3.9/24 own 10.96.4.0/24 egress=10mbit '
	expect 0 holm net ls -v --filter name=net --format '{{.Container}} {{.Device}} {{.Outer}} {{.MAC}}'
	[[ ${lines[0]} =~ ^\ +holm-[0-9a-f]{8}\ $ ]]
	[[ ${lines[1]} =~ ^web\ eth0\ veth[0-9a-f]{8}\ 02:42:0a:60:03:09$ ]]
	before=$(refused_of web)
	pid=$(pid_of web)
	nsenter -t "$pid" -n ip address add 10.96.3.77/24 dev eth0
	holm exec web ping -c 1 -W 1 -I 10.96.3.77 10.96.3.1 >/dev/null || true
	[ "$(refused_of web)" -gt "$before" ]
	nft flush ruleset
	expect 0 holm network ls -v --filter name=net --format '{{.Rules}}'
	[ "${lines[0]}" = none ]
}

refused_of() { # CONTAINER
	holm network ls -v --format '{{.Container}} {{.Refused}}' | sed -n "s/^$1 //p"
}
