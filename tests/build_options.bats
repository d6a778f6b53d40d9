#!/usr/bin/env bats
# build: its options, what it shows, its cache, and contexts that mean harm.
load holm

no_containers() {
	[ -z "$(holm ps -aq)" ]
}

unfinished() {
	find "$HOLM_ROOT/layers" -name '.new-*'
}

@test "--output: a folder, archives; no image is left where none was asked for" {
	cat >Dockerfile <<-'END'
		FROM busybox AS builder
		RUN mkdir /out && echo made >/out/file
		FROM scratch
		COPY --from=builder /out/ /
	END
	expect 0 holm build -o out .
	[ "$(cat out/file)" = made ]
	[ "$(holm images -aq)" = "$(holm images -q busybox)" ]
	expect 0 holm build --output type=tar,dest=out.tar .
	[ "$(tar xOf out.tar file ./file 2>/dev/null)" = made ]
	holm build -o - . | tar t | grep -q file
	expect 0 holm build --output type=oci,dest=oci.tar -t app .
	tar tf oci.tar | grep -q index.json
	expect 0 holm build --output type=docker,dest=docker.tar .
	HOLM_ROOT=$PWD/other expect 0 holm load -i docker.tar
	expect 0 holm build --output type=image,name=named:1 .
	[ "$(holm images -q named:1)" = "$(holm images -q app)" ]
	refused 1 "none of local" holm build --output type=zip,dest=x .
	refused 1 "no dest" holm build --output type=local .
}

@test "--label, --iidfile, --metadata-file, --build-context, --progress, --add-host, --network" {
	mkdir more
	echo more >more/file
	cat >Dockerfile <<-'END'
		FROM base
		COPY --from=named /file /
		RUN cat /file; grep example /etc/hosts
		RUN --network=none ls /sys/class/net
	END
	expect 0 holm build --build-context named=more --build-context base=docker-image://busybox \
		--label a=b --iidfile id --metadata-file meta --add-host example:10.1.2.3 -t app .
	output_has " more"
	output_has "10.1.2.3"
	output_has " lo"
	[ "$(cat id)" = "$(holm images -q --no-trunc app)" ]
	[ "$(jq -r '."containerimage.config.digest"' meta)" = "$(cat id)" ]
	[ "$(holm image inspect --format '{{.Config.Labels.a}}' app)" = b ]
	expect 0 holm build --no-cache --progress json --build-context named=more \
		--build-context base=docker-image://busybox --add-host example:10.1.2.3 .
	jq -es 'map(select(.state == "OUTPUT" and .text == "more")) | length == 1' <<<"$stderr"
	expect 0 holm build -q --build-context named=more --build-context base=docker-image://busybox --add-host example:10.1.2.3 .
	[ -z "$stderr" ]
	refused 125 "is not one of" holm build --progress loud .
	refused 1 "is no terminal" holm build --debug-shell .
	echo $'FROM busybox\nRNU touch /x' >typo
	refused 1 "RNU: no such instruction" holm build -f typo .
	output_has "did you mean RUN?"
	# before the first step, not after the last
	echo $'FROM busybox\nRUN false' >last
	refused 1 '--tag: image name "A b"' holm build -q -f last -t 'A b' .
	refused 1 'empty name' holm build -q -f last -t '' .
	refused 1 "--secret : it has no id" holm build -q -f last --secret '' .
	refused 1 "it has no id" holm build -q -f last --secret src=x .
	refused 1 "--secret id=x: open /nosuch" holm build -q -f last --secret id=x,src=/nosuch .
	refused 1 "--build-arg ''" holm build -q -f last --build-arg '' .
	refused 1 "--build-arg '=x'" holm build -q -f last --build-arg =x .
	echo $'FROM busybox\nEXPOSE 70000' >exposed
	refused 1 "exposed:2: EXPOSE: " holm build -q -f exposed .
	[[ $stderr != *"EXPOSE: EXPOSE"* ]]
}

