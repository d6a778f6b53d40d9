#!/usr/bin/env bats
# build: caches that travel, --cache-to and --cache-from, by a registry and a folder.
load holm

# Each run of a step gives other bytes: who has the same took them from the cache.
write_dockerfile() {
	mkdir -p src
	echo hello >src/file
	cat >Dockerfile <<-'END'
		FROM busybox AS builder
		RUN cat /proc/sys/kernel/random/uuid >/tool
		FROM busybox
		RUN cat /proc/sys/kernel/random/uuid >/id
		COPY src /src
		COPY --from=builder /tool /tool
		RUN cat /id /tool /proc/sys/kernel/random/uuid >/all
	END
}

ids() { # ROOT
	HOLM_ROOT=$PWD/$1 holm run --rm app cat /id /tool /all
}

cached_steps() {
	grep -c ' CACHED$' <<<"$stderr"
}

nothing_cached() {
	not grep -q ' CACHED$' <<<"$stderr"
}

@test "--cache-to and --cache-from a registry: another store does no step again" {
	write_dockerfile
	registry_start
	HOLM_ROOT=$PWD/one expect 0 holm build -t app --cache-to "type=registry,ref=$REGISTRY/cache" .
	# no list has it, and it is no layer more than the steps have
	[ "$(HOLM_ROOT=$PWD/one holm images -aq | wc -l)" = 2 ]
	HOLM_ROOT=$PWD/two expect 0 holm build -t app --cache-from "type=registry,ref=$REGISTRY/cache" .
	[ "$(cached_steps)" = 5 ]
	[ "$(ids one)" = "$(ids two)" ]
	[ "$(HOLM_ROOT=$PWD/one holm images -q app)" = "$(HOLM_ROOT=$PWD/two holm images -q app)" ]
	# docker's short form; and again, from what is here, with the registry away
	HOLM_ROOT=$PWD/three expect 0 holm build -t app --cache-from "$REGISTRY/cache" .
	[ "$(ids one)" = "$(ids three)" ]
	HOLM_ROOT=$PWD/three expect 0 holm run --rm app@builder cat /tool
	# what stands on it may be another: only that is done
	echo other >src/file
	HOLM_ROOT=$PWD/three expect 0 holm build -t app --cache-from "$REGISTRY/cache" .
	[ "$(cached_steps)" = 2 ]
	[ "$(ids one | head -2)" = "$(ids three | head -2)" ]
	HOLM_ROOT=$PWD/three expect 0 holm system check
	output_is "The store is sound."
	# and goes out with the rest, from a store that imported the rest
	HOLM_ROOT=$PWD/three expect 0 holm build -t app --cache-from "$REGISTRY/cache" --cache-to "type=registry,ref=$REGISTRY/cache" .
	HOLM_ROOT=$PWD/four expect 0 holm build -t app --cache-from "$REGISTRY/cache" .
	[ "$(cached_steps)" = 5 ]
	[ "$(ids three)" = "$(ids four)" ]
	services_stop
	HOLM_ROOT=$PWD/five expect 0 holm build -t app --cache-from "$REGISTRY/cache" .
	output_has "it cannot be had"
	nothing_cached
}

@test "a folder: written anew as a whole, never over what is no cache; mode=min" {
	write_dockerfile
	HOLM_ROOT=$PWD/one expect 0 holm build -t app --cache-to type=local,dest=cache .
	[ -f cache/oci-layout ]
	HOLM_ROOT=$PWD/two expect 0 holm build -t app --cache-from type=local,src=cache .
	[ "$(cached_steps)" = 5 ]
	[ "$(ids one)" = "$(ids two)" ]
	before=$(find cache -type f | wc -l)
	echo other >src/file
	HOLM_ROOT=$PWD/one expect 0 holm build -t app --cache-to type=local,dest=cache/ .
	[ "$(find cache -type f | wc -l)" = "$before" ]
	[ "$(find . -maxdepth 1 -name 'cache*')" = ./cache ]
	HOLM_ROOT=$PWD/three expect 0 holm build -t app --cache-from type=local,src=cache .
	[ "$(cached_steps)" = 5 ]
	mkdir mine && touch mine/file
	HOLM_ROOT=$PWD/one refused 1 "mine is there, and no cache" holm build -t kept --cache-to type=local,dest=mine .
	output_has "the image is made, but its cache is not"
	[ -f mine/file ]
	HOLM_ROOT=$PWD/one expect 0 holm image inspect kept
	# only the image's own layers: the other stage is done again
	HOLM_ROOT=$PWD/one expect 0 holm build -t app --cache-to type=local,dest=min,mode=min .
	HOLM_ROOT=$PWD/four expect 0 holm build -t app --cache-from type=local,src=min .
	[ "$(cached_steps)" = 2 ]
	refused 1 "type is none of registry, local, inline" holm build --cache-to type=gha .
	refused 1 "it has no ref" holm build --cache-to type=registry .
	refused 1 "it has no src" holm build --cache-from type=local .
	refused 1 "'compression=zstd' is not known" holm build --cache-to type=local,dest=x,compression=zstd .
	refused 1 "neither min nor max" holm build --cache-to type=local,dest=x,mode=all .
	refused 1 "name the image" holm build --cache-from type=inline .
	[ ! -e x ]
}

