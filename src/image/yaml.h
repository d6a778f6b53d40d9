/* yaml.h - as much of YAML 1.2 as the files of containers-registries.d(5) are written in: mappings
 * in blocks, with scalars that are plain or in quotes, and comments. Into the tree that JSON
 * gives; every scalar is a string. No lists, flow collections (but {}), anchors, tags or blocks of
 * text. */
#pragma once
#include <stddef.h>

struct err;
struct json_object;

enum {
	IMAGE_YAML_BYTES_MAX = 1 << 20,
	IMAGE_YAML_DEPTH_MAX = 16,
};

/* *ret is the caller's (json_object_put). ERR_INVALID names the line. what names the file. */
int image_yaml_parse(struct json_object **ret, const char *text, size_t length, const char *what,
		     struct err *e);
