#!/usr/bin/env bats
# What a container wrote, afterwards and while it runs.
load holm

@test "logs gives both streams back where they belong" {
	holm run --name web busybox sh -c 'echo out; echo err >&2' >/dev/null 2>&1
	holm logs web >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = out ]
	[ "$(cat "$BATS_TEST_TMPDIR/err")" = err ]
}

@test "every byte comes back as it was written" {
	head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/bytes"
	holm run -i --name web busybox cat <"$BATS_TEST_TMPDIR/bytes" >"$BATS_TEST_TMPDIR/relayed"
	cmp "$BATS_TEST_TMPDIR/bytes" "$BATS_TEST_TMPDIR/relayed"
	holm logs web >"$BATS_TEST_TMPDIR/logged"
	cmp "$BATS_TEST_TMPDIR/bytes" "$BATS_TEST_TMPDIR/logged"
}

@test "the log of text is Docker's json-file" {
	holm run --name web busybox sh -c 'echo "a \"b\" é"; echo two' >/dev/null
	id=$(holm inspect --format '{{.Id}}' web)
	expect 0 jq -r '.log, .stream, (.time | test("^20..-..-..T..:..:..\\.[0-9]+Z$"))' \
		"$HOLM_ROOT/containers/$id/log"
	output_is $'a "b" é\n\nstdout\ntrue\ntwo\n\nstdout\ntrue'
}

@test "tail, since, until and timestamps" {
	holm run --name web busybox sh -c 'seq 1 5; sleep 1.2; seq 6 10' >/dev/null
	expect 0 holm logs --tail 3 web
	output_is $'8\n9\n10'
	expect 0 holm logs -n 0 web
	output_is ""
	expect 0 holm logs --tail all web
	[ "${#lines[@]}" = 10 ]
	middle=$(holm logs -t web | awk '$2 == 6 { print $1 }')
	expect 0 holm logs --since "$middle" web
	output_is $'6\n7\n8\n9\n10'
	expect 0 holm logs --until "${middle%.*}.000000000Z" --tail 1 web
	expect 0 holm logs -t --tail 1 web
	[[ $output =~ ^20[0-9-]+T[0-9:.]+Z\ 10$ ]]
}

@test "follow goes on until the container ends, over rotations" {
	holm run -d --name web --log-opt max-size=2k --log-opt max-file=4 busybox \
		sh -c 'for i in $(seq 200); do echo line $i; [ $((i % 20)) != 0 ] || sleep 0.05; done' \
		>/dev/null
	timeout "$(seconds 20)" holm logs -f web >"$BATS_TEST_TMPDIR/followed"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/followed")" = "line 200" ]
	[ "$(awk '{ print $2 }' "$BATS_TEST_TMPDIR/followed")" = "$(seq 200 | tail -n \
		"$(wc -l <"$BATS_TEST_TMPDIR/followed")")" ]
}

@test "follow begun before the start of a long pause shows a line when it is written" {
	holm run -d --name web busybox sh -c "echo one; sleep $(seconds 1); echo two; sleep 100" >/dev/null
	timeout "$(seconds 2)" holm logs -f web >"$BATS_TEST_TMPDIR/followed" || true
	[ "$(cat "$BATS_TEST_TMPDIR/followed")" = $'one\ntwo' ]
}

@test "the log is rotated and bounded" {
	holm run --name web --log-opt max-size=10k --log-opt max-file=3 busybox seq 100000 >/dev/null
	id=$(holm inspect --format '{{.Id}}' web)
	cd "$HOLM_ROOT/containers/$id"
	[ -e log.1 ] && [ -e log.2 ] && [ ! -e log.3 ]
	[ "$(cat log log.1 log.2 | wc -c)" -lt 60000 ]
	[ "$(holm logs --tail 1 web)" = 100000 ]
	# contiguous
	[ "$(holm logs web)" = "$(seq 100000 | tail -n "$(holm logs web | wc -l)")" ]
}

@test "log driver none keeps nothing, and logs says so" {
	expect 0 holm run --name web --log-driver none busybox echo seen
	output_is seen
	id=$(holm inspect --format '{{.Id}}' web)
	[ ! -e "$HOLM_ROOT/containers/$id/log" ]
	run holm logs web
	[ "$status" != 0 ] || [ -z "$output" ]
}

@test "a full disk costs lines, never the container" {
	small_disk "$BATS_TEST_TMPDIR/disk" 64
	export HOLM_ROOT=$BATS_TEST_TMPDIR/disk/root
	holm run -d --name web busybox sh -c \
		'for i in $(seq 400); do echo $i; sleep 0.01; done; exit 7' >/dev/null
	head -c 80M /dev/zero >"$BATS_TEST_TMPDIR/disk/fill" 2>/dev/null || true
	sleep 1
	rm "$BATS_TEST_TMPDIR/disk/fill"
	expect 0 holm wait web
	output_is 7
	holm logs web >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" = 400 ]
	grep -q 'lines of output were lost: No space left on device' "$BATS_TEST_TMPDIR/err"
	holm rm web
	small_disk_end "$BATS_TEST_TMPDIR/disk"
}

@test "logs of a container that never was is one line" {
	refused 1 'nobody' holm logs nobody
}
