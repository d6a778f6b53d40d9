/* Any bytes as a root's "passwd NUL group": all of them stay, a line at most comes behind them, and
 * a second start adds none. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/fuzz_root.h"
#include "runtime/login.h"
#include "runtime/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { ADDED_BYTES_MAX = sizeof("\nanna:*:1000:100:anna:/home/anna:/bin/sh\n") - 1 };

static void put(int root, const char *name, const uint8_t *bytes, size_t length)
{
	struct err e;

	if (fd_write_file_at(root, name, bytes, length, 0600, &e) < 0)
		abort();
}

/* How much there is behind the bytes, which are there. */
static size_t added(int root, const char *name, const uint8_t *bytes, size_t length)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err e;
	own_fd int fd = openat(root, name, O_RDONLY | O_CLOEXEC);

	str_add(&text, "");
	if (fd < 0 || fd_read_all(fd, length + 4096, &text, &e) < 0)
		abort();
	assert(text.length >= length && (length == 0 || memcmp(text.text, bytes, length) == 0));
	assert(text.length - length <= ADDED_BYTES_MAX);
	return text.length - length;
}

static void login(int root)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	const struct runtime_tree tree = { .root_fd = root };
	struct err e;

	shape_map_set(&spec.annotations, "org.holm.login", "anna:1000:100:/home/anna");
	if (runtime_login_add_in_child(&spec, &tree, &e) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const uint8_t *nul = length ? memchr(bytes, '\0', length) : NULL;
	size_t user_length = nul ? (size_t)(nul - bytes) : length;
	const uint8_t *group = nul ? nul + 1 : bytes + length;
	size_t group_length = length - (size_t)(group - bytes);
	char path[] = "/tmp/holm-login-fuzz.XXXXXX";

	own_fd int root = open_root(path);
	put(root, "etc/passwd", bytes, user_length);
	put(root, "etc/group", group, group_length);
	login(root);
	size_t user_added = added(root, "etc/passwd", bytes, user_length);
	size_t group_added = added(root, "etc/group", group, group_length);
	login(root);
	assert(added(root, "etc/passwd", bytes, user_length) == user_added);
	/* what is behind a NUL byte in the file is not seen */
	if (!memchr(group, '\0', group_length))
		assert(added(root, "etc/group", group, group_length) == group_added);
	remove_root(root, path);
	return 0;
}
