#!/usr/bin/env bats
# What there is on registries: by name, and the tags of one repository.
load holm
load registry/registries

setup() {
	holm_setup
}

@test "a registry that does not search is looked through by name; a repository by its tags" {
	registry_start
	small_image
	local name
	for name in team/small:1 team/small:2 other/small:1 other/large:1; do
		registry_push "oci:$BATS_TEST_TMPDIR/image:1" $name
	done
	expect 0 holm search --format '{{.Name}}' "$REGISTRY/small"
	output_is "other/small
team/small"
	expect 0 holm search --limit 1 --format '{{.Name}}' "$REGISTRY/small"
	output_is other/small
	expect 0 holm search --list-tags --format '{{.Tag}}' "$REGISTRY/team/small"
	[ "$(sort <<<"$output" | xargs)" = "1 2" ]
	expect 0 holm search "$REGISTRY/nothing"
	[[ $output == "NAME "*"DESCRIPTION "*"STARS "*"OFFICIAL" ]]
	refused 1 "--limit 0: expected 1 to 100" holm search --limit 0 "$REGISTRY/small"
	refused 1 "not on 127.0.0.1" holm search --list-tags "$REGISTRY/absent"
}

@test "one that searches is asked; filters; what comes from there steers no terminal" {
	mkdir -p site/v1
	cat >site.py <<-'E'
		import http.server, json
		RESULTS = [{"name": "a/one", "description": "x" * 60, "star_count": 3, "is_official": True},
		           {"name": "b/\u001b[2Jtwo", "description": "two\nlines", "star_count": 1}]
		class Handler(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        known = self.path.startswith("/v1/search?q=wo%20rd&n=25") or self.path == "/v2/"
		        body = json.dumps({"results": RESULTS}).encode() if known else b""
		        self.send_response(200 if known else 404)
		        self.send_header("Content-Length", str(len(body)))
		        self.end_headers()
		        self.wfile.write(body)
		http.server.HTTPServer(("127.0.0.1", 6500), Handler).serve_forever()
	E
	service python3 site.py
	within 10 listens 6500
	refused 1 "can neither search nor list" holm search 127.0.0.1:6500/other
	expect 0 holm search "127.0.0.1:6500/wo rd"
	[ "$(wc -l <<<"$output")" = 3 ]
	output_has "a/one"
	output_has "[OK]"
	output_has '\x1b[2Jtwo'
	output_has "two lines"
	[[ $output != *$'\e'* && $output != *xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx* ]]
	expect 0 holm search --filter is-official=true --format '{{.Name}} {{.StarCount}}' \
		"127.0.0.1:6500/wo rd"
	output_is "a/one 3"
	expect 0 holm search --filter stars=2 --no-trunc --format '{{.Description}}' \
		"127.0.0.1:6500/wo rd"
	output_is "$(printf 'x%.0s' {1..60})"
}
