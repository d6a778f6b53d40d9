/* autostart.h - at boot starts the containers that are to run, at shutdown stops those that do:
 * once, for whatever init system. By --autostart; where that says nothing, by the restart policy as
 * Docker's daemon does: always, and unless-stopped where nobody stopped it.
 *
 * A container comes behind those it needs (--requires, --volumes-from, and container:NAME of a
 * namespace) and behind those of a lower order; what is independent is started at the same time. At
 * shutdown all of it is the other way round. */
#pragma once
#include "engine/engine.h"

struct err;

/* Of these groups alone, if any are named. Behind one that has a delay, the next ones wait. Reports
 * each that was started, or could not be. Returns how many failed, or fails. */
int engine_autostart(struct engine *engine, const struct strv *groups, engine_report *report,
		     void *arg, struct err *e);

/* Stops all that run. It is not taken for a person's stop: the next boot finds them to be started.
 * timeout_s: what runs after so long gets SIGKILL, whatever its own time; -1: that counts. */
int engine_autostart_stop(struct engine *engine, const struct strv *groups, int64_t timeout_s,
			  engine_report *report, void *arg, struct err *e);