@test "what is wrong is told before the first step, also where all of them are cached" {
	printf 'FROM busybox\nRUN true\n' >Dockerfile
	expect 0 holm build .
	refused 1 "--ulimit" holm build --ulimit nofile .
	refused 1 "--memory: '64q' is not a size" holm build -m 64q .
	refused 1 "--shm-size" holm build --shm-size 0 .
	refused 1 "--cpuset-cpus" holm build --cpuset-cpus x .
	refused 1 "--security-opt" holm build --security-opt nonsense .
	refused 1 "--add-host" holm build --add-host nonsense .
	refused 1 "--annotation 'a': KEY=VALUE is wanted" holm build --annotation a .
	expect 0 holm build --ulimit nofile=77 -m 64m --shm-size 1m --cpuset-cpus 0 --security-opt no-new-privileges \
		--add-host a:1.2.3.4 .
	[ "$(grep -c CACHED <<<"$stderr")" = 1 ]
	# a sum is of what is fetched: nowhere it is read and forgotten
	zeros=sha256:$(printf '0%.0s' {1..64})
	printf 'FROM busybox\nADD --checksum=%s Dockerfile /\n' "$zeros" >Dockerfile
	refused 1 "--checksum: Dockerfile is no address" holm build .
	printf 'FROM busybox\nADD --checksum=%s https://localhost/x.git /\n' "$zeros" >Dockerfile
	refused 1 "is a repository" holm build .
	printf 'FROM busybox\nADD --checksum=sha256:00 http://127.0.0.1:1/x /\n' >Dockerfile
	refused 1 "--checksum" holm build .
	not output_has "connect"
}

@test "what is shown: no control character of a Dockerfile, lines that are whole, JSON that is JSON" {
	printf 'FROM busybox\nRUN : \033]0;title\007 %09000d\nRUN printf %%8000s | tr " " \\"\n' 0 >Dockerfile
	sed -i '2s/\x1b.*title\x07/"&"/' Dockerfile
	expect 0 holm build --no-cache --progress plain .
	[[ $stderr = *"]0;title"* && $stderr != *[$'\033\007']* ]]
	grep -q '^#2 DONE' <<<"$stderr"
	expect 0 holm build --no-cache --progress json .
	jq -es 'map(select(.state == "OUTPUT") | .text | length) == [8000]' <<<"$stderr"
}

@test "in place on a terminal; --debug-shell: a shell in the state before the step" {
	cat >Dockerfile <<<$'FROM busybox\nRUN echo kept >/kept\nRUN touch /gone; exit 4'
	expect 1 script -qec "holm build --debug-shell . " /dev/null <<<$'cat /kept; ls /gone; echo shell-$((40 + 2)); exit'
	[[ $output == *"kept"*"No such file"*"shell-42"*"ended with 4"* ]]
	[[ $output == *" => [2/3] RUN echo kept"* ]]
	[ -z "$(holm ps -aq)" ]
}

@test "--debug-shell and IMAGE@STEP lead to the same state" {
	cat >state <<-'END'
		#!/bin/sh
		echo "STATE: $(pwd) $(id -u):$(id -g) $(umask)"
		env | grep -Ev '^(HOSTNAME|TERM|SHLVL|PWD|OLDPWD|_)=' | sort | sed 's/^/STATE: /'
		find / -xdev ! -path '/etc/*' ! -type d -exec stat -c 'STATE: %n %F %u %g %a %s %Y' {} + | sort
		find / -xdev ! -path '/etc/*' -type d -exec stat -c 'STATE: %n %u %g %a' {} + | sort
	END
	chmod +x state
	cat >Dockerfile <<-'END'
		FROM busybox AS other
		RUN mkdir -p /out/deep && echo x >/out/deep/file && ln -s file /out/deep/link
		FROM busybox
		COPY state /state
		ENV A=1 B="two words"
		COPY --from=other --chown=3:4 /out /out
		RUN rm "$(which wget)" && chmod 600 /out/deep/file && mkfifo /out/fifo
		WORKDIR /out/deep
		USER 5:6
		RUN [ -e /nothing ]
	END
	said() {
		tr -d '\r' | grep '^STATE: '
	}
	expect 1 script -qec "holm build --network none --debug-shell ." /dev/null <<<$'/state; exit'
	said <<<"$output" >shell
	grep -q '^STATE: /out/deep 5:6 ' shell
	grep -q '^STATE: /out/deep/file regular file 3 4 600 2 ' shell
	grep -qx 'STATE: B=two words' shell
	# the image up to there, and one that goes on, from that line
	sed -i '$d' Dockerfile
	echo 'RUN ["true"]' >>Dockerfile
	expect 0 holm build -t app .
	last=$(holm history --format '{{.Step}}' app | head -1)
	expect 0 holm run --rm --network none "app@$((last - 1))" /state
	said <<<"$output" >step
	diff shell step
}

