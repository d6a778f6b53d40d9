/* parallel.h - one verb on several containers at the same time, by a process each. */
#pragma once
#include "engine/engine.h"

struct err;

typedef int engine_parallel_call(struct engine *engine, const char *name, const void *arg,
				 struct err *e);

/* Calls call for each name, at most at_once at a time (0: all), and reports each in the order of
 * the names. Returns how many failed. */
int engine_parallel(struct engine *engine, const struct strv *names, size_t at_once,
		    engine_parallel_call *call, const void *arg, engine_report *report,
		    void *report_arg);
