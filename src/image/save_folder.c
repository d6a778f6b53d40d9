/* save_folder.c - containers/image's "dir:" transport (containers-transports(5)): "version",
 * "manifest.json", and each blob in a file named by the hex digits of its digest. */
#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "image/output.h"
#include "image/read.h"
#include "image/save.h"
#include "image/save_format.h"
#include "oci/image.h"
#include "storage/blob.h"

static int save_blob(const struct image_save *save, struct image_output *output, const char *digest,
		     const char *name, struct err *e)
{
	int64_t size = 0;

	if (image_output_has(output, name))
		return 0;
	own_fd int fd = storage_blob_open(save->store, digest, &size, e);
	if (fd < 0)
		return fd;
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, NULL, NULL);
	struct byte_source source = image_fd_source(bytes);
	return image_output_file(output, name, size, &source, e);
}

int image_save_folder(const struct image_save *save, const struct image_saved_list *list,
		      struct image_output *output, struct err *e)
{
	if (list->items.count != 1)
		return err_set(e, ERR_INVALID, "dir holds one image, not %zu", list->items.count);
	const struct storage_image *image = &list->items.items[0].image;
	const struct oci_manifest *manifest = &image->manifest;

	int r = save_blob(save, output, image->digest, "manifest.json", e);
	if (r == 0)
		r = save_blob(save, output, manifest->config.digest,
			      oci_digest_hex(manifest->config.digest), e);
	for (size_t i = 0; r == 0 && i < manifest->layers.count; i++) {
		const char *digest = manifest->layers.items[i].digest;
		r = save_blob(save, output, digest, oci_digest_hex(digest), e);
	}
	if (r == 0)
		r = image_output_text(output, "version", "Directory Transport Version: 1.1\n", e);
	return r;
}
