/* report.h - holm-image's end of the progress: events from all threads, in whole lines, not
 * more often than anybody can look. Without a parent it prints them itself. */
#pragma once
#include <stdbool.h>

#include "base/own.h"
#include "image/progress.h"

struct err;
struct image_report;
struct oci_descriptor;

/* fd: where the parent reads, or -1: a person reads stderr, unless quiet. Never NULL. */
struct image_report *image_report_new(int fd, bool quiet);
void image_report_free(struct image_report *report);
OWN_DEFINE(image_report_free, struct image_report *)

void image_report_note(struct image_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A layer has got so far: done bytes of its blob. What a layer is in the middle of is sent at most
 * ten times a second. why (may be NULL): of a retry. */
void image_report_layer(struct image_report *report, const struct oci_descriptor *layer,
			enum image_progress_state state, int64_t done, const char *why);

/* The answer: the image's id, under this name (NULL: none). Without a parent the id goes to
 * stdout. */
void image_report_image(struct image_report *report, const char *id, const char *name,
			enum image_progress_state state);

/* The answer of a push: the digest of the manifest that the registry has now under this name, and
 * how many bytes it has. */
void image_report_pushed(struct image_report *report, const char *digest, const char *name,
			 int64_t size);

/* What check has found: text says it in one sentence; digest is that of a blob, or the diff id of a
 * layer. Without a parent it goes to stdout. */
void image_report_finding(struct image_report *report, bool is_layer, const char *digest,
			  bool mended, const char *text);

/* The answer, when there is none. */
void image_report_error(struct image_report *report, const struct err *e);
