#!/usr/bin/env bats
# The way to a registry: what registries.conf, certs.d, the files with logins and the environment's
# proxies say about it; and where a registry may send us.
load holm
load registry/registries

setup() {
	holm_setup
	# an address that no rule about loopback covers
	OUTER=192.0.2.1
	ip address add "$OUTER"/32 dev lo
	export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
	: >"$CONTAINERS_REGISTRIES_CONF"
}

teardown() {
	ip address delete "$OUTER"/32 dev lo
	holm_teardown
}

configure() { # text of registries.conf on standard input
	cat >"$CONTAINERS_REGISTRIES_CONF"
}

# What the requests of the last pull were for, one after the other: "good error-503".
modes_asked() {
	grep -o '/v2/[^/ ]*/image/manifests' "$HOSTILE_LOG" | cut -d/ -f3 | uniq | xargs
}

certs_d() { # HOST
	local folder=$HOME/.config/containers/certs.d/$1
	mkdir -p "$folder"
	echo "$folder"
}

# --- registries.conf --------------------------------------------------------------------------

@test "a registry with TLS and a password" {
	local certs=$HOME/.config/containers/certs.d/127.0.0.1:5001
	mkdir -p "$certs"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$BATS_TEST_TMPDIR/key" -out "$BATS_TEST_TMPDIR/crt" 2>/dev/null
	htpasswd -Bbn user secret >"$BATS_TEST_TMPDIR/htpasswd"
	registry_start 5001 - <<-E
		  tls: { certificate: $BATS_TEST_TMPDIR/crt, key: $BATS_TEST_TMPDIR/key }
		auth: { htpasswd: { realm: test, path: $BATS_TEST_TMPDIR/htpasswd } }
	E
	small_image
	skopeo copy --quiet --dest-tls-verify=false --dest-creds user:secret \
		"oci:$BATS_TEST_TMPDIR/image:1" "docker://$REGISTRY/small:1"

	run holm pull "$REGISTRY/small:1"
	[ "$status" != 0 ]
	output_has "certs.d"

	cp "$BATS_TEST_TMPDIR/crt" "$certs/ca.crt"
	run holm pull "$REGISTRY/small:1"
	[ "$status" != 0 ]
	output_has "wants a login"

	mkdir -p "$HOME/.docker"
	echo '{"auths":{"'"$REGISTRY"'":{"auth":"'"$(printf user:wrong | base64)"'"}}}' \
		>"$HOME/.docker/config.json"
	run holm pull "$REGISTRY/small:1"
	[ "$status" != 0 ]
	output_has "refuses the login"
	[[ $output$stderr != *wrong* ]]

	echo '{"auths":{"'"$REGISTRY"'":{"auth":"'"$(printf user:secret | base64)"'"}}}' \
		>"$HOME/.docker/config.json"
	expect 0 holm pull "$REGISTRY/small:1"
}

@test "a credential helper is asked" {
	hostile_start
	mkdir -p "$HOME/.docker" "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/docker-credential-test" <<-'E'
		#!/bin/sh
		[ "$1" = get ] && [ "$(cat)" = 127.0.0.1:6000 ] || exit 1
		echo '{"ServerURL":"127.0.0.1:6000","Username":"user","Secret":"secret"}'
	E
	chmod +x "$BATS_TEST_TMPDIR/bin/docker-credential-test"
	echo '{"credHelpers":{"127.0.0.1:6000":"test"}}' >"$HOME/.docker/config.json"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH expect 0 holm pull "$HOSTILE/redirect-login/image:1"
}

@test "registries.conf: mirrors, other locations, short names, blocked ones" {
	hostile_start
	cat >"$BATS_TEST_TMPDIR/registries.conf" <<-E
		unqualified-search-registries = ["$HOSTILE"]
		[aliases]
		"nick" = "$HOSTILE/good/image"
		[[registry]]
		prefix = "example.com/team"
		location = "$HOSTILE/good"
		[[registry]]
		location = "$HOSTILE/error-503"
		[[registry.mirror]]
		location = "127.0.0.1:6999/nobody"
		[[registry.mirror]]
		location = "$HOSTILE/good"
		[[registry]]
		prefix = "blocked.example"
		blocked = true
	E
	export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
	expect 0 holm pull example.com/team/image:1
	expect 0 holm images
	output_has example.com/team/image
	expect 0 holm pull "$HOSTILE/error-503/image:1"
	output_has "from mirror $HOSTILE"
	expect 0 holm pull good/image:1
	output_has "$HOSTILE/good/image:1"
	expect 0 holm pull nick:1
	# what a short name was pulled as is found by the short name, without the registry
	services_stop
	expect 0 holm image inspect --format '{{.Id}}' good/image:1
	expect 0 holm image inspect --format '{{.Id}}' nick:1
	hostile_start
	run holm pull blocked.example/x
	[ "$status" != 0 ]
	output_has "registries.conf blocks blocked.example"
}

