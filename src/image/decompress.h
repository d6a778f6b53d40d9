/* decompress.h - gzip (all members of it), zstd or nothing, told apart by the first bytes, as a
 * stream; also xz and bzip2, by libarchive, where they may come. gzip by ISA-L where it was built
 * in, else by zlib. Memory is bounded: a zstd window of more than 128 MiB is refused. */
#pragma once
#include "base/own.h"
#include "storage/unpack.h"

struct err;
struct image_decompress;

enum image_compression { IMAGE_PLAIN, IMAGE_GZIP, IMAGE_ZSTD, IMAGE_OTHER };

/* More output than this, and more than IMAGE_RATIO_MAX times the input, is a bomb: ERR_CORRUPT.
 * gzip reaches 1030 on zeros; what people pack stays below 20 (reference: zip bomb). */
#define IMAGE_BOMB_BYTES (UINT64_C(256) << 20)
enum { IMAGE_RATIO_MAX = 200 };

/* Reads from source, which the caller keeps valid until the end. ratio_max 0: IMAGE_RATIO_MAX. */
struct image_decompress *image_decompress_new(const struct byte_source *source, unsigned ratio_max);
void image_decompress_free(struct image_decompress *decompress);
OWN_DEFINE(image_decompress_free, struct image_decompress *)

/* Before the first read: xz and bzip2, too, which no layer of an image is in. */
void image_decompress_take_others(struct image_decompress *decompress);

/* Before the first read: xz and bzip2 alone; all else passes as it is. For what is to become a
 * layer, which may stay in gzip or zstd. */
void image_decompress_only_others(struct image_decompress *decompress);

/* The unpacked bytes as a source. A truncated or damaged stream is ERR_CORRUPT, also bytes behind
 * its end other than zeros. */
struct byte_source image_decompress_source(struct image_decompress *decompress);

/* What the first bytes said; known after the first read. */
enum image_compression image_decompress_kind(const struct image_decompress *decompress);
