#!/usr/bin/env bats
# build: what the instructions of a Dockerfile do.
load holm

no_containers() {
	[ -z "$(holm ps -aq)" ]
}

@test "RUN --mount: cache, tmpfs, bind from the context and a stage, none of them in the layer" {
	mkdir src
	echo hello >src/file
	echo no >src/secret
	echo secret >.dockerignore
	echo src/secret >>.dockerignore
	cat >Dockerfile <<-'END'
		FROM busybox AS first
		RUN mkdir /made && echo stage >/made/x
		FROM busybox
		RUN --mount=type=cache,target=/cache,mode=0700 ls /cache; echo $((1 + 1)) >/cache/two
		RUN --mount=type=cache,target=/cache cp /cache/two /two
		RUN --mount=type=tmpfs,target=/t,size=65536 df /t | grep -q 64 && touch /t/x
		RUN --mount=type=bind,source=src,target=/mnt/in cat /mnt/in/file && ! ls /mnt/in/secret && ! touch /mnt/in/x
		RUN --mount=from=first,source=/made,target=/made,rw cat /made/x >/x && touch /made/y
	END
	expect 0 holm build -t app .
	expect 0 holm run --rm app sh -c 'cat /two /x; ls -d /cache /t /mnt /made 2>/dev/null || true'
	output_is $'2\nstage'
	echo changed >src/file
	expect 0 holm build .
	output_has " changed"
	# the cache outlives the images
	expect 0 holm build --no-cache .
	output_has " two"
	refused 1 "has no target" holm build - <<<$'FROM busybox\nRUN --mount=type=cache true'
}

@test "RUN --mount=type=secret and ssh: there for one step, and nowhere else" {
	needs python3
	echo my-secret-1 >token
	cat >Dockerfile <<-'END'
		FROM busybox
		RUN --mount=type=secret,id=token cat /run/secrets/token; stat -c '%a %u' /run/secrets/token
		RUN --mount=type=secret,id=token,target=/etc/token,uid=7,mode=0440 stat -c '%a %u' /etc/token
		RUN --mount=type=secret,id=other,env=OTHER sh -c 'echo ${OTHER#my}'
		RUN --mount=type=secret,id=absent ls /run/secrets 2>&1 | grep -c absent || true
		RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo agent
	END
	service python3 -c 'import socket, signal; s = socket.socket(socket.AF_UNIX); s.bind("agent"); s.listen(); signal.pause()'
	within 5 test -S agent
	OTHER=my-secret-2 expect 0 holm build --secret id=token,src=token --secret id=other,env=OTHER --ssh default="$PWD/agent" -t app .
	output_has "400 0"
	output_has "440 7"
	output_has " -secret-2"
	output_has " agent"
	expect 0 holm save -o app.tar app
	not grep -aq my-secret app.tar
	not grep -raq my-secret "$HOLM_ROOT" "$HOLM_RUN"
	[ -z "$(find "$HOLM_RUN" -maxdepth 1 -name 'build-*')" ]
	refused 1 "absent is required" holm build - <<<$'FROM busybox\nRUN --mount=type=secret,id=absent,required true'
}

@test "--ssh with key files: an agent for this build, whose socket is the step's; nothing is left of a killed one" {
	needs ssh-agent
	ssh-keygen -q -t ed25519 -N '' -f one
	ssh-keygen -q -t ed25519 -N '' -f two
	given one two
	cat >Dockerfile <<-'END'
		FROM busybox
		RUN --mount=type=ssh,uid=1000,gid=7,mode=0660 stat -c '%u %g %a %F' "$SSH_AUTH_SOCK"
		RUN --mount=type=ssh,id=both,target=/agent test -S /agent
		RUN --mount=type=secret,id=token echo ready; sleep ${TIME:-0}
	END
	echo my-secret >token
	expect 0 holm build --ssh default=one --ssh both=one,two --secret id=token,src=token .
	output_has " 1000 7 660 socket"
	within 10 not pgrep ssh-agent
	chmod 644 two
	refused 1 "ssh-add ended with 1" holm build --ssh default=two .
	refused 1 "absent: No such file" holm build --ssh default=absent .
	refused 1 "neither a key file nor a socket" holm build --ssh default=/ .
	sed -i 's/sleep .*/sleep 1000/' Dockerfile
	holm build --ssh default=one --secret id=token,src=token . 2>log 3>&- &
	build=$!
	within 10 grep -q ' ready' log
	grep -rq my-secret "$HOLM_RUN"/build-*/0
	# an agent answers its own user alone
	SSH_AUTH_SOCK=$(echo "$HOLM_RUN"/build-*/agent.0) expect 0 \
		${HOLM_TEST_USER:+setpriv --reuid 1000 --regid 1000 --clear-groups} ssh-add -l
	output_has "ED25519"
	kill -9 "$build"
	wait "$build" || true
	within 10 not pgrep ssh-agent
	within 10 no_containers
	expect 0 holm build -f - . <<<"FROM busybox"
	[ -z "$(find "$HOLM_RUN" -maxdepth 1 -name 'build-*')" ]
}

