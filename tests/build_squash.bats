#!/usr/bin/env bats
# build: --squash and its kin, with docker's history.
load holm

layers() { # IMAGE
	holm image inspect --format '{{len .RootFS.Layers}}' "$1"
}

setup_file() {
	mkdir -p "$BATS_FILE_TMPDIR/src/d"
	echo one >"$BATS_FILE_TMPDIR/src/d/file"
}

write_dockerfile() {
	cp -r "$BATS_FILE_TMPDIR/src" .
	cat >Dockerfile <<-'END'
		FROM busybox AS base
		RUN echo secret >/secret && mkdir -p /d/deep && echo low >/d/deep/low
		FROM base
		RUN rm /secret && echo two >/two && ln /two /three
		COPY src/d /d
		ENV A=b
		RUN rm -r /d/deep && mkdir /d/deep && echo high >/d/deep/high && rm -r /var
		CMD ["cat", "/two"]
	END
}

# Of the image that was unpacked in tar/.
names_in_layers() {
	find tar -type f -exec tar -tf {} \; 2>/dev/null
}

all_files() { # IMAGE
	holm run --rm "$1" sh -c 'cd / && find . -mindepth 1 -xdev ! -path "./proc*" ! -path "./sys*" ! -path "./dev*" ! -path "./etc*" ! -path "./run*" \
		-exec stat -c "%n %a %u %g %F %Y" {} + | sort; cat /d/file /d/deep/high /two; ls /d/deep; [ /two -ef /three ] && echo linked'
}

@test "--squash: one layer above the base, the same files, docker's history; steps stay" {
	write_dockerfile
	expect 0 holm build -t whole .
	expect 0 holm build --squash -t flat .
	base=$(layers busybox)
	[ "$(layers flat)" = $((base + 1)) ]
	all_files flat >flat.files
	all_files whole >whole.files
	diff flat.files whole.files
	expect 0 holm run --rm flat
	output_is two
	# what a step made and another removed is nowhere
	expect 0 holm save -o flat.tar flat
	mkdir tar && tar -C tar -xf flat.tar
	grep -qx d/file <(names_in_layers)
	not grep -qx secret <(names_in_layers)
	id=$(holm images -q --no-trunc whole)
	parent=$(holm images -q --no-trunc busybox)
	expect 0 holm history --format '{{.Size}}|{{.Comment}}|{{.CreatedBy}}' flat
	[ "$(head -1 <<<"$output" | cut -d '|' -f 2-)" = "merge $id to $parent|" ]
	[ "$(sed -n '2,7p' <<<"$output" | cut -d '|' -f 1 | sort -u)" = 0B ]
	# cached, and the same on another store
	flat=$(holm images -q --no-trunc flat)
	expect 0 holm build --squash -t flat .
	[ "$(grep -c CACHED <<<"$stderr")" = 4 ]
	[ "$(holm images -q --no-trunc flat)" = "$flat" ]
	HOLM_ROOT=$PWD/other expect 0 holm build -q --squash .
	output_is "$flat"
	# no step is lost
	below=$(holm history -q busybox | wc -l)
	expect 0 holm run --rm "flat@$((below + 1))" cat /secret
	output_is secret
	expect 0 holm system check
	output_is "The store is sound."
	HOLM_ROOT=$PWD/third expect 0 holm load -i flat.tar
	# one after the other: both stores have one run folder here
	all_files whole >whole.files
	HOLM_ROOT=$PWD/third all_files flat >flat.files
	diff flat.files whole.files
}

@test "--squash-from: a line, a stage, nothing; --squash-all; what is not there" {
	write_dockerfile
	expect 0 holm build -t whole .
	base=$(layers busybox)
	below=$(holm history -q busybox | wc -l)
	expect 0 holm build --squash-from base -t flat .
	[ "$(layers flat)" = $((base + 2)) ]
	all_files flat >flat.files
	all_files whole >whole.files
	diff flat.files whole.files
	expect 0 holm build --squash-from $((below + 3)) -t flat .
	[ "$(layers flat)" = $((base + 4)) ]
	all_files flat >flat.files
	all_files whole >whole.files
	diff flat.files whole.files
	expect 0 holm build --squash-from 0 -t flat .
	[ "$(layers flat)" = 1 ]
	all_files flat >flat.files
	all_files whole >whole.files
	diff flat.files whole.files
	flat=$(holm images -q flat)
	expect 0 holm build --squash-all -t flat .
	[ "$(holm images -q flat)" = "$flat" ]
	expect 0 holm history --format '{{.Comment}}' flat
	output_has "create new from $(holm images -q --no-trunc whole)"
	# there is nothing below: no whiteout is in it
	expect 0 holm save -o flat.tar flat
	mkdir tar && tar -C tar -xf flat.tar
	grep -qx d/file <(names_in_layers)
	not grep -q '\.wh\.' <(names_in_layers)
	refused 1 "--squash-from 99: no such step" holm build --squash-from 99 .
	refused 1 "--squash-from nobody: no such step" holm build --squash-from nobody .
	# the base's own files kept their times
	expect 0 holm system check
	output_is "The store is sound."
	expect 0 holm build --squash -f - . <<<$'FROM busybox\nENV A=b'
	expect 0 holm build --squash -t flat -f - . <<<$'FROM scratch\nCOPY src /'
	[ "$(layers flat)" = 1 ]
}
