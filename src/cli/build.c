/* `holm build`: an image from a Dockerfile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "build/build.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/foreground.h"
#include "cli/relay.h"
#include "engine/engine.h"
#include "storage/gc.h"
#include "storage/steps.h"

#define OPTIONS struct build_options
static const struct option table[] = {
	OPTION_HEADING("Building"),
	{ "add-host", 0, OPTION_STRINGS(add_host), "HOST:IP", "a line for /etc/hosts of RUN" },
	{ "allow", 0, OPTION_STRINGS(allow), "RIGHT",
	  "for RUN --security=insecure: security.insecure; for RUN --network=host: network.host",
	  "network.host|security.insecure" },
	{ "annotation", 0, OPTION_STRINGS(annotation), "KEY=VALUE", "of the image's manifest" },
	{ "build-arg", 0, OPTION_STRINGS(build_arg), "NAME[=VALUE]",
	  "value of an ARG; without one that of the environment" },
	{ "build-context", 0, OPTION_STRINGS(build_context), "NAME=FOLDER",
	  "another context, for --from=NAME; or NAME=docker-image://IMAGE, also for FROM NAME" },
	{ "cache-from", 0, OPTION_STRINGS(cache_from), "IMAGE|type=TYPE,...",
	  "use another cache: type=registry,ref=NAME or type=local,src=FOLDER" },
	{ "cache-to", 0, OPTION_STRINGS(cache_to), "type=TYPE,...",
	  "write a cache: type=registry,ref=NAME, type=local,dest=FOLDER or type=inline" },
	{ "cgroup-parent", 0, OPTION_STRING(cgroup_parent), "CGROUP",
	  "the cgroup above those of RUN" },
	{ "cpu-period", 0, OPTION_STRING(cpu_period), "US", "of RUN: the period of its quota" },
	{ "cpu-quota", 0, OPTION_STRING(cpu_quota), "US", "of RUN: so much of each period" },
	{ "cpu-shares", 'c', OPTION_STRING(cpu_shares), "N", "of RUN: its weight beside others" },
	{ "cpuset-cpus", 0, OPTION_STRING(cpuset_cpus), "LIST", "of RUN: on these CPUs" },
	{ "cpuset-mems", 0, OPTION_STRING(cpuset_mems), "LIST", "of RUN: from these nodes" },
	{ "debug-shell", 0, OPTION_FLAG(debug_shell), NULL,
	  "when a RUN fails, a shell in the state before it" },
	{ "file", 'f', OPTION_STRING(file), "FILE",
	  "the Dockerfile; - for standard input (default: Dockerfile in the context)", "file:" },
	{ "iidfile", 0, OPTION_STRING(iidfile), "FILE", "write the image's id to this file",
	  "file:" },
	{ "label", 0, OPTION_STRINGS(label), "KEY=VALUE", "of the image" },
	{ "load", 0, OPTION_FLAG(load), NULL, "also into this store: --output type=docker" },
	{ "memory", 'm', OPTION_STRING(memory), "SIZE", "of RUN: at most so much memory" },
	{ "memory-swap", 0, OPTION_STRING(memory_swap), "SIZE", "of RUN: memory and swap" },
	{ "metadata-file", 0, OPTION_STRING(metadata_file), "FILE",
	  "write digests and names to this file, as JSON", "file:" },
	{ "network", 0, OPTION_STRING(network), "NETWORK", "of RUN: default, none, host",
	  "default|none|host" },
	{ "no-cache", 0, OPTION_FLAG(no_cache), NULL, "do every step again" },
	{ "output", 'o', OPTION_STRINGS(output), "FOLDER|type=TYPE,dest=PATH",
	  "the result's files in a folder; or type local, tar, oci, docker, image, registry" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH[,...]",
	  "for what the image is; several make an index" },
	{ "progress", 0, OPTION_STRING(progress), "KIND",
	  "how it is shown: auto, plain, tty, json, quiet",
	  "auto|plain|tty|json|rawjson|quiet|none" },
	{ "pull", 0, OPTION_FLAG(pull), NULL, "look for newer images, also where some are here" },
	{ "push", 0, OPTION_FLAG(push), NULL, "and push it: --output type=registry" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print nothing but the image's id" },
	{ "security-opt", 0, OPTION_STRINGS(security_opt), "OPTION", "of RUN, as of run" },
	{ "secret", 0, OPTION_STRINGS(secret), "id=ID[,src=FILE|env=NAME]",
	  "for RUN --mount=type=secret" },
	{ "shm-size", 0, OPTION_STRING(shm_size), "SIZE", "of RUN: size of /dev/shm" },
	{ "squash", 0, OPTION_FLAG(squash), NULL, "the layers of all steps become one" },
	{ "squash-all", 0, OPTION_FLAG(squash_all), NULL, "those of the base image, too" },
	{ "squash-from", 0, OPTION_STRING(squash_from), "STEP",
	  "what is above this line of the history, or above this stage" },
	{ "ssh", 0, OPTION_STRINGS(ssh), "ID[=SOCKET|KEY]",
	  "an agent, or key files, for RUN --mount=type=ssh: default, or another id" },
	{ "tag", 't', OPTION_STRINGS(tag), "NAME[:TAG]", "a name for the image" },
	{ "target", 0, OPTION_STRING(target), "STAGE", "build this stage, not the last one" },
	{ "timestamp", 0, OPTION_STRING(timestamp), "SECONDS",
	  "time of all files, and of the image (default: $SOURCE_DATE_EPOCH, else the base's)" },
	{ "ulimit", 0, OPTION_STRINGS(ulimit), "NAME=SOFT[:HARD]", "of RUN" },
	{ 0 },
};
#undef OPTIONS

/* NAME alone has the caller's value, and without one it was not given. */
static void take_environment(struct strv *args)
{
	for (size_t i = args->count; i-- > 0;) {
		const char *value;
		if (strchr(args->items[i], '='))
			continue;
		if (!*args->items[i]) /* for build_given_check() to refuse */
			continue;
		value = getenv(args->items[i]);
		own_free char *name = mem_text(args->items[i]);
		strv_remove(args, i);
		if (value)
			strv_addf(args, "%s=%s", name, value);
	}
}