@test "here-documents: scripts, files, with and without variables" {
	cat >Dockerfile <<-'END'
		FROM busybox
		ENV WHO=me
		RUN <<EOF
		echo script >/a
		echo $WHO >>/a
		EOF
		RUN cat <<A >/b && cat <<-"B" >/c
		first $WHO
		A
			second $WHO
		B
		RUN <<  SCRIPT
		echo blank >/d
		SCRIPT
		COPY <<one <<'two' /files/
		is $WHO
		one
		is $WHO
		two
		COPY --chmod=755 <<-EOF /script
			#!/bin/sh
			echo "${WHO:-nobody} ran"
		EOF
	END
	expect 0 holm build -t app .
	expect 0 holm run --rm app sh -c 'cat /a /b /c /d /files/one /files/two; /script'
	output_is $'script\nme\nfirst me\nsecond $WHO\nblank\nis me\nis $WHO\nme ran'
}

@test "ONBUILD is done by who builds on it, once, and not handed on" {
	echo hello >file
	expect 0 holm build -t base - <<-'END'
		FROM busybox
		ONBUILD COPY file /file
		ONBUILD RUN cat /file >/seen
	END
	cat >Dockerfile <<<$'FROM base\nRUN cat /seen'
	expect 0 holm build -t child .
	output_has " hello"
	expect 0 holm image inspect --format '{{json .Config.OnBuild}}' child
	output_is null
	refused 1 "ONBUILD is not allowed" holm build - <<<$'FROM busybox\nONBUILD ONBUILD RUN x'
}

@test "ADD: archives are unpacked, addresses and repositories fetched, sums checked" {
	needs python3 git
	mkdir tree www
	echo in >tree/file
	tar -czf tree.tar.gz tree
	tar -cf plain.tar tree
	for suffix in xz bz2 zst; do
		mkdir "tree-$suffix"
		echo "in $suffix" >"tree-$suffix/file"
		tar -caf "tree.tar.$suffix" "tree-$suffix"
	done
	# in a name alone, and in what is no tar
	echo plain >fake.tar.gz
	seq 1 2000 | gzip >numbers.gz
	head -c 100 tree.tar.xz >cut.xz
	echo fetched >www/page
	git -c init.defaultBranch=main init -q repo
	echo committed >repo/code
	git -C repo add code
	git -C repo -c user.name=x -c user.email=x@y commit -qm one
	git clone -q --bare repo www/repo.git
	git -C www/repo.git update-server-info
	service python3 -m http.server --directory www --bind 127.0.0.1 8123
	within 10 listens 8123
	cat >Dockerfile <<-END
		FROM busybox
		ADD tree.tar.gz plain.tar /un/packed/
		ADD tree.tar.xz tree.tar.bz2 tree.tar.zst fake.tar.gz numbers.gz cut.xz /un/packed/
		COPY tree.tar.gz /copied
		ADD --checksum=sha256:$(sha256sum <www/page | cut -d ' ' -f 1) http://127.0.0.1:8123/page /page
		ADD http://127.0.0.1:8123/repo.git#main /repo
		RUN cat /un/packed/tree*/file /un/packed/fake.tar.gz /page /repo/code && ls /copied /un/packed
	END
	expect 0 holm build .
	output_has " in"
	output_has " in xz"
	output_has " in bz2"
	output_has " in zst"
	output_has " plain"
	output_has " numbers.gz"
	output_has " cut.xz"
	output_has " fetched"
	output_has " committed"
	# a Dockerfile cannot name what lies on this machine
	expect 1 holm build - <<<$'FROM busybox\nADD file://'"$PWD"$'/www/repo.git /repo'
}

