# holm.bash - what every file of whole-program tests loads: `load holm`. Each test gets an empty
# store of its own, and fails if it leaves anything behind. tests/bats runs such a file.
# shellcheck shell=bash disable=SC2154 # bats sets status, output and lines

bats_require_minimum_version 1.5.0

[ -n "${HOLM_TEST_INSIDE:-}" ] || {
	echo "run this by tests/bats: it makes the namespaces that keep the host clean" >&2
	exit 1
}

# A test that defines its own setup or teardown calls holm_setup and holm_teardown in it.
setup() {
	holm_setup
}

teardown() {
	holm_teardown
}

holm_setup() {
	export HOLM_ROOT=$BATS_TEST_TMPDIR/root
	export HOLM_RUN=$TMPDIR/run/$BATS_TEST_NUMBER
	export HOME=$BATS_TEST_TMPDIR/home
	export NO_COLOR=1
	mkdir "$HOME" "$BATS_TEST_TMPDIR/here"
	[ -z "${HOLM_TEST_USER:-}" ] || holm_user_setup
	cd "$BATS_TEST_TMPDIR/here" || return
	HOLM_MOUNTS=$(mounts)
}

# HOLM_TEST_USER of tests/bats: what the test makes for holm is that user's.
holm_user_setup() {
	local folder=$BATS_TEST_TMPDIR
	mkdir "$HOLM_ROOT" "$HOLM_RUN"
	chown 1000:1000 "$HOLM_ROOT" "$HOLM_RUN" "$HOME"
	umask 0
	chmod 777 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/here"
	until [ "$folder" = / ]; do
		chmod a+rx "$folder"
		folder=$(dirname "$folder")
	done
}

# Files that the test has made are those of who runs holm.
given() { # FILE...
	[ -z "${HOLM_TEST_USER:-}" ] || chown -hR 1000:1000 "$@"
}

# For what an ordinary user cannot have, whatever holm does. The README lists them (user_list).
needs_root() { # REASON
	[ -z "${HOLM_TEST_USER:-}" ] || skip "as an ordinary user: $1"
}

holm_teardown() {
	local status=0
	# a test that failed may leave what it likes; the next one must not see it
	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		holm ps -a || true
	fi
	holm ps -aq 2>/dev/null | xargs -r holm rm -f -v >/dev/null 2>&1 || true
	services_stop
	if [ -n "${BATS_TEST_COMPLETED:-}" ]; then
		nothing_left || status=1
	fi
	container_processes | awk '{ print $1 }' | xargs -r kill -KILL 2>/dev/null || true
	return $status
}

# Fails, naming it, if a process, mount, cgroup, or debris of a store is left. Things that end
# just after the answer was given have two seconds.
nothing_left() {
	local left
	for _ in $(seq 20); do
		left=$(leftovers)
		[ -n "$left" ] || return 0
		sleep 0.1
	done
	echo "left behind:"
	echo "$left"
	return 1
}

leftovers() {
	container_processes
	diff <(echo "$HOLM_MOUNTS") <(mounts) | sed -n 's/^>/mount/p'
	cgroups
	[ ! -d "$HOLM_RUN/containers" ] || find "$HOLM_RUN/containers" -mindepth 1 -maxdepth 1
	[ ! -d "$HOLM_ROOT/containers" ] || find "$HOLM_ROOT/containers" -mindepth 1 -maxdepth 1
	[ ! -d "$HOLM_ROOT/names" ] || find "$HOLM_ROOT/names" -mindepth 1
	[ ! -d "$HOLM_ROOT" ] || find "$HOLM_ROOT" -maxdepth 3 -name '.new-*'
}

mounts() {
	awk '{ print $5, $9 }' /proc/self/mountinfo
}

# PID and command of every holm program, and of every process in a PID namespace below ours.
container_processes() {
	local folder command
	for folder in /proc/[0-9]*; do
		read -r command <"$folder/comm" || continue
		if [[ $command == holm || $command == holm-* ||
			! $folder/ns/pid -ef /proc/self/ns/pid ]]; then
			echo "${folder#/proc/} $(tr '\0' ' ' <"$folder/cmdline")"
		fi
	done 2>/dev/null
}

# The cgroups of containers; tests/bats gave this file a hierarchy of its own.
cgroups() {
	find /sys/fs/cgroup -path '*/holm[/-]*' -type d 2>/dev/null || true
}

# --- what tests say ---------------------------------------------------------------------------

