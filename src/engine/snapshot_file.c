#include "engine/snapshot_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/rename.h"
#include "base/str.h"
#include "engine/fault.h"
#include "engine/name.h"

#define FOLDER "snapshots"
#define SUFFIX ".json"

const struct shape snapshot_shape = {
	sizeof(struct snapshot),
	(const struct shape_field[]){
		{ "comment", SHAPE_STRING, offsetof(struct snapshot, comment) },
		{ "created_ns", SHAPE_INT, offsetof(struct snapshot, created_ns) },
		{ "expires_ns", SHAPE_INT, offsetof(struct snapshot, expires_ns) },
		{ "scheduled", SHAPE_BOOL, offsetof(struct snapshot, scheduled) },
		{ "live", SHAPE_BOOL, offsetof(struct snapshot, live) },
		{ "paused_ns", SHAPE_INT, offsetof(struct snapshot, paused_ns) },
		{ "container", SHAPE_OBJECT, offsetof(struct snapshot, container),
		  &container_shape },
		{ 0 },
	},
};

void snapshot_clear(struct snapshot *snapshot)
{
	free(snapshot->name);
	shape_clear(&snapshot_shape, snapshot);
}

void snapshots_clear(struct snapshots *snapshots)
{
	for (size_t i = 0; i < snapshots->count; i++)
		snapshot_clear(&snapshots->items[i]);
	free(snapshots->items);
	*snapshots = (struct snapshots){ 0 };
}

int snapshot_name_check(const char *name, struct err *e)
{
	int r = engine_name_check(name, e);

	return r < 0 ? err_add(e, "snapshot") : 0;
}

static char *path_of(const char *name)
{
	return mem_format(FOLDER "/%s" SUFFIX, name);
}

static int not_found(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no such snapshot: %s", name);
}

int snapshot_read(struct snapshot *ret, int folder_fd, const char *name, struct err *e)
{
	int r = snapshot_name_check(name, e);
	if (r < 0)
		return r;
	own_free char *path = path_of(name);
	r = shape_read_at(&snapshot_shape, folder_fd, path, CONTAINER_RECORD_MAX, ret, e);
	if (r == -ENOENT)
		return not_found(name, e);
	if (r < 0)
		return err_add(e, "snapshot %s", name);
	ret->name = mem_text(name);
	return 0;
}

static int write_synced(int dir_fd, const char *name, const char *text, struct err *e)
{
	own_fd int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make %s", name);
	int r = fd_write_all(fd, text, strlen(text));
	if (r < 0)
		return err_number(e, -r, "write %s", name);
	return fdatasync(fd) < 0 ? err_sys(e, "sync %s", name) : 0;
}

/* to is the file of the snapshot with this name. */
static int rename_new(int folder_fd, const char *from, const char *to, const char *name,
		      struct err *e)
{
	int r = rename_new_at(folder_fd, from, folder_fd, to);

	if (r == -EEXIST)
		return err_set(e, ERR_EXISTS, "there is a snapshot %s already", name);
	return r < 0 ? err_number(e, -r, "write snapshot %s", name) : 0;
}

int snapshot_write(int folder_fd, const struct snapshot *snapshot, struct err *e)
{
	static const char temporary[] = FOLDER "/.new";
	own_free char *path = path_of(snapshot->name);
	own_json struct json_object *object = shape_write(&snapshot_shape, snapshot);

	if (mkdirat(folder_fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the folder " FOLDER);
	int r = write_synced(folder_fd, temporary, json_text(object), e);
	fault_point("snapshot.write");
	if (r == 0)
		r = rename_new(folder_fd, temporary, path, snapshot->name, e);
	if (r < 0)
		unlinkat(folder_fd, temporary, 0);
	return r;
}

int snapshot_remove(int folder_fd, const char *name, struct err *e)
{
	int r = snapshot_name_check(name, e);
	if (r < 0)
		return r;
	own_free char *path = path_of(name);
	if (unlinkat(folder_fd, path, 0) == 0)
		return 0;
	return errno == ENOENT ? not_found(name, e) : err_sys(e, "remove snapshot %s", name);
}

int snapshot_rename(int folder_fd, const char *name, const char *new_name, struct err *e)
{
	int r = snapshot_name_check(name, e);
	if (r == 0)
		r = snapshot_name_check(new_name, e);
	if (r < 0)
		return r;
	own_free char *from = path_of(name);
	own_free char *to = path_of(new_name);
	r = rename_new(folder_fd, from, to, new_name, e);
	return r == -ENOENT ? not_found(name, e) : r;
}

/* ---- all of them ---- */

static int by_age(const void *a, const void *b)
{
	const struct snapshot *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int add(struct snapshots *to, int folder_fd, const char *entry, struct err *e)
{
	struct snapshot one = { 0 };

	if (entry[0] == '.' || !str_ends(entry, SUFFIX))
		return 0;
	own_free char *name = mem_text_n(entry, strlen(entry) - strlen(SUFFIX));
	int r = snapshot_read(&one, folder_fd, name, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	*(struct snapshot *)shape_list_add(to) = one;
	return 0;
}

int snapshot_list(struct snapshots *ret, int folder_fd, struct err *e)
{
	int fd = openat(folder_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "list the snapshots");
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		r = add(ret, folder_fd, entry->d_name, e);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), by_age);
	return r;
}

char *snapshot_next_name(const struct snapshots *snapshots, const char *prefix)
{
	uint64_t next = 0, number;
	struct err no_number;

	for (size_t i = 0; i < snapshots->count; i++) {
		const char *name = snapshots->items[i].name;
		if (str_starts(name, prefix) &&
		    number_parse_u64(&number, name + strlen(prefix), UINT64_MAX - 1, &no_number) ==
			    0 &&
		    number >= next)
			next = number + 1;
	}
	return mem_format("%s%llu", prefix, (unsigned long long)next);
}
