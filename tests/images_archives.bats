#!/usr/bin/env bats
# Images from files and into files: OCI layouts, docker's archives, root filesystems; also such as
# somebody made to do harm.
load holm

setup() {
	holm_setup
	work=$BATS_TEST_TMPDIR/work
	mkdir "$work"
	cd "$work" || return 1
}

used_kib() {
	du -sk "$HOLM_ROOT" | cut -f1
}

# An empty store holds no bytes but its own folders.
store_is_empty() {
	[ -z "$(find "$HOLM_ROOT"/images/blobs "$HOLM_ROOT"/layers "$HOLM_ROOT"/partial -mindepth 1 \
		-not -name sha256)" ] || {
		echo "left in the store:"
		find "$HOLM_ROOT" -mindepth 2
		return 1
	}
	expect 0 holm images -q
	output_is ""
}

# A root filesystem with one file more than busybox has, as fs.tar.
make_fs() { # TEXT
	mkdir -p fs/bin fs/etc
	cp "$(command -v busybox)" fs/bin/busybox
	ln -sf busybox fs/bin/sh
	ln -sf busybox fs/bin/cat
	echo "$1" >fs/etc/mark
	tar -C fs --owner=0 --group=0 -cf fs.tar .
}

# --- round trips ------------------------------------------------------------------------------

@test "an image goes out in every format and comes back the same" {
	make_fs one
	oci_image image app:1 fs.tar
	expect 0 holm load -i image
	output_has "app:1"
	id=$(holm images -q --no-trunc app:1)
	for format in docker-archive oci-archive; do
		expect 0 holm save --format "$format" -o "$format.tar" app:1
		holm save --format "$format" app:1 >piped.tar
		cmp "$format.tar" piped.tar
		HOLM_ROOT=$work/$format expect 0 holm load -i "$format.tar"
		[ "$(HOLM_ROOT=$work/$format holm images -q --no-trunc app:1)" = "$id" ]
	done
	gzip -k oci-archive.tar
	HOLM_ROOT=$work/gzip holm load <oci-archive.tar.gz
	[ "$(HOLM_ROOT=$work/gzip holm images -q --no-trunc app:1)" = "$id" ]
	expect 0 holm save --format oci-dir -o folder app:1
	HOLM_ROOT=$work/folder.root expect 0 holm load -i folder
	for source in oci-archive:oci-archive.tar docker-archive:docker-archive.tar oci:folder; do
		[ "$(holm run --rm "$source" cat /etc/mark)" = one ]
	done
}

@test "skopeo reads what save writes, and load what skopeo writes" {
	needs skopeo
	make_fs two
	oci_image image app:2 fs.tar
	expect 0 holm load -i image
	expect 0 holm save -o docker.tar app:2
	expect 0 holm save --format oci-archive -o oci.tar app:2
	expect 0 holm save --format oci-dir -o oci app:2
	expect 0 skopeo inspect docker-archive:docker.tar
	output_has '"Layers"'
	expect 0 skopeo inspect oci-archive:oci.tar
	expect 0 skopeo inspect oci:oci
	expect 0 skopeo copy -q docker-archive:docker.tar docker-archive:s-docker.tar:other:2
	expect 0 skopeo copy -q oci-archive:oci.tar oci-archive:s-oci.tar:other:3
	expect 0 skopeo copy -q oci-archive:oci.tar dir:s-dir
	expect 0 skopeo copy -q --dest-compress-format zstd --format oci dir:s-dir oci:s-zstd:other:4
	expect 0 holm load -i s-docker.tar
	expect 0 holm load -i s-oci.tar
	expect 0 holm load -i s-zstd
	for tag in 2 3 4; do
		expect 0 holm run --rm "other:$tag" cat /etc/mark
		output_is two
	done
}

