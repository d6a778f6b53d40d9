/* `holm events`. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/print.h"
#include "cli/since.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "storage/event.h"

struct event_options {
	char *since;
	char *until;
	char *format;
	struct strv filter;
	bool stream;
	bool stream_given;
};

#define OPTIONS struct event_options
static const struct option table[] = {
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those of this type, event, container, image, volume, network, label" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "json, or a Go template" },
	{ "since", 0, OPTION_STRING(since), "TIME",
	  "from then on: 2026-01-31T12:00:00Z, seconds since 1970, or 10m (ago)" },
	{ "stream", 0, OPTION_TOGGLE(stream), NULL,
	  "wait for what comes (on unless =false: then only what has been)" },
	{ "until", 0, OPTION_STRING(until), "TIME", "up to then, and end" },
	{ 0 },
};
#undef OPTIONS

/* The names that Go programs know, where those of the JSON differ. */
static const char *const go_names[][2] = {
	{ "status", "Status" }, { "id", "ID" },     { "from", "From" },
	{ "scope", "Scope" },   { "time", "Time" }, { "timeNano", "TimeNano" },
};

static struct json_object *for_template(struct json_object *event)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < sizeof(go_names) / sizeof(go_names[0]); i++) {
		struct json_object *value = json_object_object_get(event, go_names[i][0]);
		json_object_object_add(object, go_names[i][1],
				       value ? json_object_get(value) : json_object_new_string(""));
	}
	json_object_object_foreach (event, key, value)
		if (key[0] >= 'A' && key[0] <= 'Z')
			json_object_object_add(object, key, json_object_get(value));
	return object;
}

static int print_format(const struct storage_event *event, const char *format, struct err *e)
{
	own_json struct json_object *plain = engine_events_json(event);

	if (strcmp(format, "json") == 0 || strcmp(format, "{{json .}}") == 0)
		return cli_format_object(plain, "json", e);
	own_json struct json_object *object = for_template(plain);
	return cli_format_object(object, format, e);
}

/* "2026-01-31T12:00:00.000000000+01:00": all nine digits, the zone of who reads. */
static void print_time(int64_t ns)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;
	char text[32], zone[8];

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	printf("%s.%09lld", text, (long long)(ns % 1000000000));
	if (tm.tm_gmtoff == 0)
		putchar('Z');
	else
		printf("%.3s:%s", zone, zone + 3);
}

static void print_line(const struct storage_event *event)
{
	own_clear(str_clear) struct str line = { 0 };

	str_addf(&line, "%s %s %s", event->type, event->action, event->id);
	for (size_t i = 0; i < event->attributes.count; i++)
		str_addf(&line, "%s%s=%s", i ? ", " : " (", event->attributes.items[i].key,
			 event->attributes.items[i].value);
	if (event->attributes.count)
		str_add_char(&line, ')');
	print_time(event->time_ns);
	putchar(' ');
	cli_print_clean(stdout, line.text);
	putchar('\n');
}

static int print_event(void *arg, const struct storage_event *event, struct err *e)
{
	const struct event_options *o = arg;
	int r = 0;

	if (str_empty(o->format))
		print_line(event);
	else
		r = print_format(event, o->format, e);
	/* who reads it from a pipe reads it now */
	if (r == 0 && fflush(stdout) != 0)
		return err_sys(e, "write to the standard output");
	return r;
}

static int run_events(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct event_options *o = options;
	struct events_options asked = { .filter = o->filter,
					.past = o->stream_given && !o->stream };
	struct engine *engine;

	(void)args;
	int r = cli_since_parse(&asked.since_ns, "--since", o->since, e);
	if (r == 0)
		r = cli_since_parse(&asked.until_ns, "--until", o->until, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_events(engine, &asked, print_event, o, e);
	return r;
}

const struct cli_command cli_events = {
	.names = "events|system events",
	.section = "Holm",
	.arguments = "[OPTIONS]",
	.summary = "Show what happens to containers, images and volumes",
	.options = table,
	.size = sizeof(struct event_options),
	.run = run_events,
};
