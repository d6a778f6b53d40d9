#!/usr/bin/env bats
# snapshot and restore: what a container has is kept, and brought back. Of one that does not run
# nothing is copied; of one that runs what it wrote, while it stands still.
load holm
load frozen

running() { # NAME [OPTION...]
	local name=$1
	shift
	expect 0 holm run -d --name "$name" "$@" busybox sh -c '
		echo one >/file; mkdir /d; echo f >/d/f; rm /etc/group; rm -r /home; mkdir /home; touch /ready
		sleep 1000'
	within 5 holm exec "$name" test -e /ready
}

# All that a container sees of its root: names, owners, modes, sizes.
tree() { # NAME
	holm export "$1" | tar --numeric-owner -tvf - | grep -v ' run/' | sort -k 6
}

change() { # NAME
	expect 0 holm cp - "$1:/" < <(cd "$BATS_TEST_TMPDIR" && mkdir -p c && echo two >c/file && tar c -C c .)
}

@test "snapshot, break, restore: all is as it was, also what was deleted and who owns it" {
	box web
	tree web >before
	expect 0 holm snapshot web
	output_is snap0
	tree web >after
	diff before after
	expect 0 holm start -a web
	expect 0 holm snapshot --comment 'second run' web second
	output_is second
	expect 0 holm cp "$0" web:/file
	expect 0 holm restore web snap0
	tree web >after
	diff before after
	expect 0 holm snapshot ls -q web
	output_is $'snap0\nsecond'
	expect 0 holm snapshot ls web
	[[ ${lines[0]} == NAME*CREATED*EXPIRES*STATE*COMMENT ]]
	[[ ${lines[2]} == second*never*stopped*'second run' ]]
	expect 0 holm restore web second
	expect 0 holm restore web snap0
	tree web >after
	diff before after
}

@test "restore to before it wrote anything: the root, too, is as it was" {
	expect 0 holm create --name web busybox sh -c 'stat -c "%a %u:%g" /; touch /f; chown 5:6 /; chmod 700 /'
	expect 0 holm snapshot web empty
	expect 0 holm start -a web
	output_is "755 0:0"
	expect 0 holm snapshot web full
	expect 0 holm restore web empty
	expect 0 holm start -a web
	output_is "755 0:0"
	expect 0 holm restore web full
	expect 0 holm start -a web
	output_is "700 5:6"
}

@test "a snapshot of one that runs, and of one in a user namespace" {
	running web --userns auto
	expect 0 holm snapshot web
	tree web >before
	expect 0 holm exec web sh -c 'rm -r /d /file; echo x >/etc/group'
	refused 1 "container web is running" holm restore web snap0
	expect 0 holm restore --restart web snap0
	expect 0 holm exec web cat /file /d/f
	output_is $'one\nf'
	expect 1 holm exec web test -e /etc/group
	expect 0 holm exec web stat -c %u:%g /d/f
	output_is 0:0
	expect 0 holm rm -f web
}

@test "diff and commit know what lies in frozen layers" {
	box web
	expect 0 holm diff web
	echo "$output" >before
	expect 0 holm snapshot web
	expect 0 holm diff web
	diff before <(echo "$output")
	echo two >two
	expect 0 holm cp two web:/file
	expect 0 holm snapshot diff web snap0
	output_is 'C /file'
	expect 0 holm snapshot web
	expect 0 holm snapshot diff web snap0 snap1
	output_is 'C /file'
	expect 0 holm snapshot diff web snap1
	output_is ""
	tree web >before
	expect 0 holm commit web web:1
	expect 0 holm create --name again web:1 true
	tree again >after
	diff <(grep -v -e etc/host -e etc/resolv before) <(grep -v -e etc/host -e etc/resolv after)
	expect 0 holm cp again:/file got
	[ "$(cat got)" = two ]
}

@test "names, comments, expiry; what is wrong is said" {
	box web
	expect 0 holm snapshot create --expiry 1w --comment 'a b' web good
	expect 0 holm snapshot ls --format '{{.Name}} {{.Expires}} {{.Comment}}' web
	[[ $output == 'good in '[67]' days a b' ]]
	refused 1 "there is a snapshot good already" holm snapshot web good
	expect 0 holm snapshot web
	output_is snap0
	refused 1 "there is a snapshot good already" holm snapshot rename web snap0 good
	expect 0 holm snapshot rename web snap0 snap7
	expect 0 holm snapshot web
	output_is snap8
	refused 1 "snapshot" holm snapshot web ../x
	refused 1 "no such snapshot: none" holm restore web none
	refused 1 "no such snapshot: none" holm snapshot rm web none
	refused 1 "no such snapshot: none" holm clone -s none web
	refused 1 "no such container: gone" holm snapshot gone
	refused 1 "--expiry: '7x' is no span" holm snapshot --expiry 7x web
	expect 0 holm snapshot inspect -f '{{.Name}} {{.Running}} {{.Config.name}}' web good
	output_is 'good false web'
	expect 0 holm snapshot rm web good snap7 snap8
	expect 0 holm snapshot ls -q web
	output_is ""
}

