#!/usr/bin/env bats
# Images into registries: real ones, and one that breaks off (registry/uploads.py).
load holm
load registry/registries

setup() {
	holm_setup
}

uploads_start() {
	UPLOADS=127.0.0.1:6300
	UPLOADS_LOG=$BATS_TEST_TMPDIR/requests
	service "$BATS_TEST_DIRNAME/registry/uploads.py" 6300 "$UPLOADS_LOG"
	within 10 listens 6300
	within 10 listens 6301
}

# An image in the store as UPLOADS/MODE/image:1.
to_push() { # MODE
	uploads_start
	stored_image "$UPLOADS/$1/image:1"
}

digest_of() { # NAME: of the manifest in the store
	holm images --digests --format '{{.Digest}}' "$1"
}

# The registry has what we have under this name.
arrived() { # NAME
	[ "$(remote "$1" | jq -r .Digest)" = "$(digest_of "$1")" ]
	skopeo copy --quiet --src-tls-verify=false "docker://$1" "dir:$PWD/arrived"
}

@test "an image goes to a registry, whole: skopeo reads it, and a second push sends nothing" {
	registry_start
	stored_image "$REGISTRY/team/small:1"
	expect 0 holm push "$REGISTRY/team/small:1"
	[[ $stderr == "The push refers to repository [$REGISTRY/team/small]"* ]]
	[ "$(grep -c ': Pushed' <<<"$stderr")" = 2 ]
	local digest size
	digest=$(digest_of "$REGISTRY/team/small:1")
	size=$(stat -c %s "$HOLM_ROOT/images/blobs/sha256/${digest#sha256:}")
	output_is "1: digest: $digest size: $size"
	arrived "$REGISTRY/team/small:1"
	expect 0 holm push "$REGISTRY/team/small:1"
	[ "$(grep -c ': Already exists' <<<"$stderr")" = 2 ]
	# and from there it comes back, the same
	holm rmi -f "$digest"
	expect 0 holm pull "$REGISTRY/team/small:1"
	[ "$(digest_of "$REGISTRY/team/small:1")" = "$digest" ]
}

@test "what was pulled is pushed as it was: schema, media types, digest; zstd and plain layers too" {
	registry_start
	small_image
	skopeo copy --quiet --dest-tls-verify=false --format v2s2 \
		"oci:$BATS_TEST_TMPDIR/image:1" "docker://$REGISTRY/docker:1"
	COMPRESS=zstd oci_image "$BATS_TEST_TMPDIR/zstd" 1 "$BATS_TEST_TMPDIR/layers/a.tar"
	COMPRESS=none oci_image "$BATS_TEST_TMPDIR/none" 1 "$BATS_TEST_TMPDIR/layers/a.tar"
	registry_push "oci:$BATS_TEST_TMPDIR/zstd:1" zstd:1
	registry_push "oci:$BATS_TEST_TMPDIR/none:1" none:1
	local name
	for name in docker zstd none; do
		holm pull -q "$REGISTRY/$name:1"
		expect 0 holm push "$REGISTRY/$name:1" "$REGISTRY/again/$name:2"
		[ "$(remote "$REGISTRY/$name:1" | jq -r .Digest)" = \
			"$(remote "$REGISTRY/again/$name:2" | jq -r .Digest)" ]
		cmp <(remote "$REGISTRY/$name:1" --raw) <(remote "$REGISTRY/again/$name:2" --raw)
	done
}

@test "a layer that another repository of the registry has is mounted from there" {
	registry_start
	small_image
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" team/base:1
	holm pull -q "$REGISTRY/team/base:1"
	holm tag "$REGISTRY/team/base:1" "$REGISTRY/other/app:1"
	# the name is taken for another image that has one of the layers
	expect 0 holm push "$REGISTRY/other/app:1"
	[ "$(grep -c ': Mounted from team/base' <<<"$stderr")" = 2 ]
	arrived "$REGISTRY/other/app:1"
}

