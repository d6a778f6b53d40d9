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

@test "a C program: tested in a stage of its own, and static from scratch" {
	local gcc
	made_image gcc gcc
	registry_start
	registry_push "oci:$gcc:bookworm" gcc:latest
	cat >hello.c <<-'END'
		#include <stdio.h>
		int main(int argc, char **argv)
		{
			return printf("hello, %s\n", argc > 1 ? argv[1] : NAME) < 0;
		}
	END
	cat >Dockerfile <<-END
		FROM $REGISTRY/gcc AS build
		ARG NAME=nobody
		WORKDIR /src
		COPY hello.c .
		RUN --mount=type=tmpfs,target=/tmp cc -O2 -static -DNAME="\"\$NAME\"" -o /hello hello.c
		FROM build AS test
		RUN [ "\$(/hello world)" = "hello, world" ] && [ "\$(/hello)" = "hello, \$NAME" ]
		FROM scratch
		COPY --from=build /hello /
		ENTRYPOINT ["/hello"]
	END
	expect 0 holm build --target test .
	ship hello
	expect 0 holm run --rm "$REGISTRY/hello" you
	output_is "hello, you"
	expect 0 holm image inspect --format '{{len .RootFS.Layers}}' "$REGISTRY/hello"
	output_is 1
}

@test "a private repository, cloned by --ssh from a server that knows one key" {
	local git sshd
	made_image git git
	needs ssh-keygen git
	sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || skip "no sshd here"
	registry_start
	registry_push "oci:$git:bookworm" git:latest
	grep -q ^sshd: /etc/passwd || { # whom it is while it knows nobody yet
		{ cat /etc/passwd; echo "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin"; } >passwd
		mount --bind passwd /etc/passwd
	}
	mount -t tmpfs -o mode=755 holm-test /run # for /run/sshd, which sshd wants
	mkdir -p ssh /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f ssh/host
	ssh-keygen -q -t ed25519 -N '' -f ssh/deploy
	ssh-keygen -q -t ed25519 -N '' -f ssh/other
	cat >ssh/config <<-END
		ListenAddress 127.0.0.1:2222
		HostKey $PWD/ssh/host
		AuthorizedKeysFile $PWD/ssh/deploy.pub
		PidFile none
		StrictModes no
		UsePAM no
		PermitRootLogin yes
	END
	service "$sshd" -D -e -f "$PWD/ssh/config"
	within 10 listens 2222
	git -c init.defaultBranch=main init -q code
	echo '#!/bin/sh' >code/app
	echo 'echo private code runs' >>code/app
	chmod +x code/app
	git -C code add .
	git -C code -c user.name=x -c user.email=x@y commit -qm one
	git clone -q --bare code private.git
	mkdir ctx
	echo "[127.0.0.1]:2222 $(cut -d ' ' -f 1,2 ssh/host.pub)" >ctx/known_hosts
	cat >ctx/Dockerfile <<-END
		FROM $REGISTRY/git AS code
		COPY known_hosts /etc/ssh/ssh_known_hosts
		RUN --network=host --mount=type=ssh git clone -q ssh://root@127.0.0.1:2222$PWD/private.git /code
		FROM busybox
		COPY --from=code /code/app /app
		CMD ["/app"]
	END
	refused 1 "ended with 128" holm build --allow network.host --ssh default=ssh/other ctx
	refused 1 "ended with 128" holm build --allow network.host ctx
	expect 0 holm build --allow network.host --ssh default=ssh/deploy -t "$REGISTRY/private" ctx
	expect 0 holm push -q "$REGISTRY/private"
	expect 0 holm rmi -f "$REGISTRY/private"
	expect 0 holm run --rm "$REGISTRY/private"
	output_is "private code runs"
	# the key is nowhere
	not grep -raqF "$(sed -n 2p ssh/deploy)" "$HOLM_ROOT" "$HOLM_RUN"
	umount /run
	! mountpoint -q /etc/passwd || umount /etc/passwd
}

@test "a system with a service of its own, for holm launch" {
	local systemd
	made_image systemd systemd
	registry_start
	registry_push "oci:$systemd:bookworm" systemd:latest
	cat >Dockerfile <<-END
		FROM $REGISTRY/systemd
		COPY <<EOF /etc/systemd/system/hello.service
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/bin/cp /proc/1/comm /hello
		[Install]
		WantedBy=multi-user.target
		EOF
		RUN systemctl enable hello.service
	END
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
