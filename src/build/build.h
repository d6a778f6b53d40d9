/* build.h - `holm build`: an image from a Dockerfile and a context. A step is a layer: its
 * container writes to a folder of the store, which keeps it as the layer when the build ends.
 *
 *	file.h, word.h	the language		stage.h		which stages, in which order
 *	context.h	where files come from	state.h		an image in the making
 *	step.h		one instruction		cache.h		steps that were done before
 *	publish.h	folders become layers, and the image	target.h	for which platforms
 *
 * decision 0036 says why. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"
#include "image/progress.h"

struct engine;
struct engine_session;
struct err;

struct build_options {
	char *file; /* -f; "-": standard input */
	struct strv tag;
	struct strv build_arg;
	struct strv label;
	struct strv annotation;
	struct strv build_context; /* NAME=folder or NAME=docker-image://REFERENCE */
	struct strv secret;        /* id=ID[,src=FILE|,env=NAME] */
	struct strv ssh;           /* ID[=SOCKET|KEY[,KEY]...] */
	char *target;
	char *platform;
	char *iidfile;
	char *timestamp;
	char *progress;
	char *metadata_file;
	struct strv output;
	struct strv cache_from; /* cache_option.h */
	struct strv cache_to;
	bool debug_shell;
	bool no_cache;
	bool pull;
	bool push; /* --output type=registry */
	bool load; /* --output type=docker */
	bool quiet;
	bool squash;
	bool squash_all;
	char *squash_from; /* a line of the history, or a stage */
	/* of RUN's containers */
	char *network;
	struct strv add_host;
	struct strv ulimit;
	struct strv security_opt;
	struct strv allow; /* allow.h */
	char *memory;
	char *memory_swap;
	char *cpu_shares;
	char *cpu_period;
	char *cpu_quota;
	char *cpuset_cpus;
	char *cpuset_mems;
	char *shm_size;
	char *cgroup_parent;
	/* What connects the terminal to a session, for --debug-shell. */
	int (*attach)(struct engine_session *session, struct err *e);
};

/* context: a folder, "-" for a tar or a Dockerfile on standard input. *ret_id is the image's; of
 * several platforms the digest of the index. What people see goes to standard error. */
int build_image(struct engine *engine, const struct build_options *o, const char *context,
		char ret_id[IMAGE_DIGEST_SIZE], struct err *e);
