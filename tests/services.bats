#!/usr/bin/env bats
# Two programs as people run them: a web server and a database, each from an image of Debian
# packages in layers, on the network of the host (here: of this file's own network namespace).
load holm

setup() {
	holm_setup
	registry_start
}

push() { # NAME
	local image
	made_image "$1" image
	registry_push "oci:$image:bookworm" "$1:latest"
}

@test "nginx serves a page" {
	made_image nginx
	push nginx
	expect 0 holm run -d --name web --net host "$REGISTRY/nginx"
	within 20 curl -fs http://127.0.0.1/
	expect 0 curl -fs http://127.0.0.1/
	output_has "Welcome to nginx!"

	expect 0 holm exec web sh -c 'echo "changed in place" >/var/www/html/index.html'
	expect 0 curl -fs http://127.0.0.1/index.html
	output_is "changed in place"

	expect 0 holm stop web
	run curl -fs http://127.0.0.1/
	[ "$status" != 0 ]
	expect 0 holm start web
	within 20 curl -fs http://127.0.0.1/index.html
	expect 0 curl -fs http://127.0.0.1/index.html
	output_is "changed in place"
}

@test "nginx serves a page from a folder of the host" {
	made_image nginx
	push nginx
	mkdir "$BATS_TEST_TMPDIR/page"
	echo "from the host" >"$BATS_TEST_TMPDIR/page/index.html"
	expect 0 holm run -d --name web --net host \
		-v "$BATS_TEST_TMPDIR/page:/var/www/html:ro" "$REGISTRY/nginx"
	within 20 curl -fs http://127.0.0.1/
	expect 0 curl -fs http://127.0.0.1/
	output_is "from the host"
	expect 1 holm exec web touch /var/www/html/new
	output_has "Read-only file system"
}

@test "PostgreSQL answers a query, and keeps its data in a volume" {
	made_image postgres
	push postgres
	expect 0 holm run -d --name db --net host -v data:/var/lib/postgresql "$REGISTRY/postgres"
	within 60 holm exec db pg_isready -q
	expect 0 holm exec db psql -Atc "alter user postgres password 'secret'"
	expect 0 holm exec db psql -Atc 'create table t as select generate_series(1, 1000) as n'

	# a client in another container, over the shared network
	expect 0 holm run --rm --net host -e PGPASSWORD=secret "$REGISTRY/postgres" \
		psql -h 127.0.0.1 -Atc 'select sum(n) from t'
	output_is 500500

	expect 0 holm stop db
	expect 0 holm logs db
	output_has "database system is shut down"
	expect 0 holm rm db
	expect 0 holm run -d --name db2 --net host -v data:/var/lib/postgresql "$REGISTRY/postgres"
	within 60 holm exec db2 pg_isready -q
	expect 0 holm exec db2 psql -Atc 'select count(*) from t'
	output_is 1000
}