@test "inline: the image itself is the cache, under the same id" {
	write_dockerfile
	sed -i 's/^COPY --from.*/RUN true/; s/ .tool / /' Dockerfile
	registry_start
	HOLM_ROOT=$PWD/one expect 0 holm build -q .
	plain=$output
	HOLM_ROOT=$PWD/one expect 0 holm build -q -t "$REGISTRY/app" --cache-to type=inline .
	output_is "$plain"
	HOLM_ROOT=$PWD/one expect 0 holm push "$REGISTRY/app"
	HOLM_ROOT=$PWD/two expect 0 holm build -q -t app --cache-from "$REGISTRY/app" .
	output_is "$plain"
	HOLM_ROOT=$PWD/three expect 0 holm build -t app --cache-from "$REGISTRY/app" .
	[ "$(cached_steps)" = 4 ]
	# one that is none says so
	HOLM_ROOT=$PWD/two expect 0 holm tag app "$REGISTRY/plain"
	HOLM_ROOT=$PWD/two expect 0 holm push "$REGISTRY/plain"
	HOLM_ROOT=$PWD/three expect 0 holm build --cache-from "$REGISTRY/plain" .
	output_has "it says of no layer which step made it"
}

# Changes the cache's manifest, and all that names it, by a program for jq.
change_manifest() { # FOLDER PROGRAM
	local digest
	digest=$(jq -r '.manifests[0].digest' "$1/index.json")
	jq -c "$2" "$1/blobs/sha256/${digest#sha256:}" >manifest
	digest=$(sha256sum manifest | cut -c 1-64)
	cp manifest "$1/blobs/sha256/$digest"
	jq -c ".manifests[0].digest = \"sha256:$digest\" | .manifests[0].size = $(stat -c %s manifest)" "$1/index.json" >index
	mv index "$1/index.json"
}

@test "a cache that lies is believed by who names it, and by nobody after that" {
	# the liar's layer, under the key of the honest step
	cat >Dockerfile <<<$'FROM busybox\nRUN echo honest >/word\nRUN cat /word >/copy'
	cat >Liar <<<$'FROM busybox\nRUN echo a lie >/word'
	HOLM_ROOT=$PWD/one expect 0 holm build --cache-to type=local,dest=cache .
	HOLM_ROOT=$PWD/one expect 0 holm build -f Liar --cache-to type=local,dest=liar .
	key=$(jq -r '.layers[0].annotations[]' "cache/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' cache/index.json)")
	change_manifest liar ".layers[0].annotations[\"org.holm.build.key\"] = \"$key\""
	HOLM_ROOT=$PWD/two expect 0 holm build -t app --cache-from type=local,src=liar .
	[ "$(cached_steps)" = 1 ]
	HOLM_ROOT=$PWD/two expect 0 holm run --rm app cat /copy
	output_is "a lie"
	# neither the lie nor what was made on top of it
	HOLM_ROOT=$PWD/two expect 0 holm build -t app .
	nothing_cached
	HOLM_ROOT=$PWD/two expect 0 holm run --rm app cat /copy
	output_is honest
	# and the truth is not asked for again
	HOLM_ROOT=$PWD/two expect 0 holm build -t app --cache-from type=local,src=liar .
	[ "$(cached_steps)" = 2 ]
	HOLM_ROOT=$PWD/two expect 0 holm run --rm app cat /copy
	output_is honest
	HOLM_ROOT=$PWD/two expect 0 holm system check
	output_is "The store is sound."
}