@test "contexts: a tar on standard input, a repository, a Dockerfile alone" {
	needs git
	mkdir ctx
	echo hello >ctx/file
	printf 'FROM busybox\nCOPY file /\nRUN cat /file\n' >ctx/Dockerfile
	expect 0 holm build - < <(tar -C ctx -cz .)
	output_has " hello"
	cp ctx/Dockerfile ctx/Other
	rm ctx/Dockerfile
	expect 0 holm build --no-cache -f Other - < <(tar -C ctx -cJ .)
	output_has " hello"
	mv ctx/Other ctx/Dockerfile
	git -c init.defaultBranch=main init -q repo.git
	mkdir repo.git/sub
	cp ctx/* repo.git/sub
	git -C repo.git add .
	git -C repo.git -c user.name=x -c user.email=x@y commit -qm one
	given repo.git
	expect 0 holm build --no-cache "file://$PWD/repo.git#main:sub"
	output_has " hello"
	expect 0 holm build - <<<$'FROM busybox\nRUN echo alone'
	refused 1 "no context" holm build - <<<$'FROM busybox\nCOPY x /'
}

@test "COPY --link, --parents, --exclude, --chmod; ignore files; names with blanks and patterns" {
	mkdir -p a/b/c d
	echo 1 >a/b/c/one
	echo 2 >a/b/two.txt
	echo 3 >"d/with blank"
	echo 4 >d/x.log
	printf '# comment\n*.tmp\nd/*\n!d/with*\n**/c\n' >.dockerignore
	touch x.tmp
	cat >Dockerfile <<-'END'
		FROM busybox
		COPY --parents a/b/two.txt ./a/./b /p/
		COPY --link ["d/with blank", "/l/"]
		COPY --exclude=**/*.txt --chmod=u=rwX,go= a /e
		COPY d /d/
		COPY a/b/t?o.[st]xt /glob/
		RUN find /p /l /e /d /glob -type f | sort; stat -c %a /e/b
	END
	expect 0 holm build .
	[ "$(sed -n 's/^#7 [0-9.]* \//\//p' <<<"$stderr" | tr '\n' ' ')" = "/d/with blank /glob/two.txt /l/with blank /p/a/b/two.txt /p/b/two.txt " ]
	output_has " 700"
	# a linked layer does not hang on what is below it
	sed -i 's|^COPY --parents.*|RUN mkdir /other /p|' Dockerfile
	expect 0 holm build .
	number=$(grep -F 'COPY --link' <<<"$stderr" | cut -d ' ' -f 1)
	grep -qx "$number CACHED" <<<"$stderr"
	grep -q "^#5 .*COPY d" <<<"$stderr"
	not grep -qx "#5 CACHED" <<<"$stderr"
	refused 1 '"/x.tmp": not found' holm build -f - . <<<$'FROM busybox\nCOPY x.tmp /'
	refused 1 'several things' holm build -f - . <<<$'FROM busybox\nCOPY a d /to'
	refused 1 'no such flag --frm' holm build -f - . <<<$'FROM busybox\nCOPY --frm=x a /to'
}

@test "COPY of files that may be missing: a pattern that matches nothing is no error, a name is" {
	echo '{}' >package.json
	cat >Dockerfile <<-'END'
		FROM busybox
		COPY package.json yarn.lock* package-lock.json* ./app/
		COPY none* /none/
		RUN ls /app; [ ! -e /none ]
	END
	expect 0 holm build .
	output_has " package.json"
	output_has "#2 nothing matches yarn.lock*"
	output_has "#3 nothing matches none*"
	touch yarn.lock
	expect 0 holm build .
	output_has " yarn.lock"
	[ "$(grep -c CACHED <<<"$stderr")" = 0 ]
	sed -i 's/yarn.lock\*/yarn.lok/' Dockerfile
	refused 1 '"/yarn.lok": not found' holm build .
	# nor is it one that an ignore file takes away
	echo 'package*' >.dockerignore
	printf 'FROM scratch\nCOPY p*.json /\n' >Dockerfile
	expect 0 holm build -o out .
	[ -z "$(ls out)" ]
}

