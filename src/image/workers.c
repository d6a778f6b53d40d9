#include "image/workers.h"

#include <errno.h>
#include <pthread.h>

#include "base/err.h"
#include "base/own.h"
#include "image/http.h"
#include "image/registry.h"

/* What the threads share. */
struct work {
	const struct image_workers *workers;
	pthread_mutex_t lock;
	size_t next;
	struct err e; /* of the first failure */
};

static bool next_job(struct work *w, size_t *job)
{
	pthread_mutex_lock(&w->lock);
	bool any = !*w->workers->failed && w->next < w->workers->count;
	if (any)
		*job = w->next++;
	pthread_mutex_unlock(&w->lock);
	return any;
}

static void fail(struct work *w, const struct err *e)
{
	pthread_mutex_lock(&w->lock);
	if (!*w->workers->failed)
		w->e = *e;
	*w->workers->failed = true;
	pthread_mutex_unlock(&w->lock);
}

static void *work(void *context)
{
	struct work *w = context;
	struct image_registry *registry = w->workers->registry;
	own(image_http_free) struct image_http *http =
		registry ? image_registry_connect(registry) : NULL;
	size_t job;

	while (next_job(w, &job)) {
		struct err e;
		if (w->workers->run(w->workers->context, job, http, &e) < 0)
			fail(w, &e);
	}
	return NULL;
}

int image_workers_run(const struct image_workers *workers, struct err *e)
{
	struct work w = { .workers = workers, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t threads[IMAGE_WORKERS_AT_ONCE];
	size_t wanted =
		workers->count < IMAGE_WORKERS_AT_ONCE ? workers->count : IMAGE_WORKERS_AT_ONCE;
	size_t started = 0;
	int r = 0;

	while (started < wanted && r == 0) {
		r = pthread_create(&threads[started], NULL, work, &w);
		started += r == 0;
	}
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&w.lock);
	if (*workers->failed) {
		*e = w.e;
		return -(e->number ? e->number : EIO);
	}
	return started || !wanted ? 0 : err_number(e, r, "start a thread");
}
