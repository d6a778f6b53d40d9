#include "image/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/shape.h"
#include "base/str.h"

/* The line as a struct: which of the first members is there tells its kind. */
struct line {
	char *note, *layer, *image, *error, *finding, *digest;
	char *state, *name, *reason, *hint, *kind;
	int64_t done, err_number;
	int64_t *total;
};

#define FIELD(name, type, member)                                                                  \
	{                                                                                          \
		name, type, offsetof(struct line, member)                                          \
	}
static const struct shape line_shape = {
	sizeof(struct line),
	(const struct shape_field[]){
		FIELD("note", SHAPE_STRING, note),
		FIELD("layer", SHAPE_STRING, layer),
		FIELD("image", SHAPE_STRING, image),
		FIELD("error", SHAPE_STRING, error),
		FIELD("finding", SHAPE_STRING, finding),
		FIELD("digest", SHAPE_STRING, digest),
		FIELD("state", SHAPE_STRING, state),
		FIELD("name", SHAPE_STRING, name),
		FIELD("reason", SHAPE_STRING, reason),
		FIELD("hint", SHAPE_STRING, hint),
		FIELD("kind", SHAPE_STRING, kind),
		FIELD("done", SHAPE_INT, done),
		FIELD("total", SHAPE_OPTIONAL_INT, total),
		FIELD("errno", SHAPE_INT, err_number),
		{ 0 },
	},
};

static const char *const state_names[IMAGE_STATES] = {
	[IMAGE_STATE_WAITING] = "waiting",     [IMAGE_STATE_DOWNLOADING] = "downloading",
	[IMAGE_STATE_RETRYING] = "retrying",   [IMAGE_STATE_UNPACKING] = "unpacking",
	[IMAGE_STATE_DONE] = "done",           [IMAGE_STATE_EXISTS] = "exists",
	[IMAGE_STATE_UPLOADING] = "uploading", [IMAGE_STATE_PUSHED] = "pushed",
	[IMAGE_STATE_MOUNTED] = "mounted",     [IMAGE_STATE_NEW] = "new",
};

const char *image_progress_state_name(enum image_progress_state state)
{
	return state_names[state];
}

static enum image_progress_state state_of(const char *name)
{
	for (size_t i = 0; i < IMAGE_STATES; i++)
		if (str_equal(name, state_names[i]))
			return (enum image_progress_state)i;
	return IMAGE_STATE_WAITING;
}

static enum err_kind kind_of(const char *name)
{
	for (int i = 0; i < ERR_KINDS; i++)
		if (str_equal(name, err_kind_name((enum err_kind)i)))
			return (enum err_kind)i;
	return ERR_INTERNAL;
}

/* JSON is UTF-8; an error may quote bytes of a file name that are not. */
static char *printable(const char *text)
{
	char *copy = mem_text(text);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return copy;
}

static void fill_line(struct line *line, const struct image_progress *p)
{
	switch (p->kind) {
	case IMAGE_PROGRESS_NOTE:
		line->note = printable(p->text);
		break;
	case IMAGE_PROGRESS_LAYER:
		line->layer = mem_text(p->digest);
		line->state = mem_text(state_names[p->state]);
		line->reason = *p->text ? printable(p->text) : NULL;
		line->done = p->done;
		line->total = mem_new_struct(int64_t);
		*line->total = p->total;
		break;
	case IMAGE_PROGRESS_IMAGE:
		line->image = mem_text(p->digest);
		line->state = mem_text(state_names[p->state]);
		line->name = printable(p->text);
		if (p->total >= 0) {
			line->total = mem_new_struct(int64_t);
			*line->total = p->total;
		}
		break;
	case IMAGE_PROGRESS_FINDING:
		line->finding = printable(p->text);
		line->digest = mem_text(p->digest);
		line->kind = mem_text(p->is_layer ? "layer" : "blob");
		line->state = mem_text(state_names[p->state]);
		break;
	case IMAGE_PROGRESS_ERROR:
		line->error = printable(p->err.text);
		line->hint = *p->err.hint ? printable(p->err.hint) : NULL;
		line->kind = mem_text(err_kind_name(p->err.kind));
		line->err_number = p->err.number;
		break;
	}
}

char *image_progress_write(const struct image_progress *progress)
{
	struct line line = { 0 };

	fill_line(&line, progress);
	own_json struct json_object *object = shape_write(&line_shape, &line);
	shape_clear(&line_shape, &line);
	return mem_format("%s\n", json_text(object));
}

static void copy_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "");
}

static int copy_digest(struct image_progress *p, const char *digest, struct err *e)
{
	if (!image_digest_is_valid(digest))
		return err_set(e, ERR_CORRUPT, "progress of holm-image: not a digest");
	copy_text(p->digest, sizeof(p->digest), digest);
	return 0;
}

static int read_kind(struct image_progress *p, const struct line *line, struct err *e)
{
	p->state = state_of(line->state);
	p->done = line->done;
	p->total = line->total ? *line->total : -1;
	if (line->error) {
		p->kind = IMAGE_PROGRESS_ERROR;
		p->err.kind = kind_of(line->kind);
		p->err.number = (int)line->err_number;
		copy_text(p->err.text, sizeof(p->err.text), line->error);
		copy_text(p->err.hint, sizeof(p->err.hint), line->hint);
		return 0;
	}
	if (line->layer) {
		p->kind = IMAGE_PROGRESS_LAYER;
		copy_text(p->text, sizeof(p->text), line->reason);
		return copy_digest(p, line->layer, e);
	}
	if (line->image) {
		p->kind = IMAGE_PROGRESS_IMAGE;
		copy_text(p->text, sizeof(p->text), line->name);
		return copy_digest(p, line->image, e);
	}
	if (line->finding) {
		p->kind = IMAGE_PROGRESS_FINDING;
		p->is_layer = str_equal(line->kind, "layer");
		copy_text(p->text, sizeof(p->text), line->finding);
		return copy_digest(p, line->digest, e);
	}
	p->kind = IMAGE_PROGRESS_NOTE;
	copy_text(p->text, sizeof(p->text), line->note);
	return 0;
}

int image_progress_read(struct image_progress *progress, const char *text, size_t length,
			struct err *e)
{
	own_json struct json_object *object = NULL;
	struct image_progress p = { 0 };
	struct line line = { 0 };
	int r = json_parse(&object, text, length, "progress of holm-image", e);

	if (r < 0)
		return r;
	r = shape_read(&line_shape, object, &line, e);
	if (r < 0)
		return err_add(e, "progress of holm-image");
	r = read_kind(&p, &line, e);
	shape_clear(&line_shape, &line);
	if (r == 0)
		*progress = p;
	return r;
}
