#!/usr/bin/env bats
# build: killed, interrupted, beside others, on a full disk: the cache stays right, and nothing stays that
# nobody needs.
load holm

write_dockerfile() {
	cat >Dockerfile <<-'END'
		FROM busybox AS one
		RUN echo one >/one
		RUN echo more >>/one
		FROM busybox AS two
		RUN echo two >/two
		FROM busybox
		COPY --from=one /one /
		COPY --from=two /two /
		RUN cat /one /two >/all
		CMD ["cat", "/all"]
	END
}

no_containers() {
	[ -z "$(holm ps -aq)" ]
}

# The next build does it, and the store is as sound as if nothing had been.
goes_on() {
	within 10 no_containers
	expect 0 holm build -t app "$@" .
	expect 0 holm run --rm app
	output_is $'one\nmore\ntwo'
	[ -z "$(find "$HOLM_ROOT/layers" -name '.new-*')" ] || return 1
	expect 0 holm system check
	output_is "The store is sound."
	# blobs that were being written are the collector's
	expect 0 holm gc
}

@test "killed at each of its abort points: what is there is whole, the rest is done again" {
	needs_abort_points
	write_dockerfile
	expect 0 holm run --rm busybox true
	for point in build.sealed build.publish build.published build.steps; do
		holm rmi app 2>/dev/null || true
		expect 0 holm builder prune -f
		HOLM_FAULT=$point run holm build -t app .
		[ "$status" != 0 ]
		goes_on
	done
	HOLM_FAULT=build.exported run holm build -t app --cache-to type=local,dest=cache .
	[ "$status" = 137 ]
	[ ! -e cache ]
	goes_on --cache-to type=local,dest=cache
	[ -f cache/oci-layout ]
	rm -rf "$HOLM_ROOT/build"
	HOLM_FAULT=build.import run holm build -t app --cache-from type=local,src=cache .
	[ "$status" != 0 ]
	goes_on --cache-from type=local,src=cache
}

@test "kill -9 and ctrl-C at random moments" {
	write_dockerfile
	expect 0 holm run --rm busybox true
	for _ in $(seq 12); do
		killed_at_random 400 holm build --no-cache -t app .
	done
	goes_on
	for i in $(seq 12); do
		# a shell's background process ignores ctrl-C
		python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
			holm build --no-cache -t app . >"log$i" 2>&1 3>&- &
		build=$!
		sleep "0.$(printf %03d $((RANDOM % 400)))"
		kill -INT "$build" 2>/dev/null || true
		status=0
		wait "$build" || status=$?
		# before it heeds it, at the very beginning, it is the signal's
		[ "$status" = 0 ] || [ "$status" = 130 ] || grep -q interrupted "log$i" || {
			cat "log$i"
			return 1
		}
		[ "$status" = 130 ] || [ -z "$(find "$HOLM_ROOT/layers" -name '.new-*')" ]
		within 10 no_containers
	done
	goes_on
}

@test "several platforms: kill -9, and ctrl-C while all of them run" {
	write_dockerfile
	both=linux/amd64,linux/arm64
	sed -i 's/^FROM busybox/FROM --platform=$BUILDPLATFORM busybox/' Dockerfile
	for _ in $(seq 6); do
		killed_at_random 500 holm build --no-cache --platform "$both" -t app .
	done
	goes_on --platform "$both"
	before=$(holm manifest inspect app)
	sed -i 's/^RUN echo two.*/ARG TARGETARCH\nRUN echo $TARGETARCH runs; sleep 1000/' Dockerfile
	python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
		holm build --progress plain --platform "$both" -t app --output type=tar,dest=out.tar . >log 2>&1 3>&- &
	build=$!
	all_run() {
		grep -q ' amd64 runs' log && grep -q ' arm64 runs' log
	}
	# two at once, where there are two processors
	if [ "$(nproc)" -gt 1 ]; then
		within 20 all_run
	else
		within 20 grep -q '64 runs' log
	fi
	kill -INT "$build"
	status=0
	wait "$build" || status=$?
	[ "$status" = 1 ]
	grep -q interrupted log
	[ ! -e out.tar ]
	[ "$(holm manifest inspect app)" = "$before" ]
	[ -z "$(find "$HOLM_ROOT/layers" -name '.new-*')" ]
	within 10 no_containers
	expect 0 holm system check
	output_is "The store is sound."
}

@test "two builds at once, and the collector beside them" {
	write_dockerfile
	for i in 1 2 3 4; do
		sed "s/^RUN cat .*/&; echo $i >>\/all/" Dockerfile >"Dockerfile.$i"
	done
	(while [ ! -e stop ]; do holm gc; done) >/dev/null 2>&1 3>&- &
	collector=$!
	for round in 1 2 3; do
		for i in 1 2 3 4; do
			holm build -f "Dockerfile.$i" -t "app:$i" . >"log$i" 2>&1 3>&- &
			builds[i]=$!
		done
		[ "$round" != 2 ] || holm builder prune -af
		for i in 1 2 3 4; do
			wait "${builds[i]}" || { cat "log$i"; touch stop; return 1; }
		done
		for i in 1 2 3 4; do
			[ "$(holm run --rm "app:$i")" = $'one\nmore\ntwo\n'"$i" ]
		done
	done
	touch stop
	wait "$collector" || true
	expect 0 holm system check
	output_is "The store is sound."
}

@test "gc --keep: images go first, and then the steps that nobody used for the longest time" {
	printf 'FROM busybox\nRUN dd if=/dev/urandom of=/old bs=1M count=3\n' >old
	printf 'FROM busybox\nRUN dd if=/dev/urandom of=/new bs=1M count=3\n' >new
	expect 0 holm build -t old -f old .
	expect 0 holm build -t new -f new .
	expect 0 holm rmi old new
	for record in "$HOLM_ROOT"/build/*; do
		! grep -q /old "$record" || touch -d yesterday "$record"
	done
	expect 0 holm gc --keep 5M
	expect 0 holm build -f new .
	grep -q ' CACHED$' <<<"$stderr"
	expect 0 holm build -f old .
	not grep -q ' CACHED$' <<<"$stderr"
	expect 0 holm image prune -af
	expect 0 holm gc --keep 1k
	[ -z "$(find "$HOLM_ROOT/build" "$HOLM_ROOT/layers" "$HOLM_ROOT/stages" -mindepth 1)" ]
}

@test "a disk that is full at any byte: an error that says so, and the next build goes on" {
	write_dockerfile
	small_disk disk 24
	export HOLM_ROOT=$PWD/disk/root
	expect 0 holm run --rm busybox true
	for left in 0 8 32 128 512 1500; do
		holm rmi -f app 2>/dev/null || true
		holm builder prune -f >/dev/null
		fallocate -l "$left"K disk/reserve 2>/dev/null || true
		cat /dev/zero >disk/filler 2>/dev/null || true
		rm -f disk/reserve
		run --separate-stderr holm build -t app .
		[ "$status" = 0 ] || [[ $stderr == *"No space left"* ]] || {
			echo "$left: $stderr"
			return 1
		}
		rm -f disk/filler
		[ -z "$(find disk/root/layers -name '.new-*' -not -name '.new-dead-*')" ]
		goes_on
	done
	HOLM_ROOT=$BATS_TEST_TMPDIR/root
	small_disk_end disk
}
