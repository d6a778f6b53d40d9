/* Docker's image/DRIVER/ as moby image/fs.go, reference/store.go and layer/filestore.go write it:
 * repositories.json, imagedb/content/sha256/ID, layerdb/sha256/CHAIN/{cache-id,tar-split.json.gz}.
 * */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "image/foreign.h"
#include "oci/digest.h"
#include "oci/image.h"
#include "storage/hash.h"

enum { REPOSITORIES_MAX = 4 << 20, CACHE_ID_MAX = 256 };

/* Where a driver keeps the files of the layer with this cache id. */
static const struct driver {
	const char *name;
	const char *files;
	const char *below;
} drivers[] = {
	{ "overlay2", "overlay2", "/diff" },
	{ "vfs", "vfs/dir", "" },
};

/* "sha256:..." of a layer and all below it (moby layer.CreateChainID). */
static void add_to_chain(char chain[DIGEST_TEXT_SIZE], const char *diff_id)
{
	if (!*chain) {
		strncpy(chain, diff_id, DIGEST_TEXT_SIZE - 1);
		return;
	}
	own_free char *both = mem_format("%s %s", chain, diff_id);
	storage_hash_bytes(both, strlen(both), chain);
}

static int add_layer(int root_fd, const struct driver *driver, struct foreign_image *image,
		     const char *chain, const char *diff_id, struct err *e)
{
	own_clear(str_clear) struct str cache_id = { 0 };
	own_free char *folder =
		mem_format("image/%s/layerdb/sha256/%s", driver->name, oci_digest_hex(chain));
	own_free char *path = mem_format("%s/cache-id", folder);

	int r = image_foreign_read(root_fd, path, CACHE_ID_MAX, &cache_id, e);
	if (r < 0)
		return r;
	if (!path_is_name(cache_id.text ? cache_id.text : ""))
		return err_set(e, ERR_CORRUPT, "%s is not the name of a folder", path);
	struct foreign_layer *layer = shape_list_add(&image->layers);
	layer->diff_id = mem_text(diff_id);
	layer->files = mem_format("%s/%s%s", driver->files, cache_id.text, driver->below);
	layer->split = mem_format("%s/tar-split.json.gz", folder);
	return 0;
}

static int read_image(int root_fd, const struct driver *driver, struct foreign_image *image,
		      struct err *e)
{
	own_clear(strv_clear) struct strv diff_ids = { 0 };
	char chain[DIGEST_TEXT_SIZE] = "";

	int r = oci_digest_check(image->id, "image", e);
	if (r < 0)
		return r;
	own_free char *path = mem_format("image/%s/imagedb/content/sha256/%s", driver->name,
					 oci_digest_hex(image->id));
	r = image_foreign_read(root_fd, path, OCI_IMAGE_CONFIG_MAX, image->config, e);
	if (r == 0)
		r = image_foreign_diff_ids(image, &diff_ids, e);
	for (size_t i = 0; r == 0 && i < diff_ids.count; i++) {
		add_to_chain(chain, diff_ids.items[i]);
		r = add_layer(root_fd, driver, image, chain, diff_ids.items[i], e);
	}
	return r;
}

static struct foreign_image *find(struct foreign_images *to, const char *id)
{
	for (size_t i = 0; i < to->items.count; i++)
		if (str_equal(to->items.items[i].id, id))
			return &to->items.items[i];
	return image_foreign_add(to, id);
}

/* {"busybox": {"busybox:latest": "sha256:ID", "busybox@sha256:...": "sha256:ID"}} */
static void take_names(struct json_object *repository, struct foreign_images *to)
{
	if (!json_object_is_type(repository, json_type_object))
		return;
	json_object_object_foreach (repository, name, id) {
		if (!json_object_is_type(id, json_type_string))
			continue;
		struct foreign_image *image = find(to, json_object_get_string(id));
		if (!strchr(name, '@'))
			strv_add(&image->names, name);
	}
}

static int read_repositories(int root_fd, const struct driver *driver, struct foreign_images *to,
			     struct err *e)
{
	own_free char *path = mem_format("image/%s/repositories.json", driver->name);
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *document = NULL;
	struct json_object *repositories;

	int r = image_foreign_read(root_fd, path, REPOSITORIES_MAX, &text, e);
	if (r < 0)
		return r;
	r = json_parse(&document, text.text ? text.text : "", text.length, path, e);
	if (r < 0)
		return r;
	if (!json_object_object_get_ex(document, "Repositories", &repositories) ||
	    !json_object_is_type(repositories, json_type_object))
		return err_set(e, ERR_CORRUPT, "%s: no Repositories", path);
	json_object_object_foreach (repositories, name, repository) {
		(void)name;
		take_names(repository, to);
	}
	return 0;
}

int image_foreign_docker(int root_fd, struct foreign_images *to, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < COUNT_OF(drivers); i++) {
		size_t first = to->items.count;
		int r = read_repositories(root_fd, &drivers[i], to, e);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		any = true;
		for (size_t k = first; k < to->items.count; k++) {
			struct foreign_image *image = &to->items.items[k];
			struct err failed;
			if (read_image(root_fd, &drivers[i], image, &failed) < 0) {
				image->failure = mem_new_struct(struct err);
				*image->failure = failed;
			}
		}
	}
	if (any)
		return 0;
	err_set(e, ERR_NOT_FOUND, "no images of docker's overlay2 or vfs driver are there");
	return err_hint(e, "name docker's data-root; images that containerd keeps go by docker "
			   "save and holm load");
}