@test "several images go into one archive; shared layers once" {
	make_fs three
	mkdir more && echo more >more/more && tar -C more -cf more.tar .
	oci_image a app:a fs.tar
	oci_image b app:b fs.tar more.tar
	expect 0 holm load -i a
	expect 0 holm load -i b
	expect 0 holm save -o both.tar app:a app:b
	[ "$(tar tf both.tar | grep -c '\.tar$')" = 2 ]
	export HOLM_ROOT=$work/again
	expect 0 holm load -i both.tar
	expect 0 holm run --rm app:a cat /etc/mark
	expect 0 holm run --rm app:b cat /more
	expect 0 holm load -i both.tar
}

@test "while one layer is held up the others are unpacked" {
	local layer hex
	for layer in a b c; do
		mkdir -p "$layer"
		head -c 100k /dev/urandom >"$layer/$layer"
	done
	head -c 1M /dev/urandom >a/large
	for layer in a b c; do
		tar -C "$layer" -cf "$layer.tar" .
	done
	oci_image image three:1 a.tar b.tar c.tar
	expect 0 holm images
	# what another holm that unpacks the same layer would hold
	hex=$(sha256sum <a.tar | cut -c1-64)
	mkdir "$HOLM_ROOT/layers/.new-$hex"
	exec 7<"$HOLM_ROOT/layers" 8<"$HOLM_ROOT/layers/.new-$hex"
	flock -s 7
	flock 8
	holm load -q -i image >/dev/null 3>&- 7>&- 8>&- &
	local pid=$!
	within 10 [ -e "$HOLM_ROOT/layers/$(sha256sum <b.tar | cut -c1-64)" ]
	within 10 [ -e "$HOLM_ROOT/layers/$(sha256sum <c.tar | cut -c1-64)" ]
	[ ! -e "$HOLM_ROOT/layers/$hex" ]
	exec 7<&- 8<&-
	wait $pid
	[ -e "$HOLM_ROOT/layers/$hex/fs/large" ]
}

@test "one image of several is chosen by its name" {
	make_fs four
	oci_image a app:a fs.tar
	expect 0 holm load -i a
	expect 0 holm tag app:a other:b
	expect 0 holm save --format oci-archive -o both.tar app:a other:b
	export HOLM_ROOT=$work/again
	expect 0 holm run --rm oci-archive:both.tar:other:b cat /etc/mark
	expect 0 holm images --format '{{.Repository}}:{{.Tag}}'
	output_is other:b
	refused 125 "no image 'gone:1'" holm run --rm oci-archive:both.tar:gone:1 true
}

@test "an archive is the same read where it lies, from the middle of a file and from a pipe" {
	make_fs lies
	oci_image image app:1 fs.tar
	expect 0 holm load -i image
	id=$(holm images -q --no-trunc app:1)
	for format in docker-archive oci-archive; do
		expect 0 holm save --format "$format" -o "$format.tar" app:1
		{ head -c 1000 /dev/zero && cat "$format.tar"; } >behind
		HOLM_ROOT=$work/$format.behind run holm load < <(exec tail -c +1001 behind)
		{ head -c 1000 >/dev/null && HOLM_ROOT=$work/$format.middle holm load; } <behind
		HOLM_ROOT=$work/$format.lies holm load -i "$format.tar"
		for how in gzip xz bzip2; do
			HOLM_ROOT=$work/$format.$how run holm load < <($how <"$format.tar")
		done
		for root in "$format".{behind,middle,lies,gzip,xz,bzip2}; do
			[ "$(HOLM_ROOT=$work/$root holm images -q --no-trunc app:1)" = "$id" ]
			[ "$(HOLM_ROOT=$work/$root holm run --rm app:1 cat /etc/mark)" = lies ]
			[ -z "$(ls "$root/partial")" ]
			HOLM_ROOT=$work/$root expect 0 holm system check
		done
	done
}

