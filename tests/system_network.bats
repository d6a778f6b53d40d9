#!/usr/bin/env bats
# The network of booted systems: static before their init starts, and told to who asks by DHCP.
load holm
load networks
load systems

setup() {
	systems_setup
	needs nft
}

teardown() {
	local status=0
	networks_end
	networks_forget || status=1
	umount /etc/subuid /etc/subgid
	return $status
}

# A system with these files in place of the image's, started and ready.
boots() { # IMAGE NAME FOLDER [OPTION...]
	local image=$1 name=$2 files=$3
	shift 3
	holm create --system --name "$name" "$@" "$(system_image "$image")" >/dev/null || return
	tar -C "$files" --owner=0 --group=0 -c . | holm cp - "$name:/" || return
	holm start "$name" >/dev/null
}

address() { # CONTAINER: as it is inside
	holm exec "$1" ip -4 -o address show dev eth0 scope global | grep -o 'inet [0-9./]*'
}

@test "before the init of a system runs it has its address, its gateway and its name server" {
	made_image systemd
	mkdir -p files/etc/systemd/system/before.service.d files/usr/local/sbin
	printf '#!/bin/sh\n{ ip -4 -o address show dev eth0; ip route; cat /etc/resolv.conf; } >/first\nexec /sbin/init\n' \
		>files/usr/local/sbin/first
	chmod +x files/usr/local/sbin/first
	holm network create --subnet 10.98.1.0/24 lan >/dev/null
	boots systemd deb files --network lan:ip=10.98.1.7 --entrypoint /usr/local/sbin/first
	within 30 is_running deb
	expect 0 holm exec deb cat /first
	output_has "inet 10.98.1.7/24"
	output_has "default via 10.98.1.1 dev eth0"
	output_has "nameserver 127.0.0.11"
	expect 0 holm exec deb sh -c 'ip -4 -o address show dev eth0; ip route'
	output_has "inet 10.98.1.7/24"
	output_has "default via 10.98.1.1 dev eth0"
}

@test "systemd-networkd asks by DHCP, and is told what the container has" {
	needs_root "DHCP is answered by way of a BPF map, which is root's to make"
	made_image systemd
	mkdir -p files/etc/systemd/network files/etc/systemd/system/multi-user.target.wants
	printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nKeepConfiguration=static\n' >files/etc/systemd/network/eth0.network
	ln -s /lib/systemd/system/systemd-networkd.service \
		files/etc/systemd/system/multi-user.target.wants/
	holm network create --subnet 10.98.1.0/24 --subnet fd12::/64 -o mtu=1400 lan >/dev/null
	boots systemd deb files --network lan:ip=10.98.1.7
	within 30 is_running deb
	within 20 holm exec deb sh -c 'networkctl status eth0 | grep -q "State: routable (configured)"'
	expect 0 holm exec deb networkctl status eth0
	output_has "10.98.1.7 (DHCP4 via 10.98.1.1)"
	expect 0 holm exec deb ip route
	output_has "default via 10.98.1.1 dev eth0"
	[ "$(address deb)" = "inet 10.98.1.7/24" ]
	expect 0 holm exec deb ip -6 -o address show dev eth0 scope global
	output_has "fd12::"
	# and once more, from the address that it has
	expect 0 holm exec deb networkctl renew eth0
	expect 0 holm exec deb networkctl forcerenew eth0
	[ "$(address deb)" = "inet 10.98.1.7/24" ]
	sleeper app --network lan
	expect 0 holm exec app ping -q -c 1 -W 2 10.98.1.7
}

@test "ifupdown's dhclient gets the same answer, and a busybox its udhcpc" {
	needs_root "DHCP is answered by way of a BPF map, which is root's to make"
	made_image ifupdown
	mkdir -p files/etc/network
	printf 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n' >files/etc/network/interfaces
	boots ifupdown deb files --network bridge
	within 20 holm exec deb grep -qs "fixed-address $(address_of deb);" \
		/var/lib/dhcp/dhclient.eth0.leases || {
		holm logs deb | tail -30
		holm exec deb cat /proc/mounts
		false
	}
	within 20 holm exec deb grep -qs "^eth0=eth0" /run/network/ifstate
	expect 0 holm exec deb cat /etc/resolv.conf
	output_has "nameserver 127.0.0.11"
	# a lease without an end does not come to one: the client has nothing to do any more
	holm exec deb ip -4 -o address show dev eth0 | grep -q "inet $(address_of deb)/24.*valid_lft forever"

	expect 0 holm launch --network bridge busybox bb
	cat >script <<-'E'
	#!/bin/sh
	[ "$1" != bound ] || echo "$ip $mask $router $dns $lease $serverid" >/lease
	E
	chmod +x script
	holm cp script bb:/script
	expect 0 holm exec bb udhcpc -i eth0 -q -n -t 1 -T 2 -s /script
	expect 0 holm exec bb cat /lease
	gateway=$(holm network inspect bridge | jq -r '.[].IPAM.Config[0].Gateway')
	output_is "$(address_of bb) 24 $gateway 127.0.0.11 4294967295 $gateway"
	# an application does not ask, and nothing is there for it
	sleeper app --network bridge
	run holm exec app udhcpc -i eth0 -q -n -t 1 -T 1 -s /bin/true
	[ "$status" != 0 ]
}
