#!/usr/bin/env bats
# Binds, volumes, tmpfs, images as mounts.
load holm

@test "a bind shows the host's folder, and read-only keeps it so" {
	mkdir "$BATS_TEST_TMPDIR/host"
	echo content >"$BATS_TEST_TMPDIR/host/file"
	expect 0 holm run --rm -v "$BATS_TEST_TMPDIR/host:/mnt/a" busybox sh -c 'cat /mnt/a/file; echo new > /mnt/a/new'
	output_is content
	[ "$(cat "$BATS_TEST_TMPDIR/host/new")" = new ]
	expect 1 holm run --rm -v "$BATS_TEST_TMPDIR/host:/mnt/a:ro" busybox touch /mnt/a/x
	output_has "Read-only file system"
	expect 0 holm run --rm --mount "type=bind,src=$BATS_TEST_TMPDIR/host/file,dst=/one,readonly" busybox cat /one
	output_is content
	cd "$BATS_TEST_TMPDIR"
	expect 0 holm run --rm -v ./host:/mnt/a busybox cat /mnt/a/file
	output_is content
}

@test "a missing folder: -v makes it, --mount refuses" {
	expect 0 holm run --rm -v "$BATS_TEST_TMPDIR/a/b/c:/x" busybox touch /x/y
	[ -e "$BATS_TEST_TMPDIR/a/b/c/y" ]
	refused 125 "does not exist" holm run --rm --mount type=bind,src=/nosuch,dst=/x busybox true
}

@test "a read-only bind is so for what is mounted below it, too" {
	needs_root "a user may not look below what others mounted"
	mkdir -p "$BATS_TEST_TMPDIR/host/below"
	mount -t tmpfs x "$BATS_TEST_TMPDIR/host/below"
	local bind=type=bind,src=$BATS_TEST_TMPDIR/host,dst=/x
	expect 1 holm run --rm --mount "$bind,readonly" busybox touch /x/below/y
	expect 0 holm run --rm --mount "$bind,readonly,bind-recursive=writable" busybox touch /x/below/y
	expect 1 holm run --rm --mount "$bind,bind-recursive=disabled" busybox test -e /x/below/y
	umount "$BATS_TEST_TMPDIR/host/below"
}

@test "a named volume stays, and is shared" {
	expect 0 holm run --rm -v data:/d busybox sh -c 'echo kept > /d/x'
	expect 0 holm run --rm -v data:/elsewhere:ro busybox cat /elsewhere/x
	output_is kept
	expect 0 holm volume rm data
}

@test "a new volume gets what the image has there, once" {
	expect 0 holm run --rm -v etc:/etc busybox sh -c 'ls /etc/passwd; rm /etc/group'
	expect 0 holm run --rm -v etc:/etc busybox ls /etc
	[[ $output != *group* && $output == *passwd* ]]
	expect 0 holm run --rm -v bare:/etc/x:nocopy busybox ls -A /etc/x
	output_is ""
	expect 0 holm run --rm --mount type=volume,src=bare2,dst=/etc,volume-nocopy busybox sh -c 'test ! -e /etc/passwd'
}

@test "an anonymous volume goes with its container, by --rm or rm -v" {
	expect 0 holm run --rm -v /data busybox touch /data/x
	expect 0 holm volume ls -q
	output_is ""
	expect 0 holm run --name box -v /data busybox touch /data/x
	expect 0 holm volume ls -q
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	expect 0 holm rm -v box
	expect 0 holm volume ls -q
	output_is ""
	expect 0 holm run --name box -v /data busybox true
	expect 0 holm rm box # without -v it stays
	expect 0 holm volume ls -q
	[[ $output =~ ^[0-9a-f]{64}$ ]]
}

@test "the image's own volumes are anonymous ones with its content" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/srv" "$BATS_TEST_TMPDIR/tree/bin"
	echo seed >"$BATS_TEST_TMPDIR/tree/srv/file"
	cp /bin/busybox "$BATS_TEST_TMPDIR/tree/bin/sh"
	cp /bin/busybox "$BATS_TEST_TMPDIR/tree/bin/cat"
	tar -cf "$BATS_TEST_TMPDIR/layer.tar" -C "$BATS_TEST_TMPDIR/tree" .
	CONFIG='{"Volumes":{"/srv":{}},"Env":["PATH=/bin"]}' oci_image "$BATS_TEST_TMPDIR/image" x "$BATS_TEST_TMPDIR/layer.tar"
	expect 0 holm run --name box "oci:$BATS_TEST_TMPDIR/image" cat /srv/file
	output_is seed
	expect 0 holm inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}}{{end}}' box
	output_is "volume /srv"
	expect 0 holm run --rm --volumes-from box "oci:$BATS_TEST_TMPDIR/image" sh -c 'cat /srv/file; echo more >> /srv/file'
	expect 0 holm start -a box
	output_is $'seed\nmore'
	expect 0 holm rm -v box
	expect 0 holm volume ls -q
	output_is ""
}