# `run` and expect this status: fails with the output. $output is what went to standard output,
# $stderr the rest: warnings, progress, errors.
expect() { # STATUS COMMAND...
	local wanted=$1
	shift
	run --separate-stderr "$@"
	[ "$status" = "$wanted" ] || {
		echo "expected status $wanted, got $status: $*"
		echo "$output"
		echo "$stderr"
		return 1
	}
}

# On either.
output_has() { # TEXT
	[[ $output == *"$1"* || ${stderr:-} == *"$1"* ]] || {
		echo "no '$1' in:"
		echo "$output"
		echo "${stderr:-}"
		return 1
	}
}

# On standard output.
output_is() { # TEXT
	[ "$output" = "$1" ] || {
		echo "expected: $1"
		echo "got:      $output"
		return 1
	}
}

# An error of holm's: this status, one line (and perhaps a hint) with the text in it.
refused() { # STATUS TEXT COMMAND...
	local wanted=$1 text=$2
	shift 2
	expect "$wanted" "$@"
	# shellcheck disable=SC2154 # set by run --separate-stderr
	[[ $(grep -c '^holm: ' <<<"$stderr") == 1 && $stderr == *"holm: "*"$text"* ]] || {
		echo "not one line of an error with '$text': $stderr"
		return 1
	}
}

# For the middle of a test, where bash does not take `! command` for a failure.
not() { # COMMAND...
	! "$@"
}

# How long to wait for what takes so long on a machine of today: HOLM_TEST_PATIENCE times that, where
# the machine is slow (./vm/guest).
seconds() { # SECONDS
	awk -v s="$1" -v patience="${HOLM_TEST_PATIENCE:-1}" 'BEGIN { print s * patience }'
}

kernel_before() { # MAJOR MINOR
	local major minor
	IFS=. read -r major minor _ <<<"$(uname -r)"
	[ "$major" -lt "$1" ] || { [ "$major" = "$1" ] && [ "${minor%%[!0-9]*}" -lt "$2" ]; }
}

