#!/usr/bin/env bats
# build: --platform with several, an index of their images; stages that cross-compile.
load holm
load emulator

# Built here for elsewhere: no foreign program runs.
write_cross() {
	cat >Dockerfile <<-'END'
		FROM --platform=$BUILDPLATFORM busybox AS build
		ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM BUILDARCH
		RUN echo "$TARGETPLATFORM|$TARGETOS|$TARGETARCH|$TARGETVARIANT|$BUILDPLATFORM|$BUILDARCH" >/built
		FROM scratch
		ARG TARGETARCH
		LABEL arch=$TARGETARCH
		COPY --from=build /built /built
	END
}

architectures() { # of an index.json or a manifest's text
	jq -r '[.manifests[].platform | .os + "/" + .architecture + (if .variant then "/" + .variant else "" end)] | join(" ")'
}

@test "several platforms: an index under the name, an image for each, arguments exact" {
	write_cross
	expect 0 holm build --platform linux/arm64,linux/amd64,linux/arm/v7 -t app:1 --iidfile id --metadata-file meta .
	output_has "[linux/arm64 build 2/2] RUN"
	[ "$(holm manifest inspect app:1 | architectures)" = "linux/arm64 linux/amd64 linux/arm/v7" ]
	[ "$(jq -r '."containerimage.config.digest"' meta)" = "$(cat id)" ]
	# this machine's is the one that the name means; another is asked for
	expect 0 holm image inspect --format '{{.Architecture}} {{.Config.Labels.arch}}' app:1
	output_is "amd64 amd64"
	for platform in linux/arm64 linux/amd64 linux/arm/v7; do
		expect 0 holm create --name one --platform "$platform" app:1 /none
		expect 0 holm cp one:/built built
		holm rm one
		IFS=/ read -r os architecture variant <<<"$platform"
		[ "$(cat built)" = "$platform|$os|$architecture|${variant:-}|linux/amd64|amd64" ]
	done
	refused 1 "not there for linux/s390x" holm create --platform linux/s390x app:1 /none
	# the images of an index are not dangling, and one name has one meaning
	expect 0 holm image prune -f
	expect 0 holm gc
	expect 0 holm system check
	output_is "The store is sound."
	expect 0 holm create --name two --platform linux/arm64 app:1 /none
	holm rm two
	# again, everything cached; the index is another only if an image is
	before=$(cat id)
	expect 0 holm build --platform linux/arm64,linux/amd64,linux/arm/v7 -t app:1 --iidfile id .
	[ "$(grep -c CACHED <<<"$stderr")" = 6 ]
	[ "$(cat id)" = "$before" ]
	expect 0 holm build --platform linux/arm64,linux/amd64 -t app:1 - <Dockerfile
	[ "$(holm manifest inspect app:1 | architectures)" = "linux/arm64 linux/amd64" ]
	expect 0 holm build -t app:1 .
	expect 0 holm image inspect --format '{{.Architecture}}' app:1
	output_is amd64
	# scratch is for whom it is built
	expect 0 holm build --platform linux/arm64 -t arm .
	expect 0 holm image inspect --format '{{.Architecture}}' arm
	output_is arm64
}

@test "an index goes to a registry and to an archive; others read it" {
	write_cross
	registry_start
	expect 0 holm build --platform linux/amd64,linux/arm64 -t app --output "type=registry,name=$REGISTRY/app:1" \
		--output type=oci,dest=app.tar .
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/app:1" | architectures)" = "linux/amd64 linux/arm64" ]
	expect 0 holm push app "$REGISTRY/app:2"
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/app:2" | architectures)" = "linux/amd64 linux/arm64" ]
	for architecture in amd64 arm64; do
		[ "$(skopeo inspect --override-arch "$architecture" --config --tls-verify=false "docker://$REGISTRY/app:1" | jq -r .architecture)" = "$architecture" ]
		HOLM_ROOT=$PWD/other expect 0 holm pull -q --platform "linux/$architecture" "$REGISTRY/app:1"
		HOLM_ROOT=$PWD/other expect 0 holm image inspect --format '{{.Architecture}}' "$REGISTRY/app:1"
		output_is "$architecture"
	done
	[ "$(tar -xOf app.tar index.json | architectures)" = "linux/amd64 linux/arm64" ]
	HOLM_ROOT=$PWD/third expect 0 holm load -i app.tar
	# one platform to a registry as well
	expect 0 holm build --output "type=registry,name=$REGISTRY/one" .
	expect 0 skopeo inspect --tls-verify=false "docker://$REGISTRY/one"
	# docker's short forms: to all names, and both
	expect 0 holm buildx build --push --load -t "$REGISTRY/two:1" -t "$REGISTRY/two:2" .
	for tag in 1 2; do
		expect 0 skopeo inspect --tls-verify=false "docker://$REGISTRY/two:$tag"
	done
	expect 0 holm image inspect "$REGISTRY/two:2"
	expect 0 holm build --push --platform linux/amd64,linux/arm64 -t "$REGISTRY/both:1" -t "$REGISTRY/both:2" .
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/both:2" | architectures)" = "linux/amd64 linux/arm64" ]
	refused 1 "it has no name" holm build --push .
	refused 1 "it has no name" holm build --output type=registry .
	# nor needs it a name of its own here
	expect 0 holm build --platform linux/amd64,linux/arm64 --output "type=registry,name=$REGISTRY/app:3" .
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/app:3" | architectures)" = "linux/amd64 linux/arm64" ]
	refused 1 "an archive of one platform" holm build --platform linux/amd64,linux/arm64 -t x --output type=docker,dest=x.tar .
	refused 1 "linux/amd64 twice" holm build --platform linux/amd64,linux/amd64 -t x .
	refused 1 "--platform" holm build --platform linux/amd64, -t x .
	# one that fails leaves the index as it was
	before=$(holm manifest inspect app)
	sed -i 's/^ARG TARGETPLATFORM.*/&\nRUN [ $TARGETARCH = arm64 ]/' Dockerfile
	refused 1 "linux/amd64: Dockerfile:3" holm build --platform linux/arm64,linux/amd64 -t app .
	[ "$(holm manifest inspect app)" = "$before" ]
}

