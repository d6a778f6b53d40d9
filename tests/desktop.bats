#!/usr/bin/env bats
# Programs of a desktop: --x11, --wayland, --audio, --gpus.
# shellcheck disable=SC2016 # scripts for other shells
load holm

teardown() {
	holm_teardown
	[ -z "${OWN_DEV:-}" ] || umount -l /dev
}

# An X server that lets nobody in without a cookie; DISPLAY and XAUTHORITY are set.
xvfb() {
	needs Xvfb xauth xsetroot xwd
	export XAUTHORITY=$PWD/cookies
	mkdir -p /tmp/.X11-unix
	xauth -q add :77 . "$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')" 2>/dev/null
	# of another display, which is not the container's affair
	xauth -q add :78 . 00112233445566778899aabbccddeeff 2>/dev/null
	cp cookies server # which reads it again when it changes
	given cookies
	service Xvfb :77 -screen 0 64x48x24 -auth "$PWD/server" -nolisten tcp -noreset
	export DISPLAY=:77
	within 10 xsetroot -solid black
	chmod 777 /tmp/.X11-unix/X77
}

# The host's programs, with their libraries.
host_programs=(-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro)

# Of the middle of the screen, as a photo shows it: "BLUE GREEN RED".
pixel() {
	xwd -root -silent >screen.xwd
	python3 -c '
import struct
data = open("screen.xwd", "rb").read()
head = struct.unpack(">25I", data[:100])
start = head[0] + head[19] * 12
at = start + head[12] * (head[5] // 2) + head[11] // 8 * (head[4] // 2)
print(*data[at:at + 3])'
}

@test "--x11: a window of the container is on the screen, by a cookie of its own" {
	xvfb
	[ "$(pixel)" = "0 0 0" ]
	expect 0 holm run --rm --x11 "${host_programs[@]}" busybox /usr/bin/xsetroot -solid '#ff8000'
	[ "$(pixel)" = "0 128 255" ]
	# nobody gets in with the socket alone
	expect 2 holm run --rm -v /tmp/.X11-unix/X77:/tmp/.X11-unix/X77 -e DISPLAY=:77 "${host_programs[@]}" \
		busybox /usr/bin/xsetroot -solid white
	[ "$(pixel)" = "0 128 255" ]
	# another user of the container's may show windows, too
	expect 0 holm run --rm --x11 -u 1000 "${host_programs[@]}" busybox /usr/bin/xsetroot -solid '#000080'
	[ "$(pixel)" = "128 0 0" ]
	expect 1 holm run --rm --x11 "${host_programs[@]}" busybox \
		sh -c 'echo $DISPLAY $XAUTHORITY; /usr/bin/xauth -n -f $XAUTHORITY list | wc -l; touch $XAUTHORITY'
	output_has "Read-only file system"
	[ "${lines[0]} ${lines[1]}" = ":77 /run/desktop/Xauthority 1" ]
}

@test "--x11: the cookie is that of the start, and what cannot be is said" {
	xvfb
	expect 0 holm create --name win --x11 "${host_programs[@]}" busybox /usr/bin/xsetroot -solid '#ff8000'
	cp cookies kept
	xauth -q remove :77 2>/dev/null
	given cookies
	expect 2 holm start -a win
	cp kept cookies
	given cookies
	XAUTHORITY='' DISPLAY='' expect 0 holm start -a win
	[ "$(pixel)" = "0 128 255" ]
	expect 0 holm inspect --format '{{json .Mounts}}' win
	output_has /tmp/.X11-unix/X77
	DISPLAY='' refused 125 "--x11: DISPLAY is not set" holm run --rm --x11 busybox true
	DISPLAY=localhost:10.0 refused 125 "is no display of this host" holm run --rm --x11 busybox true
	DISPLAY=:99 refused 125 "/tmp/.X11-unix/X99" holm run --rm --x11 busybox true
	head -c 300 /dev/urandom >cookies
	expect 2 holm start -a win
}

# Says WORD to who connects.
speaker() { # SOCKET WORD
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
while True:
    c, a = s.accept()
    c.sendall(sys.argv[2].encode() + b"\n")
    c.close()' "$@"
}

# In a container, by the host's python.
listen='import os, socket
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["WHERE"])
print(s.recv(99).decode().strip())'

