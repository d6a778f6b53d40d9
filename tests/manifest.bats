#!/usr/bin/env bats
# Several platforms under one name: made here, pushed, pulled by others.
load holm
load registry/registries

setup() {
	holm_setup
}

# An image NAME:1 for this architecture in the registry.
remote_image() { # NAME ARCH
	mkdir -p "work/$1"
	echo "$1" >"work/$1/name"
	tar -C "work/$1" -cf "work/$1.tar" .
	rm -rf "work/$1.oci"
	oci_image "work/$1.oci" 1 "work/$1.tar"
	skopeo copy --quiet --dest-tls-verify=false --override-arch "$2" "oci:work/$1.oci:1" \
		"docker://$REGISTRY/$1:1"
}

entries() { # FILTER
	holm manifest inspect "$LIST" | jq -c "[.manifests[] | $1]"
}

setup_list() {
	registry_start
	LIST=$REGISTRY/app:1
	remote_image one amd64
	remote_image two amd64
	holm pull -q "$REGISTRY/one:1"
}

@test "a list of a local and a remote image is pushed, and every platform pulls its own" {
	setup_list
	expect 0 holm manifest create "$LIST" "$REGISTRY/one:1"
	output_is "Created manifest list $LIST"
	expect 0 holm manifest exists "$LIST"
	expect 0 holm manifest add --arch arm64 --variant v8 --annotation a=b "$LIST" \
		"docker://$REGISTRY/two:1"
	[ "$(entries .platform.architecture)" = '["amd64","arm64"]' ]
	[ "$(entries .annotations)" = '[null,{"a":"b"}]' ]
	expect 0 holm manifest push "$LIST"
	local digest=$output
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$LIST" | sha256sum | cut -d' ' -f1)" = \
		"${digest#sha256:}" ]
	[ "$(skopeo inspect --no-tags --tls-verify=false --override-arch arm64 --override-variant v8 \
		"docker://$LIST" | jq -r .Digest)" != "" ]
	skopeo copy --quiet --all --src-tls-verify=false "docker://$LIST" "dir:$PWD/all"
	# push alone knows lists, too; an image of the name is meant first
	expect 0 holm push "$LIST" "$REGISTRY/other:2"
	output_is "2: digest: $digest size: $(skopeo inspect --raw --tls-verify=false "docker://$LIST" | wc -c)"
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/other:2" | sha256sum | cut -d' ' -f1)" = \
		"${digest#sha256:}" ]
	expect 0 holm pull -q "$LIST"
	expect 0 holm push "$LIST" "$REGISTRY/other:3"
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/other:3" | jq -c .manifests)" = null ]
	holm pull -q --platform linux/arm64/v8 "$LIST"
	[ "$(cat "$HOLM_ROOT"/layers/*/fs/name | sort | xargs)" = "one two" ]
}

@test "annotate, remove, rm: by digest or by name" {
	setup_list
	holm manifest create "$LIST" "$REGISTRY/one:1" "$REGISTRY/two:1"
	expect 0 holm manifest annotate --os linux --arch arm --variant v7 --os-version 1 "$LIST" \
		"$REGISTRY/two:1"
	[ "$(entries .platform | jq -c '.[1]')" = \
		'{"architecture":"arm","os":"linux","os.version":"1","variant":"v7"}' ]
	expect 0 holm manifest remove "$LIST" "$(holm images --digests --format '{{.Digest}}' "$REGISTRY/one:1")"
	[ "$(entries .platform.architecture)" = '["arm"]' ]
	refused 1 "is not in the manifest list" holm manifest remove "$LIST" "$REGISTRY/one:1"
	refused 1 "is there already" holm manifest create "$LIST"
	expect 0 holm manifest create --amend "$LIST" "$REGISTRY/one:1"
	[ "$(entries .platform.architecture)" = '["arm","amd64"]' ]
	expect 0 holm manifest push --purge "$LIST" "docker://$REGISTRY/other/name:2"
	expect 1 holm manifest exists "$LIST"
	refused 1 "no such manifest list" holm manifest rm "$LIST"
	# what is no list here is what the registry has
	expect 0 holm manifest inspect "$REGISTRY/other/name:2"
	[ "$(jq '.manifests | length' <<<"$output")" = 2 ]
}

