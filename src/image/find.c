#include "image/find.h"

#include "base/err.h"
#include "base/own.h"
#include "image/source.h"
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
