/* events.h - what has happened and what happens, for `holm events`: the journal of storage/event.h
 * through Docker's filters. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"

struct engine;
struct err;
struct json_object;
struct storage_event;

struct events_options {
	int64_t since_ns; /* from then on; 0: with until_ns from the beginning, else from now on */
	int64_t until_ns; /* up to then, waiting for it; 0: for ever */
	bool past;        /* only what is in the journal already: nothing is waited for */
	struct strv filter; /* "type=container", "event=die", "container=web", "label=a=b"... */
};

/* Returning less than 0 ends it. */
typedef int engine_events_report(void *arg, const struct storage_event *event, struct err *e);

/* Reports each event that fits, in the order of the journal. ERR_INVALID for a filter that is
 * none. Values of one key are alternatives (labels: all must fit), different keys must all fit. */
int engine_events(struct engine *engine, const struct events_options *o,
		  engine_events_report *report, void *arg, struct err *e);

/* Docker's JSON of an event; the caller's (json_object_put). */
struct json_object *engine_events_json(const struct storage_event *event);