static int attach(struct engine_session *session, struct err *e)
{
	const struct cli_relay_options relay = {
		.input = true, .output = true, .error = true, .owner = true
	};

	return cli_foreground(session, &relay, "the shell", e);
}

static int run_build(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct build_options *o = options;
	char id[IMAGE_DIGEST_SIZE];
	struct engine *engine;

	take_environment(&o->build_arg);
	if (o->push)
		strv_add(&o->output, "type=registry");
	if (o->load)
		strv_add(&o->output, "type=docker");
	if (o->debug_shell && (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)))
		return err_set(e, ERR_INVALID, "--debug-shell: this is no terminal");
	o->attach = attach;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = build_image(engine, o, args->items[0], id, e);
	if (r < 0)
		return r;
	if (o->quiet)
		puts(id);
	return cli_command_iidfile(o->iidfile, id, e);
}

const struct cli_command cli_build = {
	.names = "build|image build|builder build|buildx build",
	.section = "Images",
	.arguments = "[OPTIONS] CONTEXT",
	.summary = "Build an image from a Dockerfile",
	.options = table,
	.size = sizeof(struct build_options),
	.args_min = 1,
	.args_max = 1,
	.common = "build-arg|cache-from|cache-to|file|network|no-cache|output|platform|progress|"
		  "pull|quiet|secret|ssh|tag|target",
	.values = "folder:",
	.run = run_build,
};

/* ---- builder prune ---- */

struct prune_options {
	bool all;
	bool force;
};

#define OPTIONS struct prune_options
static const struct option prune_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "also what RUN --mount=type=cache has" },
	{ "force", 'f', OPTION_FLAG(force), NULL, "do not ask" },
	{ 0 },
};
#undef OPTIONS

static int run_prune(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct prune_options *o = options;
	struct gc_result result;
	struct store *store;
	uint64_t bytes = 0;
	char size[16];

	(void)args;
	if (!o->force && !cli_confirm(o->all ? "This removes all steps of builds, and their caches."
					     : "This removes all steps of builds."))
		return 0;
	int r = cli_command_store(cli, &store, e);
	if (r == 0)
		r = storage_steps_clear(store, o->all, &bytes, e);
	if (r == 0)
		r = storage_gc(store, false, false, &result, e);
	if (r < 0)
		return r;
	number_format_bytes(size, bytes + result.bytes);
	printf("Total:\t%s\n", size);
	return 0;
}

const struct cli_command cli_build_prune = {
	.names = "builder prune|buildx prune",
	.section = "Images",
	.arguments = "[OPTIONS]",
	.summary = "Forget the steps that builds have done",
	.options = prune_table,
	.size = sizeof(struct prune_options),
	.run = run_prune,
};
