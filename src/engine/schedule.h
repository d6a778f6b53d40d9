/* schedule.h - snapshots that are taken by themselves: schedule.json in a container's folder says
 * how often and how long they are kept. Nobody waits for the time: `holm snapshot run-due`, called
 * by cron(8) or a timer, does what is due. */
#pragma once
#include "engine/engine.h"

struct engine;
struct err;

struct schedule {
	char *every;  /* "6h", "1d"; NULL: there is none */
	char *expiry; /* "2w"; NULL: they stay */
};
void schedule_clear(struct schedule *schedule);

/* every NULL takes it away. ERR_INVALID. */
int engine_schedule_set(struct engine *engine, const char *container,
			const struct schedule *schedule, struct err *e);
int engine_schedule_read(struct engine *engine, const char *container, struct schedule *ret,
			 struct err *e);

/* Of all containers: removes the snapshots that have expired, and takes those that are due; report
 * is called with "web auto3" for each. Returns how many failed. */
int engine_schedule_run(struct engine *engine, engine_report *report, void *arg, struct err *e);