@test "--wayland and --audio: the session's sockets, and where programs look for them" {
	needs python3
	export XDG_RUNTIME_DIR=$PWD/session
	mkdir -p session/pulse
	refused 125 "--audio: neither pipewire-0 nor pulse/native is in $XDG_RUNTIME_DIR" holm run --rm --audio busybox true
	export -f speaker
	service bash -c 'speaker session/wayland-1 compositor'
	service bash -c 'speaker session/pipewire-0 pipewire'
	service bash -c 'speaker session/pulse/native pulse'
	within 10 eval '[ -S session/wayland-1 ] && [ -S session/pipewire-0 ] && [ -S session/pulse/native ]'
	chmod 777 session/wayland-1 session/pipewire-0 session/pulse/native
	given session
	local python
	python=$(readlink -f /usr/bin/python3)
	WAYLAND_DISPLAY=wayland-1 expect 0 holm run --rm --wayland --audio "${host_programs[@]}" busybox \
		sh -c 'for where in "$WAYLAND_DISPLAY" "$PIPEWIRE_REMOTE" "${PULSE_SERVER#unix:}"; do
			WHERE=$where "$0" -c "$1"; done' "$python" "$listen"
	output_is $'compositor\npipewire\npulse'
	rm session/pipewire-0
	expect 0 holm run --rm --audio busybox sh -c 'echo $PIPEWIRE_REMOTE$PULSE_SERVER'
	output_is unix:/run/desktop/pulse
	WAYLAND_DISPLAY=wayland-1 expect 0 holm run --rm --wayland -e WAYLAND_DISPLAY=mine busybox sh -c 'echo $WAYLAND_DISPLAY'
	output_is mine
	WAYLAND_DISPLAY='' refused 125 "$XDG_RUNTIME_DIR/wayland-0" holm run --rm --wayland busybox true
	XDG_RUNTIME_DIR='' refused 125 "--audio: XDG_RUNTIME_DIR is not set" holm run --rm --audio busybox true
}

# A /dev of the test's own, with nodes like a graphics card's that are harmless.
dev_with_gpu() {
	mkdir dev
	cp -a /dev/{null,zero,full,random,urandom,tty,shm,pts,ptmx} dev/
	[ ! -e /dev/net ] || cp -a /dev/net dev/
	mkdir dev/dri
	mknod -m 666 dev/dri/card0 c 1 3
	mknod -m 666 dev/dri/renderD128 c 1 5
	mknod -m 666 dev/nvidiactl c 1 7
	mount --bind dev /dev
	OWN_DEV=yes
}

@test "--gpus: all of them, or one by its name" {
	refused 125 "--gpus card7: there is no /dev/dri/card7" holm run --rm --gpus card7 busybox true
	dev_with_gpu
	expect 0 holm run --rm --gpus all busybox sh -c 'head -c 2 /dev/dri/renderD128 | wc -c; ls /dev/dri /dev/nvidiactl'
	output_is $'2\n/dev/nvidiactl\n\n/dev/dri:\ncard0\nrenderD128'
	expect 0 holm run --rm --gpus renderD128 busybox sh -c 'head -c 2 /dev/dri/renderD128 | wc -c; ls /dev/dri'
	output_is $'2\nrenderD128'
	refused 125 "--gpus ../null: there is no" holm run --rm --gpus ../null busybox true
	expect 0 holm run --rm --gpus nvidiactl busybox ls /dev/nvidiactl
	umount -l /dev
	OWN_DEV=
}
