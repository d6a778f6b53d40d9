# bash completion for holm: the program itself says what fits (holm __complete).
_holm()
{
	local cur line words cword
	local -a lines=()

	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n =: cur words cword
	else
		words=("${COMP_WORDS[@]}")
		cword=$COMP_CWORD
		cur=${COMP_WORDS[COMP_CWORD]}
	fi
	while IFS= read -r line; do
		lines+=("$line")
	done < <("${words[0]}" __complete -- "${words[@]:1:cword}" 2>/dev/null)

	COMPREPLY=()
	for line in "${lines[@]}"; do
		case $line in
		:files)
			while IFS= read -r line; do
				COMPREPLY+=("$line")
			done < <(compgen -f -- "${cur##*=}")
			compopt -o filenames
			;;
		:folders)
			while IFS= read -r line; do
				COMPREPLY+=("$line")
			done < <(compgen -d -- "${cur##*=}")
			compopt -o filenames
			;;
		*)
			COMPREPLY+=("$line")
			;;
		esac
	done
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}
complete -F _holm holm
