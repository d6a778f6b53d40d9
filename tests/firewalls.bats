#!/usr/bin/env bats
# Beside ufw and firewalld themselves: they decide about published ports, what containers ask for goes
# out, and it is so after they have loaded their rules anew.
load holm
load networks

# Of the host's, for a while; they are folders of our own.
in_place_of() { # FOLDER...
	local folder
	for folder; do
		mkdir -p "own$folder"
		cp -a "$folder/." "own$folder/"
		mount --bind "own$folder" "$folder"
		PLACES+=("$folder")
	done
}

teardown() {
	local status=0
	networks_end
	nft flush ruleset
	[ ${#PLACES[@]} = 0 ] || umount "${PLACES[@]}"
	networks_forget || status=1
	return $status
}

web() { # NAME [ARGUMENT...]
	local name=$1
	shift
	holm run -d --name "$name" "$@" busybox sh -c "
		mkdir /www; echo $name >/www/name; exec httpd -f -p 80 -h /www" >/dev/null
	within 10 curl -s http://127.0.0.1:8080/name
}

from_world() {
	in_world curl -sg -m "$(seconds 2)" http://192.0.2.1:8080/name
}

world_serves() {
	service nsenter -t "$(pid_of world)" -n busybox httpd -f -p 9999 -h "$PWD"
	within 10 goes_out
}

goes_out() {
	holm exec one nc -w "$(seconds 2)" 192.0.2.2 9999 </dev/null
}

@test "ufw" {
	needs_root "networks of a user are not the host's, at which the test looks"
	needs ufw
	make_world
	in_place_of /etc/ufw /etc/default
	web one -p 8080:80
	expect 0 from_world
	output_is one
	world_serves
	ufw --force enable
	not from_world
	ufw allow 8080/tcp
	# what it forwards it has made up its mind about anew
	expect 0 holm network reload
	expect 0 from_world
	output_is one
	goes_out
	ufw reload
	expect 0 from_world
	output_is one
	goes_out
	ufw delete allow 8080/tcp
	not from_world
	expect 0 holm port --explain one
	output_has "ip filter INPUT (policy drop"
	ufw --force disable
}

@test "firewalld" {
	needs_root "networks of a user are not the host's, at which the test looks"
	needs firewalld
	needs dbus-daemon
	make_world
	mount -t tmpfs -o mode=755 holm-test /run
	PLACES+=(/run)
	mkdir -p /run/dbus
	in_place_of /etc/firewalld
	service dbus-daemon --system --nofork --nopidfile
	within 10 test -S /run/dbus/system_bus_socket
	service firewalld --nofork --nopid
	within 20 firewall-cmd --state
	web one -p 8080:80
	not from_world
	firewall-cmd --add-port=8080/tcp
	expect 0 from_world
	output_is one
	world_serves
	firewall-cmd --reload
	not from_world
	firewall-cmd --add-port=8080/tcp
	not goes_out
	expect 0 holm network reload
	expect 0 from_world
	output_is one
	goes_out
	firewall-cmd --complete-reload
	firewall-cmd --add-port=8080/tcp
	expect 0 holm network reload
	expect 0 from_world
	output_is one
	goes_out
	expect 0 holm port --explain one
	output_has "inet firewalld filter_INPUT"
	expect 0 firewall-cmd --zone=trusted --list-interfaces
	output_is holm0
	holm network create other >/dev/null
	expect 0 holm run --rm --network other busybox nc -w "$(seconds 2)" 192.0.2.2 9999 </dev/null
	holm network rm other >/dev/null
	expect 0 firewall-cmd --zone=trusted --list-interfaces
	output_is holm0
}