@test "volumes-from takes all mounts of another, also read-only" {
	mkdir "$BATS_TEST_TMPDIR/host"
	echo bound >"$BATS_TEST_TMPDIR/host/f"
	expect 0 holm create --name box -v named:/n -v /anon -v "$BATS_TEST_TMPDIR/host:/h" busybox true
	expect 0 holm run --rm --volumes-from box busybox sh -c 'cat /h/f; echo 1 > /n/x; echo 2 > /anon/x'
	output_is bound
	expect 1 holm run --rm --volumes-from box:ro busybox touch /n/y
	expect 0 holm run --rm --volumes-from box:ro busybox cat /n/x /anon/x
	output_is $'1\n2'
	refused 125 "no such container" holm run --rm --volumes-from nosuch busybox true
	refused 125 "CONTAINER[:ro|rw|z|Z]" holm run --rm --volumes-from box:bad busybox true
}

@test "tmpfs with its size, mode and flags" {
	expect 0 holm run --rm --tmpfs /t:size=1m,mode=700 busybox sh -c 'grep " /t " /proc/mounts; stat -c %a /t'
	output_has "size=1024k"
	output_has noexec
	output_has nosuid
	output_has 700
	expect 1 holm run --rm --tmpfs /t:size=1m busybox dd if=/dev/zero of=/t/x bs=1M count=2
	expect 0 holm run --rm --mount type=tmpfs,dst=/t,tmpfs-size=2m,tmpfs-mode=1770 busybox stat -c %a /t
	output_is 1770
	expect 0 holm run --rm --tmpfs /t:exec busybox sh -c 'cp /bin/busybox /t/sh; /t/sh -c "echo ran"'
	output_is ran
	refused 125 "--tmpfs" holm run --rm --tmpfs /t:nosuch=1 busybox true
	refused 125 "--tmpfs" holm run --rm --tmpfs relative busybox true
}

@test "an image is a mount" {
	expect 0 holm run --rm --mount type=image,src=busybox,dst=/img busybox cat /img/etc/passwd
	output_has root
	expect 1 holm run --rm --mount type=image,src=busybox,dst=/img busybox touch /img/x
	expect 0 holm run --rm --mount type=image,src=busybox,dst=/img,image-subpath=etc busybox ls /img
	output_has passwd
}

@test "a part of a volume, and no link leads out of it" {
	expect 0 holm run --rm -v data:/d busybox sh -c 'mkdir /d/part; echo in > /d/part/f; ln -s /etc /d/out; ln -s ../../../../etc /d/up'
	expect 0 holm run --rm --mount type=volume,src=data,dst=/x,volume-subpath=part busybox cat /x/f
	output_is in
	refused 125 "part out" holm run --rm --mount type=volume,src=data,dst=/x,volume-subpath=out busybox ls /x
	refused 125 "part up" holm run --rm --mount type=volume,src=data,dst=/x,volume-subpath=up busybox ls /x
	refused 125 "subpath" holm run --rm --mount type=volume,src=data,dst=/x,volume-subpath=../y busybox ls /x
}

@test "the root is read-only, and what is mounted is not" {
	expect 0 holm run --rm --read-only --tmpfs /tmp -v data:/d busybox sh -c 'touch /tmp/x /d/x; ! touch /x'
	expect 0 holm run --rm --shm-size 1m busybox sh -c 'grep " /dev/shm " /proc/mounts'
	output_has "size=1024k"
}