@test "layers of a docker archive may be compressed" {
	make_fs packed
	d=$(sha256sum fs.tar | cut -c1-64)
	gzip -n fs.tar
	jq -nc --arg d "sha256:$d" '{architecture: "amd64", os: "linux", config: {},
		rootfs: {type: "layers", diff_ids: [$d]}}' >config.json
	echo '[{"Config":"config.json","RepoTags":["packed:1"],"Layers":["fs.tar.gz"]}]' >manifest.json
	tar cf packed.tar config.json manifest.json fs.tar.gz
	expect 0 holm load -i packed.tar
	expect 0 holm run --rm packed:1 cat /etc/mark
	output_is packed
	# the compressed bytes are not what the config names
	jq -c --arg d "sha256:$(sha256sum fs.tar.gz | cut -c1-64)" '.rootfs.diff_ids = [$d]' config.json \
		>other.json && mv other.json config.json
	tar cf wrong.tar config.json manifest.json fs.tar.gz
	refused 1 "the image says sha256:" holm load -i wrong.tar
}

@test "an old docker archive with links between its layers is read" {
	make_fs old
	id=$(sha256sum fs.tar | cut -c1-64)
	mkdir -p archive/one archive/two
	cp fs.tar archive/one/layer.tar
	ln -s ../one/layer.tar archive/two/layer.tar
	jq -nc --arg d "sha256:$id" '{architecture: "amd64", os: "linux", config: {},
		rootfs: {type: "layers", diff_ids: [$d, $d]}}' >archive/config.json
	echo '[{"Config":"config.json","RepoTags":["old:1"],
		"Layers":["one/layer.tar","two/layer.tar"]}]' >archive/manifest.json
	tar -C archive -cf old.tar .
	expect 0 holm load -i old.tar
	expect 0 holm run --rm old:1 cat /etc/mark
	output_is old
}

@test "a root filesystem becomes an image: tar, packed by any, stdin and folder" {
	make_fs root
	gzip -k fs.tar
	xz -k fs.tar
	bzip2 -k fs.tar
	expect 0 holm import fs.tar fs:tar
	for how in gz xz bz2; do
		expect 0 holm import "fs.tar.$how" "fs:$how"
	done
	holm import - fs:stdin <fs.tar
	expect 0 holm import -m "by hand" "dir:$work/fs" fs:dir
	for tag in tar gz xz bz2 stdin dir; do
		expect 0 holm run --rm "fs:$tag" cat /etc/mark
		output_is root
	done
	# no other reads layers in xz
	expect 0 holm save --format oci-archive -o xz.tar fs:xz
	[ "$(skopeo inspect --raw oci-archive:xz.tar | jq -r '.layers[0].mediaType')" = \
		application/vnd.oci.image.layer.v1.tar ]
	head -c 3000 fs.tar.xz >cut.tar.xz
	refused 1 "cut.tar.xz: " holm import cut.tar.xz fs:cut
	given "$work/fs"
	expect 0 holm run --rm "dir:$work/fs" cat /etc/mark
	output_is root
}

@test "import takes a Containerfile's instructions, a comment and a platform" {
	make_fs root
	expect 0 holm import -c 'CMD ["sh", "-c", "echo $A; pwd; id -u"]' --change 'ENV A="x y"' \
		-c 'WORKDIR /etc' -c 'USER 7' -c 'EXPOSE 80' -c 'LABEL by=hand' -c 'VOLUME /data' \
		-c 'STOPSIGNAL INT' -m note --platform linux/amd64 fs.tar fs:1
	expect 0 holm run --rm fs:1
	output_is "x y
/etc
7"
	expect 0 holm image inspect fs:1
	jq -e '.[0] | .Config.ExposedPorts == {"80/tcp": {}} and .Config.Labels.by == "hand" and
		.Config.StopSignal == "INT" and .Config.Volumes == {"/data": {}} and
		.Comment == "note" and .Architecture == "amd64"' <<<"$output"
	service python3 -m http.server --bind 127.0.0.1 8123
	within 10 listens 8123
	expect 0 holm import http://127.0.0.1:8123/fs.tar fs:url
	expect 0 holm run --rm fs:url cat /etc/mark
	output_is root
	expect 0 holm rmi fs:url
	refused 1 "the server answers 404" holm import http://127.0.0.1:8123/none.tar fs:2
	refused 1 "import: http://127.0.0.1:1/x: " holm import http://127.0.0.1:1/x fs:2
	refused 1 "FROM: none of CMD" holm import -c 'FROM x' fs.tar fs:2
	refused 1 "EXPOSE" holm import -c 'EXPOSE web' fs.tar fs:2
	expect 0 holm images -q fs
	[ "${#lines[@]}" = 1 ]
}

