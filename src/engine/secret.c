#include "engine/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/spec.h"
#include "engine/userns.h"
#include "storage/secret.h"

#define FOLDER "secrets"
#define BELOW  FOLDER "/below"

int engine_secret_resolve(struct engine *engine, struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->secrets.count; i++) {
		own_clear(storage_secret_clear) struct storage_secret secret = { 0 };
		struct container_secret *to = &c->secrets.items[i];
		int r = storage_secret_find(&secret, engine->store, to->name, e);
		if (r < 0) {
			err_add(e, "--secret");
			return err_hint(e, "holm secret ls lists them");
		}
		to->id = take_ptr(&secret.id);
		mem_replace(&to->name, secret.name);
	}
	return 0;
}

/* Asked for twice, as a file and a variable, it is linked once. */
static bool is_earlier(const struct container *c, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_equal(c->secrets.items[i].id, c->secrets.items[at].id))
			return true;
	return false;
}

int engine_secret_take(struct engine *engine, const struct container *c, int folder_fd,
		       struct err *e)
{
	if (c->secrets.count == 0)
		return 0;
	if (mkdirat(folder_fd, FOLDER, 0700) < 0)
		return err_sys(e, "make the folder of the container's secrets");
	for (size_t i = 0; i < c->secrets.count; i++) {
		const struct container_secret *s = &c->secrets.items[i];
		const struct storage_secret from = { .id = s->id, .name = s->name };
		own_free char *path = mem_format(FOLDER "/%s", s->id);
		if (is_earlier(c, i))
			continue;
		int r = storage_secret_link(engine->store, &from, folder_fd, path, e);
		if (r < 0)
			return err_add(e, "--secret");
	}
	return 0;
}

/* ---- at the start ---- */

static int host_ids(uid_t *uid, gid_t *gid, const struct container *c,
		    const struct container_secret *s, struct err *e)
{
	const struct runtime_idmap *ids = &c->security.ids;
	uint32_t user = s->uid, group = s->gid;

	if (ids->uids.count && !runtime_idmap_to_host(&user, &ids->uids, s->uid))
		return err_set(e, ERR_INVALID, "uid=%u is no user of the container's", s->uid);
	if (ids->gids.count && !runtime_idmap_to_host(&group, &ids->gids, s->gid))
		return err_set(e, ERR_INVALID, "gid=%u is no group of the container's", s->gid);
	*uid = user;
	*gid = group;
	return 0;
}

static int copy(int to_fd, int folder_fd, const struct container_secret *s, struct err *e)
{
	own_clear(str_clear) struct str bytes = { 0 };
	own_free char *from = mem_format(FOLDER "/%s", s->id);

	int r = fd_read_file_at(folder_fd, from, STORAGE_SECRET_BYTES_MAX, &bytes, e);
	if (r == 0) {
		r = fd_write_all(to_fd, bytes.text, bytes.length);
		explicit_bzero(bytes.text, bytes.capacity);
		if (r < 0)
			r = err_number(e, -r, "write it");
	}
	return r;
}

static int write_one(const struct container *c, const struct container_secret *s, const char *path,
		     int folder_fd, int run_fd, struct err *e)
{
	uid_t uid = 0;
	gid_t gid = 0;

	int r = host_ids(&uid, &gid, c, s, e);
	if (r < 0)
		return r;
	own_fd int fd = path_open(run_fd, path, O_WRONLY | O_CREAT | O_EXCL, 0600, e);
	if (fd < 0)
		return fd;
	r = copy(fd, folder_fd, s, e);
	if (r == 0 && (fchown(fd, uid, gid) < 0 || fchmod(fd, s->mode) < 0))
		r = err_sys(e, "give it its owner and mode");
	return r;
}

/* Folders are root's in the container, and anybody may look. */
static int make_folder(const struct container *c, int run_fd, const char *path, struct err *e)
{
	own_fd int fd = path_make_dirs(run_fd, path, 0755, e);
	if (fd < 0)
		return fd;
	if (fchmodat(run_fd, path, 0755, 0) < 0)
		return err_sys(e, "the mode of %s", path);
	return engine_userns_give(c, fd, e) < 0 ? err_add(e, "the folder %s", path) : 0;
}

static int make_folders(const struct container *c, int run_fd, char *path, struct err *e)
{
	int r = make_folder(c, run_fd, BELOW, e);

	for (char *slash = path + strlen(BELOW "/"); r == 0 && (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		r = make_folder(c, run_fd, path, e);
		*slash = '/';
	}
	return r;
}

static int write_file(const struct container *c, size_t at, int folder_fd, int run_fd,
		      struct err *e)
{
	const struct container_secret *s = &c->secrets.items[at];
	bool below = str_starts(s->target, SPEC_SECRETS "/");
	own_free char *path = below ? mem_format(BELOW "%s", s->target + strlen(SPEC_SECRETS))
				    : mem_format(FOLDER "/%zu", at);
	int r = below ? make_folders(c, run_fd, path, e) : 0;

	return r < 0 ? r : write_one(c, s, path, folder_fd, run_fd, e);
}

int engine_secret_write(const struct container *c, int folder_fd, int run_fd, struct err *e)
{
	if (c->secrets.count && mkdirat(run_fd, FOLDER, 0700) < 0)
		return err_sys(e, "make the folder of the secrets' files");
	for (size_t i = 0; i < c->secrets.count; i++) {
		if (c->secrets.items[i].env)
			continue;
		int r = write_file(c, i, folder_fd, run_fd, e);
		if (r < 0)
			return err_add(e, "--secret %s", c->secrets.items[i].name);
	}
	return 0;
}
