#!/usr/bin/env bats
# policy.json: what may come in. The keys and signatures are GnuPG's and skopeo's.
load holm
load registry/registries

setup() {
	holm_setup
	needs gpg gpgv
	export GNUPGHOME=$TMPDIR/gnupg
	rm -rf "$GNUPGHOME"
	mkdir -m 700 "$GNUPGHOME"
	mkdir -p "$HOME/.config/containers/registries.d"
	LOOKASIDE=$BATS_TEST_TMPDIR/lookaside
	lookaside "file://$LOOKASIDE"
}

teardown() {
	gpgconf --kill all
	holm_teardown
}

lookaside() { # URL [SCOPE]
	cat >"$HOME/.config/containers/registries.d/tests.yaml" <<-E
		# where the tests keep them
		docker:
		  "127.0.0.1:5000":
		    lookaside: $1
		    lookaside-staging: 'file://$LOOKASIDE'
	E
}

key() { # NAME
	gpg --batch --quiet --passphrase '' --quick-gen-key "$1@example" future-default default never
	gpg --armor --export "$1@example" >"$1.asc"
	gpg --export "$1@example" >"$1.gpg"
}

policy() { # text on standard input
	cat >"$HOME/.config/containers/policy.json"
}

# The registry's images are to be signed by this key, and this is what else the requirement says.
wants_signature() { # KEY [MORE]
	policy <<-E
		{"default":[{"type":"reject"}],"transports":{"docker":{"127.0.0.1:5000":[
		{"type":"signedBy","keyType":"GPGKeys","keyPath":"$PWD/$1.asc"${2:-}}]}}}
	E
}

identity() { # TYPE [MORE]
	wants_signature a ",\"signedIdentity\":{\"type\":\"$1\"${2:-}}"
}