@test "a schedule: run-due takes what is due and removes what has expired" {
	box web
	expect 0 holm snapshot schedule web
	output_is none
	refused 1 "'often' is no span" holm snapshot schedule web often
	expect 0 holm snapshot run-due
	output_is ""
	expect 0 holm snapshot schedule --expiry 1s web 1h
	expect 0 holm snapshot schedule web
	output_is 'every 1h, kept 1s'
	expect 0 holm snapshot run-due
	output_is 'web auto0'
	gone() { [ "$(holm snapshot run-due)" = 'web auto0' ]; }
	within 5 gone
	expect 0 holm snapshot ls -q web
	output_is ""
	expect 0 holm snapshot schedule web 1h
	expect 0 holm snapshot run-due
	output_is 'web auto0'
	expect 0 holm snapshot run-due
	output_is ""
	expect 0 holm snapshot schedule web none
	expect 0 holm snapshot schedule web
	output_is none
}

sum_of() { # TYPE MEMBER
	holm system df --format json | jq -r --arg type "$1" "select(.Type == \$type).$2"
}

@test "what clones share stays until the last of them goes, and then goes at once" {
	needs jq
	box web
	images=$(sum_of Images ReclaimableBytes)
	expect 0 holm snapshot web
	expect 0 holm clone web one
	expect 0 holm clone -s snap0 web two
	[ "$(frozen_layers)" = 1 ]
	[ "$(sum_of Images ReclaimableBytes)" = "$images" ]
	expect 0 holm system check
	expect 0 holm rm web
	[ "$(frozen_layers)" = 1 ]
	expect 0 holm gc
	expect 0 holm rm one
	expect 0 holm cp two:/d/f got
	[ "$(cat got)" = f ]
	expect 0 holm rm two
	[ "$(frozen_layers)" = 0 ]
	box web
	expect 0 holm snapshot web
	echo two >two
	expect 0 holm cp two web:/file
	expect 0 holm snapshot web
	[ "$(frozen_layers)" = 2 ]
	expect 0 holm restore web snap0
	expect 0 holm snapshot rm web snap1
	[ "$(frozen_layers)" = 1 ]
}

@test "system df counts frozen layers with containers; check finds a snapshot that is damaged" {
	needs jq
	expect 0 holm run --name web busybox dd if=/dev/zero of=/big bs=1M count=3
	expect 0 holm snapshot web
	bytes=$(sum_of Containers Bytes)
	[ "$bytes" -gt 3000000 ]
	[ "$bytes" -lt 5000000 ]
	expect 0 holm clone web copy
	[ "$(sum_of Containers Bytes)" -lt 5000000 ]
	id=$(holm inspect -f '{{.Id}}' web)
	echo '{' >"$HOLM_ROOT/containers/$id/snapshots/snap0.json"
	expect 1 holm system check
	output_has "snapshot snap0"
	expect 0 holm system check --repair
	expect 0 holm snapshot ls -q web
	output_is ""
	expect 0 holm start -a copy
}

content() { # NAME
	rm -f got
	holm cp "$1:/file" got && cat got
}

@test "snapshot, restore, clone and rebuild, killed at random moments: the files are those of before or of after" {
	expect 0 holm run --name web busybox sh -c 'echo 0 >/file'
	expect 0 holm snapshot web base
	for round in $(seq 20); do
		echo "$round" >now
		expect 0 holm cp now web:/file
		case $((round % 4)) in
		0) killed_at_random 15 holm snapshot web "s$round" ;;
		1) killed_at_random 15 holm clone web "c$round" ;;
		2) killed_at_random 20 holm restore web base ;;
		3) killed_at_random 20 holm rebuild web ;;
		esac
		is=$(content web) || is=none
		[ "$is" = "$round" ] || [ "$((round % 4)) $is" = "2 0" ] || [ "$((round % 4)) $is" = "3 none" ] || {
			echo "round $round: '$is'"
			return 1
		}
		for name in $(holm ps -a --filter "name=c$round" --format '{{.Names}}'); do
			[ "$(content "$name")" = "$round" ]
		done
		for name in $(holm snapshot ls -q web); do
			[ "$name" = base ] || {
				expect 0 holm clone -s "$name" web look
				[ "s$(content look)" = "$name" ]
				expect 0 holm rm look
			}
		done
	done
	expect 0 holm restore web base
	[ "$(content web)" = 0 ]
	expect 0 holm system check --repair
	holm ps -aq | xargs holm rm >/dev/null
	expect 0 holm gc
	[ "$(frozen_layers)" = 0 ]
}
