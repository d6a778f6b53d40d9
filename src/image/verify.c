#include "image/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/layer.h"
#include "image/read.h"
#include "image/report.h"
#include "storage/blob.h"
#include "storage/blob_path.h"
#include "storage/compare.h"
#include "storage/hash.h"
#include "storage/image.h"
#include "storage/index.h"
#include "storage/layer.h"
#include "storage/store.h"

struct check {
	const struct store *store;
	struct image_report *report;
	bool full;
	const struct strv *mend; /* NULL: only look */
	struct strv seen;        /* "blob/DIGEST", "layer/DIGEST": once each */
	struct strv bad_blobs;
};

static void check_clear(struct check *check)
{
	strv_clear(&check->seen);
	strv_clear(&check->bad_blobs);
}

/* Is it this one's turn, and the first time? */
static bool is_due(struct check *check, const char *kind, const char *digest)
{
	own_free char *name = mem_format("%s/%s", kind, digest);

	if (strv_contains(&check->seen, name))
		return false;
	strv_add(&check->seen, name);
	return !check->mend || strv_contains(check->mend, name);
}

/* ---- blobs ---- */

static int hash_fd(int fd, char to[DIGEST_TEXT_SIZE], struct err *e)
{
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, NULL, NULL);
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	struct byte_source source = image_fd_source(bytes);
	const void *block;
	ssize_t n;

	while ((n = source.next(source.context, &block, e)) > 0)
		storage_hash_add(hash, block, (size_t)n);
	if (n < 0)
		return (int)n;
	storage_hash_end(hash, to);
	return 0;
}

/* What is wrong with an open blob; NULL: nothing. The caller frees. */
static char *judge_blob(int fd, const char *digest, int64_t has, int64_t size, bool hash)
{
	char got[DIGEST_TEXT_SIZE];
	struct err e;

	if (size >= 0 && has != size)
		return mem_format("blob %.19s has %lld bytes instead of %lld", digest,
				  (long long)has, (long long)size);
	if (!hash)
		return NULL;
	if (hash_fd(fd, got, &e) < 0)
		return mem_format("blob %.19s cannot be read: %s", digest, e.text);
	return strcmp(got, digest) == 0 ? NULL
					: mem_format("blob %.19s has other bytes than its digest "
						     "says",
						     digest);
}

/* size -1: not known. */
static int check_blob(struct check *check, const char *digest, int64_t size, bool hash,
		      struct err *e)
{
	struct blob_path path;
	int64_t has = 0;
	struct err missing;

	if (!oci_digest_is_valid(digest) || !is_due(check, "blob", digest))
		return 0;
	own_fd int fd = storage_blob_open(check->store, digest, &has, &missing);
	if (fd < 0 && missing.kind == ERR_NOT_FOUND)
		return 0;
	own_free char *wrong = fd < 0 ? mem_format("blob %.19s: %s", digest, missing.text)
				      : judge_blob(fd, digest, has, size, hash);
	if (!wrong)
		return 0;
	strv_add(&check->bad_blobs, digest);
	if (check->mend) {
		int r = storage_blob_path(&path, digest, e);
		if (r < 0)
			return r;
		if (unlinkat(check->store->root_fd, path.text, 0) < 0)
			return err_sys(e, "remove blob %.19s", digest);
	}
	image_report_finding(check->report, false, digest, check->mend != NULL, wrong);
	return 0;
}

static int check_all_blobs(struct check *check, struct err *e)
{
	int fd = openat(check->store->root_fd, BLOB_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return err_sys(e, "open " BLOB_FOLDER);
	while (r == 0 && (entry = readdir(dir))) {
		own_free char *digest = mem_format("sha256:%s", entry->d_name);
		if (*entry->d_name != '.')
			r = check_blob(check, digest, -1, true, e);
	}
	return r;
}

/* ---- layers ---- */

/* What a look at the layer's own record tells; NULL: nothing is wrong. The caller frees. */
static char *judge_record(const struct check *check, const char *diff_id)
{
	own_clear(layer_facts_clear) struct layer_facts facts = { 0 };
	const char *hex = oci_digest_hex(diff_id);
	struct err e;

	if (!storage_layer_exists(check->store, diff_id))
		return mem_format("layer %.12s is missing", hex);
	own_fd int fd = storage_layer_open(check->store, diff_id, &e);
	if (fd < 0)
		return mem_format("layer %.12s has no files", hex);
	if (storage_layer_facts(check->store, diff_id, &facts, &e) < 0)
		return mem_format("layer %.12s: %s", hex, e.text);
	if (!str_equal(facts.diff_id, diff_id))
		return mem_format("layer %.12s: its record is another layer's", hex);
	return NULL;
}

/* A layer, its blob, and a copy that was unpacked from that. */
struct copy {
	struct layer_writer writer;
	struct layer_facts facts;
	char diff_id[DIGEST_TEXT_SIZE];
};

static int unpack_copy(const struct check *check, const struct oci_descriptor *blob,
		       const char *diff_id, struct copy *to, struct err *e)
{
	own_fd int fd = storage_blob_open(check->store, blob->digest, NULL, e);
	if (fd < 0)
		return fd;
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, NULL, NULL);
	struct byte_source packed = image_fd_source(bytes);
	return image_layer_unpack_beside(check->store, diff_id, &packed, &to->writer, &to->facts,
					 to->diff_id, e);
}

