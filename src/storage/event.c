#include "storage/event.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "base/utf8.h"
#include "storage/event_reader.h"

/* What each line begins with. Within a JSON string its quotes would be escaped. */
#define BEGINNING "{\"Type\":\""

struct actor {
	char *id;
	struct shape_map attributes;
};

struct line {
	char *type;
	char *action;
	struct actor actor;
	int64_t time_ns;
};

static const struct shape actor_shape = {
	sizeof(struct actor),
	(const struct shape_field[]){
		{ "ID", SHAPE_STRING, offsetof(struct actor, id), NULL, true },
		{ "Attributes", SHAPE_MAP, offsetof(struct actor, attributes), NULL, true },
		{ 0 },
	},
};

static const struct shape line_shape = {
	sizeof(struct line),
	(const struct shape_field[]){
		{ "Type", SHAPE_STRING, offsetof(struct line, type), NULL, true },
		{ "Action", SHAPE_STRING, offsetof(struct line, action), NULL, true },
		{ "Actor", SHAPE_OBJECT, offsetof(struct line, actor), &actor_shape, true },
		{ "timeNano", SHAPE_INT, offsetof(struct line, time_ns), NULL, true },
		{ 0 },
	},
};

void storage_event_clear(struct storage_event *event)
{
	free(event->type);
	free(event->action);
	free(event->id);
	shape_map_clear(&event->attributes);
	*event = (struct storage_event){ 0 };
}

/* ---- writing ---- */

