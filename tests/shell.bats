#!/usr/bin/env bats
# Logging in to whole systems, and to what runs in others.
load holm
load systems

setup() {
	systems_setup
}

teardown() {
	systems_teardown
}

terminal() {
	expect 0 timeout "$(seconds 60)" python3 "$BATS_TEST_DIRNAME/terminal.py" "$1"
}

@test "a shell is a login session, without a password" {
	made_image systemd
	holm launch --network none "$(system_image systemd)" deb
	terminal '
		spawn shell deb
		expect root@deb:~# 
		send loginctl --no-pager --no-legend | cat; cat /proc/self/cgroup | tail -1\n
		expect root
		expect session-
		send logout\n
		status 0
		cooked'
	expect 0 holm shell deb printf '%s.' "it's" 'two  words' '$HOME'
	output_is "it's.two  words.\$HOME."
	holm exec deb useradd -m -s /bin/bash person
	expect 0 holm shell -u person deb sh -c 'id -un; pwd'
	output_is $'person\n/home/person'
	expect 7 holm shell deb sh -c 'exit 7'
	refused 125 "not the name of a user" holm shell -u -x deb id
}

@test "the console shows what was said before, and takes a password" {
	made_image systemd
	holm launch --network none "$(system_image systemd)" deb
	echo root:sesame | holm exec -i deb chpasswd
	terminal '
		spawn console deb
		expect ctrl-a,q leaves it
		expect Reached target
		expect deb login: 
		send root\n
		expect Password: 
		send sesame\n
		expect root@deb:~# 
		send tty; stty size\n
		expect /dev/console
		expect 24 80
		send \x01q
		status 0
		cooked
		spawn console -e ctrl-b,b deb
		expect root@deb:~# 
		send echo still here\n
		expect still here
		send exit\n
		expect login: 
		send \x02b
		status 0'
	expect 0 holm ps -q
	[ -n "$output" ]
	# others have terminals of their own
	terminal '
		spawn console --new deb
		expect leaves it
		expect deb login: 
		send root\n
		expect Password: 
		send sesame\n
		expect root@deb:~# 
		send tty; stty size\n
		expect /dev/pts/
		expect 24 80
		send exit\n
		status 0
		cooked
		spawn console -n deb
		expect deb login: 
		send root\n
		expect Password: 
		send sesame\n
		expect root@deb:~# 
		send exec sleep 54321\n
		send \x01q
		status 0'
	within 10 not holm exec deb pgrep -f "sleep 54321"
	refused 125 "is not a terminal" holm console --new deb </dev/null
}

@test "a shell in a container that has no login" {
	holm run -d --name app busybox sleep 1000 >/dev/null
	expect 0 holm shell app sh -c 'id -u; pwd'
	[ "${lines[0]}" = 0 ]
	terminal "
		spawn console app
		expect boots no system
		status 125"
	mkdir -p root/bin
	cp /bin/busybox root/bin/sh
	holm run -d --name bare "dir:$PWD/root" /bin/sh -c 'while :; do sleep 1000; done' >/dev/null
	expect 0 holm shell bare /bin/sh -c 'echo here'
	output_is here
	holm stop -t 0 app
	refused 125 "is not running" holm shell app
}

# What the mirror has of one package, as a repository on 127.0.0.1:8000.
serve_package() { # DEB
	local deb=$1
	mkdir -p repository
	cp "$deb" repository/package.deb
	{
		dpkg-deb -f "$deb"
		echo "Filename: ./package.deb"
		echo "Size: $(stat -c %s "$deb")"
		echo "SHA256: $(sha256sum <"$deb" | cut -c1-64)"
	} >repository/Packages
	service python3 -m http.server --bind 127.0.0.1 --directory repository 8000
	within 10 listens 8000
}

@test "a package of the mirror is installed inside" {
	made_image systemd
	[ -e "$HOLM_IMAGES/hello.deb" ] || skip "the package hello could not be fetched (tests/images)"
	serve_package "$HOLM_IMAGES/hello.deb"
	holm launch --network host "$(system_image systemd)" deb
	holm exec deb sh -c 'rm -f /etc/apt/sources.list.d/*
		echo "deb [trusted=yes] http://127.0.0.1:8000 ./" >/etc/apt/sources.list
		rm -f /etc/apt/apt.conf.d/*proxy*'
	holm exec deb apt-get -qq update
	holm exec deb apt-get -qq install -y hello
	expect 0 holm exec deb hello
	output_is "Hello, world!"
}

@test "files go in and out, and are edited in place" {
	holm run -d --name app --userns auto busybox sleep 1000 >/dev/null
	holm exec app sh -c 'echo one >/srv-file; chown 33:33 /srv-file; chmod 640 /srv-file'
	echo two >new
	holm file push new app/root/new
	expect 0 holm exec app cat /root/new
	output_is two
	export TMPDIR=$PWD # an ordinary user's, too
	expect 0 holm file pull app/srv-file app:/root/new .
	[ "$(cat srv-file)" = one ]
	EDITOR='sed -i s/one/three/' holm file edit app/srv-file
	expect 0 holm exec app sh -c 'cat /srv-file; stat -c "%u %a" /srv-file'
	output_is $'three\n33 640'
	EDITOR=false refused 1 "the editor failed" holm file edit app/srv-file
	holm exec app sh -c 'mkfifo /pipe; ln -s /etc/passwd /link'
	refused 1 "not a regular file" holm file edit app/pipe
	refused 1 "not CONTAINER/PATH" holm file edit app
	holm stop -t 0 app
	EDITOR='sed -i s/three/four/' holm file edit app/srv-file
	expect 0 holm file pull app/srv-file app/root/new -
	output_is $'four\ntwo'
	refused 1 "not a regular file" holm file pull app/root -
	refused 1 "write to standard output" bash -c 'holm file pull app/srv-file - >/dev/full'
	not compgen -G "${TMPDIR:-/tmp}/holm-edit.*"
}
