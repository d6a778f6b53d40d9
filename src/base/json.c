#include "base/json.h"

#include <fcntl.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"

int json_parse(struct json_object **ret, const char *text, size_t length, const char *what,
	       struct err *e)
{
	if (length > JSON_BYTES_MAX * 16UL)
		return err_set(e, ERR_CORRUPT, "%s: %zu bytes of JSON are too many", what, length);

	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tokener)
		return err_set(e, ERR_INTERNAL, "%s: out of memory", what);

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *object = json_tokener_parse_ex(tokener, text, (int)length);
	enum json_tokener_error error = json_tokener_get_error(tokener);
	size_t offset = json_tokener_get_parse_end(tokener);
	/* a number at the very end is only known to be whole at a NUL */
	if (error == json_tokener_continue) {
		object = json_tokener_parse_ex(tokener, "", 1);
		error = json_tokener_get_error(tokener);
	}
	json_tokener_free(tokener);

	if (error != json_tokener_success)
		return err_set(e, ERR_CORRUPT, "%s: not JSON at byte %zu: %s", what, offset,
			       error == json_tokener_continue ? "it ends too early"
							      : json_tokener_error_desc(error));
	while (offset < length && strchr(" \t\r\n", text[offset]) && text[offset])
		offset++;
	if (offset < length) {
		json_object_put(object);
		return err_set(e, ERR_CORRUPT, "%s: more text after the JSON value at byte %zu",
			       what, offset);
	}
	*ret = object;
	return 0;
}

int json_read_at(struct json_object **ret, int dir_fd, const char *path, size_t bytes_max,
		 struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	int r = fd_read_file_at(dir_fd, path, bytes_max, &text, e);
	if (r < 0)
		return r;
	return json_parse(ret, text.text ? text.text : "", text.length, path, e);
}

const char *json_text(struct json_object *object)
{
	return json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
}

int json_write_at(int dir_fd, const char *path, struct json_object *object, struct err *e)
{
	const char *text = json_text(object);

	return fd_write_file_at(dir_fd, path, text, strlen(text), 0600, e);
}
