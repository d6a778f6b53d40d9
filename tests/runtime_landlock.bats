#!/usr/bin/env bats
# Landlock's rules of a container, asked for by the annotation org.holm.landlock.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
	mkdir -p "$ROOTFS/data" "$ROOTFS/other"
	needs_landlock 1
}

needs_landlock() { # ABI
	landlock "{ \"ruleset\": { \"scoped\": [\"signal\"] }, \"abi\": $1 }"
	run --separate-stderr bundle true
	[[ $stderr != *"ABI $1 is asked for"* ]] || skip "this kernel's Landlock is none, or older than ABI $1"
}

WRITE='"write_file", "truncate", "make_reg", "make_dir", "remove_file"'

landlock() { # JSON
	bundle_edit '.annotations["org.holm.landlock"] = ($a | tojson)' --argjson a "$1"
}

@test "writes outside the paths are refused, for the container and for exec" {
	landlock "{ \"ruleset\": { \"handledAccessFS\": [$WRITE] },
		\"rules\": { \"pathBeneath\": [{ \"allowedAccess\": [$WRITE], \"paths\": [\"/data\", \"/dev/null\"] }] } }"
	local try='touch /data/x && echo data; echo x >/dev/null && echo null; touch /other/x || cat /etc/passwd | head -n 1; mkdir /new'
	expect 1 bundle sh -c "$try"
	[ "$output" = $'data\nnull\nroot:x:0:0:root:/root:/bin/sh' ]
	[[ $stderr == *"/other/x: Permission denied"* && $stderr == *"'/new': Permission denied"* ]]
	expect 1 bundle_exec sh -c "$try"
	[[ $stderr == *"/other/x: Permission denied"* && $stderr == *"'/new': Permission denied"* ]]
	bundle_edit '.process.noNewPrivileges = true'
	expect 1 bundle sh -c "$try"
	[[ $stderr == *"/other/x: Permission denied"* ]]
	bundle_edit 'del(.annotations["org.holm.landlock"])'
	expect 0 bundle sh -c "$try"
}

@test "a path is the container's own, whatever links say" {
	ln -s /../../../../../../../../other "$ROOTFS/link"
	landlock '{ "ruleset": { "handledAccessFS": ["make_reg"] },
		"rules": { "pathBeneath": [{ "allowedAccess": ["make_reg"], "paths": ["/link", "../data"] }] } }'
	expect 0 bundle sh -c 'touch /other/x /data/x'
	landlock '{ "ruleset": { "handledAccessFS": ["make_reg"] },
		"rules": { "pathBeneath": [{ "allowedAccess": ["make_reg"], "paths": ["/missing"] }] } }'
	bundle_refused 125 "org.holm.landlock: open /missing: No such file or directory" bundle true
}

@test "only what may be executed can be run" {
	landlock '{ "ruleset": { "handledAccessFS": ["execute"] },
		"rules": { "pathBeneath": [{ "allowedAccess": ["execute"], "paths": ["/bin"] }] } }'
	cp "$ROOTFS/bin/busybox" "$ROOTFS/data/echo"
	expect 126 bundle sh -c '/data/echo x'
	bundle_refused 126 "/data/echo" bundle /data/echo x
}

@test "TCP ports, and signals to processes of another domain" {
	needs_landlock 6
	landlock '{ "ruleset": { "handledAccessNet": ["bind_tcp"], "scoped": ["signal"] }, "disableBestEffort": true,
		"rules": { "netPort": [{ "allowedAccess": ["bind_tcp"], "ports": [8080] }] } }'
	expect 0 bundle sh -c 'timeout 1 nc -l -p 8080; [ $? -ne 1 ]; ! nc -l -p 8081'
	output_has "bind: Permission denied"
	# the domains of the container and of exec are two
	expect 1 bundle_exec kill -KILL 1
	output_has "Operation not permitted"
}

@test "what is no rule is refused" {
	bundle_edit '.annotations["org.holm.landlock"] = "{"'
	bundle_refused 125 "org.holm.landlock: " bundle true
	landlock '{ "ruleset": { "handledAccessFS": ["everything"] } }'
	bundle_refused 125 "org.holm.landlock: ruleset.handledAccessFS 'everything' is unknown" bundle true
	landlock '{ "ruleset": { "handledAccessFS": ["execute"] }, "abi": 99 }'
	bundle_refused 125 "Landlock's ABI 99 is asked for" bundle true
}
