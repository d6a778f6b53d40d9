#!/usr/bin/env bats
# Annotations of crun's that others rely on.
load holm
load runtime/bundle

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
}

setup() {
	holm_setup
	bundle_new
}

with_groups() { # COMMAND...: with the supplementary groups 5 and 77
	setpriv --groups 5,77 -- "$@"
}

@test "the caller's supplementary groups are kept where that is asked for, and only there" {
	export BUNDLE_PROGRAMS BUNDLE
	bundle_edit '.process.user = { uid: 1000, gid: 1000, additionalGids: [63] } | .process.args = ["sh", "-c", "grep Groups /proc/self/status"]'
	expect 0 with_groups "$BUNDLE_PROGRAMS/bundle_run" "$BUNDLE" groups-1
	output_is $'Groups:\t63 1000 '
	bundle_edit '.annotations["run.oci.keep_original_groups"] = "1"'
	expect 0 with_groups "$BUNDLE_PROGRAMS/bundle_run" "$BUNDLE" groups-2
	output_is $'Groups:\t5 77 '
	bundle_edit '.annotations["run.oci.keep_original_groups"] = "0"'
	expect 0 with_groups "$BUNDLE_PROGRAMS/bundle_run" "$BUNDLE" groups-3
	output_is $'Groups:\t63 1000 '
}

@test "a receiver gets the pidfd of the first process" {
	local receiver=$BATS_TEST_TMPDIR/receiver
	bundle_edit '.annotations["run.oci.pidfd_receiver"] = $r' --arg r "$receiver"
	bundle_refused 125 "run.oci.pidfd_receiver: connect to $receiver: No such file or directory" bundle true
	service python3 -u -c 'import array, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
_, control, _, _ = s.accept()[0].recvmsg(99, socket.CMSG_SPACE(4))
fd = array.array("i", control[0][2])[0]
print(open(f"/proc/self/fdinfo/{fd}").read())' "$receiver"
	within 10 test -S "$receiver"
	expect 0 bundle sh -c 'sleep 0.3'
	within 5 grep -q '^Pid:' "$BATS_TEST_TMPDIR/service.0.log"
	# in this PID namespace, and in the container's
	[ "$(awk '$1 == "NSpid:" { print NF, $3 }' "$BATS_TEST_TMPDIR/service.0.log")" = "3 1" ] ||
		[ "$(awk '$1 == "Pid:" { print $2 }' "$BATS_TEST_TMPDIR/service.0.log")" = -1 ]
}

@test "what crun would do and this runtime does not is refused, and not left out" {
	local name
	for name in handler seccomp.plugins seccomp_bpf_data systemd.force_cgroup_v1; do
		bundle_edit '.annotations = { ("run.oci." + $n): "x" }' --arg n $name
		bundle_refused 125 "annotation run.oci.$name: " bundle true
		bundle_edit '.annotations = { ("run.oci." + $n): "" }' --arg n $name
		expect 0 bundle true
	done
}
