/* save_folder.c - containers/image's "dir:" transport (containers-transports(5)): "version",
 * "manifest.json", and each blob in a file named by the hex digits of its digest; of a list
 * each manifest, too, in HEX.manifest.json. */
#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "image/output.h"
#include "image/save.h"
#include "image/save_format.h"
#include "oci/image.h"

static int save_one(const struct image_save *save, const struct storage_image *image,
		    const char *name, struct image_output *output, struct err *e)
{
	const struct oci_manifest *manifest = &image->manifest;

	int r = image_save_blob(save, output, image->digest, name, e);
	if (r == 0)
		r = image_save_blob(save, output, manifest->config.digest,
				    oci_digest_hex(manifest->config.digest), e);
	for (size_t i = 0; r == 0 && i < manifest->layers.count; i++) {
		const char *digest = manifest->layers.items[i].digest;
		r = image_save_blob(save, output, digest, oci_digest_hex(digest), e);
	}
	return r;
}

int image_save_folder(const struct image_save *save, const struct image_saved_list *list,
		      struct image_output *output, struct err *e)
{
	const char *whole = list->whole.digest;
	int r = whole ? image_save_blob(save, output, whole, "manifest.json", e) : 0;

	if (!whole && list->items.count != 1)
		return err_set(e, ERR_INVALID, "dir holds one image, not %zu", list->items.count);
	for (size_t i = 0; r == 0 && i < list->items.count; i++) {
		const struct storage_image *image = &list->items.items[i].image;
		own_free char *name = mem_format("%s.manifest.json", oci_digest_hex(image->digest));
		r = save_one(save, image, whole ? name : "manifest.json", output, e);
	}
	if (r == 0)
		r = image_output_text(output, "version", "Directory Transport Version: 1.1\n", e);
	return r;
}