@test "a login by password over TLS: none, a wrong one, --creds, a file" {
	registry_start_safe 5001
	stored_image "$REGISTRY/small:1"
	refused 1 "wants a login" holm push "$REGISTRY/small:1"
	output_has "holm login $REGISTRY"
	refused 1 "refuses the login" holm push --creds user:wrong "$REGISTRY/small:1"
	[[ $stderr != *wrong* ]]
	expect 0 holm push --creds user:secret "$REGISTRY/small:1"
	echo '{"auths":{"'"$REGISTRY"'":{"auth":"'"$(printf user:secret | base64)"'"}}}' >auth.json
	expect 0 holm push --authfile auth.json "$REGISTRY/small:1" "$REGISTRY/small:2"
	rm -r "$HOME/.config/containers/certs.d"
	refused 1 "certs.d/127.0.0.1" holm push --authfile auth.json "$REGISTRY/small:1"
	expect 0 holm push --tls-verify=false --authfile auth.json "$REGISTRY/small:1"
	refused 1 "--creds" holm push --creds :secret "$REGISTRY/small:1"
}

@test "a token is asked for once, with the right to write and to read what is mounted" {
	registry_start_tokens 5002
	stored_image "$REGISTRY/a/small:1"
	refused 1 "denies access" holm push "$REGISTRY/a/small:1"
	expect 0 holm push --creds user:secret "$REGISTRY/a/small:1"
	holm tag "$REGISTRY/a/small:1" "$REGISTRY/b/small:1"
	: >"$TOKENS"
	expect 0 holm push --creds user:secret "$REGISTRY/b/small:1"
	[ "$(grep -c ': Mounted from a/small' <<<"$stderr")" = 2 ]
	[ "$(cat "$TOKENS")" = "user: repository:b/small:pull,push repository:a/small:pull" ]
}

@test "an upload that breaks off goes on where the registry is" {
	to_push resume
	expect 0 holm push "$UPLOADS/resume/image:1"
	output_has "Trying again"
	# not from the beginning: two requests for one blob, the second from its middle
	grep -q 'PATCH.*content-range=[1-9][0-9]*-' "$UPLOADS_LOG"
	[ "$(grep -c PATCH "$UPLOADS_LOG")" = 4 ]
	arrived "$UPLOADS/resume/image:1"
}

@test "an upload that the registry forgot begins anew; a lost answer is no failure" {
	to_push forget
	expect 0 holm push "$UPLOADS/forget/image:1"
	not grep -q 'PATCH.*content-range=[1-9][0-9]*-' "$UPLOADS_LOG"
	arrived "$UPLOADS/forget/image:1"
	: >"$UPLOADS_LOG"
	# the blobs are there already: others
	rm -r "$BATS_TEST_TMPDIR/image"
	stored_image "$UPLOADS/lost-answer/image:1"
	expect 0 holm push "$UPLOADS/lost-answer/image:1"
	arrived "$UPLOADS/lost-answer/image:1"
}

@test "a registry that has too much to do is asked again" {
	to_push busy
	expect 0 holm push "$UPLOADS/busy/image:1"
	output_has "Trying again"
	arrived "$UPLOADS/busy/image:1"
}

@test "an upload to another address takes no login along; none goes to this machine's link" {
	to_push elsewhere
	expect 0 holm push --creds user:secret "$UPLOADS/elsewhere/image:1"
	grep -q '^6301 PATCH' "$UPLOADS_LOG"
	not grep -q '^6301.*authorization=B' "$UPLOADS_LOG"
	holm tag "$UPLOADS/elsewhere/image:1" "$UPLOADS/evil/image:1"
	rm -r "$BATS_TEST_TMPDIR/image"
	stored_image "$UPLOADS/evil/image:1"
	run timeout 60 holm push "$UPLOADS/evil/image:1"
	[ "$status" = 1 ]
}

@test "what the registry says of a failure is what we say" {
	to_push denied
	refused 1 "requested access to the resource is denied" holm push "$UPLOADS/denied/image:1"
	output_has "holm login $UPLOADS"
	holm tag "$UPLOADS/denied/image:1" "$UPLOADS/invalid/image:1"
	refused 1 "status 400: this manifest is not to my taste" holm push "$UPLOADS/invalid/image:1"
	holm tag "$UPLOADS/denied/image:1" "$UPLOADS/endless/image:1"
	refused 1 "answers with status 500" holm push "$UPLOADS/endless/image:1"
}

