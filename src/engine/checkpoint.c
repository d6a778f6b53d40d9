#include "engine/checkpoint.h"

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
#include "base/mem.h"
#include "base/own.h"
#include "base/rename.h"
#include "base/str.h"
#include "engine/checkpoint_check.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/name.h"
#include "engine/process.h"
#include "engine/record.h"
#include "monitor/state.h"
#include "oci/runtime_spec.h"
#include "runtime/checkpoint.h"
#include "runtime/criu.h"
#include "storage/store.h"

#define FOLDER "checkpoints"
#define NEW    ".new-"

/* ---- the folders ---- */

static char *folder_path(const struct engine *engine, const char *id, const char *given)
{
	if (!given)
		return mem_format("%s/containers/%s/" FOLDER, engine->store->root, id);
	own_free char *full = realpath(given, NULL);
	return mem_text(full ? full : given);
}

static int check_name(const char *name, struct err *e)
{
	int r = engine_name_check(name, e);

	return r < 0 ? err_add(e, "checkpoint") : 0;
}

static int not_found(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no such checkpoint: %s", name);
}

/* The lock of the container that is meant; its id, too. */
static int lock_container(char id[CONTAINER_ID_LENGTH + 1], struct engine *engine,
			  const char *container, const char *name, struct err *e)
{
	int r = check_name(name, e);
	if (r == 0)
		r = engine_find(engine, container, id, e);
	return r < 0 ? r : record_lock(engine, id, true, e);
}

/* ---- storing ---- */

/* What is stored, as it is now. */
struct storing {
	struct monitor_state now;
	struct oci_spec spec;
};

static void storing_clear(struct storing *s)
{
	monitor_state_clear(&s->now);
	oci_spec_clear(&s->spec);
}

static int look(struct storing *s, const struct container *c, const struct container_state *state,
		const char *run_dir, struct err *e)
{
	if (state->status != CONTAINER_RUNNING)
		return err_set(e, ERR_STATE, "container %s is %s", c->name,
			       state->status == CONTAINER_PAUSED ? "paused" : "not running");
	own_fd int run_fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run_fd < 0)
		return err_sys(e, "open the run folder");
	int r = monitor_state_read_whole_at(&s->now, run_fd, e);
	if (r == 0)
		r = oci_spec_read_at(&s->spec, run_fd, "config.json", e);
	if (r == 0)
		r = engine_checkpoint_check(c, &s->spec, e);
	return r < 0 ? r : engine_checkpoint_check_processes(c, &s->now.container, e);
}

int engine_checkpoint_can(struct engine *engine, const struct container *c,
			  const struct container_state *state, struct err *e)
{
	own_clear(storing_clear) struct storing s = { 0 };
	own_free char *run_dir = engine_process_run_dir(engine, c->id);

	int r = look(&s, c, state, run_dir, e);
	return r < 0 ? r : runtime_criu_check(e);
}

static int run_criu(struct storing *s, const struct runtime_criu_options *criu, struct err *e)
{
	struct err ignored;

	engine_checkpoint_see_network(&s->spec, (pid_t)s->now.container.pid);
	int r = runtime_checkpoint(&s->now.container, &s->spec, criu, e);
	/* a criu that was killed in between lets nobody go on */
	if (r < 0)
		runtime_cgroup_freeze(&s->now.container.cgroup, false, &ignored);
	return r;
}

int engine_checkpoint_store(struct engine *engine, const struct container *c,
			    const struct container_state *state, const char *images,
			    bool leave_running, const struct checkpoint_stored *stored,
			    struct err *e)
{
	own_clear(storing_clear) struct storing s = { 0 };
	own_monitor_client struct monitor_client client = MONITOR_CLIENT_NONE;
	own_free char *run_dir = engine_process_run_dir(engine, c->id);
	const struct runtime_criu_options criu = {
		.image_path = (char *)images,
		.work_path = run_dir, /* the log outlives images that came to nothing */
		.network_lock = "skip",
		.service = true,
		.file_locks = true,
		.link_remap = true,
		.leave_running = leave_running,
		.stored = stored->function,
		.stored_context = stored->context,
	};

	int r = state->status == CONTAINER_RUNNING
			? engine_process_connect(engine, c->id, &client, e)
			: 0;
	if (r == 0 && client.fd >= 0)
		r = monitor_client_checkpoint(&client, e);
	if (r == 0)
		r = look(&s, c, state, run_dir, e);
	if (r == 0)
		r = run_criu(&s, &criu, e);
	if (r == 0 && !leave_running)
		r = monitor_client_checkpointed(&client, e);
	return r;
}

struct naming {
	const char *folder;
	const char *name;
};

static int exists(const char *name, struct err *e)
{
	err_set(e, ERR_EXISTS, "there is a checkpoint %s already", name);
	return err_hint(e, "holm checkpoint rm removes it");
}

static int give_name(int folder, const char *name, struct err *e)
{
	own_free char *temporary = mem_format(NEW "%s", name);

	int r = rename_new_at(folder, temporary, folder, name);
	if (r < 0)
		return r == -EEXIST ? exists(name, e) : err_number(e, -r, "name the checkpoint");
	return 0;
}

