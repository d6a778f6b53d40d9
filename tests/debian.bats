#!/usr/bin/env bats
# A real Debian, from a real registry, as a container.
load holm

setup() {
	holm_setup
	made_image debian image
	registry_start
	registry_push "oci:$image:bookworm" debian:bookworm
}

@test "Debian is pulled from a registry and runs its own programs" {
	expect 0 holm pull "$REGISTRY/debian:bookworm"
	expect 0 holm images
	output_has "$REGISTRY/debian"
	output_has bookworm

	expect 0 holm run --rm "$REGISTRY/debian:bookworm" apt-get --version
	output_has "apt 2."
	expect 0 holm run --rm "$REGISTRY/debian:bookworm" cat /etc/os-release
	output_has 'VERSION_CODENAME=bookworm'
}

@test "run pulls what is not there" {
	expect 0 holm run --rm "$REGISTRY/debian:bookworm" dpkg-query -W dpkg
	output_has dpkg
}

@test "every file arrives as the archive has it" {
	needs_root "it looks for root's numbers outside"
	expect 0 holm pull "$REGISTRY/debian:bookworm"
	local layer
	layer=$(echo "$HOLM_ROOT"/layers/*/fs)
	[ -d "$layer/usr/bin" ]
	[ "$(stat -c '%a %u:%g' "$layer/usr/bin/su")" = "4755 0:0" ]
	[ "$(stat -c '%a %u:%g' "$layer/var/mail")" = "2775 0:8" ]
	[ "$(stat -c '%a' "$layer/tmp")" = 1777 ]
	[ "$(readlink "$layer/bin")" = usr/bin ]
	# perl is one file under two names
	[ "$(stat -c %h "$layer/usr/bin/perl")" = 2 ]
	local blob
	blob=$(find "$HOLM_ROOT/images/blobs/sha256" -type f -size +1M)
	tar --compare --numeric-owner -C "$layer" -zf "$blob"
}

@test "an ordinary user of the image can run a shell in it" {
	expect 0 holm run --rm -u nobody "$REGISTRY/debian:bookworm" id
	output_is "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)"
}

@test "the image is removed with its blobs and layers" {
	expect 0 holm pull "$REGISTRY/debian:bookworm"
	expect 0 holm rmi "$REGISTRY/debian:bookworm"
	expect 0 holm images -q
	output_is ""
	[ -z "$(find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1 -type d)" ]
	[ -z "$(find "$HOLM_ROOT/images/blobs" -type f)" ]
}
