#include "storage/gc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/image.h"
#include "storage/blob.h"
#include "storage/blob_path.h"
#include "storage/image.h"
#include "storage/index.h"
#include "storage/steps.h"
#include "storage/store.h"

enum { RECORD_BYTES_MAX = 4 << 20 };

/* What stays: hex names, sorted once all roots are read. */
struct kept {
	struct strv blobs;
	struct strv layers;
};

static void clear_kept(struct kept *kept)
{
	strv_clear(&kept->blobs);
	strv_clear(&kept->layers);
}

static void keep(struct strv *to, const char *digest)
{
	const char *hex = oci_digest_hex(digest);
	if (hex)
		strv_add(to, hex);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct strv *v)
{
	if (v->count)
		qsort(v->items, v->count, sizeof(*v->items), compare);
}

static bool is_kept(const struct strv *v, const char *name)
{
	return v->count && bsearch(&name, v->items, v->count, sizeof(*v->items), compare);
}

/* ---- roots ---- */

static int keep_image(struct kept *kept, const struct store *store, const char *digest,
		      struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };

	int r = storage_image_read(&image, store, digest, e);
	if (r < 0)
		return r;
	keep(&kept->blobs, digest);
	keep(&kept->blobs, image.manifest.config.digest);
	for (size_t i = 0; i < image.manifest.layers.count; i++)
		keep(&kept->blobs, image.manifest.layers.items[i].digest);
	for (size_t i = 0; i < image.config.rootfs.diff_ids.count; i++)
		keep(&kept->layers, image.config.rootfs.diff_ids.items[i]);
	return 0;
}

static int keep_images(struct kept *kept, const struct store *store, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };

	int r = storage_index_read(&index, store, e);
	for (size_t i = 0; r == 0 && i < index.entries.count; i++) {
		const struct storage_entry *entry = &index.entries.items[i];
		r = keep_image(kept, store, entry->digest, e);
		if (r < 0)
			err_hint(e, "pull %s again, or remove it",
				 entry->reference ? entry->reference : entry->digest);
	}
	return r;
}

/* Manifest and config alone: who commits the container wants them. */
static void keep_documents(struct kept *kept, const struct store *store, const char *digest)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(oci_manifest_clear) struct oci_manifest manifest = { 0 };
	struct err ignored;

	keep(&kept->blobs, digest);
	if (storage_blob_read(store, digest, OCI_IMAGE_MANIFEST_MAX, &text, &ignored) == 0 &&
	    oci_manifest_parse(&manifest, text.text ? text.text : "", text.length, &ignored) == 0)
		keep(&kept->blobs, manifest.config.digest);
}

static const char *text_of(struct json_object *object)
{
	return json_object_is_type(object, json_type_string) ? json_object_get_string(object) : "";
}

/* Every array "layers" and every "digest", however deep; JSON_DEPTH_MAX bounds the recursion. */
static void keep_named(struct kept *kept, const struct store *store, struct json_object *object)
{
	if (json_object_is_type(object, json_type_array))
		for (size_t i = 0; i < json_object_array_length(object); i++)
			keep_named(kept, store, json_object_array_get_idx(object, i));
	if (!json_object_is_type(object, json_type_object))
		return;
	json_object_object_foreach (object, key, member) {
		if (strcmp(key, "layers") == 0 && json_object_is_type(member, json_type_array))
			for (size_t i = 0; i < json_object_array_length(member); i++)
				keep(&kept->layers, text_of(json_object_array_get_idx(member, i)));
		else if (strcmp(key, "digest") == 0 && oci_digest_is_valid(text_of(member)))
			keep_documents(kept, store, text_of(member));
		else
			keep_named(kept, store, member);
	}
}

/* 1; 0: there is none. */
static int keep_record(struct kept *kept, const struct store *store, int dir_fd, const char *path,
		       struct err *e)
{
	own_json struct json_object *record = NULL;

	int r = json_read_at(&record, dir_fd, path, RECORD_BYTES_MAX, e);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return r;
	keep_named(kept, store, record);
	return 1;
}