@test "a Debian root filesystem keeps owners, modes, capabilities and names" {
	made_image debian image
	expect 0 holm load -i "$image"
	name=$(holm images --format '{{.Repository}}:{{.Tag}}' | head -1)
	expect 0 holm run --rm "$name" stat -c '%a %U %G' /usr/bin/passwd /etc/shadow /tmp
	output_is "4755 root root
640 root shadow
1777 root root"
	# the image was made without manual pages; nothing else differs from what the packages say
	holm run --rm "$name" dpkg --verify >verify || true
	not grep -v '^missing .*/usr/share/' verify
}

@test "names that are no UTF-8, long ones, sparse files, fifos and attributes are kept" {
	make_fs odd
	long=$(printf '%0200d' 7)
	mkdir -p "fs/$long/$long" && echo deep >"fs/$long/$long/$long"
	echo latin >"fs/"$'caf\xe9'
	truncate -s 100M fs/sparse && mkfifo fs/fifo && setfattr -n user.note -v hi fs/etc/mark
	ln fs/etc/mark fs/etc/hard
	for format in gnu posix; do
		tar -C fs --format=$format --xattrs -Scf odd.tar .
		expect 0 holm import odd.tar "odd:$format"
		expect 0 holm run --rm "odd:$format" sh -c "cat /$long/$long/$long /caf?"
		output_is "deep
latin"
	done
	layer=$(find "$HOLM_ROOT"/layers -name sparse | head -1 | xargs dirname)
	[ "$(stat -c %s "$layer/sparse")" = 104857600 ]
	[ "$(stat -c %b "$layer/sparse")" -lt 100 ]
	[ -p "$layer/fifo" ]
	[ "$(stat -c %h "$layer/etc/mark")" = 2 ]
}

@test "whiteouts hide what lower layers have" {
	make_fs below
	mkdir -p fs/d fs/opaque && touch fs/gone fs/d/gone fs/d/kept fs/opaque/gone
	tar -C fs -cf fs.tar .
	mkdir -p up/d up/opaque
	touch up/.wh.gone up/d/.wh.gone up/opaque/.wh..wh..opq up/opaque/new
	tar -C up -cf up.tar .
	oci_image image white:1 fs.tar up.tar
	expect 0 holm load -i image
	expect 0 holm run --rm white:1 busybox ls / /d /opaque
	[[ $output != *gone* && $output == *kept* && $output == *new* ]]
}

@test "removing images gives back all they took" {
	make_fs gone
	head -c 5M /dev/urandom >fs/big
	tar -C fs -cf fs.tar .
	oci_image image gone:1 fs.tar
	expect 0 holm load -i image
	[ "$(used_kib)" -gt 10000 ]
	expect 0 holm rmi gone:1
	store_is_empty
	[ "$(used_kib)" -lt 200 ]
}

# --- harm -------------------------------------------------------------------------------------

# Makes hostile.tar from python statements that get `t`, an open tar of the layer.
hostile() { # PYTHON
	python3 - "$1" <<-'E'
		import io, sys, tarfile
		t = tarfile.open("hostile.tar", "w", format=tarfile.PAX_FORMAT)
		def add(name, kind=tarfile.REGTYPE, link="", body=b"", **more):
		    i = tarfile.TarInfo(name)
		    i.type, i.linkname, i.size = kind, link, len(body)
		    for k, v in more.items():
		        setattr(i, k, v)
		    t.addfile(i, io.BytesIO(body))
		LNK, SYM, DIR, CHR = tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE
		exec(sys.argv[1])
		t.close()
	E
}