# Tries the command until it succeeds, for at most three times the seconds that are plenty on a quiet
# machine: whoever waits for what comes does not wait longer for that.
within() { # SECONDS COMMAND...
	local end=$((SECONDS + 3 * $1 * ${HOLM_TEST_PATIENCE:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || {
			echo "not in time: $*"
			return 1
		}
		sleep 0.05
	done
}

# Runs the command in a session of its own and kills that after a random time of at most MS.
killed_at_random() { # MS COMMAND...
	local ms=$((RANDOM % ($1 * ${HOLM_TEST_PATIENCE:-1}))) pid
	shift
	setsid "$@" >/dev/null 2>&1 </dev/null 3>&- &
	pid=$!
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
	kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

# Has the container written this? To wait for it: `within 5 said web ready`.
said() { # NAME TEXT
	holm logs "$1" 2>&1 | grep -qF "$2"
}

needs() { # COMMAND...
	local command
	for command; do
		command -v "$command" >/dev/null || skip "no $command here"
	done
}

# HOLM_FAULT=name, which ends holm there (engine/fault.h). tests/run looks for this word, and for
# "abort" in the names of its tests.
needs_abort_points() {
	grep -q HOLM_FAULT "$HOLM_STAGE/bin/holm" ||
		skip "this build has no abort points (the sanitized one has)"
}

cgroup_v2() {
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]
}

# The value that a container's cgroup has, in either version: `limit web memory.max memory/memory.limit_in_bytes`
limit() { # NAME V2_FILE V1_CONTROLLER/FILE
	local id
	id=$(holm inspect "$1" --format '{{.Id}}')
	if cgroup_v2; then
		cat "/sys/fs/cgroup/holm/$id/$2"
	else
		cat "/sys/fs/cgroup/${3%/*}/holm/$id/${3##*/}"
	fi
}

# --- services ---------------------------------------------------------------------------------

SERVICES=()

# Starts a program in the background; services_stop, called by the teardown, ends it.
service() { # COMMAND...
	"$@" >"$BATS_TEST_TMPDIR/service.${#SERVICES[@]}.log" 2>&1 3>&- &
	SERVICES+=($!)
}

services_stop() {
	local pid
	for pid in "${SERVICES[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	SERVICES=()
}

# Takes connections on 127.0.0.1:PORT and says nothing; the file $asked has a line for each.
silent_service() { # PORT
	needs python3
	# shellcheck disable=SC2034 # for the tests
	asked=$BATS_TEST_TMPDIR/service.${#SERVICES[@]}.log
	service python3 -c '
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
kept = []
while True:
    kept.append(server.accept())
    print("asked", flush=True)' "$1"
	within 10 listens "$1"
}

# A registry on 127.0.0.1:PORT (default 5000); $REGISTRY is its name. More lines of its
# configuration come on standard input if asked for by "-".
registry_start() { # [PORT [-]]
	local port=${1:-5000} folder=$BATS_TEST_TMPDIR/registry.${1:-5000}
	mkdir -p "$folder"
	cat >"$folder.yml" <<-E
		version: 0.1
		log: { level: warn }
		storage:
		  filesystem: { rootdirectory: $folder }
		  delete: { enabled: true }
		http:
		  addr: 127.0.0.1:$port
	E
	[ "${2:-}" != - ] || cat >>"$folder.yml"
	service docker-registry serve "$folder.yml"
	# shellcheck disable=SC2034 # for the tests
	REGISTRY=127.0.0.1:$port
	within 10 listens "$port"
}

listens() { # PORT
	(exec 3<>"/dev/tcp/127.0.0.1/$1")
}

# Pushes what skopeo reads (oci:DIR:TAG, docker-archive:FILE) to the registry as NAME.
registry_push() { # SOURCE NAME
	skopeo --insecure-policy copy --quiet --dest-tls-verify=false "$1" "docker://$REGISTRY/$2"
}

# --- images -----------------------------------------------------------------------------------

# Writes an image into an OCI layout: `oci_image DIR TAG LAYER.tar...`. CONFIG, if set, is the
# image's "config" object; COMPRESS is gzip (default), zstd or none.
oci_image() { # DIR TAG LAYER...
	local dir=$1 tag=$2 layer diff_ids='' layers='' kind config manifest
	shift 2
	mkdir -p "$dir/blobs/sha256"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	for layer; do
		diff_ids+=,\"sha256:$(sha256sum <"$layer" | cut -c1-64)\"
		case ${COMPRESS:-gzip} in
		gzip) kind=+gzip && gzip -nc "-${GZIP_LEVEL:-1}" "$layer" >"$dir/blob" ;;
		zstd) kind=+zstd && zstd -qc "$layer" >"$dir/blob" ;;
		none) kind='' && cp "$layer" "$dir/blob" ;;
		esac
		layers+=,$(oci_blob "$dir" "application/vnd.oci.image.layer.v1.tar$kind")
	done
	printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]}}' \
		"${CONFIG:-{\}}" "${diff_ids#,}" >"$dir/blob"
	config=$(oci_blob "$dir" application/vnd.oci.image.config.v1+json)
	printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' \
		application/vnd.oci.image.manifest.v1+json "$config" "${layers#,}" >"$dir/blob"
	manifest=$(oci_blob "$dir" application/vnd.oci.image.manifest.v1+json \
		",\"annotations\":{\"org.opencontainers.image.ref.name\":\"$tag\"}")
	printf '{"schemaVersion":2,"manifests":[%s]}' "$manifest" >"$dir/index.json"
}

# Moves DIR/blob to its digest's place and prints its descriptor, with MORE fields.
oci_blob() { # DIR MEDIA_TYPE [MORE]
	local digest
	digest=$(sha256sum <"$1/blob" | cut -c1-64)
	printf '{"mediaType":"%s","digest":"sha256:%s","size":%d%s}' \
		"$2" "$digest" "$(stat -c %s "$1/blob")" "${3:-}"
	mv "$1/blob" "$1/blobs/sha256/$digest"
}

# Images that take long to make are made once, before the tests, by tests/images. The variable gets the
# folder of the OCI layout. Not for $(...): a subshell cannot skip the test.
made_image() { # NAME [VARIABLE]
	[ -e "${HOLM_IMAGES:-}/$1/index.json" ] ||
		skip "the image $1 could not be made here (tests/images)"
	[ -z "${2:-}" ] || printf -v "$2" %s "$HOLM_IMAGES/$1"
}

# --- disks ------------------------------------------------------------------------------------

# A fresh ext4 of so many MiB, mounted at DIR in this file's own mount namespace.
small_disk() { # DIR MIB
	truncate -s "$2M" "$1.ext4"
	mke2fs -q -t ext4 -O ^has_journal "$1.ext4"
	mkdir -p "$1"
	mount -o loop "$1.ext4" "$1"
	given "$1"
}

small_disk_end() { # DIR
	umount "$1"
	rm "$1.ext4"
}