@test "several platforms: files in a folder for each, and images without a name" {
	write_cross
	both=linux/amd64,linux/arm/v7
	expect 0 holm build --platform "$both" --output out .
	[ "$(find out -type f | sort | xargs)" = "out/linux_amd64/built out/linux_arm_v7/built" ]
	[ "$(cut -d '|' -f 1 out/linux_arm_v7/built)" = linux/arm/v7 ]
	expect 0 holm build --platform "$both" --output type=tar,dest=out.tar .
	[ "$(tar -tf out.tar | sort | xargs)" = "linux_amd64/ linux_amd64/built linux_arm_v7/ linux_arm_v7/built" ]
	[ "$(tar -xOf out.tar linux_arm_v7/built)" = "$(cat out/linux_arm_v7/built)" ]
	# of one as well, where it is asked for
	expect 0 holm build --platform linux/arm/v7 --output type=local,dest=one,platform-split=true .
	[ -e one/linux_arm_v7/built ]
	# who asked for files has no images of it
	[ "$(holm images -q --filter dangling=true | wc -l)" = 0 ]
	# into the store: docker's name for that, and a name there
	expect 0 holm build --platform "$both" --output type=docker -t two .
	[ "$(holm manifest inspect two | architectures)" = "linux/amd64 linux/arm/v7" ]
	expect 0 holm build --platform "$both" --output type=image,name=three .
	[ "$(holm manifest inspect three | architectures)" = "linux/amd64 linux/arm/v7" ]
	# without a name there is no index: that they can be built is known, and what this machine's does
	expect 0 holm build -q --platform linux/arm/v7,linux/amd64 --label fresh=1 .
	id=$output
	expect 0 holm image inspect --format "{{.Architecture}} {{.Config.Labels.fresh}}" "$id"
	output_is "amd64 1"
}

@test "a folder of a platform is below the output, whatever an image says that it is for" {
	mkdir -p root deep/er
	echo x >root/file
	tar -C root -cf layer.tar .
	eval "$(declare -f oci_image | sed 's|"os":"linux"|"os":"../../up"|')"
	oci_image odd x:1 layer.tar
	expect 0 holm load -i odd
	printf 'FROM x:1\n' >Dockerfile
	expect 0 holm build --output type=local,dest=deep/er/out,platform-split=true .
	[ ! -e deep/up_amd64 ]
	[ -e deep/er/out/.._.._up_amd64/file ]
}

@test "several platforms are one graph: what they share is done once, the rest side by side" {
	cat >Dockerfile <<-'END'
		FROM --platform=$BUILDPLATFORM busybox AS shared
		RUN echo x >>/shared; sleep 1
		FROM --platform=$BUILDPLATFORM busybox AS each
		ARG TARGETARCH
		COPY --from=shared /shared /shared
		RUN date +%s >/begun; sleep 3; date +%s >/ended; echo $TARGETARCH >/for
		FROM scratch
		COPY --from=each /shared /begun /ended /for /
	END
	expect 0 holm build --progress plain --platform linux/amd64,linux/arm64,linux/riscv64 --output out .
	# by one of three; the others waited for it
	[ "$(grep -c 'shared 2/2. RUN' <<<"$stderr")" = 3 ]
	[ "$(grep -c 'CACHED' <<<"$stderr")" = 4 ]
	[ "$(cat out/linux_*/for | xargs)" = "amd64 arm64 riscv64" ]
	[ "$(cat out/linux_*/shared | xargs)" = "x x x" ]
	# two of them at the same time, where there are two processors
	[ "$(nproc)" -gt 1 ] || skip "one processor"
	python3 - <<-'END'
		at = [[float(open(f"out/linux_{a}/{w}").read()) for w in ("begun", "ended")] for a in ("amd64", "arm64", "riscv64")]
		assert any(a[0] < b[1] and b[0] < a[1] for a in at for b in at if a is not b), at
	END
}

