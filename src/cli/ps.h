/* ps.h - a row of `holm ps`, for the others that list containers. */
#pragma once
#include <stdint.h>

struct engine_row;
struct json_object;

/* Docker's members: ID, Names, Image, Command, Status... The caller's (json_object_put). */
struct json_object *cli_ps_row(const struct engine_row *from, int64_t now);
