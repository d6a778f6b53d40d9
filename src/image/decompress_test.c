#include "image/decompress.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/unit.h"
#include "image/ring.h"
#include "storage/tar_build.h"

enum { TEXT_LENGTH = 700000 };

/* Text that is neither all zeros nor noise. */
static void make_text(struct str *to, size_t length)
{
	uint32_t state = 1;

	while (to->length < length) {
		state = state * 1103515245 + 12345;
		str_addf(to, "%u ", state >> 20);
	}
}

static void add_gzip(struct str *to, const void *bytes, size_t length)
{
	z_stream stream = { 0 };
	size_t room = compressBound(length) + 64;

	ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	stream.next_in = (Bytef *)bytes;
	stream.avail_in = (uInt)length;
	stream.next_out = (Bytef *)str_room(to, room);
	stream.avail_out = (uInt)room;
	ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	to->length += stream.total_out;
	deflateEnd(&stream);
}

static void add_zstd(struct str *to, const void *bytes, size_t length)
{
	size_t room = ZSTD_compressBound(length);
	to->length += ZSTD_compress(str_room(to, room), room, bytes, length, 3);
}

static int decompress(const struct str *packed, size_t step, struct str *to, struct err *e)
{
	struct tar_source bytes = { packed->text, packed->length, step };
	struct byte_source source = { tar_source_next, &bytes };
	own(image_decompress_free) struct image_decompress *d = image_decompress_new(&source, 0);
	struct byte_source plain = image_decompress_source(d);
	const void *block;
	ssize_t n;

	while ((n = plain.next(plain.context, &block, e)) > 0)
		str_add_n(to, block, (size_t)n);
	return (int)n;
}

static void check_same(const struct str *packed, size_t step, const struct str *want)
{
	own_clear(str_clear) struct str got = { 0 };
	struct err e = { 0 };

	ck_assert_msg(decompress(packed, step, &got, &e) == 0, "step %zu: %s", step, e.text);
	ck_assert_uint_eq(got.length, want->length);
	ck_assert_int_eq(memcmp(got.text, want->text, got.length), 0);
}

static const size_t steps[] = { 1, 3, 7, 4096, 1 << 20 };

START_TEST(every_kind_comes_out_whole_however_it_comes_in)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(str_clear) struct str gzip = { 0 };
	own_clear(str_clear) struct str zstd = { 0 };

	make_text(&text, TEXT_LENGTH);
	/* two members each, as pigz and zstdmt write them; zeros behind the gzip */
	add_gzip(&gzip, text.text, 1000);
	add_gzip(&gzip, text.text + 1000, text.length - 1000);
	str_add_n(&gzip, "\0\0\0\0\0\0\0\0", 8);
	add_zstd(&zstd, text.text, 1000);
	add_zstd(&zstd, text.text + 1000, text.length - 1000);
	check_same(&gzip, steps[_i], &text);
	check_same(&zstd, steps[_i], &text);
	check_same(&text, steps[_i], &text);
}
END_TEST

START_TEST(a_short_or_empty_stream_is_plain)
{
	static const char *const texts[] = { "", "a", "\x1f", "abcde" };
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct str text = { (char *)texts[i], strlen(texts[i]), 0 };
		own_clear(str_clear) struct str got = { 0 };
		struct err e;
		ck_assert_int_eq(decompress(&text, 1, &got, &e), 0);
		ck_assert_uint_eq(got.length, text.length);
	}
}
END_TEST

static void check_refused(const struct str *packed, const char *message)
{
	own_clear(str_clear) struct str got = { 0 };
	struct err e = { 0 };

	ck_assert_msg(decompress(packed, 4096, &got, &e) < 0, "%s", message);
	ck_assert_msg(strstr(e.text, message), "%s", e.text);
	ck_assert_int_eq(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED, 1);
}

START_TEST(truncated_streams_are_refused)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(str_clear) struct str gzip = { 0 };
	own_clear(str_clear) struct str zstd = { 0 };

	make_text(&text, TEXT_LENGTH);
	add_gzip(&gzip, text.text, text.length);
	add_zstd(&zstd, text.text, text.length);
	for (size_t cut = 1; cut < 40; cut += 3) {
		struct str a = { gzip.text, gzip.length - cut, 0 };
		struct str b = { zstd.text, zstd.length - cut, 0 };
		check_refused(&a, "ends too early");
		check_refused(&b, "ends too early");
	}
	struct str start = { gzip.text, 12, 0 };
	check_refused(&start, "ends too early");
}
END_TEST

START_TEST(damaged_streams_are_refused)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(str_clear) struct str gzip = { 0 };
	own_clear(str_clear) struct str xz = { 0 };

	make_text(&text, TEXT_LENGTH);
	add_gzip(&gzip, text.text, text.length);
	gzip.text[gzip.length / 2] ^= 0x55;
	check_refused(&gzip, "");
	gzip.text[gzip.length / 2] ^= 0x55;
	gzip.text[gzip.length - 6] ^= 1; /* the checksum */
	check_refused(&gzip, "damaged");
	gzip.text[gzip.length - 6] ^= 1;
	str_add(&gzip, "rubbish behind the end");
	check_refused(&gzip, "damaged");
	str_add_n(&xz,
		  "\xfd"
		  "7zXZ\0....",
		  10);
	check_refused(&xz, "xz or bzip2");
}
END_TEST

