#!/usr/bin/env bats
# holm for an ordinary user: nothing is installed, configured or running for it.
load holm
load person

setup_file() {
	needs_root "they make users of their own"
}

setup() {
	holm_setup
	person_new 300000:65536
}

teardown() {
	person_end
	holm_teardown
}

@test "an ordinary user runs a container, as its root" {
	expect 0 u run --rm busybox id -u
	output_is 0
	expect 7 u run --rm busybox sh -c 'exit 7'
	expect 127 u run --rm busybox nowhere
	[ -d "$BATS_TEST_TMPDIR/person/tester/.local/share/holm/containers" ]
	[ -d /run/user/1000/holm/containers ]
}

@test "run -d, ps, exec, logs, stop, rm" {
	expect 0 u run -d --name web busybox sh -c 'echo ready; exec sleep 1000'
	within 5 eval 'u logs web | grep ready'
	expect 0 u ps --format '{{.Names}}'
	output_is web
	expect 0 u exec web sh -c 'touch /made && chown 42:43 /made && stat -c %u:%g /made'
	output_is 42:43
	expect 0 u stop -t 0 web
	expect 0 u inspect --format '{{.State.Status}}' web
	output_is exited
	expect 0 u start web
	expect 0 u exec web stat -c %u /made
	output_is 42
	expect 0 u rm -f web
	expect 0 u ps -aq
	output_is ""
}

@test "checkpoints and moves of what runs are refused, by name" {
	expect 0 u run -d --name web busybox sleep 1000
	refused 1 "criu cannot store the containers of an ordinary user" u checkpoint web one
	refused 1 "criu cannot store the containers of an ordinary user" u move --live web root@127.0.0.1
	expect 0 u exec web true
	expect 0 u rm -f web
}

@test "a terminal" {
	expect 0 as_person script --quiet --return --command "holm run --rm -it busybox sh -c 'tty; id -u'" /dev/null
	output_has /dev/pts/0
}

@test "images: load, devices are left out, prune; nothing in the store is another's than the range's" {
	cat >layer.sh <<-'E'
		mkdir -p tree/home/a && echo x >tree/home/a/file && mkdir tree/dev && mknod tree/dev/disk b 8 0
		chown -R 1000:1000 tree/home/a
		tar -C tree -cf layer.tar .
	E
	sh layer.sh
	oci_image oci one layer.tar
	tar -C oci -cf oci.tar .
	chmod 644 oci.tar
	cp oci.tar "$BATS_TEST_TMPDIR/person/tester/"
	expect 0 u load -i oci.tar
	expect 0 u images -q
	expect 0 u run --rm busybox true
	store=$BATS_TEST_TMPDIR/person/tester/.local/share/holm
	within 5 eval '! compgen -G "$store/containers/.dead-*"' # what goes meanwhile confuses find
	[ "$(find "$store" -not -uid 1000 -not \( -uid +299999 -uid -365536 \) | wc -l)" = 0 ]
	[ "$(find "$store" -uid 300999 -name file | wc -l)" = 1 ]
	expect 0 u system prune -af
	[ "$(find "$store/layers" -name file | wc -l)" = 0 ]
}

@test "two at once, and two users with one name" {
	person_named other 1001 400000:65536
	expect 0 u run -d --name web busybox sleep 1000
	expect 0 as other holm run -d --name web busybox sleep 1000
	expect 0 as other holm ps -q
	[ "${#lines[@]}" = 1 ]
	refused 1 "belongs to user 1000" as other holm --root "$BATS_TEST_TMPDIR/person/tester/.local/share/holm" ps
	expect 0 as other holm exec web sleep 0
	u run --rm busybox true & local one=$!
	u run --rm busybox true & local two=$!
	u rm -f web
	wait $one
	wait $two
	expect 0 as other holm rm -f web
}

@test "without a range there is one id, and what that means is said once" {
	person_named lonely 1002
	expect 0 as lonely holm run --rm busybox id -u
	output_is 0
	mkdir tree && echo x >tree/file && chown 1000:1000 tree/file
	tar -C tree -cf layer.tar .
	oci_image oci one layer.tar
	tar -C oci -cf "$BATS_TEST_TMPDIR/person/lonely/oci.tar" .
	chmod 644 "$BATS_TEST_TMPDIR/person/lonely/oci.tar"
	expect 0 as lonely holm load -i oci.tar
	output_has "you have one id alone"
}

@test "unshare: a program in the user namespace of the store, and its status" {
	mkdir "$BATS_TEST_TMPDIR/person/tester/made"
	chown 1000:1000 "$BATS_TEST_TMPDIR/person/tester/made"
	expect 0 u run -d --name web -v "$BATS_TEST_TMPDIR/person/tester/made:/made" busybox \
		sh -c 'touch /made/file && chown 42:43 /made/file && exec sleep 1000'
	within 5 eval '[ "$(stat -c %u:%g "$BATS_TEST_TMPDIR/person/tester/made/file")" = 300041:300042 ]'
	not as_person chmod 600 made/file
	expect 0 u unshare stat -c %u:%g made/file
	output_is 42:43
	expect 0 u unshare id -u
	output_is 0
	# of a container that runs: it is the same one, and holm in there has the same store
	[ "$(u unshare readlink /proc/self/ns/user)" = "$(u exec web readlink /proc/self/ns/user)" ]
	expect 0 u unshare holm ps --format '{{.Names}}'
	output_is web
	expect 0 u rm -f web
	expect 0 u unshare sh -c 'rm -r made && tr -s " " </proc/self/uid_map'
	output_is " 0 1000 1
 1 300000 65536"
	[ ! -e "$BATS_TEST_TMPDIR/person/tester/made" ]
	expect 7 u unshare sh -c 'exit 7'
	refused 127 "nowhere: no such program" u unshare nowhere
	refused 126 "start /etc/passwd: " u unshare /etc/passwd
	[ "$(echo 'id -u' | u unshare)" = 0 ]
	refused 125 "you are root already" holm unshare true
}

