/* toml.h - reads TOML 1.0 into the same tree that JSON gives, so that one table of fields
 * (base/shape.h) reads both. For registries.conf. */
#pragma once
#include <stddef.h>

struct err;
struct json_object;

enum {
	IMAGE_TOML_BYTES_MAX = 1 << 20, /* far above any configuration, far below harm */
	IMAGE_TOML_DEPTH_MAX = 32,      /* of arrays, inline tables and dotted keys */
};

/* Parses length bytes. Dates and times become strings as they are written. *ret is the caller's
 * (json_object_put). Fails with ERR_INVALID; the message names what and the line. */
int image_toml_parse(struct json_object **ret, const char *text, size_t length, const char *what,
		     struct err *e);