@test "--all-tags, --quiet, --digestfile, an id with a destination" {
	registry_start
	stored_image "$REGISTRY/small:1"
	holm tag "$REGISTRY/small:1" "$REGISTRY/small:2"
	holm tag "$REGISTRY/small:1" "$REGISTRY/smaller:3"
	expect 0 holm push -q -a "$REGISTRY/small"
	output_is "$REGISTRY/small:1
$REGISTRY/small:2"
	[ "$(skopeo list-tags --tls-verify=false "docker://$REGISTRY/small" | jq -c '.Tags | sort')" = \
		'["1","2"]' ]
	[ -z "$stderr" ]
	expect 0 holm push --digestfile digest "$(holm images -q "$REGISTRY/small:1")" \
		"docker://$REGISTRY/by/id"
	[ "$(cat digest)" = "$(digest_of "$REGISTRY/small:1")" ]
	[ "$(remote "$REGISTRY/by/id:latest" | jq -r .Digest)" = "$(cat digest)" ]
}

@test "to an archive or a layout, under the name that is given there" {
	needs_root "it gives descriptors of root's as files"
	stored_image example.com/small:1
	expect 0 holm push example.com/small:1 "oci:$PWD/layout:there"
	[ "$(skopeo inspect "oci:$PWD/layout:there" | jq -r .Digest)" = "$(digest_of example.com/small:1)" ]
	expect 0 holm push example.com/small:1 "docker-archive:$PWD/archive.tar:example.com/there:2"
	[ "$(skopeo inspect "docker-archive:$PWD/archive.tar:example.com/there:2" | jq '.Layers | length')" = 2 ]
	expect 0 holm push example.com/small:1 "dir:$PWD/folder"
	[ "$(skopeo inspect "dir:$PWD/folder" | jq -r .Digest)" = "$(digest_of example.com/small:1)" ]
	skopeo copy --quiet "dir:$PWD/folder" "oci:$PWD/again:1"
	refused 1 "is not empty" holm push example.com/small:1 "dir:$PWD/folder"
	expect 0 holm save --format dir -o "$PWD/saved" example.com/small:1
	diff -r folder saved
	refused 1 "nothing is pushed there" holm push example.com/small:1 template:debian/bookworm
	holm import -q <(tar -C "$BATS_TEST_TMPDIR/layers/a" -c .) other:1 >/dev/null
	refused 1 "dir holds one image" holm save --format dir -o "$PWD/two" example.com/small:1 other:1
	[ ! -e two ]
}

@test "in pieces: of a size, where the registry wants it, and on from the middle of one" {
	registry_start
	stored_image "$REGISTRY/small:1"
	expect 0 holm push --chunk-size 64k "$REGISTRY/small:1"
	arrived "$REGISTRY/small:1"
	to_push middle
	expect 0 holm push --chunk-size 64k "$UPLOADS/middle/image:1"
	output_has "Trying again"
	# 200 kB: whole pieces, one that broke off, and what it lacked
	grep -q 'PATCH.*content-range=0-65535 ' "$UPLOADS_LOG"
	grep -q 'PATCH.*content-range=65536-131071 ' "$UPLOADS_LOG"
	grep -q 'PATCH.*content-range=98304-' "$UPLOADS_LOG"
	arrived "$UPLOADS/middle/image:1"
	local mode
	for mode in partial pieces; do
		rm -r "$BATS_TEST_TMPDIR/image"
		stored_image "$UPLOADS/$mode/image:1"
		: >"$UPLOADS_LOG"
		expect 0 holm push --chunk-size 64k "$UPLOADS/$mode/image:1"
		arrived "$UPLOADS/$mode/image:1"
	done
	grep -q 'PATCH.*content-range=0-99999 ' "$UPLOADS_LOG"
	refused 1 "--chunk-size: 1k is less than 64k" holm push --chunk-size 1k "$REGISTRY/small:1"
	refused 1 "--chunk-size" holm push --chunk-size much "$REGISTRY/small:1"
}

@test "what makes no sense is refused, before anything is sent" {
	stored_image example.com/small:1
	refused 1 "no image has the name example.com/none:latest" holm push example.com/none
	output_has "holm tag IMAGE"
	refused 1 "no name to push to" holm push example.com/small:1 \
		"example.com/x@sha256:$(printf '0%.0s' {1..64})"
	refused 1 "a tag and --all-tags" holm push -a example.com/small:1
	refused 1 "--all-tags and a destination" holm push -a example.com/small example.com/x
	refused 1 "no such image" holm push absent example.com/x
}

@test "podman pulls what holm pushed" {
	needs podman
	registry_start
	stored_image "$REGISTRY/small:1"
	holm push -q "$REGISTRY/small:1"
	podman --root "$PWD/podman" --runroot "$TMPDIR/run/p" --storage-driver vfs \
		pull -q --tls-verify=false "$REGISTRY/small:1"
}
