#!/usr/bin/env bats
# cp: files into containers, out of them, between them, as tar; with containers that try to lead it
# astray.
load holm
load runtime/bundle

setup() {
	holm_setup
	mkdir -p src/a dst
	echo one >src/a/one
	echo text >file
}

box() { # [OPTION...]: a container "box" that runs
	expect 0 holm run -d --name box "$@" busybox sh -c \
		'mkdir -p /d/sub; echo f >/d/f; ln -s /d /ld; ln -s f /d/lf; ln -s gone /dangling; touch /ready; sleep 1000'
	within 5 holm exec box test -e /ready
}

inside() { # COMMAND...: in box, its output
	holm exec box "$@"
}

# --- Docker's table ---------------------------------------------------------------------------

@test "a file goes into a folder, under a new name, over a file; never where no folder is" {
	box
	expect 0 holm cp file box:/tmp
	expect 0 holm cp file box:/tmp/
	expect 0 holm cp file box:/tmp/renamed
	expect 0 holm cp file box:/d/f
	expect 0 holm cp file box:tmp/relative
	[ "$(inside cat /tmp/file /tmp/renamed /tmp/relative /d/f)" = $'text\ntext\ntext\ntext' ]
	refused 1 "no such directory" holm cp file box:/new/
	refused 1 "no such directory" holm cp file box:/d/f/
	refused 1 "Could not find the file /no/such in container box" holm cp file box:/no/such/file
	expect 0 holm cp box:/d/f dst
	expect 0 holm cp box:/d/f out
	expect 0 holm cp box:/d/f dst/renamed
	[ "$(cat dst/f out dst/renamed)" = $'text\ntext\ntext' ]
	refused 1 "no such directory" holm cp box:/d/f missing/
	refused 1 'does not exist' holm cp box:/d/f missing/x
	refused 1 "Could not find the file /nofile in container box" holm cp box:/nofile dst
	refused 1 "no such file" holm cp nofile box:/tmp
	refused 1 "Not a directory" holm cp box:/d/f/ dst
	refused 1 "Not a directory" holm cp file/ box:/tmp
	refused 1 "no such container: gone" holm cp file gone:/tmp
	refused 1 "no such container: gone" holm cp gone:/tmp .
	refused 1 "must specify at least one container source" holm cp file file2
	refused 1 "names no path" holm cp file box:
}

@test "a folder goes into a folder, becomes a new one, and by /. is its contents" {
	box
	expect 0 holm cp src box:/new
	[ "$(inside find /new -type f)" = /new/a/one ]
	expect 0 holm cp src box:/new
	[ "$(inside find /new -type f | sort)" = $'/new/a/one\n/new/src/a/one' ]
	expect 0 holm cp src/. box:/contents
	expect 0 holm cp src/. box:/tmp
	[ "$(inside find /contents /tmp -type f)" = $'/contents/a/one\n/tmp/a/one' ]
	refused 1 "cannot copy directory" holm cp src box:/d/f
	refused 1 "cannot copy directory" holm cp box:/d file
	expect 0 holm cp box:/d dst
	expect 0 holm cp box:/d/. dst/contents
	expect 0 holm cp box:/d missing/
	diff -r dst/d dst/contents
	diff -r dst/d missing
	[ "$(readlink missing/lf)" = f ]
	mkdir -p dst/over/f
	refused 1 "cannot overwrite directory" holm cp box:/d/f dst/over
	mkdir into && touch into/d
	refused 1 "cannot overwrite non-directory" holm cp box:/d into
}

@test "links are copied as links, followed with -L, and where the path ends in a slash" {
	box
	ln -s file lfile && ln -s src lsrc && ln -s none dangling
	expect 0 holm cp lfile box:/tmp
	expect 0 holm cp -L lfile box:/tmp/followed
	expect 0 holm cp lsrc/ box:/tmp/folder
	expect 0 holm cp dangling box:/tmp
	refused 1 "no such file" holm cp -L dangling box:/tmp
	[ "$(inside readlink /tmp/lfile)" = file ]
	[ "$(inside cat /tmp/followed /tmp/folder/a/one)" = $'text\none' ]
	# a target that is a link is what it leads to
	expect 0 holm cp file box:/ld
	expect 0 holm cp file box:/dangling
	[ "$(inside cat /d/file /gone)" = $'text\ntext' ]
	expect 0 holm cp box:/ld dst
	expect 0 holm cp -L box:/ld dst/followed
	expect 0 holm cp box:/ld/ dst/slash
	[ "$(readlink dst/ld)" = /d ]
	cmp dst/followed/f dst/slash/f
	ln -s dst ldst
	expect 0 holm cp box:/d/f ldst
	cmp dst/f dst/slash/f
}

