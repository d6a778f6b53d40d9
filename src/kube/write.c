#include "kube/write.h"

#include <string.h>
#include <yaml.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"
#include "base/yaml.h"

static void clear_emitter(yaml_emitter_t *emitter)
{
	yaml_emitter_delete(emitter);
}

static int append(void *to, unsigned char *bytes, size_t length)
{
	str_add_n(to, bytes, length);
	return 1;
}

/* Of letters, and nothing else to any reader; "y" is a bool to some. */
static bool is_plain(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789/._-";

	return *text && text[1] && (strchr(letters, *text) || *text == '/') &&
	       !text[strspn(text, more)] && yaml_type_of(text) == YAML_TEXT;
}

static int scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
	yaml_event_t event;

	return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
					    (int)strlen(text), 1, 1, style) &&
	       yaml_emitter_emit(emitter, &event);
}

/* Lines that end are written as lines. */
static int string(yaml_emitter_t *emitter, const char *text)
{
	if (is_plain(text))
		return scalar(emitter, text, YAML_PLAIN_SCALAR_STYLE);
	bool lines =
		str_ends(text, "\n") && text[0] != ' ' && text[0] != '\n' && !strpbrk(text, "\r\t");
	return scalar(emitter, text,
		      lines ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static int value(yaml_emitter_t *emitter, struct json_object *object);

static int list(yaml_emitter_t *emitter, struct json_object *object)
{
	yaml_event_t event;
	int good = yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
							YAML_BLOCK_SEQUENCE_STYLE) &&
		   yaml_emitter_emit(emitter, &event);

	for (size_t i = 0; good && i < json_object_array_length(object); i++)
		good = value(emitter, json_object_array_get_idx(object, i));
	return good && yaml_sequence_end_event_initialize(&event) &&
	       yaml_emitter_emit(emitter, &event);
}

static int map(yaml_emitter_t *emitter, struct json_object *object)
{
	yaml_event_t event;
	int good = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
						       YAML_BLOCK_MAPPING_STYLE) &&
		   yaml_emitter_emit(emitter, &event);

	json_object_object_foreach (object, key, of)
		good = good && string(emitter, key) && value(emitter, of);
	return good && yaml_mapping_end_event_initialize(&event) &&
	       yaml_emitter_emit(emitter, &event);
}

static int value(yaml_emitter_t *emitter, struct json_object *object)
{
	switch (json_object_get_type(object)) {
	case json_type_object:
		return map(emitter, object);
	case json_type_array:
		return list(emitter, object);
	case json_type_string:
		return string(emitter, json_object_get_string(object));
	default: /* numbers, true, false, null */
		return scalar(emitter, object ? json_text(object) : "null",
			      YAML_PLAIN_SCALAR_STYLE);
	}
}

int kube_write(struct str *to, struct json_object *object, struct err *e)
{
	yaml_event_t event;
	own_clear(clear_emitter) yaml_emitter_t emitter;

	if (!yaml_emitter_initialize(&emitter))
		return err_set(e, ERR_INTERNAL, "no memory for the writer of YAML");
	if (to->length)
		str_add(to, "---\n");
	yaml_emitter_set_output(&emitter, append, to);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	int good = yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
		   yaml_emitter_emit(&emitter, &event) &&
		   yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
		   yaml_emitter_emit(&emitter, &event) && value(&emitter, object) &&
		   yaml_document_end_event_initialize(&event, 1) &&
		   yaml_emitter_emit(&emitter, &event) &&
		   yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(&emitter, &event);
	return good ? 0
		    : err_set(e, ERR_INVALID, "write YAML: %s",
			      emitter.problem ? emitter.problem : "no memory");
}
