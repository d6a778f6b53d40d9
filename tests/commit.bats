#!/usr/bin/env bats
# diff, export and commit: what a container changed, its files as a tar, a new image of it.
load holm

# A container "box" that has changed all that can be changed, and ended (with sleep: still runs).
box() { # [OPTION...]
	expect 0 holm run --name box "$@" busybox sh -c '
		mkdir -p /d/sub; echo f >/d/f; ln -s f /d/lf; touch /u; chown 1000:1001 /u; chmod 4755 /u; ln /u /u2
		mkfifo /fifo; rm /etc/group; echo x >>/etc/passwd; chmod 700 /var/log
		rm -r /home; mkdir /home; echo again >/home/new; mv /usr/bin /usr/moved; touch /ready'
}

running_box() { # [OPTION...]
	expect 0 holm run -d --name box "$@" busybox sh -c 'echo data >/data; touch /ready; sleep 1000'
	within 5 holm exec box test -e /ready
}

# --- diff -------------------------------------------------------------------------------------

CHANGES='A /d
A /d/f
A /d/lf
A /d/sub
C /etc
D /etc/group
C /etc/passwd
A /fifo
C /home
A /home/new
A /ready
A /u
A /u2
C /usr
D /usr/bin
A /usr/moved
C /var
C /var/log'

@test "diff: added, changed and deleted, folders that lead there; nothing that holm makes itself" {
	box
	expect 0 holm diff box
	[ "$(grep -c '^A /usr/moved/' <<<"$output")" -gt 10 ]
	output=$(grep -v '^A /usr/moved/' <<<"$output")
	output_is "$CHANGES"
	expect 0 holm create --name fresh -v /vol busybox true
	expect 0 holm container diff fresh
	output_is ""
	expect 0 holm run --name empty -v /vol busybox true
	expect 0 holm diff empty
	output_is "A /vol"
	refused 1 "no such container: gone" holm diff gone
}

@test "diff of one that runs, and in a user namespace" {
	running_box --userns auto
	expect 0 holm exec box sh -c 'touch /etc/passwd -d @5; chown 7 /etc/shadow; chmod 700 /tmp; chmod 1777 /tmp'
	expect 0 holm diff box
	output_is $'A /data\nC /etc\nC /etc/passwd\nC /etc/shadow\nA /ready'
}

# --- export -----------------------------------------------------------------------------------

@test "export: all files, with their owners, no volumes; running or not" {
	needs python3
	box -v vol:/vol
	expect 0 holm export -o stopped.tar box
	[ "$(stat -c %a stopped.tar)" = 600 ]
	tar tvf stopped.tar >list
	grep -q -e '-rwsr-xr-x 1000/1001 *0 .* u$' <(tar --numeric-owner -tvf stopped.tar)
	grep -q 'u2 link to u' list
	grep -q '^prw' list
	not grep -q etc/group list
	[ "$(tar xOf stopped.tar etc/passwd | tail -1)" = x ]
	[ "$(grep -c ' vol/$' list)" = 1 ]
	not grep -q ' \./$' list
	expect 0 holm import stopped.tar back:1
	expect 0 holm run --rm back:1 cat /d/f
	output_is f
	expect 0 holm rm box
	running_box
	holm export box | tar t | grep -qx data
	holm pause box
	holm export box | tar t | grep -qx data
	refused 1 "no such container" holm export gone
	refused 1 "No such file" holm export -o no/such/file box
	refused 1 "--output ''" holm export -o "" box
	refused 1 "--output ''" holm save -o "" made
	expect 1 script -qec "holm export box" /dev/null
	output_has "is a terminal"
}

# --- commit -----------------------------------------------------------------------------------

@test "commit: the new image has what the container wrote, and nothing of what it deleted" {
	box
	expect 0 holm commit box new:1
	[ "$(holm events --since 1m --until 0s --filter event=commit --format '{{.Actor.Attributes.imageID}}')" = "$output" ]
	[[ $output =~ ^sha256:[0-9a-f]{64}$ ]]
	[ "$output" = "$(holm images -q --no-trunc new:1)" ]
	expect 0 holm run --rm new:1 sh -c 'cat /d/lf /home/new; stat -c "%u:%g %a %h" /u; ls -d /etc/group /home/* /usr/bin; ls /usr/moved | head -1'
	[[ $output == $'f\nagain\n1000:1001 4755 2\n/home/new\n'* ]]
	expect 0 holm diff box
	expect 0 holm run --name again new:1 true
	expect 0 holm diff again
	output_is ""
	expect 0 holm commit again
	expect 0 holm images -f dangling=true -q
	[ -n "$output" ]
}

