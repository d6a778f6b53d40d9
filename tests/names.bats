#!/usr/bin/env bats
# Names: containers of a network find each other, and the rest of the world, by name.
load holm
load networks

setup() {
	networks_setup
	RESOLV=$BATS_TEST_TMPDIR/resolv.conf
	echo "nameserver 127.0.0.53" >"$RESOLV"
	mount --bind "$RESOLV" /etc/resolv.conf
	# shellcheck disable=SC2034 # for holm.bash
	HOLM_MOUNTS=$(mounts)
}

teardown() {
	networks_teardown || failed=1
	umount /etc/resolv.conf || true
	[ -z "${failed:-}" ]
}

# Asks the container's name server from within its network; the answer is the output.
ask() { # CONTAINER NAME [TYPE] [tcp]
	local pid
	pid=$(pid_of "$1")
	shift
	expect 0 nsenter -t "$pid" -n "$BATS_TEST_DIRNAME/dns_ask.py" 127.0.0.11 "$@"
}

asks_to() { # PATTERN CONTAINER NAME [TYPE] [tcp]
	ask "${@:2}" && grep -q -- "$1" <<<"$output"
}

# A name server of the host, that answers for *.test.
host_server() { # ADDRESS IP
	service dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces \
		--listen-address="$1" --address="/test/$2" --local=/test/ --pid-file= --user=root
	within 10 "$BATS_TEST_DIRNAME/dns_ask.py" "$1" x.test
}

