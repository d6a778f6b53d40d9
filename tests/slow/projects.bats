#!/usr/bin/env bats
# Projects whose tools are large: built by holm, run, pushed, and pulled and run again by docker and
# podman. `make test-slow`.
# shellcheck disable=SC2154

load ../holm
load ../emulator
load ../projects
load ../callers/callers

setup_file() {
	callers_setup_file || return 0
	export CONTAINERS_CONF=$CALLER/containers.conf
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		default_ulimits = []
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "holm-runtime"
		[engine.runtimes]
		holm-runtime = ["$RUNTIME"]
	END
	! command -v dockerd >/dev/null || {
		printf '{"runtimes":{"holm":{"path":"%s"}},"default-runtime":"holm"}' "$RUNTIME" >"$CALLER/daemon.json"
		caller_starts dockerd dockerd --config-file "$CALLER/daemon.json" --host unix:///run/docker-test.sock \
			--data-root "$CALLER/docker" --exec-root /run/docker-test --pidfile /run/docker-test.pid \
			--storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs \
			--bridge none --iptables=false --ip6tables=false
		export DOCKER_HOST=unix:///run/docker-test.sock
		within 30 docker version
	}
}

teardown_file() {
	[ -z "${CALLER:-}" ] || callers_teardown_file dockerd
}

teardown() {
	! mountpoint -q "$CALLER/root/overlay" || umount "$CALLER/root/overlay"
	holm_teardown
}

podman() { # ARGUMENT...
	command podman --root "$CALLER/root" --runroot /run/podman-test --tmpdir /run/podman-tmp \
		--storage-driver overlay --cgroup-manager cgroupfs "$@"
}

command=() # in the place of an image's own

# The project here, whose image says TEXT: by holm, and from the registry by all.
ships() { # NAME TEXT [OPTION...]
	local name=$REGISTRY/$1 text=$2
	shift 2
	expect 0 holm build --network host "$@" -t "$name" .
	expect 0 holm push -q "$name"
	expect 0 holm rmi -f "$name"
	expect 0 holm run --rm "$name" "${command[@]}"
	output_is "$text"
	! command -v podman >/dev/null || {
		expect 0 podman run -q --rm --pull always --network none --tls-verify=false "$name" "${command[@]}"
		output_is "$text"
	}
	! command -v dockerd >/dev/null || {
		docker pull -q "$name"
		expect 0 docker run --rm --network none "$name" "${command[@]}"
		output_is "$text"
	}
}

engines() {
	local engine
	for engine in holm podman dockerd; do
		! command -v "$engine" >/dev/null || echo "${engine%d}"
	done
}

answers() { # ENGINE TEXT COMMAND...
	run --separate-stderr "$1" exec served "${@:3}"
	[ "$output" = "$2" ]
}

# The same of one that goes on running, and in which COMMAND says TEXT in the end.
serves() { # NAME TEXT COMMAND...
	local engine name=$REGISTRY/$1
	shift
	expect 0 holm build --network host -t "$name" .
	expect 0 holm push -q "$name"
	expect 0 holm rmi -f "$name"
	for engine in $(engines); do
		if [ "$engine" = podman ]; then
			expect 0 podman pull -q --tls-verify=false "$name"
		else
			expect 0 "$engine" pull -q "$name"
		fi
		expect 0 "$engine" run -d --name served --network none "$name"
		within 60 answers "$engine" "$@"
		expect 0 "$engine" rm -f served
	done
}

@test "nginx with a static site" {
	made_image nginx
	project_nginx
	serves site "<h1>Welcome</h1>" curl -fs http://127.0.0.1/index.html
}

@test "PostgreSQL with a script that makes its tables while the image is built" {
	made_image postgres
	project_postgres
	serves db 500500 psql -h /tmp -d postgres -Atc 'select sum(n) from t'
}

@test "a C program, static from scratch" {
	made_image gcc
	project_c
	ships hello "hello, nobody"
}

@test "a private repository, cloned by --ssh" {
	made_image git
	project_private
	pushd ctx
	ships private "private code runs" --ssh default=../ssh/deploy
	popd
	project_private_ends
}

@test "a system with a service of its own; holm launch boots it, others have its files" {
	made_image systemd
	project_system
	command=(systemctl is-enabled hello.service)
	ships system enabled
	expect 0 holm launch --network none "$REGISTRY/system" box
	within 60 holm exec box test -s /hello
	expect 0 holm exec box cat /hello
	output_is systemd
	expect 0 holm rm -f box
}

@test "a program for two platforms: compiled here, tried by an emulator, an index in the registry" {
	needs qemu-aarch64-static
	made_image cross
	project_cross
	cat >inside <<-'END'
		set -e
		holm build --progress plain --network none --platform linux/amd64,linux/arm64 -t "$REGISTRY/app" .
		holm push -q "$REGISTRY/app"
		holm run --rm --network none --platform linux/arm64 "$REGISTRY/app"
	END
	export REGISTRY
	emulated inside
	[ "$(tail -1 log)" = "hello, aarch64" ]
	[ "$(grep -c '^#.* hello, ' log)" = 2 ]
	# from the registry, by all: this machine's
	expect 0 holm rmi -f "$REGISTRY/app"
	expect 0 holm run --rm "$REGISTRY/app"
	output_is "hello, x86_64"
	! command -v podman >/dev/null || {
		expect 0 podman run -q --rm --pull always --network none --tls-verify=false "$REGISTRY/app"
		output_is "hello, x86_64"
	}
	! command -v dockerd >/dev/null || {
		expect 0 docker pull -q "$REGISTRY/app"
		expect 0 docker run --rm --network none "$REGISTRY/app"
		output_is "hello, x86_64"
		expect 0 docker pull -q --platform linux/arm64 "$REGISTRY/app"
		expect 0 docker image inspect --format '{{.Architecture}}' "$REGISTRY/app"
		output_is arm64
	}
}

