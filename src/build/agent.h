/* agent.h - --ssh ID=KEY[,KEY]...: key files, for which the build starts an ssh-agent(1) of its
 * own. It ends with the build. */
#pragma once
#include <sys/types.h>

#include "base/shape.h"
#include "build/run_folder.h"

struct build;
struct err;

struct build_agents {
	struct build_run_folder folder; /* of their sockets */
	SHAPE_LIST_OF(struct build_agent {
		char *id;
		char *socket;
		pid_t pid;
		int alive_fd; /* closed, it ends */
	})
	items;
};

#define BUILD_AGENTS_NONE                                                                          \
	{                                                                                          \
		.folder = BUILD_RUN_FOLDER_NONE                                                    \
	}

/* Of those that --ssh names and that are no socket. ssh-add(1) may ask for a passphrase. */
int build_agents_start(struct build_agents *ret, const struct build *build, struct err *e);
void build_agents_end(struct build_agents *agents, const struct build *build);

/* The socket, borrowed; NULL: none of this id. */
const char *build_agents_find(const struct build_agents *agents, const char *id);
