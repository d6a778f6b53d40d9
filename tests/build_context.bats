#!/usr/bin/env bats
# build: its context, when it is large, when it changes, and when it means harm.
load holm

# A context of many files, on a filesystem whose times can be relied on, at rest for long enough.
at_rest() {
	small_disk ctx 32
	mkdir ctx/files
	for n in {1..100}; do
		echo "content $n" >"ctx/files/$n"
	done
	printf 'FROM busybox\nCOPY files /files/\nRUN cat /files/7\n' >ctx/Dockerfile
	sync -f ctx
	sleep 4 # REST_S
}

# How many of its files a build opens, once to read it and once to copy it.
opened() {
	strace -f -qq -o trace -e trace=openat holm build -t app ctx || return
	awk '/"[0-9]+", O_RDONLY\|O_NONBLOCK/ { n++ } END { print n + 0 }' trace
}

@test "files that did not change are not read again; what changed is, whatever its times say" {
	needs strace
	at_rest
	expect 0 holm build -t app ctx
	output_has " content 7"
	expect 0 opened
	output_is 0
	grep -qx '#2 CACHED' <<<"$stderr"
	# size and mtime as before
	echo "content 9" >ctx/new
	touch -r ctx/files/7 ctx/new
	cat ctx/new >ctx/files/7
	touch -r ctx/new ctx/files/7
	expect 0 opened
	output_is 101
	output_has " content 9"
	# another file in its place, and one that was there before in a place of its own
	mv ctx/new ctx/files/7
	mv ctx/files/1 ctx/files/101
	expect 0 opened
	output_is 102
	# other patterns, other files
	echo 'files/[0-8]*' >ctx/.dockerignore
	sed -i '$d' ctx/Dockerfile
	expect 0 holm build -t app ctx
	expect 0 holm run --rm app ls /files
	output_is $'9\n90\n91\n92\n93\n94\n95\n96\n97\n98\n99'
	small_disk_end ctx
}

@test "what is remembered of files: not while they change, not when it is broken, not for ever" {
	needs python3
	at_rest
	# a page that stays mapped and dirty takes writes that no time tells of
	cat >write.py <<-'END'
		import mmap, os, signal, time
		signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
		file = os.open("ctx/files/7", os.O_RDWR)
		page = mmap.mmap(file, 0)
		page[0:1] = b"1"
		print("dirty", flush=True)
		signal.sigwait([signal.SIGUSR1])
		page[0:1] = b"2"
		print("again", flush=True)
		signal.pause()
	END
	service python3 write.py
	log=$BATS_TEST_TMPDIR/service.0.log
	within 10 grep -q dirty "$log"
	sleep 4
	expect 0 holm build -t app ctx
	output_has " 1ontent 7"
	kill -USR1 "${SERVICES[0]}"
	within 10 grep -q again "$log"
	expect 0 holm build -t app ctx
	output_has " 2ontent 7"
	services_stop
	# one that changes at once
	for n in {1..5}; do
		echo "content $n" >ctx/files/7
		expect 0 holm build -t app ctx
		output_has " content $n"
	done
	file=$(echo "$HOLM_ROOT"/contexts/*)
	sleep 4
	expect 0 holm build -t app ctx
	for broken in "head -c 100" "tail -c +2" "tr e f" "head -c 0"; do
		cp "$file" whole
		$broken <whole >"$file"
		expect 0 holm build -t app ctx
		grep -qx '#2 CACHED' <<<"$stderr"
		cmp whole "$file"
	done
	# the oldest of them go once they are many
	truncate -s 300M "$HOLM_ROOT/contexts/large"
	touch -d @1000 "$HOLM_ROOT/contexts/large"
	expect 0 holm gc
	[ "$(echo "$HOLM_ROOT"/contexts/*)" = "$file" ]
	expect 0 holm builder prune -f
	[ -z "$(ls "$HOLM_ROOT/contexts")" ]
	small_disk_end ctx
}

@test "files of layers are read once: a build that is all in the cache looks at none of them" {
	mkdir ctx
	cat >ctx/Dockerfile <<-'END'
		FROM busybox AS made
		RUN mkdir /tree && for n in $(seq 100); do echo $n >/tree/$n; done
		FROM busybox
		COPY --from=made --exclude=7 /tree /tree
		RUN --mount=type=bind,from=made,source=/tree,target=/in cat /in/5 >/five
		COPY --from=busybox /bin /again
	END
	expect 0 holm build -t app ctx
	expect 0 holm build -t app ctx # layers have names now
	[ "$(grep -c CACHED <<<"$stderr")" = 4 ]
	sums=("$HOLM_ROOT"/contexts/*)
	[ "${#sums[@]}" = 3 ]
	# who looked would see another file
	expect 0 holm run --rm app cat /five /tree/5
	output_is $'5\n5'
	layer=$(dirname "$(ls -d "$HOLM_ROOT"/layers/*/fs/tree/7)")
	echo other >"$layer/5"
	expect 0 holm build -t app ctx
	[ "$(grep -c CACHED <<<"$stderr")" = 4 ]
	# one that is broken is not there, and what else is taken is another tree
	echo 5 >"$layer/5"
	for sum in "${sums[@]}"; do
		tr '\0-\377' '\1-\377\0' <"$sum" >broken
		cat broken >"$sum"
	done
	expect 0 holm build -t app ctx
	[ "$(grep -c CACHED <<<"$stderr")" = 4 ]
	not cmp broken "${sums[2]}"
	sed -i 's/exclude=7/exclude=8/' ctx/Dockerfile
	expect 0 holm build -t app ctx
	[ "$(grep -c CACHED <<<"$stderr")" = 1 ]
	expect 0 holm run --rm app ls /tree/7
	# from a stage with another layer
	sed -i 's/echo $n >/echo $n$n >/' ctx/Dockerfile
	expect 0 holm build -t app ctx
	expect 0 holm run --rm app cat /tree/5 /five
	output_is $'55\n55'
}