@test "mirrors are asked in their order, and then the registry itself" {
	hostile_start
	configure <<-E
		[[registry]]
		location = "$HOSTILE/good"
		[[registry.mirror]]
		location = "$HOSTILE/absent"
		[[registry.mirror]]
		location = "$HOSTILE/wrong-manifest"
		[[registry.mirror]]
		location = "$HOSTILE/resume"
		pull-from-mirror = "digest-only"
	E
	expect 0 holm pull "$HOSTILE/good/image:1"
	[ "$(modes_asked)" = "absent wrong-manifest good" ]
	output_has "manifest unknown"
	output_has "the registry says the manifest is"
	# by digest the third mirror has a say, and what it has is enough
	holm rmi "$HOSTILE/good/image:1"
	: >"$HOSTILE_LOG"
	local digest
	digest=$(curl -sI "$HOSTILE/v2/good/image/manifests/1" -X GET |
		sed -n 's/^Docker-Content-Digest: \(.*\)\r$/\1/p')
	expect 0 holm pull "$HOSTILE/good/image@$digest"
	[[ "$(modes_asked)" == *"resume" ]]
}

@test "a blocked registry is not asked, nor is its mirror" {
	hostile_start
	configure <<-E
		[[registry]]
		location = "$HOSTILE/good"
		blocked = true
		[[registry.mirror]]
		location = "$HOSTILE/resume"
	E
	refused 1 "registries.conf blocks" holm pull "$HOSTILE/good/image:1"
	[ ! -s "$HOSTILE_LOG" ]
	expect 0 holm pull "$HOSTILE/resume/image:1"
}

@test "plain HTTP beyond loopback is for a registry that is configured insecure, and for no other" {
	hostile_start
	run holm pull "$OUTER:6000/good/image:1"
	[ "$status" = 1 ]
	not grep -q GET "$HOSTILE_LOG"
	configure <<-E
		[[registry]]
		location = "$OUTER:6000"
		insecure = true
	E
	expect 0 holm pull "$OUTER:6000/good/image:1"
	run holm pull "$OUTER:6001/good/image:1"
	[ "$status" = 1 ]
}

@test "a certificate that nobody knows is for a registry that is configured insecure" {
	certificate server "IP:$OUTER"
	small_image
	registry_start 5001 - <<-E
		  tls: { certificate: $PWD/server.crt, key: $PWD/server.key }
	E
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" small:1
	sed -i "s/127.0.0.1:5001/0.0.0.0:5001/" "$BATS_TEST_TMPDIR/registry.5001.yml"
	services_stop
	service docker-registry serve "$BATS_TEST_TMPDIR/registry.5001.yml"
	within 10 listens 5001
	refused 1 "certs.d/$OUTER" holm pull "$OUTER:5001/small:1"
	configure <<-E
		[[registry]]
		location = "$OUTER:5001"
		insecure = true
	E
	expect 0 holm pull "$OUTER:5001/small:1"
}

# --- certs.d ----------------------------------------------------------------------------------

@test "a registry that wants to know who we are gets the certificate of certs.d" {
	certificate ca DNS:ca
	certificate server IP:127.0.0.1 ca
	certificate client DNS:client ca
	certificate other DNS:other
	small_image
	registry_start 5001 - <<-E
		  tls: { certificate: $PWD/server.crt, key: $PWD/server.key, clientcas: [$PWD/ca.crt] }
	E
	local folder
	folder=$(certs_d 127.0.0.1:5001)
	cp ca.crt "$folder/ca.crt"
	mkdir pusher && cp ca.crt client.key pusher && cp client.crt pusher/client.cert
	skopeo copy --quiet --dest-cert-dir pusher "oci:$BATS_TEST_TMPDIR/image:1" \
		"docker://127.0.0.1:5001/small:1"

	run holm pull "$REGISTRY/small:1"
	[ "$status" = 1 ]
	output_has "127.0.0.1"
	cp client.crt "$folder/client.cert"
	refused 1 "client.key" holm pull "$REGISTRY/small:1"
	cp other.key "$folder/client.key"
	given "$folder"
	run holm pull "$REGISTRY/small:1"
	[ "$status" = 1 ]
	cp other.crt "$folder/client.cert"
	run holm pull "$REGISTRY/small:1"
	[ "$status" = 1 ]
	cp client.crt "$folder/client.cert"
	cp client.key "$folder/client.key"
	given "$folder"
	expect 0 holm pull "$REGISTRY/small:1"
	[ "$(cat "$HOLM_ROOT"/layers/*/fs/etc/one)" = one ]
}

