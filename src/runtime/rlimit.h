/* rlimit.h - resource limits by their names, getrlimit(2), runtime-spec config.md#posix-process
 * ("RLIMIT_NOFILE"). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;

/* "RLIMIT_NOFILE", "nofile" (as docker --ulimit spells it), any case. ERR_INVALID. */
int runtime_rlimit_parse(int *ret, const char *name, struct err *e);

/* "RLIMIT_NOFILE", or NULL. */
const char *runtime_rlimit_name(int resource);

/* Lowers *hard (and *soft with it) to what this process may set: its own hard limit, if it lacks
 * CAP_SYS_RESOURCE. Returns whether it lowered them: the caller then warns. For defaults only;
 * what the user asked for is given to apply as it is. UINT64_MAX is "unlimited". */
bool runtime_rlimit_clamp(int resource, uint64_t *soft, uint64_t *hard);

/* Sets one limit on the calling process; ERR_PERMISSION with a hint when hard is above its own
 * and it lacks CAP_SYS_RESOURCE, ERR_INVALID when soft > hard. */
int runtime_rlimit_apply_in_child(const char *name, uint64_t soft, uint64_t hard, struct err *e);
