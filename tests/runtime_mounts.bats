#!/usr/bin/env bats
# Mounts of a bundle: every option of runtime-spec v1.3, and crun's; propagation.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
	SOURCE=$BATS_TEST_TMPDIR/source
	mkdir "$SOURCE"
}

add_mount() { # JSON
	bundle_edit '.mounts += [$m | .source = (.source // $s)]' --argjson m "$1" --arg s "$SOURCE"
}

# The options of a mount as the container's own mountinfo has them: "rw,nosuid shared:1".
OPTIONS='opt() { awk -v p="$1" "\$5 == p { print \$6, \$7 }" /proc/self/mountinfo; }'

@test "flags of one mount, and recursive ones of all below it" {
	mkdir "$SOURCE/below"
	mount -t tmpfs inner "$SOURCE/below"
	local word
	for word in ro nosuid nodev noexec noatime nodiratime; do
		add_mount "{ \"destination\": \"/one-$word\", \"type\": \"bind\", \"options\": [\"rbind\", \"$word\"] }"
		add_mount "{ \"destination\": \"/all-$word\", \"type\": \"bind\", \"options\": [\"rbind\", \"r$word\"] }"
	done
	add_mount '{ "destination": "/again", "type": "bind", "options": ["rbind", "rro", "rrw", "rnosuid", "rsuid"] }'
	expect 0 bundle sh -c "$OPTIONS
		for w in ro nosuid nodev noexec noatime nodiratime; do
			for at in one-\$w one-\$w/below all-\$w all-\$w/below; do
				case \",\$(opt /\$at | cut -d ' ' -f 1),\" in *,\$w,*) echo \$at ;; esac
			done
		done; opt /again; opt /again/below"
	umount "$SOURCE/below"
	local wanted=''
	for word in ro nosuid nodev noexec noatime nodiratime; do
		wanted+="one-$word"$'\n'"all-$word"$'\n'"all-$word/below"$'\n'
	done
	[[ $output == "$wanted"rw,* ]]
	[[ ${lines[-1]} == rw,* && ${lines[-1]} != *nosuid* ]]
}

@test "words of any filesystem are no error for a bind, and reach a new filesystem" {
	add_mount '{ "destination": "/bind", "type": "bind", "options": ["bind", "sync", "iversion", "async", "lazytime", "loud"] }'
	add_mount '{ "destination": "/fs", "type": "tmpfs", "source": "t", "options": ["sync", "dirsync", "size=1m"] }'
	expect 0 bundle sh -c 'awk "\$5 == \"/fs\" { print \$NF }" /proc/self/mountinfo'
	[[ $output == *sync*dirsync* ]]
}

@test "remount changes what is mounted there already" {
	add_mount '{ "destination": "/fs", "type": "tmpfs", "source": "t", "options": ["size=1m"] }'
	add_mount '{ "destination": "/fs", "type": "tmpfs", "source": "t", "options": ["remount", "nosuid", "ro", "size=2m"] }'
	expect 0 bundle sh -c 'grep -c "^.* .* .* .* /fs " /proc/self/mountinfo; grep " /fs " /proc/self/mountinfo'
	[ "${lines[0]}" = 1 ]
	[[ ${lines[1]} == *" ro,nosuid"* && ${lines[1]} == *size=2048k* ]]
	add_mount '{ "destination": "/etc", "type": "bind", "options": ["bind", "remount", "ro"] }'
	bundle_refused 125 "mount /etc: " bundle true
	output_has "remount is for what is mounted there already"
}

@test "propagation of mounts: shared, slave, private, unbindable" {
	mount --bind "$SOURCE" "$SOURCE"
	mount --make-shared "$SOURCE"
	local word
	for word in shared slave private unbindable rshared rslave; do
		add_mount "{ \"destination\": \"/$word\", \"type\": \"bind\", \"options\": [\"rbind\", \"$word\"] }"
	done
	add_mount '{ "destination": "/none", "type": "bind", "options": ["rbind"] }'
	add_mount '{ "destination": "/fs", "type": "tmpfs", "source": "t", "options": ["shared"] }'
	expect 0 bundle sh -c "$OPTIONS
		for at in shared rshared slave rslave private unbindable none fs; do opt /\$at | cut -d ' ' -f 2 | cut -d : -f 1; done"
	umount "$SOURCE"
	output_is "shared
shared
master
master
-
unbindable
-
shared"
}

