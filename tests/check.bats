#!/usr/bin/env bats
# Damage of the store: system check finds it, --repair mends it.
load holm

check_is_sound() {
	expect 0 holm system check
	output_is "The store is sound."
}

# The damage is found and nothing changed by that; then it is mended, and all is sound.
mended() { # TEXT [DONE]
	expect 1 holm system check
	output_has "damaged: "
	output_has "$1"
	expect 0 holm system check --repair
	output_has "mended: "
	output_has "$1"
	output_has "${2:-}"
	output_has ", 0 left."
	check_is_sound
}

# Changes one byte in the middle, and nothing else.
flip() { # FILE
	local at byte
	at=$(($(stat -c %s "$1") / 2))
	byte=$(od -An -tu1 -j "$at" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\x$(printf %x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# An image app:1 of two layers; $image is its folder.
app_image() {
	mkdir -p low/etc low/bin high/etc
	cp /bin/busybox low/bin/sh
	head -c 100K /dev/urandom >low/etc/noise
	echo low >low/etc/mark
	ln low/etc/mark low/etc/hard
	echo high >high/etc/high
	tar -C low -cf low.tar .
	tar -C high -cf high.tar .
	image=$PWD/image
	oci_image "$image" app:1 low.tar high.tar
}

load_app() {
	app_image
	expect 0 holm load -i "$image"
}

# The same from a registry, so that it can be had again.
pull_app() {
	app_image
	registry_start
	registry_push "oci:$image:app:1" app:1
	expect 0 holm pull "$REGISTRY/app:1"
}

layer_file() { # NAME
	find "$HOLM_ROOT/layers" -path "*/fs/$1"
}

blob_of() { # JQ
	local manifest
	manifest=$(jq -r '.manifests[0].digest' "$HOLM_ROOT/images/index.json")
	[ "$1" != manifest ] || { echo "$HOLM_ROOT/images/blobs/sha256/${manifest#*:}" && return; }
	jq -r "$1" "$HOLM_ROOT/images/blobs/sha256/${manifest#*:}" | sed "s|^sha256:|$HOLM_ROOT/images/blobs/sha256/|"
}

@test "a sound store is called so" {
	check_is_sound
	load_app
	expect 0 holm create --name box -v data:/d app:1 /bin/sh
	check_is_sound
	expect 0 holm system check --quick --repair
	output_is "The store is sound."
	holm rm box
}

@test "a flipped bit, another mode, a missing and a new file in a layer are mended from its blob" {
	load_app
	local file change
	file=$(layer_file etc/noise)
	for change in 'flip "$file"' 'chmod 600 "$file"; touch "$file.new"' 'rm "$file"' \
		'setfattr -n user.x -v y "$file"; ln -sf x "$file.link"'; do
		eval "$change"
		mended "etc/noise" "unpacked again"
		cmp low/etc/noise "$file"
	done
	[ "$(stat -c %h "$(layer_file etc/mark)")" = 2 ]
}

@test "a missing layer and a broken layer.json are mended from the blob" {
	load_app
	local layer
	layer=$(dirname "$(dirname "$(dirname "$(layer_file etc/noise)")")")
	truncate -s 20 "$layer/layer.json"
	mended "layer.json" "unpacked again"
	rm "$layer/layer.json"
	mended "layer.json" "unpacked again"
	rm -r "$layer"
	mended "is missing" "unpacked again"
	cmp low/etc/noise "$layer/fs/etc/noise"
	rm -r "$layer/fs"
	mended "has no files" "unpacked again"
}

@test "what came from a registry is fetched from there again" {
	pull_app
	flip "$(blob_of '.layers[0].digest')"
	mended "other bytes than its digest says" "fetched again"
	truncate -s 10 "$(blob_of '.layers[1].digest')"
	mended "instead of" "fetched again"
	rm "$(blob_of .config.digest)"
	mended "image 127.0.0.1:5000/app:1" "fetched again"
	rm "$(blob_of '.layers[0].digest')"
	rm -r "$(dirname "$(dirname "$(dirname "$(layer_file etc/noise)")")")"
	mended "app:1 lacks" "fetched again"
	flip "$(blob_of manifest)"
	mended "other bytes" "fetched again"
	# both damaged: fetched, then compared
	flip "$(blob_of '.layers[0].digest')"
	truncate -s 3 "$(dirname "$(dirname "$(dirname "$(layer_file etc/noise)")")")/layer.json"
	mended "layer.json" "unpacked again"
	expect 0 holm images --format '{{.Repository}}:{{.Tag}}'
	output_is "127.0.0.1:5000/app:1"
	expect 0 holm save -o out.tar 127.0.0.1:5000/app:1
}

@test "the image that comes with holm is taken from there again" {
	expect 0 holm run --rm busybox true
	flip "$(blob_of '.layers[0].digest')"
	mended "other bytes" "fetched again"
	rm -r "$HOLM_ROOT"/layers/* "$(blob_of '.layers[0].digest')"
	mended "busybox" "fetched again"
	expect 0 holm run --rm busybox echo works
	output_is works
}

@test "what cannot be had again is removed, and that is said; what still runs is kept" {
	load_app
	# without its packed layer it runs
	flip "$(blob_of '.layers[0].digest')"
	expect 1 holm system check --repair
	output_has "can be neither saved nor pushed"
	expect 0 holm create --name box app:1 /bin/sh
	# without its config it does not, but the container keeps its layers
	rm "$(blob_of .config.digest)"
	expect 0 holm system check --repair
	output_has "it did not come from a registry: removed"
	expect 1 holm image exists app:1
	expect 0 holm start box
	holm rm -f box
	expect 0 holm system check --repair
	check_is_sound
	[ -z "$(ls "$HOLM_ROOT/layers")" ]
}

@test "a damaged index is written anew, with its names" {
	load_app
	expect 0 holm tag app:1 other:2
	local damage
	for damage in 'truncate -s 50' 'flip' 'rm' 'truncate -s 0'; do
		$damage "$HOLM_ROOT/images/index.json"
		run holm system check
		[ "$status" = 1 ] || [ "$damage" = flip ]
		expect 0 holm system check --repair
		check_is_sound
		expect 0 holm images --format '{{.Repository}}:{{.Tag}}'
		[ "$(sort <<<"$output")" = "app:1
other:2" ]
	done
	# without the copy the image has no name, and is there
	rm "$HOLM_ROOT/images/index.copy.json"
	truncate -s 1 "$HOLM_ROOT/images/index.json"
	expect 0 holm system check --repair
	expect 0 holm images --format '{{.Repository}}:{{.Tag}}'
	output_is "<none>:<none>"
}

@test "one damaged container hides no other, and nothing that it may need is removed" {
	holm run -d --name web busybox sleep 1000
	holm run --name ended busybox true
	holm run --name bad busybox true
	holm run -d --name worse busybox sleep 1000
	local bad worse
	bad=$(holm inspect -f '{{.Id}}' bad) worse=$(holm inspect -f '{{.Id}}' worse)
	truncate -s 30 "$HOLM_ROOT/containers/$bad/exit.json"
	cp "$HOLM_ROOT/containers/$worse/config.json" .
	truncate -s 100 "$HOLM_ROOT/containers/$worse/config.json"
	for command in "ps -a" "stats --no-stream" "container prune -f" info "system df" "pod ps"; do
		# shellcheck disable=SC2086
		expect 0 holm $command
		[[ $stderr == *"${worse:0:12}, named worse is left out: "*"system check --repair"* ]]
	done
	expect 0 holm ps -a --format '{{.Names}}'
	output_is web
	expect 0 holm inspect web
	refused 1 "system check --repair" holm inspect worse
	expect 0 holm __complete -- holm stop ""
	[ -z "$stderr" ]
	expect 1 holm image prune -af
	[[ $stderr == *"what 2 damaged containers need is not known"* ]]
	expect 1 holm rmi -f busybox
	[[ $stderr == *"what 2 damaged containers need is not known"* ]]
	expect 0 holm rm -f worse
	expect 0 holm rm bad
	expect 0 holm rm -f web
	expect 0 holm ps -aq
	[ -z "$stderr" ]
}

@test "a container's record, its end and its name" {
	expect 3 holm run --name one busybox sh -c 'echo precious > /file; exit 3'
	expect 0 holm run --name two busybox true
	local one two
	one=$(holm inspect -f '{{.Id}}' one) two=$(holm inspect -f '{{.Id}}' two)
	truncate -s 30 "$HOLM_ROOT/containers/$two/exit.json"
	mended "exit.json" "as one that was killed"
	expect 0 holm inspect -f '{{.State.Status}} {{.State.ExitCode}}' two
	output_is "exited 137"
	rm "$HOLM_ROOT/names/two"
	mended "does not have its name" "given back"
	ln -s "$(printf 'a%.0s' $(seq 64))" "$HOLM_ROOT/names/ghost"
	mended "the name ghost leads to no container" "removed"
	truncate -s 100 "$HOLM_ROOT/containers/$one/config.json"
	mended "container ${one:0:12}" "moved to $HOLM_ROOT/damaged/"
	[ "$(cat "$HOLM_ROOT"/damaged/*/upper/file)" = precious ]
	[ ! -e "$HOLM_ROOT/names/one" ] && [ ! -L "$HOLM_ROOT/names/one" ]
	expect 0 holm run --rm --name one busybox true
}

@test "a volume keeps its files whatever happens to its record" {
	expect 0 holm run --rm -v data:/d busybox sh -c 'echo kept > /d/x'
	truncate -s 5 "$HOLM_ROOT/volumes/data/volume.json"
	mended "volume data" "its labels are lost"
	rm "$HOLM_ROOT/volumes/data/volume.json"
	mended "volume.json is missing"
	expect 0 holm run --rm -v data:/d busybox cat /d/x
	output_is kept
	rm -r "$HOLM_ROOT/volumes/data/data"
	mended "data is missing" "made again, empty"
}

@test "missing folders and what killed commands left" {
	expect 0 holm run --rm busybox true
	rm -r "$HOLM_ROOT/partial" "$HOLM_ROOT/images/oci-layout"
	mended "partial is missing" "made again"
	mkdir -p "$HOLM_ROOT/layers/.new-1/fs" "$HOLM_ROOT/volumes/.dead-1/data" "$HOLM_ROOT/volumes/.new-young" \
		"$HOLM_ROOT/containers/$(printf 'b%.0s' $(seq 64))"
	touch -d yesterday "$HOLM_ROOT/volumes/.dead-1"
	mended "was left by a killed command" "removed"
	[ -d "$HOLM_ROOT/volumes/.new-young" ] && rmdir "$HOLM_ROOT/volumes/.new-young"
}

@test "a layer that a running container stands on is left until it has ended" {
	load_app
	expect 0 holm run -d --name box app:1 /bin/sh -c 'while :; do read -t 1 x; done'
	local file
	file=$(layer_file etc/mark)
	echo LOW >"$file"
	expect 1 holm system check --repair
	output_has "left: layer"
	output_has "the running container box stands on it"
	[ "$(cat "$file")" = LOW ]
	expect 0 holm rm -f box
	expect 0 holm system check --repair
	[ "$(cat "$(layer_file etc/mark)")" = low ]
	check_is_sound
}

@test "quick looks at records and sizes, full at every byte" {
	load_app
	flip "$(layer_file etc/noise)"
	expect 0 holm system check --quick
	expect 1 holm system check
	expect 0 holm system check --repair
	truncate -s 100 "$(blob_of '.layers[0].digest')"
	expect 1 holm system check --quick
	output_has "has 100 bytes instead of"
}

@test "two repairs at once, and starts meanwhile" {
	load_app
	expect 0 holm run --rm busybox true
	flip "$(layer_file etc/noise)"
	local pids=() pid
	for _ in 1 2 3; do
		holm system check --repair >/dev/null 2>&1 &
		pids+=($!)
	done
	for _ in 1 2 3; do expect 0 holm run --rm busybox true; done
	for pid in "${pids[@]}"; do wait "$pid"; done
	check_is_sound
	cmp low/etc/noise "$(layer_file etc/noise)"
}

@test "a network whose record is damaged: moved away, and the default one made again" {
	needs_root "a user's containers are in no network by default, and so have no names there"
	load_app
	expect 0 holm network create --subnet 10.80.0.0/24 web
	expect 0 holm run --rm busybox true
	sed -i 's,10.80.0.0/24,10.80.0.9/24,' "$HOLM_ROOT/networks/web.json"
	truncate -s 20 "$HOLM_ROOT/networks/bridge.json"
	expect 125 holm run --rm busybox true
	output_has "holm system check --repair"
	expect 1 holm system check
	output_has "network web:"
	output_has "network bridge:"
	expect 0 holm system check --repair
	output_has "the default network is made again"
	expect 0 holm run --rm busybox true
	expect 1 holm network inspect web
	check_is_sound
}

@test "random damage never makes the second check worse than the first" {
	load_app
	expect 0 holm run --name box -v data:/d busybox true
	cp -a "$HOLM_ROOT" "$BATS_TEST_TMPDIR/whole"
	local files file n
	mapfile -t files < <(cd "$HOLM_ROOT" && find . -type f -size +0 ! -name version ! -path '*/upper/*' ! -path '*/data/*' | sort)
	for n in 1 2 3 4; do
		rm -rf "$HOLM_ROOT" && cp -a "$BATS_TEST_TMPDIR/whole" "$HOLM_ROOT"
		for _ in 1 2 3; do
			file=${files[$(((n * 7919 + RANDOM) % ${#files[@]}))]}
			if ((RANDOM % 2)); then flip "$HOLM_ROOT/$file"; else truncate -s "$((RANDOM % 40))" "$HOLM_ROOT/$file"; fi
		done
		run holm system check --repair
		[[ $output == *"0 left."* || $output == *"The store is sound."* || $output == *"left: "* ]]
		[ "$status" -le 1 ]
		run holm system check
		[[ $output == *"The store is sound."* || $output == *"can be neither"* || $output == *"lacks blob"* ]] || {
			echo "$file: $output"
			return 1
		}
		expect 0 holm run --rm busybox true
		[ -d "$HOLM_ROOT/volumes/data/data" ]
	done
	rm -rf "$HOLM_ROOT" && cp -a "$BATS_TEST_TMPDIR/whole" "$HOLM_ROOT"
	expect 0 holm rm box
}
