#include "build/run_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "storage/store.h"

#define PREFIX "build-"

enum { TRIES = 10 };

static int try_make(struct build_run_folder *folder, const struct store *store, struct err *e)
{
	uint64_t number = 0;
	struct stat st;

	if (getrandom(&number, sizeof(number), 0) < 0)
		return err_sys(e, "getrandom");
	own_free char *name = mem_format(PREFIX "%016llx", (unsigned long long)number);
	if (mkdirat(store->run_fd, name, 0700) < 0)
		return err_sys(e, "make a folder for secrets");
	own_fd int fd = store_lock_folder(store->run_fd, name, LOCK_EX | LOCK_NB, e);
	if (fd < 0)
		return fd;
	/* somebody may have swept it before it had its lock */
	if (fstat(fd, &st) < 0 || !st.st_nlink)
		return err_set(e, ERR_STATE, "the folder for secrets is gone");
	folder->name = take_ptr(&name);
	folder->fd = take_fd(&fd);
	return 0;
}

int build_run_folder_make(struct build_run_folder *folder, const struct store *store, struct err *e)
{
	int r = 0;

	for (int i = 0; !folder->name && i < TRIES; i++)
		r = try_make(folder, store, e);
	return r;
}

void build_run_folder_remove(struct build_run_folder *folder, const struct store *store)
{
	struct err ignored;

	if (!folder->name)
		return;
	fd_remove_tree_at(store->run_fd, folder->name, &ignored);
	close(folder->fd);
	free(folder->name);
	*folder = (struct build_run_folder)BUILD_RUN_FOLDER_NONE;
}

static void sweep_one(const struct store *store, const char *name)
{
	struct err ignored;

	own_fd int lock = store_lock_folder(store->run_fd, name, LOCK_EX | LOCK_NB, &ignored);
	if (lock >= 0)
		fd_remove_tree_at(store->run_fd, name, &ignored);
}

void build_run_folder_sweep(const struct store *store)
{
	const struct dirent *entry;
	int fd = openat(store->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	while (dir && (entry = readdir(dir)))
		if (str_starts(entry->d_name, PREFIX))
			sweep_one(store, entry->d_name);
}
