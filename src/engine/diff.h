/* diff.h - what a container changed in its image. */
#pragma once
#include "storage/changes.h"

struct engine;
struct err;

/* Running or not. Places for mounts that holm itself makes do not count. The caller ends *ret with
 * storage_changes_clear(), after a failure, too. */
int engine_diff(struct engine *engine, const char *name, struct storage_changes *ret,
		struct err *e);
