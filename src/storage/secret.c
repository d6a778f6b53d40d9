/* Written as a whole under a name that nobody looks up, then renamed; what a killed writer leaves
 * is removed by the next one under the lock of $root/secrets. */
#include "storage/secret.h"

#include <dirent.h>
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
#include "base/own.h"
#include "base/rename.h"
#include "base/str.h"
#include "storage/store.h"

enum { ID_DIGITS = 25, RECORD_BYTES_MAX = 1 << 20 };

#define FOLDER  "secrets"
#define NEWBORN FOLDER "/.new"
#define DEAD    FOLDER "/.dead"

static const struct shape secret_shape = {
	sizeof(struct storage_secret),
	(const struct shape_field[]){
		{ "id", SHAPE_STRING, offsetof(struct storage_secret, id) },
		{ "name", SHAPE_STRING, offsetof(struct storage_secret, name) },
		{ "created", SHAPE_STRING, offsetof(struct storage_secret, created) },
		{ "updated", SHAPE_STRING, offsetof(struct storage_secret, updated) },
		{ "labels", SHAPE_MAP, offsetof(struct storage_secret, labels) },
		{ 0 },
	},
};

void storage_secret_clear(struct storage_secret *secret)
{
	shape_clear(&secret_shape, secret);
}

void storage_secrets_clear(struct storage_secrets *secrets)
{
	for (size_t i = 0; i < secrets->items.count; i++)
		storage_secret_clear(&secrets->items.items[i]);
	free(secrets->items.items);
	*secrets = (struct storage_secrets){ 0 };
}

static int not_found(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no such secret: %.260s", name);
}

/* ---- reading ---- */

static int read_record(struct storage_secret *to, const struct store *store, const char *name,
		       struct err *e)
{
	struct storage_secret secret = { 0 };
	own_free char *path = mem_format(FOLDER "/%s/secret.json", name);

	int r = shape_read_at(&secret_shape, store->root_fd, path, RECORD_BYTES_MAX, &secret, e);
	if (r == -ENOENT)
		return not_found(name, e);
	if (r < 0)
		return r;
	mem_replace(&secret.name, name); /* the folder's name is what counts */
	if (secret.id && strspn(secret.id, "0123456789abcdef") == ID_DIGITS) {
		*to = secret;
		return 0;
	}
	storage_secret_clear(&secret);
	return err_set(e, ERR_CORRUPT, "%s: no id in it", path);
}

static int by_name(const void *a, const void *b)
{
	const struct storage_secret *left = a, *right = b;
	return strcmp(left->name, right->name);
}

