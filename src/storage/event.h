/* event.h - what has happened to containers, images and volumes: the journal $run/events, written
 * by whoever does the thing, read by `holm events`. A line is one JSON object and one write(2) in
 * append mode, so that no lock is needed: {"Type":"container","Action":"start","Actor":{"ID":
 * "...","Attributes":{...}},"timeNano":...}. These are the names of Docker's events, whose other
 * members follow from them.
 *
 * A file that has grown beyond EVENT_FILE_BYTES becomes events.1, in the place of the one before:
 * the folder is a tmpfs, and history ends there, as Docker's ends after 256 events. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"

struct err;

enum {
	EVENT_FILE_BYTES = 1 << 20,
	EVENT_LINE_BYTES = 16 << 10, /* of a longer one the longest attributes are left out */
};

struct storage_event {
	char *type;   /* "container", "image", "volume" */
	char *action; /* "start", "exec_create: sh -c date", "health_status: healthy" */
	char *id;     /* of a volume its name */
	struct shape_map attributes;
	int64_t time_ns; /* 0: now, when it is written */
};

void storage_event_clear(struct storage_event *event);

/* Appends it to the journal in the run folder. It cannot fail: what it tells of has happened. On a
 * full tmpfs it is lost, with a line of debug output. Sorts the attributes. */
void storage_event_write(int run_fd, struct storage_event *event);

/* The same from its parts. more: pairs of texts, key and value, ended by NULL. */
void storage_event_write_parts(int run_fd, const char *type, const char *action, const char *id,
			       const struct shape_map *attributes, va_list more);

/* One line, with or without its newline, into the zeroed *ret. Of a line that begins with what a
 * full disk left of another the last event counts. ERR_CORRUPT. */
int storage_event_parse(struct storage_event *ret, const char *line, size_t length, struct err *e);

/* Was there this action of the container since then? */
bool storage_event_happened(int run_fd, const char *action, const char *id, int64_t since_ns);