static int by_key(const void *a, const void *b)
{
	const struct shape_pair *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static size_t weight(const struct shape_pair *pair)
{
	return strlen(pair->key) + strlen(pair->value);
}

/* The longest attribute goes: labels of a hundred kilobytes, nobody's name. */
static void drop_longest(struct shape_map *map)
{
	size_t longest = 0;

	for (size_t i = 1; i < map->count; i++)
		if (weight(&map->items[i]) > weight(&map->items[longest]))
			longest = i;
	free(map->items[longest].key);
	free(map->items[longest].value);
	map->count--;
	memmove(&map->items[longest], &map->items[longest + 1],
		(map->count - longest) * sizeof(*map->items));
}

/* One byte or character at text; what is no UTF-8 (a command may be anything) becomes U+FFFD, as it
 * would make the line unreadable. Returns how much of the text that was. */
static size_t add_character(struct str *to, const char *text, size_t left)
{
	unsigned char byte = (unsigned char)text[0];
	size_t length = utf8_length(text, left);

	if (byte < 0x20)
		str_addf(to, "\\u%04x", byte);
	else if (byte == '"' || byte == '\\')
		str_addf(to, "\\%c", byte);
	else if (length)
		str_add_n(to, text, length);
	else
		utf8_add(to, 0xfffd);
	return length ? length : 1;
}

static size_t plain_run(const char *text)
{
	size_t n = 0;

	while (text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

static void add_text(struct str *to, const char *text)
{
	str_add_char(to, '"');
	for (size_t left = strlen(text); left;) {
		size_t n = plain_run(text);
		if (n)
			str_add_n(to, text, n);
		else
			n = add_character(to, text, left);
		text += n;
		left -= n;
	}
	str_add_char(to, '"');
}

/* By hand: this is on the way of each start, and json-c takes three times as long. */
static void format(struct str *to, const struct storage_event *event)
{
	to->length = 0;
	str_room(to, 1024);
	str_add(to, "{\"Type\":");
	add_text(to, event->type);
	str_add(to, ",\"Action\":");
	add_text(to, event->action);
	str_add(to, ",\"Actor\":{\"ID\":");
	add_text(to, event->id);
	str_add(to, ",\"Attributes\":{");
	for (size_t i = 0; i < event->attributes.count; i++) {
		if (i)
			str_add_char(to, ',');
		add_text(to, event->attributes.items[i].key);
		str_add_char(to, ':');
		add_text(to, event->attributes.items[i].value);
	}
	str_addf(to, "}},\"timeNano\":%lld}\n", (long long)event->time_ns);
}

static bool is_current(int run_fd, const struct stat *ours)
{
	struct stat named;

	return fstatat(run_fd, EVENT_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_ino == ours->st_ino && named.st_dev == ours->st_dev;
}

/* One alone renames, and only the file that is full: who comes late finds another in its place. */
static void rotate(int run_fd, int fd, const struct stat *ours)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_current(run_fd, ours))
		renameat(run_fd, EVENT_FILE, run_fd, EVENT_FILE_OLD);
}

/* -ESTALE: the file had been rotated away twice, and was gone when this was written to it. */
static int append(int run_fd, const struct str *line)
{
	struct stat st;

	own_fd int fd = openat(run_fd, EVENT_FILE,
			       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, line->text, line->length);
	if (n < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_nlink == 0)
		return -ESTALE;
	if (st.st_size > EVENT_FILE_BYTES)
		rotate(run_fd, fd, &st);
	return (size_t)n < line->length ? -ENOSPC : 0;
}

void storage_event_write(int run_fd, struct storage_event *event)
{
	own_clear(str_clear) struct str line = { 0 };
	struct shape_map *attributes = &event->attributes;
	int r = -ESTALE;

	if (!event->time_ns)
		event->time_ns = moment_now_ns();
	if (attributes->count)
		qsort(attributes->items, attributes->count, sizeof(*attributes->items), by_key);
	format(&line, event);
	while (line.length > EVENT_LINE_BYTES && attributes->count) {
		drop_longest(attributes);
		format(&line, event);
	}
	for (int round = 0; r == -ESTALE && round < 3; round++)
		r = append(run_fd, &line);
	if (r < 0)
		log_debug("the event '%s %s' is lost: %s", event->type, event->action,
			  strerrordesc_np(-r));
}

void storage_event_write_parts(int run_fd, const char *type, const char *action, const char *id,
			       const struct shape_map *attributes, va_list more)
{
	own_clear(storage_event_clear) struct storage_event event = { .type = mem_text(type),
								      .action = mem_text(action),
								      .id = mem_text(id) };

	for (size_t i = 0; attributes && i < attributes->count; i++)
		shape_map_set(&event.attributes, attributes->items[i].key,
			      attributes->items[i].value);
	for (const char *key; (key = va_arg(more, const char *));)
		shape_map_set(&event.attributes, key, va_arg(more, const char *));
	storage_event_write(run_fd, &event);
}

/* ---- reading ---- */

/* The last event that begins in these bytes; what stands in front was not written to its end. */
static const char *last_beginning(const char *line, size_t length)
{
	const size_t size = sizeof(BEGINNING) - 1;
	const char *found = NULL;

	for (const char *at = line; length - (size_t)(at - line) >= size; at += size) {
		at = memmem(at, length - (size_t)(at - line), BEGINNING, size);
		if (!at)
			break;
		found = at;
	}
	return found;
}

int storage_event_parse(struct storage_event *ret, const char *line, size_t length, struct err *e)
{
	struct line read = { 0 };
	const char *from = last_beginning(line, length);

	if (!from)
		return err_set(e, ERR_CORRUPT, "not an event");
	int r = shape_read_text(&line_shape, from, length - (size_t)(from - line), &read, e);
	if (r < 0)
		return r;
	*ret = (struct storage_event){ read.type, read.action, read.actor.id, read.actor.attributes,
				       read.time_ns };
	if (ret->type && ret->action && ret->id)
		return 0;
	storage_event_clear(ret);
	return err_set(e, ERR_CORRUPT, "an event without a type, an action or an id");
}

bool storage_event_happened(int run_fd, const char *action, const char *id, int64_t since_ns)
{
	own(storage_event_reader_close) struct storage_event_reader *reader = NULL;
	const struct storage_event *event;
	struct err e;

	if (storage_event_reader_open(&reader, run_fd, &e) < 0)
		return false;
	while (storage_event_reader_next(reader, &event, &e) > 0)
		if (event->time_ns >= since_ns && str_equal(event->action, action) &&
		    str_equal(event->id, id))
			return true;
	return false;
}