# --- logins -----------------------------------------------------------------------------------

# A credential helper docker-credential-NAME that runs the script on standard input.
helper() { # NAME
	mkdir -p "$BATS_TEST_TMPDIR/bin" "$HOME/.docker"
	cat >"$BATS_TEST_TMPDIR/bin/docker-credential-$1"
	chmod +x "$BATS_TEST_TMPDIR/bin/docker-credential-$1"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "a helper for all registries, and one for this registry that goes before it" {
	hostile_start
	helper all <<-'E'
		#!/bin/sh
		echo '{"Username":"user","Secret":"secret"}'
	E
	helper this <<-'E'
		#!/bin/sh
		echo '{"Username":"user","Secret":"another"}'
	E
	echo '{"credsStore":"all"}' >"$HOME/.docker/config.json"
	expect 0 holm pull "$HOSTILE/basic/image:1"
	echo '{"credsStore":"all","credHelpers":{"'"$HOSTILE"'":"this"}}' >"$HOME/.docker/config.json"
	refused 1 "refuses the login" holm pull "$HOSTILE/basic/image:1"
	[[ $stderr != *another* ]]
}

@test "a helper that knows nothing is no failure; one that fails is, in its own words" {
	hostile_start
	helper empty <<-'E'
		#!/bin/sh
		echo 'credentials not found in native keychain'
		exit 1
	E
	helper broken <<-'E'
		#!/bin/sh
		echo 'the keychain is locked'
		exit 1
	E
	echo '{"credsStore":"empty"}' >"$HOME/.docker/config.json"
	expect 0 holm pull "$HOSTILE/good/image:1"
	echo '{"credsStore":"broken"}' >"$HOME/.docker/config.json"
	refused 1 "the keychain is locked" holm pull "$HOSTILE/good/image:1"
	echo '{"credsStore":"nobody-has-it"}' >"$HOME/.docker/config.json"
	refused 1 "docker-credential-nobody-has-it" holm pull "$HOSTILE/good/image:1"
}

# --- proxies ----------------------------------------------------------------------------------

# A proxy on 127.0.0.1:6100 that takes every name for this machine.
proxy_start() {
	PROXY_LOG=$BATS_TEST_TMPDIR/proxied
	service "$BATS_TEST_DIRNAME/registry/proxy.py" 6100 "$PROXY_LOG"
	within 10 listens 6100
}

insecure() { # HOST
	configure <<-E
		[[registry]]
		location = "$1"
		insecure = true
	E
}

@test "HTTP_PROXY, in large letters and in small ones, stands before a plain registry" {
	hostile_start
	proxy_start
	insecure only.the.proxy.knows.test:6000
	local variable
	for variable in HTTP_PROXY http_proxy ALL_PROXY all_proxy; do
		: >"$PROXY_LOG"
		expect 0 env $variable=127.0.0.1:6100 \
			holm pull only.the.proxy.knows.test:6000/good/image:1
		grep -q '^GET http://only.the.proxy.knows.test:6000/v2/good/' "$PROXY_LOG"
		expect 0 holm rmi only.the.proxy.knows.test:6000/good/image:1
	done
	run env HTTPS_PROXY=127.0.0.1:6100 holm pull only.the.proxy.knows.test:6000/good/image:1
	[ "$status" = 1 ]
}

@test "HTTPS_PROXY passes TLS through, and learns nothing of the login" {
	certificate server DNS:only.the.proxy.knows.test
	htpasswd -Bbc logins user secret 2>htpasswd.err
	registry_start 5001 - <<-E
		  tls: { certificate: $PWD/server.crt, key: $PWD/server.key }
		auth: { htpasswd: { realm: test, path: $PWD/logins } }
	E
	small_image
	skopeo copy --quiet --dest-tls-verify=false --dest-creds user:secret \
		"oci:$BATS_TEST_TMPDIR/image:1" "docker://$REGISTRY/small:1"
	LOGIN=me:mine proxy_start
	local name=only.the.proxy.knows.test:5001
	cp server.crt "$(certs_d $name)/ca.crt"
	mkdir -p "$HOME/.docker"
	echo '{"auths":{"'$name'":{"auth":"'"$(printf user:secret | base64)"'"}}}' \
		>"$HOME/.docker/config.json"

	HTTPS_PROXY=http://127.0.0.1:6100 refused 1 "the proxy refuses, with status 407" \
		holm pull $name/small:1
	output_has "HTTPS_PROXY names the proxy"
	: >"$PROXY_LOG"
	https_proxy=http://me:mine@127.0.0.1:6100 expect 0 holm pull $name/small:1
	grep -q "^CONNECT $name proxy-authorization=Basic bWU6bWluZQ==" "$PROXY_LOG"
	not grep -q 'authorization=Basic dXNlcjpzZWNyZXQ' "$PROXY_LOG"
	# and the registry's certificate is looked at, proxy or not
	rm "$(certs_d $name)/ca.crt"
	https_proxy=http://me:mine@127.0.0.1:6100 refused 1 "certs.d/" holm pull $name/small:1
}

@test "NO_PROXY names what is asked directly" {
	hostile_start
	proxy_start
	insecure "$OUTER:6000"
	export http_proxy=127.0.0.1:6100 https_proxy=127.0.0.1:6100
	local except
	for except in "NO_PROXY=$OUTER" no_proxy=a.example,192.0.2.0/24 "NO_PROXY=$OUTER:6000" 'no_proxy=*'; do
		expect 0 env "$except" holm pull "$OUTER:6000/good/image:1"
		[ ! -s "$PROXY_LOG" ]
		expect 0 holm rmi "$OUTER:6000/good/image:1"
	done
	expect 0 env "NO_PROXY=$OUTER:443,92.0.2.1,.example" holm pull "$OUTER:6000/good/image:1"
	grep -q "^GET http://$OUTER:6000/" "$PROXY_LOG"
	# nobody but this machine can reach its loopback
	: >"$PROXY_LOG"
	expect 0 holm pull "$HOSTILE/good/image:1"
	[ ! -s "$PROXY_LOG" ]
}

@test "tinyproxy, with a registry behind it" {
	needs tinyproxy
	cat >tinyproxy.conf <<-E
		Port 6200
		Listen 127.0.0.1
		ConnectPort 5000
		LogFile "$PWD/tinyproxy.log"
		LogLevel Connect
	E
	service tinyproxy -d -c tinyproxy.conf
	within 10 listens 6200
	small_image
	registry_start
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" small:1
	sed -i "s/127.0.0.1:5000/0.0.0.0:5000/" "$BATS_TEST_TMPDIR/registry.5000.yml"
	services_stop
	service tinyproxy -d -c tinyproxy.conf
	service docker-registry serve "$BATS_TEST_TMPDIR/registry.5000.yml"
	within 10 listens 5000
	within 10 listens 6200
	insecure "$OUTER:5000"
	http_proxy=http://127.0.0.1:6200 expect 0 holm pull "$OUTER:5000/small:1"
	grep -q "GET http://$OUTER:5000/v2/small/" tinyproxy.log
}

@test "a proxy that is not there is named" {
	insecure only.the.proxy.knows.test:6000
	http_proxy=127.0.0.1:6999 https_proxy=127.0.0.1:6999 \
		refused 1 "the proxy cannot be reached" holm pull only.the.proxy.knows.test:6000/x
	output_has "names the proxy"
}

# --- layers that lie elsewhere ----------------------------------------------------------------

@test "a layer that the registry does not have comes from where its descriptor says" {
	mkdir -p "$HOME/.docker"
	echo '{"auths":{"127.0.0.1:6000":{"auth":"dXNlcjpzZWNyZXQ="}}}' >"$HOME/.docker/config.json"
	hostile_pulled foreign
	grep -q '^6001 .*authorization=-' "$HOSTILE_LOG"
	not grep -q '^6001 .*authorization=[^-]' "$HOSTILE_LOG"
}

@test "a registry elsewhere does not send us to this machine, by number or by name" {
	hostile_start
	insecure "$OUTER:6000"
	refused 1 "an address of this machine" holm pull "$OUTER:6000/foreign/image:1"
	echo "127.0.0.1 elsewhere.test" >hosts
	mount --bind hosts /etc/hosts
	run holm pull "$OUTER:6000/foreign-name/image:1"
	umount /etc/hosts
	[ "$status" = 1 ]
	output_has "an address of this machine"
	refused 1 "an address of this machine" holm pull "$OUTER:6000/foreign-link-local/image:1"
	refused 1 'the scheme "file"' holm pull "$OUTER:6000/foreign-file/image:1"
	not grep -q '^6001' "$HOSTILE_LOG"
	store_is_empty
}

@test "a proxy on this machine does not make the registry one of this machine" {
	hostile_start
	proxy_start
	insecure only.the.proxy.knows.test:6000
	local mode
	for mode in foreign foreign-link-local; do
		http_proxy=127.0.0.1:6100 refused 1 "an address of this machine" \
			holm pull only.the.proxy.knows.test:6000/$mode/image:1
	done
	not grep -q '169.254' "$PROXY_LOG"
	not grep -q '^6001' "$HOSTILE_LOG"
}
