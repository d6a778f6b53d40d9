#include "image/stored.h"

#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/layers.h"
#include "image/report.h"
#include "storage/blob.h"
#include "storage/gc.h"
#include "storage/image.h"
#include "storage/index.h"
#include "storage/store.h"

static int add_entry(const struct image_stored *stored, const struct storage_image *image,
		     const char *reference, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	int64_t size = 0;

	own_fd int fd = storage_blob_open(stored->store, image->digest, &size, e);
	if (fd < 0)
		return fd;
	int r = storage_index_read(&index, stored->store, e);
	if (r < 0)
		return r;
	const struct storage_entry *old = reference ? storage_index_find(&index, reference) : NULL;
	bool same = old && str_equal(old->digest, image->digest);
	const struct storage_entry entry = {
		.reference = (char *)reference,
		.digest = image->digest,
		.size = size,
		.media_type = image->manifest.media_type,
		.id = image->manifest.config.digest,
	};
	r = storage_index_add(stored->store, &entry, e);
	if (r == 0)
		image_report_image(stored->report, entry.id, reference,
				   same ? IMAGE_STATE_EXISTS : IMAGE_STATE_NEW);
	return r;
}

int image_stored_finish(const struct image_stored *stored, const char *digest,
			const char *reference, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct image_layers layers = { .store = stored->store,
				       .report = stored->report,
				       .members = stored->members,
				       .whole = stored->members != NULL };

	int r = storage_image_read(&image, stored->store, digest, e);
	if (r == 0)
		r = image_layers_bring(&layers, &image.manifest, &image.config, e);
	return r < 0 ? r : add_entry(stored, &image, reference, e);
}

int image_stored_name(const struct image_stored *stored, const char *digest, const char *reference,
		      struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };

	int r = storage_image_read(&image, stored->store, digest, e);
	return r < 0 ? r : add_entry(stored, &image, reference, e);
}

int image_stored_restore_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	const struct store *store = invocation->store;
	struct image_layers layers = { .store = store, .report = invocation->report };

	if (invocation->count != 1)
		return err_set(e, ERR_INVALID, "expected the digest of one manifest");
	own_fd int lock = store_lock_layers_shared(store, e);
	if (lock < 0)
		return lock;
	int r = image_jail_enter(store, e);
	if (r == 0)
		r = storage_image_read(&image, store, invocation->operands[0], e);
	if (r == 0)
		r = image_layers_bring(&layers, &image.manifest, &image.config, e);
	return r;
}

void image_stored_clean_up(const struct store *store)
{
	struct gc_result result;
	struct err e;

	if (storage_gc(store, false, false, &result, &e) < 0)
		log_debug("clean up: %s", e.text);
}
