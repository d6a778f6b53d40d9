#!/usr/bin/env bats
# build: well-known kinds of projects, of Debian's packages: built, run, pushed, and run from the registry.
load holm
load projects

# Builds ./ as NAME, pushes it, and forgets it here.
ship() { # NAME
	expect 0 holm build -t "$REGISTRY/$1" .
	expect 0 holm push -q "$REGISTRY/$1"
	expect 0 holm rmi -f "$REGISTRY/$1"
}

@test "nginx with a static site, its pages made in a stage of their own with a cache" {
	made_image nginx
	project_nginx
	ship site
	expect 0 holm run -d --name web "$REGISTRY/site"
	within 20 holm exec web curl -fs http://127.0.0.1/index.html
	expect 0 holm exec web sh -c 'curl -fs http://127.0.0.1/index.html; stat -c %U /var/www/html/index.html; ls /var/www/html'
	output_has "<h1>Welcome</h1>"
	output_has "www-data"
	not output_has draft
	expect 0 holm rm -f web
}

@test "PostgreSQL with a script that makes its tables while the image is built" {
	made_image postgres
	project_postgres
	ship db
	expect 0 holm run -d --name db "$REGISTRY/db"
	within 30 holm exec db pg_isready -q -h /tmp
	expect 0 holm exec db psql -h /tmp -d postgres -Atc 'select sum(n) from t'
	output_is 500500
	expect 0 holm rm -f db
}

@test "a C program: tested in a stage of its own, and static from scratch" {
	made_image gcc
	project_c
	expect 0 holm build --target test .
	ship hello
	expect 0 holm run --rm "$REGISTRY/hello" you
	output_is "hello, you"
	expect 0 holm image inspect --format '{{len .RootFS.Layers}}' "$REGISTRY/hello"
	output_is 1
}

@test "a private repository, cloned by --ssh from a server that knows one key" {
	needs_root "the ssh server that it starts is root's"
	made_image git
	project_private
	refused 1 "ended with 128" holm build --allow network.host --ssh default=ssh/other ctx
	refused 1 "ended with 128" holm build --allow network.host ctx
	expect 0 holm build --allow network.host --ssh default=ssh/deploy -t "$REGISTRY/private" ctx
	expect 0 holm push -q "$REGISTRY/private"
	expect 0 holm rmi -f "$REGISTRY/private"
	expect 0 holm run --rm "$REGISTRY/private"
	output_is "private code runs"
	# the key is nowhere
	not grep -raqF "$(sed -n 2p ssh/deploy)" "$HOLM_ROOT" "$HOLM_RUN"
	project_private_ends
}

@test "a system with a service of its own, for holm launch" {
	made_image systemd
	project_system
	ship system
	expect 0 holm launch --network none "$REGISTRY/system" box
	within 60 holm exec box test -s /hello
	expect 0 holm exec box sh -c 'cat /hello; systemctl is-active hello'
	output_is $'systemd\nactive'
	expect 0 holm rm -f box
}

@test "an image whose packages cannot be had is not taken for one (tests/images)" {
	mkdir bin
	# a base in which nothing is, and so no apt-get
	cat >bin/mmdebstrap <<-'END'
		#!/bin/bash
		for word; do [[ $word != *.tar ]] || tar -cf "$word" -T /dev/null; done
	END
	chmod +x bin/mmdebstrap
	PATH=$PWD/bin:$PATH expect 1 "$BATS_TEST_DIRNAME/images" made --only gcc
	output_has "cannot make the image gcc"
	[ ! -e made/gcc ]
	[ -z "$(ls -d made/work.* 2>/dev/null)" ]
}
