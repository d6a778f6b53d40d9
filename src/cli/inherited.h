/* inherited.h - --preserve-fds and --preserve-fd, and the sockets of a service manager, for the
 * commands that start something in a container: run, start, exec. */
#pragma once
#include <stdint.h>

struct err;
struct runtime_inherited;
struct strv;

/* The two rows of a table; OPTIONS has preserve_fds and preserve_fd. */
#define CLI_INHERITED_OPTIONS                                                                      \
	{ "preserve-fds", 0, OPTION_COUNT(preserve_fds), "N",                                      \
	  "so many descriptors of the caller's after 2 are its own, too" },                        \
	{                                                                                          \
		"preserve-fd", 0, OPTION_STRINGS(preserve_fd), "FD,...",                           \
			"these, each under its number"                                             \
	}

/* Before anything is opened. ERR_INVALID. */
int cli_inherited_find(struct runtime_inherited *ret, int64_t preserve_fds,
		       const struct strv *preserve_fd, struct err *e);