@test "targets that are links in the image stay inside the container" {
	expect 0 holm run --name box busybox sh -c 'ln -s /etc /link; ln -s ../../../../../../tmp /up'
	mkdir -p "$BATS_TEST_TMPDIR/host"
	echo mine >"$BATS_TEST_TMPDIR/host/f"
	holm rm box
	mkdir -p "$BATS_TEST_TMPDIR/tree/etc" "$BATS_TEST_TMPDIR/tree/bin"
	cp /bin/busybox "$BATS_TEST_TMPDIR/tree/bin/cat"
	ln -s /etc "$BATS_TEST_TMPDIR/tree/link"
	ln -s ../../../../../../../etc "$BATS_TEST_TMPDIR/tree/up"
	tar -cf "$BATS_TEST_TMPDIR/layer.tar" -C "$BATS_TEST_TMPDIR/tree" .
	oci_image "$BATS_TEST_TMPDIR/image" x "$BATS_TEST_TMPDIR/layer.tar"
	for link in link up; do
		expect 0 holm run --rm -v "$BATS_TEST_TMPDIR/host:/$link/new" "oci:$BATS_TEST_TMPDIR/image" /bin/cat /etc/new/f
		output_is mine
	done
	[ ! -e /etc/new ]
}

@test "volumes through the image's links: /var/run works, to /proc and onto the system's mounts is refused" {
	local tree=$BATS_TEST_TMPDIR/tree image=oci:$BATS_TEST_TMPDIR/image
	mkdir -p "$tree"/{var,run,bin}
	cp /bin/busybox "$tree/bin/cat"
	cp /bin/busybox "$tree/bin/touch"
	ln -s /run "$tree/var/run"
	ln -s /proc/sys "$tree/data"
	ln -s /dev "$tree/logs"
	tar -cf "$BATS_TEST_TMPDIR/layer.tar" -C "$tree" .
	oci_image "$BATS_TEST_TMPDIR/image" x "$BATS_TEST_TMPDIR/layer.tar"
	expect 0 holm run --rm -v x:/var/run "$image" touch /run/sock
	expect 0 holm run --rm -v x:/var/run/deep "$image" cat /run/deep/sock
	expect 0 holm run --rm --tmpfs /run --tmpfs /var/run "$image" touch /var/run/x
	for data in "-v x:/data" "--tmpfs /data" "-v x:/logs" "-v $BATS_TEST_TMPDIR/layer.tar:/data/kernel/domainname"; do
		# shellcheck disable=SC2086
		refused 125 "a link of the image leads it to a filesystem of the kernel" holm run --rm $data "$image" touch /x
	done
	expect 0 holm ps -aq
	output_is ""
	expect 0 holm volume rm x
}

@test "each mount that makes no sense is refused with the reason" {
	expect 0 holm run --rm busybox true
	while IFS='|' read -r text option value; do
		refused 125 "$text" holm run --rm "$option" "$value" busybox true
	done <<-'E'
		not an absolute path|-v|/tmp:relative
		cannot be '/'|-v|/tmp:/
		is no option|-v|/tmp:/x:bad
		both 'ro' and 'rw'|-v|/tmp:/x:ro,rw
		is not a volume's name|-v|a/b:/x
		an empty part|-v|:/x
		not [SOURCE:]TARGET[:OPTIONS]|-v|/a:/b:ro:x
		has no propagation|-v|name:/x:rshared
		it has no target|--mount|type=bind,src=/tmp
		it has no source|--mount|type=bind,dst=/x
		is no key of a mount|--mount|type=bind,src=/tmp,dst=/x,foo=1
		does not go with type=bind|--mount|type=bind,src=/tmp,dst=/x,volume-nocopy
		does not go with type=tmpfs|--mount|type=tmpfs,dst=/x,bind-propagation=shared
		type 'nosuch'|--mount|type=nosuch,dst=/x
		a tmpfs has no source|--mount|type=tmpfs,src=/a,dst=/x
		neither true nor false|--mount|type=bind,src=/tmp,dst=/x,readonly=maybe
		an octal mode|--mount|type=tmpfs,dst=/x,tmpfs-mode=9
		a quote that does not end|--mount|"type=bind
		needs a value|--mount|type=bind,src,dst=/x
	E
	refused 125 "two mounts have the target /x" holm run --rm -v a:/x -v b:/x/ busybox true
	expect 0 holm volume ls -q
	output_is ""
}

