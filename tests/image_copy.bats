#!/usr/bin/env bats
# Images from one place to another, past the store; skopeo looks at both ends.
load holm
load registry/registries

setup() {
	holm_setup
	needs skopeo docker-registry
	registry_start 5000
	FROM=$REGISTRY
	registry_start 5001
	TO=$REGISTRY
	small_image
	skopeo copy --quiet --dest-tls-verify=false "oci:$BATS_TEST_TMPDIR/image:1" "docker://$FROM/team/app:1"
}

raw() { # SOURCE: the digest of what is there
	skopeo inspect --raw --no-tags --tls-verify=false "$1" | sha256sum | cut -c1-64
}

# Nothing of the copy stays here.
nothing_stays() {
	[ -z "$(holm images -q)" ]
	[ -z "$(find "$HOLM_ROOT/images/blobs" "$HOLM_ROOT/layers" -mindepth 2 2>/dev/null)" ]
}

# FROM/team/list:1 for amd64 and arm64.
list_there() {
	local i
	skopeo copy --quiet --dest-tls-verify=false "oci:$BATS_TEST_TMPDIR/image:1" "docker://$FROM/team/list:a"
	CONFIG='{"Env":["A=arm"]}' oci_image "$BATS_TEST_TMPDIR/arm" 1 "$BATS_TEST_TMPDIR/layers/a.tar"
	skopeo copy --quiet --dest-tls-verify=false "oci:$BATS_TEST_TMPDIR/arm:1" "docker://$FROM/team/list:b"
	for i in a:amd64 b:arm64; do
		skopeo inspect --raw --no-tags --tls-verify=false "docker://$FROM/team/list:${i%:*}" >"$PWD/m"
		printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,"platform":{"os":"linux","architecture":"%s"}}\n' \
			"$(sha256sum <m | cut -c1-64)" "$(stat -c %s m)" "${i#*:}"
	done | jq -cs '{schemaVersion:2,mediaType:"application/vnd.oci.image.index.v1+json",manifests:.}' >list
	curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' \
		--data-binary @list "http://$FROM/v2/team/list/manifests/1"
}

