/* json.h - strict JSON over json-c: bounded in bytes and depth, UTF-8 checked, nothing behind the
 * value; written compact and with unescaped slashes, because hooks and engines compare text. */
#pragma once
#include <json-c/json.h>
#include <stddef.h>

#include "base/own.h"

struct err;

enum {
	JSON_BYTES_MAX =
		4 << 20, /* distribution-spec v1.1: a registry must take manifests of 4 MiB */
	JSON_DEPTH_MAX = 64,
};

/* Parses length bytes. *ret is the caller's (json_object_put). what names the document in
 * errors. Fails with ERR_CORRUPT. */
int json_parse(struct json_object **ret, const char *text, size_t length, const char *what,
	       struct err *e);

/* Reads and parses the regular file path below dir_fd, at most bytes_max long. */
int json_read_at(struct json_object **ret, int dir_fd, const char *path, size_t bytes_max,
		 struct err *e);

/* Compact text with unescaped slashes, borrowed from object until its next change. */
const char *json_text(struct json_object *object);

/* Writes object to path below dir_fd: a temporary name, then rename; readers see the old or the
 * new. Without fsync: for tmpfs and for what a power loss may take. */
int json_write_at(int dir_fd, const char *path, struct json_object *object, struct err *e);

static inline void json_put_own_call(struct json_object **object)
{
	json_object_put(*object);
}
#define own_json __attribute__((cleanup(json_put_own_call)))
