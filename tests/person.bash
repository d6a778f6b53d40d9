# person.bash - an ordinary user: `load holm`, then `load person`. person_new makes one for the test, uid
# 1000, in files of /etc that are the test's own; person_end takes them back.
# shellcheck shell=bash

PERSON=tester

# A user with these ids in /etc/subuid and /etc/subgid (none: no line), a home and a run folder.
person_new() { # [FIRST:COUNT]
	person_named "$PERSON" 1000 "$@"
}

# One more: everything after the first is added to the same files.
person_named() { # NAME UID [FIRST:COUNT]
	local files=$BATS_TEST_TMPDIR/etc file
	person_reaches "$BATS_TEST_TMPDIR" "$TMPDIR/run" "$HOLM_LIBEXEC"
	if [ ! -d "$files" ]; then
		mkdir "$files"
		echo root:x:0:0:root:/root:/bin/sh >"$files/passwd"
		echo root:x:0: >"$files/group"
		echo someone:700000:65536 >"$files/subuid"
		for file in passwd group subuid; do
			mount --bind "$files/$file" "/etc/$file"
		done
		mount --bind "$files/subuid" /etc/subgid
		mount -t tmpfs -o mode=755 tmpfs /run/user 2>/dev/null ||
			mount -t tmpfs -o mode=755 tmpfs /run
		mkdir -p /run/user
	fi
	echo "$1:x:$2:$2::/home:/bin/sh" >>"$files/passwd"
	echo "$1:x:$2:" >>"$files/group"
	[ -z "${3:-}" ] || echo "$1:$3" >>"$files/subuid"
	mkdir -p "$BATS_TEST_TMPDIR/person/$1" "/run/user/$2"
	chown "$2:$2" "$BATS_TEST_TMPDIR/person/$1" "/run/user/$2"
	chmod 700 "/run/user/$2"
}

person_reaches() { # FOLDER...
	local folder
	for folder; do
		until [ "$folder" = / ]; do
			chmod a+x "$folder"
			folder=$(dirname "$folder")
		done
	done
}

# As the user of that name, with nothing of root's environment.
as() { # NAME COMMAND...
	local name=$1 id
	id=$(id -u "$name")
	shift
	setpriv --reuid "$id" --regid "$id" --clear-groups \
		env -i -C "$BATS_TEST_TMPDIR/person/$name" PATH="$PATH" HOLM_LIBEXEC="$HOLM_LIBEXEC" NO_COLOR=1 \
		HOME="$BATS_TEST_TMPDIR/person/$name" XDG_RUNTIME_DIR="/run/user/$id" "$@"
}

as_person() { # COMMAND...
	as "$PERSON" "$@"
}

# holm of the user.
u() { # ARGUMENT...
	as_person holm "$@"
}

person_end() {
	local name
	[ -d "$BATS_TEST_TMPDIR/etc" ] || return 0
	while read -r name <&5; do
		as "$name" sh -c 'holm ps -aq | xargs -r holm rm -f -v' >/dev/null 2>&1 || true
	done 5< <(sed -n '2,$s/:.*//p' "$BATS_TEST_TMPDIR/etc/passwd")
	umount -l /etc/passwd /etc/group /etc/subuid /etc/subgid
	umount -l /run/user 2>/dev/null || umount -l /run
}
