/* `holm commit`: a new image of what a container wrote. */
#include <stdio.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/commit.h"
#include "engine/engine.h"

struct cli_commit {
	struct commit_options commit;
	char *iidfile;
};

#define OPTIONS struct cli_commit
static const struct option table[] = {
	{ "author", 'a', OPTION_STRING(commit.author), "NAME", "who made it, for its history" },
	{ "change", 'c', OPTION_STRINGS(commit.change), "INSTRUCTION",
	  "a Containerfile's CMD, ENV, EXPOSE, USER... for the image" },
	{ "format", 'f', OPTION_STRING(commit.format), "FORMAT",
	  "whose types the image has: oci (if nothing is said) or docker", "oci|docker" },
	{ "iidfile", 0, OPTION_STRING(iidfile), "FILE", "write the image's id to this file",
	  "file:" },
	{ "message", 'm', OPTION_STRING(commit.message), "TEXT", "a comment, for its history" },
	{ "pause", 'p', OPTION_TOGGLE(commit.pause), NULL,
	  "a running container stands still meanwhile (if nothing is said)" },
	{ "squash", 's', OPTION_FLAG(commit.squash), NULL,
	  "all files as one layer, instead of one more on those of its image" },
	{ 0 },
};
#undef OPTIONS

static int run_commit(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct cli_commit *o = options;
	char id[IMAGE_DIGEST_SIZE];
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_commit(engine, args->items[0], args->count > 1 ? args->items[1] : NULL,
				  &o->commit, id, e);
	if (r < 0)
		return r;
	puts(id);
	return cli_command_iidfile(o->iidfile, id, e);
}

const struct cli_command cli_commit = {
	.names = "commit|container commit",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [NAME[:TAG]]",
	.summary = "Make an image of what a container wrote",
	.options = table,
	.size = sizeof(struct cli_commit),
	.args_min = 1,
	.args_max = 2,
	.values = "container:",
	.run = run_commit,
};