@test "export and import carry a volume's files as they are" {
	expect 0 holm run --rm -v one:/d busybox sh -c 'mkdir -p /d/deep/er; echo x > /d/deep/er/file; ln -s /etc/passwd /d/link
		echo wh > /d/.wh.name; chown 7:8 /d/deep/er/file; chmod 4711 /d/deep/er/file; ln /d/.wh.name /d/hard; mkfifo /d/fifo'
	expect 0 holm volume export -o one.tar one
	holm volume export one | cmp - one.tar
	expect 0 holm volume create two
	expect 0 holm volume import two one.tar
	expect 0 holm run --rm -v two:/d busybox sh -c 'cat /d/deep/er/file /d/.wh.name; stat -c "%a %u:%g" /d/deep/er/file
		readlink /d/link; stat -c %h /d/hard; test -p /d/fifo && echo fifo'
	output_is "x
wh
4711 7:8
/etc/passwd
2
fifo"
	# what is there under the same name is replaced, the rest stays; packed tars too
	mkdir t && echo new >t/only && ln -s /etc t/deep && tar -C t -cJf t.txz .
	holm volume import two - <t.txz
	expect 0 holm run --rm -v two:/d busybox sh -c 'cat /d/only /d/hard; readlink /d/deep'
	output_is "new
wh
/etc"
	refused 1 "no volume is called" holm volume import nosuch one.tar
	refused 1 "no volume is called" holm volume export nosuch
	refused 1 "tar" holm volume import two t/only
	refused 1 "No such file" holm volume import two nosuch.tar
	[ ! -e nosuch ]
	expect 0 holm volume rm one two
}

@test "a hostile tar for a volume stays in it" {
	echo host >sentinel
	expect 0 holm volume create v
	python3 - <<-E2
		import io, tarfile
		t = tarfile.open("evil.tar", "w")
		def add(name, kind=tarfile.REGTYPE, link="", body=b"evil"):
		    i = tarfile.TarInfo(name); i.type = kind; i.linkname = link
		    i.size = len(body) if kind == tarfile.REGTYPE else 0
		    t.addfile(i, io.BytesIO(body))
		add("s", tarfile.SYMTYPE, "$PWD")
		add("s/sentinel")
		t.close()
		t = tarfile.open("up.tar", "w")
		add("../../../sentinel")
		t.close()
	E2
	holm volume import v evil.tar || true
	refused 1 "leaves" holm volume import v up.tar
	[ "$(cat sentinel)" = host ]
	# a link that is in the volume already leads nowhere either
	ln -s "$PWD" "$HOLM_ROOT/volumes/v/data/old"
	mkdir old && echo evil >old/sentinel && tar -cf old.tar old/sentinel
	holm volume import v old.tar || true
	[ "$(cat sentinel)" = host ]
	expect 0 holm volume rm v
}

@test "volumes can be asked for by use, and looked up" {
	expect 0 holm volume create --label a=b free
	expect 0 holm create --name box -v used:/x busybox true
	expect 0 holm volume ls -q --filter dangling=true
	output_is free
	expect 0 holm volume ls -q --filter dangling=false
	output_is used
	expect 0 holm volume ls --format '{{.Name}} {{.Labels}}' --filter label=a=b --filter name=fre
	output_is "free a=b"
	expect 0 holm volume exists free
	expect 1 holm volume exists nosuch
	output_is ""
	[ -z "$stderr" ]
	expect 0 holm volume inspect --format '{{.Name}} {{.Driver}} {{index .Labels "a"}} {{.Scope}}' free
	output_is "free local b local"
	expect 0 holm rm box
	expect 0 holm volume rm free used
}

# --- filesystems of their own -----------------------------------------------------------------

@test "a tmpfs volume is shared, has its size, and goes when it is removed" {
	needs_root "a mount of a user's is seen in one container alone"
	expect 0 holm volume create -d tmpfs -o size=1m mem
	expect 0 holm volume create --driver local --opt type=tmpfs --opt device=tmpfs --opt o=size=2m,mode=1700,uid=5 mem2
	expect 0 holm run -d --name one -v mem:/m busybox sh -c 'echo shared > /m/x; sleep 1000'
	within 5 holm exec one test -s /m/x
	expect 0 holm run --rm -v mem:/m -v mem2:/n:nocopy busybox sh -c 'cat /m/x; stat -c "%a %u" /n; grep " /[mn] " /proc/mounts'
	output_has shared
	output_has "1700 5"
	output_has size=1024k
	output_has size=2048k
	expect 1 holm run --rm -v mem:/m busybox dd if=/dev/zero of=/m/big bs=1M count=2
	expect 0 holm volume inspect -f '{{.Options.type}} {{.Options.size}}' mem
	output_is "tmpfs 1m"
	expect 0 holm rm -f one
	expect 0 holm volume unmount mem
	expect 0 holm volume mount mem
	[ -d "$output" ] && [ -z "$(ls "$output")" ] && mountpoint -q "$output"
	expect 0 holm volume umount mem mem2
	expect 0 holm volume rm mem mem2
}

