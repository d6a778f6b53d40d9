#include "engine/events.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "storage/event.h"
#include "storage/event_reader.h"
#include "storage/store.h"

/* ---- filters ---- */

static const char *attribute(const struct storage_event *event, const char *key)
{
	const char *value = shape_map_get(&event->attributes, key);

	return value ? value : "";
}

/* "container=web": of this type, with an id or a name that begins so. */
static bool match_object(const struct storage_event *event, const char *key, const char *value)
{
	return str_equal(event->type, key) &&
	       (str_starts(event->id, value) || str_starts(attribute(event, "name"), value));
}

static bool is_image(const char *name, const char *value)
{
	size_t length = strlen(value);

	return str_starts(name, value) && (!name[length] || strchr(":@", name[length]));
}

/* Of images, and of containers that were made from them; the tag may be left out. */
static bool match_image(const struct storage_event *event, const char *key, const char *value)
{
	(void)key;
	if (str_equal(event->type, "container"))
		return is_image(attribute(event, "image"), value);
	return str_equal(event->type, "image") &&
	       (is_image(event->id, value) || is_image(attribute(event, "name"), value));
}

/* "exec_create" fits "exec_create: sh", too. */
static bool match_event(const struct storage_event *event, const char *key, const char *value)
{
	size_t length = strlen(value);

	(void)key;
	return str_starts(event->action, value) &&
	       (!event->action[length] || event->action[length] == ':' || strchr(value, ':'));
}

static bool match_type(const struct storage_event *event, const char *key, const char *value)
{
	(void)key;
	return str_equal(event->type, value);
}

static bool match_label(const struct storage_event *event, const char *key, const char *value)
{
	const char *equals = strchr(value, '=');
	own_free char *name = mem_text_n(value, strcspn(value, "="));
	const char *found = shape_map_get(&event->attributes, name);

	(void)key;
	return found && (!equals || str_equal(found, equals + 1));
}

static bool match_scope(const struct storage_event *event, const char *key, const char *value)
{
	(void)event;
	(void)key;
	return str_equal(value, "local");
}

static const struct filter_key {
	const char *name;
	bool every; /* all values must fit, instead of one */
	bool (*matches)(const struct storage_event *event, const char *key, const char *value);
} keys[] = {
	{ "container", false, match_object }, { "image", false, match_image },
	{ "volume", false, match_object },    { "network", false, match_object },
	{ "pod", false, match_object },       { "secret", false, match_object },
	{ "daemon", false, match_object },    { "plugin", false, match_object },
	{ "event", false, match_event },      { "type", false, match_type },
	{ "label", true, match_label },       { "scope", false, match_scope },
};

/* The value of text if it is KEY=value, else NULL. */
static const char *value_of(const struct filter_key *key, const char *text)
{
	size_t length = strlen(key->name);

	return str_starts(text, key->name) && text[length] == '=' ? text + length + 1 : NULL;
}

static int check_filter(const struct strv *texts, struct err *e)
{
	for (size_t i = 0; i < texts->count; i++) {
		bool known = false;
		for (size_t j = 0; !known && j < COUNT_OF(keys); j++)
			known = value_of(&keys[j], texts->items[i]) != NULL;
		if (!known)
			return err_set(e, ERR_INVALID,
				       "--filter '%s': not KEY=VALUE with one of container, image, "
				       "volume, network, pod, secret, daemon, plugin, event, type, "
				       "label, scope",
				       texts->items[i]);
	}
	return 0;
}

static bool key_fits(const struct strv *texts, const struct filter_key *key,
		     const struct storage_event *event)
{
	bool asked = false, any = false, every = true;

	for (size_t i = 0; i < texts->count; i++) {
		const char *value = value_of(key, texts->items[i]);
		if (!value)
			continue;
		bool fits = key->matches(event, key->name, value);
		asked = true;
		any |= fits;
		every &= fits;
	}
	return !asked || (key->every ? every : any);
}

static bool fits(const struct events_options *o, const struct storage_event *event)
{
	if (event->time_ns < o->since_ns || (o->until_ns && event->time_ns > o->until_ns))
		return false;
	for (size_t i = 0; o->filter.count && i < COUNT_OF(keys); i++)
		if (!key_fits(&o->filter, &keys[i], event))
			return false;
	return true;
}

/* ---- reading ---- */

static int report_all(struct storage_event_reader *reader, const struct events_options *o,
		      engine_events_report *report, void *arg, struct err *e)
{
	const struct storage_event *event;
	int r;

	while ((r = storage_event_reader_next(reader, &event, e)) > 0) {
		r = fits(o, event) ? report(arg, event, e) : 0;
		if (r < 0)
			return r;
	}
	return r;
}

/* Milliseconds until then, at least 1; -1: for ever; 0: it is over. */
static int left_ms(const struct events_options *o)
{
	if (o->past)
		return 0;
	if (!o->until_ns)
		return -1;
	int64_t ms = (o->until_ns - moment_now_ns()) / 1000000;
	return ms < 0 ? 0 : ms >= INT32_MAX ? INT32_MAX : (int)ms + 1;
}

int engine_events(struct engine *engine, const struct events_options *o,
		  engine_events_report *report, void *arg, struct err *e)
{
	own(storage_event_reader_close) struct storage_event_reader *reader = NULL;
	struct events_options asked = *o; /* its list is borrowed */

	if (!asked.since_ns && !asked.until_ns && !asked.past)
		asked.since_ns = moment_now_ns();
	int r = check_filter(&o->filter, e);
	if (r == 0)
		r = storage_event_reader_open(&reader, engine->store->run_fd, e);
	if (r < 0)
		return r;
	int watch = storage_event_reader_watch(reader, e);
	if (watch < 0)
		return watch;
	for (;;) {
		/* looked at before the journal is read, or the last events could be missed */
		int timeout = left_ms(&asked);
		struct pollfd polled = { .fd = watch, .events = POLLIN };
		r = report_all(reader, &asked, report, arg, e);
		if (r < 0 || timeout == 0)
			return r;
		if (poll(&polled, 1, timeout) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (polled.revents)
			storage_event_reader_settle(reader);
	}
}

/* ---- showing ---- */

static void add(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text));
}

static struct json_object *actor(const struct storage_event *event)
{
	struct json_object *object = json_object_new_object();
	struct json_object *attributes = json_object_new_object();

	for (size_t i = 0; i < event->attributes.count; i++)
		add(attributes, event->attributes.items[i].key, event->attributes.items[i].value);
	add(object, "ID", event->id);
	json_object_object_add(object, "Attributes", attributes);
	return object;
}

struct json_object *engine_events_json(const struct storage_event *event)
{
	struct json_object *object = json_object_new_object();
	bool container = str_equal(event->type, "container");

	/* what events had before they had actors */
	if (container || str_equal(event->type, "image")) {
		add(object, "status", event->action);
		add(object, "id", event->id);
	}
	if (container)
		add(object, "from", attribute(event, "image"));
	add(object, "Type", event->type);
	add(object, "Action", event->action);
	json_object_object_add(object, "Actor", actor(event));
	add(object, "scope", "local");
	json_object_object_add(object, "time", json_object_new_int64(event->time_ns / 1000000000));
	json_object_object_add(object, "timeNano", json_object_new_int64(event->time_ns));
	return object;
}
