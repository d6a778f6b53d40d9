/* stdio.h - the pipes between a container without a terminal and its monitor. */
#pragma once
#include <stdbool.h>

struct err;

struct monitor_stdio {
	int ours[3];   /* we write [0] and read [1], [2] */
	int theirs[3]; /* -1: /dev/null */
};
#define MONITOR_STDIO_INIT                                                                         \
	{                                                                                          \
		{ -1, -1, -1 },                                                                    \
		{                                                                                  \
			-1, -1, -1                                                                 \
		}                                                                                  \
	}

int monitor_stdio_open(struct monitor_stdio *ret, bool with_input, struct err *e);
void monitor_stdio_close(struct monitor_stdio *stdio);
