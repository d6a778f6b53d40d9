#!/usr/bin/env bats
# What takes the disk, and giving it back: system df, system prune.
load holm

# Bytes of the disk below folders of the store, as du counts them.
used() { # FOLDER...
	(cd "$HOLM_ROOT" && du -scB1 "$@" | tail -1 | cut -f1)
}

df_bytes() { # TYPE
	holm system df --format '{{.Type}}:{{.Bytes}}' | sed -n "s/^$1://p"
}

# A small image of so many KiB of noise.
noise_image() { # NAME KIB [LABEL]
	mkdir -p "noise/$1"
	head -c "$2K" /dev/urandom >"noise/$1/noise"
	tar -C "noise/$1" -cf "noise/$1.tar" .
	expect 0 holm import ${3:+-c "LABEL $3"} "noise/$1.tar" "$1"
}

@test "df says what du says, to the block" {
	expect 0 holm run --name box -v data:/d -v /anon busybox sh -c \
		'head -c 300000 /dev/zero > /d/a; ln /d/a /d/b; ln /d/a /d/c; mkdir /x; cp /bin/busybox /x/y'
	noise_image noise:1 64
	expect 0 holm system df --format '{{.Type}}|{{.TotalCount}}|{{.Active}}'
	output_is "Images|2|1
Containers|1|0
Local Volumes|2|2
Build Cache|0|0"
	[ "$(df_bytes Images)" = "$(used images layers partial)" ]
	[ "$(df_bytes Containers)" = "$(used containers)" ]
	[ "$(df_bytes 'Local Volumes')" = "$(used volumes)" ]
	expect 0 holm system df
	[[ ${lines[0]} =~ ^TYPE\ +TOTAL\ +ACTIVE\ +SIZE\ +RECLAIMABLE ]]
	[[ ${lines[1]} =~ ^Images\ +2\ +1\ .*B\ +.*B\ \([0-9]+%\) ]]
	expect 0 holm system df --format json
	jq -se 'map(.Type) == ["Images", "Containers", "Local Volumes", "Build Cache"] and
		all(.[]; has("Size") and has("Reclaimable") and (.TotalCount | type) == "string")' <<<"$output"
	expect 0 holm rm -v box
}

@test "df -v tells image by image what is shared" {
	mkdir -p low high/etc
	head -c 40K /dev/urandom >low/base
	echo more >high/etc/more
	tar -C low -cf low.tar .
	tar -C high -cf high.tar .
	oci_image a a:1 low.tar
	oci_image b b:1 low.tar high.tar
	expect 0 holm load -i a
	expect 0 holm load -i b
	expect 0 holm system df -v
	output_has "Images space usage:"
	output_has "Containers space usage:"
	output_has "Local Volumes space usage:"
	expect 0 holm system df -v --format '{{range .Images}}{{.Repository}} {{.UniqueSize}} {{.SharedSize}}
{{end}}'
	local a b
	a=$(sed -n 's/^a .* //p' <<<"$output")
	b=$(sed -n 's/^b .* //p' <<<"$output")
	[ "$a" = "$b" ] && [ "$a" != 0B ]
	expect 0 holm system df -v --format json
	jq -e '(.Images | length) == 2 and .Volumes == [] and .Containers == []' <<<"$output"
}

@test "what prune takes is what df called reclaimable" {
	expect 0 holm run --name dead busybox sh -c 'head -c 200000 /dev/zero > /x'
	expect 0 holm run -d --name alive busybox sleep 1000
	noise_image noise:1 64
	holm volume create kept
	expect 0 holm system df --format '{{.Type}} {{.ReclaimableBytes}}'
	local images containers before
	images=$(sed -n 's/^Images //p' <<<"$output")
	containers=$(sed -n 's/^Containers //p' <<<"$output")
	[ "$images" -gt 65536 ] && [ "$containers" -ge 200000 ]
	before=$(used images layers partial)
	expect 0 holm system prune -a -f --volumes
	output_has "Deleted Containers:"
	output_has "Deleted Images:"
	output_has "Untagged: noise:1"
	[[ $output == *"Total reclaimed space: "* ]]
	[ "$((before - $(used images layers partial)))" = "$images" ]
	expect 0 holm ps -a --format '{{.Names}}'
	output_is alive
	expect 0 holm images --format '{{.Repository}}'
	output_is busybox
	expect 0 holm volume ls -q
	output_is kept
	expect 0 holm system prune -f
	output_is "Total reclaimed space: 0B"
}

@test "prune asks, and keeps what its filters do not mean" {
	expect 0 holm run --name old --label keep=yes busybox true
	expect 0 holm run --name new busybox true
	noise_image labelled:1 8 team=red
	noise_image plain:1 8
	run holm system prune <<<n
	[ "$status" = 0 ]
	output_has "Go on?"
	expect 0 holm ps -aq
	[ "${#lines[@]}" = 2 ]
	expect 0 holm system prune -f --filter until=24h
	expect 0 holm system prune -f --filter label!=keep
	expect 0 holm ps -a --format '{{.Names}}'
	output_is old
	expect 0 holm image prune -a -f --filter label=team=red
	expect 0 holm images --format '{{.Repository}}'
	[[ $output == *plain* && $output != *labelled* ]]
	expect 0 holm image prune -af --filter until=1h
	expect 0 holm image exists plain:1
	expect 0 holm image prune -af --filter "until=$(date -u -d tomorrow +%Y-%m-%dT%H:%M:%SZ)"
	expect 1 holm image exists plain:1
	output_is ""
	refused 1 "neither a time" holm system prune -f --filter until=soon
	refused 1 "none of label" holm system prune -f --filter color=red
	refused 1 "does not go with --volumes" holm system prune -f --volumes --filter until=1h
	expect 0 holm volume create --label a=1 one
	expect 0 holm volume create two
	expect 0 holm volume prune -af --filter label=a
	expect 0 holm volume ls -q
	output_is two
}

