#include "image/find.h"

#include "base/err.h"
#include "base/own.h"
#include "image/source.h"
#include "oci/image.h"
#include "storage/blob.h"
#include "storage/index.h"

int image_find(const struct storage_index *index, const char *name,
	       const struct storage_entry **ret, struct err *e)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	const struct storage_entry *found = NULL;
	struct err ignored;

	if (image_source_parse(&source, name, &ignored) == 0) {
		own_free char *stored = image_source_stored_name(&source);
		found = stored ? storage_index_find(index, stored) : NULL;
	}
	if (!found) {
		int r = storage_index_find_id(index, name, &found, e);
		if (r < 0)
			return r;
	}
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "no such image: %.200s", name);
	*ret = found;
	return 0;
}

int image_find_stored(struct storage_entry *ret, const struct storage_index *index,
		      const struct store *store, const char *name, struct err *e)
{
	const struct storage_entry *found = NULL;
	struct err none;

	int r = image_find(index, name, &found, e);
	if (r == 0) {
		*ret = *found;
		return 0;
	}
	if (e->kind != ERR_NOT_FOUND || !oci_digest_is_valid(name))
		return r;
	*ret = (struct storage_entry){
		.digest = (char *)name,
		.media_type = (char *)OCI_MEDIA_MANIFEST,
		.id = (char *)name,
	};
	own_fd int blob = storage_blob_open(store, name, &ret->size, &none);
	return blob < 0 ? r : 0;
}