@test "layers with names and links that lead outside harm nothing" {
	echo host >"$work/sentinel"
	chmod 600 "$work/sentinel"
	while read -r verdict python; do
		hostile "${python//HERE/$work}"
		rm -rf image && oci_image image hostile:1 hostile.tar
		run holm load -i image
		if [ "$verdict" = refused ]; then
			[ "$status" = 1 ] || [ "$status" = 125 ] || {
				echo "$python: $output"
				return 1
			}
			[ "${#lines[@]}" -le 2 ]
			store_is_empty
		else
			[ "$status" = 0 ] || {
				echo "$python: $output"
				return 1
			}
			holm rmi hostile:1
		fi
		[ "$(cat sentinel)" = host ] && [ "$(stat -c %a:%h sentinel)" = 600:1 ]
		[ ! -e "$work/evil" ] && [ ! -e /evil ]
	done <<-'E'
		refused add("../evil", body=b"x")
		refused add("a/../../evil", body=b"x")
		refused add("../../../../../../../../../evil", body=b"x")
		refused add(".wh..", body=b"")
		refused add(".wh...", body=b"")
		refused add(".wh.", body=b"")
		refused add("l", LNK, "HERE/sentinel")
		refused add("l", LNK, "../../../../../../../../HERE/sentinel")
		refused add("s", SYM, "HERE"), add("l", LNK, "s/sentinel")
		refused add("../../HERE/.wh.sentinel")
		refused add("l", LNK, "l")
		contained add("/evil", body=b"x")
		contained add("s", SYM, "HERE/sentinel"), add("s", body=b"evil")
		contained add("s", SYM, "/"), add("s/evil", body=b"x")
		contained add("s", SYM, "HERE/sentinel"), add("h", LNK, "s"), add("h", body=b"evil")
		contained add("s", SYM, "HERE"), add("s", DIR, mode=0o777), add("s/sentinel", body=b"x")
		contained add("null", CHR, mode=0o666, devmajor=1, devminor=3)
	E
}

@test "what is not what its digest says is refused" {
	make_fs wrong
	oci_image image wrong:1 fs.tar
	manifest=$(jq -r '.manifests[0].digest' image/index.json | cut -c8-)
	layer=$(jq -r '.layers[0].digest' "image/blobs/sha256/$manifest" | cut -c8-)

	cp -r image flipped
	printf X | dd of="flipped/blobs/sha256/$layer" bs=1 seek=500 conv=notrunc status=none
	refused 1 "digest" holm load -i flipped
	tar -C flipped -cf flipped.tar .
	refused 1 "digest" holm load -i flipped.tar

	cp -r image short && truncate -s -10 "short/blobs/sha256/$layer"
	refused 1 "bytes" holm load -i short

	cp -r image missing && rm "missing/blobs/sha256/$layer"
	refused 1 "has no file" holm load -i missing
	store_is_empty
}

@test "a layer that is not the one the config names is refused" {
	make_fs wrong
	jq -nc '{architecture: "amd64", os: "linux", config: {}, rootfs: {type: "layers",
		diff_ids: ["sha256:" + "a" * 64]}}' >config.json
	echo '[{"Config":"config.json","RepoTags":["w:1"],"Layers":["fs.tar"]}]' >manifest.json
	tar cf wrong.tar config.json manifest.json fs.tar
	refused 1 "instead of sha256:aaaa" holm load -i wrong.tar
	jq -c '.rootfs.diff_ids += .rootfs.diff_ids' config.json >two.json && mv two.json config.json
	tar cf wrong.tar config.json manifest.json fs.tar
	refused 1 "the manifest has 1 layers, the image config 2" holm load -i wrong.tar
	store_is_empty
}