@test "variables: ARG, ENV, defaults, patterns; SHELL, a script with its own program" {
	cat >Dockerfile <<-'END'
		ARG VERSION=1.2.3-rc1
		FROM busybox
		ARG VERSION
		ARG EMPTY=
		ENV A=${VERSION%-*} B=${VERSION##*.} C=${EMPTY:-none} D=${EMPTY-none} E=${VERSION//./_} F=${NO:+x}${A:+y} \
		    G='$A' H="$A \"q\"" I=\$A
		RUN echo "$A|$B|$C|$D|$E|$F|$G|$H|$I|$VERSION"
		SHELL ["/bin/sh", "-ec"]
		RUN <<EOF
		#!/bin/sh
		echo "$0 is one"
		EOF
		ENV A=x B=$A
		LABEL v=$VERSION b="$B"
		EXPOSE 80${NO:-81}/tcp
		STOPSIGNAL SIG${NO:-USR1}
		HEALTHCHECK --interval=5s CMD true
		VOLUME ["/v", "/w"]
	END
	expect 0 holm build -t app .
	output_has ' 1.2.3|3-rc1|none||1_2_3-rc1||$A| "q"|$A|1.2.3-rc1'
	output_has " /dev/pipes/EOF is one"
	expect 0 holm image inspect app
	jq -e '.[0].Config | .Labels.v == "1.2.3-rc1" and .Labels.b == "1.2.3" and (.Env | index("B=1.2.3")) and
		.ExposedPorts == {"8081/tcp": {}} and .StopSignal == "SIGUSR1" and .Volumes == {"/v": {}, "/w": {}} and
		.Shell == ["/bin/sh", "-ec"] and .Healthcheck.Test == ["CMD-SHELL", "true"]' <<<"$output"
	# the escape of the file is that of its FROM, too
	printf '# escape=`\nARG box=box\nFROM b`usy$box\n' >escaped
	expect 0 holm build -f escaped .
}

@test "--from: a variable, a number, a stage that comes later; ENTRYPOINT forgets the base's CMD" {
	cat >Dockerfile <<-'END'
		FROM busybox AS one
		RUN echo 1 >/file
		FROM busybox AS two
		RUN echo 2 >/file
		FROM scratch
		ARG WHICH=one
		COPY --from=$WHICH /file /copied
		RUN --mount=type=bind,from=${WHICH},target=/m --mount=type=bind,from=busybox,source=/bin,target=/bin \
			["/bin/busybox", "cp", "/m/file", "/bound"]
	END
	for n in one=1 two=2; do
		expect 0 holm build --build-arg "WHICH=${n%=*}" -o "out-${n#*=}" .
		[ "$(cat "out-${n#*=}/copied" "out-${n#*=}/bound" | xargs)" = "${n#*=} ${n#*=}" ]
	done
	printf 'FROM busybox AS a\nCOPY --from=5 / /x\n' >Dockerfile
	refused 1 "stage 5: 0 stages are before this one" holm build .
	printf 'FROM busybox AS a\nCOPY --from=A / /x\n' >Dockerfile
	refused 1 "the stage a is not before this one" holm build .
	printf 'FROM busybox\nCOPY --from=later / /x\nFROM busybox AS later\n' >Dockerfile
	refused 1 "the stage later is not before this one" holm build --target 0 .
	output_has "docker.io/library/later"

	# a trigger is known when its base is there: too late for a stage that nothing else names
	printf 'FROM busybox\nONBUILD COPY --from=made /file /file\n' >Dockerfile
	expect 0 holm build -t trigger .
	printf 'FROM busybox AS made\nRUN echo made >/file\nFROM trigger\n' >Dockerfile
	refused 1 "the stage made is not built" holm build .
	printf 'COPY --from=made /file /other\n' >>Dockerfile
	expect 0 holm build -t app .
	expect 0 holm run --rm app cat /file
	output_is made

	printf 'FROM busybox\nCMD ["base"]\n' >Dockerfile
	expect 0 holm build -t base .
	command_of() {
		printf 'FROM base\n%b\n' "$1" >Dockerfile
		expect 0 holm build -t app .
		expect 0 holm image inspect --format '{{json .Config.Entrypoint}} {{json .Config.Cmd}}' app
	}
	command_of 'ENTRYPOINT ["x"]'
	output_is '["x"] null'
	command_of 'CMD ["own"]\nENTRYPOINT ["x"]'
	output_is '["x"] ["own"]'
	command_of 'ENTRYPOINT ["x"]\nCMD ["own"]'
	output_is '["x"] ["own"]'
	command_of 'LABEL a=b'
	output_is 'null ["base"]'
	# a stage is a base like any other
	command_of 'CMD ["own"]\nFROM 0\nFROM base AS b\nCMD ["of b"]\nFROM b\nENTRYPOINT ["x"]' || true
	printf 'FROM base AS b\nCMD ["of b"]\nFROM b\nENTRYPOINT ["x"]\n' >Dockerfile
	expect 0 holm build -t app .
	expect 0 holm image inspect --format '{{json .Config.Cmd}}' app
	output_is null
}

@test "stages side by side; ctrl-C leaves what was done and nothing else" {
	cat >Dockerfile <<-'END'
		FROM busybox AS one
		RUN mkfifo /x; echo one >/one
		FROM busybox AS two
		RUN echo two >/two
		FROM busybox
		COPY --from=one /one /
		COPY --from=two /two /
		RUN cat /one /two
	END
	expect 0 holm build -t app .
	output_has " two"
	cat >Dockerfile <<<$'FROM busybox\nRUN echo first >/first\nRUN echo ready; sleep 1000'
	holm build . 2>log 3>&- &
	build=$!
	within 10 grep -q ' ready' log
	kill -INT "$build"
	wait "$build" || status=$?
	[ "$status" = 1 ]
	grep -q interrupted log
	[ -z "$(find "$HOLM_ROOT/layers" -name '.new-*')" ]
	[ -z "$(holm ps -aq)" ]
	sed -i 's/sleep 1000/true/' Dockerfile
	expect 0 holm build .
	grep -qx '#2 CACHED' <<<"$stderr"
}
