#!/usr/bin/env bats
# build: well-known kinds of projects, of Debian's packages: built, run, pushed, and run from the registry.
load holm

# Builds ./ as NAME, pushes it, and forgets it here.
ship() { # NAME
	expect 0 holm build -t "$REGISTRY/$1" .
	expect 0 holm push -q "$REGISTRY/$1"
	expect 0 holm rmi -f "$REGISTRY/$1"
}

@test "nginx with a static site, its pages made in a stage of their own with a cache" {
	local nginx
	made_image nginx nginx
	registry_start
	registry_push "oci:$nginx:bookworm" nginx:latest
	mkdir pages
	echo '<h1>TITLE</h1>' >pages/index.html
	printf 'pages/draft*\n' >.dockerignore
	echo no >pages/draft.html
	cat >Dockerfile <<-END
		ARG BASE=$REGISTRY/nginx
		FROM \$BASE AS pages
		ARG TITLE=Welcome
		COPY pages /pages
		RUN --mount=type=cache,target=/cache \\
		    cp -r /pages/. /cache/ && mkdir /site && sed "s/TITLE/\$TITLE/" /cache/index.html >/site/index.html
		FROM \$BASE
		COPY --from=pages --chown=www-data:www-data /site/ /var/www/html/
		EXPOSE 80
		CMD ["nginx", "-g", "daemon off;"]
	END
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
	local postgres
	made_image postgres postgres
	registry_start
	registry_push "oci:$postgres:bookworm" postgres:latest
	echo 'create table t as select generate_series(1, 1000) as n;' >init.sql
	cat >Dockerfile <<-END
		FROM $REGISTRY/postgres
		COPY --chown=postgres init.sql /init/
		ENV PGDATA=/tmp/data
		RUN <<EOF
		set -e
		initdb -A trust >/dev/null
		pg_ctl -w -o "-k /tmp" start >/dev/null
		psql -qh /tmp -d postgres -f /init/init.sql
		pg_ctl -w stop >/dev/null
		EOF
		CMD ["postgres", "-k", "/tmp"]
	END
	ship db
	expect 0 holm run -d --name db "$REGISTRY/db"
	within 30 holm exec db pg_isready -q -h /tmp
	expect 0 holm exec db psql -h /tmp -d postgres -Atc 'select sum(n) from t'
	output_is 500500
	expect 0 holm rm -f db
}
