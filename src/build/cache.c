#include "build/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "image/build_request.h"
#include "storage/layer.h"
#include "storage/store.h"

static void record_clear(struct image_build_record *record)
{
	shape_clear(&image_build_record_shape, record);
}

char *build_cache_find(const struct store *store, const char *key)
{
	own_clear(record_clear) struct image_build_record record = { 0 };
	const char *hex = oci_digest_hex(key);
	own_free char *path = mem_format(IMAGE_BUILD_RECORDS "/%s", hex);
	struct err unknown;

	if (shape_read_at(&image_build_record_shape, store->root_fd, path, IMAGE_BUILD_RECORD_MAX,
			  &record, &unknown) < 0)
		return NULL;
	if (record.layers.count != 1 || !oci_digest_is_valid(record.layers.items[0]) ||
	    !storage_layer_exists(store, record.layers.items[0]))
		return NULL;
	utimensat(store->root_fd, path, NULL, AT_SYMLINK_NOFOLLOW);
	return mem_text(oci_digest_hex(record.layers.items[0]));
}

bool build_cache_has(const struct store *store, const char *key)
{
	own_free char *hex = build_cache_find(store, key);

	return hex;
}

int build_cache_open(const struct store *store, struct err *e)
{
	if (mkdirat(store->root_fd, IMAGE_BUILD_RECORDS, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the cache of builds");
	return 0;
}
