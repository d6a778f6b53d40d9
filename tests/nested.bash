# nested.bash - holm in a container, of holm's or another engine's: `load nested`.
# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # scripts for other shells; for the tests

# What a container needs to run holm in it: the host's programs and libraries, and holm's own.
inside=(-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v /etc/alternatives:/etc/alternatives:ro
	-v "$HOLM_STAGE:/holm:ro" -e HOLM_LIBEXEC=/holm/libexec/holm -e PATH=/holm/bin:/usr/sbin:/usr/bin:/sbin:/bin
	-e HOME=/var/inner -e XDG_RUNTIME_DIR=/run/inner -e NO_COLOR=1
	--tmpfs /run:mode=1777 --tmpfs /var/inner:mode=1777 --tmpfs /tmp:mode=1777)
# In the container: a user with a range, as whom holm is run.
user_in='
	mkdir -p /var/inner/u /run/inner && chown 1000:1000 /var/inner/u /run/inner && chmod 700 /run/inner
	printf "root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000::/var/inner/u:/bin/sh\n" >/etc/passwd
	echo tester:2000:30000 >/etc/subuid && cp /etc/subuid /etc/subgid
	mkdir /opt && cp /usr/bin/newuidmap /usr/bin/newgidmap /opt/ && chmod 4755 /opt/* && PATH=/opt:$PATH
	as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/var/inner/u "$@"; }
'
# A container in a container, as whoever runs this: root of its own namespaces, with files of its own.
inner_run='holm run --rm --network none busybox sh -c "id -u; touch /made && chown 5:6 /made && stat -c %u:%g /made"'
inner_says="0
5:6"

# A user in a privileged container of this engine runs holm: nothing but a folder for the user is the
# container's own.
holm_runs_inside() { # COMMAND of the engine, up to the options of its run
	expect 0 "$@" --privileged --network none "${inside[@]}" busybox sh -c "$user_in as_user $inner_run"
	output_is "$inner_says"
	expect 0 "$@" --privileged --network none "${inside[@]}" -e HOLM_ROOT=/var/inner/root busybox sh -c "$inner_run"
	output_is "$inner_says"
	expect 0 "$@" --privileged --network none "${inside[@]}" busybox sh -c "$user_in as_user holm run --rm --network none --userns keep-id busybox id -u"
	output_is 1000
}
