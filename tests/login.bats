#!/usr/bin/env bats
# Logins: asked of the registry, kept where other programs look for them, forgotten.
load holm
load registry/registries

setup() {
	holm_setup
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/runtime
	mkdir "$XDG_RUNTIME_DIR"
	KEPT=$XDG_RUNTIME_DIR/containers/auth.json
}

kept() { # FILE HOST: user:password
	jq -r --arg host "$2" '.auths[$host].auth // "none" | if . == "none" then . else @base64d end' "$1"
}

@test "a login is asked of the registry, kept for nobody else to read, and good for push and pull" {
	registry_start_safe 5001
	stored_image "$REGISTRY/small:1"
	refused 1 "wants a login" holm push "$REGISTRY/small:1"
	expect 1 holm login -u user --password-stdin "$REGISTRY" <<<wrong
	output_has "refuses the login"
	[[ $output$stderr != *wrong* ]]
	[ ! -e "$KEPT" ]
	expect 0 holm login -u user --password-stdin "$REGISTRY" <<<secret
	output_is "Login Succeeded"
	output_has "$KEPT"
	[ "$(stat -c %a "$KEPT")" = 600 ]
	[ "$(kept "$KEPT" "$REGISTRY")" = user:secret ]
	expect 0 holm login --get-login "$REGISTRY"
	output_is user
	expect 0 holm push "$REGISTRY/small:1"
	# others read it, too; and holm what they write
	skopeo inspect --no-tags --authfile "$KEPT" --tls-verify=false "docker://$REGISTRY/small:1" >inspected
	skopeo logout --authfile "$KEPT" "$REGISTRY"
	refused 1 "not logged in" holm login --get-login "$REGISTRY"
	skopeo login --authfile "$KEPT" --tls-verify=false -u user -p secret "$REGISTRY"
	given "$KEPT"
	expect 0 holm pull "$REGISTRY/small:1"
	# a login that holds is not asked for again
	expect 0 holm login "$REGISTRY" </dev/null
	output_has "existing credentials"
}

@test "logout forgets one login, or all, in every file that would be asked" {
	mkdir -p "$HOME/.docker" "$(dirname "$KEPT")"
	echo '{"auths":{"a.example":{"auth":"dTpw"},"https://b.example/v2/":{"auth":"dTpw"}},"HttpHeaders":{"X":"y"}}' \
		>"$HOME/.docker/config.json"
	echo '{"auths":{"b.example":{"auth":"dTpw"}}}' >"$KEPT"
	expect 0 holm logout b.example
	output_is "Removing login credentials for b.example"
	[ "$(jq -c '.auths | keys' "$HOME/.docker/config.json")" = '["a.example"]' ]
	[ "$(jq -c .HttpHeaders "$HOME/.docker/config.json")" = '{"X":"y"}' ]
	[ "$(jq -c .auths "$KEPT")" = '{}' ]
	expect 0 holm logout b.example
	output_is "Not logged in to b.example"
	expect 0 holm logout --all
	[ "$(jq -c .auths "$HOME/.docker/config.json")" = '{}' ]
	refused 1 "exclude each other" holm logout --all a.example
}

@test "a token service is asked whether it knows the user" {
	registry_start_tokens 5002
	expect 1 holm login -u user --password-stdin "$REGISTRY" <<<wrong
	output_has "refuses the login"
	expect 0 holm login -u user -p secret "$REGISTRY"
	output_has "WARNING! Using --password via the CLI is insecure. Use --password-stdin."
	[ "$(tail -1 "$TOKENS")" = "user: " ]
	stored_image "$REGISTRY/small:1"
	expect 0 holm push "$REGISTRY/small:1"
}

@test "a credential helper keeps what its owner asked it to keep" {
	registry_start_safe 5001
	mkdir -p bin "$HOME/.docker"
	cat >bin/docker-credential-box <<-'E'
		#!/bin/sh
		case $1 in
		store) cat >"$BOX" ;;
		get) [ -e "$BOX" ] && cat "$BOX" || { echo 'credentials not found in native keychain'; exit 1; } ;;
		erase) rm "$BOX" ;;
		esac
	E
	chmod +x bin/docker-credential-box
	export BOX=$PWD/box PATH=$PWD/bin:$PATH
	echo '{"credsStore":"box"}' >"$HOME/.docker/config.json"
	expect 0 holm login -u user --password-stdin "$REGISTRY" <<<secret
	output_has docker-credential-box
	[ "$(jq -r '.ServerURL + " " + .Username + " " + .Secret' box)" = "$REGISTRY user secret" ]
	[ ! -e "$KEPT" ]
	stored_image "$REGISTRY/small:1"
	expect 0 holm push "$REGISTRY/small:1"
	expect 0 holm logout "$REGISTRY"
	output_is "Removing login credentials for $REGISTRY"
	[ ! -e box ]
}

@test "--authfile, REGISTRY_AUTH_FILE and DOCKER_CONFIG say where to keep it; a link is followed" {
	registry_start_safe 5001
	holm login --authfile here.json -u user --password-stdin "$REGISTRY" <<<secret
	[ "$(kept here.json "$REGISTRY")" = user:secret ]
	ln -s here.json link.json
	holm logout --authfile link.json "$REGISTRY"
	[ -L link.json ]
	[ "$(kept here.json "$REGISTRY")" = none ]
	REGISTRY_AUTH_FILE=$PWD/new/auth.json holm login -u user --password-stdin "$REGISTRY" <<<secret
	[ "$(kept new/auth.json "$REGISTRY")" = user:secret ]
	DOCKER_CONFIG=$PWD/docker holm login -u user --password-stdin "https://$REGISTRY/v2/" <<<secret
	[ "$(kept docker/config.json "$REGISTRY")" = user:secret ]
	[ ! -e "$KEPT" ]
}

@test "at a terminal the password is asked for and not shown" {
	needs python3
	registry_start_safe 5001
	cat >ask.py <<-'E'
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp("holm", ["holm", "login", sys.argv[1]])
		seen = b""
		for question, answer in ((b"Username: ", b"user\n"), (b"Password: ", b"secret\n")):
		    while question not in seen:
		        seen += os.read(fd, 1000)
		    os.write(fd, answer)
		try:
		    while True:
		        seen += os.read(fd, 1000)
		except OSError:
		    pass
		sys.stdout.buffer.write(seen)
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	E
	expect 0 timeout 30 python3 ask.py "$REGISTRY"
	output_has "Login Succeeded"
	[[ $output != *secret* ]]
	[ "$(kept "$KEPT" "$REGISTRY")" = user:secret ]
}

@test "what makes no sense is refused, and a damaged file is left alone" {
	refused 1 "needs --username" holm login --password-stdin a.example </dev/null
	refused 1 "exclude each other" holm login -u u -p p --password-stdin a.example </dev/null
	refused 1 "no terminal to ask at" holm login a.example </dev/null
	refused 1 "no password came" holm login -u u --password-stdin a.example </dev/null
	mkdir -p "$(dirname "$KEPT")"
	echo '{"auths":' >"$KEPT"
	expect 1 holm logout a.example
	[ "$(cat "$KEPT")" = '{"auths":' ]
}

@test "twenty logins at once are all kept" {
	registry_start
	local pids=() i
	for i in {1..20}; do
		holm login --authfile many.json -u "user$i" -p x "$REGISTRY/team$i" 2>/dev/null >&2 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ "$(jq '.auths | length' many.json)" = 20 ]
}