@test "no link leads out of a stage, of a cache, or of what a context becomes while it is read" {
	needs python3
	mkdir -p outside ctx/dir
	echo host-secret >outside/file
	echo host-secret >outside/plain
	echo mine >ctx/file
	echo mine >ctx/dir/file
	cat >evil <<-END
		FROM busybox AS evil
		RUN mkdir -p $PWD && ln -s $PWD/outside /dir && ln -s $PWD/outside/file /file
	END
	for flags in "RUN --mount=from=evil,source=/file,target=/x cat /x" \
		"RUN --mount=from=evil,source=/dir,target=/x cat /x/file" \
		"RUN --mount=type=cache,from=evil,source=/dir,target=/x cat /x/file" \
		"COPY --from=evil /file /x" "COPY --from=evil /dir/file /x"; do
		expect 1 holm build -f - . < <(cat evil && echo "FROM busybox" && echo "$flags")
		not output_has host-secret
	done
	# a pattern that matches nothing copies nothing
	expect 0 holm build -t empty -f - . < <(cat evil && echo "FROM busybox" && echo "COPY --from=evil /dir/* /x/")
	expect 0 holm run --rm empty sh -c 'ls -A /x 2>/dev/null | wc -l'
	output_is 0
	expect 0 holm build -f - . <<-END
		FROM busybox
		RUN --mount=type=cache,target=/c ln -sfn $PWD/outside/file /c/link && ln -sfn $PWD/outside /c/dir
		RUN --mount=type=cache,target=/c ! cat /c/link && ! cat /c/dir/file
	END
	# files and folders that are links at every other moment
	cat >flip.py <<-'END'
		import os
		print("flips", flush=True)
		while True:
		    for name in "file", "dir":
		        os.rename(f"ctx/{name}", "aside")
		        os.symlink(f"{os.getcwd()}/outside" + ("/file" if name == "file" else ""), f"ctx/{name}")
		        os.unlink(f"ctx/{name}")
		        os.rename("aside", f"ctx/{name}")
	END
	service python3 flip.py
	within 10 grep -q flips "$BATS_TEST_TMPDIR/service.0.log"
	printf 'FROM busybox\nCOPY . /all/\nCOPY dir /dir/\nCOPY fil[e] /\nRUN cat /all/*/* /all/file /dir/file /file || true\n' >Dockerfile
	for n in {1..15}; do
		run --separate-stderr holm build --no-cache -f Dockerfile ctx
		not output_has host-secret
	done
	services_stop
	[ -z "$(find "$HOLM_ROOT/layers" -name '.new-*')" ]
	not grep -rqa host-secret "$HOLM_ROOT"
}

@test "a Dockerfile of 64 MiB, an ignore file that is a link or a fifo, triggers that trigger" {
	truncate -s 64M Dockerfile
	refused 1 "Dockerfile" holm build .
	rm Dockerfile
	{ head -c 64M /dev/zero | tr '\0' '#'; echo; echo FROM busybox; } >long
	refused 1 "standard input" holm build - <long
	rm long
	echo nothing >../outside
	ln -s ../outside .dockerignore
	# the link leads to the context's own file of that name, which leaves itself out
	echo outside >outside
	refused 1 '"/outside": not found' holm build -f - . <<<$'FROM busybox\nCOPY outside /'
	rm .dockerignore
	mkfifo .dockerignore
	refused 1 "not a file" holm build -f - . <<<$'FROM busybox\nCOPY outside /'
	rm .dockerignore
	tar -cf layer.tar outside
	for trigger in "ONBUILD RUN true" "FROM busybox" "MAINTAINER x\\nRUN true" "RNU true" ""; do
		CONFIG="{\"OnBuild\":[\"$trigger\"]}" oci_image "layout" latest layer.tar
		skopeo --insecure-policy copy -q oci:layout:latest docker-archive:base.tar:base:latest
		holm load -i base.tar
		expect 1 holm build -f - . <<<"FROM base"
		[[ $(grep -c '^holm: ' <<<"$stderr") = 1 ]]
		holm rmi -f base
		rm -r layout base.tar
	done
}
