#!/usr/bin/env bats
# Help, man pages, completion; and wrong input: what is refused names the option, the value and what
# is accepted, options that exclude each other name both, a verb in the wrong state names the state.
load holm

commands() {
	holm __man pages | cut -f 2
}

@test "every command has help that fits a screen, with an example, and a man page" {
	local command page lines
	while read -r command; do
		# shellcheck disable=SC2086
		holm $command --help >help
		lines=$(wc -l <help)
		grep -q "^Usage: holm $command" help
		grep -q "^Examples:" help || {
			echo "no example: $command"
			return 1
		}
		[ "$lines" -le 55 ] || {
			echo "$command --help has $lines lines"
			return 1
		}
		page=holm-${command// /-}
		[ -s "$HOLM_STAGE/share/man/man1/$page.1" ] || {
			[ ! -e "$HOLM_STAGE/share/man/man1/holm.1" ] || {
				echo "no page $page(1)"
				return 1
			}
		}
	done < <(commands)
	# what --help leaves out of run's many options is there with --all
	expect 0 holm help --all run
	output_has "  --memory-swappiness N"
	expect 0 holm run --help
	output_has "--memory-swappiness"
	output_has "'holm help --all run' explains all options."
}

@test "holm --help has each section once; what is called otherwise is told" {
	[ -z "$(holm --help | grep -E '^[A-Z][a-z]*:$' | sort | uniq -d)" ]
	refused 1 "system prune for all" holm prune
}

@test "examples are command lines that holm understands" {
	local line
	while read -r line; do
		# the command, and each option of it
		# shellcheck disable=SC2086
		set -- ${line#holm }
		local command=$1
		commands | grep -qx -- "$1" || command="$1 $2"
		# shellcheck disable=SC2086
		holm __man $command >options
		for word in ${line#holm }; do
			[[ $word == --[a-z]* ]] || continue
			grep -qF -- "*${word%%=*}*" options || {
				echo "$word is no option of $command: $line"
				return 1
			}
		done
	done < <(commands | while read -r command; do
		# shellcheck disable=SC2086
		holm $command --help | sed -n '/^Examples:/,$s/^  \(holm .*\)/\1/p'
	done | sed "s/ busybox .*//; s/|.*//; s/&&.*//")
}

# What each shell offers for the words; the last one is being typed.
bash_offers() { # WORD...
	bash -c '. "$0"; COMP_WORDS=(holm "$@"); COMP_CWORD=$#; COMP_LINE="holm $*"; COMP_POINT=${#COMP_LINE}
		"$(complete -p holm | sed "s/.*-F \([^ ]*\) .*/\1/")" holm "${@: -1}" ""; printf "%s\n" "${COMPREPLY[@]}"' \
		"$BATS_TEST_DIRNAME/../completions/holm.bash" "$@"
}

fish_offers() { # LINE
	fish -c "source '$BATS_TEST_DIRNAME/../completions/holm.fish'; complete -C '$1'"
}

@test "completion knows the groups, the new verbs, and live names, in each shell" {
	holm pod create shop >/dev/null
	echo x | holm secret create key - >/dev/null
	holm create --name web busybox true >/dev/null
	local words expected
	while IFS='|' read -r words expected; do
		# shellcheck disable=SC2086
		eval "set -- $words"
		holm __complete -- "$@" | grep -qx -- "$expected" || {
			echo "holm __complete $words: no $expected"
			return 1
		}
		[ "$(command -v bash)" ] && bash_offers "$@" | sed 's/ *$//' | grep -qx -- "$expected" || {
			echo "bash, $words: no $expected"
			bash_offers "$@"
			return 1
		}
		! command -v fish >/dev/null || fish_offers "holm $*" | cut -f 1 | grep -qx -- "$expected" || {
			echo "fish, $words: no $expected"
			return 1
		}
	done <<-'E'
		po|pod
		pod ''|create
		pod rm ''|shop
		pod create --sh|--share
		secret ''|inspect
		secret rm k|key
		run --secret ''|key
		run --pod s|shop
		rm w|web
		inspect --ex|--explain
		run --pull n|never
		volume ''|ls
		system ''|df
	E
	# zsh has a function that calls the same program
	! command -v zsh >/dev/null || zsh -n "$BATS_TEST_DIRNAME/../completions/_holm"
}

@test "a wrong value: the option, the value, and what is accepted" {
	local option value accepted
	while IFS='|' read -r option value accepted; do
		expect 125 holm run --rm "$option" "$value" busybox true
		[[ $stderr == "holm: run: "*"$option"*"$accepted"* ]] || {
			echo "$option $value: $stderr"
			return 1
		}
	done <<-'E'
		--memory|lots|is not a size like
		--memory|-5|is not a size like
		--memory-swap|x|is not a size like
		--memory-swappiness|101|100
		--cpus|many|'many'
		--cpus|1.5.5|'1.5.5'
		--cpu-shares|x|'x'
		--cpu-period|1|1
		--cpuset-cpus|a-b|a-b
		--pids-limit|x|'x'
		--oom-score-adj|1001|1000
		--blkio-weight|5|10
		--ulimit|nofile|nofile
		--ulimit|nosuch=1|nosuch
		--user|4294967295|4294967294
		--workdir|relative|not an absolute path
		--hostname|a b|not letters
		--env|=x|no name before '='
		--label|=x|no name before '='
		--restart|sometimes|unless-stopped
		--restart|on-failure:x|'x'
		--pull|often|always
		--log-driver|syslog|json-file
		--log-opt|nosuch=1|max-size
		--network|nosuch|nosuch
		--pid|nosuch|private, host, container:NAME
		--ipc|nosuch|shareable
		--uts|nosuch|private, host
		--cgroupns|nosuch|private, host
		--userns|nosuch|nosuch
		--cap-add|NONSENSE|NONSENSE
		--cap-drop|NONSENSE|NONSENSE
		--security-opt|nosuch=1|nosuch
		--device|/nosuch|/nosuch
		--device-cgroup-rule|x|x
		--sysctl|kernel.hostname=x|kernel.hostname
		--volume|/a:relative|relative
		--mount|type=nosuch|nosuch
		--tmpfs|relative|relative
		--shm-size|x|'x'
		--add-host|x|x
		--dns|x|x
		--stop-signal|NOSUCH|NOSUCH
		--stop-timeout|x|'x'
		--secret|s,type=x|mount or env
		--pod|nosuch|no such pod
		--attach|nosuch|stdin
		--annotation|x|KEY=VALUE
		--detach-keys|nosuch|nosuch
	E
	expect 0 holm ps -aq
	output_is ""
}

@test "options that exclude each other: both are named" {
	local line one two
	while IFS='|' read -r line one two; do
		# shellcheck disable=SC2086
		expect 125 holm run $line busybox true
		[[ $stderr == *"$one"* && $stderr == *"$two"* ]] || {
			echo "$line: $stderr"
			return 1
		}
	done <<-'E'
		--rm --restart always|--restart|--rm
		-d -a stdout|--detach|--attach
		--cap-add CHOWN --cap-drop CHOWN|--cap-add|--cap-drop
		--uts host -h x|--hostname|--uts host
		--log-driver none --log-opt max-size=1m|--log-opt|--log-driver none
		-m 64m --memory-swap 32m|memory-swap|memory
		--cpus 1 --cpu-quota 5000|--cpus|--cpu-quota
	E
}

@test "a verb in the wrong state says the state" {
	holm run -d --name runs busybox sleep 1000 >/dev/null
	holm run -d --name held busybox sleep 1000 >/dev/null
	holm pause held >/dev/null
	holm create --name made busybox true >/dev/null
	local line state
	while IFS='|' read -r line state; do
		# shellcheck disable=SC2086
		expect 1 holm $line
		[[ $stderr == *"$state"* ]] || {
			echo "$line: $stderr"
			return 1
		}
	done <<-'E'
		rm runs|is running
		rm held|is paused
		start held|is paused
		pause made|not running
		pause held|paused already
		unpause runs|not paused
		exec made true|not running
		exec held true|is paused
		kill made|not running
		attach made|not running
		top made|not running
	E
	holm unpause held >/dev/null
}

@test "--debug shows steps, NO_COLOR and a pipe mean no colours" {
	expect 0 holm --debug run --rm busybox true
	local step
	for step in "image busybox is sha256:" "is recorded in $HOLM_ROOT/containers/" "starting holm-monitor" "runs as process"; do
		[[ $stderr == *"$step"* ]]
	done
	expect 0 holm run --rm busybox true
	[ -z "$stderr" ]
	expect 0 holm doctor
	[[ $output != *$'\e'* ]]
}

@test "a command that is called by its other name says the first, not itself" {
	expect 0 holm snapshot --help
	[[ $output == *"Usage: holm snapshot "* ]]
	not grep -E 'Also called:.* holm snapshot(,|$)' <<<"$output"
}

@test "a console is for a person: what else there is" {
	refused 125 "not a terminal" holm console none </dev/null
	[[ $stderr == *"holm exec"* && $stderr == *"holm logs"* ]]
}
