/* sum.h - what keys of the cache are made of: a digest over fields, each with its length, so that
 * no two lists of fields give the same bytes. */
#pragma once
#include <stddef.h>

#include "base/own.h"
#include "oci/digest.h"
#include "storage/hash.h"

struct strv;

/* text NULL and "" are different. */
void build_sum_add(struct storage_hash *hash, const char *text);
void build_sum_add_bytes(struct storage_hash *hash, const void *bytes, size_t length);
void build_sum_add_number(struct storage_hash *hash, long long number);
void build_sum_add_all(struct storage_hash *hash, const struct strv *texts);