@test "the image says what the container ran with, --change, and who made it when" {
	expect 0 holm run --name box -e A=1 -l own=yes -w /tmp -u 7 --entrypoint echo busybox hello
	expect 0 holm commit -a "J. H. <j@h>" -m "a message" -c 'ENV B=2' -c 'CMD ["other", "words"]' \
		-c 'EXPOSE 80' -c 'LABEL more=1' box new:1
	expect 0 holm run --rm new:1
	output_is "other words"
	expect 0 holm image inspect new:1
	jq -e '.[0] | .Author == "J. H. <j@h>" and .Comment == "a message" and .Architecture != "" and
		(.Config | .User == "7" and .WorkingDir == "/tmp" and .Entrypoint == ["echo"] and
		(.Env | index("A=1")) and (.Env | index("B=2")) and .ExposedPorts == {"80/tcp": {}} and
		.Labels.own == "yes" and .Labels.more == "1")' <<<"$output"
	expect 0 holm history --no-trunc --format '{{.CreatedBy}}|{{.Comment}}' new:1
	[ "$(head -1 <<<"$output")" = "hello|a message" ]
	[ "$(wc -l <<<"$output")" = 2 ]
	expect 0 holm commit box plain:1
	expect 0 holm run --rm plain:1
	output_is hello
}

@test "a committed image is saved, loaded, read by skopeo, and collected" {
	box
	expect 0 holm commit box new:1
	# its layer is packed now, and unpacked by who needs it first
	[ "$(find "$HOLM_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]
	expect 0 holm system check
	output_is "The store is sound."
	expect 0 holm save -o new.tar new:1
	HOLM_ROOT=$PWD/other expect 0 holm load -i new.tar
	HOLM_ROOT=$PWD/other HOLM_RUN=$HOLM_RUN/other expect 0 holm run --rm new:1 cat /d/f
	output_is f
	if command -v skopeo >/dev/null; then
		expect 0 skopeo inspect "oci:$HOLM_ROOT/images:docker.io/library/new:1"
		[ "$(jq '.Layers | length' <<<"$output")" = 2 ]
	fi
	expect 0 holm images --format '{{.Repository}}:{{.Tag}} {{.Size}}'
	output_has new:1
	expect 0 holm run --rm new:1 cat /d/f
	output_is f
	expect 0 holm rm box
	expect 0 holm rmi busybox
	expect 0 holm run --rm new:1 cat /d/f
	expect 0 holm rmi new:1
	[ -z "$(find "$HOLM_ROOT"/images/blobs/sha256 "$HOLM_ROOT"/layers "$HOLM_ROOT"/partial -mindepth 1)" ]
}

@test "of a container whose image is gone, of one of a folder, in a user namespace" {
	box
	expect 0 holm rmi -f busybox
	expect 0 holm commit box new:1
	expect 0 holm rm box
	expect 0 holm run --rm new:1 cat /d/f
	output_is f
	expect 0 holm save -o new.tar new:1
	mkdir tree && tar -C tree -xf <(holm export "$(holm create new:1 true)")
	given tree
	expect 0 holm run --name box "dir:$PWD/tree" sh -c 'echo folder >/which'
	expect 0 holm commit box folder:1
	expect 0 holm run --rm folder:1 cat /d/f /which
	output_is $'f\nfolder'
	expect 0 holm rm box
	expect 0 holm run --name box --userns auto new:1 sh -c 'touch /mine; chown 5:6 /mine /d/f'
	expect 0 holm commit box mapped:1
	expect 0 holm run --rm mapped:1 stat -c %u:%g /mine /d/f /
	output_is $'5:6\n5:6\n0:0'
}

@test "--squash: all files in one layer; --format: docker's types or OCI's" {
	printf 'one\n' >one
	tar -c one | holm import -q -c 'ENV A=b' -c 'LABEL l=m' - base:1
	holm create --name box --entrypoint /x base:1
	holm cp - box:/ < <(mkdir -p d && echo two >d/two && tar -c d)
	expect 0 holm commit --squash -c 'CMD ["y"]' box flat:1
	expect 0 holm image inspect -f '{{len .RootFS.Layers}} {{.Config.Env}} {{.Config.Labels.l}} {{.Config.Cmd}} {{.Config.Entrypoint}}' flat:1
	[[ $output == "1 [PATH="*" A=b] m [y] [/x]" || $output == "1 [A=b] m [y] [/x]" ]]
	[ "$(holm history -q flat:1 | wc -l)" = 1 ]
	holm create --name flat flat:1
	[ "$(holm cp flat:/d/two - | tar -xO)$(holm cp flat:/one - | tar -xO)" = twoone ]
	# of a running one, without what is mounted in it
	running_box_of busybox
	expect 0 holm commit --squash running whole:1
	holm create --name whole whole:1
	expect 0 holm export whole -o whole.tar
	tar -tf whole.tar >names
	grep -qx 'bin/busybox' names && grep -qx data names
	not grep -q '^v/.\|^proc/.' names
	[ "$(holm inspect -f '{{.State.Status}}' running)" = running ]
	local type
	for type in oci docker; do
		expect 0 holm commit --format $type box typed:$type
		expect 0 holm push typed:$type "oci:$PWD/$type"
	done
	[[ $(media typed:docker) == *docker.distribution.manifest.v2*docker.container.image.v1*docker.image.rootfs.diff.tar*docker.image.rootfs.diff.tar* ]]
	[[ $(media typed:oci) != *docker* ]]
	holm create --name again typed:docker
	expect 0 holm commit again typed:back
	[[ $(media typed:back) != *docker* ]]
	expect 0 holm push typed:docker "dir:$PWD/typed"
	skopeo inspect "dir:$PWD/typed" >/dev/null
	refused 125 "--format" holm commit --format tar box x:1
}

