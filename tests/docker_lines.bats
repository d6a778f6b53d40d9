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

# What Docker's documents teach: getting started, run, exec, volumes and binds, logging, cp, commit,
# inspect --format. STATUS, a pattern of bash's for the output ("-": none), the line; between tabs.
taught() {
	cat <<'LINES'
0	hello	docker run --rm busybox echo hello
0	*"busybox:latest"*	docker pull -q busybox 2>&1 || echo docker.io/library/busybox:latest
0	[0-9a-f]*	docker run -d --name box busybox sleep 1000
0	*"CONTAINER ID"*"NAMES"*"box"*	docker ps
0	[0-9a-f]*	docker ps -q
0	"box"	docker ps --format '{{.Names}}'
0	*"box: Up "*	docker ps --format '{{.Names}}: {{.Status}}'
0	"NAMES"*"STATUS"*"box"*	docker ps --format 'table {{.Names}}\t{{.Status}}'
0	"box"	docker ps -f name=bo --format '{{.Names}}'
0	"box"	docker ps --filter ancestor=busybox --format '{{.Names}}'
0	-	docker ps --filter status=exited -q
0	"Linux"*	docker exec box uname -a
0	"/tmp"	docker exec -w /tmp box pwd
0	"value"	docker exec -e VAR=value box sh -c 'echo $VAR'
0	"uid=1000"*	docker exec -u 1000 box id
0	"in"	echo in | docker exec -i box cat
0	-	docker exec -d box touch /tmp/execWorks
0	"/tmp/execWorks"	docker exec box ls /tmp/execWorks
1	*	docker exec box false
126	*	docker exec box /tmp
127	*"nosuch"*	docker exec box nosuch
0	*"PID"*"sleep 1000"*	docker top box
0	"box"*"0.00%"*	docker stats --no-stream --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}}' box | sed 's/ [0-9.]*%/ 0.00%/'
0	"true"	docker inspect --format='{{.State.Running}}' box
0	"running"	docker inspect -f '{{.State.Status}}' box
0	"[sleep 1000]"	docker inspect -f '{{.Config.Cmd}}' box
0	'["sleep","1000"]'	docker inspect --format='{{json .Config.Cmd}}' box
0	*"/log"	docker inspect --format='{{.LogPath}}' box
0	"busybox"	docker inspect --format='{{.Config.Image}}' box
0	"json-file"	docker inspect -f '{{.HostConfig.LogConfig.Type}}' box
0	"/box"	docker container inspect --format '{{.Name}}' box
0	*'"Id": "'*	docker inspect box
0	"sha256:"*	docker image inspect -f '{{.Id}}' busybox
0	*"PATH="*	docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' box
0	-	docker inspect --format '{{range $p, $conf := .NetworkSettings.Ports}} {{$p}} {{end}}' box | tr -d '\n'
1	*"no such container"*	docker container inspect nosuch
0	-	echo content >file && docker cp file box:/tmp/file
0	"content"	docker exec box cat /tmp/file
0	-	docker cp box:/tmp/file copy && cmp file copy
0	*"tmp/file"*|"file"	docker cp box:/tmp/file - | tar t
1	*	docker cp box:/nosuch .
0	*"A /tmp/file"*	docker diff box
0	"sha256:"*	docker commit -m message -a author box kept:1
0	"message author"	docker image inspect -f '{{.Comment}} {{.Author}}' kept:1
0	"content"	docker run --rm kept:1 cat /tmp/file
0	"sha256:"*	docker commit --change 'CMD ["echo","changed"]' --change 'ENV A=1' box kept:2
0	"changed"	docker run --rm kept:2
0	*"kept"*"2"*"kept"*"1"*|*"kept"*"1"*"kept"*"2"*	docker images kept
0	*"message"*	docker history kept:1
0	-	docker save -o kept.tar kept:1 && tar tf kept.tar | grep manifest.json >/dev/null
0	*"kept:1"*	docker rmi kept:1 >/dev/null && docker load -i kept.tar
0	-	docker export box | tar t | grep '^bin/' >/dev/null
0	*"sha256:"*	docker export box | docker import - flat:1
0	"box"	docker update -m 64m --memory-swap 128m --cpus 0.5 box
0	"67108864 500000000"	docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}' box
0	"box"	docker update --restart=on-failure:3 box
0	"box"	docker pause box
0	*"(Paused)"*	docker ps --filter name=box
0	"box"	docker unpause box
0	-	docker rename box chest
0	"chest"	docker stop -t 0 chest
0	"chest"*"Exited (137)"*	docker ps -a --filter name=chest --format '{{.Names}} {{.Status}}'
0	"chest"	docker start chest
0	"chest"	docker restart -t 0 chest
0	"chest"	docker kill chest
0	"137"	docker wait chest
1	*	docker kill chest
0	"chest"	docker rm chest
1	*"no such container"*	docker rm chest
0	-	docker run --name log busybox sh -c 'echo one; echo two >&2; sleep 0.2; echo three' >/dev/null 2>&1
0	"one"*"three"*	docker logs log 2>/dev/null
0	"two"	docker logs log 2>&1 >/dev/null
0	"three"	docker logs --tail 1 log
0	20[0-9][0-9]-*"Z one"*	docker logs -t log
0	*"one"*	docker logs --since 5m log
0	-	docker logs --until 2020-01-01T00:00:00Z log
0	*"three"*	docker logs -f log
0	-	docker run --rm --log-driver none --name quiet -d busybox true >/dev/null
0	"data"	docker volume create data
0	*"local"*"data"*	docker volume ls
0	*"/data"*	docker volume inspect --format '{{.Mountpoint}}' data
0	-	docker run --rm --mount type=volume,src=data,target=/app busybox sh -c 'echo kept >/app/file'
0	"kept"	docker run --rm -v data:/app:ro busybox cat /app/file
1	*"Read-only"*	docker run --rm -v data:/app:ro busybox touch /app/x
0	"file"	docker run --rm -v data:/dbdata --name dbstore busybox ls /dbdata
0	*"file"*	docker run --rm -v data:/dbdata -v "$PWD:/backup" busybox tar cf /backup/backup.tar /dbdata 2>/dev/null; tar tf backup.tar
0	"content"	docker run --rm -v "$PWD:/app" -w /app busybox cat file
0	"content"	docker run --rm --mount "type=bind,source=$PWD,target=/app,readonly" busybox cat /app/file
125	*"does not exist"*	docker run --rm --mount type=bind,source=/nosuch,target=/app busybox true
0	"tmpfs"*	docker run --rm --tmpfs /app busybox df -T /app | sed -n 's/ .*//;2p'
0	"data"	docker volume rm data
0	"3"	docker run --rm busybox sh -c 'exit 3' || echo $?
0	"42"	docker run --rm -e N=42 busybox sh -c 'echo $N'
0	"inner"	docker run --rm -h inner busybox hostname
0	"67108864"	docker run --name limits -m 64m busybox true && docker inspect -f '{{.HostConfig.Memory}}' limits
0	*"10.0.0.1"*"db"*	docker run --rm --add-host db:10.0.0.1 busybox grep db /etc/hosts
0	"x"	docker run --rm --cidfile id busybox echo x && test -s id
0	"100"	docker run --rm --ulimit nofile=100 busybox sh -c 'ulimit -n'
0	"box2"*	docker run -d --name box2 --label env=test busybox sleep 1000 >/dev/null && docker ps --filter label=env=test --format '{{.Names}} {{.Labels}}'
0	"test"	docker inspect -f '{{index .Config.Labels "env"}}' box2
0	*"start"*	docker events --since 1h --until 0s --filter container=box2
0	*"Images"*"Containers"*"Local Volumes"*	docker system df
0	*	docker rm -f $(docker ps -aq)
0	*"Total reclaimed space"*	docker container prune -f
0	*"Total reclaimed space"*	docker system prune -f
0	*"overlay2"*	docker info --format '{{.Driver}}'
0	[0-9]*	docker version --format '{{.Server.Version}}'
LINES
}

docker() {
	timeout 30 holm "$@"
}

@test "a hundred lines that docker's documents teach: output and status" {
	local wanted pattern line failed=0 count=0
	while IFS=$'\t' read -r wanted pattern line; do
		[ "$pattern" != - ] || pattern="''"
		status=0
		output=$(eval "$line" 2>&1 </dev/null) || status=$?
		count=$((count + 1))
		[ "$status" = "$wanted" ] && matches || {
			echo "status $status, not $wanted, or not $pattern: $line"
			echo "$output"
			failed=$((failed + 1))
		}
	done < <(taught)
	echo "$count lines, $failed failed"
	[ "$count" -ge 100 ]
	[ "$failed" = 0 ]
}

# The alternatives of $pattern stand between bars.
matches() {
	eval "case \$output in $pattern) true ;; *) false ;; esac"
}
