#!/usr/bin/env bats
# Looking at images: images with its filters, history, image tree, image exists.
load holm

# low:1 with one layer and high:1 with one more, an hour younger, with a history as builders write it.
two_images() {
	mkdir -p low high
	head -c 20K /dev/urandom >low/base
	echo more >high/more
	tar -C low -cf low.tar .
	tar -C high -cf high.tar .
	chained low 2026-01-01T10:00:00Z low.tar
	chained high 2026-01-01T11:00:00Z low.tar high.tar
}

chained() { # NAME CREATED LAYER...
	local name=$1 created=$2 layer layers=() ids=()
	shift 2
	mkdir "$name.d"
	for layer; do
		cp "$layer" "$name.d/$layer"
		layers+=("\"$layer\"")
		ids+=("\"sha256:$(sha256sum <"$layer" | cut -c1-64)\"")
	done
	jq -nc --arg created "$created" --argjson ids "[$(IFS=,; echo "${ids[*]}")]" '{
		architecture: "amd64", os: "linux", config: {Labels: {tier: "x"}}, created: $created,
		rootfs: {type: "layers", diff_ids: $ids},
		history: ([$ids[] | {created: $created, created_by: "/bin/sh -c #(nop) ADD file:0123456789abcdef in /some/where "}] +
			[{created: $created, created_by: "CMD [\"sh\"]\tx\u001b[31m", comment: "by hand", empty_layer: true}])
		}' >"$name.d/config.json"
	echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"$name:1\"],\"Layers\":[$(IFS=,; echo "${layers[*]}")]}]" \
		>"$name.d/manifest.json"
	tar -C "$name.d" -cf "$name.archive" .
	expect 0 holm load -i "$name.archive"
}

@test "history tells the steps, newest first, in docker's table" {
	two_images
	expect 0 holm history high:1
	[[ ${lines[0]} =~ ^IMAGE\ +CREATED\ +CREATED\ BY\ +SIZE\ +COMMENT$ ]]
	[ "${#lines[@]}" = 4 ]
	[[ ${lines[1]} =~ ^[0-9a-f]{12}\ +.*ago\ +CMD.*0B\ +by\ hand\ *$ ]]
	[[ ${lines[2]} =~ ^\<missing\>\ .*ADD\ file:0123456789abcdef.*…\ +5B\ *$ ]]
	[[ $output != *$'\e'* ]]
	expect 0 holm history --no-trunc -H=false --format '{{.ID}}|{{.CreatedSince}}|{{.Size}}' high:1
	[[ ${lines[0]} =~ ^sha256:[0-9a-f]{64}\|2026-01-01T11:00:00Z\|0$ ]]
	[ "${lines[2]}" = "<missing>|2026-01-01T11:00:00Z|20480" ]
	expect 0 holm history -q high:1
	[[ ${lines[0]} =~ ^[0-9a-f]{12}$ && ${lines[1]} = "<missing>" ]]
	expect 0 holm image history --format json low:1
	jq -se 'length == 2 and (.[0] | keys) == ["Comment", "CreatedAt", "CreatedBy", "CreatedSince", "ID", "Size"]' <<<"$output"
	refused 1 "no such image" holm history nosuch
}

@test "an image without a history shows its layers" {
	mkdir fs && echo x >fs/x && tar -C fs -cf fs.tar .
	oci_image image bare:1 fs.tar
	expect 0 holm load -i image
	expect 0 holm history bare:1
	[ "${#lines[@]}" = 2 ]
	[[ ${lines[1]} =~ ^[0-9a-f]{12}\ +N/A\ +2B\ * ]]
}

@test "tree shows the layers, and which images stand on which" {
	two_images
	expect 0 holm image tree high:1
	[[ ${lines[0]} =~ ^Image\ ID:\ [0-9a-f]{12}$ ]]
	[ "${lines[1]}" = "Tags:     [high:1]" ]
	[[ ${lines[4]} =~ ^├──\ ID:\ [0-9a-f]{12}\ Size:\ 20.5kB\ Top\ Layer\ of:\ \[low:1\]$ ]]
	[[ ${lines[5]} =~ ^└──\ ID:\ [0-9a-f]{12}\ Size:\ 5B\ Top\ Layer\ of:\ \[high:1\]$ ]]
	expect 0 holm image tree --whatrequires low:1
	[[ ${lines[4]} =~ ^└──\ ID:.*\[low:1\]$ ]]
	[[ ${lines[5]} =~ ^\ \ \ \ └──\ ID:.*\[high:1\]$ ]]
}

@test "exists answers by its status alone" {
	two_images
	expect 0 holm image exists low:1
	output_is ""
	expect 1 holm image exists nosuch
	output_is ""
	[ -z "$stderr" ]
}

@test "images can be filtered by name, label, age and being dangling" {
	two_images
	holm tag low:1 example.org/team/low:2
	names() { # OPTION...
		expect 0 holm images --format '{{.Repository}}:{{.Tag}}' "$@"
	}
	names --filter before=high:1
	output_is "low:1
example.org/team/low:2"
	names --filter since=low:1
	output_is high:1
	names --filter until=2026-01-01T10:30:00Z --filter 'reference=*/*/low'
	output_is example.org/team/low:2
	names --filter label=tier=x --filter label=tier low
	output_is low:1
	names --filter label=tier=y
	output_is ""
	refused 1 "--filter before: no such image" holm images --filter before=nosuch
	refused 1 "--filter" holm images --filter nosuch=1
	# a name that moves on leaves its image dangling
	holm tag high:1 low:1
	holm tag high:1 example.org/team/low:2
	names --filter dangling=true
	output_is "<none>:<none>"
	expect 0 holm images --digests
	[[ ${lines[0]} == *DIGEST* && ${lines[1]} == *sha256:* ]]
	expect 0 holm image prune -f
	names --filter dangling=true
	output_is ""
}

@test "an image can be mounted, and is kept as long as it is" {
	needs_root "what a user mounts is seen in holm unshare alone"
	two_images
	expect 0 holm image mount high:1
	local path=$output
	[ "$(cat "$path/more")" = more ] && cmp low/base "$path/base"
	not touch "$path/new"
	expect 0 holm image mount high:1
	output_is "$path"
	expect 0 holm image mount
	output_has "$path"
	refused 1 "the image is mounted" holm rmi high:1
	expect 0 holm image prune -af
	expect 0 holm gc --keep 0
	[ "$(cat "$path/more")" = more ]
	expect 0 holm images --format '{{.Repository}}'
	output_is high
	expect 0 holm image unmount high:1
	[ ! -e "$path" ]
	refused 1 "not mounted" holm image umount high:1
	expect 0 holm rmi high:1
}

@test "diff tells what an image has other than another, or without its last layer" {
	two_images
	expect 0 holm image diff high:1
	output_is "A /more"
	expect 0 holm image diff high:1 low:1
	output_is "A /more"
	expect 0 holm image diff low:1 high:1
	output_is "D /more"
	expect 0 holm image diff low:1
	output_is "A /base"
	refused 1 "no such image" holm image diff low:1 nosuch
}