/* 2 GiB of zeros in 2 MiB: the end comes after a fraction of it. */
START_TEST(a_bomb_is_refused_before_it_has_gone_off)
{
	void (*const add)(struct str *, const void *, size_t) = _i ? add_zstd : add_gzip;
	own_clear(str_clear) struct str zeros = { 0 };
	own_clear(str_clear) struct str member = { 0 };
	own_clear(str_clear) struct str bomb = { 0 };
	uint64_t total = 0;
	const void *block;
	struct err e = { 0 };
	ssize_t n;

	memset(str_room(&zeros, 64 << 20), 0, 64 << 20);
	zeros.length = 64 << 20;
	add(&member, zeros.text, zeros.length);
	for (int i = 0; i < 32; i++)
		str_add_n(&bomb, member.text, member.length);
	struct tar_source bytes = { bomb.text, bomb.length, 65536 };
	struct byte_source source = { tar_source_next, &bytes };
	own(image_decompress_free) struct image_decompress *d = image_decompress_new(&source, 0);
	struct byte_source plain = image_decompress_source(d);
	while ((n = plain.next(plain.context, &block, &e)) > 0)
		total += (uint64_t)n;
	ck_assert_int_lt(n, 0);
	ck_assert_msg(strstr(e.text, "inflate to more than"), "%s", e.text);
	ck_assert_uint_le(total, IMAGE_BOMB_BYTES);
}
END_TEST

/* ---- the ring ---- */

static void *write_text(void *argument)
{
	struct image_ring *ring = argument;
	own_clear(str_clear) struct str text = { 0 };

	make_text(&text, TEXT_LENGTH);
	for (size_t at = 0, step = 1; at < text.length; at += step, step = step * 3 % 9973 + 1) {
		size_t part = text.length - at < step ? text.length - at : step;
		if (image_ring_write(ring, text.text + at, part) < 0)
			return NULL;
	}
	struct err e;
	err_set(&e, ERR_UNREACHABLE, "cut off");
	image_ring_finish(ring, &e);
	return NULL;
}

START_TEST(the_ring_hands_on_every_byte_and_then_the_error)
{
	own(image_ring_free) struct image_ring *ring = image_ring_new(5000);
	struct byte_source source = image_ring_source(ring);
	own_clear(str_clear) struct str want = { 0 };
	own_clear(str_clear) struct str got = { 0 };
	const void *block;
	pthread_t thread;
	struct err e = { 0 };
	ssize_t n;

	make_text(&want, TEXT_LENGTH);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_text, ring), 0);
	while ((n = source.next(source.context, &block, &e)) > 0)
		str_add_n(&got, block, (size_t)n);
	pthread_join(thread, NULL);
	ck_assert_int_lt(n, 0);
	ck_assert_str_eq(e.text, "cut off");
	ck_assert_uint_eq(got.length, want.length);
	ck_assert_int_eq(memcmp(got.text, want.text, got.length), 0);
}
END_TEST

START_TEST(a_writer_whose_reader_left_is_told)
{
	own(image_ring_free) struct image_ring *ring = image_ring_new(1000);
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, write_text, ring), 0);
	image_ring_leave(ring);
	pthread_join(thread, NULL);
	ck_assert_int_lt(image_ring_write(ring, "x", 1), 0);
	ck_assert_int_lt(image_ring_try_write(ring, "x", 1), 0);
}
END_TEST

START_TEST(trying_to_write_takes_what_there_is_room_for)
{
	own(image_ring_free) struct image_ring *ring = image_ring_new(8);
	struct byte_source source = image_ring_source(ring);
	const void *block;
	struct err e;

	ck_assert_int_eq(image_ring_try_write(ring, "0123456789", 10), 8);
	ck_assert_int_eq(image_ring_try_write(ring, "x", 1), 0);
	ck_assert_int_eq(source.next(source.context, &block, &e), 8);
	/* borrowed until the next call */
	ck_assert_int_eq(image_ring_try_write(ring, "x", 1), 0);
	ck_assert_int_eq(memcmp(block, "01234567", 8), 0);
	image_ring_finish(ring, NULL);
	ck_assert_int_eq(source.next(source.context, &block, &e), 0);
}
END_TEST

UNIT_MAIN("image/decompress",
	  UNIT_LOOP(every_kind_comes_out_whole_however_it_comes_in, COUNT_OF(steps)),
	  UNIT(a_short_or_empty_stream_is_plain), UNIT(truncated_streams_are_refused),
	  UNIT(damaged_streams_are_refused), UNIT_LOOP(a_bomb_is_refused_before_it_has_gone_off, 2),
	  UNIT(the_ring_hands_on_every_byte_and_then_the_error),
	  UNIT(a_writer_whose_reader_left_is_told),
	  UNIT(trying_to_write_takes_what_there_is_room_for))
