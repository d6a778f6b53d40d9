/* The first byte says which of -v, --mount and --tmpfs the rest is for. */
#include "engine/config_mount.h"

#include <assert.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(container_mount_clear) struct container_mount mount = { 0 };
	struct err e;

	if (length == 0)
		return 0;
	own_free char *text = mem_text_n((const char *)bytes + 1, length - 1);
	int r = bytes[0] == 'v'   ? config_mount_volume(&mount, text, "/home", &e)
		: bytes[0] == 'm' ? config_mount_mount(&mount, text, "/home", &e)
				  : config_mount_tmpfs(&mount, text, &e);
	/* whatever was taken has a place in the container, and that is no way out of it */
	assert(r < 0 || (mount.target && mount.target[0] == '/' && mount.target[1]));
	assert(r < 0 || !mount.subpath || mount.subpath[0] != '/');
	return 0;
}