@test "documents that are too many, too deep, too long or nonsense are refused" {
	make_fs bad
	oci_image good bad:1 fs.tar
	while read -r text python; do
		rm -rf bad && cp -r good bad
		python3 -c "$python" >bad/index.json
		refused 1 "${text//_/ }" holm load -i bad
	done <<-'E'
		not_JSON print("[" * 300000)
		longer_than print("{\"schemaVersion\":2,\"manifests\":[" + " " * (64 << 20) + "]}")
		size print('{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"sha256:%s","size":-1}]}' % ("a" * 64))
		not_a_digest print('{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"sha256:../../x","size":1}]}')
		both print('{"schemaVersion":2,"manifests":[],"layers":[]}')
		no_image print('{"schemaVersion":2,"manifests":[]}')
		NUL print('{"schemaVersion":2,"manifests":[{"mediaType":"a\\u0000b","digest":"x","size":1}]}')
		index print('{"schemaVersion":2,"manifests":5}')
	E
	d=sha256:$(printf 'a%.0s' $(seq 64))
	jq -nc --arg d "$d" '{mediaType: "m", digest: $d, size: 1} as $l |
		{schemaVersion: 2, config: $l, layers: [range(10000) | $l]}' >good/blob
	jq -nc --argjson m "$(oci_blob good application/vnd.oci.image.manifest.v1+json)" \
		'{schemaVersion: 2, manifests: [$m]}' >good/index.json
	refused 1 "10000 layers, more than 512" holm load -i good
	store_is_empty
}

@test "a bomb is refused, in little memory and with nothing left" {
	head -c 64M /dev/zero | gzip -9 >zeros.gz
	# a tar whose only file is 2 GiB of zeros
	python3 -c 'import sys, tarfile; i = tarfile.TarInfo("zeros"); i.size = 2 << 30;
sys.stdout.buffer.write(i.tobuf())' | gzip >bomb.tar.gz
	for _ in $(seq 32); do cat zeros.gz; done | tee -a bomb.tar.gz >bomb.gz
	head -c 1024 /dev/zero | gzip >>bomb.tar.gz
	[ "$(stat -c %s bomb.tar.gz)" -lt 3000000 ]
	expect 0 holm images
	before=$(used_kib)
	expect 1 bash -c 'ulimit -v 1000000; holm import bomb.tar.gz bomb:1'
	output_has "inflate to more than"
	[ "$(used_kib)" -le $((before + 64)) ]
	expect 1 holm load -i bomb.gz
	store_is_empty
	refused 1 HOLM_LAYER_MAX env HOLM_LAYER_MAX=much holm import bomb.tar.gz bomb:1
	HOLM_LAYER_RATIO=2000 HOLM_LAYER_MAX=1g refused 1 "more than 1024 MiB of files" \
		holm import bomb.tar.gz bomb:1
	store_is_empty
}