@test "between registries: the same digest, nothing here, and a second time nothing travels" {
	local digest
	digest=$(raw "docker://$FROM/team/app:1")
	expect 0 holm image copy "$FROM/team/app:1" "docker://$TO/other/app:2"
	output_is "$TO/other/app:2: sha256:$digest"
	[ "$(grep -c ': Pushed' <<<"$stderr")" = 3 ]
	[ "$(raw "docker://$TO/other/app:2")" = "$digest" ]
	skopeo copy --quiet --src-tls-verify=false "docker://$TO/other/app:2" "dir:$PWD/arrived"
	nothing_stays
	expect 0 holm image copy "$FROM/team/app:1" "$TO/other/app:2"
	[ "$(grep -c ': Already exists' <<<"$stderr")" = 3 ]
	[[ $stderr != *Pushed* ]]
	# within one registry the blobs are mounted
	expect 0 holm image copy "$FROM/team/app:1" "$FROM/mounted/app:1"
	[ "$(grep -c ': Mounted' <<<"$stderr")" = 3 ]
	[ "$(raw "docker://$FROM/mounted/app:1")" = "$digest" ]
}

@test "to a layout, an archive and skopeo's dir, and from there back" {
	local digest to
	digest=$(raw "docker://$FROM/team/app:1")
	for to in "oci:$PWD/layout:one" "oci-archive:$PWD/archive.tar:one" "dir:$PWD/folder"; do
		expect 0 holm image copy -q "$FROM/team/app:1" "$to"
		output_is "sha256:$digest"
		[ "$(raw "$to")" = "$digest" ]
		skopeo copy --quiet "$to" "dir:$PWD/whole.${to%%:*}"
		expect 0 holm image copy -q "$to" "$TO/back/${to%%:*}:1"
		[ "$(raw "docker://$TO/back/${to%%:*}:1")" = "$digest" ]
		skopeo copy --quiet --src-tls-verify=false "docker://$TO/back/${to%%:*}:1" "dir:$PWD/back.${to%%:*}"
	done
	nothing_stays
	refused 1 "not empty" holm image copy "$FROM/team/app:1" "oci:$PWD/layout:two"
	refused 1 "has no image 'two'" holm image copy "oci:$PWD/layout:two" "$TO/x:1"
}

@test "of a list the image for the platform, or all of it" {
	local to
	list_there
	expect 0 holm image copy -q --platform linux/arm64 "$FROM/team/list:1" "$TO/arm:1"
	[ "$(raw "docker://$TO/arm:1")" = "$(raw "docker://$FROM/team/list:b")" ]
	refused 1 "linux/s390x" holm image copy --platform linux/s390x "$FROM/team/list:1" "$TO/no:1"
	expect 0 holm image copy -q --all "$FROM/team/list:1" "$TO/all:1"
	[ "$(raw "docker://$TO/all:1")" = "$(sha256sum <list | cut -c1-64)" ]
	skopeo copy --quiet --all --src-tls-verify=false "docker://$TO/all:1" "dir:$PWD/arrived"
	for to in "oci:$PWD/layout:one" "dir:$PWD/folder"; do
		expect 0 holm image copy -q --all "$TO/all:1" "$to"
		[ "$(raw "$to")" = "$(sha256sum <list | cut -c1-64)" ]
		skopeo copy --quiet --all "$to" "dir:$PWD/whole.${to%%:*}"
		expect 0 holm image copy -q --all "$to" "$TO/again/${to%%:*}:1"
		skopeo copy --quiet --all --src-tls-verify=false "docker://$TO/again/${to%%:*}:1" "dir:$PWD/again.${to%%:*}"
	done
	nothing_stays
}

@test "policy.json of the source decides; what is no place is refused" {
	mkdir -p "$HOME/.config/containers"
	echo '{"default":[{"type":"reject"}]}' >"$HOME/.config/containers/policy.json"
	refused 1 "policy.json" holm image copy "$FROM/team/app:1" "$TO/no:1"
	refused 1 "policy.json" holm image copy "oci:$BATS_TEST_TMPDIR/image:1" "$TO/no:1"
	rm "$HOME/.config/containers/policy.json"
	refused 1 "a digest is no name" holm image copy "$FROM/team/app:1" "$TO/x@sha256:$(raw "docker://$FROM/team/app:1")"
	refused 1 "nothing is copied from there" holm image copy docker-archive:x "$TO/x:1"
	refused 1 "nothing is copied there" holm image copy "$FROM/team/app:1" template:busybox
	refused 1 "exclude each other" holm image copy --all --platform linux/arm64 "$FROM/team/app:1" "$TO/x:1"
	refused 1 "$FROM/team/none:1: " holm image copy "$FROM/team/none:1" "$TO/x:1"
	nothing_stays
}

@test "a list whose manifests take more memory than any would is refused" {
	needs python3
	python3 - <<-'END'
		import hashlib, json, os
		os.makedirs("huge/blobs/sha256")
		def put(document, media_type):
		    text = json.dumps(document).encode()
		    digest = hashlib.sha256(text).hexdigest()
		    open(f"huge/blobs/sha256/{digest}", "wb").write(text)
		    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(text)}
		oci = "application/vnd.oci.image."
		blob = {"mediaType": oci + "config.v1+json", "digest": "sha256:" + "0" * 64, "size": 2}
		manifests = [put({"schemaVersion": 2, "mediaType": oci + "manifest.v1+json", "config": blob, "layers": [],
		                  "annotations": {"a": chr(97 + i) * 4190000}},
		                 oci + "manifest.v1+json") for i in range(5)]
		top = put({"schemaVersion": 2, "mediaType": oci + "index.v1+json", "manifests": manifests}, oci + "index.v1+json")
		top["annotations"] = {"org.opencontainers.image.ref.name": "1"}
		json.dump({"schemaVersion": 2, "manifests": [top]}, open("huge/index.json", "w"))
		json.dump({"imageLayoutVersion": "1.0.0"}, open("huge/oci-layout", "w"))
	END
	refused 1 "manifests have more than 16 MiB" holm image copy --all oci:huge:1 "$TO/huge:1"
	nothing_stays
}
