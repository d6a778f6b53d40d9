#!/usr/bin/env bats
# build: any step of an image starts again, IMAGE@STEP, while the cache has it.
load holm

write_dockerfile() {
	cat >Dockerfile <<-'END'
		FROM busybox AS builder
		RUN mkdir /out && echo made >/out/file
		ENV TOOL=hammer
		RUN echo $TOOL >/out/tool
		FROM busybox
		COPY --from=builder /out/file /file
		ENV STATE=first
		WORKDIR /work
		RUN echo broken >/file
		USER 7
		LABEL a=b
	END
}

# The first line of busybox's history that is not its own.
base_lines() {
	holm history -q busybox | wc -l
}

@test "IMAGE@STEP: each line of history starts as it was, with its files and its configuration" {
	write_dockerfile
	expect 0 holm build -t app --label c=d .
	base=$(base_lines)
	expect 0 holm history --format '{{.Step}} {{.CreatedBy}}' app
	output_has "$((base + 1)) COPY --from=builder /out/file /file"
	output_has "$((base + 2)) ENV STATE=first"
	output_has "$((base + 4)) RUN /bin/sh -c echo broken >/file"
	expect 0 holm history app
	output_has "STEP"
	expect 0 holm run --rm "app@$((base + 1))" sh -c 'cat /file; echo "$STATE:$(pwd):$(id -u)"'
	output_is $'made\n:/:0'
	expect 0 holm run --rm "app@$((base + 3))" sh -c 'cat /file; echo "$STATE:$(pwd):$(id -u)"'
	output_is $'made\nfirst:/work:0'
	expect 0 holm run --rm "app@$((base + 5))" sh -c 'cat /file; id -u'
	output_is $'broken\n7'
	# the base, and the whole: the image itself
	expect 0 holm run --rm "app@$base" test ! -e /file
	[ "$(holm image inspect --format '{{.Id}}' "app@$((base + 6))")" = "$(holm images -q --no-trunc app)" ]
	[ "$(holm image inspect --format '{{.Config.Labels.c}}' "app@$((base + 6))")" = d ]
	expect 0 holm image inspect --format '{{.Config.User}}:{{.Config.WorkingDir}}' "app@$((base + 3))"
	output_is ":/work"
	# by the beginning of the id that history shows
	id=$(holm history --no-trunc --format '{{.Step}} {{.ID}}' app | sed -n "s/^$((base + 2)) sha256://p")
	expect 0 holm run --rm "app@${id:0:12}" sh -c 'echo $STATE'
	output_is first
	[ "$(holm image inspect --format '{{.Id}}' "app@$((base + 2))")" = "sha256:$id" ]
	# a step is in no list, and the collector takes what nobody uses
	[ "$(holm images -aq | wc -l)" = 2 ]
	expect 0 holm gc
	expect 0 holm run --rm "app@$((base + 1))" cat /file
	output_is made
	expect 0 holm system check
	output_is "The store is sound."
}

@test "IMAGE@STAGE: another stage's steps, while the cache has them" {
	write_dockerfile
	expect 0 holm build -t app .
	base=$(base_lines)
	expect 0 holm run --rm app@builder sh -c 'cat /out/tool; echo $TOOL'
	output_is $'hammer\nhammer'
	expect 0 holm run --rm "app@builder/$((base + 1))" sh -c 'ls /out; echo -n "$TOOL"'
	output_is file
	expect 0 holm history --format '{{.Step}}' app@builder
	output_has "builder/$((base + 3))"
	refused 125 "app has no step 99" holm run app@99
	output_has "it has builder/$base-$((base + 3)), $base-$((base + 6)): see holm history app"
	refused 125 "app has no step nobody" holm run app@nobody
	refused 1 "app has no step builder/99" holm create app@builder/99
	refused 125 "how it was built is not known" holm run busybox@1
	refused 125 "no such image: absent" holm run absent@1
	# a container keeps its step
	expect 0 holm create --name kept app@builder cat /out/tool
	expect 0 holm builder prune -f
	expect 0 holm start -a kept
	output_is hammer
	holm rm kept
	expect 0 holm gc
	refused 125 "app: step builder is not in the cache any more" holm run --rm app@builder true
	output_has "build it again"
	# the image's own steps are as safe as it is
	expect 0 holm run --rm "app@$((base + 1))" cat /file
	output_is made
	expect 0 holm build -t app .
	expect 0 holm run --rm app@builder cat /out/tool
	output_is hammer
}

@test "back to a step: tag, commit, push and save see an image like any other" {
	write_dockerfile
	expect 0 holm build -t app .
	base=$(base_lines)
	expect 0 holm tag "app@$((base + 3))" app:good
	expect 0 holm run --rm app:good sh -c 'cat /file; id -u'
	output_is $'made\n0'
	expect 0 holm tag app@builder app:builder
	expect 0 holm rmi app
	expect 0 holm builder prune -f
	expect 0 holm gc
	expect 0 holm save -o both.tar app:good app:builder
	HOLM_ROOT=$PWD/other expect 0 holm load -i both.tar
	HOLM_ROOT=$PWD/other expect 0 holm run --rm app:builder cat /out/tool
	output_is hammer
	# what is committed stands on the step, not on the image
	expect 0 holm build -t app .
	expect 0 holm run --name changed "app@$((base + 1))" sh -c 'echo more >>/file'
	expect 0 holm commit changed app:changed
	holm rm changed
	expect 0 holm run --rm app:changed sh -c 'cat /file; echo ":$STATE"'
	output_is $'made\nmore\n:'
	[ "$(holm history -q app:changed | wc -l)" = $((base + 2)) ]
	expect 0 holm system check
	output_is "The store is sound."
	# the records of images that are gone go with them
	expect 0 holm rmi app app:changed app:good app:builder
	expect 0 holm builder prune -f
	[ -z "$(ls "$HOLM_ROOT/stages")" ]
}

@test "a damaged record of steps is an error of its own, and the image still runs" {
	write_dockerfile
	expect 0 holm build -t app .
	record=$(find "$HOLM_ROOT/stages" -type f)
	cp "$record" sound
	for change in '.stages[0].steps[0].layers = 99' '.target = 7' '.stages[1].steps[1].number = -1' \
		'.stages[0].config.rootfs.diff_ids[0] = "../../etc"' '.stages[1].steps = []'; do
		jq "$change" sound >"$record"
		refused 125 "numbers that do not fit" holm run "app@2"
		expect 0 holm run --rm app cat /file
		expect 0 holm history app
	done
	head -c 100 sound >"$record"
	expect 125 holm run app@2
	expect 0 holm build -t app .
	expect 0 holm run --rm app@builder true
}
