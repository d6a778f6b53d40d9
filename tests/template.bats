#!/usr/bin/env bats
# template:DISTRIBUTION/RELEASE: a root filesystem made from a distribution's own packages. No mirror
# can be reached from these tests' network: of Debian a stand-in for mmdebstrap gives the tar that the
# real one made before (tests/images), those of Alpine and of rpm's distributions are made here.
load holm
load systems

setup() {
	holm_setup
	ids_for_containers
	mkdir "$BATS_TEST_TMPDIR/bin"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

teardown() {
	systems_teardown
}

stand_in() { # what it does: lines of shell
	made_image debian
	cat >"$BATS_TEST_TMPDIR/bin/mmdebstrap" <<-E
		#!/bin/sh
		echo "\$@" >>$BATS_TEST_TMPDIR/arguments
		cat >$BATS_TEST_TMPDIR/sources
		$1
	E
	chmod +x "$BATS_TEST_TMPDIR/bin/mmdebstrap"
}

@test "a template is made once, with the host's sources, and runs" {
	stand_in "exec cat $HOLM_IMAGES/debian.tar"
	expect 0 holm run --rm template:debian/bookworm cat /etc/os-release
	output_has "Making template:debian/bookworm by mmdebstrap"
	output_has "VERSION_CODENAME=bookworm"
	grep -q 'bookworm - -$' "$BATS_TEST_TMPDIR/arguments"
	grep -q '^deb \[signed-by=/[^]]*\] http.*/debian bookworm main$' "$BATS_TEST_TMPDIR/sources"
	grep -q '/debian-security bookworm-security main$' "$BATS_TEST_TMPDIR/sources"

	expect 0 holm run --rm template:debian/bookworm bash -c 'echo $((40 + 2))'
	output_is 42
	[ "$(wc -l <"$BATS_TEST_TMPDIR/arguments")" = 1 ]
	expect 0 holm images --format '{{.Repository}}:{{.Tag}}'
	output_is template:debian/bookworm
}

@test "mmdebstrap has the descriptors from 4 on for itself, as its /bin/sh knows one digit" {
	stand_in "ls /proc/\$\$/fd >$BATS_TEST_TMPDIR/descriptors; exec cat $HOLM_IMAGES/debian.tar"
	expect 0 holm run --rm template:debian/bookworm true 4>&1 5>&1 6>&1 7>&1 8>&1 9>&1
	run grep -c '^[4-9]$' "$BATS_TEST_TMPDIR/descriptors"
	output_is 0
	grep -q '^3$' "$BATS_TEST_TMPDIR/descriptors"
}

@test "four at once make it once" {
	stand_in "exec cat $HOLM_IMAGES/debian.tar"
	local pids=() pid
	for _ in 1 2 3 4; do
		holm run --rm template:debian/bookworm true 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	[ "$(wc -l <"$BATS_TEST_TMPDIR/arguments")" = 1 ]
}

@test "when mmdebstrap fails its last words are told, and no image is there" {
	stand_in "head -c 100000 $HOLM_IMAGES/debian.tar; echo 'E: no such suite' >&2; exit 25"
	expect 125 holm run --rm template:debian/nosuch true
	output_has "status 25"
	output_has "no such suite"
	expect 0 holm images -q
	output_is ""
}

@test "a system is launched from a template that has an init" {
	stand_in "exec cat $HOLM_IMAGES/debian.tar"
	expect 127 holm launch --network none template:debian/bookworm deb
	output_has "there is no init to boot"
	grep -q -- '--include=systemd-sysv,' "$BATS_TEST_TMPDIR/arguments"
	grep -q 'bookworm - -$' "$BATS_TEST_TMPDIR/arguments"
	expect 0 holm inspect --format '{{.Config.Image}}' deb
	output_is template:debian/bookworm/system
	holm rm deb
	expect 0 holm create --name app template:debian/bookworm/system
	holm rm app
	[ "$(wc -l <"$BATS_TEST_TMPDIR/arguments")" = 1 ]
}

@test "a name that is no distribution and suite is refused before anything runs" {
	stand_in "exit 0"
	for name in debian/ /bookworm debian/-o debian/../x 'debian/a b' DEBIAN/x debian/x/y; do
		expect 125 holm run --rm "template:$name" true
		output_has "not a distribution and a release"
	done
	for name in debian debian/system; do
		expect 125 holm run --rm "template:$name" true
		output_has "which release of debian"
	done
	expect 125 holm run --rm template:busybox/1.36 true
	output_has "busybox has no releases"
	for mirror in ftp://x/debian file:///etc "http://x/a b" $'http://x/\ny' 'http://u:p@x/'; do
		expect 125 holm run --rm --mirror "$mirror" template:debian/bookworm true
		output_has "--mirror"
	done
	[ ! -e "$BATS_TEST_TMPDIR/arguments" ]
}

@test "the mirror and the processor that were asked for are taken, and the proxy of the host's apt" {
	stand_in 'echo "$http_proxy" >'"$BATS_TEST_TMPDIR/proxy"'; exit 25'
	cat >"$BATS_TEST_TMPDIR/bin/apt-config" <<-'E'
		#!/bin/sh
		[ "$*" = "dump --no-empty --format=%v%n Acquire::http::Proxy" ] && echo http://127.0.0.1:3142
	E
	chmod +x "$BATS_TEST_TMPDIR/bin/apt-config"
	expect 125 env -u http_proxy holm run --mirror http://10.9.9.9/debian/ --platform linux/arm64 \
		template:debian/bookworm true
	grep -qx 'deb \[signed-by=/[^]]*\] http://10.9.9.9/debian bookworm main' "$BATS_TEST_TMPDIR/sources"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/sources")" = 1 ]
	grep -q -- '--architectures=arm64' "$BATS_TEST_TMPDIR/arguments"
	[ "$(cat "$BATS_TEST_TMPDIR/proxy")" = http://127.0.0.1:3142 ]
	# what the user says goes before
	expect 1 env http_proxy=http://127.0.0.1:8080 "$(command -v holm)" pull template:debian/bookworm
	[ "$(cat "$BATS_TEST_TMPDIR/proxy")" = http://127.0.0.1:8080 ]
}

@test "a distribution whose keys are not here is refused, and says which package has them" {
	stand_in "exit 0"
	[ ! -e /usr/share/keyrings/ubuntu-archive-keyring.gpg ] || skip "the keys of Ubuntu are here"
	expect 125 holm run --rm template:ubuntu/noble true
	output_has "apt-get install ubuntu-keyring"
	[ ! -e "$BATS_TEST_TMPDIR/arguments" ]
}

@test "a key of one's own goes before that of the distribution" {
	stand_in "exit 25"
	mkdir -p "$HOME/.config/holm/keys"
	echo key >"$HOME/.config/holm/keys/ubuntu.asc"
	expect 1 holm pull template:ubuntu/noble
	grep -q "^deb \[signed-by=$HOME/.config/holm/keys/ubuntu.asc\] .* noble main universe" \
		"$BATS_TEST_TMPDIR/sources"
}

# The PATH without one program.
path_without() { # PROGRAM
	local folder=$BATS_TEST_TMPDIR/path
	mkdir "$folder"
	find /usr/sbin /usr/bin "$(command -v holm)" "$BATS_TEST_TMPDIR/bin" ! -type d ! -name "$1" -print0 |
		xargs -0 ln -sft "$folder"
	PATH=$folder
}

@test "debootstrap does it where there is no mmdebstrap" {
	made_image debian
	cat >"$BATS_TEST_TMPDIR/bin/debootstrap" <<-E
		#!/bin/bash
		echo "\$@" >>$BATS_TEST_TMPDIR/arguments
		for last; do before=\$root root=\$this this=\$last; done
		mkdir -p "\$root" && tar -C "\$root" -xf $HOLM_IMAGES/debian.tar
		echo host >"\$root/etc/hostname"
		mkdir -p "\$root/var/cache/apt/archives" && echo x >"\$root/var/cache/apt/archives/x.deb"
	E
	chmod +x "$BATS_TEST_TMPDIR/bin/debootstrap"
	path_without mmdebstrap
	expect 0 holm run --rm template:debian/bookworm sh -c \
		'cat /etc/apt/sources.list /etc/hostname; ls /var/cache/apt'
	output_has "brings no security updates"
	[[ $output == "deb [signed-by="*" bookworm main"* ]]
	[[ $output != *host* && $output != *archives* ]]
	grep -q -- '--variant=minbase --arch=amd64 --keyring=/.* --components=main bookworm ' \
		"$BATS_TEST_TMPDIR/arguments"
}

@test "what a killed one leaves is gone with the next, and nothing of it runs on" {
	stand_in 'echo $$ >'"$BATS_TEST_TMPDIR"'/started; head -c 1000000 /dev/zero; setsid sleep 1000; sleep 1000'
	holm pull template:debian/bookworm >/dev/null 2>&1 3>&- &
	local pid=$!
	within 10 test -s "$BATS_TEST_TMPDIR/started"
	within 10 pgrep -x holm-image
	# the first of its PID namespace
	[ "$(cat "$BATS_TEST_TMPDIR/started")" = 1 ]
	kill -KILL $pid
	wait $pid || true
	within 5 not pgrep -x holm-image
	within 5 not pgrep -f "sleep 1000"
	holm image exists template:debian/bookworm && return 1
	[ -e "$HOLM_ROOT/layers/.new-template/root.tar" ]
	stand_in "exit 25"
	expect 1 holm pull template:debian/bookworm
	[ -z "$(find "$HOLM_ROOT/layers" "$HOLM_ROOT/partial" -mindepth 1)" ]
}

@test "what a killed one leaves is gone with garbage collection" {
	holm images >/dev/null
	mkdir -p "$HOLM_ROOT/layers/.new-template/root/etc"
	expect 0 holm system gc
	[ ! -e "$HOLM_ROOT/layers/.new-template" ]
}

@test "busybox is a system of two megabytes" {
	expect 0 holm run --rm template:busybox sh -c 'echo $((40 + 2)); ls /etc'
	output_has $'42\ngroup'
	output_has inittab
	expect 0 holm launch --network none template:busybox bb
	expect 0 holm exec bb readlink /proc/1/exe
	output_is /bin/busybox
	expect 0 holm stop bb
	[ "$(status_of bb)" = "exited 0" ]
	expect 125 holm run --rm --platform linux/s390x template:busybox true
	output_has "the host's busybox is not for s390x"
}

# --- Alpine -------------------------------------------------------------------------------------

# A mirror of it: a mini root filesystem of busybox, whose apk says what it was asked for and brings an
# openrc of two lines.
alpine_mirror() {
	local releases=$BATS_TEST_TMPDIR/mirror/v3.20/releases/x86_64
	local file=alpine-minirootfs-3.20.3-x86_64.tar.gz
	mkdir -p "$releases" tree/{bin,sbin,etc/apk,dev,proc,sys,run,tmp,root,usr/bin}
	cp /bin/busybox tree/bin/
	for applet in sh cat echo ls sleep chmod true; do ln -sf busybox "tree/bin/$applet"; done
	for applet in init getty reboot; do ln -sf ../bin/busybox "tree/sbin/$applet"; done
	cat >tree/sbin/apk <<-'E'
		#!/bin/sh
		echo "apk $*" >/etc/apk/world
		cat /etc/resolv.conf >>/etc/apk/world
		printf '#!/bin/sh\necho openrc $*\nsleep 0.3\n' >/sbin/openrc
		chmod +x /sbin/openrc
	E
	chmod +x tree/sbin/apk
	echo 'NAME="Alpine Linux"' >tree/etc/os-release
	echo root:x:0:0:root:/root:/bin/sh >tree/etc/passwd
	tar -C tree --owner=0 --group=0 -czf "$releases/$file" .
	(cd "$releases" && sha256sum "$file" >"$file.sha256")
	cat >"$releases/latest-releases.yaml" <<-E
		---
		-
		  title: "Standard"
		  desc: |
		    Alpine as it was intended.
		  flavor: alpine-standard
		  file: alpine-standard-3.20.3-x86_64.iso
		  sha256: 0000
		-
		  title: "Mini root filesystem"
		  branch: v3.20
		  arch: x86_64
		  flavor: alpine-minirootfs
		  file: $file
		  sha256: $(cut -c1-64 "$releases/$file.sha256")
	E
	MIRROR=http://127.0.0.1:8000
	serve 8000
}

serve() { # PORT
	service python3 -m http.server --bind 127.0.0.1 --directory "$BATS_TEST_TMPDIR/mirror" "$1"
	within 10 listens "$1"
}

@test "alpine: the newest of a branch, and one release" {
	alpine_mirror
	expect 0 holm run --rm --mirror "$MIRROR" template:alpine/3.20 cat /etc/os-release /etc/apk/repositories
	output_is "NAME=\"Alpine Linux\"
$MIRROR/v3.20/main
$MIRROR/v3.20/community"
	expect 0 holm run --rm --mirror "$MIRROR/" template:alpine/3.20.3 cat /etc/os-release
	grep -q 'latest-releases.yaml' "$BATS_TEST_TMPDIR/service.0.log"
	grep -q '3.20.3-x86_64.tar.gz.sha256' "$BATS_TEST_TMPDIR/service.0.log"
	# made once
	expect 0 holm run --rm template:alpine/3.20 true
	expect 125 holm run --rm --mirror "$MIRROR" template:alpine/edge true
	output_has "the server answers 404"
	expect 125 holm run --rm --mirror "$MIRROR" --platform linux/arm64 template:alpine/3.20 true
	output_has "aarch64/latest-releases.yaml: the server answers 404"
	# and again when that is asked for
	local before
	before=$(holm images -q --no-trunc template:alpine/3.20)
	expect 0 holm run --rm --pull always --mirror "$MIRROR" template:alpine/3.20 true
	[ "$(holm images -q --no-trunc template:alpine/3.20)" != "$before" ]
}

@test "alpine: a system of it has OpenRC" {
	alpine_mirror
	expect 0 holm launch --network none --mirror "$MIRROR" template:alpine/3.20 al
	expect 0 holm exec al cat /etc/apk/world /etc/rc.conf
	output_has "apk add --no-cache openrc"
	output_has 'rc_sys="lxc"'
	within 10 said al "openrc default"
	expect 0 holm exec al ls /etc
	[[ $output != *resolv.conf.* ]]
	expect 0 holm stop al
	[ "$(status_of al)" = "exited 0" ]
}

@test "alpine: a link in place of /etc leads nowhere but into the system" {
	alpine_mirror
	local releases=$BATS_TEST_TMPDIR/mirror/v3.20/releases/x86_64
	local file=alpine-minirootfs-3.20.3-x86_64.tar.gz
	mkdir outside
	echo mine >outside/resolv.conf
	mkdir -p "tree$PWD"
	mv tree/etc "tree$PWD/outside"
	ln -s "$PWD/outside" tree/etc
	tar -C tree --owner=0 --group=0 -czf "$releases/$file" .
	(cd "$releases" && sha256sum "$file" >"$file.sha256")
	expect 0 holm launch --network none --mirror "$MIRROR" template:alpine/3.20.3 al
	expect 0 holm exec al ls /etc/
	output_has rc.conf
	[ "$(ls outside)" = resolv.conf ]
	[ "$(cat outside/resolv.conf)" = mine ]
}

@test "alpine: what has another checksum is refused" {
	alpine_mirror
	local file=$BATS_TEST_TMPDIR/mirror/v3.20/releases/x86_64/alpine-minirootfs-3.20.3-x86_64.tar.gz
	echo more >>"$file"
	for release in 3.20 3.20.3; do
		expect 125 holm run --rm --mirror "$MIRROR" "template:alpine/$release" true
		output_has "and Alpine says sha256:"
	done
	sed -i 's|file: alpine-mini.*|file: ../../../../etc/passwd|' "${file%/*}/latest-releases.yaml"
	expect 125 holm run --rm --mirror "$MIRROR" template:alpine/3.20 true
	output_has "is not the name of a mini root filesystem"
	expect 0 holm images -q
	output_is ""
	[ -z "$(find "$HOLM_ROOT/layers" "$HOLM_ROOT/partial" -mindepth 1)" ]
}

# A key of one's own making: FOLDER/NAME.asc is the public half.
make_key() { # NAME FOLDER
	export GNUPGHOME=$BATS_TEST_TMPDIR/gnupg
	mkdir -p "$GNUPGHOME" "$2"
	chmod 700 "$GNUPGHOME"
	gpg --batch --quiet --passphrase '' --quick-generate-key "$1@example.org" rsa2048 sign 2>/dev/null
	gpg --batch --armor --export "$1@example.org" >"$2/$1.asc"
	gpgconf --kill all
}

@test "alpine: with its key at hand the signature must be good" {
	alpine_mirror
	local file=$BATS_TEST_TMPDIR/mirror/v3.20/releases/x86_64/alpine-minirootfs-3.20.3-x86_64.tar.gz
	make_key alpine "$HOME/.config/holm/keys"
	expect 125 holm run --rm --mirror "$MIRROR" template:alpine/3.20 true
	output_has "tar.gz.asc: the server answers 404"
	gpg --batch --quiet --armor --detach-sign -o "$file.asc" "$BATS_TEST_TMPDIR/mirror/v3.20/releases/x86_64/latest-releases.yaml"
	expect 125 holm run --rm --mirror "$MIRROR" template:alpine/3.20 true
	output_has "verify its signature by $HOME/.config/holm/keys/alpine.asc"
	rm "$file.asc"
	gpg --batch --quiet --armor --detach-sign -o "$file.asc" "$file"
	gpgconf --kill all
	expect 0 holm run --rm --mirror "$MIRROR" template:alpine/3.20 true
}

@test "alpine: plain HTTP from elsewhere is not believed without the key" {
	expect 125 timeout 20 "$(command -v holm)" run --rm --mirror http://10.9.9.9/alpine template:alpine/3.20 true
	output_has "is plain HTTP"
	output_has "/etc/holm/keys/alpine.asc"
}

@test "a proxy stands between holm and the mirror" {
	needs tinyproxy
	alpine_mirror
	printf 'Port 8888\nListen 127.0.0.1\nLogFile "%s/proxy.log"\nLogLevel Connect\n' \
		"$BATS_TEST_TMPDIR" >proxy.conf
	service tinyproxy -d -c proxy.conf
	within 10 listens 8888
	# what is not this machine's own goes by it; the key makes plain HTTP good enough
	make_key alpine "$HOME/.config/holm/keys"
	expect 125 env http_proxy=http://127.0.0.1:8888 "$(command -v holm)" run --rm \
		--mirror http://mirror.example:8000 template:alpine/3.20 true
	grep -q 'mirror.example' "$BATS_TEST_TMPDIR/proxy.log"
}

# --- Fedora and Rocky ---------------------------------------------------------------------------

# A repository of one package, which is all that a system has: busybox.
rpm_mirror() { # DISTRIBUTION RELEASE FOLDER...
	needs dnf createrepo_c rpmbuild rpmsign
	local name=$1 release=$2 top=$BATS_TEST_TMPDIR/rpm folder
	shift 2
	make_key "$name-$release" "$HOME/.config/holm/keys"
	mkdir -p "$top"
	cat >all.spec <<-E
		Name: $name-release
		Version: $release
		Release: 1
		Summary: all there is
		License: GPL
		AutoReqProv: no
		Provides: bash coreutils dnf glibc-minimal-langpack
		Provides: systemd dbus passwd util-linux iproute procps-ng
		%description
		All there is.
		%install
		mkdir -p %{buildroot}/bin %{buildroot}/sbin %{buildroot}/etc
		cp /bin/busybox %{buildroot}/bin/
		for a in sh cat ls echo; do ln -s busybox %{buildroot}/bin/\$a; done
		ln -s ../bin/busybox %{buildroot}/sbin/init
		echo 'root:x:0:0::/:/bin/sh' >%{buildroot}/etc/passwd
		echo 'ID=$name' >%{buildroot}/etc/os-release
		%post
		echo scripts ran >/etc/scripts 2>/dev/null
		%files
		/bin/*
		/sbin/*
		/etc/*
	E
	rpmbuild --quiet -bb --define "_topdir $top" --define '_build_id_links none' \
		--define '__os_install_post %{nil}' all.spec
	rpmsign --addsign --define "__gpg $(command -v gpg)" --define "_gpg_name $name-$release@example.org" "$top"/RPMS/*/*.rpm >/dev/null
	gpgconf --kill all
	for folder; do
		mkdir -p "$BATS_TEST_TMPDIR/mirror/$folder"
		cp "$top"/RPMS/*/*.rpm "$BATS_TEST_TMPDIR/mirror/$folder/"
		createrepo_c --quiet "$BATS_TEST_TMPDIR/mirror/$folder"
	done
	MIRROR=http://127.0.0.1:8000
	serve 8000
}

@test "rocky: dnf makes it, from the repositories of a mirror, signed" {
	rpm_mirror rocky 9 9/{BaseOS,AppStream}/x86_64/os
	expect 0 holm run --rm --mirror "$MIRROR" template:rocky/9 sh -c 'cat /etc/os-release /etc/scripts; ls /var/lib/rpm /dev/null'
	output_has ID=rocky
	output_has "scripts ran"
	output_has rpmdb.sqlite
	expect 0 holm launch --network none --mirror "$MIRROR" template:rocky/9 rock
	expect 0 holm exec rock cat /etc/os-release
	holm rm -f rock
	# nothing of it is on the host
	[ ! -e /var/lib/dnf/rocky ] && [ -z "$(ls -A "$HOLM_ROOT/partial")" ]
	[ -z "$(find "$HOLM_ROOT/layers" -maxdepth 1 -name '.*' ! -name .)" ]
	# another's signature
	rm -r "$GNUPGHOME"
	make_key rocky-9 "$HOME/.config/holm/keys"
	expect 125 holm run --rm --pull always --mirror "$MIRROR" template:rocky/9 true
	output_has "dnf ended with status 1"
}

@test "fedora: its database of packages is where its own rpm has it" {
	rpm_mirror fedora 40 {releases/40/Everything/x86_64/os,updates/40/Everything/x86_64}
	expect 0 holm run --rm --mirror "$MIRROR" template:fedora/40 ls /usr/lib/sysimage/rpm
	output_has rpmdb.sqlite
	expect 125 holm run --rm --mirror "$MIRROR" template:fedora/41 true
	output_has "the key of fedora 41 is not here"
	output_has "/etc/holm/keys/fedora-41.asc"
	path_without dnf
	expect 125 holm run --rm --mirror "$MIRROR" template:fedora/39 true
	output_has "apt-get install dnf"
}

@test "a template's image is listed, filtered and removed by its name" {
	holm pull -q template:busybox
	expect 0 holm images --format '{{.Repository}}:{{.Tag}}'
	output_is template:busybox
	for reference in template:busybox 'template:*' template; do
		expect 0 holm images -q --filter reference="$reference"
		[ "$output" != "" ]
	done
	expect 0 holm images -q --filter reference=busybox
	output_is ""
	expect 0 holm rmi template:busybox
	[ "$(head -1 <<<"$output")" = "Untagged: template:busybox" ]
}
