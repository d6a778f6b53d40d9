#include "engine/fsck_part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "engine/record.h"
#include "engine/whole.h"
#include "monitor/state.h"
#include "storage/store.h"
#include "storage/volume.h"

/* Making a volume takes milliseconds: what is older was left by a killed command. */
enum { DEBRIS_SECONDS = 60, EXIT_CODE_KILLED = 137 };

static bool is_id(const char *name)
{
	return strlen(name) == CONTAINER_ID_LENGTH &&
	       name[strspn(name, "0123456789abcdef")] == '\0';
}

/* ---- containers ---- */

/* Out of the way, with all that it has. */
static void move_aside(const struct fsck_run *run, const char *id, const char *damage)
{
	own_free char *from = mem_format("containers/%s", id);
	own_free char *to = mem_text_n(id, 12);
	struct err e;

	if (monitor_state_alive_in(run->engine->run_fd, id) != 0) {
		fsck_say(run, ENGINE_FSCK_LEFT, damage, "it runs; check again when it has ended");
		return;
	}
	own_fd int lock = record_lock(run->engine, id, false, &e);
	if (lock < 0)
		fsck_say(run, ENGINE_FSCK_LEFT, damage, e.text);
	else
		fsck_put_aside(run, from, to, damage, ", where upper/ has what it wrote");
}

/* How it ended is lost: as one that was killed. */
static void write_exit(const struct fsck_run *run, const char *id, const struct container *c,
		       const char *damage)
{
	char created[MOMENT_TEXT_SIZE], now[MOMENT_TEXT_SIZE];
	struct err e;

	moment_format(created, c->created_ns);
	moment_format(now, moment_now_ns());
	const struct monitor_exit_record record = {
		.exit_code = EXIT_CODE_KILLED,
		.started_at = created,
		.finished_at = now,
		.error = (char *)"the record of its end was damaged",
	};
	own_fd int lock = record_lock(run->engine, id, false, &e);
	int r = lock < 0 ? lock : monitor_exit_record_reserve_at(lock, &e);
	if (r >= 0)
		r = monitor_exit_record_write_at(lock, &record, &e);
	if (r < 0)
		fsck_say(run, ENGINE_FSCK_LEFT, damage, e.text);
	else
		fsck_say(run, ENGINE_FSCK_MENDED, damage, "written anew, as one that was killed");
}

static void exit_clear(struct monitor_exit_record *record)
{
	shape_clear(&monitor_exit_record_shape, record);
}

static void check_exit(const struct fsck_run *run, const char *id, const struct container *c)
{
	own_clear(exit_clear) struct monitor_exit_record record = { 0 };
	struct err e;

	int r = monitor_exit_record_read_in(&record, run->engine->containers_fd, id, &e);
	if (r == 0 || r == -ENOENT)
		return;
	own_free char *damage = mem_format("container %s: exit.json: %s", c->name, e.text);
	if (run->check->repair)
		write_exit(run, id, c, damage);
	else
		fsck_say_found(run, damage);
}

/* A name that leads elsewhere or nowhere is fsck_names()' to remove. */
static void check_own_name(const struct fsck_run *run, const char *id, const struct container *c)
{
	char target[CONTAINER_ID_LENGTH + 1] = "";

	ssize_t length = readlinkat(run->engine->names_fd, c->name, target, sizeof(target));
	if (length == CONTAINER_ID_LENGTH && !strncmp(target, id, CONTAINER_ID_LENGTH))
		return;
	own_free char *damage =
		mem_format("container %.12s does not have its name %s", id, c->name);
	if (!run->check->repair)
		fsck_say_found(run, damage);
	else if (symlinkat(id, run->engine->names_fd, c->name) == 0)
		fsck_say(run, ENGINE_FSCK_MENDED, damage, "given back");
	else
		fsck_say(run, ENGINE_FSCK_LEFT, damage, "it is taken; holm rename gives another");
}

/* Of its folders; its layers are looked at when those of the images have been mended. */
static void check_folders(const struct fsck_run *run, const char *id, const struct container *c)
{
	own_clear(strv_clear) struct strv lacks = { 0 };
	struct err e;

	engine_whole_lacks_folders(&lacks, run->engine, c);
	if (!lacks.count)
		return;
	own_free char *damage = mem_format("container %s: %s", c->name, lacks.items[0]);
	if (!run->check->repair) {
		fsck_say_found(run, damage);
		return;
	}
	own_fd int lock = record_lock(run->engine, id, false, &e);
	int r = lock < 0 ? lock : engine_whole_make_folders(run->engine, c, lock, &e);
	if (r < 0)
		fsck_say(run, ENGINE_FSCK_LEFT, damage, e.text);
	else
		fsck_say(run, ENGINE_FSCK_MENDED, damage, "made again, empty");
}