@test "a store of a newer holm is refused, and nothing in it changes" {
	expect 0 holm volume create data
	echo 2 >"$HOLM_ROOT/version"
	local before
	before=$(cd "$HOLM_ROOT" && find . -printf '%p %s %T@\n' | sort)
	for line in "system df" "system prune -af --volumes" "run --rm busybox true" "volume rm data" "images"; do
		# shellcheck disable=SC2086
		run holm $line
		[ "$status" != 0 ]
		output_has "a newer holm wrote it"
	done
	[ "$(cd "$HOLM_ROOT" && find . -printf '%p %s %T@\n' | sort)" = "$before" ]
	echo 1 >"$HOLM_ROOT/version"
	expect 0 holm volume rm data
}

# --- a budget ---------------------------------------------------------------------------------

@test "gc --keep takes the images that were not used for longest, until the rest fits" {
	for name in a b c; do noise_image "$name:1" 200; done
	# used last: a; then c; b was never run
	expect 0 holm create --name user c:1 /x
	expect 0 holm rm user
	expect 0 holm create --name user a:1 /x
	expect 0 holm rm user
	local total one
	total=$(df_bytes Images)
	expect 0 holm system df -v --format '{{range .Images}}{{.Repository}} {{.LastUsedAt}}
{{end}}'
	[ "$(sort -k 2 <<<"$output" | sed '/^$/d' | cut -d' ' -f1 | tr '\n' ' ')" = "b c a " ]
	expect 0 holm gc
	output_is "Total reclaimed space: 0B"
	expect 0 holm gc --keep "$((total - 1))"
	output_has "Untagged: b:1"
	[[ $output != *"c:1"* ]]
	one=$(df_bytes Images)
	[ "$one" -lt "$total" ]
	expect 0 holm gc --keep "$one"
	output_is "Total reclaimed space: 0B"
	# what a container uses stays, whatever its age
	expect 0 holm create --name user c:1 /x
	expect 0 holm create --name other a:1 /x
	expect 0 holm rm other
	expect 0 holm system gc --keep 1k
	output_has "Untagged: a:1"
	output_has "in use take"
	expect 0 holm images --format '{{.Repository}}'
	output_is c
	expect 0 holm rm user
	expect 0 holm gc --keep 0
	[ -z "$(holm images -q)" ]
	[ "$(find "$HOLM_ROOT"/layers "$HOLM_ROOT"/images/blobs/sha256 -mindepth 1 | wc -l)" = 0 ]
	refused 1 "--keep" holm gc --keep much
}

@test "gc leaves shared layers to the images that stay" {
	mkdir -p low high
	head -c 100K /dev/urandom >low/base
	head -c 50K /dev/urandom >high/more
	tar -C low -cf low.tar .
	tar -C high -cf high.tar .
	oci_image old old:1 low.tar high.tar
	oci_image new new:1 low.tar
	expect 0 holm load -i old
	expect 0 holm load -i new
	touch -d yesterday "$HOLM_ROOT/images/blobs/sha256/$(holm images --digests --format '{{.Digest}}' old | cut -c8-)"
	expect 0 holm gc --keep "$(($(df_bytes Images) - 1))"
	expect 0 holm images --format '{{.Repository}}'
	output_is new
	expect 0 holm create --name box new:1 /x
	expect 0 holm rm box
}

@test "doctor says what a lack disables and what to do; info has docker's members" {
	needs_root "it compares with what root may do"
	expect 0 holm doctor --format json
	jq -se 'all(.[]; if .Verdict == "ok" then .Disables == "" and .Advice == "" else .Disables != "" end) and
		(map(select(.Name == "run folder")) | length) == 1 and any(.[]; .Name == "Landlock") and
		([.[] | select(.Name | IN("bridge", "veth", "macvlan", "ipvlan", "vlan", "vxlan", "dummy", "nftables", "BPF LSM"))] | length) == 9' <<<"$output"
	# what it says of links is what ip says
	local kind
	for kind in bridge veth dummy; do
		if ip link add name probe0 type $kind 2>/dev/null; then
			ip link del probe0
			jq -se --arg k $kind 'any(.[]; .Name == $k and .Verdict == "ok")' <<<"$output"
		else
			jq -se --arg k $kind 'any(.[]; .Name == $k and .Verdict == "less")' <<<"$output"
		fi
	done
	expect 0 holm info --format '{{.Swarm.LocalNodeState}} {{.LoggingDriver}} {{.DefaultRuntime}} {{.OSType}} {{.Driver}}'
	output_is "inactive json-file holm linux overlay2"
	expect 0 holm info --format json
	jq -e '([.MemoryLimit, .PidsLimit, .CPUSet, .LiveRestoreEnabled] | all(type == "boolean")) and
		(.SystemTime | test("^20..-")) and .Runtimes.holm.path == "holm-runtime"' <<<"$output"
}
