/* name.h - names and ids of containers. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "engine/container.h"

struct err;

/* "web", "web.1-a": Docker's rule, [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most CONTAINER_NAME_MAX bytes.
 * A leading "/" (Docker's own spelling) is no part of a name. ERR_INVALID. */
int engine_name_check(const char *name, struct err *e);

/* 256 random bits in hex. */
void engine_id_generate(char to[CONTAINER_ID_LENGTH + 1]);

/* "calm_noether", and with a number once attempt is 1 or more: "calm_noether7". The caller
 * frees. */
char *engine_name_generate(unsigned attempt);

/* Only lower-case hex digits, 1 to CONTAINER_ID_LENGTH of them? */
bool engine_id_is_prefix(const char *text);
