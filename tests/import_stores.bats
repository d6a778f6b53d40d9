#!/usr/bin/env bats
# import --from: images and volumes out of the folders of docker and podman.
# shellcheck disable=SC2154

load holm
load callers/callers

setup_file() {
	needs_root "the stores are those of root's docker and podman"
	callers_setup_file podman /etc/containers/policy.json || return 0
}

teardown_file() {
	[ -z "${CALLER:-}" ] || callers_teardown_file dockerd containerd
}

# An archive two.tar with an image of two layers, odd in all that a layer can be, called two:1.
odd_archive() {
	mkdir -p low/etc low/bin high/etc
	cp /bin/busybox low/bin/busybox
	ln -s busybox low/bin/sh
	head -c 70000 /dev/urandom >low/etc/noise
	echo low >low/etc/mark
	ln low/etc/mark low/etc/hard
	echo gone >low/etc/gone
	: >low/etc/empty
	chmod 4711 low/bin/busybox
	chown 7:8 low/etc/noise
	touch -d '2020-01-02 03:04:05.678' low/etc/mark
	echo latin >"low/etc/"$'caf\xe9'
	mkfifo low/etc/fifo
	local long
	long=$(printf 'l%.0s' $(seq 120))
	mkdir -p "low/$long"
	echo deep >"low/$long/$long"
	setfattr -n user.note -v hi low/etc/noise
	echo high >high/etc/high
	touch high/etc/.wh.gone
	tar -C low --format=pax --xattrs -cf low.tar .
	tar -C high -cf high.tar .
	CONFIG='{"Env":["PATH=/bin","A=b"],"Cmd":["sh","-c","cat /etc/high; echo $A"]}' \
		oci_image two two:1 low.tar high.tar
	expect 0 holm load -i two
	expect 0 holm save -o two.tar two:1
	expect 0 holm rmi two:1
}

# What was imported is what was saved: the ids say so, and the files are there.
check_two() { # NAME
	local name=$1 id
	id=$(tar -xOf two.tar manifest.json | jq -r '.[0].Config' | cut -d. -f1)
	expect 0 holm images --no-trunc -q "$name"
	output_is "sha256:$id"
	expect 0 holm run --rm "$name"
	output_is "high
b"
	expect 0 holm run --rm "$name" sh -c 'busybox stat -c "%a %u:%g %h" /bin/busybox /etc/noise /etc/mark
		busybox test ! -e /etc/gone && busybox test -p /etc/fifo && busybox cat /etc/caf? /l*/l*'
	output_is "4711 0:0 1
644 7:8 1
644 0:0 2
latin
deep"
	expect 0 holm system check
	output_is "The store is sound."
}

podman() { # ARGUMENT...
	command podman --root "$PWD/storage" --runroot /run/podman-test --tmpdir /run/podman-tmp \
		--cgroup-manager cgroupfs "$@"
}

podman_done() {
	within 10 not pgrep -x podman
	! mountpoint -q "$PWD/storage/overlay" || umount "$PWD/storage/overlay"
}

from_podman() { # DRIVER
	odd_archive
	podman --storage-driver "$1" load -q -i two.tar
	podman --storage-driver "$1" tag two:1 example.org/team/second:v2
	podman --storage-driver "$1" volume create data >/dev/null
	mkdir -p storage/volumes/data/_data/sub
	echo kept >storage/volumes/data/_data/sub/file
	chown 5:6 storage/volumes/data/_data/sub/file
	podman_done
	local before
	before=$(find storage -printf '%p %s %T@ %C@\n' | sort | sha256sum)
	expect 0 holm import --from podman "$PWD/storage"
	output_has "Volume data"
	[ "$(find storage -printf '%p %s %T@ %C@\n' | sort | sha256sum)" = "$before" ]
	check_two localhost/two:1
	expect 0 holm image exists example.org/team/second:v2
	expect 0 holm run --rm -v data:/d localhost/two:1 sh -c 'busybox cat /d/sub/file; busybox stat -c %u:%g /d/sub/file'
	output_is "kept
5:6"
	expect 0 holm rmi -f localhost/two:1 example.org/team/second:v2
	expect 0 holm volume rm data
}

