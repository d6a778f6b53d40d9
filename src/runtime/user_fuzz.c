/* Any bytes as "user NUL passwd NUL group": a user is found or refused with a sentence, and no id
 * is ever 4294967295. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "oci/runtime_spec.h"
#include "runtime/fuzz_root.h"
#include "runtime/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const uint8_t *write_part(int root, const char *name, const uint8_t *from,
				 const uint8_t *end)
{
	const uint8_t *nul = memchr(from, '\0', (size_t)(end - from));
	struct err e;

	if (!nul)
		nul = end;
	if (fd_write_file_at(root, name, from, (size_t)(nul - from), 0600, &e) < 0)
		abort();
	return nul < end ? nul + 1 : end;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(runtime_user_clear) struct runtime_user user = { 0 };
	own_free char *name = mem_text_n((const char *)bytes, length);
	const struct oci_user asked = { .username = name };
	char path[] = "/tmp/holm-user-fuzz.XXXXXX";
	struct err e = { 0 };

	if (strlen(name) >= length)
		return 0;
	own_fd int root = open_root(path);
	const uint8_t *at = bytes + strlen(name) + 1;
	at = write_part(root, "etc/passwd", at, bytes + length);
	write_part(root, "etc/group", at, bytes + length);
	int r = runtime_user_resolve(&user, root, &asked, NULL, &e);
	remove_root(root, path);
	if (r < 0) {
		assert(e.text[0] && user.groups_count == 0);
		return 0;
	}
	assert(user.uid != UINT32_MAX && user.gid != UINT32_MAX);
	for (size_t i = 0; i < user.groups_count; i++)
		assert(user.groups[i] != UINT32_MAX && user.groups[i] != user.gid);
	return 0;
}