@test "a slave of the host sees what is mounted there later, and the host nothing of it" {
	mount --bind "$SOURCE" "$SOURCE"
	mount --make-shared "$SOURCE"
	add_mount '{ "destination": "/volume", "type": "bind", "options": ["rbind", "rslave"] }'
	mkdir "$SOURCE/later"
	bundle_edit '.process.args = ["sh", "-c", "touch /volume/ready; until [ -e /volume/later/x ]; do sleep 0.1; done; echo seen"]'
	service bundle_again
	within 5 test -e "$SOURCE/ready"
	mount -t tmpfs later "$SOURCE/later"
	touch "$SOURCE/later/x"
	within 5 grep -q seen "$BATS_TEST_TMPDIR/service.0.log"
	wait "${SERVICES[0]}"
	umount "$SOURCE/later" "$SOURCE"
}

@test "the root's propagation is as asked" {
	mount --bind "$ROOTFS" "$ROOTFS"
	mount --make-shared "$ROOTFS"
	local word
	for word in shared rshared slave rslave private rprivate unbindable; do
		bundle_edit '.linux.rootfsPropagation = $w' --arg w "$word"
		bundle sh -c "$OPTIONS; opt / | cut -d ' ' -f 2 | cut -d : -f 1" >>"$BATS_TEST_TMPDIR/all"
	done
	# a peer group of its own: what the container mounts is not seen by the host
	bundle_edit '.linux.rootfsPropagation = "shared"'
	expect 0 bundle sh -c "$OPTIONS; opt / | cut -d ' ' -f 2"
	[ "$output" != "$(awk -v p="$ROOTFS" '$5 == p { print $7 }' /proc/self/mountinfo | tail -n 1)" ]
	umount "$ROOTFS"
	[ "$(cat "$BATS_TEST_TMPDIR/all")" = $'shared\nshared\nmaster\nmaster\n-\n-\nunbindable' ]
}

@test "links as sources: followed, bound as such, made again" {
	ln -s /etc/hostname-of-nobody "$SOURCE/dangling"
	ln -s file "$SOURCE/link"
	echo content >"$SOURCE/file"
	bundle_edit '.mounts += [
		{ destination: "/followed", type: "bind", source: ($s + "/link"), options: ["bind"] },
		{ destination: "/as-such", type: "bind", source: ($s + "/dangling"), options: ["bind", "src-nofollow"] },
		{ destination: "/new/copied", type: "bind", source: ($s + "/dangling"), options: ["bind", "copy-symlink"] },
		{ destination: "/no-link", type: "bind", source: ($s + "/file"), options: ["bind", "copy-symlink"] }]' --arg s "$SOURCE"
	expect 0 bundle sh -c 'cat /followed; readlink /as-such; readlink /new/copied; cat /no-link; grep -c copied /proc/self/mountinfo; exit 0'
	output_is "content
/etc/hostname-of-nobody
/etc/hostname-of-nobody
content
0"
	[ "$(readlink "$ROOTFS/new/copied")" = /etc/hostname-of-nobody ]
	expect 0 bundle true # the same once more
	ln -sfn elsewhere "$ROOTFS/new/copied"
	bundle_refused 125 "mount /new/copied: make a link to /etc/hostname-of-nobody: File exists" bundle true
}

