#include "image/progress_print.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/str.h"
#include "image/progress.h"

enum {
	LAYERS_MAX = 512, /* as many as an image may have */
	BAR_CELLS = 30,
	REDRAW_NS = 1000000000 / 15,
};

struct image_progress_print {
	int fd;
	bool in_place;
	struct image_progress *layers;
	size_t count;
	size_t lines_drawn; /* below which the cursor stands */
	int64_t drawn_at_ns;
	bool changed;
};

struct image_progress_print *image_progress_print_new(int fd, bool in_place)
{
	struct image_progress_print *print = mem_new_struct(struct image_progress_print);

	print->fd = fd;
	print->in_place = in_place;
	return print;
}

void image_progress_print_free(struct image_progress_print *print)
{
	free(print->layers);
	free(print);
}

bool image_progress_print_can_draw(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && !str_empty(term) && !str_equal(term, "dumb");
}

static const char *short_id(const struct image_progress *layer, char to[13])
{
	snprintf(to, 13, "%.12s", layer->digest + strlen("sha256:"));
	return to;
}

/* What came from a registry must not steer the terminal. */
static void add_clean(struct str *s, const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte < 0x20 || byte == 0x7f)
			str_addf(s, "\\x%02x", byte);
		else
			str_add_char(s, *text);
	}
}

static void add_bytes(struct str *s, const struct image_progress *layer)
{
	char done[16], total[16];

	number_format_bytes(done, (uint64_t)(layer->done > 0 ? layer->done : 0));
	if (layer->total < 0) {
		str_add(s, done);
		return;
	}
	number_format_bytes(total, (uint64_t)layer->total);
	str_addf(s, "%s/%s", done, total);
}

static void add_bar(struct str *s, const struct image_progress *layer)
{
	int64_t filled = layer->total > 0 ? layer->done * BAR_CELLS / layer->total : 0;

	if (filled > BAR_CELLS)
		filled = BAR_CELLS;
	str_add_char(s, '[');
	for (int i = 0; i < BAR_CELLS; i++)
		str_add_char(s, i < filled ? '=' : i == filled ? '>' : ' ');
	str_add(s, "] ");
	add_bytes(s, layer);
}

static void add_layer(struct str *s, const struct image_progress *layer)
{
	char id[13], total[16];

	str_addf(s, "%s: ", short_id(layer, id));
	switch (layer->state) {
	case IMAGE_STATE_EXISTS:
		str_add(s, "Already exists");
		break;
	case IMAGE_STATE_DONE:
		str_add(s, "Pull complete");
		if (layer->total >= 0) {
			number_format_bytes(total, (uint64_t)layer->total);
			str_addf(s, " %s", total);
		}
		break;
	case IMAGE_STATE_DOWNLOADING:
		str_add(s, "Pulling ");
		add_bar(s, layer);
		break;
	case IMAGE_STATE_UPLOADING:
		str_add(s, "Pushing ");
		add_bar(s, layer);
		break;
	case IMAGE_STATE_PUSHED:
		str_add(s, "Pushed");
		break;
	case IMAGE_STATE_MOUNTED:
		str_add(s, "Mounted from ");
		add_clean(s, layer->text);
		break;
	case IMAGE_STATE_UNPACKING:
		str_add(s, "Writing to disk");
		break;
	case IMAGE_STATE_RETRYING:
		str_add(s, "Trying again: ");
		add_clean(s, layer->text);
		break;
	default:
		str_add(s, "Waiting");
	}
}

static size_t terminal_rows(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 2 ? size.ws_row : 24;
}

static bool is_finished(const struct image_progress *layer)
{
	return layer->state == IMAGE_STATE_DONE || layer->state == IMAGE_STATE_EXISTS ||
	       layer->state == IMAGE_STATE_PUSHED || layer->state == IMAGE_STATE_MOUNTED;
}

/* More layers than rows would scroll the top out of reach: then one line stands for all. */
static void add_total(struct str *s, const struct image_progress_print *print)
{
	struct image_progress all = { .total = 0 };
	size_t finished = 0;

	for (size_t i = 0; i < print->count; i++) {
		const struct image_progress *layer = &print->layers[i];
		all.done += layer->done;
		all.total += layer->total > 0 ? layer->total : 0;
		finished += is_finished(layer);
	}
	str_addf(s, "%zu of %zu layers ", finished, print->count);
	add_bar(s, &all);
}

static void redraw(struct image_progress_print *print)
{
	own_clear(str_clear) struct str s = { 0 };
	bool fits = print->count < terminal_rows(print->fd);
	size_t lines = fits ? print->count : 1;

	str_add(&s, "\x1b[?7l"); /* a line that is cut is one line still */
	if (print->lines_drawn)
		str_addf(&s, "\x1b[%zuA", print->lines_drawn);
	for (size_t i = 0; i < lines; i++) {
		if (fits)
			add_layer(&s, &print->layers[i]);
		else
			add_total(&s, print);
		str_add(&s, "\x1b[K\n");
	}
	if (lines < print->lines_drawn)
		str_add(&s, "\x1b[J");
	str_add(&s, "\x1b[?7h");
	print->lines_drawn = lines;
	print->changed = false;
	print->drawn_at_ns = moment_monotonic_ns();
	if (lines)
		(void)fd_write_all(print->fd, s.text, s.length);
}

/* Adds or replaces. Returns whether the layer's state is another than before. */
static bool store_layer(struct image_progress_print *print, const struct image_progress *progress)
{
	for (size_t i = 0; i < print->count; i++) {
		struct image_progress *layer = &print->layers[i];
		if (!str_equal(layer->digest, progress->digest))
			continue;
		bool other = layer->state != progress->state;
		*layer = *progress;
		return other;
	}
	if (print->count == LAYERS_MAX)
		return false;
	print->layers = mem_resize(print->layers, print->count + 1, sizeof(*print->layers));
	print->layers[print->count++] = *progress;
	return true;
}

static void write_line(int fd, struct str *line)
{
	str_add_char(line, '\n');
	(void)fd_write_all(fd, line->text, line->length);
}

static void print_note(struct image_progress_print *print, const char *text)
{
	own_clear(str_clear) struct str line = { 0 };

	if (print->lines_drawn)
		redraw(print);
	print->lines_drawn = 0;
	add_clean(&line, text);
	write_line(print->fd, &line);
}

static void print_layer(struct image_progress_print *print, const struct image_progress *progress)
{
	own_clear(str_clear) struct str line = { 0 };

	if (!is_finished(progress) && progress->state != IMAGE_STATE_RETRYING)
		return;
	add_layer(&line, progress);
	write_line(print->fd, &line);
}

void image_progress_print_event(struct image_progress_print *print,
				const struct image_progress *progress)
{
	if (progress->kind == IMAGE_PROGRESS_NOTE)
		print_note(print, progress->text);
	if (progress->kind != IMAGE_PROGRESS_LAYER)
		return;
	bool other = store_layer(print, progress);
	if (!print->in_place && other)
		print_layer(print, progress);
	print->changed = true;
	if (print->in_place && moment_monotonic_ns() - print->drawn_at_ns >= REDRAW_NS)
		redraw(print);
}

void image_progress_print_finish(struct image_progress_print *print)
{
	if (print->in_place && print->changed)
		redraw(print);
}