# The image, signed for this name by this key, as skopeo does it.
sign() { # NAME KEY [FOR]
	local digest hex
	skopeo inspect --no-tags --raw --tls-verify=false "docker://$REGISTRY/$1" >manifest
	digest=$(skopeo manifest-digest manifest)
	hex=${digest#sha256:}
	mkdir -p "$LOOKASIDE/${1%:*}@sha256=$hex"
	SIGNATURE=$LOOKASIDE/${1%:*}@sha256=$hex/signature-1
	skopeo standalone-sign manifest "${3:-$REGISTRY/$1}" "$2@example" -o "$SIGNATURE" >signed
}

start() {
	registry_start
	small_image
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" team/small:1
}

pulls() {
	expect 0 holm pull "$REGISTRY/team/small:1"
	holm rmi "$REGISTRY/team/small:1" >/dev/null
}

rejected() { # TEXT
	run holm pull "$REGISTRY/team/small:1"
	[ "$status" = 1 ] || return 1
	output_has "$1"
	store_is_empty
}

@test "a copy, too, takes what is signed and nothing else" {
	start
	key a
	wants_signature a
	refused 1 "it has no signature" holm image copy -q "$REGISTRY/team/small:1" "oci:$PWD/copied"
	[ ! -e copied/index.json ]
	sign team/small:1 a
	expect 0 holm image copy -q "$REGISTRY/team/small:1" "oci:$PWD/copied"
	[ -e copied/index.json ]
}

@test "an image that is signed by the right key for the right name comes in, and no other" {
	start
	key a
	key b
	wants_signature a
	refused 1 "it has no signature" holm pull -q "$REGISTRY/team/small:1"
	output_has "signatures are looked for at file://$LOOKASIDE"
	sign team/small:1 b
	rejected "none of the keys that policy.json names"
	sign team/small:1 a
	pulls
	# for another name, of another image, not of today
	sign team/small:1 a "$REGISTRY/team/other:1"
	rejected "it is for another name, $REGISTRY/team/other:1"
	sign team/small:1 a "$REGISTRY/team/small:2"
	rejected "it is for another name"
	sign team/small:1 a
	local good=$SIGNATURE
	COMPRESS=zstd oci_image "$BATS_TEST_TMPDIR/other" 1 "$BATS_TEST_TMPDIR/layers/a.tar"
	registry_push "oci:$BATS_TEST_TMPDIR/other:1" team/small:1
	rejected "it has no signature"
	sign team/small:1 b
	cp "$good" "$SIGNATURE"
	rejected "it is for another image"
	# one good one among bad ones is enough
	cp "$good" "${SIGNATURE%1}2"
	sign team/small:1 a
	cp "$SIGNATURE" "${SIGNATURE%1}3"
	echo garbage >"$SIGNATURE"
	pulls
}

@test "a signature that was changed in any of its parts is none" {
	start
	key a
	wants_signature a
	sign team/small:1 a
	local size at
	size=$(stat -c %s "$SIGNATURE")
	cp "$SIGNATURE" good
	for at in 0 10 $((size / 2)) $((size - 20)); do
		cp good "$SIGNATURE"
		printf '\xa5' | dd of="$SIGNATURE" bs=1 seek="$at" conv=notrunc status=none
		run holm pull -q "$REGISTRY/team/small:1"
		[ "$status" = 1 ]
	done
	head -c $((size / 2)) good >"$SIGNATURE"
	rejected "signature:"
	# what was not signed, before and behind what was, for another name
	gpg --batch --quiet -d good 2>/dev/null | gpg --batch -o unsigned --store
	sign team/small:1 a "$REGISTRY/team/other:1"
	cp "$SIGNATURE" other
	cat unsigned other >"$SIGNATURE"
	rejected "signature:"
	cat other unsigned >"$SIGNATURE"
	rejected "signature:"
	cat other good >"$SIGNATURE"
	rejected "signature:"
	cp unsigned "$SIGNATURE"
	rejected "signature:"
	# signed, but not for an image
	echo '{"critical":{}}' | gpg --batch --yes -u a@example -o "$SIGNATURE" --sign
	rejected "no signature of an image"
	# one more member that is critical and nobody knows
	gpg --batch --quiet -d good 2>/dev/null | jq -c '.critical.more = 1' |
		gpg --batch --yes -u a@example -o "$SIGNATURE" --sign
	rejected "no signature of an image"
}

@test "whose name: every kind of signedIdentity" {
	start
	key a
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" team/small:2
	sign team/small:1 a "$REGISTRY/team/small:2"
	identity matchRepoDigestOrExact
	rejected "another name"
	local digest
	digest=$(skopeo manifest-digest manifest)
	expect 0 holm pull "$REGISTRY/team/small@$digest"
	holm rmi "$REGISTRY/team/small@$digest"
	identity matchExact
	rejected "another name"
	run holm pull "$REGISTRY/team/small@$digest"
	[ "$status" = 1 ]
	identity matchRepository
	pulls
	identity exactReference ",\"dockerReference\":\"$REGISTRY/team/small:2\""
	pulls
	identity exactReference ",\"dockerReference\":\"$REGISTRY/team/small:1\""
	rejected "another name"
	identity exactRepository ",\"dockerRepository\":\"$REGISTRY/team/small\""
	pulls
	identity exactRepository ",\"dockerRepository\":\"$REGISTRY/team\""
	rejected "another name"
	sign team/small:1 a upstream.example/small:1
	identity remapIdentity ",\"prefix\":\"$REGISTRY/team\",\"signedPrefix\":\"upstream.example\""
	pulls
	identity remapIdentity ",\"prefix\":\"$REGISTRY/tea\",\"signedPrefix\":\"upstream.example\""
	rejected "another name"
}

@test "the nearest scope counts: tag, repository, namespace, host, transport, default" {
	start
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" team/small:2
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" other/small:1
	local yes='[{"type":"insecureAcceptAnything"}]' no='[{"type":"reject"}]'
	policy <<-E
		{"default":$no,"transports":{"docker":{"":$yes,"$REGISTRY":$no,
		"$REGISTRY/team":$yes,"$REGISTRY/team/small":$no,"$REGISTRY/team/small:1":$yes}}}
	E
	pulls
	refused 1 "policy.json rejects $REGISTRY/team/small:2" holm pull -q "$REGISTRY/team/small:2"
	refused 1 "policy.json rejects" holm pull -q "$REGISTRY/other/small:1"
	run holm pull -q absent.example/x
	[[ $output != *"policy.json"* ]]
	policy <<<"{\"default\":$yes,\"transports\":{\"docker\":{\"*.example\":$no}}}"
	refused 1 "policy.json rejects a.b.example/x:latest" holm pull -q a.b.example/x
	pulls
	# all of several must be met
	policy <<<"{\"default\":[{\"type\":\"insecureAcceptAnything\"},{\"type\":\"reject\"}]}"
	rejected "policy.json rejects"
	policy <<<'{"default":[{"type":"sigstoreSigned","keyPath":"/x"}]}'
	rejected "sigstoreSigned, which holm cannot verify"
}

@test "archives and layouts have transports of their own" {
	small_image
	local yes='[{"type":"insecureAcceptAnything"}]' no='[{"type":"reject"}]'
	skopeo copy --quiet "oci:$BATS_TEST_TMPDIR/image:1" docker-archive:docker.tar:x/y:1
	skopeo copy --quiet "oci:$BATS_TEST_TMPDIR/image:1" oci-archive:oci.tar:x/y:1
	policy <<<"{\"default\":$no,\"transports\":{\"docker-archive\":{\"\":$yes},\"oci\":{\"$BATS_TEST_TMPDIR\":$yes}}}"
	expect 0 holm load -i docker.tar
	expect 0 holm load -i "$BATS_TEST_TMPDIR/image"
	refused 1 "policy.json rejects" holm load -q -i oci.tar
	policy <<<"{\"default\":$yes,\"transports\":{\"docker-archive\":{\"\":$no},\"oci-archive\":{\"$PWD/oci.tar\":$no}}}"
	holm images --format '{{.Repository}}:{{.Tag}}' | xargs holm rmi
	refused 1 "policy.json rejects" holm load -q -i oci.tar
	expect 1 holm load -q <docker.tar
	store_is_empty
}

@test "keys in several files, as data, armored or not; one that is missing says so" {
	start
	key a
	key b
	sign team/small:1 b
	local one='{"type":"signedBy","keyType":"GPGKeys"'
	policy <<<"{\"default\":[$one,\"keyPaths\":[\"$PWD/a.asc\",\"$PWD/b.gpg\"]}]}"
	pulls
	policy <<<"{\"default\":[$one,\"keyData\":\"$(base64 -w0 b.gpg)\"}]}"
	pulls
	policy <<<"{\"default\":[$one,\"keyData\":\"$(base64 -w0 b.asc)\"}]}"
	pulls
	policy <<<"{\"default\":[$one,\"keyPath\":\"$PWD/absent.gpg\"}]}"
	rejected "open the key $PWD/absent.gpg"
}

@test "signatures from a web server; sign-check asks for them again" {
	start
	key a
	sign team/small:1 a
	wants_signature a
	lookaside http://127.0.0.1:6400
	service python3 -m http.server --bind 127.0.0.1 --directory "$LOOKASIDE" 6400
	within 10 listens 6400
	expect 0 holm pull "$REGISTRY/team/small:1"
	expect 0 holm image sign-check "$REGISTRY/team/small:1"
	output_is "$REGISTRY/team/small:1: signed"
	rm "$SIGNATURE"
	refused 1 "it has no signature" holm image sign-check "$REGISTRY/team/small:1"
	policy <<<'{"default":[{"type":"insecureAcceptAnything"}]}'
	expect 0 holm image sign-check "$REGISTRY/team/small:1"
	output_is "$REGISTRY/team/small:1: accepted without a signature"
}

@test "a policy that is wrong in any place lets nothing in" {
	start
	local text
	while read -r text; do
		policy <<<"$text"
		rejected policy.json
	done <<-'E'
		{"default":
		{}
		{"default":[]}
		{"default":[{"type":"acceptAnything"}]}
		{"default":[{"type":"reject","more":1}]}
		{"default":[{"type":"insecureAcceptAnything"}],"defaults":[]}
		{"default":[{"type":"signedBy","keyType":"GPGKeys"}]}
		{"default":[{"type":"signedBy","keyType":"X","keyPath":"/x"}]}
		{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/x","keyData":"eA=="}]}
		{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"x":[{"type":"y"}]}}}
	E
	key a
	wants_signature a
	local text
	for text in 'docker: [a]' $'docker:\n  x: file:///y' 'default-docker: a' '[a]' 'docker: {x: {}, x: {}}'; do
		echo "$text" >"$HOME/.config/containers/registries.d/tests.yaml"
		rejected "registries.d/tests.yaml:$(wc -l <<<"$text"): "
	done
}

@test "image trust show tells what policy.json says" {
	key a
	wants_signature a
	expect 0 holm image trust show
	[[ ${lines[0]} =~ ^TRANSPORT\ +NAME\ +TYPE\ +KEYS$ ]]
	[[ ${lines[1]} =~ ^all\ +default\ +reject\ *$ ]]
	[[ ${lines[2]} =~ ^repository\ +127.0.0.1:5000\ +signed\ +$PWD/a.asc$ ]]
	expect 0 holm image trust show --json
	[ "$(jq -c '.[1] | [.transport, .name, .type, (.keys | endswith("a.asc"))]' <<<"$output")" = \
		'["repository","127.0.0.1:5000","signed",true]' ]
	expect 0 holm image trust show --raw
	[ "$output" = "$(cat "$HOME/.config/containers/policy.json")" ]
	echo '{"default":[{"type":"maybe"}]}' >other.json
	refused 1 "a type that is not understood" holm image trust show --policypath other.json
	refused 1 "nosuch" holm image trust show --policypath nosuch
}

@test "image trust set writes a rule, which counts" {
	start
	key a
	policy <<<'{"default":[{"type":"insecureAcceptAnything"}]}'
	expect 0 holm image trust set -t reject default
	expect 0 holm image trust set -f a.asc 127.0.0.1:5000
	cmp <(jq -S . "$HOME/.config/containers/policy.json") <(jq -nS --arg a "$PWD/a.asc" '{
		default: [{type: "reject"}], transports: {docker: {"127.0.0.1:5000":
		[{type: "signedBy", keyType: "GPGKeys", keyPath: $a}]}}}')
	rejected "it has no signature"
	expect 0 holm image trust set --type accept 127.0.0.1:5000
	pulls
	expect 0 holm image trust set --type reject 127.0.0.1:5000
	rejected "policy.json"
	# what others wrote stays, and a link leads to where they keep it
	mv "$HOME/.config/containers/policy.json" kept.json
	ln -s "$PWD/kept.json" "$HOME/.config/containers/policy.json"
	jq '.transports.dir = {"": [{type: "reject"}]}' kept.json >more.json && mv more.json kept.json
	local jobs=()
	for i in 1 2 3 4; do
		holm image trust set -t accept "a.example/$i" &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	[ -L "$HOME/.config/containers/policy.json" ]
	[ "$(jq -c '[.transports.dir[""][0].type, (.transports.docker | length)]' kept.json)" = '["reject",5]' ]
	expect 0 holm image trust set --policypath new/p.json -t reject localhost/x
	[ "$(jq -c '[.default[0].type, .transports.docker["localhost/x"][0].type]' new/p.json)" = \
		'["insecureAcceptAnything","reject"]' ]
}

@test "image trust set: what is no rule is refused, and a damaged file is left alone" {
	policy <<<'{"default":'
	refused 1 "policy.json" holm image trust set -t accept default
	[ "$(cat "$HOME/.config/containers/policy.json")" = '{"default":' ]
	refused 1 "set takes a REGISTRY" holm image trust set
	refused 1 "needs --pubkeysfile" holm image trust set quay.io
	refused 1 "--pubkeysfile /nosuch" holm image trust set -f /nosuch quay.io
	refused 125 "--type: 'maybe'" holm image trust set -t maybe quay.io
	refused 1 "does not begin with the host" holm image trust set -t accept busybox
	refused 1 "does not begin with the host" holm image trust set -t accept local
	refused 1 "neither" holm image trust set -t accept 'quay.io/'
	refused 1 "for show" holm image trust set --json -t accept quay.io
	refused 1 "show takes no REGISTRY" holm image trust show quay.io
	refused 1 "show or set" holm image trust get
}
