/* A new name of a container is taken first, then the record says it, then the old one is freed: a
 * name counts only if the record of the container it leads to says the same.
 *
 * Order of birth: folder, lock, name, all else, config.json. Order of death: the folder gets
 * another name (.dead-ID), the name goes, then the bytes. So a container that can be seen is
 * whole, a name that points to nothing is free, and the lock tells the newborn from debris. */
#include "engine/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "engine/name.h"
#include "engine/volume.h"

#define DEAD_PREFIX  ".dead-"
#define VOLUMES_MARK ".volumes"

int record_not_found(const char *id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no such container: %.12s", id);
}

static int open_folder(struct engine *engine, const char *id)
{
	return openat(engine->containers_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int record_begin(struct engine *engine, const char *id, struct err *e)
{
	for (;;) {
		if (mkdirat(engine->containers_fd, id, 0700) < 0)
			return err_sys(e, "make the container's folder");
		fault_point("create.folder");
		int fd = fd_lock_folder_at(engine->containers_fd, id, true);
		/* between the two somebody may have taken it for debris */
		if (fd == -ENOENT)
			continue;
		return fd < 0 ? err_number(e, -fd, "lock the container's folder") : fd;
	}
}

void record_free_name(struct engine *engine, const char *id, const char *name)
{
	char target[CONTAINER_ID_LENGTH + 1];

	if (!name)
		return;
	ssize_t length = readlinkat(engine->names_fd, name, target, sizeof(target));
	if (length == CONTAINER_ID_LENGTH && !strncmp(target, id, CONTAINER_ID_LENGTH))
		unlinkat(engine->names_fd, name, 0);
}

void record_free_other_names(struct engine *engine, const char *id, const char *name)
{
	int fd = openat(engine->names_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (strcmp(entry->d_name, name) != 0)
			record_free_name(engine, id, entry->d_name);
}

char *record_find_name(struct engine *engine, const char *id)
{
	int fd = openat(engine->names_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char target[CONTAINER_ID_LENGTH + 1];

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (readlinkat(engine->names_fd, entry->d_name, target, sizeof(target)) ==
			    CONTAINER_ID_LENGTH &&
		    !strncmp(target, id, CONTAINER_ID_LENGTH))
			return mem_text(entry->d_name);
	return NULL;
}

static const struct shape name_shape = {
	sizeof(char *),
	(const struct shape_field[]){ { "name", SHAPE_STRING, 0 }, { 0 } },
};

/* 1, 0: it says another; -1: it cannot be read. */
static int record_says(struct engine *engine, const char *id, const char *name)
{
	own_free char *path = mem_format("%s/config.json", id);
	own_free char *said = NULL;
	struct err ignored;

	if (shape_read_at(&name_shape, engine->containers_fd, path, CONTAINER_RECORD_MAX, &said,
			  &ignored) < 0)
		return -1;
	return str_equal(said, name);
}

/* A name that the record does not say, of a rename that was killed. False: one is at work. */
static bool free_left_name(struct engine *engine, const char *id, const char *name)
{
	struct err ignored;

	own_fd int lock = record_lock(engine, id, false, &ignored);
	if (lock < 0 || record_says(engine, id, name) != 0)
		return false;
	record_free_name(engine, id, name);
	return true;
}

bool record_has_name(struct engine *engine, const char *id, const char *name)
{
	/* one whose record is broken can be named, and so removed */
	if (record_says(engine, id, name) != 0)
		return true;
	free_left_name(engine, id, name);
	return false;
}

/* Does the name lead to something that lives or is about to? If not, it is taken away. */
static bool name_is_taken(struct engine *engine, const char *name)
{
	char id[CONTAINER_ID_LENGTH + 1];
	ssize_t length = readlinkat(engine->names_fd, name, id, sizeof(id));

	if (length < 0)
		return false; /* it went in the meantime */
	if (length == CONTAINER_ID_LENGTH) {
		struct container_state state;
		struct err ignored;
		id[length] = '\0';
		record_clear_debris(engine, id);
		/* a --rm one whose monitor was killed goes by being looked at */
		engine_state_read(engine, id, &state, &ignored);
		if (faccessat(engine->containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return record_says(engine, id, name) != 0 ||
			       !free_left_name(engine, id, name);
	}
	unlinkat(engine->names_fd, name, 0);
	return false;
}

static int take_name(struct engine *engine, const char *id, const char *name, struct err *e)
{
	/* The second round follows a name that led to nothing; a third means a race that
	 * somebody else has won. */
	for (int round = 0; round < 3; round++) {
		if (symlinkat(id, engine->names_fd, name) == 0)
			return 0;
		if (errno != EEXIST)
			return err_sys(e, "take the name %s", name);
		if (name_is_taken(engine, name))
			break;
	}
	err_set(e, ERR_EXISTS, "the name '%s' is taken", name);
	return err_hint(e, "remove that container (holm rm %s) or choose another name", name);
}

int record_add_name(struct engine *engine, const char *id, const char *name, struct err *e)
{
	char target[CONTAINER_ID_LENGTH + 1];

	/* left by a rename of this very container that was killed */
	ssize_t length = readlinkat(engine->names_fd, name, target, sizeof(target));
	if (length == CONTAINER_ID_LENGTH && !strncmp(target, id, CONTAINER_ID_LENGTH))
		return 0;
	return take_name(engine, id, name, e);
}

int record_take_name(struct engine *engine, struct container *c, struct err *e)
{
	if (c->name)
		return take_name(engine, c->id, c->name, e);

	for (unsigned attempt = 0;; attempt++) {
		own_free char *name = engine_name_generate(attempt);
		int r = take_name(engine, c->id, name, e);
		if (r == 0)
			c->name = take_ptr(&name);
		if (r == 0 || e->kind != ERR_EXISTS || attempt == 100)
			return r;
	}
}

int record_commit(int folder_fd, const struct container *c, struct err *e)
{
	fault_point("create.record");
	int r = shape_write_at(&container_shape, folder_fd, "config.json", c, e);
	return r < 0 ? err_add(e, "write the container's record") : 0;
}

void record_abandon(struct engine *engine, const struct container *c)
{
	struct err ignored;
	char id[CONTAINER_ID_LENGTH + 1];

	if (c->name) {
		ssize_t length = readlinkat(engine->names_fd, c->name, id, sizeof(id));
		if (length == CONTAINER_ID_LENGTH && !memcmp(id, c->id, (size_t)length))
			unlinkat(engine->names_fd, c->name, 0);
	}
	fd_remove_tree_at(engine->containers_fd, c->id, &ignored);
}

int record_open(struct engine *engine, const char *id, struct err *e)
{
	int fd = open_folder(engine, id);

	if (fd < 0 && errno == ENOENT)
		return record_not_found(id, e);
	return fd < 0 ? err_sys(e, "open the folder of container %.12s", id) : fd;
}

int record_lock(struct engine *engine, const char *id, bool wait, struct err *e)
{
	int fd = fd_lock_folder_at(engine->containers_fd, id, wait);

	if (fd == -EWOULDBLOCK)
		return err_set(e, ERR_STATE, "another command is changing container %.12s", id);
	if (fd == -ENOENT)
		return record_not_found(id, e);
	return fd < 0 ? err_number(e, -fd, "lock container %.12s", id) : fd;
}

int record_read(struct engine *engine, const char *id, struct container *ret, struct err *e)
{
	own_free char *path = mem_format("%s/config.json", id);

	int r = shape_read_at(&container_shape, engine->containers_fd, path, CONTAINER_RECORD_MAX,
			      ret, e);
	if (r == -ENOENT) {
		record_clear_debris(engine, id);
		return record_not_found(id, e);
	}
	return r < 0 ? err_add(e, "container %.12s", id) : 0;
}

/* Whoever finds the folder dead is to know that its volumes go, too. Of --rm the record says it. */
static int mark_volumes(struct engine *engine, const char *id, const struct container *c,
			struct err *e)
{
	own_free char *mark = mem_format("%s/" VOLUMES_MARK, id);

	if (!c)
		return unlinkat(engine->containers_fd, mark, 0) < 0 && errno != ENOENT
			       ? err_sys(e, "remove container %.12s", id)
			       : 0;
	if (c->auto_remove || !engine_volume_has_anonymous(c))
		return 0;
	return fd_write_file_at(engine->containers_fd, mark, "", 0, 0600, e);
}

int record_delete(struct engine *engine, const char *id, const char *name,
		  const struct container *volumes_of, struct err *e)
{
	own_free char *dead = mem_format(DEAD_PREFIX "%s", id);

	int r = mark_volumes(engine, id, volumes_of, e);
	if (r < 0 && e->kind != ERR_NOT_FOUND)
		return r;
	fault_point("remove.rename");
	if (renameat(engine->containers_fd, id, engine->containers_fd, dead) < 0 && errno != ENOENT)
		return err_sys(e, "remove container %.12s", id);
	fault_point("remove.name");
	record_free_name(engine, id, name);
	fault_point("remove.files");
	if (volumes_of)
		engine_volume_remove_anonymous(engine, volumes_of);
	return fd_remove_tree_at(engine->containers_fd, dead, e);
}

/* Of a container whose deleter was killed. */
static void remove_volumes(struct engine *engine, int folder_fd)
{
	own_clear(container_clear) struct container c = { 0 };
	struct err ignored;

	if (shape_read_at(&container_shape, folder_fd, "config.json", CONTAINER_RECORD_MAX, &c,
			  &ignored) == 0 &&
	    (c.auto_remove || faccessat(folder_fd, VOLUMES_MARK, F_OK, 0) == 0))
		engine_volume_remove_anonymous(engine, &c);
}

/* The lock of a folder that is being deleted is free once its deleter was killed. */
static void clear_locked(struct engine *engine, const char *entry)
{
	struct err ignored;
	own_fd int fd = fd_lock_folder_at(engine->containers_fd, entry, false);

	if (fd < 0)
		return;
	bool dead = !strncmp(entry, DEAD_PREFIX, strlen(DEAD_PREFIX));
	if (!dead && (faccessat(fd, "config.json", F_OK, 0) == 0 || errno != ENOENT))
		return;
	/* the name first: without the folder nobody would know whose it was */
	record_free_other_names(engine, dead ? entry + strlen(DEAD_PREFIX) : entry, "");
	if (dead)
		remove_volumes(engine, fd);
	fd_remove_tree_at(engine->containers_fd, entry, &ignored);
}

void record_clear_debris(struct engine *engine, const char *id)
{
	own_free char *config = mem_format("%s/config.json", id);

	if (faccessat(engine->containers_fd, config, F_OK, 0) < 0 && errno == ENOENT)
		clear_locked(engine, id);
}

void record_clear_dead(struct engine *engine, const char *entry)
{
	clear_locked(engine, entry);
}
