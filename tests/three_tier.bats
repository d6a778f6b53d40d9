#!/usr/bin/env bats
# The application of three tiers, of Debian packages: nginx, in front of a server that asks PostgreSQL. They find
# each other by name; only nginx is to be reached from outside.
load holm
load networks

setup() {
	networks_setup
	registry_start
}

# An HTTP server in the language that Debian always has, which asks the database for each answer.
write_server() { # FILE
	cat >"$1" <<-'E'
		use IO::Socket::INET;
		my $s = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die;
		while (my $c = $s->accept) {
		    while (<$c>) { last if /^\r?\n$/ }
		    my $sum = `psql -h db -U postgres -Atc 'select sum(n) from t' 2>&1`;
		    print $c "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nthe sum is $sum";
		    close $c;
		}
	E
}

write_proxy() { # FILE
	cat >"$1" <<-'E'
		server {
		    listen 80 default_server;
		    resolver 127.0.0.11;
		    location / {
		        set $app http://app:8000;
		        proxy_pass $app;
		    }
		}
	E
}

@test "nginx, an application server, PostgreSQL: by names, and only nginx can be reached" {
	local nginx postgres
	made_image nginx nginx
	made_image postgres postgres
	registry_push "oci:$nginx:bookworm" nginx:latest
	registry_push "oci:$postgres:bookworm" postgres:latest
	write_server "$BATS_TEST_TMPDIR/server.pl"
	write_proxy "$BATS_TEST_TMPDIR/default"

	holm network create front >/dev/null
	holm network create --internal back >/dev/null
	printf 'local all all trust\nhost all all samenet trust\n' >"$BATS_TEST_TMPDIR/hba"
	chmod 644 "$BATS_TEST_TMPDIR"/{hba,server.pl,default}
	expect 0 holm run -d --name db --network back -v "$BATS_TEST_TMPDIR/hba:/tmp/hba:ro" \
		"$REGISTRY/postgres" postgres -D /etc/postgresql/15/main -c 'listen_addresses=*' \
		-c hba_file=/tmp/hba
	expect 0 holm run -d --name app --network back --network front \
		-v "$BATS_TEST_TMPDIR/server.pl:/server.pl:ro" "$REGISTRY/postgres" perl /server.pl
	expect 0 holm run -d --name web --network front -p 8080:80 \
		-v "$BATS_TEST_TMPDIR/default:/etc/nginx/sites-enabled/default:ro" "$REGISTRY/nginx"
	within 60 holm exec db pg_isready -q
	expect 0 holm exec db psql -Atc 'create table t as select generate_series(1, 1000) as n'

	within 20 curl -fs http://127.0.0.1:8080/
	expect 0 curl -fs http://127.0.0.1:8080/
	output_is "the sum is 500500"

	# nginx sees the application, not the database
	run holm exec web getent hosts db
	[ "$status" != 0 ]
	db=$(holm inspect --format '{{.NetworkSettings.Networks.back.IPAddress}}' db)
	run holm exec web curl -s --connect-timeout 1 "http://$db:5432/"
	[ "$status" != 0 ]

	# another application server takes over, under the same name
	expect 0 holm run -d --name app2 --network back --network front:alias=app \
		-v "$BATS_TEST_TMPDIR/server.pl:/server.pl:ro" "$REGISTRY/postgres" perl /server.pl
	holm rm -f app >/dev/null
	within 10 curl -fs http://127.0.0.1:8080/
	expect 0 curl -fs http://127.0.0.1:8080/
	output_is "the sum is 500500"
	holm network disconnect back app2
	expect 0 curl -fs http://127.0.0.1:8080/
	output_has "could not translate host name"
}
