/* save_folder.c - containers/image's "dir:" transport (containers-transports(5)): "version",
 * "manifest.json", and each blob in a file named by the hex digits of its digest. */
#include "base/err.h"
#include "image/output.h"
#include "image/save.h"
#include "image/save_format.h"
#include "oci/image.h"

int image_save_folder(const struct image_save *save, const struct image_saved_list *list,
		      struct image_output *output, struct err *e)
{
	if (list->items.count != 1)
		return err_set(e, ERR_INVALID, "dir holds one image, not %zu", list->items.count);
	const struct storage_image *image = &list->items.items[0].image;
	const struct oci_manifest *manifest = &image->manifest;

	int r = image_save_blob(save, output, image->digest, "manifest.json", e);
	if (r == 0)
		r = image_save_blob(save, output, manifest->config.digest,
				    oci_digest_hex(manifest->config.digest), e);
	for (size_t i = 0; r == 0 && i < manifest->layers.count; i++) {
		const char *digest = manifest->layers.items[i].digest;
		r = image_save_blob(save, output, digest, oci_digest_hex(digest), e);
	}
	if (r == 0)
		r = image_output_text(output, "version", "Directory Transport Version: 1.1\n", e);
	return r;
}