@test "bytes that are not what they are called: the step is done instead" {
	write_dockerfile
	HOLM_ROOT=$PWD/one expect 0 holm build -t app --cache-to type=local,dest=good .
	number=0
	for change in '.layers[].digest = "sha256:" + ("0" * 64)' '.layers[].digest = "../../../etc/passwd"' \
		'.layers = .layers[1:]' '.layers[].mediaType = "text/plain"' '.layers[].size = 3' \
		'.layers[].annotations = {"org.holm.build.key": "x"}' '.config.size = 99999999' '.layers = (.layers[0] as $l | [range(600) | $l])' \
		'.config.digest = .layers[0].digest | .config.size = .layers[0].size' '{}' '[]' '"x"'; do
		rm -rf bad
		cp -r good bad
		change_manifest bad "$change"
		HOLM_ROOT=$PWD/two expect 0 holm build --progress plain -t "app:$((number += 1))" --build-arg "N=$number" --cache-from type=local,src=bad .
		HOLM_ROOT=$PWD/two expect 0 holm builder prune -af
	done
	# a layer with other bytes, under its own name
	rm -rf bad
	cp -r good bad
	for blob in bad/blobs/sha256/*; do
		[ "$(stat -c %s "$blob")" -lt 10000 ] || continue
		! tar tf "$blob" >/dev/null 2>&1 || printf x | dd of="$blob" conv=notrunc bs=1 seek=600 2>/dev/null
	done
	HOLM_ROOT=$PWD/three expect 0 holm build -t app --cache-from type=local,src=bad .
	output_has "no layer from"
	nothing_cached
	# a layer whose diff id is another's
	for store in two three; do
		HOLM_ROOT=$PWD/$store expect 0 holm system check
		output_is "The store is sound."
	done
	for garbage in '' '{' '{"schemaVersion":2,"manifests":[]}'; do
		rm -rf bad && mkdir bad
		echo "$garbage" >bad/index.json
		HOLM_ROOT=$PWD/three expect 0 holm build -q --cache-from type=local,src=bad .
	done
	mkfifo fifo
	rm -rf bad && mkdir bad && mv fifo bad/index.json
	HOLM_ROOT=$PWD/three expect 0 holm build -q --cache-from type=local,src=bad .
	HOLM_ROOT=$PWD/three expect 0 holm build -q --cache-from type=local,src=/nowhere .
}

# A registry behind a relay on port 5001 that dies after so many bytes came through.
dying_registry() { # BYTES
	cat >relay.py <<-'END'
		import os, socket, sys, threading
		left = int(sys.argv[1])
		server = socket.create_server(("127.0.0.1", 5001))
		def pump(a, b, counts):
		    global left
		    while data := a.recv(4096):
		        if counts:
		            left -= len(data)
		            if left < 0:
		                os._exit(1)
		        b.sendall(data)
		    b.shutdown(socket.SHUT_WR)
		while True:
		    client, _ = server.accept()
		    upstream = socket.create_connection(("127.0.0.1", 5000))
		    threading.Thread(target=pump, args=(client, upstream, True), daemon=True).start()
		    threading.Thread(target=pump, args=(upstream, client, False), daemon=True).start()
	END
	service python3 relay.py "$1"
	within 10 listens 5001
}

@test "a registry that dies during the push of the cache: the image is there, and the error is clear" {
	needs python3
	write_dockerfile
	sed -i 's|uuid >/tool|uuid >/tool; dd if=/dev/urandom of=/big bs=1M count=4|' Dockerfile
	registry_start
	dying_registry 1000000
	refused 1 "the image is made, but its cache is not: 127.0.0.1:5001/cache" holm build -t app --cache-to type=registry,ref=127.0.0.1:5001/cache .
	expect 0 holm run --rm app cat /all
	expect 0 holm build -t app --cache-to type=registry,ref=127.0.0.1:5001/cache,ignore-error=true .
	output_has "no cache to 127.0.0.1:5001/cache"
	[ "$(cached_steps)" = 5 ]
	# nothing half leads anywhere there, and the next try does it
	HOLM_ROOT=$PWD/two expect 0 holm build -q --cache-from "$REGISTRY/cache" .
	expect 0 holm build -t app --cache-to "type=registry,ref=$REGISTRY/cache" .
	HOLM_ROOT=$PWD/three expect 0 holm build -t app --cache-from "$REGISTRY/cache" .
	[ "$(cached_steps)" = 5 ]
	# one that dies while a layer comes
	dying_registry 3000
	HOLM_ROOT=$PWD/four expect 0 holm build -t app --cache-from 127.0.0.1:5001/cache .
	HOLM_ROOT=$PWD/four expect 0 holm system check
	output_is "The store is sound."
	expect 0 holm gc
	[ -z "$(find "$HOLM_ROOT/partial" four/partial -mindepth 1 -name '.*')" ]
}

@test "ctrl-C while a registry says nothing: the build ends, and keeps what it did" {
	silent_service 5099
	cat >Dockerfile <<<$'FROM busybox\nRUN echo first >/first'
	for option in "--cache-from 127.0.0.1:5099/none" "--cache-to type=registry,ref=127.0.0.1:5099/none"; do
		within 10 grep -q asked "$asked"
		: >"$asked"
		# shellcheck disable=SC2086
		holm build -t app $option . 2>log 3>&- &
		build=$!
		within 20 grep -q asked "$asked"
		kill -INT "$build"
		status=0
		wait "$build" || status=$?
		[ "$status" = 1 ]
		grep -q interrupted log
	done
	expect 0 holm run --rm app cat /first
	[ -z "$(find "$HOLM_ROOT/layers" -name '.new-*')" ]
}
