/* workers.h - jobs for one registry, several at a time, each worker with a connection of its
 * own. */
#pragma once
#include <stdatomic.h>
#include <stddef.h>

struct err;
struct image_http;
struct image_registry;

/* How many at once: enough to keep two cores and a line busy, few enough for memory (a layer that
 * is unpacked needs two rings and a window, some 10 MiB) and for the disk. */
enum { IMAGE_WORKERS_AT_ONCE = 3 };

struct image_workers {
	struct image_registry *registry; /* NULL: http is NULL, too */
	size_t count;                    /* of jobs */
	/* Does job number i; runs in a thread. */
	int (*run)(void *context, size_t i, struct image_http *http, struct err *e);
	void *context;
	atomic_bool *failed; /* set by the first failure, after which no job begins */
};

/* Returns when no worker runs any more: 0, or the error of the job that failed first. */
int image_workers_run(const struct image_workers *workers, struct err *e);
