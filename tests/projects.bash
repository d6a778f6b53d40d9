# projects.bash - well-known kinds of projects, as ./ and the images that they stand on, for `load
# projects`: one of tests/build_projects.bats is the same as in tests/slow, where others run it, too.
# Each test says which image it wants (made_image), for tests/images to make it.
# shellcheck shell=bash

# A registry, in which that image is.
based_on() { # NAME
	registry_start
	registry_push "oci:$HOLM_IMAGES/$1:bookworm" "$1:latest"
}

# Its pages are made in a stage of their own, with a cache.
project_nginx() {
	based_on nginx
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
}

project_postgres() {
	based_on postgres
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
}

project_c() {
	based_on gcc
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
}

# In ctx; the keys are in ssh: deploy, which the server knows, and other.
project_private() {
	local sshd
	needs ssh-keygen git
	sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || skip "no sshd here"
	based_on git
	grep -q ^sshd: /etc/passwd || { # whom it is while it knows nobody yet
		{ cat /etc/passwd; echo "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin"; } >passwd
		mount --bind passwd /etc/passwd
	}
	# for /run/sshd, which sshd wants
	[ -n "${CALLER:-}" ] || mount -t tmpfs -o mode=755 holm-test /run
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
}

project_system() {
	based_on systemd
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
}

# What project_private changed outside.
project_private_ends() {
	[ -n "${CALLER:-}" ] || umount /run
	! mountpoint -q /etc/passwd || umount /etc/passwd
}

# Compiled here for elsewhere, and tried there, by an emulator.
project_cross() {
	based_on cross
	cat >hello.c <<-'END'
		#include <stdio.h>
		#include <sys/utsname.h>
		int main(void)
		{
			struct utsname name;
			return uname(&name) || printf("hello, %s\n", name.machine) < 0;
		}
	END
	cat >Dockerfile <<-END
		FROM --platform=\$BUILDPLATFORM $REGISTRY/cross AS build
		ARG TARGETARCH
		COPY hello.c .
		RUN case \$TARGETARCH in arm64) cc=aarch64-linux-gnu-gcc ;; *) cc=gcc ;; esac; \\
		    \$cc -O2 -static -o /hello hello.c
		FROM scratch
		COPY --from=build /hello /
		RUN ["/hello"]
		CMD ["/hello"]
	END
}
