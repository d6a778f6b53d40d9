/* usage_frozen.h - the layers that containers wrote and that were frozen: to whom their bytes
 * count. They are none of the images'. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct engine;
struct engine_usage;
struct err;

/* Needs usage->rows and usage->store. Of each part how many containers name it, by their records or
 * those of their snapshots, into usage->holders; and whose bytes these are. */
int usage_frozen_read(struct engine *engine, struct engine_usage *usage, struct err *e);