static void check_container(const struct fsck_run *run, const char *id)
{
	own_clear(container_clear) struct container c = { 0 };
	struct err e;

	int r = record_read(run->engine, id, &c, &e);
	if (r == 0 && (!c.name || !c.id || !str_equal(c.id, id)))
		r = err_set(&e, ERR_CORRUPT, "container %.12s: its record is not its own", id);
	if (r < 0 && e.kind == ERR_NOT_FOUND)
		return; /* being made, or debris */
	if (r == 0) {
		check_exit(run, id, &c);
		check_folders(run, id, &c);
		check_own_name(run, id, &c);
	} else if (run->check->repair) {
		move_aside(run, id, e.text);
	} else {
		fsck_say_found(run, e.text);
	}
}

int fsck_containers(const struct fsck_run *run, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };

	int r = fsck_list_names(run->engine->store->root_fd, "containers", &names, e);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		if (is_id(names.items[i]))
			check_container(run, names.items[i]);
	return r;
}

/* ---- names ---- */

static bool leads_to_container(const struct fsck_run *run, const char *name)
{
	own_clear(container_clear) struct container c = { 0 };
	char id[CONTAINER_ID_LENGTH + 1] = "";
	struct err e;

	ssize_t length = readlinkat(run->engine->names_fd, name, id, sizeof(id));
	if (length != CONTAINER_ID_LENGTH)
		return false;
	id[length] = '\0';
	if (!is_id(id))
		return false;
	/* one that is just being made has no record yet, and its folder is locked */
	int r = record_read(run->engine, id, &c, &e);
	if (r < 0)
		return faccessat(run->engine->containers_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return str_equal(c.name, name);
}

int fsck_names(const struct fsck_run *run, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	struct err why;

	int r = fsck_list_names(run->engine->store->root_fd, "names", &names, e);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (leads_to_container(run, names.items[i]))
			continue;
		own_free char *damage =
			mem_format("the name %s leads to no container", names.items[i]);
		if (!run->check->repair)
			fsck_say_found(run, damage);
		else if (fd_remove_tree_at(run->engine->names_fd, names.items[i], &why) == 0)
			fsck_say(run, ENGINE_FSCK_MENDED, damage, "removed");
		else
			fsck_say(run, ENGINE_FSCK_LEFT, damage, why.text);
	}
	return r;
}

/* ---- volumes ---- */

/* Its labels and options are lost; its files are what counts. */
static void check_volume(const struct fsck_run *run, const char *name)
{
	own_clear(storage_volume_clear) struct storage_volume volume = { 0 };
	const struct store *store = run->engine->store;
	struct err e;

	if (storage_volume_check_name(name, &e) < 0)
		return;
	int r = storage_volume_read(&volume, store, name, &e);
	own_fd int data = r < 0 ? -1 : storage_volume_open(store, name, &e);
	if (r == 0 && data >= 0)
		return;
	own_free char *damage = mem_format("volume %s: %s", name,
					   r == 0                    ? "its folder data is missing"
					   : e.kind == ERR_NOT_FOUND ? "volume.json is missing"
								     : e.text);
	if (!run->check->repair)
		fsck_say_found(run, damage);
	else if (storage_volume_mend(store, name, &e) == 0)
		fsck_say(run, ENGINE_FSCK_MENDED, damage,
			 r == 0 ? "made again, empty" : "written anew; its labels are lost");
	else
		fsck_say(run, ENGINE_FSCK_LEFT, damage, e.text);
}

int fsck_volumes(const struct fsck_run *run, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };

	int r = fsck_list_names(run->engine->store->root_fd, "volumes", &names, e);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		check_volume(run, names.items[i]);
	return r;
}

/* ---- debris ---- */

static bool is_old(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       time(NULL) - st.st_mtime > DEBRIS_SECONDS;
}

/* Who works in a folder holds its lock. */
static bool is_free(int dir_fd, const char *name)
{
	own_fd int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static bool is_debris(const struct fsck_run *run, int dir_fd, const char *folder, const char *name)
{
	own_free char *record = mem_format("%s/config.json", name);

	if (strcmp(folder, "volumes") == 0)
		return *name == '.' && is_old(dir_fd, name);
	if (*name == '.')
		return is_free(dir_fd, name);
	return strcmp(folder, "containers") == 0 && is_id(name) &&
	       faccessat(run->engine->containers_fd, record, F_OK, 0) < 0 && errno == ENOENT &&
	       is_free(dir_fd, name);
}

static int clear_debris(const struct fsck_run *run, const char *folder, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	struct err why;

	own_fd int fd =
		openat(run->engine->store->root_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? err_sys(e, "open %s", folder)
		       : fsck_list_names(run->engine->store->root_fd, folder, &names, e);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		const char *name = names.items[i];
		if (!is_debris(run, fd, folder, name))
			continue;
		own_free char *damage =
			mem_format("%s/%s was left by a killed command", folder, name);
		if (!run->check->repair)
			fsck_say_found(run, damage);
		else if (fd_remove_tree_at(fd, name, &why) == 0)
			fsck_say(run, ENGINE_FSCK_MENDED, damage, "removed");
		else
			fsck_say(run, ENGINE_FSCK_LEFT, damage, why.text);
	}
	return r;
}

int fsck_debris(const struct fsck_run *run, struct err *e)
{
	static const char *const folders[] = { "layers", "containers", "volumes" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < COUNT_OF(folders); i++)
		r = clear_debris(run, folders[i], e);
	return r;
}
