# frozen.bash - for tests of layers that containers wrote: `load frozen` after `load holm`.
# shellcheck shell=bash

box() { # NAME [OPTION...] - has written, and ended
	local name=$1
	shift
	expect 0 holm run --name "$name" "$@" busybox sh -c '
		echo one >/file; mkdir -p /d/sub; echo f >/d/f; rm /etc/group; rm -r /home; mkdir /home
		echo again >/home/new; ln /d/f /d/hard; chown 1000:1001 /d/f; chmod 711 /'
}

# How many there are.
frozen_layers() { # [ROOT]
	grep -l '"frozen"' "${1:-$HOLM_ROOT}"/layers/*/layer.json 2>/dev/null | wc -l
}
