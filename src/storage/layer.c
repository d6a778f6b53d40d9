#include "storage/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/rename.h"
#include "base/shape.h"
#include "oci/digest.h"
#include "storage/store.h"

enum { FACTS_BYTES_MAX = 4096 };

static const struct shape facts_shape = {
	sizeof(struct layer_facts),
	(const struct shape_field[]){
		{ "diffId", SHAPE_STRING, offsetof(struct layer_facts, diff_id) },
		{ "size", SHAPE_UINT, offsetof(struct layer_facts, size), .keep = true },
		{ "tarSize", SHAPE_UINT, offsetof(struct layer_facts, tar_size), .keep = true },
		{ "entries", SHAPE_UINT, offsetof(struct layer_facts, entries), .keep = true },
		{ "skipped", SHAPE_UINT, offsetof(struct layer_facts, skipped) },
		{ "unowned", SHAPE_UINT, offsetof(struct layer_facts, unowned) },
		{ "created", SHAPE_STRING, offsetof(struct layer_facts, created) },
		{ 0 },
	},
};

struct layer_path {
	char text[128]; /* below the root */
};

void layer_facts_clear(struct layer_facts *facts)
{
	shape_clear(&facts_shape, facts);
}

static int make_path(struct layer_path *to, const char *diff_id, const char *behind, struct err *e)
{
	const char *hex = oci_digest_hex(diff_id);

	if (!hex)
		return oci_digest_check(diff_id, "layer", e);
	snprintf(to->text, sizeof(to->text), "layers/%s%s", hex, behind);
	return 0;
}

bool storage_layer_exists(const struct store *store, const char *diff_id)
{
	struct layer_path path;
	struct err e;

	return make_path(&path, diff_id, "", &e) == 0 &&
	       faccessat(store->root_fd, path.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int storage_layer_open(const struct store *store, const char *diff_id, struct err *e)
{
	struct layer_path path;

	int r = make_path(&path, diff_id, "/fs", e);
	if (r < 0)
		return r;
	int fd = openat(store->root_fd, path.text, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "layer %.19s is not in the store", diff_id);
	return fd < 0 ? err_sys(e, "open layer %s", diff_id) : fd;
}

char *storage_layer_path(const struct store *store, const char *diff_id)
{
	const char *hex = oci_digest_hex(diff_id);
	return mem_format("%s/layers/%s/fs", store->root, hex ? hex : "invalid");
}

int storage_layer_facts(const struct store *store, const char *diff_id, struct layer_facts *to,
			struct err *e)
{
	struct layer_path path;

	int r = make_path(&path, diff_id, "/layer.json", e);
	if (r < 0)
		return r;
	return shape_read_at(&facts_shape, store->root_fd, path.text, FACTS_BYTES_MAX, to, e);
}

/* ---- writing ---- */

static char *random_name(void)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) < 0)
		number = (uint64_t)moment_monotonic_ns() ^ (uint64_t)getpid();
	return mem_format(".new-%016llx", (unsigned long long)number);
}

/* Locks layers/NAME, made if need be. Whoever waited for the lock may hold a folder that the
 * one before has renamed or removed; then it is opened anew. */
static int lock_new(const char *name, int layers_fd, bool wait, struct err *e)
{
	struct stat mine, there;

	for (;;) {
		if (mkdirat(layers_fd, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "make folder layers/%s", name);
		own_fd int fd =
			store_lock_folder(layers_fd, name, LOCK_EX | (wait ? 0 : LOCK_NB), e);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		if (fstat(fd, &mine) == 0 && fstatat(layers_fd, name, &there, 0) == 0 &&
		    mine.st_ino == there.st_ino)
			return take_fd(&fd);
	}
}

/* What a killed writer left in the folder goes. */
static int make_empty(int folder_fd, int *fs_fd, struct err *e)
{
	int r = fd_remove_tree_at(folder_fd, "fs", e);
	if (r < 0)
		return r;
	/* the root of a container whose image says nothing about "/" */
	if (mkdirat(folder_fd, "fs", 0755) < 0 || fchmodat(folder_fd, "fs", 0755, 0) < 0)
		return err_sys(e, "make folder fs");
	*fs_fd = openat(folder_fd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *fs_fd < 0 ? err_sys(e, "open fs") : 0;
}

int storage_layer_begin(struct layer_writer *to, const struct store *store, const char *diff_id,
			bool wait, struct err *e)
{
	const char *hex = diff_id ? oci_digest_hex(diff_id) : NULL;

	if (diff_id && !hex)
		return oci_digest_check(diff_id, "layer", e);
	if (hex && storage_layer_exists(store, hex))
		return 1;
	own_fd int layers_fd = openat(store->root_fd, "layers", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (layers_fd < 0)
		return err_sys(e, "open layers");
	own_free char *name = hex ? mem_format(".new-%s", hex) : random_name();
	own_fd int lock = lock_new(name, layers_fd, wait, e);
	if (lock < 0)
		return lock;
	/* the one who had the lock may have finished it */
	if (hex && storage_layer_exists(store, hex)) {
		unlinkat(layers_fd, name, AT_REMOVEDIR);
		return 1;
	}
	int fs_fd = -1;
	int r = make_empty(lock, &fs_fd, e);
	if (r < 0)
		return r;
	*to = (struct layer_writer){ store, take_ptr(&name), take_fd(&lock), fs_fd };
	return 0;
}

static int write_facts(const struct layer_writer *writer, const struct layer_facts *facts,
		       struct err *e)
{
	char now[MOMENT_TEXT_SIZE];
	struct layer_facts said = *facts;

	moment_format(now, moment_now_ns());
	if (!said.created)
		said.created = now;
	return shape_write_at(&facts_shape, writer->lock, "layer.json", &said, e);
}

/* Gives it its name, in exchange for the one that is there or as a new one. 1: as a new one, and
 * one was there. */
static int publish(struct layer_writer *writer, const struct layer_facts *facts, bool exchange,
		   struct err *e)
{
	const struct store *store = writer->store;
	own_free char *from = mem_format("layers/%s", writer->name);
	struct layer_path to;

	int r = make_path(&to, facts->diff_id, "", e);
	if (r == 0)
		r = write_facts(writer, facts, e);
	if (r < 0)
		return r;
	/* the layer's bytes before its name: a name after a power loss is a promise */
	if (syncfs(writer->fs_fd) < 0)
		return err_sys(e, "sync the layer");
	if (exchange)
		r = rename_exchange_at(store->root_fd, from, store->root_fd, to.text, e);
	else
		r = rename_new_at(store->root_fd, from, store->root_fd, to.text);
	if (r == 0)
		return store_sync_folder(store, "layers", e);
	if (exchange)
		return r;
	return r == -EEXIST ? 1 : err_number(e, -r, "rename the layer");
}

int storage_layer_commit(struct layer_writer *writer, const struct layer_facts *facts,
			 struct err *e)
{
	int r = publish(writer, facts, false, e);

	if (r == 0)
		mem_replace(&writer->name, NULL);
	return r < 0 ? r : 0;
}

int storage_layer_replace(struct layer_writer *writer, const struct layer_facts *facts,
			  struct err *e)
{
	return publish(writer, facts, true, e);
}

void storage_layer_end(struct layer_writer *writer)
{
	struct err ignored;

	if (!writer->store)
		return;
	close(writer->fs_fd);
	if (writer->name) {
		own_free char *path = mem_format("layers/%s", writer->name);
		fd_remove_tree_at(writer->store->root_fd, path, &ignored);
	}
	close(writer->lock);
	free(writer->name);
	*writer = (struct layer_writer){ 0 };
}
