/* progress.h - what people see of a build, on standard error: each step with its number, its output
 * with the time, how long it took or that it was CACHED; as docker's --progress=plain. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

struct build_progress;
struct err;

enum { BUILD_PROGRESS_LAST_LINES = 20 }; /* that an error repeats */

enum build_progress_kind {
	BUILD_PROGRESS_PLAIN,
	BUILD_PROGRESS_TERMINAL, /* what runs in lines that are written over (board.h) */
	BUILD_PROGRESS_JSON,     /* one object in a line: step, state, seconds, text */
	BUILD_PROGRESS_QUIET,    /* nothing but errors */
};

/* By the name of --progress; NULL: auto. ERR_INVALID. */
int build_progress_kind_find(enum build_progress_kind *ret, const char *name, bool quiet,
			     struct err *e);

/* Never NULL. */
struct build_progress *build_progress_new(enum build_progress_kind kind);
void build_progress_free(struct build_progress *progress);
OWN_DEFINE(build_progress_free, struct build_progress *)

void build_progress_begin(struct build_progress *progress, int number, const char *text);
void build_progress_output(struct build_progress *progress, int number, const char *bytes,
			   size_t length);
void build_progress_cached(struct build_progress *progress, int number);
void build_progress_done(struct build_progress *progress, int number);

/* A line of its own. */
void build_progress_note(struct build_progress *progress, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The step failed: its last lines again. */
void build_progress_failed(struct build_progress *progress, int number);

/* So that the time of what runs goes on: some time has passed. */
void build_progress_tick(struct build_progress *progress);
enum { BUILD_PROGRESS_TICK_MS = 500 };

/* Somebody else writes to the terminal from now on. */
void build_progress_leave(struct build_progress *progress);
