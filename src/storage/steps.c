#include "storage/steps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "storage/store.h"

enum { RECORD_BYTES_MAX = 64 << 10 };

struct step {
	char *name;
	uint64_t size;
	int64_t used_s;
};

struct steps {
	SHAPE_LIST_OF(struct step) items;
};

static void steps_clear(struct steps *steps)
{
	for (size_t i = 0; i < steps->items.count; i++)
		free(steps->items.items[i].name);
	free(steps->items.items);
}

/* The names in a folder that may not be there; *ret_fd -1 then. */
static int read_names(struct strv *names, int *ret_fd, const struct store *store,
		      const char *folder, struct err *e)
{
	const struct dirent *entry;

	*ret_fd = openat(store->root_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", folder);
	own_dir DIR *dir = fdopendir(fcntl(*ret_fd, F_DUPFD_CLOEXEC, 3));
	if (!dir)
		return err_sys(e, "read %s", folder);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(names, entry->d_name);
	return 0;
}

/* ---- steps ---- */

/* The bytes of a step's layer; -1: its record cannot be read. */
static int64_t size_of_step(int folder_fd, const char *name)
{
	own_json struct json_object *record = NULL;
	struct json_object *size;
	struct err broken;

	if (json_read_at(&record, folder_fd, name, RECORD_BYTES_MAX, &broken) < 0)
		return -1;
	return json_object_object_get_ex(record, "size", &size) ? json_object_get_int64(size) : 0;
}

/* One that cannot be read takes no bytes, and is forgotten first. */
static void add_step(struct steps *to, int folder_fd, const char *name, bool records)
{
	struct step *step = shape_list_add(&to->items);
	struct stat st;

	*step = (struct step){ .name = mem_text(name) };
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	int64_t size = records ? size_of_step(folder_fd, name) : st.st_size;
	if (size < 0)
		return;
	step->used_s = st.st_mtime;
	step->size = (uint64_t)size;
}

static int by_use(const void *a, const void *b)
{
	int64_t first = ((const struct step *)a)->used_s, second = ((const struct step *)b)->used_s;

	return first < second ? -1 : first > second;
}

static uint64_t bound_of(const struct store *store)
{
	struct statvfs disk;

	if (fstatvfs(store->root_fd, &disk) < 0)
		return UINT64_MAX;
	return disk.f_blocks * disk.f_frsize / 100 * STEPS_DISK_PERCENT;
}

/* records: what counts is what they keep, not what they are. The oldest go until the rest is within
 * the bound, or, with forget, until those are so many bytes. */
static int bound_steps(const struct store *store, const char *from, bool records, uint64_t bound,
		       uint64_t forget, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	own_clear(steps_clear) struct steps steps = { 0 };
	uint64_t sum = 0;
	int fd;

	int r = read_names(&names, &fd, store, from, e);
	own_fd int folder = fd;
	for (size_t i = 0; r == 0 && i < names.count; i++)
		add_step(&steps, folder, names.items[i], records);
	if (steps.items.count)
		qsort(steps.items.items, steps.items.count, sizeof(struct step), by_use);
	for (size_t i = 0; i < steps.items.count; i++)
		sum += steps.items.items[i].size;
	if (forget)
		bound = sum > forget ? sum - forget : 0;
	for (size_t i = 0; i < steps.items.count; i++) {
		const struct step *step = &steps.items.items[i];
		if (step->used_s && sum <= bound)
			break;
		if (unlinkat(folder, step->name, 0) < 0 && errno != ENOENT)
			return err_sys(e, "forget a step of a build");
		sum -= step->size;
	}
	return r;
}

/* ---- caches ---- */

/* The lock is held until it is gone, so that nobody begins to use it. */
static int remove_cache(int folder_fd, const char *name, int64_t older_than_s, uint64_t *freed,
			struct err *e)
{
	struct stat st;
	struct err busy;

	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mtime >= older_than_s)
		return 0;
	own_fd int lock = store_lock_folder(folder_fd, name, LOCK_EX | LOCK_NB, &busy);
	if (lock < 0)
		return 0;
	own_free char *dead = mem_format(".dead-%s", name);
	if (*name != '.' && renameat(folder_fd, name, folder_fd, dead) < 0)
		return err_sys(e, "remove a cache");
	return fd_remove_tree_counted_at(folder_fd, *name == '.' ? name : dead, freed, e);
}

static int remove_caches(const struct store *store, int64_t older_than_s, uint64_t *freed,
			 struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	int fd;

	int r = read_names(&names, &fd, store, "caches", e);
	own_fd int folder = fd;
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = remove_cache(folder, names.items[i], older_than_s, freed, e);
	return r;
}

int storage_steps_bound(const struct store *store, uint64_t *freed, struct err *e)
{
	int r = bound_steps(store, "build", true, bound_of(store), 0, e);

	if (r == 0)
		r = bound_steps(store, STORAGE_CONTEXTS, false, STEPS_CONTEXTS_BYTES_MAX, 0, e);
	return r < 0 ? r : remove_caches(store, time(NULL) - STEPS_CACHE_SECONDS, freed, e);
}

static int clear_steps(const struct store *store, const char *from, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	int fd;

	int r = read_names(&names, &fd, store, from, e);
	own_fd int folder = fd;
	for (size_t i = 0; r == 0 && i < names.count; i++)
		if (unlinkat(folder, names.items[i], 0) < 0 && errno != ENOENT)
			r = err_sys(e, "forget a step of a build");
	return r;
}

int storage_steps_forget(const struct store *store, uint64_t bytes, struct err *e)
{
	return bytes ? bound_steps(store, "build", true, 0, bytes, e) : 0;
}

int storage_steps_clear(const struct store *store, bool caches, uint64_t *freed, struct err *e)
{
	int r = clear_steps(store, "build", e);

	if (r == 0)
		r = clear_steps(store, STORAGE_CONTEXTS, e);
	return r < 0 || !caches ? r : remove_caches(store, INT64_MAX, freed, e);
}
