#include "image/report.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "image/progress_print.h"
#include "oci/image.h"

enum { INTERVAL_NS = 100000000 };

struct image_report {
	int fd;                             /* of the parent, or -1 */
	struct image_progress_print *print; /* NULL: nobody looks */
	pthread_mutex_t lock;
	int64_t sent_ns; /* when any layer's bytes were sent last */
};

struct image_report *image_report_new(int fd, bool quiet)
{
	struct image_report *report = mem_new_struct(struct image_report);

	report->fd = fd;
	pthread_mutex_init(&report->lock, NULL);
	if (fd < 0 && !quiet)
		report->print = image_progress_print_new(
			STDERR_FILENO, image_progress_print_can_draw(STDERR_FILENO));
	return report;
}

void image_report_free(struct image_report *report)
{
	if (report->print) {
		image_progress_print_finish(report->print);
		image_progress_print_free(report->print);
	}
	pthread_mutex_destroy(&report->lock);
	free(report);
}

/* A parent that has gone wants nothing any more. What was begun is debris for the next writer. */
static void send_event(struct image_report *report, const struct image_progress *progress)
{
	if (report->print)
		image_progress_print_event(report->print, progress);
	if (report->fd < 0)
		return;
	own_free char *line = image_progress_write(progress);
	if (fd_write_all(report->fd, line, strlen(line)) < 0)
		_exit(125);
}

void image_report_note(struct image_report *report, const char *format, ...)
{
	struct image_progress progress = { .kind = IMAGE_PROGRESS_NOTE, .total = -1 };
	va_list ap;

	va_start(ap, format);
	vsnprintf(progress.text, sizeof(progress.text), format, ap);
	va_end(ap);
	pthread_mutex_lock(&report->lock);
	send_event(report, &progress);
	pthread_mutex_unlock(&report->lock);
}

void image_report_layer(struct image_report *report, const struct oci_descriptor *layer,
			enum image_progress_state state, int64_t done, const char *why)
{
	bool moving = state == IMAGE_STATE_DOWNLOADING || state == IMAGE_STATE_UNPACKING ||
		      state == IMAGE_STATE_UPLOADING;
	bool may_wait = moving && done < layer->size;
	int64_t now = moment_monotonic_ns();
	struct image_progress progress = {
		.kind = IMAGE_PROGRESS_LAYER, .state = state, .done = done, .total = layer->size
	};

	snprintf(progress.digest, sizeof(progress.digest), "%s", layer->digest);
	snprintf(progress.text, sizeof(progress.text), "%s", why ? why : "");
	pthread_mutex_lock(&report->lock);
	if (!may_wait || now - report->sent_ns >= INTERVAL_NS) {
		send_event(report, &progress);
		if (may_wait)
			report->sent_ns = now;
	}
	pthread_mutex_unlock(&report->lock);
}

static void report_answer(struct image_report *report, const char *digest, const char *name,
			  enum image_progress_state state, int64_t size)
{
	struct image_progress progress = { .kind = IMAGE_PROGRESS_IMAGE,
					   .state = state,
					   .total = size };

	snprintf(progress.digest, sizeof(progress.digest), "%s", digest);
	snprintf(progress.text, sizeof(progress.text), "%s", name ? name : "");
	if (report->print)
		image_progress_print_finish(report->print);
	pthread_mutex_lock(&report->lock);
	send_event(report, &progress);
	pthread_mutex_unlock(&report->lock);
	if (report->fd < 0)
		printf("%s\n", digest);
}

void image_report_image(struct image_report *report, const char *id, const char *name,
			enum image_progress_state state)
{
	report_answer(report, id, name, state, -1);
}

void image_report_pushed(struct image_report *report, const char *digest, const char *name,
			 int64_t size)
{
	report_answer(report, digest, name, IMAGE_STATE_PUSHED, size);
}

void image_report_finding(struct image_report *report, bool is_layer, const char *digest,
			  bool mended, const char *text)
{
	struct image_progress progress = {
		.kind = IMAGE_PROGRESS_FINDING,
		.state = mended ? IMAGE_STATE_DONE : IMAGE_STATE_WAITING,
		.total = -1,
		.is_layer = is_layer,
	};

	snprintf(progress.digest, sizeof(progress.digest), "%s", digest);
	snprintf(progress.text, sizeof(progress.text), "%s", text);
	pthread_mutex_lock(&report->lock);
	send_event(report, &progress);
	pthread_mutex_unlock(&report->lock);
	if (report->fd < 0)
		printf("%s\n", text);
}

void image_report_error(struct image_report *report, const struct err *e)
{
	struct image_progress progress = { .kind = IMAGE_PROGRESS_ERROR, .total = -1, .err = *e };

	if (report->print)
		image_progress_print_finish(report->print);
	pthread_mutex_lock(&report->lock);
	send_event(report, &progress);
	pthread_mutex_unlock(&report->lock);
	if (report->fd >= 0)
		return;
	fprintf(stderr, "holm-image: %s\n", e->text);
	if (*e->hint)
		fprintf(stderr, "hint: %s\n", e->hint);
}
