#!/usr/bin/env bats
# The disk is full at the first, second, third... of each kind of call that may need room, in turn:
# strace answers ENOSPC in the kernel's place.
load holm

setup() {
	holm_setup
	needs strace
	mkdir -p fs/folder
	echo text >fs/folder/file
	head -c 200000 /dev/urandom >fs/noise
	ln -s file fs/folder/symlink
	ln fs/noise fs/folder/hardlink
	mkfifo fs/fifo
	tar -C fs -cf fs.tar .
	oci_image "$PWD/image" 1 fs.tar
	expect 0 holm images
}

# What is behind it: an error in one line that says why, nothing to be seen, and the space is back.
# Or all of it is there: what failed was the last word to the disk about it.
failed_cleanly() { # CALL N
	[[ $status == 1 && $stderr == *"No space left on device"* ]] || {
		echo "$1, the ${2}th: status $status: $stderr"
		return 1
	}
	if [[ $1 == fsync && $stderr == *"sync images:"* ]]; then
		holm rmi "$image"
		return
	fi
	left=$(find "$HOLM_ROOT/images/blobs" "$HOLM_ROOT/layers" "$HOLM_ROOT/partial" \
		-mindepth 1 -not -name sha256 -size +64k)
	[ -z "$left" ] || {
		echo "$1, the ${2}th: left behind: $left"
		return 1
	}
	expect 0 holm images -q
	output_is ""
}

# Runs the command with the N-th CALL of each of its threads failing, N from 1 on, until none fails
# any more: then it must have succeeded. At least one has to fail.
full_at_each() { # CALL COMMAND...
	local call=$1 n
	shift
	for n in $(seq 60); do
		run --separate-stderr strace -f -qq -o trace -e trace="$call" \
			-e inject="$call:error=ENOSPC:when=$n" "$@"
		grep -q INJECTED trace || break
		# what asks only for an opinion, or tidies up, may fail without harm
		if [ "$status" = 0 ]; then
			holm image inspect "$image" >/dev/null
			holm rmi "$image" >/dev/null
			continue
		fi
		failed_cleanly "$call" "$n"
	done
	[ "$n" -gt 1 ]
	[ "$status" = 0 ] || {
		echo "$call: without a failure, status $status: $stderr"
		return 1
	}
	holm rmi "$image" >/dev/null
}

@test "a full disk at any step of a load" {
	local call
	image=localhost/full:1
	jq -c '.manifests[0].annotations["org.opencontainers.image.ref.name"] = "localhost/full:1"' \
		image/index.json >index.json && mv index.json image/index.json
	tar -C image -cf image.tar .
	for call in pwrite64 mkdirat linkat symlinkat mknodat fsync syncfs renameat renameat2; do
		full_at_each "$call" holm load -q -i image.tar
	done
}

@test "a full disk at any step of a pull" {
	local call
	registry_start
	image=$REGISTRY/full:1
	registry_push oci:image:1 full:1
	for call in pwrite64 mkdirat fsync syncfs renameat2; do
		full_at_each "$call" holm pull -q "$image"
	done
}
