#!/usr/bin/env bats
# Another name for a container.
load holm

@test "rename gives a container another name, whether it runs or not" {
	holm create --name made busybox true >/dev/null
	holm run -d --name web --hostname inside busybox sleep 1000 >/dev/null
	expect 0 holm rename made built
	output_is ""
	expect 0 holm container rename web www
	expect 0 holm ps -a --format '{{.Names}}'
	output_is $'www\nbuilt'
	expect 0 holm exec www hostname
	output_is inside
	expect 0 holm inspect www --format '{{.Name}}'
	output_is /www
	refused 1 "no such container" holm inspect web
	refused 1 "no such container" holm rename made again
	# the old name is free again
	holm create --name web busybox true >/dev/null
	refused 1 taken holm rename www web
	refused 1 "already" holm rename www www
	refused 1 "no name" holm rename www 'a b'
	refused 1 "empty name" holm rename www ''
	refused 1 arguments holm rename www
	# by id, with docker's slash
	holm rename "$(holm ps -q)" /site
	expect 0 holm ps --format '{{.Names}}'
	output_is site
	holm rm -f web site built
}

@test "rename is told, and later events have the new name" {
	local from
	from=$(date +%s.%N)
	holm run -d --name web busybox sleep 1000 >/dev/null
	holm rename web www
	holm stop -t 0 www
	expect 0 holm events --since "$from" --stream=false -f event=rename -f event=die \
		--format '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.oldName}}'
	output_is $'rename www /web\ndie www <no value>'
	holm rm www
}

@test "a container of run --rm gives its new name back" {
	holm run -d --rm --name web busybox sleep 1000 >/dev/null
	holm rename web www
	holm stop -t 0 www
	within 5 eval '[ -z "$(ls "$HOLM_ROOT/names")" ]'
	holm create --name www busybox true >/dev/null
	holm rm www
}

@test "of many renames at once to one name exactly one wins" {
	local i jobs=() won=0
	for i in $(seq 10); do
		holm create --name "c$i" busybox true >/dev/null
	done
	for i in $(seq 10); do
		holm rename "c$i" winner 2>/dev/null &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		wait "$i" && won=$((won + 1))
	done
	[ $won = 1 ]
	[ "$(holm ps -a --format '{{.Names}}' | sort -u | wc -l)" = 10 ]
	jobs=() won=0
	for i in $(seq 10); do
		holm rename winner "d$i" 2>/dev/null &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		wait "$i" || true
	done
	[ "$(find "$HOLM_ROOT/names" -mindepth 1 | wc -l)" = 10 ]
	holm ps -aq | xargs holm rm >/dev/null
}

@test "a rename that is killed leaves the old name or the new one" {
	local i name
	holm create --name web busybox true >/dev/null
	for i in $(seq 6); do
		name=$(holm ps -a --format '{{.Names}}')
		setsid holm rename "$name" "web$i" &
		sleep "0.00$((RANDOM % 10))"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		name=$(holm ps -a --format '{{.Names}}')
		[ "$(holm inspect "$name" --format '{{.Name}}')" = "/$name" ]
	done
	# a name that a killed rename had taken is nobody's
	ln -s "$(holm ps -aq --no-trunc)" "$HOLM_ROOT/names/left"
	refused 1 "no such container" holm inspect left
	ln -sf "$(holm ps -aq --no-trunc)" "$HOLM_ROOT/names/left"
	holm create --name left busybox true >/dev/null
	holm rename "$name" other # which frees what the killed ones had taken
	holm rename other web
	ln -s "$(holm ps -aq --no-trunc -f name=web)" "$HOLM_ROOT/names/next"
	holm rename web next
	[ "$(holm ps -a --format '{{.Names}}' | sort | xargs)" = "left next" ]
	holm rm left next
	[ -z "$(ls "$HOLM_ROOT/names")" ]
}