@test "a list of a list: this platform's image, or with --all every one" {
	setup_list
	holm manifest create "$REGISTRY/both:1" "$REGISTRY/one:1" "$REGISTRY/two:1"
	holm manifest annotate --arch s390x "$REGISTRY/both:1" "$REGISTRY/two:1"
	holm manifest push -q --purge "$REGISTRY/both:1"
	LIST=$REGISTRY/app:1
	holm manifest create "$LIST" "docker://$REGISTRY/both:1"
	[ "$(entries .platform.architecture)" = '["amd64"]' ]
	holm manifest create --amend --all "$LIST" "docker://$REGISTRY/both:1"
	[ "$(entries .platform.architecture)" = '["amd64","s390x"]' ]
}

@test "what cannot be pushed says why, and an image that is gone is named" {
	setup_list
	holm manifest create "$LIST"
	refused 1 "the list is empty" holm manifest push -q "$LIST"
	holm manifest add "$LIST" "$REGISTRY/one:1"
	local digest
	digest=$(entries .digest | jq -r '.[0]')
	mv "$HOLM_ROOT/images/blobs/sha256/${digest#*:}" kept
	refused 1 "is not in the store any more" holm manifest push -q "$LIST"
	mv kept "$HOLM_ROOT/images/blobs/sha256/${digest#*:}"
	refused 1 "no such manifest list" holm manifest push -q "$REGISTRY/none:1"
	holm manifest create --amend "$LIST" "docker://$REGISTRY/two:1"
	holm manifest remove "$LIST" "$(entries .digest | jq -r '.[0]')"
	refused 1 "is on another registry" holm manifest push -q "$LIST" localhost:5000/x:1
	refused 1 "expected KEY=VALUE" holm manifest annotate --annotation x "$LIST" "$REGISTRY/two:1"
}

@test "ten additions at once are all there" {
	setup_list
	holm manifest create "$LIST"
	local pids=() i
	for i in {1..10}; do
		mkdir -p "many/$i" && echo "$i" >"many/$i/x" && tar -C "many/$i" -cf "many/$i.tar" .
		holm import -q "many/$i.tar" "many:$i" >/dev/null
	done
	for i in {1..10}; do
		holm manifest add "$LIST" "many:$i" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ "$(entries .digest | jq length)" = 10 ]
}

# Two images under one name, neither with a name of its own.
build_list() { # NAME
	printf 'FROM scratch\nCOPY name /\n' >Dockerfile
	echo "$1" >name
	holm build -q --platform linux/amd64,linux/arm64 -t "$1" . >/dev/null
}

@test "a list is an image to people: images, tag, inspect, exists, rmi" {
	build_list app:1
	build_list other:1
	expect 0 holm images --format '{{.Repository}} {{.Tag}} {{.Size}}'
	[ "$(sort <<<"$output")" = "$(printf 'app 1 %s\nother 1 %s' 12B 16B)" ]
	[ "$(holm images -qa | wc -l)" = 6 ]
	expect 0 holm images -q --filter dangling=true
	output_is ""
	expect 0 holm image exists app:1
	expect 0 holm tag app:1 more:2
	expect 0 holm image inspect --format '{{.RepoTags}} {{.Architecture}}' more:2
	[[ $output == *app:1*more:2*amd64 || $output == *more:2*app:1*amd64 ]]
	local id
	id=$(holm images -q app)
	[ "$(holm images -q more)" = "$id" ]
	expect 0 holm create --name one --platform linux/arm64 "$id" /none
	holm rm one
	refused 1 "the list has 2 names" holm rmi "$id"
	expect 0 holm rmi app:1
	output_is "Untagged: app:1"
	expect 0 holm image inspect more:2
	expect 0 holm rmi "$id"
	[ "$(head -1 <<<"$output")" = "Untagged: more:2" ]
	[ "$(grep -c '^Deleted: sha256:' <<<"$output")" = 3 ]
	expect 1 holm image exists more:2
	[ "$(holm images -qa | wc -l)" = 3 ]
	expect 0 holm manifest rm other:1
	[ "$(head -1 <<<"$output")" = "Untagged: other:1" ]
	[ "$(holm images -qa)" = "" ]
	holm builder prune -af
	holm gc
	[ "$(find "$HOLM_ROOT"/layers/ "$HOLM_ROOT"/images/blobs/sha256/ -mindepth 1 -maxdepth 1 -name '[0-9a-f]*')" = "" ]
}