bad_server() { # ADDRESS HOW...
	service "$BATS_TEST_DIRNAME/dns_ask.py" --serve "$@"
	LOG=$BATS_TEST_TMPDIR/service.$((${#SERVICES[@]} - 1)).log
	within 10 grep -q ready "$LOG"
}

resolver_of() { # CONTAINER: the pid of its holm-dns
	local monitor
	monitor=$(jq -r .monitorPid "$HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' "$1")/state.json")
	pgrep -P "$monitor" -x holm-dns
}

@test "two containers of a network find each other by name, short id, host name and alias" {
	holm network create web >/dev/null
	sleeper db --network web --hostname store --network-alias sql --network-alias sql.example
	sleeper app --network web --cap-add NET_RAW
	expect 0 holm exec app ping -c 1 -W "$(seconds 1)" db
	expect 0 holm exec app cat /etc/resolv.conf
	output_has "nameserver 127.0.0.11"
	for name in db DB "$(holm inspect --format '{{.Id}}' db | cut -c1-12)" store sql sql.example db.web; do
		ask app "$name"
		output_has "A $(address_of db web)"
	done
	ask app db AAAA
	output_is "NOERROR  "
	ask app db MX
	output_is "NOERROR  "
	ask app db ANY
	output_has "A $(address_of db web)"
	ask app db A tcp
	output_has "A $(address_of db web)"
	ask app "$(address_of db web | awk -F. '{ print $4 "." $3 "." $2 "." $1 }').in-addr.arpa" PTR
	output_has "PTR db.web"
	refused 125 "--network-alias 'a b'" holm run --rm --network web --network-alias "a b" busybox true
	refused 125 "--network-alias wants a network" holm run --rm --network none --network-alias a busybox true
}

@test "IPv6: addresses of both families, and their names" {
	holm network create --ipv6 --subnet fd00:0:0:9::/64 web >/dev/null
	sleeper db --network web --ip6 fd00:0:0:9::7
	ask db db ANY
	output_has "A $(address_of db web)"
	output_has "AAAA fd00:0:0:9::7"
	ask db 7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.9.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR
	output_has "PTR db.web"
}

@test "the same name in two networks: each sees its own, and who is in both sees both" {
	holm network create a >/dev/null
	holm network create b >/dev/null
	sleeper one --network a:alias=db
	sleeper two --network b:alias=db
	sleeper both --network a --network b
	ask one db
	output_is "NOERROR  
A $(address_of one a)"
	ask two db
	output_is "NOERROR  
A $(address_of two b)"
	ask both db
	output_has "A $(address_of one a)"
	output_has "A $(address_of two b)"
	ask both db.b
	output_is "NOERROR  
A $(address_of two b)"
	ask one two
	not grep -q "^A" <<<"$output"
	ask one "$(address_of two b | awk -F. '{ print $4 "." $3 "." $2 "." $1 }').in-addr.arpa" PTR
	not grep -q "^PTR" <<<"$output"
}

@test "who has stopped, or was killed, has no name; who starts again has, and who is renamed another" {
	holm network create web >/dev/null
	sleeper app --network web
	sleeper db --network web
	asks_to "^A" app db
	holm stop -t 0 db >/dev/null
	ask app db
	not grep -q "^A" <<<"$output"
	holm start db >/dev/null
	asks_to "^A" app db
	kill -KILL "$(jq -r .monitorPid "$HOLM_RUN/containers/$(holm inspect --format '{{.Id}}' db)/state.json")"
	within 10 eval '! asks_to "^A" app db'
	holm start db >/dev/null
	asks_to "^A" app db
	holm rename db sql
	asks_to "^A" app sql
	ask app db
	not grep -q "^A" <<<"$output"
	holm rm -f sql >/dev/null
	[ -z "$(find "$HOLM_RUN/names/web" -type f ! -name "$(holm inspect --format '{{.Id}}' app)*")" ]
}

@test "a name server that was killed is there again, and goes with its container" {
	holm network create web >/dev/null
	sleeper app --network web
	not resolver_of app
	asks_to "^A" app app
	pid=$(resolver_of app)
	expect 0 grep -E '^(Uid|Groups|CapEff|NoNewPrivs|Seccomp):' "/proc/$pid/status"
	nobody=${HOLM_TEST_USER:+365533}
	nobody=${nobody:-65534}
	output_has "Uid:	$nobody	$nobody	$nobody	$nobody"
	output_has "CapEff:	0000000000000000"
	output_has "NoNewPrivs:	1"
	[ -n "$(find "$HOLM_RUN/names/.empty" -maxdepth 0 -empty)" ]
	kill -KILL "$pid"
	within 10 eval '! kill -0 '"$pid"
	asks_to "^A" app app
	[ "$(resolver_of app)" != "$pid" ]
	pid=$(resolver_of app)
	kill -KILL "$(jq -r .monitorPid "$HOLM_RUN"/containers/*/state.json)"
	within 10 eval '! kill -0 '"$pid"
}

@test "other names are the host's affair, also where its server is on 127.0.0.53, and when it changes" {
	needs dnsmasq
	host_server 127.0.0.53 192.0.2.7
	sleeper app
	ask app x.test
	output_is "NOERROR  
A 192.0.2.7"
	ask app x.test A tcp
	output_has "A 192.0.2.7"
	ask app nobody.test AAAA
	output_is "NOERROR  "
	ask app nobody.elsewhere
	output_has REFUSED
	expect 0 holm exec app nslookup -type=a x.test
	output_has "Address: 192.0.2.7"
	host_server 127.0.0.54 192.0.2.8
	echo "nameserver 127.0.0.54" >"$RESOLV"
	ask app x.test
	output_has "A 192.0.2.8"
	: >"$RESOLV"
	ask app x.test
	output_has SERVFAIL
	sleeper own --dns 127.0.0.54
	ask own x.test
	output_has "A 192.0.2.8"
}

@test "a server that is silent, refuses or forges does no harm" {
	bad_server 127.0.0.60 silent
	bad_server 127.0.0.61 refuse
	bad_server 127.0.0.62 forge
	sleeper app
	printf 'nameserver %s\n' 127.0.0.61 127.0.0.62 >"$RESOLV"
	ask app x.example
	output_is "NOERROR  
A 192.0.2.80"
	printf 'nameserver %s\n' 127.0.0.63 127.0.0.60 127.0.0.62 >"$RESOLV"
	ask app x.example
	output_is "NOERROR  
A 192.0.2.80"
	for i in 1 2 3 4 5 6 7 8; do
		asks_to 192.0.2.80 app "x$i.example"
	done
	# ports and ids by chance
	[ "$(sed -n 's/.* from port \([0-9]*\) id .*/\1/p' "$LOG" | sort -u | wc -l)" -ge 8 ]
	[ "$(sed -n 's/.* id \(.*\)/\1/p' "$LOG" | sort -u | wc -l)" -ge 8 ]
}

@test "what is too long for a datagram is asked for again by TCP" {
	bad_server 127.0.0.60 long
	echo "nameserver 127.0.0.60" >"$RESOLV"
	sleeper app
	ask app x.example TXT
	output_has "NOERROR TC"
	ask app x.example TXT tcp
	[ "$(grep -c "TYPE 16 256" <<<"$output")" = 20 ]
}

@test "an internal network asks nobody outside" {
	needs dnsmasq
	host_server 127.0.0.53 192.0.2.7
	holm network create --internal a >/dev/null
	sleeper app --network a
	ask app x.test
	output_is "NXDOMAIN  "
	asks_to "^A" app app
}

@test "a hundred names, and one that a hundred have" {
	holm network create web >/dev/null
	sleeper app --network web --net-alias all
	id=$(holm inspect --format '{{.Id}}' app)
	cd "$HOLM_RUN/names/web"
	for i in $(seq 100); do
		fake=$(printf %064d "$i")
		printf 'name n%d\nname all\naddress 10.97.0.%d\n' "$i" "$i" >"$fake"
		ln "$id.alive" "$fake.alive"
	done
	cd "$BATS_TEST_TMPDIR"
	for i in 1 50 100; do
		asks_to "^A 10.97.0.$i\$" app "n$i"
	done
	ask app all
	output_has "NOERROR TC"
	ask app all A edns=4096
	[ "$(grep -c '^A' <<<"$output")" = 101 ]
	ask app all A tcp
	[ "$(grep -c '^A' <<<"$output")" = 101 ]
	rm "$HOLM_RUN"/names/web/0*
}

@test "what is no question gets no answer, and hurts nobody" {
	needs_root "a user's containers are in no network by default, and so have no names there"
	sleeper app
	pid=$(pid_of app)
	asks_to "^A" app app
	resolver=$(resolver_of app)
	nsenter -t "$pid" -n /usr/bin/python3 -IS - <<-'E'
		import os, socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for i in range(2000):
		    s.sendto(os.urandom(i % 600), ("127.0.0.11", 53))
		for i in range(40):
		    c = socket.create_connection(("127.0.0.11", 53))
		    c.sendall(os.urandom(i))
		    c.close()
	E
	asks_to "^A" app app
	[ "$(resolver_of app)" = "$resolver" ]
}

@test "a container's own name server has port 53" {
	needs_root "a user's containers are in no network by default, and so have no names there"
	needs dnsmasq
	mkdir -p "$BATS_TEST_TMPDIR/empty"
	sleeper app --name app
	pid=$(pid_of app)
	service nsenter -t "$pid" -n dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
		--address=/own/192.0.2.9 --pid-file= --user=root
	within 10 nsenter -t "$pid" -n "$BATS_TEST_DIRNAME/dns_ask.py" 127.0.0.1 x.own
	expect 0 nsenter -t "$pid" -n "$BATS_TEST_DIRNAME/dns_ask.py" 127.0.0.1 x.own
	output_has "A 192.0.2.9"
	asks_to "^A" app app
	asks_to "^A" app app A tcp
}

@test "the C libraries of Debian and busybox are both content" {
	local image
	made_image debian image
	registry_start
	registry_push "oci:$image:bookworm" debian:bookworm
	holm network create web >/dev/null
	sleeper db --network web
	expect 0 holm run --rm --network web "$REGISTRY/debian:bookworm" getent hosts db
	output_has "$(address_of db web)"
	expect 0 holm run --rm --network web "$REGISTRY/debian:bookworm" getent hosts "$(address_of db web)"
	output_has db.web
	expect 2 holm run --rm --network web "$REGISTRY/debian:bookworm" getent hosts nobody
	expect 0 holm run --rm --network web busybox nslookup db
	output_has "$(address_of db web)"
}

@test "files: the host's name, names added, --no-hosts, options of resolv.conf" {
	needs_root "a user's containers are in no network by default, and so have no names there"
	holm network inspect bridge >/dev/null
	gateway=$(holm network inspect --format '{{(index .IPAM.Config 0).Gateway}}' bridge)
	printf 'search example.org\noptions timeout:3\nnameserver 127.0.0.53\n' >"$RESOLV"
	expect 0 holm run --rm busybox cat /etc/hosts /etc/resolv.conf
	output_has "$gateway	host.holm.internal host.docker.internal host.containers.internal"
	output_has "search example.org"
	output_has "options timeout:3"
	output_has "options ndots:0"
	expect 0 holm run --rm --add-host host.docker.internal:192.0.2.1 --add-host gate:host-gateway \
		--dns-option ndots:2 --dns-search one.example busybox cat /etc/hosts /etc/resolv.conf
	output_has "$gateway	host.holm.internal host.containers.internal"
	output_has "192.0.2.1	host.docker.internal"
	output_has "$gateway	gate"
	output_has "search one.example"
	[[ $output != *ndots:0* && $output != *example.org* ]]
	expect 0 holm run --rm --no-hosts busybox sh -c 'cat /etc/hosts || true'
	[[ $output != *localhost* ]]
	refused 125 "exclude each other" holm run --rm --no-hosts --add-host a:192.0.2.1 busybox true
	expect 0 holm run --rm --network host busybox cat /etc/hosts
	output_has "127.0.0.1	host.holm.internal"
}

@test "--link: another's name for this container alone" {
	holm network create web >/dev/null
	sleeper db --network web
	sleeper app --network web --link db:Sql
	sleeper other --network web
	asks_to "^A $(address_of db web)" app sql
	holm rename db store
	asks_to "^A $(address_of store web)" app sql
	ask other sql
	not grep -q "^A" <<<"$output"
	refused 125 "--link" holm run --rm --network web --link nobody busybox true
}
