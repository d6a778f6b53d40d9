/* row.h - a container as state and list print it: the specification's state and, as runc has them,
 * rootfs, created and owner. */
#pragma once
#include "base/json.h"
#include "runtime_cli/record.h"

/* The caller's (json_object_put). */
struct json_object *runtime_cli_row(const struct runtime_cli_record *record);

/* The owner's name, or the number where it has none; the caller frees. */
char *runtime_cli_row_owner(const struct runtime_cli_record *record);
