#include "engine/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/name.h"
#include "engine/record.h"

static bool exists(struct engine *engine, const char *id)
{
	own_free char *config = mem_format("%s/config.json", id);

	return faccessat(engine->containers_fd, config, F_OK, 0) == 0;
}

bool engine_find_name(struct engine *engine, const char *name, char ret_id[CONTAINER_ID_LENGTH + 1])
{
	char id[CONTAINER_ID_LENGTH + 1];
	struct err ignored;

	if (engine_name_check(name, &ignored) < 0)
		return false;
	ssize_t length = readlinkat(engine->names_fd, name, id, sizeof(id));
	if (length != CONTAINER_ID_LENGTH)
		return false;
	id[length] = '\0';
	if (!exists(engine, id) || !record_has_name(engine, id, name))
		return false;
	strcpy(ret_id, id);
	return true;
}

/* 1, or 0: none. ERR_INVALID: several. */
static int find_by_prefix(struct engine *engine, const char *prefix,
			  char ret_id[CONTAINER_ID_LENGTH + 1], struct err *e)
{
	int fd = openat(engine->containers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char found[CONTAINER_ID_LENGTH + 1] = "";

	if (!dir)
		return err_sys(e, "list the containers");
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *id = entry->d_name;
		if (!str_starts(id, prefix) || strlen(id) != CONTAINER_ID_LENGTH ||
		    !exists(engine, id))
			continue;
		if (*found)
			return err_set(e, ERR_INVALID, "'%s' begins several ids: %.12s and %.12s",
				       prefix, found, id);
		strcpy(found, id);
	}
	if (*found)
		strcpy(ret_id, found);
	return *found != '\0';
}

int engine_find(struct engine *engine, const char *name, char ret_id[CONTAINER_ID_LENGTH + 1],
		struct err *e)
{
	const char *bare = name[0] == '/' ? name + 1 : name;

	if (!*bare)
		return err_set(e, ERR_INVALID, "the container's name or id is empty");
	if (strlen(bare) == CONTAINER_ID_LENGTH && engine_id_is_prefix(bare) &&
	    exists(engine, bare)) {
		strcpy(ret_id, bare);
		return 0;
	}
	if (engine_find_name(engine, bare, ret_id))
		return 0;
	if (engine_id_is_prefix(bare)) {
		int r = find_by_prefix(engine, bare, ret_id, e);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return err_set(e, ERR_NOT_FOUND, "no such container: %s", name);
}
