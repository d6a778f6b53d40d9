#!/usr/bin/env bats
# Images from registries: from real ones, and from one that misbehaves (registry/hostile.py).
load holm
load registry/registries

setup() {
	holm_setup
}

@test "an image comes layer by layer, and a second time nothing is fetched" {
	small_image
	registry_start
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" small:1
	expect 0 holm pull "$REGISTRY/small:1"
	output_has "Pulling $REGISTRY/small:1"
	[ "$(grep -c 'Pull complete' <<<"$stderr")" = 2 ]
	[ "$(cat "$HOLM_ROOT"/layers/*/fs/etc/one)" = one ]
	expect 0 holm pull "$REGISTRY/small:1"
	[ "$(grep -c 'Already exists' <<<"$stderr")" = 2 ]
}

@test "what was pulled is an OCI layout that skopeo reads" {
	small_image
	registry_start
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" small:1
	expect 0 holm pull "$REGISTRY/small:1"
	expect 0 skopeo inspect "oci:$HOLM_ROOT/images:$REGISTRY/small:1"
	[ "$(jq -r '.Layers | length' <<<"$output")" = 2 ]
	skopeo copy --quiet "oci:$HOLM_ROOT/images:$REGISTRY/small:1" \
		"dir:$BATS_TEST_TMPDIR/copy"
}

@test "pull by digest gives that image and no other" {
	small_image
	registry_start
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" small:1
	local digest
	digest=$(skopeo inspect --tls-verify=false "docker://$REGISTRY/small:1" | jq -r .Digest)
	expect 0 holm pull "$REGISTRY/small@$digest"
	run holm pull "$REGISTRY/small@sha256:$(printf '0%.0s' {1..64})"
	[ "$status" != 0 ]
	output_has "not on 127.0.0.1"
}

@test "zstd and uncompressed layers are taken as well" {
	small_image
	registry_start
	COMPRESS=zstd oci_image "$BATS_TEST_TMPDIR/zstd" 1 "$BATS_TEST_TMPDIR/layers/a.tar"
	COMPRESS=none oci_image "$BATS_TEST_TMPDIR/none" 1 "$BATS_TEST_TMPDIR/layers/b.tar"
	registry_push "oci:$BATS_TEST_TMPDIR/zstd:1" zstd:1
	registry_push "oci:$BATS_TEST_TMPDIR/none:1" none:1
	expect 0 holm pull "$REGISTRY/zstd:1"
	expect 0 holm pull "$REGISTRY/none:1"
	[ -f "$(echo "$HOLM_ROOT"/layers/*/fs/etc/one)" ]
	[ -f "$(echo "$HOLM_ROOT"/layers/*/fs/bin/busybox)" ]
}

@test "Docker's schema 2 is the same image" {
	small_image
	registry_start
	skopeo copy --quiet --dest-tls-verify=false --format v2s2 \
		"oci:$BATS_TEST_TMPDIR/image:1" "docker://$REGISTRY/docker:1"
	expect 0 holm pull "$REGISTRY/docker:1"
	[ "$(cat "$HOLM_ROOT"/layers/*/fs/etc/one)" = one ]
}

@test "eight pulls of one image at once fetch each layer once" {
	hostile_start
	local pids=() pid
	for _ in 1 2 3 4 5 6 7 8; do
		holm pull -q "$HOSTILE/good/image:1" >/dev/null 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	# the config and the layer: the layer's request is the one for the larger of the two
	local most
	most=$(grep -o 'blobs/sha256:[0-9a-f]*' "$HOSTILE_LOG" | sort | uniq -c | sort -n |
		awk 'NR == 1 { print $1 }')
	[ "$most" = 1 ]
}

@test "a pull that is killed leaves nothing to be seen, and the next goes on" {
	hostile_start
	holm pull -q "$HOSTILE/killed/image:1" >/dev/null 2>&1 3>&- &
	local pid=$!
	within 10 partial_begun
	kill -KILL $pid
	wait $pid || true
	# its helper ends with it
	within 5 no_helper
	expect 0 holm images -q
	output_is ""
	expect 0 holm pull "$HOSTILE/killed/image:1"
	grep -q 'range=bytes=[1-9]' "$HOSTILE_LOG"
	[ -z "$(find "$HOLM_ROOT/partial" -type f)" ]
}

