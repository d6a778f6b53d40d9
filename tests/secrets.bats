#!/usr/bin/env bats
# Secrets: made, listed, shown, removed; as files and as variables of containers; and nowhere else.
load holm

ended() { # NAME
	[ "$(holm inspect --format '{{.State.Status}}' "$1")" = exited ]
}

WORD=a-word-that-nobody-else-has

@test "create from a file, the standard input and the environment; ls, inspect, exists, rm" {
	printf %s "$WORD" >word
	expect 0 holm secret create --label a=b --label c one word
	[[ $output =~ ^[0-9a-f]{25}$ ]]
	local id=$output
	expect 0 sh -c "printf piped | holm secret create two -"
	NAMED=value expect 0 holm secret create --env three NAMED
	[ "$(stat -c %a "$HOLM_ROOT/secrets" "$HOLM_ROOT/secrets/one" "$HOLM_ROOT/secrets/one/"* | sort -u | xargs)" = "600 700" ]

	expect 0 holm secret ls
	[[ ${lines[0]} =~ ^ID\ +NAME\ +DRIVER\ +CREATED\ +UPDATED$ && ${#lines[@]} == 4 ]]
	[[ ${lines[1]} =~ ^$id\ +one\ +file\ +Less\ than\ a\ second\ ago ]]
	expect 0 holm secret ls --filter name=t --format '{{.Name}}'
	output_is $'three\ntwo'
	expect 0 holm secret ls --filter label=a=b -q
	output_is "$id"
	expect 0 holm secret ls --filter id="${id:0:9}" --format '{{.Labels}}'
	output_is "a=b,c="
	expect 0 holm secret inspect one two
	[ "$(jq -c '[length, .[0].ID, .[0].Spec, .[1].Spec.Name, (.[0] | keys)]' <<<"$output")" = \
		'[2,"'"$id"'",{"Name":"one","Driver":{"Name":"file","Options":{}},"Labels":{"a":"b","c":""}},"two",["CreatedAt","ID","Spec","UpdatedAt"]]' ]
	[[ $output != *"$WORD"* ]]
	expect 0 holm secret inspect --showsecret --format '{{.SecretData}}' "${id:0:6}"
	output_is "$WORD"

	expect 0 holm secret exists two
	expect 1 holm secret exists four
	[ -z "$output$stderr" ]
	expect 0 holm secret rm two "$id"
	output_is "two
$id"
	refused 1 "no such secret: two" holm secret rm two
	expect 0 holm secret rm --ignore two
	refused 1 "no such secret: two" holm secret inspect two
	expect 0 holm secret rm --all
	output_is three
	expect 0 holm secret ls -q
	output_is ""
}

@test "what is refused: names, sizes, files, and what is there" {
	for name in '' a/b ../x -x .x 'a b' 'a,b' 'a=b' "$(printf %0254d 0)"; do
		refused 1 "is not a secret's name" sh -c 'echo x | holm secret create -- "$1" -' - "$name"
	done
	refused 1 "the secret is empty" holm secret create x /dev/null
	refused 1 "open /nosuch" holm secret create x /nosuch
	refused 1 "longer than 512000 bytes" sh -c 'head -c 600000 /dev/zero | holm secret create x -'
	refused 1 "the environment has no NOSUCH" holm secret create --env x NOSUCH
	refused 1 "no driver 'pass', only file" holm secret create -d pass x /etc/passwd
	refused 1 "takes exactly 2 arguments" holm secret create x
	refused 1 "needs a SECRET, or --all" holm secret rm
	refused 1 "--all and names exclude each other" holm secret rm --all x
	expect 0 sh -c 'echo one | holm secret create x -'
	local id=$output
	refused 1 "the name 'x' is taken" sh -c 'echo two | holm secret create x -'
	expect 0 sh -c 'echo two | holm secret create --replace x -'
	[ "$output" != "$id" ]
	expect 0 holm secret inspect --showsecret -f '{{.SecretData}}{{gt .UpdatedAt .CreatedAt}}' x
	output_is $'two\ntrue'
}

@test "in a container: a file on a tmpfs, its target, owner and mode; a variable; with exec, too" {
	printf %s "$WORD" | holm secret create s -
	printf other | holm secret create t -
	expect 0 holm run --rm --secret s --secret t,target=deep/er/t,uid=7,gid=8,mode=0400 --secret source=s,target=/opt/key,mode=0640 busybox sh -c \
		'cat /run/secrets/s; stat -c " %u:%g %a" /run/secrets/s /run/secrets/deep/er/t /run/secrets/deep /opt/key; stat -f -c %T /run/secrets /opt/key; cat /opt/key'
	output_is "$WORD 0:0 444
 7:8 400
 0:0 755
 0:0 640
tmpfs
tmpfs
$WORD"
	expect 1 holm run --rm --secret s busybox sh -c 'echo x >/run/secrets/s'
	output_has "Read-only file system"
	expect 0 holm run --rm --read-only --userns auto --secret s,uid=5 busybox stat -c '%u %g' /run/secrets/s
	output_is "5 0"
	holm run -d --name c --secret s,type=env --secret t,type=env,target=OTHER -e OTHER=overridden busybox sh -c 'echo "got $OTHER"; exec sleep 1000'
	within 5 said c "got other"
	expect 0 holm exec c sh -c 'echo $s $OTHER'
	output_is "$WORD other"
}

@test "nowhere else: not in record, bundle, log, inspect, or another process's /proc" {
	printf %s "$WORD" | holm secret create s -
	holm run -d --name c --secret s --secret s,type=env busybox sh -c 'echo started; exec sleep 1000'
	within 5 said c started
	not grep -rqF "$WORD" "$HOLM_ROOT" --exclude-dir=secrets
	not grep -rqF "$WORD" "$HOLM_RUN" --exclude-dir=secrets
	[ "$(stat -c %a "$HOLM_RUN"/containers/*/secrets "$HOLM_ROOT"/containers/*/secrets/* | xargs)" = "700 600" ]
	[[ $(holm inspect c) != *"$WORD"* && $(holm logs c) == started ]]
	expect 0 holm inspect --format '{{range .Config.Secrets}}{{.Name}} {{.Mode}} {{end}}{{.Config.Env}}' c
	[[ $output == "s 292 s 0 "* ]]
	local inside folder
	inside=$(holm inspect --format '{{.State.Pid}}' c)
	for folder in /proc/[0-9]*; do
		[[ $folder/ns/pid -ef /proc/$inside/ns/pid || $folder -ef /proc/self ]] ||
			not grep -qsF "$WORD" "$folder/environ" "$folder/cmdline"
	done
	grep -qF "$WORD" "/proc/$inside/environ"
	# nothing but the empty mount point in what it wrote
	[ -z "$(find "$HOLM_ROOT"/containers/*/upper -type f -path '*secrets*')" ]
}

@test "rm and --replace change nothing for a container that has it" {
	printf %s "$WORD" | holm secret create s -
	holm create --name c --secret s --secret s,type=env busybox sh -c 'cat /run/secrets/s; echo " $s"'
	holm secret rm s
	for _ in 1 2; do
		expect 0 holm start -a c
		output_is "$WORD $WORD"
	done
	refused 125 "no such secret: s" holm run --secret s busybox true
	printf new | holm secret create s -
	expect 0 holm run --rm --secret s busybox cat /run/secrets/s
	output_is new
	expect 0 holm start -a c
	output_is "$WORD $WORD"
	holm rm c
	not grep -rqF "$WORD" "$HOLM_ROOT"
}

@test "a restarted container has its secrets" {
	printf %s "$WORD" | holm secret create s -
	holm run -d --name c --restart on-failure:2 --secret s --secret s,type=env,target=V busybox sh -c 'cat /run/secrets/s; echo " $V"; exit 1'
	within 10 ended c
	expect 0 holm logs c
	output_is "$WORD $WORD
$WORD $WORD
$WORD $WORD"
}

@test "options that are wrong say so, before anything is made" {
	printf x | holm secret create s -
	printf 'a\0b' | holm secret create zero -
	local form='the form is NAME[,type=mount|env]'
	refused 125 "--secret : no name; $form" holm run --secret '' busybox true
	refused 125 "--secret s,type=file: type=file: not mount or env" holm run --secret s,type=file busybox true
	refused 125 "--secret s,colour=red: there is no 'colour'; $form" holm run --secret s,colour=red busybox true
	refused 125 "--secret s,target: 'target' is not KEY=VALUE; $form" holm run --secret s,target busybox true
	refused 125 "mode=888: not octal, 0 to 7777" holm run --secret s,mode=888 busybox true
	refused 125 "uid" holm run --secret s,uid=4294967295 busybox true
	refused 125 "gid" holm run --secret s,gid=x busybox true
	refused 125 "mode= and type=env exclude each other" holm run --secret s,type=env,mode=400 busybox true
	refused 125 "not below /run/secrets" holm run --secret s,target=../../etc/passwd busybox true
	refused 125 "target=a=b: not the name of a variable" holm run --secret s,type=env,target=a=b busybox true
	refused 125 "--secret s and --secret s have the target /run/secrets/s" holm run --secret s --secret s busybox true
	refused 125 "--secret s and the mount at /run/secrets exclude each other" holm run --tmpfs /run/secrets --secret s busybox true
	refused 125 "the value of zero has a NUL byte in it" holm run --rm --secret zero,type=env busybox true
	refused 125 "no such secret: nosuch" holm run --secret nosuch busybox true
	expect 0 holm ps -aq
	output_is ""
}

@test "two at once: one creates, the others are told; debris of a killed writer goes" {
	mkdir -p "$HOLM_ROOT/secrets/.new" "$HOLM_ROOT/secrets/.dead"
	holm volume ls
	echo x >"$HOLM_ROOT/secrets/.new/half"
	local made=0 i pids=()
	for i in 1 2 3 4 5 6 7 8; do
		(echo "$i" | holm secret create same - >/dev/null 2>&1) &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" && made=$((made + 1))
	done
	[ $made = 1 ]
	[ "$(ls -A "$HOLM_ROOT/secrets")" = same ]
}