@test "stages side by side on a terminal: a line for each while they run, and what is done stays" {
	needs python3
	cat >Dockerfile <<-'END'
		FROM busybox AS one
		RUN for i in 1 2 3 4 5 6; do echo one-$i; sleep 0.3; done
		FROM busybox AS two
		RUN for i in 1 2 3 4 5 6; do echo two-$i; sleep 0.3; done
		FROM busybox
		COPY --from=one /etc/passwd /one
		COPY --from=two /etc/passwd /two
	END
	# what stands on the screen after each of its drawings
	cat >screen.py <<-'END'
		import re, sys
		lines, together = [], False
		for part in re.split(r"(\x1b\[\d+A\r\x1b\[J)|\r\n", sys.stdin.buffer.read().decode()):
		    if part is None or not part.strip():
		        continue
		    up = re.fullmatch(r"\x1b\[(\d+)A\r\x1b\[J", part)
		    if up:
		        del lines[len(lines) - int(up.group(1)):]
		    else:
		        lines.append(part.rstrip())
		    screen = "\n".join(lines)
		    together |= "    one-" in screen and "    two-" in screen
		print("\n".join(lines))
		print("together" if together else "apart")
	END
	expect 0 script -qec "stty cols 100 rows 30; holm build --no-cache ." /dev/null
	screen=$(python3 screen.py <<<"$output")
	echo "$screen"
	[ "$(tail -n 1 <<<"$screen")" = "$([ "$(nproc)" = 1 ] && echo apart || echo together)" ]
	for step in "[one 2/2] RUN" "[two 2/2] RUN" "[stage-2 2/3] COPY" "[stage-2 3/3] COPY"; do
		[ "$(grep -cF " => $step" <<<"$screen")" = 1 ]
		grep -F " => $step" <<<"$screen" | grep -qE ' [0-9]+\.[0-9]s$'
	done
	not grep -q "one-\|two-.$" <<<"$(grep '^    ' <<<"$screen")"
}

