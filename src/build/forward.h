/* forward.h - a unix socket that leads to another one: RUN --mount=type=ssh has the agent under an
 * owner and a mode of its own, whoever the agent's is. A child of this process does it. */
#pragma once
#include <sys/types.h>

struct err;

enum {
	BUILD_FORWARD_CONNECTIONS_MAX = 64, /* more wait */
	BUILD_FORWARD_STALL_S = 30,         /* who does not read for so long is cut off */
};

struct build_forward {
	int folder_fd;    /* where the socket is made, */
	const char *name; /* under this name */
	const char *to;   /* path of the other one */
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/* *ret is the child, which build_forward_stop() ends, or the end of this process. */
int build_forward_start(pid_t *ret, const struct build_forward *forward, struct err *e);
void build_forward_stop(pid_t child);
