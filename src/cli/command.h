/* command.h - what a command of `holm` is: its names, its options, and one function that makes one
 * call of the engine and prints. main.c dispatches over the table in commands.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/option.h"

struct engine;
struct err;
struct store;
struct strv;

/* What all commands share. */
struct cli {
	const struct cli_command *command;
	const char *name; /* as it was called: "image ls" */
	char *root;       /* --root, --run; NULL: not given */
	char *run;
	bool debug;
	bool misspelt; /* the options could not be read: 125 whatever the command, as in docker */
	struct engine *engine; /* once cli_command_engine() has opened it */
	struct store *store;
};

struct cli_command {
	/* "ps|container ls|container list": all names, those with a blank belong to a group; the
	 * first is the one that help lists */
	const char *names;
	const char *section;   /* of the list of commands; NULL: hidden */
	const char *arguments; /* "[OPTIONS] CONTAINER [CONTAINER...]" */
	const char *summary;
	const struct option *options; /* may be NULL */
	size_t size;                  /* of the struct they fill */
	enum option_mode mode;
	size_t args_min, args_max; /* CLI_ARGS_ANY: no upper bound */
	int which;                 /* CLI_WHICH_...: see which.h */
	const char *common;        /* the options that --help explains, "detach|rm"; NULL: all */
	const char *values;        /* what completion offers for the arguments: "container:" */
	void (*defaults)(void *options);

	bool foreground; /* its status is a container's: a failure of holm's own is 125 */

	/* options points to the filled struct. Returns the exit status, or a negative errno and e,
	 * which main() prints. */
	int (*run)(struct cli *cli, void *options, const struct strv *args, struct err *e);
};

#define CLI_ARGS_ANY ((size_t)-1)

/* All commands, in the order of the help; NULL ends it. */
extern const struct cli_command *const cli_commands[];

/* The command with this name ("ps", "image ls"), or NULL. */
const struct cli_command *cli_command_find(const char *name);

/* Does "image ls" or the like begin with this word? */
bool cli_command_is_group(const char *word);

/* The first name, without the others; the caller frees. */
char *cli_command_name(const struct cli_command *command);

/* Opened once, by the first who asks. Borrowed. */
int cli_command_engine(struct cli *cli, struct engine **ret, struct err *e);
int cli_command_store(struct cli *cli, struct store **ret, struct err *e);

/* Runs f for each argument and prints those that worked, as `holm rm a b c` does; those that
 * failed are reported at once. Returns the exit status. */
typedef int cli_command_call(struct cli *cli, const char *name, const void *options, struct err *e);
int cli_command_each(struct cli *cli, const struct strv *args, cli_command_call *f,
		     const void *options);

/* --output: no empty name, and without one (NULL) nothing for a person's terminal. to: "holm save
 * IMAGE", for the hint. */
int cli_command_output(const char *path, const char *to, struct err *e);

/* --iidfile: the id of a new image goes to this file; path NULL: to none. */
int cli_command_iidfile(const char *path, const char *id, struct err *e);

/* --os, --arch and --variant (each may be NULL) become the platform: "linux/arm64/v8". */
int cli_command_platform(char **platform, const char *os, const char *arch, const char *variant,
			 struct err *e);

/* The exit status for a failure, by Docker's convention: 126 and 127 for a command in a container
 * that cannot be executed or found; 125 for `run` and for options that are wrong; else 1. */
int cli_command_status(const struct cli *cli, const struct err *e);

/* "holm: rm web: no such container", the hint on a line of its own. Control characters are shown
 * as \xNN. target may be NULL. */
void cli_command_error(const struct cli *cli, const char *target, const struct err *e);
