/* event_reader.h - reads the journal of events (event.h) from its beginning on, and follows it
 * through rotations. */
#pragma once
#include "base/own.h"

struct err;
struct storage_event;
struct storage_event_reader;

#define EVENT_FILE     "events"
#define EVENT_FILE_OLD "events.1"

/* A journal that is not there yet is an empty one. run_fd, the run folder, is duplicated. */
int storage_event_reader_open(struct storage_event_reader **ret, int run_fd, struct err *e);
void storage_event_reader_close(struct storage_event_reader *reader);
OWN_DEFINE(storage_event_reader_close, struct storage_event_reader *)

/* The next event: 1 (borrowed until the next call), or 0: there is none now. What is no event is
 * passed over. */
int storage_event_reader_next(struct storage_event_reader *reader, const struct storage_event **ret,
			      struct err *e);

/* To follow: a descriptor to poll for reading, the reader's. Asked for before the first
 * storage_event_reader_next(), or an event in between is noticed with the one after it. When it
 * woke: storage_event_reader_settle(), then storage_event_reader_next() until 0. */
int storage_event_reader_watch(struct storage_event_reader *reader, struct err *e);
void storage_event_reader_settle(struct storage_event_reader *reader);