@test "a link as the destination is followed, or covered" {
	echo content >"$SOURCE/file"
	echo target >"$ROOTFS/target"
	ln -s target "$ROOTFS/link"
	bundle_edit '.mounts += [{ destination: "/link", type: "bind", source: ($s + "/file"), options: ["bind"] }]' --arg s "$SOURCE"
	expect 0 bundle sh -c 'cat /target; readlink /link'
	output_is $'content\ntarget'
	bundle_edit '.mounts[-1].options += ["dest-nofollow"]'
	expect 0 bundle sh -c 'cat /target; cat /link; readlink /link || echo no link'
	output_is $'target\ncontent\nno link'
}

@test "a relative destination counts from the root; kinds that do not fit are named" {
	add_mount '{ "destination": "relative/./folder", "type": "bind", "options": ["bind", "ro"] }'
	expect 0 bundle sh -c 'grep -c " /relative/folder " /proc/self/mountinfo'
	output_is 1
	add_mount '{ "destination": "/etc/passwd", "type": "bind", "options": ["bind"] }'
	bundle_refused 125 "mount /etc/passwd: " bundle true
	touch "$SOURCE/file"
	bundle_edit '.mounts[-1] = { destination: "/etc", type: "bind", source: ($s + "/file"), options: ["bind"] }' --arg s "$SOURCE"
	bundle_refused 125 "mount /etc: what is no folder cannot be mounted on one" bundle true
	bundle_edit '.mounts[-1] = { destination: "/x", type: "proc", source: "proc", options: ["tmpcopyup"] }'
	bundle_refused 125 "mount /x: option tmpcopyup is for tmpfs, not proc" bundle true
}

@test "the type says bind, or an option does" {
	echo content >"$SOURCE/file"
	add_mount '{ "destination": "/a", "type": "bind" }'
	add_mount '{ "destination": "/b", "type": "none", "options": ["rbind"] }'
	add_mount '{ "destination": "/c", "options": ["bind"] }'
	expect 0 bundle sh -c 'cat /a/file /b/file /c/file'
	output_is $'content\ncontent\ncontent'
}

@test "a tmpfs gets what the image has there" {
	mkdir -p "$ROOTFS/data/sub"
	echo content >"$ROOTFS/data/sub/file"
	add_mount '{ "destination": "/data", "type": "tmpfs", "source": "t", "options": ["tmpcopyup", "ro"] }'
	expect 0 bundle sh -c 'cat /data/sub/file; touch /data/x 2>/dev/null || echo read-only; stat -f -c %T /data'
	output_is $'content\nread-only\ntmpfs'
}

@test "a label takes SELinux" {
	[ ! -e /sys/fs/selinux/status ] || skip "SELinux is active"
	bundle_edit '.linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	bundle_refused 125 "linux.mountLabel system_u:object_r:container_file_t:s0: SELinux is not active on this host" bundle true
	bundle_edit 'del(.linux.mountLabel) | .process.selinuxLabel = "system_u:system_r:container_t:s0"'
	bundle_refused 125 "SELinux is not active on this host" bundle true
}

# With the ids that it has outside.
in_user_namespace() { # COMMAND...
	unshare --user --mount sh -c 'until grep -q . /proc/self/gid_map; do sleep 0.05; done; exec "$@"' sh "$@" &
	within 5 not test /proc/self/ns/user -ef "/proc/$!/ns/user"
	echo 0 0 65536 >"/proc/$!/uid_map"
	echo 0 0 65536 >"/proc/$!/gid_map"
	wait $!
}

@test "flags that the host has locked stay as they are in a user namespace" {
	mount -t tmpfs -o ro,nosuid locked "$SOURCE"
	add_mount '{ "destination": "/volume", "type": "bind", "options": ["bind", "rw", "suid", "noatime"] }'
	bundle_edit '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1000 }] | .linux.gidMappings = .linux.uidMappings'
	# shellcheck disable=SC2034 # for bundle
	BUNDLE_WRAPPER=in_user_namespace
	expect 0 bundle sh -c "$OPTIONS; opt /volume | cut -d ' ' -f 1"
	umount "$SOURCE"
	[[ ${lines[0]} == ro,nosuid* ]]
	output_has "locked in a user namespace"
}