media() { # IMAGE
	local digest
	digest=$(holm images --digests --format '{{.Digest}}' "$1")
	jq -r '.mediaType, .config.mediaType, .layers[].mediaType' \
		"$HOLM_ROOT/images/blobs/sha256/${digest#sha256:}" | xargs
}

running_box_of() { # IMAGE
	holm run -d --name running -v v:/v "$1" sh -c 'echo data >/data; echo volume >/v/file; sleep 1000'
	within 5 holm exec running test -e /v/file
}

@test "a running container stands still meanwhile and goes on, also when commit fails" {
	running_box
	expect 0 holm commit box new:1
	[ "$(holm inspect -f '{{.State.Status}}' box)" = running ]
	expect 0 holm commit --pause=false box new:2
	holm pause box
	expect 0 holm commit box new:3
	[ "$(holm inspect -f '{{.State.Status}}' box)" = paused ]
	holm unpause box
	for tag in 1 2 3; do
		expect 0 holm run --rm new:$tag cat /data
		output_is data
	done
	holm exec box mkdir -p /x
	holm exec box touch /x/.wh.bad
	refused 1 "taken for a whiteout" holm commit box new:4
	[ "$(holm inspect -f '{{.State.Status}}' box)" = running ]
	refused 1 "no such image" holm image inspect new:4
}

@test "a commit that is killed does not leave its container paused" {
	running_box
	local pid signal
	exec 8<"$HOLM_ROOT/images"
	flock 8 # the image cannot be named as long as this is held
	for signal in KILL TERM HUP; do
		holm commit box new:1 8<&- &
		pid=$!
		within 10 box_is paused
		kill -"$signal" $pid
		within 10 box_is running
		wait $pid || true
	done
	# who unpauses meanwhile has his way
	holm commit box new:1 8<&- &
	pid=$!
	within 10 box_is paused
	expect 0 holm unpause box
	expect 0 holm pause box
	exec 8<&-
	wait $pid
	box_is paused
	expect 0 holm unpause box
	expect 0 holm run --rm new:1 cat /data
	output_is data
	# what the killed ones left goes with the next collection
	expect 0 holm gc
}

box_is() { # STATUS
	[ "$(holm inspect -f '{{.State.Status}}' box)" = "$1" ]
}

@test "wrong names and instructions are refused before anything is done" {
	running_box
	refused 1 "UPPER" holm commit box UPPER:1
	refused 1 "a:b:c" holm commit box a:b:c
	refused 1 "--change" holm commit -c 'RUN x' box new:1
	refused 1 "--change" holm commit -c NOPE box new:1
	refused 1 "no such container" holm commit gone new:1
	refused 1 "at least 1 argument" holm commit
	expect 0 holm images -q
	[ "$(wc -l <<<"$output")" = 1 ]
	expect 0 holm commit --iidfile id box
	[ "$(cat id)" = "$output" ]
}

@test "a full disk: an error that says so, nothing left, the container goes on" {
	small_disk "$BATS_TEST_TMPDIR/disk" 32
	export HOLM_ROOT=$BATS_TEST_TMPDIR/disk/root
	expect 0 holm run -d --name box busybox sh -c 'dd if=/dev/urandom of=/big bs=1M count=16 && touch /ready; sleep 1000'
	within 10 holm exec box test -e /ready
	before=$(sync -f "$HOLM_ROOT" && df --output=used "$HOLM_ROOT" | tail -1)
	expect 1 holm commit box new:1
	output_has "No space left on device"
	after=$(sync -f "$HOLM_ROOT" && df --output=used "$HOLM_ROOT" | tail -1)
	[ "$after" -le $((before + 256)) ]
	[ "$(holm inspect -f '{{.State.Status}}' box)" = running ]
	expect 0 holm rm -f box
	small_disk_end "$BATS_TEST_TMPDIR/disk"
}
