/* run_folder.h - a folder of a build in the run folder, a tmpfs: secrets and sockets. It is locked
 * (flock) by who made it; one that nobody locks is of a build that was killed. */
#pragma once

struct err;
struct store;

struct build_run_folder {
	char *name; /* in store->run; NULL: there is none */
	int fd;     /* of it, and the lock */
};

#define BUILD_RUN_FOLDER_NONE                                                                      \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Makes it unless it is there. The caller removes it. */
int build_run_folder_make(struct build_run_folder *folder, const struct store *store,
			  struct err *e);
void build_run_folder_remove(struct build_run_folder *folder, const struct store *store);

/* Those of builds that were killed. */
void build_run_folder_sweep(const struct store *store);
