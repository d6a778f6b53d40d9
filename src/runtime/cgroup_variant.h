/* cgroup_variant.h - values as people write them in annotations, GVariant's text format
 * (docs.gtk.org/glib/gvariant-text-format.html): booleans, numbers with or without a type before
 * them, strings, and arrays of one kind of these. Private to cgroup*.c. */
#pragma once
#include <stdbool.h>

struct err;
struct str;

/* Adds the value as a variant of D-Bus. seconds: it must be a number, and becomes a uint64 of
 * microseconds. ERR_INVALID. */
int runtime_cgroup_variant_add(struct str *body, const char *text, bool seconds, struct err *e);
