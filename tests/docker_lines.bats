#!/usr/bin/env bats
# A hundred command lines as people type them for docker, each with the status docker gives.
load holm

# STATUS, then the line. They run in this order, and share
# the containers that the first ones make.
lines() {
	cat <<'LINES'
0 run --rm busybox true
0 run --rm -it=false busybox true
0 run --rm -i busybox true
0 run --rm --name once busybox true
0 run --rm --name=once busybox true
0 run --rm -e A=1 -e B busybox true
0 run --rm --env A=1 --env-file /dev/null busybox true
0 run --rm -u 1000 busybox true
0 run --rm -u 1000:1000 busybox true
0 run --rm --user nobody busybox true
0 run --rm -w /tmp busybox true
0 run --rm --workdir=/tmp busybox true
0 run --rm -h inner busybox true
0 run --rm --hostname inner --domainname example.org busybox true
0 run --rm -l a=b --label c=d busybox true
0 run --rm --entrypoint /bin/true busybox
0 run --rm --entrypoint="" busybox true
0 run --rm --init busybox true
0 run --rm --init=false busybox true
0 run --rm --stop-signal SIGINT --stop-timeout 3 busybox true
0 run --rm --pull never busybox true
0 run --rm --pull=missing -q busybox true
0 run --rm --read-only busybox true
0 run --rm --read-only --tmpfs /run:rw,size=1m busybox true
0 run --rm --tmpfs /tmp busybox true
0 run --rm -v /tmp:/mnt busybox true
0 run --rm -v /tmp:/mnt:ro busybox true
0 run --rm -v data:/data busybox true
0 run --rm -v /anonymous busybox true
0 run --rm --mount type=bind,source=/tmp,target=/mnt,readonly busybox true
0 run --rm --mount type=bind,src=/tmp,dst=/mnt busybox true
0 run --rm --mount type=volume,src=data,dst=/data busybox true
0 run --rm --mount type=tmpfs,destination=/t,tmpfs-size=1m busybox true
0 run --rm --shm-size 1m busybox true
0 run --rm -m 64m busybox true
0 run --rm --memory=64m --memory-reservation 32m busybox true
0 run --rm --cpus 0.5 busybox true
0 run --rm --cpus=.5 busybox true
0 run --rm -c 512 busybox true
0 run --rm --cpuset-cpus 0 busybox true
0 run --rm --pids-limit 100 busybox true
0 run --rm --ulimit nofile=512:1024 busybox true
0 run --rm --oom-score-adj 100 busybox true
0 run --rm --cap-drop ALL busybox true
0 run --rm --cap-add NET_ADMIN --cap-drop CHOWN busybox true
0 run --rm --cap-add=CAP_SYS_PTRACE busybox true
0 run --rm --privileged busybox true
0 run --rm --security-opt no-new-privileges busybox true
0 run --rm --security-opt seccomp=unconfined busybox true
0 run --rm --device /dev/null:/dev/other busybox true
0 run --rm --group-add 1000 --group-add 1001 busybox true
0 run --rm --sysctl net.ipv4.ip_forward=1 busybox true
0 run --rm --network none busybox true
0 run --rm --net=host busybox true
0 run --rm --pid host busybox true
0 run --rm --ipc host busybox true
0 run --rm --uts=host busybox true
0 run --rm --cgroupns host busybox true
0 run --rm --add-host db:10.0.0.1 --dns 10.0.0.2 --dns-search example.org busybox true
0 run --rm --log-driver none busybox true
0 run --rm --log-opt max-size=1m --log-opt max-file=2 busybox true
0 run --rm -a stdout -a stderr busybox true
0 run --rm --sig-proxy=false busybox true
0 run -d --name web --restart unless-stopped busybox sleep 1000
0 run -dit --name shell busybox
0 create --name made busybox echo made
0 ps
0 ps -a
0 ps -aq --no-trunc
0 ps -l
0 ps -n 2
0 ps --filter status=running --format {{.Names}}
0 container ls -a
0 container list
0 exec web true
0 exec -it=false -e A=1 -w / -u 0 web true
0 exec -d web sleep 0
3 exec web sh -c exit\ 3
127 exec web nosuch
0 logs web
0 logs --tail 5 -t web
0 logs --since 1h --until 0s web
0 inspect web
0 inspect -f {{.State.Pid}} web
0 container inspect --format={{json\ .Config}} web
0 pause web
0 unpause web
0 start made
0 start -a made
0 wait made
0 restart -t 0 web
0 run --rm --net container:web --pid container:web busybox true
0 run --rm --volumes-from web busybox true
0 kill -s HUP shell
0 stop -t 0 web shell
0 rm web
0 rm -fv shell made
0 images
0 images -q --digests busybox
0 image ls --format json
0 tag busybox copy:1
0 image inspect copy:1
0 rmi copy:1
0 volume ls -q
0 volume create --label a=b named
0 volume inspect named
0 volume rm named data
0 version
0 info --format {{.Images}}
1 rm nosuch
1 stop nosuch
1 inspect nosuch
125 run --bogus busybox
125 run --rm nosuch.invalid/image true
LINES
}

@test "a hundred docker command lines" {
	local wanted line failed=0 count=0
	while read -r wanted line; do
		eval "set -- $(printf '%s' "$line" | sed 's/[{}]/\\&/g')"
		status=0
		timeout 30 holm "$@" >out 2>&1 </dev/null || status=$?
		count=$((count + 1))
		[ "$status" = "$wanted" ] || {
			echo "status $status, not $wanted: holm $line"
			cat out
			failed=$((failed + 1))
		}
	done < <(lines)
	echo "$count lines, $failed failed"
	[ "$count" -ge 100 ]
	[ "$failed" = 0 ]
}
