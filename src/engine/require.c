#include "engine/require.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/record.h"

int engine_require_resolve(struct engine *engine, struct container *c, struct err *e)
{
	own_clear(strv_clear) struct strv ids = { 0 };
	char id[CONTAINER_ID_LENGTH + 1];

	for (size_t i = 0; i < c->requires.count; i++) {
		int r = engine_find(engine, c->requires.items[i], id, e);
		if (r < 0)
			return err_add(e, "--requires %s", c->requires.items[i]);
		if (!strv_contains(&ids, id))
			strv_add(&ids, id);
	}
	strv_clear(&c->requires);
	c->requires = ids;
	ids = (struct strv){ 0 };
	return 0;
}

static int mark(struct engine *engine, const char *required, const char *id, struct err *e)
{
	own_free char *path = mem_format("needed/%s", id);
	own_fd int folder = record_lock(engine, required, true, e);
	if (folder < 0)
		return folder;
	if (mkdirat(folder, "needed", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the folder needed");
	own_fd int fd = openat(folder, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(e, "make %s", path) : 0;
}

int engine_require_mark(struct engine *engine, const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->requires.count; i++) {
		int r = mark(engine, c->requires.items[i], c->id, e);
		if (r < 0)
			return err_add(e, "--requires %.12s", c->requires.items[i]);
	}
	return 0;
}

int engine_require_start(struct engine *engine, const struct container *c, struct err *e)
{
	const struct start_options plain = { 0 };
	struct engine_session session;

	for (size_t i = 0; i < c->requires.count; i++) {
		int r = engine_start(engine, c->requires.items[i], &plain, &session, e);
		if (r < 0) {
			e->kind = ERR_STATE; /* it is not this one's command that is missing */
			return err_add(e, "start %.12s, which it requires", c->requires.items[i]);
		}
		engine_session_close(&session);
	}
	return 0;
}

/* It is gone once its folder is; one that is being made counts. */
static bool is_there(struct engine *engine, const char *id)
{
	record_clear_debris(engine, id);
	return faccessat(engine->containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int refuse(struct engine *engine, const char *name, const char *by, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct err unread;

	bool known = record_read(engine, by, &c, &unread) == 0;
	err_set(e, ERR_STATE, "container %s is required by %s", name, known ? c.name : by);
	return err_hint(e, "remove that one first");
}

int engine_require_check(struct engine *engine, const char *name, int folder_fd, struct err *e)
{
	int fd = openat(folder_fd, "needed", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open the folder needed");
	own_dir DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_sys(e, "read the folder needed");
	}

	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && is_there(engine, entry->d_name))
			return refuse(engine, name, entry->d_name, e);
	return 0;
}