static char *judge_files(const struct check *check, const char *diff_id, const struct copy *copy)
{
	own_clear(str_clear) struct str where = { 0 };
	struct err e;

	own_fd int path = storage_layer_open(check->store, diff_id, &e);
	own_fd int fd = path < 0 ? -1 : openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mem_format("layer %.12s cannot be opened", oci_digest_hex(diff_id));
	int r = storage_compare(copy->writer.fs_fd, fd, &where, &e);
	if (r == 0)
		return NULL;
	return mem_format("layer %.12s: %s", oci_digest_hex(diff_id), r < 0 ? e.text : where.text);
}

static int put_copy(const struct check *check, const char *diff_id, struct copy *copy,
		    struct err *e)
{
	return storage_layer_exists(check->store, diff_id)
		       ? storage_layer_replace(&copy->writer, &copy->facts, e)
		       : storage_layer_commit(&copy->writer, &copy->facts, e);
}

/* Without a sound blob there is nothing to compare with, or to unpack. */
static int check_files(struct check *check, const struct oci_descriptor *blob, const char *diff_id,
		       char **wrong, bool *mended, struct err *e)
{
	struct copy copy = { 0 };

	if (!storage_blob_exists(check->store, blob->digest, blob->size) ||
	    strv_contains(&check->bad_blobs, blob->digest))
		return 0;
	int r = unpack_copy(check, blob, diff_id, &copy, e);
	if (r == 0 && !*wrong)
		*wrong = judge_files(check, diff_id, &copy);
	if (r == 0 && *wrong && check->mend) {
		r = put_copy(check, diff_id, &copy, e);
		*mended = r == 0;
	}
	storage_layer_end(&copy.writer);
	/* a blob that does not unpack to its layer is no help either */
	return r < 0 && e->kind == ERR_CORRUPT ? 0 : r;
}

static int check_layer(struct check *check, const struct oci_descriptor *blob, const char *diff_id,
		       struct err *e)
{
	bool mended = false;
	int r = 0;

	if (!oci_digest_is_valid(diff_id) || !is_due(check, "layer", diff_id))
		return 0;
	own_free char *wrong = judge_record(check, diff_id);
	if (check->mend || (check->full && !wrong))
		r = check_files(check, blob, diff_id, &wrong, &mended, e);
	if (r < 0 && e->kind == ERR_NO_SPACE && !check->mend) {
		image_report_note(check->report, "layer %.12s was not compared: %s",
				  oci_digest_hex(diff_id), e->text);
		r = 0;
	}
	if (wrong)
		image_report_finding(check->report, true, diff_id, mended, wrong);
	return r < 0 ? err_add(e, "layer %.12s", oci_digest_hex(diff_id)) : 0;
}

/* ---- images ---- */

/* One whose documents cannot be read is the engine's to tell of. */
static int check_image(struct check *check, const struct storage_entry *entry, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct err unreadable;

	int r = check_blob(check, entry->digest, -1, true, e);
	if (r < 0 || storage_image_read(&image, check->store, entry->digest, &unreadable) < 0)
		return r;
	const struct oci_manifest *manifest = &image.manifest;
	r = check_blob(check, manifest->config.digest, -1, true, e);
	for (size_t i = 0; r == 0 && i < manifest->layers.count; i++)
		r = check_blob(check, manifest->layers.items[i].digest,
			       manifest->layers.items[i].size, check->full || check->mend, e);
	for (size_t i = 0; r == 0 && i < manifest->layers.count; i++)
		if (!storage_image_layer_waits(&image, check->store, i))
			r = check_layer(check, &manifest->layers.items[i],
					image.config.rootfs.diff_ids.items[i], e);
	return r;
}

static int check_images(struct check *check, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };

	int r = storage_index_read(&index, check->store, e);
	for (size_t i = 0; r == 0 && i < index.entries.count; i++)
		r = check_image(check, &index.entries.items[i], e);
	if (r == 0 && (check->full || check->mend))
		r = check_all_blobs(check, e);
	return r;
}

int image_verify_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(check_clear) struct check check = { .store = invocation->store,
						      .report = invocation->report };

	if (invocation->count != 1)
		return err_set(e, ERR_INVALID, "check takes one word: quick or full");
	check.full = strcmp(invocation->operands[0], "full") == 0;
	/* nothing of it may be collected meanwhile */
	own_fd int lock = store_lock_layers_shared(check.store, e);
	if (lock < 0)
		return lock;
	int r = image_jail_enter(check.store, e);
	return r < 0 ? r : check_images(&check, e);
}

int image_verify_mend_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	own_clear(check_clear) struct check check = {
		.store = invocation->store,
		.report = invocation->report,
		.full = true,
		.mend = &names,
	};

	for (size_t i = 0; i < invocation->count; i++)
		strv_add(&names, invocation->operands[i]);
	int r = image_jail_enter(check.store, e);
	return r < 0 ? r : check_images(&check, e);
}
