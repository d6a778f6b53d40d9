#!/usr/bin/env bats
# build: an image from a Dockerfile and a folder, its steps done once.
load holm

# The step that is known by this text was cached.
cached() { # TEXT
	local number
	number=$(grep -F "$1" <<<"$stderr" | head -1 | cut -d ' ' -f 1)
	grep -qx "$number CACHED" <<<"$stderr" || {
		echo "not cached: $1"
		echo "$stderr"
		return 1
	}
}

@test "build: RUN, COPY, ENV, CMD; the second time everything is cached; run, history, check" {
	mkdir src
	echo hello >src/file
	cat >Dockerfile <<-'END'
		FROM busybox
		RUN echo one >/one
		RUN cat /one && echo two >/two && echo one >>/one && echo one >/one
		COPY src /src/
		RUN cat /src/file >/three
		ENV A=b \
		    C="d e"
		CMD ["sh", "-c", "cat /one /two /three; echo $A $C"]
	END
	expect 0 holm build -t app:1 .
	output_is ""
	output_has "naming to app:1"
	expect 0 holm run --rm app:1
	output_is $'one\ntwo\nhello\nb d e'
	id=$(holm images -q --no-trunc app:1)
	expect 0 holm build -q -t app:1 .
	output_is "$id"
	expect 0 holm buildx build -t app:2 .
	cached 'RUN echo one'
	cached 'RUN cat /one'
	cached 'COPY src'
	cached 'RUN cat /src/file'
	[ "$(holm images -q --no-trunc app:2)" = "$id" ]
	expect 0 holm history --format '{{.CreatedBy}}' app:1
	output_has "RUN /bin/sh -c echo one >/one"
	expect 0 holm system check
	output_is "The store is sound."
	# nothing of the host, of the step or of its container is in a layer
	expect 0 holm save -o app.tar app:1
	mkdir tar && tar -C tar -xf app.tar
	not grep -rqaE 'resolv.conf|etc/hosts' tar/blobs
}

@test "the same files give the same steps, whatever their time; other bytes, modes, names do not" {
	mkdir src
	echo hello >src/file
	cat >Dockerfile <<-'END'
		FROM busybox
		COPY src /src/
		RUN cat /src/file
	END
	expect 0 holm build -t app .
	touch -d @1000 src/file src
	expect 0 holm build -t app .
	cached 'COPY src'
	cached 'RUN cat'
	chmod 600 src/file
	given src/file
	expect 0 holm build .
	not cached 'COPY src'
	expect 0 holm run --rm "$(holm images -q | head -1)" stat -c '%a %u %Y' /src/file
	chmod 644 src/file
	echo other >src/file
	expect 0 holm build .
	not cached 'COPY src'
	output_has " other"
	expect 0 holm build --no-cache .
	not cached 'COPY src'
}

@test "a step that fails is told with its line, its output and code; what was done before is kept" {
	cat >Dockerfile <<-'END'
		FROM busybox
		RUN echo first

		RUN echo its words; \
		    exit 3
	END
	refused 1 "Dockerfile:4: RUN echo its words;" holm build .
	output_has "the command ended with 3"
	output_has "its words"
	expect 1 holm build .
	cached 'RUN echo first'
	refused 1 "standard input: line 2: RNU: no such instruction" holm build -f - . <<<$'FROM busybox\nRNU x'
	refused 1 '"/absent": not found' holm build -f - . <<<$'FROM busybox\nCOPY absent /'
	[ -z "$(find "$HOLM_ROOT/layers" -name '.new-*')" ]
	[ -z "$(holm ps -aq)" ]
}

@test "stages: those that are needed, in files and as a base; --target; ARG in FROM" {
	cat >Dockerfile <<-'END'
		ARG BASE=absent.example/nothing
		FROM ${BASE} AS base
		ARG WHO=nobody
		RUN echo $WHO >/who
		FROM base AS other
		RUN exit 1
		FROM base AS user
		COPY --from=base /who /copied
		USER 7:8
		WORKDIR /a/b
		RUN id -u && pwd
		FROM scratch
		COPY --from=user --chown=5:6 --chmod=u=rw,go= /who /
		COPY --from=busybox:latest /bin/ /bin/
	END
	expect 0 holm build --build-arg BASE=busybox --build-arg WHO=me -t end .
	output_has " /a/b"
	not grep -q 'RUN exit 1' <<<"$stderr"
	expect 0 holm run --rm end sh -c 'cat /who; stat -c "%u:%g %a" /who'
	output_is $'me\n5:6 600'
	expect 0 holm build --build-arg BASE=busybox --target base -t base .
	expect 0 holm run --rm base cat /who
	output_is nobody
	refused 1 "--target none: no stage" holm build --target none .
}

@test "the same inputs give the same image, in another store" {
	mkdir src
	echo hello >src/file
	cat >Dockerfile <<-'END'
		FROM busybox
		RUN mkdir -p /x/y && echo a >/x/y/z && ln -s z /x/y/l && rm /etc/group
		COPY src /src/
		WORKDIR /w
	END
	expect 0 holm build -q .
	id=$output
	touch -d @5 src src/file
	HOLM_ROOT=$PWD/other expect 0 holm build -q .
	output_is "$id"
	expect 0 holm build -q --timestamp 86400 -t timed .
	expect 0 holm image inspect --format '{{.Created}}' timed
	output_is 1970-01-02T00:00:00Z
	expect 0 holm run --rm timed stat -c %Y /x/y/z /src/file /x
	output_is $'86400\n86400\n86400'
}
