/* foreign.h - `holm import --from lxc|nspawn`: containers with their configuration. */
#pragma once
#include <stdbool.h>

struct cli;
struct err;
struct foreign_kind;
struct strv;

/* args: names, and a folder, which has a slash in it, in the place of where that kind lies. Without
 * names all that are there. One that cannot be taken is told of, the others are taken; then it
 * fails at the end. */
int cli_foreign_import(struct cli *cli, const struct foreign_kind *kind, const struct strv *args,
		       bool dry_run, struct err *e);