@test "links, fifos and folders in the place of an archive's files lead nowhere" {
	make_fs links
	oci_image good links:1 fs.tar
	echo host >"$work/sentinel"
	manifest=$(jq -r '.manifests[0].digest' good/index.json | cut -c8-)
	config=$(jq -r '.config.digest' "good/blobs/sha256/$manifest" | cut -c8-)
	local blob=bad/blobs/sha256/$config
	while read -r text python; do
		rm -rf bad && cp -r good bad
		cp "$blob" "$work/outside"
		rm "$blob"
		python3 -c "import os; blob = '$blob'; $python"
		refused 1 "${text//_/ }" timeout 20 holm load -i bad
		tar -C bad -cf bad.tar .
		refused 1 "" timeout 20 holm load -i bad.tar
	done <<-E
		has_no_file os.symlink("$work/outside", blob)
		has_no_file os.symlink("../" * 20 + "$work/outside", blob)
		blobs os.symlink("$config", blob)
		regular os.mkfifo(blob)
		regular os.mkdir(blob)
	E
	# the same names in docker's own format
	cp good/blobs/sha256/* .
	for name in ../sentinel "$work/sentinel" "$config/../../sentinel" ''; do
		jq -nc --arg name "$name" '[{Config: $name, RepoTags: ["x:1"], Layers: ["fs.tar"]}]' \
			>manifest.json
		tar -cf docker.tar manifest.json fs.tar "$config"
		refused 1 "" holm load -i docker.tar
	done
	ln -sf manifest.json loop && ln -sf loop loop2 && rm manifest.json && ln -s loop2 manifest.json
	tar -cf docker.tar manifest.json loop loop2 fs.tar
	refused 1 "neither index.json" timeout 20 holm load -i docker.tar
	store_is_empty
}

@test "what is no archive is refused in one line" {
	head -c 100k /dev/urandom >noise
	: >empty
	make_fs cut
	oci_image image cut:1 fs.tar
	tar -C image -cf whole.tar .
	head -c 20000 whole.tar >cut.tar
	gzip -c whole.tar | head -c 10000 >cut.tar.gz
	refused 1 "not a sound tar" holm load -i noise
	refused 1 "not a sound tar" holm load -i empty
	refused 1 "tar" holm load -i cut.tar
	refused 1 "too early" holm load -i cut.tar.gz
	refused 1 "neither index.json" holm load -i fs.tar
	refused 1 "No such file" holm load -i nothing
	refused 1 "" holm import empty x:1
	refused 1 "not a name" holm import fs.tar 'x:!'
	store_is_empty
}

# --- a full disk ------------------------------------------------------------------------------

@test "a disk that fills up while loading says so and has its space again" {
	make_fs full
	head -c 20M /dev/urandom >fs/big
	tar -C fs -cf fs.tar .
	COMPRESS=none oci_image image full:1 fs.tar
	tar -C image -cf image.tar .
	small_disk "$work/disk" 48
	export HOLM_ROOT=$work/disk/root
	expect 0 holm images
	before=$(used_kib)
	# room for the blob and not for the layer; for neither; and for less than the spool wants
	for left in 30000 12000 3000; do
		free=$(df --output=avail "$work/disk" | tail -1)
		fallocate -l "$((free - left))K" "$work/disk/filler"
		for source in image image.tar; do
			run holm load -i "$source"
			[ "$status" != 0 ]
			output_has "No space left on device"
			[ "$(used_kib)" -le $((before + 64)) ]
		done
		rm "$work/disk/filler"
	done
	refused 1 "No space left on device" holm save -o "$work/disk/out.tar" gone 2>/dev/null ||
		true
	expect 0 holm run --rm busybox echo works
	output_is works
	holm rmi busybox
	small_disk_end "$work/disk"
}

@test "a save that does not fit leaves no file" {
	make_fs save
	head -c 20M /dev/urandom >fs/big
	tar -C fs -cf fs.tar .
	oci_image image save:1 fs.tar
	expect 0 holm load -i image
	small_disk "$work/disk" 8
	refused 1 "No space left on device" holm save -o "$work/disk/out.tar" save:1
	refused 1 "No space left on device" holm save --format oci-dir -o "$work/disk/out" save:1
	[ -z "$(find "$work/disk" -mindepth 1 -not -name lost+found)" ]
	small_disk_end "$work/disk"
}

# --- killed -----------------------------------------------------------------------------------

@test "a load that is killed leaves nothing that the next one does not clear" {
	needs_root "the test starts a holm-image of its own"
	make_fs killed
	head -c 30M /dev/urandom >fs/big
	for i in $(seq 2000); do echo "$i" >"fs/etc/$i"; done
	tar -C fs -cf fs.tar .
	oci_image image killed:1 fs.tar
	tar -C image -cf image.tar .
	for delay in 0.02 0.05 0.1 0.2 0.3 0.5; do
		setsid "$HOLM_LIBEXEC/holm-image" load image.tar >/dev/null 2>&1 &
		pid=$!
		sleep "$delay"
		kill -KILL $pid 2>/dev/null || true
		wait $pid || true
		expect 0 holm images -q
	done
	expect 0 holm load -i image.tar
	expect 0 holm run --rm killed:1 cat /etc/mark
	expect 0 holm rmi killed:1
	store_is_empty
}