@test "a volume that binds a folder, and its files outlive it" {
	mkdir host && echo here >host/file
	expect 0 holm volume create -o type=none -o o=bind -o "device=$PWD/host" bound
	expect 0 holm volume create -o type=none -o o=bind,ro -o "device=$PWD/host" readonly
	expect 0 holm run --rm -v bound:/b busybox sh -c 'cat /b/file; echo new > /b/new'
	output_is here
	expect 1 holm run --rm -v readonly:/b busybox touch /b/no
	expect 0 holm volume rm bound readonly
	[ "$(cat host/new)" = new ] && [ "$(cat host/file)" = here ]
	expect 0 holm volume create -o type=none -o o=bind -o device=/nosuch gone
	refused 125 "mount /nosuch" holm run --rm -v gone:/b busybox true
	expect 0 holm volume rm gone
	refused 1 "--opt: 'color'" holm volume create -o color=red x
	refused 1 "--opt device is missing" holm volume create -o type=ext4 x
	refused 1 "--opt type is missing" holm volume create -o device=/dev/sda x
	refused 1 "not an absolute path" holm volume create -o type=none -o o=bind -o device=host x
	refused 1 "--opt size is for type=tmpfs" holm volume create -o type=nfs -o device=:/x -o size=1m x
	refused 125 "--driver" holm volume create -d nfs x
	expect 0 holm volume ls -q
	output_is ""
}

@test "U gives the files to the container's user, and follows no link" {
	mkdir -p host/sub && echo x >host/sub/file && echo keep >outside
	ln -s "$PWD/outside" host/link && ln -s / host/root
	given host
	expect 0 holm run --rm -u 1000:1001 -v "$PWD/host:/h:U" -v vol:/v:U busybox sh -c 'touch /h/sub/new /v/new && stat -c %u:%g /h /h/sub/file /v'
	output_is "1000:1001
1000:1001
1000:1001"
	local owner=1000:1001
	[ -z "${HOLM_TEST_USER:-}" ] || owner=300999:301000 # of the user's range
	[ "$(stat -c %u:%g host/sub/file)" = $owner ]
	[ "$(stat -c %u:%g host/link)" = $owner ]
	[ "$(stat -c %u:%g outside)" = 0:0 ] && [ "$(stat -c %u /)" = 0 ]
	chown -R 0:0 host
	given host
	expect 0 holm run --rm -u 7 --mount "type=bind,src=$PWD/host,dst=/h,U=true" busybox stat -c %u /h/sub/file
	output_is 7
	expect 0 holm run --rm -v "$PWD/host:/h" busybox stat -c %u /h/sub/file
	output_is 7
	expect 0 holm volume rm vol
}

@test "idmap shows the host's owners as the container's, and changes none" {
	needs_root "the kernel maps the ids of mounts for the host's root alone"
	mkdir host && echo x >host/file && chown 5:6 host/file && chmod 777 host
	expect 0 holm run --rm --userns auto:size=1000 -v "$PWD/host:/h:idmap" busybox sh -c 'stat -c %u:%g /h/file; touch /h/new'
	output_is 5:6
	[ "$(stat -c %u:%g host/new)" = 0:0 ] && [ "$(stat -c %u:%g host/file)" = 5:6 ]
	expect 0 holm run --rm -v "$PWD/host:/h:idmap" busybox stat -c %u:%g /h/file
	output_is 5:6
}

@test "the flags of a mount: noexec, nosuid, nodev" {
	expect 0 holm run --rm -v flags:/f:noexec,nosuid,nodev -v "$PWD:/g:ro,noexec" busybox sh -c 'grep " /[fg] " /proc/mounts'
	[[ $output =~ " /f "[a-z0-9]+" rw,nosuid,nodev,noexec" ]]
	[[ $output =~ " /g "[a-z0-9]+" ro,"[a-z,]*noexec ]]
	expect 126 holm run --rm -v flags:/f:noexec busybox sh -c 'cp /bin/busybox /f/sh; exec /f/sh'
	refused 125 "is no option" holm run --rm -v flags:/f:nosuch busybox true
	expect 0 holm volume rm flags
}
