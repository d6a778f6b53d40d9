#include "image/decompress.h"

#include <archive.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zstd.h>

#include "base/err.h"
#include "base/mem.h"
#include "image/inflate.h"

enum {
	OUT_BYTES = 256 << 10,
	HEAD_BYTES = 6,      /* the longest magic number looked at */
	ZSTD_WINDOW_LOG = 27 /* 128 MiB, zstd's own limit without --long */
};

struct image_decompress {
	struct byte_source source;
	unsigned ratio_max;
	enum image_compression kind;
	bool started;
	bool ended;     /* of the source */
	bool in_stream; /* inside a member or frame: an end here is a truncated stream */
	bool out_full;  /* the last step may have more to give without more input */
	const void *in;
	size_t in_length;
	char head[HEAD_BYTES];
	const void *after; /* the rest of the block whose beginning went to head */
	size_t after_length;
	uint64_t read, written;
	struct image_inflate *inflate;
	ZSTD_DStream *zstd;
	bool others; /* are taken */
	bool only_others;
	struct archive *other; /* xz or bzip2, as if it were an archive of one thing */
	struct err *error;     /* of the read that goes on */
	bool failed;           /* it has one */
	char *out;
};

struct image_decompress *image_decompress_new(const struct byte_source *source, unsigned ratio_max)
{
	struct image_decompress *d = mem_new_struct(struct image_decompress);

	d->source = *source;
	d->ratio_max = ratio_max ? ratio_max : IMAGE_RATIO_MAX;
	return d;
}

void image_decompress_free(struct image_decompress *d)
{
	if (d->inflate)
		image_inflate_free(d->inflate);
	ZSTD_freeDStream(d->zstd);
	archive_read_free(d->other);
	free(d->out);
	free(d);
}

enum image_compression image_decompress_kind(const struct image_decompress *d)
{
	return d->kind;
}

void image_decompress_take_others(struct image_decompress *d)
{
	d->others = true;
}

void image_decompress_only_others(struct image_decompress *d)
{
	d->others = d->only_others = true;
}

/* ---- input ---- */

static int refill(struct image_decompress *d, struct err *e)
{
	if (d->in_length || d->ended)
		return 0;
	if (d->after_length) {
		d->in = d->after;
		d->in_length = d->after_length;
		d->after_length = 0;
		return 0;
	}
	ssize_t n = d->source.next(d->source.context, &d->in, e);
	if (n < 0)
		return (int)n;
	d->in_length = (size_t)n;
	d->read += (uint64_t)n;
	d->ended = n == 0;
	return 0;
}

/* Puts the magic number together where the source hands out smaller pieces, as a pipe may. */
static int gather_head(struct image_decompress *d, struct err *e)
{
	size_t have = 0;

	int r = refill(d, e);
	if (r < 0 || d->in_length >= HEAD_BYTES)
		return r;
	while (!d->ended && have < HEAD_BYTES) {
		size_t part = d->in_length < HEAD_BYTES - have ? d->in_length : HEAD_BYTES - have;
		memcpy(d->head + have, d->in, part);
		have += part;
		d->in = (const char *)d->in + part;
		d->in_length -= part;
		if (have < HEAD_BYTES && (r = refill(d, e)) < 0)
			return r;
	}
	d->after = d->in;
	d->after_length = d->in_length;
	d->in = d->head;
	d->in_length = have;
	return 0;
}

static bool starts_with(const struct image_decompress *d, const char *magic, size_t length)
{
	return d->in_length >= length && memcmp(d->in, magic, length) == 0;
}

static int start_zstd(struct image_decompress *d, struct err *e)
{
	d->kind = IMAGE_ZSTD;
	d->zstd = ZSTD_createDStream();
	if (!d->zstd ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
		return err_set(e, ERR_INTERNAL, "zstd: out of memory");
	return 0;
}

/* ---- xz and bzip2 ---- */

static la_ssize_t read_other(struct archive *archive, void *context, const void **block)
{
	struct image_decompress *d = context;

	int r = refill(d, d->error);
	if (r < 0) {
		d->failed = true;
		archive_set_error(archive, -r, "read");
		return ARCHIVE_FATAL;
	}
	la_ssize_t n = (la_ssize_t)d->in_length;
	*block = d->in;
	d->in_length = 0;
	return n;
}

static int damaged_other(const struct image_decompress *d, struct err *e)
{
	const char *why = archive_error_string(d->other);

	return d->failed ? -e->number
			 : err_set(e, ERR_CORRUPT, "the compressed stream: %s",
				   why ? why : "it is damaged");
}

static int start_other(struct image_decompress *d, struct err *e)
{
	struct archive_entry *entry;

	if (!d->others)
		return err_set(e, ERR_UNSUPPORTED,
			       "compressed by xz or bzip2; holm reads gzip, zstd and plain tar");
	d->kind = IMAGE_OTHER;
	d->error = e;
	d->other = archive_read_new();
	if (!d->other || archive_read_support_format_raw(d->other) < ARCHIVE_WARN ||
	    archive_read_support_filter_xz(d->other) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(d->other) != ARCHIVE_OK)
		return err_set(e, ERR_UNSUPPORTED, "this libarchive reads no xz and no bzip2");
	if (archive_read_open(d->other, d, NULL, read_other, NULL) < ARCHIVE_WARN)
		return damaged_other(d, e);
	int r = archive_read_next_header(d->other, &entry);
	return r < ARCHIVE_WARN ? damaged_other(d, e) : 0;
}

static ssize_t next_other(struct image_decompress *d, const void **block, struct err *e)
{
	size_t length = 0;
	la_int64_t offset;

	d->error = e;
	int r = archive_read_data_block(d->other, block, &length, &offset);
	if (r == ARCHIVE_EOF)
		return 0;
	return r < ARCHIVE_WARN ? damaged_other(d, e) : (ssize_t)length;
}

static int start(struct image_decompress *d, struct err *e)
{
	int r = gather_head(d, e);
	if (r < 0)
		return r;
	d->started = true;
	if (starts_with(d, "\xfd\x37zXZ", 5) || starts_with(d, "BZh", 3))
		return start_other(d, e);
	if (d->only_others)
		return 0;
	if (starts_with(d, "\x1f\x8b", 2)) {
		d->kind = IMAGE_GZIP;
		d->inflate = image_inflate_new();
	} else if (starts_with(d, "\x28\xb5\x2f\xfd", 4)) {
		r = start_zstd(d, e);
	}
	if (d->kind != IMAGE_PLAIN)
		d->out = mem_resize(NULL, 1, OUT_BYTES);
	return r;
}

/* ---- output ---- */

static int damaged(const char *what, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "the %s stream is damaged", what);
}