@test "a damaged partial blob is fetched anew" {
	hostile_start
	holm pull -q "$HOSTILE/killed/image:1" >/dev/null 2>&1 3>&- &
	local pid=$!
	within 10 partial_begun
	kill -KILL $pid
	wait $pid || true
	within 5 no_helper
	# as a power cut leaves it: the size is there, the bytes are not
	dd if=/dev/zero of="$(find "$HOLM_ROOT/partial" -type f)" bs=64k seek=1 count=2 \
		conv=notrunc status=none
	expect 0 holm pull "$HOSTILE/killed/image:1"
	[ -f "$(echo "$HOLM_ROOT"/layers/*/fs/data)" ]
}

@test "what is left of a killed pull is unpacked before the first byte of the rest has come" {
	hostile_start
	holm pull -q "$HOSTILE/resume-held/image:1" >/dev/null 2>&1 3>&- &
	local pid=$!
	within 10 partial_begun
	within 10 grep -q 'range=bytes=[1-9]' "$HOSTILE_LOG"
	kill -KILL $pid
	wait $pid || true
	within 5 no_helper
	: >"$HOSTILE_LOG"

	holm pull -q "$HOSTILE/resume-held/image:1" >"$BATS_TEST_TMPDIR/id" 3>&- &
	pid=$!
	within 10 grep -q 'range=bytes=[1-9]' "$HOSTILE_LOG"
	# half of 3 MiB, less what is still in the pipeline
	within 10 unpacking_has_begun
	[ -z "$(find "$HOLM_ROOT/images/blobs" -type f -size +1M)" ]
	touch "$HOSTILE_LOG.go"
	wait $pid
	[ "$(stat -c %s "$HOLM_ROOT"/layers/*/fs/data)" = $((3 << 20)) ]
}

unpacking_has_begun() {
	[ -n "$(find "$HOLM_ROOT/layers" -path '*/.new-*/fs/data' -size +1M)" ]
}

@test "limits that one sets oneself count for a pull, too" {
	hostile_start
	HOLM_LAYER_MAX=1m refused 1 "more than 1 MiB of files" holm pull "$HOSTILE/good/image:1"
	store_is_empty
	expect 0 holm pull "$HOSTILE/good/image:1"
}

@test "holm-image has given up what it does not need before it hears from the registry" {
	hostile_start
	holm pull -q "$HOSTILE/killed/image:1" >/dev/null 2>&1 3>&- &
	within 10 partial_begun
	local pid
	pid=$(pgrep -x holm-image)
	grep -q '^NoNewPrivs:.*1' "/proc/$pid/status"
	grep -q '^Seccomp:.*2' "/proc/$pid/status"
	# CHOWN DAC_OVERRIDE FOWNER FSETID MKNOD SYS_ADMIN SETFCAP, no matter who we are
	local kept=$((0x8820001b))
	for set in CapInh CapPrm CapEff CapAmb; do
		local has
		has=$(awk -v set="$set:" '$1 == set { print $2 }' "/proc/$pid/status")
		[ $((0x$has & ~kept)) = 0 ]
	done
	within 20 no_helper
}

@test "a tree is an image: dir:" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/bin"
	cp /bin/busybox "$BATS_TEST_TMPDIR/tree/bin/"
	expect 0 holm run --rm "dir:$BATS_TEST_TMPDIR/tree" /bin/busybox echo from a tree
	output_has "from a tree"
}

@test "archives and layouts are images: oci: oci-archive: docker-archive:" {
	small_image
	local image=$BATS_TEST_TMPDIR/image
	skopeo copy --quiet "oci:$image:1" "oci-archive:$BATS_TEST_TMPDIR/a.tar:1"
	skopeo copy --quiet "oci:$image:1" "docker-archive:$BATS_TEST_TMPDIR/d.tar:small:1"
	expect 0 holm run --rm "oci:$image:1" /bin/busybox cat /etc/one
	output_has one
	expect 0 holm run --rm "oci-archive:$BATS_TEST_TMPDIR/a.tar" /bin/busybox cat /etc/one
	output_has one
	expect 0 holm run --rm "docker-archive:$BATS_TEST_TMPDIR/d.tar" /bin/busybox cat /etc/one
	output_has one
}

@test "busybox needs no registry" {
	expect 0 holm run --rm --network none busybox echo shipped
	output_has shipped
	expect 0 holm images
	output_has busybox
}

