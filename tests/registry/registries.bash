# registries.bash - for `load registry/registries`: images to pull, and the registry that misbehaves,
# hostile.py.
# shellcheck shell=bash disable=SC2154 # bats sets status and output

# A registry with TLS and the login user:secret, and the CA where holm looks for it.
registry_start_safe() { # PORT
	certificate server IP:127.0.0.1
	htpasswd -Bbc logins user secret 2>htpasswd.err
	registry_start "$1" - <<-E
		  tls: { certificate: $PWD/server.crt, key: $PWD/server.key }
		auth: { htpasswd: { realm: test, path: $PWD/logins } }
	E
	mkdir -p "$HOME/.config/containers/certs.d/$REGISTRY"
	cp server.crt "$HOME/.config/containers/certs.d/$REGISTRY/ca.crt"
}

# A small image of two layers in $BATS_TEST_TMPDIR/image, tag 1.
small_image() {
	local work=$BATS_TEST_TMPDIR/layers
	mkdir -p "$work/a/etc" "$work/b/bin"
	echo one >"$work/a/etc/one"
	head -c 300000 /dev/urandom >"$work/a/etc/noise"
	cp /bin/busybox "$work/b/bin/busybox"
	tar -C "$work/a" -cf "$work/a.tar" .
	tar -C "$work/b" -cf "$work/b.tar" .
	oci_image "$BATS_TEST_TMPDIR/image" 1 "$work/a.tar" "$work/b.tar"
}

# A key and a certificate: NAME.key, NAME.crt. Signed by SIGNER, or by itself.
certificate() { # NAME SUBJECT_ALT_NAME [SIGNER]
	local signed=()
	[ -z "${3:-}" ] || signed=(-CA "$3.crt" -CAkey "$3.key")
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj "/CN=$1" -addext "subjectAltName=$2" "${signed[@]}" \
		-keyout "$1.key" -out "$1.crt" 2>/dev/null
}

# A registry that asks for tokens, and the service that gives them; $TOKENS is its log.
registry_start_tokens() { # PORT
	TOKENS=$BATS_TEST_TMPDIR/tokens
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tokens \
		-keyout tokens.key -out tokens.crt 2>/dev/null
	service "$BATS_TEST_DIRNAME/registry/tokens.py" $(($1 + 1)) tokens.key tokens.crt "$TOKENS"
	registry_start "$1" - <<-E
		auth:
		  token:
		    realm: http://127.0.0.1:$(($1 + 1))/token
		    service: registry
		    issuer: tests
		    rootcertbundle: $PWD/tokens.crt
	E
	within 10 listens $(($1 + 1))
}

# An image of two layers in the store, under this name.
stored_image() { # NAME
	[ -d "$BATS_TEST_TMPDIR/image" ] || small_image
	local loaded
	loaded=$(holm load -q -i "$BATS_TEST_TMPDIR/image")
	holm tag "${loaded##*: }" "$1"
}

# What a registry says of an image.
remote() { # NAME [OPTION...]
	skopeo inspect --no-tags --tls-verify=false "${@:2}" "docker://$1"
}

hostile_start() {
	HOSTILE=127.0.0.1:6000
	HOSTILE_LOG=$BATS_TEST_TMPDIR/requests
	service "$BATS_TEST_DIRNAME/registry/hostile.py" 6000 "$HOSTILE_LOG"
	within 10 listens 6000
	within 10 listens 6001
}

# Nothing of a pull that failed is to be seen, and the store works.
store_is_empty() {
	expect 0 holm images -q
	output_is ""
	[ -z "$(find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1)" ] || {
		find "$HOLM_ROOT/layers" -maxdepth 2
		return 1
	}
}

# The pull of this mode fails with this text within the seconds.
hostile_refused() { # MODE TEXT [SECONDS]
	hostile_start
	run timeout "${3:-20}" holm pull "$HOSTILE/$1/image:1"
	[ "$status" = 1 ] || [ "$status" = 125 ] || {
		echo "status $status: $output"
		return 1
	}
	output_has "$2"
	store_is_empty
}

hostile_pulled() { # MODE
	hostile_start
	expect 0 timeout 30 holm pull "$HOSTILE/$1/image:1"
	[ -f "$(echo "$HOLM_ROOT"/layers/*/fs/data)" ]
	expect 0 holm images -q --no-trunc
	output_has sha256:
}

partial_begun() {
	[ -n "$(find "$HOLM_ROOT/partial" -type f -size +200k)" ]
}

no_helper() {
	! container_processes | grep -q holm-image
}