@test "podman's images and volumes, overlay" {
	from_podman overlay
}

@test "podman's images and volumes, vfs" {
	from_podman vfs
}

@test "docker's images and volumes, overlay2" {
	needs containerd dockerd docker
	caller_containerd
	echo '{}' >"$CALLER/daemon.json"
	caller_starts dockerd dockerd --config-file "$CALLER/daemon.json" --host unix:///run/docker-test.sock \
		--data-root "$CALLER/docker" --exec-root /run/docker-test --pidfile /run/docker-test.pid \
		--containerd /run/containerd-test.sock --storage-driver overlay2 \
		--exec-opt native.cgroupdriver=cgroupfs --bridge none --iptables=false --ip6tables=false
	export DOCKER_HOST=unix:///run/docker-test.sock
	within 30 docker version
	odd_archive
	docker load -q -i two.tar
	docker tag two:1 example.org/team/second:v2
	docker volume create data >/dev/null
	echo kept >"$CALLER/docker/volumes/data/_data/file"
	caller_ends dockerd
	caller_ends containerd
	expect 0 holm import --from docker --only images "$CALLER/docker"
	output_has "Loaded image: two:1"
	expect 0 holm volume ls -q
	output_is ""
	check_two two:1
	expect 0 holm image exists example.org/team/second:v2
	expect 0 holm import --from docker --only volumes "$CALLER/docker"
	expect 0 holm run --rm -v data:/d two:1 busybox cat /d/file
	output_is kept
	# what is here already is said, and left
	refused 1 "could not be taken" holm import --from docker --only volumes "$CALLER/docker"
	output_has "Volume data: a volume of this name is here already"

	# --- harm: a copy of it, changed
	local store=$PWD/docker layer split
	export HOLM_ROOT=$BATS_TEST_TMPDIR/other
	cp -a "$CALLER/docker" "$store"
	layer=$(find "$store/overlay2" -path '*/diff/etc/noise' -printf '%h' | sed 's|/etc$||')
	printf X | dd of="$layer/etc/noise" bs=1 conv=notrunc status=none
	refused 1 "could not be taken" holm import --from docker --only images "$store"
	output_has "the bytes have digest"
	echo secret >"$BATS_TEST_TMPDIR/outside"
	rm "$layer/etc/noise" && ln -s "$BATS_TEST_TMPDIR/outside" "$layer/etc/noise"
	refused 1 "could not be taken" holm import --from docker --only images "$store"
	output_has "its file"
	rm "$layer/etc/noise" && mkfifo "$layer/etc/noise"
	refused 1 "could not be taken" timeout 20 holm import --from docker --only images "$store"
	for split in "$store"/image/overlay2/layerdb/sha256/*/tar-split.json.gz; do
		echo '{"type":1,"name":"../../../../../../etc/passwd","size":5}' | gzip >"$split"
	done
	refused 1 "could not be taken" holm import --from docker --only images "$store"
	for split in "$store"/image/overlay2/layerdb/sha256/*/cache-id; do
		echo -n ../../.. >"$split"
	done
	refused 1 "could not be taken" holm import --from docker --only images "$store"
	output_has "is not the name of a folder"
	echo '[[[' >"$store/image/overlay2/repositories.json"
	refused 1 "JSON" holm import --from docker --only images "$store"
	rm -r "$store/image"
	refused 1 "no images of docker's" holm import --from docker "$store"
	refused 1 "No such file" holm import --from docker "$store/nowhere"
	[ -z "$(holm images -q)" ]
	[ -z "$(find "$HOLM_ROOT/images/blobs/sha256" "$HOLM_ROOT/layers" "$HOLM_ROOT/partial" -mindepth 1)" ]
	refused 125 "--from" holm import --from incus "$store"
	refused 1 "does not go with" holm import --from docker -m x "$store"
}
