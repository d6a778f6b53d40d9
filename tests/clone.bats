#!/usr/bin/env bats
# clone: another container with the files and settings of one, which shares its layers.
load holm
load frozen

@test "a clone has the files, and what either writes later is its own" {
	expect 0 holm run --name web --label a=b -e K=v busybox sh -c 'echo one >/file'
	expect 0 holm clone web copy
	output_is copy
	expect 0 holm start -a copy
	expect 0 holm run --name other busybox true
	echo two >two
	expect 0 holm cp two copy:/file
	[ "$(holm cp web:/file - | tar -xO)" = one ]
	expect 0 holm cp copy:/file got
	[ "$(cat got)" = two ]
	expect 0 holm cp web:/file got
	[ "$(cat got)" = one ]
}

@test "a clone of one that runs, with other ids in its user namespace" {
	expect 0 holm run -d --name web --userns auto busybox sh -c 'echo one >/file; chown 7:8 /file; touch /ready; sleep 1000'
	within 5 holm exec web test -e /ready
	expect 0 holm clone web copy
	expect 0 holm start copy
	expect 0 holm exec copy stat -c %u:%g /file
	output_is 7:8
	not diff <(holm exec web cat /proc/self/uid_map) <(holm exec copy cat /proc/self/uid_map)
	expect 0 holm rm -f web copy
}

@test "a clone is itself: machine-id, ssh host keys, hostname; --keep-identity leaves them" {
	needs ssh-keygen
	mkdir -p keys
	ssh-keygen -q -t ed25519 -N '' -f keys/ssh_host_ed25519_key
	given keys
	expect 0 holm run --name web --hostname web busybox sh -c '
		echo 0123456789abcdef0123456789abcdef >/etc/machine-id; mkdir -p /etc/ssh /var/lib/systemd
		echo seed >/var/lib/systemd/random-seed'
	expect 0 holm cp keys/ssh_host_ed25519_key web:/etc/ssh/
	expect 0 holm cp keys/ssh_host_ed25519_key.pub web:/etc/ssh/
	expect 0 holm clone web one
	expect 0 holm clone web two
	expect 0 holm clone --keep-identity web same
	for name in one two; do
		expect 0 holm cp "$name:/etc/machine-id" id
		[[ $(cat id) =~ ^[0-9a-f]{32}$ ]]
		mv id "id.$name"
		expect 0 holm cp "$name:/etc/ssh/ssh_host_ed25519_key" "key.$name"
		[ "$(stat -c %a "key.$name")" = 600 ]
		expect 0 holm cp "$name:/etc/ssh/ssh_host_ed25519_key.pub" "pub.$name"
		[ "$(ssh-keygen -y -f "key.$name" | cut -d ' ' -f 2)" = "$(cut -d ' ' -f 2 "pub.$name")" ]
		refused 1 "" holm cp "$name:/var/lib/systemd/random-seed" seed
	done
	not cmp -s id.one id.two
	not grep -q 0123456789abcdef id.one
	not cmp -s key.one key.two
	not cmp -s key.one keys/ssh_host_ed25519_key
	expect 0 holm inspect -f '{{.Config.Hostname}}' one
	output_is one
	expect 0 holm cp same:/etc/machine-id id
	[ "$(cat id)" = 0123456789abcdef0123456789abcdef ]
}

@test "an ephemeral clone goes when it ends; --full shares nothing" {
	expect 0 holm run --name web busybox sh -c 'echo one >/file; sleep 0.1'
	expect 0 holm clone --ephemeral web try
	output_is try
	away() { ! holm inspect try; }
	within 10 away
	expect 0 holm clone --full web whole
	expect 0 holm cp whole:/file got
	[ "$(cat got)" = one ]
	expect 0 holm rm web
	[ "$(frozen_layers)" = 1 ]
	expect 0 holm start -a whole
}