@test "a template without mmdebstrap says what to install" {
	local holm
	holm=$(command -v holm)
	expect 125 env PATH=/nowhere "$holm" run --rm template:debian/bookworm true
	output_has "apt-get install mmdebstrap"
	expect 125 holm run --rm template:plan9/fourth true
	output_has "no template for the distribution"
}

@test "hostile: a good one, to know that the others fail for their reason" {
	hostile_pulled good
}

@test "a platform that is none is refused before anybody is asked" {
	refused 1 "--platform: 'bogus' is no architecture" holm pull --platform bogus 127.0.0.1:1/image:1
	refused 125 "'bogus' is no architecture" holm run --platform bogus 127.0.0.1:1/image:1
	refused 1 "is not a platform" holm pull --platform linux// 127.0.0.1:1/image:1
	refused 1 "127.0.0.1:1" holm pull --platform linux 127.0.0.1:1/image:1
}

@test "hostile: an index gives the image for this machine" {
	hostile_pulled platforms
	run holm pull --platform linux/mips "$HOSTILE/platforms/image:1"
	[ "$status" != 0 ]
	output_has "amd64"
}

@test "hostile: a broken transfer goes on by Range" {
	hostile_pulled resume
	grep -q 'range=bytes=[1-9]' "$HOSTILE_LOG"
}

@test "hostile: a server that starts over instead" {
	hostile_pulled restart
}

@test "hostile: 503 twice, then not" {
	hostile_pulled flaky
}

@test "hostile: too many requests, later it answers" {
	hostile_pulled busy
}

@test "hostile: a bearer token is fetched and sent" {
	hostile_pulled bearer
	grep -q 'authorization=Bearer t0ken' "$HOSTILE_LOG"
}

@test "hostile: a redirect elsewhere goes without credentials" {
	mkdir -p "$HOME/.docker"
	echo '{"auths":{"127.0.0.1:6000":{"auth":"dXNlcjpzZWNyZXQ="}}}' >"$HOME/.docker/config.json"
	hostile_pulled redirect-login
	grep -q '^6000 .*authorization=Basic' "$HOSTILE_LOG"
	grep -q '^6001 ' "$HOSTILE_LOG"
	not grep -q '^6001 .*authorization=[^-]' "$HOSTILE_LOG"
}

@test "hostile: a redirect that comes home again collects no credentials on its way" {
	mkdir -p "$HOME/.docker"
	echo '{"auths":{"127.0.0.1:6000":{"auth":"dXNlcjpzZWNyZXQ="}}}' >"$HOME/.docker/config.json"
	hostile_refused redirect-back "refuses the login"
	grep -q '^6001 ' "$HOSTILE_LOG"
	not grep -q 'home.*authorization=[^-]' "$HOSTILE_LOG"
}

@test "hostile: truncated for good" {
	hostile_refused truncate "the transfer"
}

@test "hostile: truncated, but ended as if that were all" {
	hostile_refused truncate-chunked "the transfer ended after"
}

@test "hostile: endless" {
	hostile_refused endless "more than the"
}

@test "hostile: always status 500 for the manifest" {
	hostile_refused error-500 "status 500: out of order"
}

@test "hostile: always status 503 for a layer" {
	hostile_refused error-503 "status 503"
}

@test "hostile: asks for a login for ever" {
	hostile_refused login-loop "denies access"
}

@test "hostile: redirects in a circle" {
	hostile_refused redirect-loop "more than 10 redirects"
}

@test "hostile: redirects to a file" {
	hostile_refused redirect-file 'the scheme "file"'
}

@test "hostile: a header without end" {
	hostile_refused huge-header "KiB of headers"
}

@test "hostile: many headers" {
	hostile_refused many-headers "KiB of headers"
}

@test "hostile: a manifest without end" {
	hostile_refused huge-manifest "more than 4 MiB"
}

@test "hostile: an error without end" {
	hostile_refused endless-error "not on"
}

@test "hostile: early hints without end" {
	hostile_refused endless-hints "KiB of headers"
}

@test "hostile: a token without end, and one that would be a header more" {
	hostile_refused token-endless "token of more than"
	run holm pull "$HOSTILE/token-header/image:1"
	[ "$status" = 1 ]
	output_has "no token in it"
	not grep -q Evil "$HOSTILE_LOG"
}