@test "several platforms: a cache of all of them, in a folder and with the images" {
	write_cross
	registry_start
	both=linux/amd64,linux/arm64
	expect 0 holm build --platform "$both" -t "$REGISTRY/app" --cache-to type=local,dest=cache --cache-to type=inline .
	expect 0 holm push -q "$REGISTRY/app"
	export HOLM_ROOT=$PWD/other
	expect 0 holm build --progress plain --platform "$both" -t app --cache-from type=local,src=cache .
	[ "$(grep -c CACHED <<<"$stderr")" = 4 ]
	# those of the images, which are not the same: the last stage's alone
	export HOLM_ROOT=$PWD/third
	expect 0 holm build --progress plain --platform "$both" -t app --cache-from "$REGISTRY/app" .
	[ "$(grep -c 'importing the cache .* for linux' <<<"$stderr")" = 2 ]
	[ "$(grep -c CACHED <<<"$stderr")" = 2 ]
	# and of one that is not this machine's
	export HOLM_ROOT=$PWD/fourth
	expect 0 holm build --progress plain --platform linux/arm64 -t app --cache-from "$REGISTRY/app" .
	[ "$(grep -c CACHED <<<"$stderr")" = 1 ]
}

# Base images of a registry, under one name.
@test "several platforms: each has its own base of the same name, brought once; this machine's keeps the name" {
	registry_start
	echo one >one
	printf 'FROM scratch\nARG TARGETARCH\nCOPY one /$TARGETARCH\n' >Dockerfile
	both=linux/arm64,linux/amd64
	expect 0 holm build --platform "$both" --output "type=registry,name=$REGISTRY/base" .
	cat >Dockerfile <<-END
		FROM $REGISTRY/base AS a
		FROM $REGISTRY/base AS b
		COPY --from=$REGISTRY/base / /again/
		FROM a
		COPY --from=b / /b/
	END
	export HOLM_ROOT=$PWD/other
	expect 0 holm build --progress plain --platform "$both" --output out .
	[ "$(grep -c "/base for linux/arm64" <<<"$stderr")" = 1 ]
	for architecture in amd64 arm64; do
		[ "$(cd "out/linux_$architecture" && find . -type f | sort | xargs)" = \
			"./$architecture ./b/again/$architecture ./b/$architecture" ]
	done
	expect 0 holm image inspect --format '{{.Architecture}}' "$REGISTRY/base"
	output_is amd64
	# one of them is not there
	refused 1 "linux/s390x: Dockerfile:1" holm build --platform linux/amd64,linux/s390x --output no .
	[ ! -e no ]
}

# A program for arm64 that says so: write(1, ...), exit(0).
write_foreign_program() {
	python3 - <<-'END'
		import struct
		code = struct.pack("<8I", 0xd2800020, 0x100000e1, 0xd2800102, 0xd2800808, 0xd4000001, 0xd2800000, 0xd2800ba8, 0xd4000001)
		code += b"aarch64\n"
		start = 64 + 56
		elf = b"\x7fELF\x02\x01\x01" + bytes(9)
		elf += struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0x400000 + start, 64, 0, 0, 64, 56, 1, 64, 0, 0)
		elf += struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, start + len(code), start + len(code), 0x1000)
		open("hello", "wb").write(elf + code)
	END
	chmod 755 hello
	printf 'FROM scratch\nCOPY hello /hello\nRUN ["/hello"]\nCMD ["/hello"]\n' >Dockerfile
}

@test "RUN of a foreign platform without an emulator: the error says what is missing" {
	needs python3
	write_foreign_program
	[ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || skip "this machine has the emulator"
	refused 126 "exec format error" holm build --platform linux/arm64 -t app .
	output_has "qemu-user-static"
}

@test "RUN of a foreign platform by binfmt_misc; the index's image runs, too" {
	needs_root "it makes a user namespace whose ids are root's to give"
	needs python3 qemu-aarch64-static
	write_foreign_program
	cat >inside <<-'END'
		set -e
		holm build --progress plain --network none --platform linux/arm64,linux/amd64 -t app -f - . <<-'FILE'
			FROM scratch AS arm64
			COPY hello /hello
			RUN ["/hello"]
			CMD ["/hello"]
			FROM busybox AS amd64
			CMD ["echo", "here"]
			FROM $TARGETARCH
		FILE
		holm run --rm --network none --platform linux/arm64 app
		holm run --rm --network none app
	END
	emulated inside
	grep -q '^#.* aarch64$' log
	[ "$(tail -2 log)" = $'aarch64\nhere' ]
}