@test "running, paused, stopped, never started: the same files, volumes and binds in their places" {
	mkdir bind && echo bound >bind/file
	box -v vol:/vol -v "$PWD/bind:/bind"
	for state in running paused exited; do
		[ $state != paused ] || holm pause box
		[ $state != exited ] || { holm unpause box; holm stop -t 0 box; }
		[ "$(holm inspect -f '{{.State.Status}}' box)" = $state ]
		echo $state >now
		expect 0 holm cp now box:/tmp/now
		expect 0 holm cp now box:/vol/$state
		expect 0 holm cp now box:/bind
		expect 0 holm cp box:/tmp/now dst/now
		[ "$(cat dst/now bind/now)" = $state$'\n'$state ]
		expect 0 holm cp box:/d/f dst/$state
	done
	expect 0 holm cp box:/etc/hosts dst
	grep -q localhost dst/hosts
	expect 0 holm start box
	[ "$(inside cat /vol/running /vol/paused /vol/exited /tmp/now)" = $'running\npaused\nexited\nexited' ]
	expect 0 holm create --name fresh -v vol:/vol --rm busybox cat /vol/paused /x
	expect 0 holm cp file fresh:/x
	expect 0 holm cp fresh:/vol/exited dst/from-fresh
	expect 0 holm start -a fresh
	output_is $'paused\ntext'
}

@test "the whole root, without what the kernel shows in it" {
	box --privileged -v vol:/vol
	inside touch /vol/in
	expect 0 timeout "$(seconds 60)" holm cp box:/ whole
	[ -e whole/d/f ]
	[ -e whole/vol/in ]
	[ -d whole/proc ]
	[ -z "$(ls -A whole/proc)$(ls -A whole/sys)" ]
	holm cp box:/ - | tar t >list
	grep -qx d/f list
	not grep -q '^proc/.' list
	rm -r whole
}

@test "between two containers" {
	box
	expect 0 holm create --name other busybox cat /copied/f
	expect 0 holm cp box:/d other:/copied
	expect 0 holm start -a other
	output_is f
}

@test "a read-only container takes files in its volumes alone" {
	mkdir bind
	box_read_only() {
		refused 1 "container rootfs is marked read-only" holm cp file box:/tmp
		expect 0 holm cp file box:/vol
		refused 1 "mounted volume is marked read-only" holm cp file box:/bind
		expect 0 holm cp box:/etc/passwd dst
	}
	expect 0 holm run -d --name box --read-only -v /vol -v "$PWD/bind:/bind:ro" busybox sleep 1000
	box_read_only
	expect 0 holm stop -t 0 box
	box_read_only
	[ -z "$(ls -A bind)" ]
}

# --- what is copied ---------------------------------------------------------------------------

@test "all kinds of files go in and out again and are the same, owners with -a" {
	needs_root "it makes devices, and owners that a user has none of"
	python3 "$BATS_TEST_DIRNAME/odd_tree.py" make odd
	# owners that chown(2) takes for "none", and times that overlayfs cannot keep
	rm odd/owner-largest
	box
	expect 0 holm cp odd box:/odd
	expect 0 holm cp -a box:/odd back
	diff <(python3 "$BATS_TEST_DIRNAME/odd_tree.py" show odd) \
		<(python3 "$BATS_TEST_DIRNAME/odd_tree.py" show back)
	holm cp box:/odd - >odd.tar
	mkdir tar && tar -C tar --xattrs --xattrs-include='*' -xpf odd.tar
	[ "$(stat -c '%u:%g %a' tar/odd/setgid)" = "3:4 2755" ]
	[ tar/odd/three -ef tar/odd/hard/b/two ]
	expect 0 holm exec box mkdir /again
	holm cp - box:/again <odd.tar
	expect 0 holm cp -a box:/again/odd again
	# a tar of holm's has no holes
	diff <(python3 "$BATS_TEST_DIRNAME/odd_tree.py" show odd | sed 's/blocks=[0-9]*//') \
		<(python3 "$BATS_TEST_DIRNAME/odd_tree.py" show again | sed 's/blocks=[0-9]*//')
}

