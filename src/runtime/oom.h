/* oom.h - a descriptor that tells when the kernel killed for want of memory. v1: an eventfd on
 * memory.oom_control (Documentation/admin-guide/cgroup-v1/memory.rst, 10); v2: inotify on
 * memory.events (cgroup-v2.rst, "memory.events"). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;
struct runtime_cgroup;

struct runtime_oom {
	int fd; /* poll(2) for POLLIN, then runtime_oom_read() */
	int folder;
	bool v2;
	uint64_t seen;
};
#define RUNTIME_OOM_INIT                                                                           \
	{                                                                                          \
		.fd = -1, .folder = -1                                                             \
	}

/* The caller ends *ret with runtime_oom_close(). ERR_UNSUPPORTED: the cgroup has no memory
 * controller. */
int runtime_oom_open(struct runtime_oom *ret, const struct runtime_cgroup *cgroup, struct err *e);
void runtime_oom_close(struct runtime_oom *oom);

/* Sets *ret to how often it was so since the last call. -ENODEV without a sentence: nothing more
 * will come, because the cgroup is gone or (v2) empty; *ret is set all the same. */
int runtime_oom_read(struct runtime_oom *oom, uint64_t *ret);