@test "a Node.js application, by npm ci from a registry on this host" {
	local tar=npm/tiny/-/tiny-1.2.3.tgz
	made_image node
	based_on node
	mkdir -p package npm/tiny/-
	echo '{"name":"tiny","version":"1.2.3","main":"i.js"}' >package/package.json
	echo 'module.exports = who => `hello, ${who}`' >package/i.js
	tar -czf "$tar" package
	rm -r package
	service python3 -m http.server --directory npm --bind 127.0.0.1 4873
	within 10 listens 4873
	cat >package.json <<<'{"name":"app","version":"1.0.0","dependencies":{"tiny":"1.2.3"}}'
	cat >package-lock.json <<-END
		{"name":"app","version":"1.0.0","lockfileVersion":2,"requires":true,"packages":{
		"":{"name":"app","version":"1.0.0","dependencies":{"tiny":"1.2.3"}},
		"node_modules/tiny":{"version":"1.2.3","resolved":"http://127.0.0.1:4873/tiny/-/tiny-1.2.3.tgz",
		"integrity":"sha512-$(openssl dgst -sha512 -binary "$tar" | base64 -w 0)"}}}
	END
	echo 'console.log(require("tiny")("node"))' >app.js
	printf 'node_modules\nnpm\n' >.dockerignore
	mkdir node_modules # must not be what the image gets
	cat >Dockerfile <<-END
		FROM $REGISTRY/node
		WORKDIR /app
		COPY package*.json ./
		RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund --registry http://127.0.0.1:4873
		COPY . .
		CMD ["node", "app.js"]
	END
	ships app "hello, node"
	# another line of the application: its packages are not installed again
	echo 'console.log(require("tiny")("again"))' >app.js
	services_stop
	based_on node
	ships app "hello, again" # npm has no registry to ask
}

@test "a Python application of Debian's packages" {
	made_image python
	based_on python
	cat >app.py <<-'END'
		import flask
		app = flask.Flask("app")
		@app.route("/<who>")
		def hello(who):
		    return f"hello, {who}"
		if __name__ == "__main__":
		    print(app.test_client().get("/python").text)
	END
	cat >Dockerfile <<-END
		# syntax=docker/dockerfile:1
		FROM $REGISTRY/python
		RUN useradd --system app
		COPY --chown=app --chmod=0444 app.py /srv/
		RUN python3 -m compileall -q --invalidation-mode checked-hash /srv
		USER app
		ENV PYTHONDONTWRITEBYTECODE=1
		CMD ["python3", "/srv/app.py"]
	END
	ships app "hello, python"
}

@test "a Go program: compiled with a cache of its compiler, static from scratch" {
	made_image golang
	based_on golang
	cat >main.go <<-'END'
		package main
		import ("fmt"; "os")
		func main() { fmt.Println("hello,", os.Args[1]) }
	END
	printf 'module example.org/hello\n\ngo 1.19\n' >go.mod
	cat >Dockerfile <<-END
		FROM --platform=\$BUILDPLATFORM $REGISTRY/golang AS build
		ARG TARGETOS TARGETARCH
		WORKDIR /src
		COPY go.mod .
		COPY *.go .
		RUN --mount=type=cache,target=/root/.cache/go-build \\
		    CGO_ENABLED=0 GOOS=\$TARGETOS GOARCH=\$TARGETARCH go build -trimpath -ldflags=-s -o /hello .
		FROM scratch
		COPY --from=build /hello /
		ENTRYPOINT ["/hello"]
		CMD ["go"]
	END
	ships app "hello, go"
}

@test "a Java program, whose dependencies lie in a cache mount" {
	made_image java
	based_on java
	mkdir src
	cat >src/Hello.java <<-'END'
		public class Hello {
		    public static void main(String[] args) {
		        System.out.println("hello, " + args[0]);
		    }
		}
	END
	cat >Dockerfile <<-END
		FROM $REGISTRY/java AS build
		WORKDIR /build
		COPY src src
		RUN --mount=type=cache,target=/root/.m2 <<EOF
		set -e
		[ -e /root/.m2/fetched ] || date >/root/.m2/fetched
		javac -d classes src/*.java
		jar --create --date 1980-01-01T00:00:02Z --file /app.jar --main-class Hello -C classes .
		EOF
		FROM $REGISTRY/java
		COPY --from=build /app.jar /
		ENTRYPOINT ["java", "-Xshare:auto", "-jar", "/app.jar"]
		CMD ["java"]
	END
	ships app "hello, java"
	[ -s "$(echo "$HOLM_ROOT"/caches/*/data/fetched)" ]
}