@test "hostile: configs that are too deep, too large, or none" {
	hostile_start
	local mode text
	while read -r mode text; do
		refused 1 "$text" timeout 20 holm pull "$HOSTILE/config-$mode/image:1"
	done <<-'E'
		deep config
		nul NUL
		trailing config
		number not an object
		half config
		large config of 1099511627776 bytes
	E
	store_is_empty
}

@test "hostile: a layer with one other byte" {
	hostile_refused wrong-digest "sha256:"
}

@test "hostile: a manifest that is not the one announced" {
	hostile_refused wrong-manifest "the registry says the manifest is"
}

@test "hostile: a token service that is not https" {
	hostile_refused bad-realm "which is not https"
}

@test "hostile: a challenge that is none" {
	hostile_refused malformed-challenge "malformed WWW-Authenticate"
}

@test "hostile: a layer of size -1" {
	hostile_refused negative-size "size"
}

@test "hostile: 10000 layers" {
	hostile_refused many-layers "layers"
}

@test "hostile: a digest that is a path" {
	hostile_refused path-digest "not a digest"
}

@test "hostile: manifest and index in one" {
	hostile_refused both "manifest"
}

@test "hostile: a manifest served as an index" {
	hostile_refused lying-type "which this document is not"
}

@test "hostile: Docker's schema 1" {
	hostile_refused schema-1 "schema 1"
}

@test "hostile: something else than an image" {
	hostile_refused not-an-image "no image of a container"
}

@test "hostile: a layer of some other type" {
	hostile_refused odd-layer "a layer is"
}

@test "hostile: JSON 300000 deep" {
	hostile_refused deep "manifest"
}

@test "hostile: more layers than diff ids" {
	hostile_refused diff-ids "layers"
}

@test "hostile: a NUL in a string" {
	hostile_refused nul "NUL"
}

@test "hostile: not there" {
	hostile_refused absent "manifest unknown"
}

@test "hostile: one byte a second" {
	hostile_refused slow "slower than" 100
}

@test "nobody listens" {
	refused_pull 127.0.0.1:6999/x "127.0.0.1"
}

@test "a name that is none" {
	refused_pull 127.0.0.1:6999/../x "at byte"
	refused_pull Upper "lower case"
}

refused_pull() { # NAME TEXT
	run holm pull "$1"
	[ "$status" = 125 ] || [ "$status" = 1 ]
	output_has "$2"
}

@test "what a killed holm-image left is removed by the next pull" {
	small_image
	registry_start
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" small:1
	holm images
	mkdir -p "$HOLM_ROOT/partial"
	echo half >"$HOLM_ROOT/partial/.new-0123456789abcdef"
	expect 0 holm pull -q "$REGISTRY/small:1"
	[ ! -e "$HOLM_ROOT/partial/.new-0123456789abcdef" ]
}

@test "pull --all-tags: each tag of a repository, and what is no image is told" {
	small_image
	registry_start
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" small:1
	registry_push "oci:$BATS_TEST_TMPDIR/image:1" small:2
	skopeo copy --quiet --all --dest-tls-verify=false --override-arch s390x \
		"oci:$BATS_TEST_TMPDIR/image:1" "docker://$REGISTRY/small:3"
	expect 0 holm pull -q -a "$REGISTRY/small"
	[ "$(sort <<<"$output")" = "$(printf "$REGISTRY/small:%s\n" 1 2 3)" ]
	[ "$(holm images --format '{{.Tag}}' "$REGISTRY/small" | sort | xargs)" = "1 2 3" ]
	refused 1 "exclude each other" holm pull -a "$REGISTRY/small:1"
	refused 1 "exclude each other" holm pull -a "$REGISTRY/small@sha256:$(printf '0%.0s' {1..64})"
	refused 1 "only a registry has tags" holm pull -a template:busybox
	refused 1 "not on 127.0.0.1" holm pull -a "$REGISTRY/none"
}

@test "pull --all-tags of a registry that gives two at a time, of one that lies, of one without end" {
	hostile_start
	expect 0 holm pull -q -a "$HOSTILE/tags-paged/image"
	[ "$(wc -l <<<"$output")" = 5 ]
	refused 1 "a tag that is none" holm pull -q -a "$HOSTILE/tags-wrong/image"
	refused 1 "more than 100000 tags" timeout 300 holm pull -q -a "$HOSTILE/tags-endless/image"
}
