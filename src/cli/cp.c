/* `holm cp`: files between containers and the host. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "engine/copy.h"
#include "engine/engine.h"

struct cp_options {
	bool archive;
	bool follow_link;
	bool quiet;
};

#define OPTIONS struct cp_options
static const struct option table[] = {
	{ "archive", 'a', OPTION_FLAG(archive), NULL,
	  "what comes out of a container keeps its owners, too" },
	{ "follow-link", 'L', OPTION_FLAG(follow_link), NULL,
	  "follow SRC_PATH where it is a link" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "do not say what was copied" },
	{ 0 },
};
#undef OPTIONS

/* "web:/etc/hosts". A path with a colon in it is the host's if it begins with "/" or ".". */
static struct engine_copy_end split(const char *argument, char **container)
{
	const char *colon = strchr(argument, ':');

	if (!colon || *argument == '/' || *argument == '.')
		return (struct engine_copy_end){ NULL, argument };
	*container = mem_text_n(argument, (size_t)(colon - argument));
	return (struct engine_copy_end){ *container, colon + 1 };
}

/* On a terminal, as docker does since 23. */
static void tell(uint64_t bytes, const char *to)
{
	char size[16];

	number_format_bytes(size, bytes);
	fprintf(stderr, "Successfully copied %s to ", size);
	cli_print_clean(stderr, to);
	fputc('\n', stderr);
}

static int check_terminals(const char *from, const char *to, struct err *e)
{
	if (strcmp(to, "-") == 0 && isatty(STDOUT_FILENO)) {
		err_set(e, ERR_INVALID, "the standard output is a terminal");
		return err_hint(e, "redirect it: holm cp %s - > FILE", from);
	}
	if (strcmp(from, "-") == 0 && isatty(STDIN_FILENO)) {
		err_set(e, ERR_INVALID, "the standard input is a terminal");
		return err_hint(e, "redirect it: holm cp - %s < FILE", to);
	}
	return 0;
}

static int run_cp(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct cp_options *o = options;
	const struct engine_copy_options how = { .owners = o->archive, .follow = o->follow_link };
	own_free char *from_container = NULL;
	own_free char *to_container = NULL;
	struct engine *engine;
	uint64_t bytes = 0;

	const struct engine_copy_end from = split(args->items[0], &from_container);
	const struct engine_copy_end to = split(args->items[1], &to_container);
	int r = check_terminals(args->items[0], args->items[1], e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_copy(engine, &from, &to, &how, &bytes, e);
	bool stream = strcmp(args->items[0], "-") == 0 || strcmp(args->items[1], "-") == 0;
	if (r == 0 && !o->quiet && !stream && isatty(STDERR_FILENO))
		tell(bytes, args->items[1]);
	return r;
}

const struct cli_command cli_cp = {
	.names = "cp|container cp",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER:SRC_PATH|SRC_PATH|- CONTAINER:DEST_PATH|DEST_PATH|-",
	.summary = "Copy files between containers and the host",
	.options = table,
	.size = sizeof(struct cp_options),
	.args_min = 2,
	.args_max = 2,
	.values = "file:",
	.run = run_cp,
};