@test "what comes out is the caller's: set-id bits of others do not come along" {
	needs_root "it looks for root's numbers outside"
	box
	inside sh -c 'touch /set /own; chown 1000:1000 /set; chmod 6755 /set /own'
	expect 0 holm cp box:/set dst
	expect 0 holm cp box:/own dst
	[ "$(stat -c '%u:%g %a' dst/set dst/own)" = $'0:0 755\n0:0 6755' ]
	expect 0 holm cp -a box:/set dst
	[ "$(stat -c '%u:%g %a' dst/set)" = "1000:1000 6755" ]
	chown 1000:1001 file
	expect 0 holm cp file box:/tmp
	[ "$(inside stat -c %u:%g /tmp/file)" = 1000:1001 ]
}

@test "in a user namespace owners are the container's ids, running and stopped" {
	needs_root "owners on the host are root's to give"
	expect 0 holm run -d --name box --userns auto -v vol:/vol busybox \
		sh -c 'touch /mine; chown 5:6 /mine; touch /ready; sleep 1000'
	within 5 holm exec box test -e /ready
	chown 1000:1001 file
	for state in running stopped; do
		[ $state = running ] || holm stop -t 0 box
		expect 0 holm cp file box:/tmp/$state
		expect 0 holm cp file box:/vol/$state
		expect 0 holm cp -a box:/mine dst/$state
		[ "$(stat -c %u:%g dst/$state)" = 5:6 ]
		holm cp box:/mine - | tar --numeric-owner -tv | grep -q '5/6'
		tar --owner=7 --group=8 -cf - src | holm cp - box:/tmp
		[ $state = stopped ] || expect 0 holm cp src box:/dev/shm
		[ $state = stopped ] || tar cf - file | holm cp - box:/dev/shm
	done
	expect 0 holm start box
	[ "$(inside stat -c %u:%g /tmp/running /tmp/stopped /vol/running /vol/stopped)" = \
		$'1000:1001\n1000:1001\n1000:1001\n1000:1001' ]
	[ "$(inside stat -c %u:%g /tmp/src/a/one)" = 7:8 ]
}

@test "tar: names begin as docker's, folders are merged, a compressed one is seen through" {
	box
	names() { # PATH [OPTION...]
		holm cp "${@:2}" "box:$1" - | tar t | head -2 | tr '\n' ' '
	}
	[ "$(names /d)" = "d/ d/f " ]
	[ "$(names /d/)" = "d/ d/f " ]
	[ "$(names /d/.)" = "./ f " ]
	[ "$(names /d/f)" = "f " ]
	[ "$(names /ld)" = "ld " ]
	[ "$(names /ld -L)" = "ld/ ld/f " ]
	tar czf - src file | holm cp - box:/d
	[ "$(inside cat /d/f /d/file /d/src/a/one)" = $'f\ntext\none' ]
	refused 1 'destination "box:/nodir" must be a directory' holm cp - box:/nodir <file
	refused 1 'destination "box:/d/f" must be a directory' holm cp - box:/d/f <file
	mkdir -p bad/f && tar -C bad -cf bad.tar f
	refused 1 "cannot overwrite non-directory with directory" holm cp - box:/d <bad.tar
	mkdir -p bad2 && touch bad2/sub && tar -C bad2 -cf bad.tar sub
	refused 1 "cannot overwrite directory with non-directory" holm cp - box:/d <bad.tar
	refused 1 "not a sound tar archive" holm cp - box:/d <"$(command -v bats)"
	# a whiteout is nothing here but a name
	touch .wh.file && tar cf - .wh.file | holm cp - box:/d
	[ "$(inside cat /d/file)" = text ]
	holm cp box:/d - | tar t | grep -q d/.wh.file
}

@test "what is mounted at a file is not taken away" {
	box
	refused 1 "busy" holm cp file box:/etc/hosts
	cp file hosts && tar cf hosts.tar hosts
	refused 1 "busy" holm cp - box:/etc <hosts.tar
	inside grep -q localhost /etc/hosts
}

# --- hostile ----------------------------------------------------------------------------------

# Something that a container must never reach; `untouched` fails if it was.
outside() {
	OUTSIDE=$BATS_TEST_TMPDIR/outside
	mkdir "$OUTSIDE"
	echo secret >"$OUTSIDE/file"
	touch -d @1 "$OUTSIDE/file" "$OUTSIDE"
	BEFORE=$(find "$OUTSIDE" -printf '%p %i %m %u %T@ %C@\n')
}