int storage_secret_list(struct storage_secrets *to, const struct store *store, struct err *e)
{
	struct err ignored;
	const struct dirent *entry;
	int fd = openat(store->root_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return err_sys(e, "open " FOLDER);
	while ((entry = readdir(dir))) {
		struct storage_secret secret = { 0 };
		if (!str_is_name(entry->d_name, STORAGE_SECRET_NAME_MAX) ||
		    read_record(&secret, store, entry->d_name, &ignored) < 0)
			continue;
		*shape_list_add(&to->items) = secret;
	}
	if (to->items.count)
		qsort(to->items.items, to->items.count, sizeof(*to->items.items), by_name);
	return 0;
}

static int find_id(struct storage_secret *to, const struct store *store, const char *id,
		   struct err *e)
{
	own_clear(storage_secrets_clear) struct storage_secrets all = { 0 };
	struct storage_secret *found = NULL;

	int r = storage_secret_list(&all, store, e);
	for (size_t i = 0; r == 0 && i < all.items.count; i++) {
		if (!str_starts(all.items.items[i].id, id))
			continue;
		if (found)
			return err_set(e, ERR_INVALID, "the id %s fits %s and %s", id, found->name,
				       all.items.items[i].name);
		found = &all.items.items[i];
	}
	if (r < 0)
		return r;
	if (!found)
		return not_found(id, e);
	*to = *found;
	*found = (struct storage_secret){ 0 };
	return 0;
}

int storage_secret_find(struct storage_secret *to, const struct store *store, const char *name,
			struct err *e)
{
	if (!str_is_name(name, STORAGE_SECRET_NAME_MAX))
		return not_found(name, e);
	int r = read_record(to, store, name, e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? find_id(to, store, name, e) : r;
}

static char *bytes_path(const struct storage_secret *secret)
{
	return mem_format(FOLDER "/%s/%s", secret->name, secret->id);
}

int storage_secret_read(struct str *to, const struct store *store,
			const struct storage_secret *secret, struct err *e)
{
	own_free char *path = bytes_path(secret);

	return fd_read_file_at(store->root_fd, path, STORAGE_SECRET_BYTES_MAX, to, e);
}

int storage_secret_link(const struct store *store, const struct storage_secret *secret, int dir_fd,
			const char *path, struct err *e)
{
	own_free char *from = bytes_path(secret);

	if (linkat(store->root_fd, from, dir_fd, path, 0) == 0)
		return 0;
	return errno == ENOENT ? not_found(secret->name, e)
			       : err_sys(e, "link the secret %s", secret->name);
}

/* ---- making ---- */

static int make_id(char **ret, struct err *e)
{
	unsigned char random[(ID_DIGITS + 1) / 2];
	struct str id = { 0 };

	if (getrandom(random, sizeof(random), 0) < 0)
		return err_sys(e, "getrandom");
	for (size_t i = 0; i < sizeof(random); i++)
		str_addf(&id, "%02x", random[i]);
	id.text[ID_DIGITS] = '\0';
	*ret = str_take(&id);
	return 0;
}

static int check_new(const char *name, const struct str *bytes, struct err *e)
{
	if (!str_is_name(name, STORAGE_SECRET_NAME_MAX))
		return err_set(e, ERR_INVALID,
			       "'%.260s' is not a secret's name: letters and digits, then also _ . "
			       "-, at most %d",
			       name, STORAGE_SECRET_NAME_MAX);
	if (bytes->length == 0)
		return err_set(e, ERR_INVALID, "the secret is empty");
	if (bytes->length >= STORAGE_SECRET_BYTES_MAX)
		return err_set(e, ERR_INVALID, "the secret has %zu bytes, not less than %d",
			       bytes->length, STORAGE_SECRET_BYTES_MAX);
	return 0;
}

static int write_bytes(const struct store *store, const char *path, const struct str *bytes,
		       struct err *e)
{
	own_fd int fd = openat(store->root_fd, path,
			       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "make %s", path);
	int r = fd_write_all(fd, bytes->text, bytes->length);
	if (r < 0)
		return err_number(e, -r, "write %s", path);
	return fsync(fd) < 0 ? err_sys(e, "sync %s", path) : 0;
}

static int sync_file(const struct store *store, const char *path, struct err *e)
{
	own_fd int fd = openat(store->root_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || fsync(fd) < 0 ? err_sys(e, "sync %s", path) : 0;
}

static int write_new(const struct store *store, const struct storage_secret *secret,
		     const struct str *bytes, struct err *e)
{
	own_free char *path = mem_format(NEWBORN "/%s", secret->id);

	if (mkdirat(store->root_fd, NEWBORN, 0700) < 0)
		return err_sys(e, "make folder " NEWBORN);
	int r = write_bytes(store, path, bytes, e);
	if (r == 0)
		r = shape_write_at(&secret_shape, store->root_fd, NEWBORN "/secret.json", secret,
				   e);
	if (r == 0)
		r = sync_file(store, NEWBORN "/secret.json", e);
	if (r == 0)
		r = store_sync_folder(store, NEWBORN, e);
	return r;
}

/* What killed writers have left; who calls it holds the lock. */
static void clear_debris(const struct store *store)
{
	struct err ignored;

	fd_remove_tree_at(store->root_fd, NEWBORN, &ignored);
	fd_remove_tree_at(store->root_fd, DEAD, &ignored);
}

/* In the place of another, that one goes to NEWBORN. */
static int rename_new(const struct store *store, const char *name, bool exchange, struct err *e)
{
	own_free char *path = mem_format(FOLDER "/%s", name);

	if (exchange) {
		int r = rename_exchange_at(store->root_fd, NEWBORN, store->root_fd, path, e);
		return r < 0 ? r : store_sync_folder(store, FOLDER, e);
	}
	int r = rename_new_at(store->root_fd, NEWBORN, store->root_fd, path);
	return r < 0 ? err_number(e, -r, "rename to %s", path)
		     : store_sync_folder(store, FOLDER, e);
}

/* Returns the lock. */
static int lock(const struct store *store, struct err *e)
{
	if (mkdirat(store->root_fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make folder " FOLDER);
	int fd = store_lock_folder(store->root_fd, FOLDER, LOCK_EX, e);
	if (fd >= 0)
		clear_debris(store);
	return fd;
}

static int exists(const char *name, struct err *e)
{
	err_set(e, ERR_EXISTS, "the name '%s' is taken", name);
	return err_hint(e, "--replace puts another secret in its place");
}

int storage_secret_create(char **ret_id, const struct store *store, const char *name,
			  const struct shape_map *labels, const struct str *bytes, bool replace,
			  struct err *e)
{
	own_clear(storage_secret_clear) struct storage_secret old = { 0 };
	char now[MOMENT_TEXT_SIZE];

	int r = check_new(name, bytes, e);
	if (r < 0)
		return r;
	own_fd int locked = lock(store, e);
	if (locked < 0)
		return locked;
	bool there = read_record(&old, store, name, e) == 0;
	if (!there && e->kind != ERR_NOT_FOUND)
		return -e->number;
	if (there && !replace)
		return exists(name, e);
	own_free char *id = NULL;
	r = make_id(&id, e);
	if (r < 0)
		return r;
	moment_format(now, moment_now_ns());
	const struct storage_secret secret = {
		.id = id,
		.name = (char *)name,
		.created = there ? old.created : now,
		.updated = now,
		.labels = *labels,
	};
	r = write_new(store, &secret, bytes, e);
	if (r == 0)
		r = rename_new(store, name, there, e);
	clear_debris(store);
	if (r < 0)
		return r;
	*ret_id = take_ptr(&id);
	return 0;
}

int storage_secret_remove(const struct store *store, const char *name, struct err *e)
{
	own_clear(storage_secret_clear) struct storage_secret secret = { 0 };
	own_fd int locked = lock(store, e);

	if (locked < 0)
		return locked;
	int r = storage_secret_find(&secret, store, name, e);
	if (r < 0)
		return r;
	own_free char *path = mem_format(FOLDER "/%s", secret.name);
	if (renameat(store->root_fd, path, store->root_fd, DEAD) < 0)
		return err_sys(e, "rename %s", path);
	r = store_sync_folder(store, FOLDER, e);
	clear_debris(store);
	return r;
}
