#!/usr/bin/env bats
# Many commands at once, on different containers and on the same one.
load holm

# Starts COMMAND with {} replaced by 1 to COUNT, all at once; their outputs and statuses lie in
# $BATS_TEST_TMPDIR/at.N and at.N.status.
at_once() { # COUNT COMMAND...
	local count=$1 i pids=()
	shift
	for i in $(seq "$count"); do
		(
			local status=0
			"${@//\{\}/$i}" >"$BATS_TEST_TMPDIR/at.$i" 2>&1 || status=$?
			echo $status >"$BATS_TEST_TMPDIR/at.$i.status"
		) 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
}

# How many of the last at_once ended so.
ended() { # STATUS
	cat "$BATS_TEST_TMPDIR"/at.*.status | grep -cx "$1" || true
}

@test "fifty containers start at once, and each says its own" {
	expect 0 holm run --rm busybox true
	at_once 50 holm run --rm busybox echo "this is {}"
	[ "$(ended 0)" = 50 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/at.*[0-9] | sort -u | grep -c '^this is')" = 50 ]
}

@test "fifty run in the background, are listed, stopped and removed" {
	expect 0 holm run --rm busybox true
	at_once 50 holm run -d --name box{} busybox sleep 1000
	[ "$(ended 0)" = 50 ]
	[ "$(holm ps -q | wc -l)" = 50 ]
	at_once 50 holm exec box{} true
	[ "$(ended 0)" = 50 ]
	# shellcheck disable=SC2046
	expect 0 holm stop -t 0 $(holm ps -q)
	[ -z "$(holm ps -q)" ]
	at_once 50 holm rm box{}
	[ "$(ended 0)" = 50 ]
}

@test "of forty that create one name, one wins, and the others say why" {
	expect 0 holm run --rm busybox true
	at_once 40 holm create --name box busybox true
	[ "$(ended 0)" = 1 ]
	[ "$(ended 1)" = 39 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/at.*[0-9] | grep -c "the name 'box' is taken")" = 39 ]
	[ "$(holm ps -aq | wc -l)" = 1 ]
}

@test "of forty that remove one container, one wins" {
	expect 0 holm create --name box busybox true
	at_once 40 holm rm box
	[ "$(ended 0)" = 1 ]
	[ "$(ended 1)" = 39 ]
	[ -z "$(holm ps -aq)" ]
}

@test "of twenty that start one container, all see it run once" {
	expect 0 holm create --name box busybox sh -c 'echo one >> /count; sleep 1000'
	at_once 20 holm start box
	[ "$(ended 0)" = 20 ]
	within 5 holm exec box test -s /count
	expect 0 holm exec box cat /count
	output_is one
}

@test "one that is removed while commands run in it does not hang them" {
	expect 0 holm run -d --name box busybox sleep 1000
	(sleep 0.2; holm rm -f box) 3>&- >/dev/null 2>&1 &
	local remover=$!
	at_once 10 timeout "$(seconds 20)" holm exec box sleep 100
	[ "$(ended 124)" = 0 ]
	[ "$(ended 0)" = 0 ]
	wait $remover
}

@test "one that is removed while its log is followed and its files are copied hangs nobody" {
	expect 0 holm run -d --name box busybox sh -c \
		'dd if=/dev/zero of=/big bs=1M count=30; while echo line; do sleep 0.05; done'
	within 10 said box line
	local i pids=()
	for i in 1 2 3; do
		timeout "$(seconds 20)" holm logs -f box >"$BATS_TEST_TMPDIR/log.$i" 2>&1 3>&- &
		pids+=($!)
		timeout "$(seconds 20)" holm cp box:/big "$BATS_TEST_TMPDIR/big.$i" >/dev/null 2>&1 3>&- &
		pids+=($!)
		timeout "$(seconds 20)" holm export box >/dev/null 2>&1 3>&- &
		pids+=($!)
	done
	within 5 grep -q line "$BATS_TEST_TMPDIR/log.3"
	expect 0 holm rm -f box
	for i in "${pids[@]}"; do
		local status=0
		wait "$i" || status=$?
		# whole, or told that it went
		[ $status = 0 ] || [ $status = 1 ]
	done
	for i in 1 2 3; do
		[ ! -e "$BATS_TEST_TMPDIR/big.$i" ] || [ "$(stat -c %s "$BATS_TEST_TMPDIR/big.$i")" = $((30 << 20)) ]
	done
}

@test "of forty that remove a running one by force, all come to an end and it is gone once" {
	expect 0 holm run -d --name box busybox sleep 1000
	at_once 40 holm rm -f box
	[ "$(ended 0)" = 40 ]
	[ -z "$(holm ps -aq)" ]
	[ "$(holm events --since 1m --until 0s --filter event=destroy --format x | wc -l)" = 1 ]
}

@test "the first use of an image by twenty at once unpacks it once" {
	at_once 20 holm run --rm busybox echo "{}"
	[ "$(ended 0)" = 20 ]
	[ "$(find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]
}
