#include "engine/log_tag.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/container.h"
#include "oci/digest.h"

/* ---- tags ---- */

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static const char *image_hex(const struct container *c)
{
	const char *hex = c->image.id ? oci_digest_hex(c->image.id) : NULL;

	return or_empty(hex);
}

static void add_word(struct str *to, const char *word, const struct container *c)
{
	if (str_equal(word, "ID"))
		str_addf(to, "%.*s", CONTAINER_ID_SHORT, or_empty(c->id));
	else if (str_equal(word, "FullID"))
		str_add(to, or_empty(c->id));
	else if (str_equal(word, "Name"))
		str_add(to, or_empty(c->name));
	else if (str_equal(word, "ImageName"))
		str_add(to, or_empty(c->image.name));
	else if (str_equal(word, "ImageID"))
		str_addf(to, "%.*s", CONTAINER_ID_SHORT, image_hex(c));
	else if (str_equal(word, "ImageFullID"))
		str_add(to, image_hex(c));
	else
		str_add(to, "holm"); /* DaemonName */
}

static bool is_word(const char *word)
{
	static const char *const words[] = { "ID",      "FullID",      "Name",      "ImageName",
					     "ImageID", "ImageFullID", "DaemonName" };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_equal(words[i], word))
			return true;
	return false;
}

/* The word in "{{.Name}}" or "{{ .Name }}" at text; NULL: it is none. */
static char *take_word(const char **text)
{
	const char *end = strstr(*text, "}}");
	const char *at = *text + strlen("{{");

	if (!end)
		return NULL;
	at += strspn(at, " ");
	if (*at != '.')
		return NULL;
	own_free char *word = mem_text_n(at + 1, strcspn(at + 1, " }"));
	const char *rest = at + 1 + strlen(word);
	if (rest + strspn(rest, " ") != end || !is_word(word))
		return NULL;
	*text = end + strlen("}}");
	return take_ptr(&word);
}

int engine_log_tag_make(char **ret, const char *format, const struct container *c, struct err *e)
{
	own_clear(str_clear) struct str tag = { 0 };

	for (const char *at = format; *at;) {
		if (!str_starts(at, "{{")) {
			str_add_char(&tag, *at++);
			continue;
		}
		own_free char *word = take_word(&at);
		if (!word)
			return err_set(e, ERR_INVALID,
				       "'%s': not {{.X}} with one of ID, FullID, Name, ImageName, "
				       "ImageID, ImageFullID, DaemonName",
				       at);
		add_word(&tag, word, c);
	}
	*ret = str_take(&tag);
	return 0;
}

/* ---- attributes ---- */

/* NULL: none was asked for. The format has been checked when the container was made. */
static char *own_tag(const struct container *c)
{
	const char *format = shape_map_get(&c->log.options, "tag");
	struct err checked;
	char *tag = NULL;

	if (format && engine_log_tag_make(&tag, format, c, &checked) < 0)
		return NULL;
	return tag;
}

static void add_chosen(struct shape_map *to, const struct container *c)
{
	own_clear(strv_clear) struct strv labels = { 0 }, names = { 0 };

	strv_split(&labels, or_empty(shape_map_get(&c->log.options, "labels")), ',');
	for (size_t i = 0; i < labels.count; i++) {
		const char *value = shape_map_get(&c->labels, labels.items[i]);
		if (value)
			shape_map_set(to, labels.items[i], value);
	}
	strv_split(&names, or_empty(shape_map_get(&c->log.options, "env")), ',');
	for (size_t i = 0; i < names.count; i++) {
		const char *value = strv_value(&c->process.env, names.items[i]);
		if (value)
			shape_map_set(to, names.items[i], value);
	}
}

void engine_log_tag_attributes(struct shape_map *to, const struct container *c)
{
	own_free char *tag = own_tag(c);

	add_chosen(to, c);
	if (tag)
		shape_map_set(to, "tag", tag);
}

/* Letters, digits and "_", no "_" in front: other fields the journal drops. */
static char *field_name(const char *name)
{
	char *field = mem_text(name + strspn(name, "_"));

	for (char *c = field; *c; c++) {
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
		else if (!(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9'))
			*c = '_';
	}
	return field;
}

void engine_log_tag_journal(struct shape_map *to, const struct container *c)
{
	own_clear(shape_map_clear) struct shape_map chosen = { 0 };
	own_free char *id = mem_text_n(or_empty(c->id), CONTAINER_ID_SHORT);
	own_free char *asked = own_tag(c);
	const char *tag = asked ? asked : id;

	add_chosen(&chosen, c);
	for (size_t i = 0; i < chosen.count; i++) {
		own_free char *field = field_name(chosen.items[i].key);
		if (*field)
			shape_map_set(to, field, chosen.items[i].value);
	}
	shape_map_set(to, "CONTAINER_ID", id);
	shape_map_set(to, "CONTAINER_ID_FULL", or_empty(c->id));
	shape_map_set(to, "CONTAINER_NAME", or_empty(c->name));
	shape_map_set(to, "CONTAINER_TAG", tag);
	shape_map_set(to, "IMAGE_NAME", or_empty(c->image.name));
	shape_map_set(to, "SYSLOG_IDENTIFIER", tag);
}