typedef int visit_name(void *context, int dir_fd, const char *name, struct err *e);

/* Calls visit for every name of the folder that is not "." or "..". Closes fd. */
static int each_of(int fd, visit_name *visit, void *context, struct err *e)
{
	const struct dirent *entry;
	own_dir DIR *dir = fdopendir(fd);

	if (!dir)
		return err_sys(e, "read a folder");
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int r = visit(context, dirfd(dir), entry->d_name, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int each_name(const struct store *store, const char *folder, visit_name *visit,
		     void *context, struct err *e)
{
	int fd = openat(store->root_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open %s", folder) : each_of(fd, visit, context, e);
}

/* The same of a folder that was perhaps never needed. */
static int each_if_there(const struct store *store, const char *folder, visit_name *visit,
			 void *context, struct err *e)
{
	int fd = openat(store->root_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", folder);
	return each_of(fd, visit, context, e);
}

struct roots {
	struct kept *kept;
	const struct store *store;
};

static int visit_snapshot(void *context, int dir_fd, const char *name, struct err *e)
{
	const struct roots *roots = context;

	return *name == '.' ? 0 : keep_record(roots->kept, roots->store, dir_fd, name, e);
}

/* Its record, and those of its snapshots. */
static int visit_container(void *context, int dir_fd, const char *name, struct err *e)
{
	const struct roots *roots = context;
	own_free char *record = mem_format("%s/config.json", name);
	own_free char *snapshots = mem_format("%s/snapshots", name);

	/* without a record it is no container, but debris */
	int r = *name == '.' ? 0 : keep_record(roots->kept, roots->store, dir_fd, record, e);
	if (r <= 0)
		return r;
	int fd = openat(dir_fd, snapshots, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return err_sys(e, "open %s", snapshots);
	return fd < 0 ? 0 : each_of(fd, visit_snapshot, context, e);
}

/* $run/images/HEX: somebody mounted it. */
static int visit_mounted(void *context, int dir_fd, const char *name, struct err *e)
{
	const struct roots *roots = context;
	own_free char *digest = mem_format("sha256:%s", name);
	struct err gone;

	(void)dir_fd, (void)e;
	if (oci_digest_is_hex(name))
		keep_image(roots->kept, roots->store, digest, &gone);
	return 0;
}

static int keep_mounted(struct roots *roots, struct err *e)
{
	int fd = openat(roots->store->run_fd, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open images in the run folder");
	return each_of(fd, visit_mounted, roots, e);
}

/* build/HEX: a step that the cache of builds knows. One that cannot be read is none. */
static int visit_step(void *context, int dir_fd, const char *name, struct err *e)
{
	const struct roots *roots = context;
	own_json struct json_object *record = NULL;
	struct err broken;

	(void)e;
	if (json_read_at(&record, dir_fd, name, RECORD_BYTES_MAX, &broken) == 0)
		keep_named(roots->kept, roots->store, record);
	return 0;
}

static int find_roots(struct kept *kept, const struct store *store, struct err *e)
{
	struct roots roots = { kept, store };

	int r = keep_images(kept, store, e);
	if (r == 0)
		r = each_name(store, "containers", visit_container, &roots, e);
	if (r == 0)
		r = keep_mounted(&roots, e);
	if (r == 0)
		r = each_if_there(store, "build", visit_step, &roots, e);
	if (r < 0)
		return r;
	sort(&kept->blobs);
	sort(&kept->layers);
	return 0;
}

/* ---- removing ---- */

struct sweep {
	const struct kept *kept;
	struct gc_result *result;
	bool all_partials;
	time_t now;
};

static int remove_file(struct sweep *sweep, int dir_fd, const char *name, struct err *e)
{
	if (fd_remove_tree_counted_at(dir_fd, name, &sweep->result->bytes, e) < 0)
		return err_add(e, "collect garbage");
	return 0;
}

static int visit_blob(void *context, int dir_fd, const char *name, struct err *e)
{
	struct sweep *sweep = context;

	if (is_kept(&sweep->kept->blobs, name))
		return 0;
	sweep->result->blobs++;
	return remove_file(sweep, dir_fd, name, e);
}

/* stages/HEX: how the image of that id was built. */
static int visit_stages(void *context, int dir_fd, const char *name, struct err *e)
{
	struct sweep *sweep = context;

	return is_kept(&sweep->kept->blobs, name) ? 0 : remove_file(sweep, dir_fd, name, e);
}

static int visit_layer(void *context, int dir_fd, const char *name, struct err *e)
{
	struct sweep *sweep = context;

	if (is_kept(&sweep->kept->layers, name))
		return 0;
	if (*name == '.')
		return remove_file(sweep, dir_fd, name, e);
	/* first the name: a layer that is half gone must not look complete */
	own_free char *dead = mem_format(".new-dead-%s", name);
	if (renameat(dir_fd, name, dir_fd, dead) < 0)
		return err_sys(e, "rename layer %s", name);
	sweep->result->layers++;
	return remove_file(sweep, dir_fd, dead, e);
}

static int visit_partial(void *context, int dir_fd, const char *name, struct err *e)
{
	struct sweep *sweep = context;
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	bool old = sweep->now - st.st_mtime > GC_PARTIAL_SECONDS;
	if (oci_digest_is_hex(name) && !old && !sweep->all_partials)
		return 0;
	return remove_file(sweep, dir_fd, name, e);
}

static int remove_rest(const struct store *store, struct sweep *sweep, struct err *e)
{
	int r = each_name(store, BLOB_FOLDER, visit_blob, sweep, e);
	if (r == 0)
		r = each_if_there(store, "stages", visit_stages, sweep, e);
	if (r == 0)
		r = each_name(store, "layers", visit_layer, sweep, e);
	if (r == 0)
		r = each_name(store, "partial", visit_partial, sweep, e);
	return r;
}

int storage_gc(const struct store *store, bool wait, bool all_partials, struct gc_result *result,
	       struct err *e)
{
	own_clear(clear_kept) struct kept kept = { 0 };
	struct sweep sweep = { &kept, result, all_partials, time(NULL) };

	*result = (struct gc_result){ 0 };
	own_fd int lock = store_lock_layers_exclusive(store, wait, e);
	if (lock < 0 && e->kind == ERR_STATE) {
		result->busy = true;
		return 0;
	}
	if (lock < 0)
		return lock;
	int r = storage_steps_bound(store, &result->bytes, e);
	if (r == 0)
		r = find_roots(&kept, store, e);
	return r < 0 ? r : remove_rest(store, &sweep, e);
}

/* ---- unfinished layers ---- */

/* Of layers, and of blobs whose digest was not known when they began. */
static const char *const unfinished[] = { "layers", "partial" };

static int count_unfinished(void *context, int dir_fd, const char *name, struct err *e)
{
	(void)dir_fd;
	(void)e;
	*(size_t *)context += *name == '.';
	return 0;
}

static int remove_unfinished(void *context, int dir_fd, const char *name, struct err *e)
{
	(void)context;
	return *name == '.' ? fd_remove_tree_at(dir_fd, name, e) : 0;
}

int storage_gc_unfinished(const struct store *store, struct err *e)
{
	size_t count = 0;

	int r = 0;
	for (size_t i = 0; r == 0 && i < COUNT_OF(unfinished); i++)
		r = each_name(store, unfinished[i], count_unfinished, &count, e);
	if (r < 0 || !count)
		return r;
	own_fd int lock = store_lock_layers_exclusive(store, false, e);
	if (lock < 0)
		return e->kind == ERR_STATE ? 0 : lock;
	for (size_t i = 0; r == 0 && i < COUNT_OF(unfinished); i++)
		r = each_name(store, unfinished[i], remove_unfinished, NULL, e);
	return r < 0 ? err_add(e, "remove what is unfinished") : 0;
}
