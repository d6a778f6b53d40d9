#!/usr/bin/env bats
# kill -9 just before each system call that changes the store, one after another: the same command again
# comes to the same end as if nothing had happened, and nothing more is left, then or after rm.
load holm

calls="renameat renameat2 linkat symlinkat mkdirat unlinkat flock fsync"


setup() {
	holm_setup
	needs strace
	expect 0 holm run --rm --network none busybox true
}

# What there is, whatever the numbers are, when all monitors have done their last work. The layers that
# a freeze which was killed has named may be empty, and are not counted.
listing() {
	local folder
	within 5 not pgrep -x holm-monitor
	holm gc >/dev/null
	for folder in "$HOLM_ROOT" "$HOLM_RUN/containers" "$HOLM_RUN/names"; do
		[ ! -d "$folder" ] || (cd "$folder" && find . -path ./layers -prune -o -print)
	done | sed -E 's/[0-9a-f]{16,64}/HEX/g' | sort
}

all_removed() {
	holm ps -aq | xargs -r holm rm -f -v >/dev/null
	holm volume ls -q | xargs -r holm volume rm >/dev/null
	[ ! -e "$HOLM_ROOT/networks/n.json" ] || holm network rm n >/dev/null
	holm secret ls -q | xargs -r holm secret rm >/dev/null
	holm rmi other >/dev/null 2>&1 || true
}

# PREPARE is run before each round, COMMAND is what is killed.
killed_before_each() { # PREPARE COMMAND...
	local prepare=$1 call n kills=0
	shift
	all_removed # makes what folders there are
	$prepare
	"$@" >/dev/null
	listing >done.txt
	all_removed
	listing >removed.txt
	for call in $calls; do
		for n in $(seq 60); do
			$prepare
			strace -qq -o trace -e trace="$call" -e inject="$call:signal=KILL:when=$n" "$@" >/dev/null 2>&1 || true
			grep -q 'killed by SIGKILL' trace || break
			kills=$((kills + 1))
			holm ps -a >/dev/null
			"$@" >/dev/null 2>&1 || true
			is_as done.txt "$call" "$n" "$@"
			all_removed
			is_as removed.txt "$call" "$n" "$@"
		done
		all_removed
	done
	[ "$kills" -ge 3 ]
	expect 0 holm system check
}

is_as() { # FILE CALL N COMMAND...
	listing >now.txt
	diff "$1" now.txt || {
		echo "killed before $2 $3: ${*:4}"
		tail -n 2 trace
		return 1
	}
}

box() {
	holm run --name box --network none -v /data busybox sh -c 'echo one >/file' >/dev/null
}

@test "create and rm -v, killed before each call" {
	killed_before_each true holm create --name box --network none busybox true
	killed_before_each box holm rm -v box
}

@test "rename, set and tag, killed before each call" {
	killed_before_each box holm rename box other
	killed_before_each box holm set box restart=always
	killed_before_each true holm tag busybox other
}

@test "snapshot, restore and clone, killed before each call" {
	snapped() { box; holm snapshot box one >/dev/null; holm cp "$BATS_TEST_FILENAME" box:/more; }
	killed_before_each box holm snapshot box one
	killed_before_each snapped holm restore box one
	plain() { holm run --name box --network none busybox sh -c 'echo one >/file'; }
	killed_before_each plain holm clone box copy
}

@test "volumes, networks and secrets, killed before each call" {
	volume() { holm volume create v >/dev/null; }
	network() { holm network create n >/dev/null; }
	secret() { holm secret create s "$BATS_TEST_FILENAME" >/dev/null; }
	killed_before_each true holm volume create v
	killed_before_each volume holm volume rm v
	killed_before_each true holm network create n
	killed_before_each network holm network rm n
	killed_before_each true holm secret create s "$BATS_TEST_FILENAME"
	killed_before_each secret holm secret rm s
}