untouched() {
	[ "$(find "$OUTSIDE" -printf '%p %i %m %u %T@ %C@\n')" = "$BEFORE" ]
	not grep -rqs secret dst
}

@test "a link in the container leads nowhere outside of it" {
	outside
	box
	inside sh -c "ln -s $OUTSIDE /out; ln -s ../../../../../..$OUTSIDE /up; ln -s $OUTSIDE/file /leaf;
		ln -s /proc/1/root$OUTSIDE /proc-root; ln -s /proc/self/cwd$OUTSIDE /cwd"
	for path in out/file up/file proc-root/file cwd/file; do
		refused 1 "" holm cp "box:/$path" dst
		refused 1 "" holm cp file "box:/$path"
	done
	run holm cp -L box:/leaf dst
	run holm cp file box:/leaf
	run holm cp file box:/out
	tar cf - file | { run holm cp - box:/up; }
	holm stop -t 0 box
	refused 1 "Could not find the file" holm cp "box:/out/file" dst
	refused 1 "" holm cp file box:/up/file
	untouched
}

@test "an exchange of folder and link while cp works reaches nothing outside, 25 times" {
	[ -x "$BUNDLE_PROGRAMS/exchange" ] || skip "no build folder with exchange"
	outside
	mkdir -p volume/dir/deep
	ln -s ../../../../../../../../../../../.."$OUTSIDE" volume/link
	for i in $(seq 50); do echo "mine $i" >"volume/dir/deep/$i"; done
	echo mine >volume/dir/file
	chmod 6751 src/a/one
	mkfifo src/a/fifo && ln -s one src/a/link
	tar cf src.tar src
	expect 0 holm run -d --name box -v "$PWD/volume:/v" busybox sleep 1000
	service "$BUNDLE_PROGRAMS/exchange" "$PWD/volume/dir" "$PWD/volume/link"
	for _ in $(seq 25); do
		# a round may fail where the link leads, it may not reach anything there
		holm cp box:/v dst >/dev/null 2>&1 || true
		holm cp -L box:/v/dir/file dst >/dev/null 2>&1 || true
		holm cp src/. box:/v/dir >/dev/null 2>&1 || true
		holm cp - box:/v/dir <src.tar >/dev/null 2>&1 || true
		untouched
	done
	services_stop
}

# --- others meanwhile, a full disk ------------------------------------------------------------

@test "rm waits for a cp of a stopped container; one that was removed meanwhile is an error" {
	box
	inside dd if=/dev/zero of=/big bs=1M count=20 2>/dev/null
	mkfifo pipe
	holm cp box:/big - >pipe 2>error 3>&- &
	local cp=$!
	exec 7<pipe
	head -c 1000 <&7 >/dev/null
	expect 0 holm rm -f box
	cat <&7 >/dev/null
	exec 7<&-
	not wait $cp
	grep -q "was removed meanwhile" error
	box
	inside dd if=/dev/zero of=/big bs=1M count=20 2>/dev/null
	holm stop -t 0 box
	holm cp box:/big - >pipe 2>error 3>&- &
	cp=$!
	exec 7<pipe
	head -c 1000 <&7 >/dev/null
	holm rm box 3>&- 7<&- &
	local rm=$!
	[ "$(cat <&7 | wc -c)" -gt $((20 << 20)) ]
	exec 7<&-
	wait $cp
	wait $rm
	[ ! -s error ]
}

@test "a full disk is told, and no half file stays" {
	expect 0 holm run -d --name box busybox sleep 1000
	expect 0 holm exec box dd if=/dev/urandom of=/big bs=1M count=12
	small_disk disk 8
	expect 1 holm cp box:/big disk/big
	output_has "No space left on device"
	[ ! -e disk/big ]
	dd if=/dev/zero of=big bs=1M count=12 status=none
	expect 0 holm run -d --name small -v "$PWD/disk:/v" busybox sleep 1000
	expect 1 holm cp big small:/v/big
	output_has "No space left on device"
	[ ! -e disk/big ]
	tar cf big.tar big
	expect 1 holm cp - small:/v <big.tar
	output_has "No space left on device"
	[ ! -e disk/big ]
	holm rm -f small
	small_disk_end disk
}
