#include "runtime/env_file.h"

#include <fcntl.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"

static const char annotation[] = "org.holm.env.files";

/* execve(2): MAX_ARG_STRLEN, 32 pages, for "NAME=value" and its NUL. */
enum { VARIABLE_BYTES_MAX = 32 * 4096 };

/* What has been in a value is not left in freed memory. */
static void wipe(struct str *value)
{
	if (value->text)
		explicit_bzero(value->text, value->capacity);
	str_clear(value);
}

static int add(struct strv *env, const char *name, const char *path, struct err *e)
{
	own_clear(wipe) struct str value = { 0 };

	if (!*name || strchr(name, '='))
		return err_set(e, ERR_INVALID, "%s: '%s' is not a variable's name", annotation,
			       name);
	if (str_empty(path) || *path != '/')
		return err_set(e, ERR_INVALID, "%s: %s: not an absolute path", annotation, name);
	size_t taken = strlen(name) + 2;
	if (taken >= VARIABLE_BYTES_MAX)
		return err_set(e, ERR_INVALID, "%s: a name is too long", annotation);
	str_addf(&value, "%s=", name);
	int r = fd_read_file_at(AT_FDCWD, path, VARIABLE_BYTES_MAX - taken, &value, e);
	if (r < 0)
		return err_add(e, "the value of %s", name);
	if (strlen(value.text) != value.length)
		return err_set(e, ERR_INVALID, "the value of %s has a NUL byte in it", name);
	strv_set(env, value.text);
	return 0;
}

int runtime_env_file_add(struct strv *env, const struct shape_map *annotations, struct err *e)
{
	const char *text = shape_map_get(annotations, annotation);
	own_json struct json_object *files = NULL;
	int r = 0;

	if (!text)
		return 0;
	if (json_parse(&files, text, strlen(text), annotation, e) < 0)
		return -e->number;
	if (!json_object_is_type(files, json_type_object))
		return err_set(e, ERR_INVALID, "%s: not an object", annotation);
	json_object_object_foreach (files, name, path) {
		if (r == 0 && json_object_is_type(path, json_type_string))
			r = add(env, name, json_object_get_string(path), e);
		else if (r == 0)
			r = err_set(e, ERR_INVALID, "%s: %s: not a path", annotation, name);
	}
	return r;
}