@test "what a list names is neither removed nor collected" {
	build_list app:1
	local arm
	arm=$(holm manifest inspect app:1 | jq -r '.manifests[1].digest')
	holm tag "$arm" arm:1
	expect 0 holm rmi arm:1
	output_is "Untagged: arm:1"
	refused 1 "a list of manifests names the image" holm rmi -f "$arm"
	expect 0 holm image prune -f
	expect 0 holm gc --keep 1
	expect 0 holm create --name one --platform linux/arm64 app:1 /none
	# in use: neither the list nor the image goes
	expect 0 holm image prune -af
	expect 0 holm image exists app:1
	holm rmi app:1
	[ "$(holm images -qa | wc -l)" = 1 ]
	expect 0 holm cp one:/name copy
	holm rm one
	build_list app:1
	expect 0 holm image prune -af
	[ "$(holm images -qa)" = "" ]
}

@test "images made, listed and removed at once: no list lacks one" {
	echo x >name
	tar -cf x.tar name
	local i pids=()
	for i in {1..8}; do
		(
			holm import -q --platform "linux/arm$i" x.tar "one:$i"
			holm manifest create "list:$i" "one:$i" || true
		) >/dev/null 2>&1 3>&- &
		pids+=($!)
		(holm rmi "one:$i" || true) >/dev/null 2>&1 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	expect 0 holm gc
	local list
	for list in $(holm images --format '{{.Repository}}:{{.Tag}}' list); do
		for i in $(holm manifest inspect "$list" | jq -r '.manifests[].digest'); do
			expect 0 holm save -o /dev/null "$i"
		done
	done
}

@test "--platform: inspect, history, save, push and rmi of one image of a list" {
	registry_start
	build_list app:1
	expect 0 holm image inspect --platform linux/arm64 --format '{{.Architecture}}' app:1
	output_is arm64
	refused 1 "is not there for linux/s390x" holm image inspect --platform linux/s390x app:1
	expect 0 holm history --platform linux/arm64 -q app:1
	expect 0 holm save --platform linux/arm64 -o arm.tar app:1
	expect 0 holm save -o own.tar app:1
	for i in arm own; do
		mkdir "$i" && tar -C "$i" -xf "$i.tar"
	done
	[ "$(jq -r '.[0].RepoTags[0]' arm/manifest.json)" = app:1 ]
	[ "$(jq -r .architecture "arm/$(jq -r '.[0].Config' arm/manifest.json)")" = arm64 ]
	[ "$(jq -r .architecture "own/$(jq -r '.[0].Config' own/manifest.json)")" = amd64 ]
	# alone, without the list
	expect 0 holm push -q --platform linux/arm64 app:1 "$REGISTRY/app:1"
	[ "$(skopeo inspect --config --tls-verify=false --override-arch s390x "docker://$REGISTRY/app:1" | jq -r .architecture)" = arm64 ]
	refused 1 "exclude each other" holm push --all-tags --platform linux/arm64 app "$REGISTRY/app"
	expect 0 holm images --tree
	[ "$(sed -n 2p <<<"$output" | cut -d' ' -f1)" = app:1 ]
	[ "$(grep -c '─ linux/a' <<<"$output")" = 2 ]
	expect 0 holm rmi --platform linux/arm64 app:1
	[[ $output == "Deleted: sha256:"* ]]
	expect 0 holm images --tree app
	[ "$(tail -n +3 <<<"$output" | cut -d' ' -f1,2)" = "└─ linux/amd64" ]
	refused 1 "is not there for linux/arm64" holm rmi --platform linux/arm64 app:1
	expect 0 holm rmi --platform linux/amd64 app:1
	[ "$(head -1 <<<"$output")" = "Untagged: app:1" ]
	[ "$(holm images -qa)" = "" ]
}

@test "--platform of an image that has one alone: it must be that" {
	echo x >x && tar -cf x.tar x
	holm import -q --platform linux/arm64 x.tar one:1
	expect 0 holm image inspect --platform linux/arm64 one:1
	refused 1 "one:1 is for linux/arm64, not for linux/amd64" holm history --platform linux/amd64 one:1
	refused 1 "is for linux/arm64" holm save --platform linux/amd64 -o x.out one:1
	[ ! -e x.out ]
	refused 1 "is for linux/arm64" holm rmi --platform linux/amd64 one:1
	expect 0 holm rmi --no-prune --platform linux/arm64 one:1
	[ "$(find "$HOLM_ROOT/layers" -name x)" != "" ]
	expect 0 holm gc
	[ "$(find "$HOLM_ROOT/layers" -name x)" = "" ]
}