/* The name is a promise: that all of it is there. */
static int sync_and_name(void *context, struct err *e)
{
	const struct naming *n = context;

	own_fd int folder = open(n->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || syncfs(folder) < 0)
		return err_sys(e, "sync %s", n->folder);
	fault_point("checkpoint.stored");
	int r = give_name(folder, n->name, e);
	return r == 0 && fsync(folder) < 0 ? err_sys(e, "sync %s", n->folder) : r;
}

int engine_checkpoint_keep(char **images, struct engine *engine, const char *id, const char *name,
			   struct err *e)
{
	own_free char *path = folder_path(engine, id, NULL);

	own_fd int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = folder < 0 ? err_sys(e, "open %s", path) : give_name(folder, name, e);
	if (r == 0) {
		free(*images);
		*images = mem_format("%s/%s", path, name);
	}
	return r;
}

/* Of a folder that is the container's own: of one that was killed. */
static int remove_unnamed(const char *folder, struct err *e)
{
	own_dir DIR *dir = opendir(folder);
	int r = 0;

	if (!dir)
		return err_sys(e, "open the folder %s", folder);
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		if (str_starts(entry->d_name, NEW))
			r = fd_remove_tree_at(dirfd(dir), entry->d_name, e);
	return r;
}

static int prepare(char **ret, const struct naming *n, bool own, struct err *e)
{
	own_free char *images = mem_format("%s/" NEW "%s", n->folder, n->name);
	own_free char *path = mem_format("%s/%s", n->folder, n->name);

	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return exists(n->name, e);
	if (mkdir(n->folder, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the folder %s", n->folder);
	int r = own ? remove_unnamed(n->folder, e) : fd_remove_tree_at(AT_FDCWD, images, e);
	if (r == 0)
		*ret = take_ptr(&images);
	return r;
}

int engine_checkpoint_prepare(char **ret, struct engine *engine, const char *id, const char *name,
			      struct err *e)
{
	own_free char *folder = folder_path(engine, id, NULL);
	const struct naming naming = { folder, name };

	return prepare(ret, &naming, true, e);
}

static int store_as(struct engine *engine, const struct container *c,
		    const struct container_state *state, const struct naming *n,
		    const struct checkpoint_options *o, struct err *e)
{
	const struct checkpoint_stored stored = { sync_and_name, (void *)n };
	own_free char *images = NULL;
	struct err ignored;

	int r = prepare(&images, n, !o->folder, e);
	if (r < 0)
		return r;
	r = engine_checkpoint_store(engine, c, state, images, o->leave_running, &stored, e);
	if (r < 0)
		fd_remove_tree_at(AT_FDCWD, images, &ignored);
	return r;
}

int engine_checkpoint_create(struct engine *engine, const char *container, const char *name,
			     const struct checkpoint_options *o, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;

	own_fd int lock = lock_container(id, engine, container, name, e);
	if (lock < 0)
		return lock;
	int r = engine_state_read_locked(engine, id, lock, &state, e);
	if (r == 0)
		r = record_read(engine, id, &c, e);
	if (r < 0)
		return r;
	if (c.auto_remove && !o->leave_running) {
		err_set(e, ERR_STATE,
			"container %s goes when it ends (--rm), and with it what "
			"its checkpoint needs",
			c.name);
		return err_hint(e, "give --leave-running");
	}
	own_free char *folder = folder_path(engine, id, o->folder);
	const struct naming naming = { folder, name };
	r = store_as(engine, &c, &state, &naming, o, e);
	if (r == 0)
		engine_event_container(engine, &c, "checkpoint", NULL);
	return r;
}

/* ---- list, remove, find ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int engine_checkpoint_list(struct engine *engine, const char *container, const char *folder,
			   struct strv *ret, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, container, id, e);
	if (r < 0)
		return r;
	own_free char *path = folder_path(engine, id, folder);
	own_dir DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT && !folder ? 0 : err_sys(e, "list %s", path);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			strv_add(ret, entry->d_name);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), by_name);
	return 0;
}

int engine_checkpoint_remove(struct engine *engine, const char *container, const char *name,
			     const char *folder, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	own_fd int lock = lock_container(id, engine, container, name, e);
	if (lock < 0)
		return lock;
	own_free char *path = folder_path(engine, id, folder);
	own_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* half a checkpoint has no name */
	own_free char *dying = mem_format(NEW "%s", name);
	if (fd < 0 || faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? not_found(name, e) : err_sys(e, "open %s", path);
	int r = fd_remove_tree_at(fd, dying, e);
	if (r == 0 && renameat(fd, name, fd, dying) < 0)
		return err_sys(e, "remove checkpoint %s", name);
	return r < 0 ? r : fd_remove_tree_at(fd, dying, e);
}

int engine_checkpoint_find(char **ret, struct engine *engine, const char *id,
			   const struct start_options *o, struct err *e)
{
	*ret = NULL;
	if (!o->checkpoint && o->checkpoint_dir)
		return err_set(e, ERR_INVALID, "--checkpoint-dir without --checkpoint");
	if (!o->checkpoint)
		return 0;
	int r = check_name(o->checkpoint, e);
	if (r < 0)
		return r;
	own_free char *folder = folder_path(engine, id, o->checkpoint_dir);
	own_free char *path = mem_format("%s/%s", folder, o->checkpoint);
	if (access(path, F_OK) < 0)
		return errno == ENOENT ? not_found(o->checkpoint, e) : err_sys(e, "open %s", path);
	*ret = take_ptr(&path);
	return 0;
}