static int check_ratio(struct image_decompress *d, size_t more, struct err *e)
{
	d->written += more;
	if (d->written <= IMAGE_BOMB_BYTES || d->written / d->ratio_max <= d->read)
		return 0;
	err_set(e, ERR_CORRUPT, "%llu KiB inflate to more than %u times as much",
		(unsigned long long)(d->read >> 10), d->ratio_max);
	return err_hint(e, "set HOLM_LAYER_RATIO higher if you trust this image");
}

/* Padding behind the last member is usual for what came from a block device; else it is not. */
static int step_gzip(struct image_decompress *d, size_t *written, struct err *e)
{
	*written = 0;
	while (!d->in_stream && d->in_length && *(const char *)d->in == 0) {
		d->in = (const char *)d->in + 1;
		d->in_length--;
	}
	if (!d->in_length && !d->in_stream)
		return 0;
	d->in_stream = true;
	switch (image_inflate_step(d->inflate, &d->in, &d->in_length, d->out, OUT_BYTES, written)) {
	case IMAGE_INFLATE_DAMAGED:
		return damaged("gzip", e);
	case IMAGE_INFLATE_END:
		d->in_stream = false;
		break;
	case IMAGE_INFLATE_MORE:
		break;
	}
	return 0;
}

static int step_zstd(struct image_decompress *d, size_t *written, struct err *e)
{
	ZSTD_inBuffer in = { d->in, d->in_length, 0 };
	ZSTD_outBuffer out = { d->out, OUT_BYTES, 0 };

	size_t r = ZSTD_decompressStream(d->zstd, &out, &in);
	if (ZSTD_isError(r))
		return err_set(e, ERR_CORRUPT, "the zstd stream: %s", ZSTD_getErrorName(r));
	d->in = (const char *)d->in + in.pos;
	d->in_length -= in.pos;
	d->in_stream = r != 0;
	*written = out.pos;
	return 0;
}

static int step(struct image_decompress *d, size_t *written, struct err *e)
{
	/* what the decoder still holds comes before more input */
	if (!d->out_full) {
		int r = refill(d, e);
		if (r < 0)
			return r;
	}
	if (!d->in_length && d->ended && !d->out_full) {
		*written = 0;
		if (d->in_stream)
			return err_set(e, ERR_CORRUPT, "the compressed stream ends too early");
		return 0;
	}
	int r = d->kind == IMAGE_GZIP ? step_gzip(d, written, e) : step_zstd(d, written, e);
	d->out_full = r == 0 && *written == OUT_BYTES;
	return r;
}

static ssize_t next_plain(struct image_decompress *d, const void **block, struct err *e)
{
	int r = refill(d, e);
	if (r < 0)
		return r;
	*block = d->in;
	ssize_t n = (ssize_t)d->in_length;
	d->in_length = 0;
	return n;
}

/* The same of what comes in blocks of its own. */
static ssize_t next_checked(struct image_decompress *d, const void **block, struct err *e)
{
	ssize_t n = next_other(d, block, e);
	int r = n > 0 ? check_ratio(d, (size_t)n, e) : 0;

	return r < 0 ? r : n;
}

static ssize_t decompress_next(void *context, const void **block, struct err *e)
{
	struct image_decompress *d = context;
	size_t written = 0;

	int r = d->started ? 0 : start(d, e);
	if (r < 0)
		return r;
	if (d->kind == IMAGE_PLAIN)
		return next_plain(d, block, e);
	if (d->kind == IMAGE_OTHER)
		return next_checked(d, block, e);
	while (!written) {
		bool at_end = d->ended && !d->in_length && !d->out_full && !d->in_stream;
		if (at_end)
			return 0;
		r = step(d, &written, e);
		if (r == 0)
			r = check_ratio(d, written, e);
		if (r < 0)
			return r;
	}
	*block = d->out;
	return (ssize_t)written;
}

struct byte_source image_decompress_source(struct image_decompress *decompress)
{
	return (struct byte_source){ decompress_next, decompress };
}
