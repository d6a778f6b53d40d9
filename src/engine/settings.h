/* settings.h - what a container has of each key of `holm set`, as it would be typed. */
#pragma once

struct container;
struct engine;
struct err;
struct shape_map;

/* In the order of the table; set to what is shown, nothing changes. The caller clears *ret.
 * ERR_NOT_FOUND. */
int engine_settings(struct engine *engine, const char *name, struct shape_map *ret, struct err *e);
void engine_settings_of(struct shape_map *to, const struct container *c);
