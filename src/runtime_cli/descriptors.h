/* descriptors.h - those of the caller's, from 3 on, that a container's process keeps: first the
 * sockets that a service manager handed over (LISTEN_FDS), then as many as --preserve-fds says. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { RUNTIME_CLI_DESCRIPTORS_MAX = 1024 };

struct runtime_cli_descriptors {
	int items[RUNTIME_CLI_DESCRIPTORS_MAX];
	size_t count;
	size_t listen; /* how many of them, the first, are LISTEN_FDS */
};

/* listen: those of the service manager count. ERR_INVALID names one that is not open. */
int runtime_cli_descriptors_find(struct runtime_cli_descriptors *ret, int64_t preserve, bool listen,
				 struct err *e);
