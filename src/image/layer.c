#include "image/layer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/number.h"
#include "base/own.h"
#include "image/decompress.h"
#include "image/ring.h"
#include "storage/hash.h"
#include "storage/layer.h"

enum { RING_BYTES = 4 << 20 };

/* What the inflating thread works on. */
struct inflate_job {
	struct byte_source tar;
	struct storage_hash *hash;
	struct image_ring *ring;
	uint64_t tar_size;
	const struct image_decompress *inflated;
	bool plain_checked; /* not compressed, the bytes need no second hash */
};

static bool is_checked(const struct inflate_job *job)
{
	return job->plain_checked && image_decompress_kind(job->inflated) == IMAGE_PLAIN;
}

static void *inflate_thread(void *argument)
{
	struct inflate_job *job = argument;
	const void *block;
	struct err e;
	ssize_t n;

	while ((n = job->tar.next(job->tar.context, &block, &e)) > 0) {
		if (!is_checked(job))
			storage_hash_add(job->hash, block, (size_t)n);
		job->tar_size += (uint64_t)n;
		if (image_ring_write(job->ring, block, (size_t)n) < 0)
			return NULL; /* the extracting side gave up, and says why itself */
	}
	image_ring_finish(job->ring, n < 0 ? &e : NULL);
	return NULL;
}

/* Runs both sides; afterwards the job has size and hash. */
static int run_job(struct inflate_job *job, int fs_fd, const struct unpack_limits *limits,
		   struct unpack_result *result, struct err *e)
{
	struct byte_source unpacked = image_ring_source(job->ring);
	pthread_t thread;

	int number = pthread_create(&thread, NULL, inflate_thread, job);
	if (number)
		return err_number(e, number, "start a thread");
	int r = storage_unpack(fs_fd, &unpacked, limits, result, e);
	image_ring_leave(job->ring);
	pthread_join(thread, NULL);
	return r;
}

int image_layer_limits(struct image_layer_limits *to, struct err *e)
{
	const char *bytes = getenv("HOLM_LAYER_MAX"), *ratio = getenv("HOLM_LAYER_RATIO");
	struct image_layer_limits limits = { 0 };
	int64_t bytes_max = 0;
	uint64_t ratio_max = 0;

	if (bytes && number_parse_bytes(&bytes_max, bytes, e) < 0)
		return err_add(e, "HOLM_LAYER_MAX");
	if (ratio && number_parse_u64(&ratio_max, ratio, UINT32_MAX, e) < 0)
		return err_add(e, "HOLM_LAYER_RATIO");
	limits.unpack.bytes_max = (uint64_t)bytes_max;
	limits.ratio_max = (unsigned)ratio_max;
	*to = limits;
	return 0;
}

/* Once, by whichever layer comes first. */
static void warn_of_owners(uint64_t count)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&said))
		log_warning("%" PRIu64 " files of a layer or more belong to others than root, and "
			    "are root's here: you have one id alone. A range in /etc/subuid and "
			    "/etc/subgid (usermod --add-subuids) keeps them apart",
			    count);
}

/* checked: the digest that packed is checked against at its end, or NULL. */
static int fill(struct layer_writer *writer, const struct byte_source *packed, const char *checked,
		struct layer_facts *facts, char got[DIGEST_TEXT_SIZE], struct err *e)
{
	struct image_layer_limits limits = { 0 };
	int r = image_layer_limits(&limits, e);
	if (r < 0)
		return r;
	own(image_decompress_free) struct image_decompress *inflated =
		image_decompress_new(packed, limits.ratio_max);
	own(image_ring_free) struct image_ring *ring = image_ring_new(RING_BYTES);
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	struct inflate_job job = {
		image_decompress_source(inflated), hash, ring, 0, inflated, checked != NULL
	};
	struct unpack_result result;

	r = run_job(&job, writer->fs_fd, &limits.unpack, &result, e);
	if (r < 0)
		return r;
	if (result.unowned)
		warn_of_owners(result.unowned);
	if (is_checked(&job))
		snprintf(got, DIGEST_TEXT_SIZE, "%s", checked);
	else
		storage_hash_end(hash, got);
	facts->diff_id = got;
	facts->size = result.size;
	facts->entries = result.entries;
	facts->skipped = result.skipped;
	facts->unowned = result.unowned;
	facts->tar_size = job.tar_size;
	return 0;
}

static int fill_checked(struct layer_writer *writer, const char *diff_id,
			const struct byte_source *packed, const char *checked,
			struct layer_facts *facts, char got[DIGEST_TEXT_SIZE], struct err *e)
{
	int r = fill(writer, packed, checked, facts, got, e);

	if (r < 0)
		return r;
	if (strcmp(oci_digest_hex(got), oci_digest_hex(diff_id)) != 0)
		return err_set(e, ERR_CORRUPT, "the layer unpacks to %s, the image says %s", got,
			       diff_id);
	return 0;
}

int image_layer_unpack(const struct store *store, const char *diff_id,
		       const struct byte_source *packed, const char *checked, struct err *e)
{
	own_clear(storage_layer_end) struct layer_writer writer = { 0 };
	struct layer_facts facts = { 0 };
	char got[DIGEST_TEXT_SIZE];

	int r = storage_layer_begin(&writer, store, diff_id, true, e);
	if (r != 0)
		return r;
	r = fill_checked(&writer, diff_id, packed, checked, &facts, got, e);
	return r < 0 ? r : storage_layer_commit(&writer, &facts, e);
}

int image_layer_unpack_beside(const struct store *store, const char *diff_id,
			      const struct byte_source *packed, struct layer_writer *writer,
			      struct layer_facts *facts, char diff_id_buffer[DIGEST_TEXT_SIZE],
			      struct err *e)
{
	int r = storage_layer_begin(writer, store, NULL, true, e);

	return r < 0 ? r : fill_checked(writer, diff_id, packed, NULL, facts, diff_id_buffer, e);
}

int image_layer_import(const struct store *store, const struct byte_source *packed,
		       char diff_id_ret[DIGEST_TEXT_SIZE], struct err *e)
{
	own_clear(storage_layer_end) struct layer_writer writer = { 0 };
	struct layer_facts facts = { 0 };

	int r = storage_layer_begin(&writer, store, NULL, true, e);
	if (r == 0)
		r = fill(&writer, packed, NULL, &facts, diff_id_ret, e);
	return r < 0 ? r : storage_layer_commit(&writer, &facts, e);
}
