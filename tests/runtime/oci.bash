# oci.bash - holm-runtime in tests, after `load holm` and `load runtime/bundle`: rt runs it with a root
# of the test's own. The setup and teardown here serve who has none of his own.
# shellcheck shell=bash disable=SC2034 # for the tests

setup() {
	oci_setup
}

teardown() {
	oci_teardown
}

oci_setup() {
	holm_setup
	bundle_new
	RT_ROOT=$TMPDIR/run/$BATS_TEST_NUMBER/runtime
	ID=c$BATS_TEST_NUMBER
}

# Everything a test made must go by the runtime's own means.
oci_teardown() {
	local id
	for id in $(holm-runtime --root "$RT_ROOT" list -q); do
		holm-runtime --root "$RT_ROOT" delete --force "$id" || true
	done
	holm_teardown
}

rt() { # ARGUMENT...
	holm-runtime --root "$RT_ROOT" "$@"
}
