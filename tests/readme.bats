#!/usr/bin/env bats
# The README's first five minutes, true to the letter: every command of it, in its order. docker.io is
# a registry on loopback here, by a registries.conf.
load holm

setup() {
	holm_setup
	registry_start
	local debian nginx
	made_image debian debian
	made_image nginx nginx
	registry_push "oci:$debian:bookworm" library/debian:bookworm
	registry_push "oci:$nginx:bookworm" library/nginx:latest
	export PASSWORD=secret
	mkdir -p "$HOME/.config/containers"
	cat >"$HOME/.config/containers/registries.conf" <<-E
		unqualified-search-registries = ["docker.io"]
		[[registry]]
		prefix = "docker.io"
		location = "$REGISTRY"
		insecure = true
	E
	cd "$BATS_TEST_TMPDIR" || return
}

commands() {
	sed -n '/^## The first five minutes/,/^## What works/p' "$BATS_TEST_DIRNAME/../README.md" |
		sed -n 's/^\$ //p' | sed 's/ \{2,\}#.*//'
}

# On a terminal, as a person would, who leaves the shell again.
on_terminal() { # COMMAND
	{
		sleep 1
		echo exit
	} | timeout 30 script -qec "$1" /dev/null
}

try() { # COMMAND
	case $1 in
	*template:*) [ -n "${HOLM_ONLINE:-}" ] || return 0 ;; # packages come over the network
	esac
	case $1 in
	*" -it "*) on_terminal "$1" ;;
	*"logs -f"* | "holm stats" | "holm events"*) timeout 3 bash -c "$1" || [ $? = 124 ] ;;
	*) timeout 60 bash -c "$1" ;;
	esac
}

@test "the first five minutes" {
	needs_root "a user's containers are in no network by default, and so have no names there"
	local line count=0
	while read -r line <&5; do
		run try "$line"
		[ "$status" = 0 ] || {
			echo "$line: status $status: $output"
			return 1
		}
		case $line in
		"holm run --rm busybox echo hello") output_is hello ;;
		"holm ps") output_has clock ;;
		*apt-get*) output_has "apt 2." ;;
		esac
		count=$((count + 1))
	done 5< <(commands)
	[ $count -gt 12 ]
	holm volume rm data
}