@test "the cache: kept by the collector, forgotten by prune; two builds at once" {
	cat >Dockerfile <<<$'FROM busybox\nRUN --mount=type=cache,target=/c echo x >/c/x; echo step >/step'
	expect 0 holm build -t app .
	expect 0 holm rmi app
	expect 0 holm gc
	expect 0 holm build -t app .
	grep -qx '#2 CACHED' <<<"$stderr"
	expect 0 holm rmi app
	expect 0 holm builder prune -af
	output_has "Total:"
	[ -z "$(find "$HOLM_ROOT/build" "$HOLM_ROOT/caches" -mindepth 1)" ]
	[ "$(find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]
	for i in 1 2 3; do
		holm build -t "app:$i" . 2>"log$i" 3>&- &
		builds[i]=$!
	done
	for i in 1 2 3; do
		wait "${builds[i]}" || { cat "log$i"; return 1; }
	done
	[ "$(holm images -q app | sort -u | wc -l)" = 1 ]
	expect 0 holm system check
	output_is "The store is sound."
}

@test "no link leads out of the context, of a stage, of the image" {
	mkdir -p ctx/d outside
	echo host-secret >outside/file
	ln -s "$PWD/outside/file" ctx/abs
	ln -s "../../../../../../../../../../..$PWD/outside/file" ctx/rel
	ln -s "$PWD/outside" ctx/dir
	ln -s /etc/passwd ctx/d/passwd
	ln -s "$PWD/outside/file" ctx/.dockerignore
	for source in abs rel dir/file dir; do
		expect 1 holm build --no-cache -f - ctx <<<$'FROM busybox\nCOPY '"$source"' /x'
		not output_has host-secret
		expect 1 holm build --no-cache -f - ctx <<<$'FROM busybox\nRUN --mount=source='"$source"',target=/x cat /x /x/*'
		not output_has host-secret
	done
	# a link stays a link; the one in the image is followed in the image
	expect 0 holm build --no-cache -f - ctx <<-END
		FROM busybox
		RUN ln -s $PWD/outside /to && mkdir -p $PWD/outside
		COPY d /d/
		COPY d/ /to/
		RUN readlink /d/passwd && ls -l $PWD/outside/passwd
	END
	output_has " /etc/passwd"
	[ ! -L outside/passwd ]
	mkfifo ctx/fifo
	refused 1 "neither a file nor a folder" holm build -f - ctx <<<$'FROM busybox\nCOPY fifo /'
	mv ctx/fifo ctx/Dockerfile
	refused 1 "not a file" holm build ctx
	# an archive's entries stay below
	mkdir tar
	echo x >tar/x
	tar -C tar -cPf ctx/bad.tar --transform "s|.*|../../../../../..$PWD/outside/evil|" x
	holm build -f - ctx <<<$'FROM busybox\nADD bad.tar /a/' || true
	[ ! -e outside/evil ]
}

@test "hostile files: NUL bytes, sizes, bombs" {
	printf 'FROM busybox\nRUN a\0b' >Dockerfile
	refused 1 "NUL byte" holm build .
	head -c 5M /dev/zero | tr '\0' '\n' >Dockerfile
	refused 1 "Dockerfile" holm build .
	{
		echo FROM busybox
		echo ARG A0=aaaaaaaaaaaaaaaa
		for i in $(seq 1 30); do
			echo "ARG A$i=\$A$((i - 1))\$A$((i - 1))"
		done
	} >Dockerfile
	refused 1 "a word of more than" holm build .
	cat >Dockerfile <<<$'FROM busybox\nFROM busybox AS a\nFROM a AS a'
	refused 1 "two stages are called a" holm build .
	cat >Dockerfile <<<$'RUN x\nFROM busybox'
	refused 1 "RUN before the first FROM" holm build .
	# each word is short enough, all of them are not
	{
		printf 'FROM scratch\nARG a=%01000000d\nENV' 0
		printf ' a%d=$a' {1..100}
	} >Dockerfile
	refused 1 "words of more than 67108864 bytes together" holm build .
}

@test "a full disk, and kill -9 in the middle: an error, no half layer, the next build goes on" {
	small_disk disk 48
	cat >Dockerfile <<<$'FROM busybox\nRUN echo first >/first\nRUN dd if=/dev/zero of=/big bs=1M count=100 || true'
	HOLM_ROOT=$PWD/disk/root expect 1 holm build .
	[[ $stderr == *"No space left"* || $stderr == *"full"* ]]
	[ -z "$(find disk/root/layers -name '.new-*' -not -name '.new-dead-*')" ]
	small_disk_end disk
	cat >Dockerfile <<<$'FROM busybox\nRUN echo first >/first\nRUN echo ready; sleep 1000'
	holm build . 2>log 3>&- &
	build=$!
	within 10 grep -q ' ready' log
	kill -9 "$build"
	wait "$build" || true
	# the step ends with its build, and what it left with the next one
	within 10 no_containers
	[ -n "$(unfinished)" ]
	sed -i 's/sleep 1000/true/' Dockerfile
	expect 0 holm build .
	[ -z "$(unfinished)" ]
	expect 0 holm system check
	output_is "The store is sound."
}

@test "ctrl-C and kill -9 while an image is pulled: what was done stays, nothing else does" {
	silent_service 5099
	within 10 grep -q asked "$asked"
	cat >Dockerfile <<<$'FROM busybox AS one\nRUN echo first >/first\nFROM 127.0.0.1:5099/none\nCOPY --from=one /first /'
	for signal in INT KILL; do
		: >"$asked"
		holm build . 2>log 3>&- &
		build=$!
		within 10 grep -q asked "$asked"
		kill "-$signal" "$build"
		wait "$build" || status=$?
		within 10 not pgrep -f "holm-image.*127.0.0.1:5099/none"
		[ "$signal" = KILL ] || [ "$status" = 1 ]
		[ "$signal" = KILL ] || grep -q interrupted log
		[ "$signal" = KILL ] || [ -z "$(unfinished)" ]
	done
	services_stop
	cat >Dockerfile <<<$'FROM busybox AS one\nRUN echo first >/first\nRUN true'
	expect 0 holm build .
	grep -qx '#2 CACHED' <<<"$stderr"
	[ -z "$(unfinished)" ]
}

@test "steps that are the same in two stages are done once, side by side and with --no-cache" {
	cat >Dockerfile <<-'END'
		FROM busybox AS one
		RUN --mount=type=cache,id=n,target=/c echo done >>/c/times; echo same >/same
		RUN echo one >/one
		FROM busybox AS two
		RUN --mount=type=cache,id=n,target=/c echo done >>/c/times; echo same >/same
		RUN echo two >/two
		FROM busybox
		COPY --from=one /same /one /
		COPY --from=two /two /
		RUN --mount=type=cache,id=n,target=/c cat /same /one /two; echo times $(wc -l </c/times)
	END
	expect 0 holm build -t app .
	output_has " times 1"
	id=$(holm images -q app)
	expect 0 holm build --no-cache -t app .
	output_has " times 2"
	[ "$(holm images -q app)" = "$id" ]
	# who waits for one that fails does it himself, and the error is told once
	cat >Dockerfile <<-'END'
		FROM busybox AS one
		RUN exit 3
		FROM busybox AS two
		RUN exit 3
		FROM busybox
		COPY --from=one / /
		COPY --from=two / /
	END
	expect 1 holm build .
	[ "$(grep -c '^holm: .*ended with 3' <<<"$stderr")" = 1 ]
	expect 0 holm system check
	output_is "The store is sound."
	[ -z "$(unfinished)" ]
}

@test "RUN --security=insecure and --network=host are for the caller to allow" {
	cat >Dockerfile <<-'END'
		FROM busybox AS plain
		RUN mkdir -p /m && ! mount -t tmpfs none /m && readlink /proc/self/ns/net
		FROM plain AS insecure
		RUN --security=insecure mount -t tmpfs none /m && echo mounted
		FROM plain AS host
		RUN --network=host readlink /proc/self/ns/net
		FROM plain AS none
		RUN --network=none --security=sandbox ls /sys/class/net
		FROM plain AS trigger
		ONBUILD RUN --security=insecure mount -t tmpfs none /m && echo by trigger
	END
	own=$(readlink /proc/self/ns/net)
	refused 1 "Dockerfile:4: RUN: --security=insecure is not allowed" holm build --target insecure .
	output_has "--allow security.insecure"
	not output_has "#1"
	refused 1 "Dockerfile:6: RUN: --network=host is not allowed" holm build --target host --allow security.insecure .
	output_has "--allow network.host"
	expect 0 holm build --target insecure --allow security.insecure .
	output_has " mounted"
	not output_has "$own"
	expect 0 holm build --target host --allow network.host .
	output_has " $own"
	expect 0 holm build --target host --no-cache --network host .
	output_has " $own"
	# a stage that is not needed asks for nothing
	expect 0 holm build --target none .
	output_has " lo"
	not output_has "eth0"
	# nor does the cache give away what was allowed once
	expect 0 holm build --target trigger -t trigger .
	echo 'FROM trigger' >onbuild
	refused 1 "--security=insecure is not allowed" holm build -f onbuild .
	expect 0 holm build -f onbuild --allow security.insecure .
	output_has " by trigger"
	refused 1 "--security=insecure is not allowed" holm build -f onbuild .
	refused 1 "--allow all: neither security.insecure nor network.host" holm build --allow all .
	refused 1 "--security=x: neither sandbox nor insecure" holm build -f - . <<<$'FROM busybox\nRUN --security=x true'
	refused 1 "--network=web: none of" holm build -f - . <<<$'FROM busybox\nRUN --network=web true'
}
