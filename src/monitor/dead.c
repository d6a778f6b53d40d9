#include "monitor/dead.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "monitor/after.h"
#include "monitor/config.h"

enum { CONTAINER_RECORD_MAX = 4 << 20 };

static int open_folder(const char *root, const char *name)
{
	own_free char *path = mem_format("%s/%s", root, name);

	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void remove_tree(int folder, const char *name)
{
	struct err e;

	if (fd_remove_tree_at(folder, name, &e) < 0)
		log_warning("%s", e.text);
}

/* name becomes .dead-name; debris of an earlier one is in the way at most once. */
static int rename_dead(int folder, const char *name)
{
	own_free char *dead = mem_format(".dead-%s", name);

	if (renameat(folder, name, folder, dead) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	remove_tree(folder, dead);
	return renameat(folder, name, folder, dead) < 0 ? -errno : 0;
}

/* ---- the durable folder ---- */

static bool names_this(int names, const struct monitor_config *config)
{
	char target[256];

	ssize_t n = readlinkat(names, config->name, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strcmp(target, config->id) == 0;
}

bool monitor_dead_rename_container(const char *root, const struct monitor_config *config)
{
	own_fd int containers = open_folder(root, "containers");
	own_fd int names = open_folder(root, "names");

	if (containers < 0)
		return false;
	int r = rename_dead(containers, config->id);
	if (r < 0 && r != -ENOENT)
		log_warning("remove container %s: %s", config->id, strerrordesc_np(-r));
	if (r < 0 && r != -ENOENT)
		return false;
	/* also where one that was killed had got as far as this */
	if (names >= 0 && config->name && names_this(names, config))
		unlinkat(names, config->name, 0);
	return r == 0;
}

/* Does a record other than the dead one speak of this volume? Its name is 64 random digits. */
static bool is_used(int containers, const char *volume)
{
	own_fd int copy = fcntl(containers, F_DUPFD_CLOEXEC, 0);
	own_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	struct err e;

	if (!dir)
		return true;
	take_fd(&copy);
	rewinddir(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		own_free char *path = mem_format("%s/config.json", entry->d_name);
		own_clear(str_clear) struct str text = { 0 };
		if (fd_read_file_at(containers, path, CONTAINER_RECORD_MAX, &text, &e) == 0 &&
		    text.text && strstr(text.text, volume))
			return true;
	}
	return false;
}

void monitor_dead_remove_container(const char *root, const struct monitor_config *config)
{
	own_fd int containers = open_folder(root, "containers");
	own_fd int volumes = open_folder(root, "volumes");
	own_free char *dead = mem_format(".dead-%s", config->id);

	if (containers < 0)
		return;
	for (size_t i = 0; volumes >= 0 && i < config->volumes.count; i++)
		if (!is_used(containers, config->volumes.items[i]))
			remove_tree(volumes, config->volumes.items[i]);
	remove_tree(containers, dead);
}

/* ---- the run folder ---- */

/* The folder's own path, the caller's; NULL: it has none. */
static char *parent_of(const char *run_path, const char **ret_name)
{
	const char *slash = strrchr(run_path, '/');

	if (!slash || slash == run_path || !slash[1])
		return NULL;
	*ret_name = slash + 1;
	return mem_text_n(run_path, (size_t)(slash - run_path));
}

static int open_parent(const char *run_path, const char **ret_name)
{
	own_free char *parent = parent_of(run_path, ret_name);

	return parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EINVAL;
}

void monitor_dead_remove_names(const char *run_path)
{
	const char *id;

	own_fd int parent = open_parent(run_path, &id);
	if (parent < 0)
		return;
	int fd = openat(parent, "../names", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		own_free char *names = mem_format("%s/%s", entry->d_name, id);
		own_free char *alive = mem_format("%s.alive", names);
		if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), names, 0) == 0)
			unlinkat(dirfd(dir), alive, 0);
	}
}

void monitor_dead_rename_run_dir(const char *run_path)
{
	const char *name;

	own_fd int parent = open_parent(run_path, &name);
	if (parent >= 0)
		rename_dead(parent, name);
}

void monitor_dead_remove_run_dir(const char *run_path)
{
	const char *name;

	own_free char *path = parent_of(run_path, &name);
	own_fd int parent = open_parent(run_path, &name);
	if (parent < 0)
		return;
	own_free char *dead = mem_format(".dead-%s", name);
	monitor_after_run(parent, path, dead);
	remove_tree(parent, dead);
}