# Of this user alone, in both files.
range_is() { # LINE...
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/etc/subuid"
}

@test "ranges that are broken, huge, given twice or the host's root: said in words" {
	range_is tester:300000
	expect 0 u run --rm busybox sh -c 'tr -s " " </proc/self/uid_map'
	output_has "/etc/subuid: 1 of the lines of tester are not NAME:FIRST:COUNT"
	output_has " 0 1000 1"
	range_is tester:x:65536 tester:300000:65536
	expect 0 u run --rm busybox sh -c 'wc -l </proc/self/uid_map'
	output_has "/etc/subuid: 1 of the lines of tester are not"
	output_has 2
	range_is tester:0:65536
	refused 125 "/etc/subuid gives you the host's root: the range 0:65536" u run --rm busybox true
	range_is tester:500:1000
	refused 125 "/etc/subuid: your range 500:1000 overlaps with your own id, 1000:1" u run --rm busybox true
	range_is tester:300000:65536 tester:310000:10
	refused 125 "your range 310000:10 overlaps with another one, 300000:65536" u run --rm busybox true
	# as many as there are; and two that together are more than a map has room for
	range_is tester:1001:4294966294
	expect 0 u run --rm busybox tail -n 1 /proc/self/uid_map
	output_has 4294966294
	range_is tester:100000:4294867195 tester:2000:98000
	expect 0 u run --rm busybox sh -c 'wc -l </proc/self/uid_map'
	output_is 3
	range_is tester:300000:65536 other:300000:65536
	expect 0 u run --rm busybox true
}

@test "doctor and info tell an ordinary user what is missing, what that disables, and what mends it" {
	local rows='.[] | select(.Name == $n) | "\(.Verdict) \(.Fact)"'
	u doctor --format json >facts || true
	[ "$(jq -rs --arg n "user ids" "$rows" facts)" = "ok 300000:65536" ]
	[ "$(jq -rs --arg n "user namespace of yours" "$rows" facts)" = "ok can be made" ]
	[ "$(jq -rs --arg n user "$rows" facts)" = "ok user 1000" ]
	jq -se 'map(.Name) | index("cgroup of yours") and index("network of yours") and index("overlayfs of yours")' facts
	jq -se 'all(.[]; if .Verdict == "ok" then .Advice == "" else .Disables != "" end)' facts
	range_is someone:300100:5 tester:300000:65536 tester:x
	u doctor --format json >facts || true
	[ "$(jq -rs --arg n "group ids" "$rows" facts)" = \
		"less 300000:65536, which is another user's, too, and 1 lines that are not NAME:FIRST:COUNT" ]
	range_is someone:300100:5
	u doctor --format json >facts || true
	[ "$(jq -rs --arg n "user ids" "$rows" facts)" = "less no range for tester" ]
	jq -se 'any(.[]; .Name == "user ids" and (.Advice | startswith("usermod --add-subuids")))' facts
	holm doctor --format json >facts || true
	jq -se 'map(.Name) | index("user ids") == null' facts
	expect 0 u info --format '{{.SecurityOptions}}'
	output_has name=rootless
}

# In this file nothing is delegated (user_storage has it otherwise).
@test "a limit without a cgroup: asked for, an error that names the file and the fix; the default, a note" {
	! cgroup_v2 || skip "on v2 what is delegated depends on who started the tests"
	expect 0 u run -d --name a --network none busybox sleep 1000
	[ "$stderr" = "" ]
	expect 0 u inspect --explain a
	output_has "the default, 2048, takes a cgroup: /sys/fs/cgroup/"
	expect 0 u rm -f a
	refused 125 "/sys/fs/cgroup/" u run --rm --network none --pids-limit 100 busybox true
	output_has "Delegate=yes"
	refused 125 "/sys/fs/cgroup/" u run --rm --network none -m 64m busybox true
	expect 0 u info
	output_has "cgroups: not delegated: /sys/fs/cgroup/"
}

@test "an image is mounted where its user sees it" {
	expect 0 u run --rm --network none busybox true
	refused 1 "seen by nobody outside" u image mount busybox
	expect 0 u unshare sh -c 'cat "$(holm image mount busybox)/etc/passwd"; holm image umount busybox >/dev/null'
	output_has root
}

@test "what cron started before there was a login is there for it" {
	mv /run/user/1000 /run/user/kept
	expect 0 as_person env -u XDG_RUNTIME_DIR holm run -d --name web --network none busybox sleep 1000
	[ -d /tmp/holm-run-1000/containers ]
	mv /run/user/kept /run/user/1000
	# which is none of another store's affair
	mkdir -m 777 "$BATS_TEST_TMPDIR/person/other"
	expect 0 as_person env XDG_DATA_HOME="$BATS_TEST_TMPDIR/person/other" holm ps -aq
	output_is ""
	[ -d /run/user/1000/holm/containers ]
	rm -r /run/user/1000/holm
	expect 0 u ps --format '{{.Names}}'
	output_is web
	expect 0 u rm -f web
	expect 0 u run --rm --network none busybox true
	[ -d /run/user/1000/holm/containers ]
	rm -r /tmp/holm-run-1000
}
