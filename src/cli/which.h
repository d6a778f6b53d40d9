/* which.h - options that say which containers a verb is for, beside names: podman's --latest,
 * --all, --running, --filter, --cidfile and --ignore. A command says in its row which of them it
 * has (command.h); they follow its own options, and main.c makes arguments of them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/strv.h"

struct cli;
struct cli_command;
struct err;
struct option;

enum {
	CLI_WHICH_LATEST = 1,
	CLI_WHICH_ALL = 2,     /* of those that the command's values say: "container:running" */
	CLI_WHICH_RUNNING = 4, /* those that run, where that is not what --all means */
	CLI_WHICH_FILTER = 8,
	CLI_WHICH_CIDFILE = 16,
	CLI_WHICH_IGNORE = 32,
	CLI_WHICH_MANY = CLI_WHICH_LATEST | CLI_WHICH_ALL | CLI_WHICH_FILTER | CLI_WHICH_CIDFILE,
};

struct cli_which {
	bool latest, all, running, ignore;
	struct strv filter, cidfile;
};

/* The command's own options and these, for a struct of the size that cli_which_size() says. A
 * letter that the command has for something else is the command's. The caller frees. */
struct option *cli_which_table(const struct cli_command *command);
size_t cli_which_size(const struct cli_command *command);

/* Makes arguments of what was said: the last container goes in front of them, the others behind.
 * Returns 1 if it was said, and then there may be no argument. */
int cli_which_add(struct cli *cli, const void *options, struct strv *args, struct err *e);
