/* select.h - one container by its id, or all whose ids match an extended regular expression, as
 * crun's kill and delete take with --regex. */
#pragma once
#include <stdbool.h>

struct err;
struct runtime_cli;

typedef int runtime_cli_call(struct runtime_cli *cli, const char *id, const void *context,
			     struct err *e);

/* The first failure is the one that counts; the others are logged, and all are tried. */
int runtime_cli_select(struct runtime_cli *cli, const char *id, bool regex, runtime_cli_call *call,
		       const void *context, struct err *e);
