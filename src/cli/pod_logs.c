/* `holm pod logs`: the logs of several containers as one, in the order of time. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/journal.h"
#include "cli/log_print.h"
#include "engine/engine.h"
#include "engine/pods.h"
#include "monitor/log.h"

/* See logs.c. */
enum { ALIVE_CHECK_MS = 250 };

struct pod_logs {
	bool follow;
	bool names;
	bool timestamps;
	struct strv container;
	struct cli_log_range range;
};

#define OPTIONS struct pod_logs
static const struct option table[] = {
	{ "container", 'c', OPTION_STRINGS(container), "CONTAINER",
	  "only of this one; can be given several times", "container:" },
	{ "follow", 'f', OPTION_FLAG(follow), NULL, "go on until the containers end" },
	{ "names", 'n', OPTION_FLAG(names), NULL, "names in front of lines instead of ids" },
	{ "since", 0, OPTION_STRING(range.since), "TIME",
	  "only from then on: 2026-01-31T12:00:00Z, seconds since 1970, or 10m (ago)" },
	{ "until", 0, OPTION_STRING(range.until), "TIME", "only up to then" },
	{ "tail", 0, OPTION_STRING(range.tail), "N", "only the last N lines of each, or all" },
	{ "timestamps", 't', OPTION_FLAG(timestamps), NULL, "with the time of each line" },
	{ 0 },
};
#undef OPTIONS

struct source {
	char *name;
	struct engine_log log;
	struct monitor_log_reader *reader; /* one of these two */
	struct cli_journal *journal;
	const struct monitor_log_record *next; /* read, not yet printed; borrowed */
	struct cli_log_output out;
};

struct sources {
	struct source *items;
	size_t count;
};

static void sources_clear(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		struct source *source = &sources->items[i];
		if (source->reader)
			monitor_log_close(source->reader);
		if (source->journal)
			cli_journal_close(source->journal);
		engine_log_close(&source->log);
		free(source->name);
	}
	free(sources->items);
}

static int add_source(struct sources *to, struct engine *engine, const struct engine_row *row,
		      const struct pod_logs *o, struct err *e)
{
	struct source *source = &to->items[to->count];
	const struct container *c = &row->container;
	struct monitor_log_range range = { 0 };

	int r = cli_log_print_range(&range, &o->range, e);
	if (r == 0)
		r = engine_log_open(engine, c->name, &source->log, e);
	if (r < 0 && e->kind == ERR_STATE && !o->container.count) {
		log_warning("%s", e->text);
		return 0;
	}
	if (r < 0)
		return r;
	to->count++;
	source->name = o->names ? mem_text(c->name) : mem_text_n(c->id, CONTAINER_ID_SHORT);
	if (source->log.journal)
		return cli_journal_open(&source->journal, source->log.id, &range, o->follow, e);
	return monitor_log_open(&source->reader, source->log.folder_fd, &range, e);
}

/* Names to full ids; each must be one of the pod. */
static int find_wanted(struct strv *to, struct engine *engine, const struct engine_pod *pod,
		       const struct strv *names, struct err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		char id[CONTAINER_ID_LENGTH + 1];
		bool found = false;
		int r = engine_find(engine, names->items[i], id, e);
		if (r < 0 && e->kind != ERR_NOT_FOUND)
			return r;
		for (size_t m = 0; r == 0 && m < pod->count; m++)
			found |= str_equal(pod->members[m]->container.id, id);
		if (!found)
			return err_set(e, ERR_NOT_FOUND, "--container %s: pod %s has none",
				       names->items[i], pod->pod->container.name);
		strv_add(to, id);
	}
	return 0;
}

static int open_sources(struct sources *to, struct engine *engine, const struct engine_pod *pod,
			const struct pod_logs *o, struct err *e)
{
	own_clear(strv_clear) struct strv wanted = { 0 };
	int r = find_wanted(&wanted, engine, pod, &o->container, e);

	to->items = mem_new(pod->count + 1, sizeof(*to->items));
	for (size_t i = pod->count; r == 0 && i-- > 0;) /* the oldest first */
		if (!wanted.count || strv_contains(&wanted, pod->members[i]->container.id))
			r = add_source(to, engine, pod->members[i], o, e);
	for (size_t i = 0; i < to->count; i++)
		to->items[i].out = (struct cli_log_output){
			.timestamps = o->timestamps,
			.prefix = to->count > 1 ? to->items[i].name : NULL,
		};
	return r;
}

/* 1, 0: none now; of a journal that is not followed: none any more, since it is waited for. */
static int next_of(struct source *source, bool follow, struct err *e)
{
	if (source->next)
		return 1;
	if (source->journal)
		return cli_journal_next(source->journal, !follow, &source->next, e);
	return monitor_log_next(source->reader, &source->next, e);
}

/* *ret: who has the oldest record that is not printed yet; NULL: nobody has one now. */
static int find_oldest(struct sources *sources, bool follow, struct source **ret, struct err *e)
{
	*ret = NULL;
	for (size_t i = 0; i < sources->count; i++) {
		struct source *source = &sources->items[i];
		int r = next_of(source, follow, e);
		if (r < 0)
			return r;
		if (r && (!*ret || source->next->time_ns < (*ret)->next->time_ns))
			*ret = source;
	}
	return 0;
}

/* Another one's line is not glued to one that has no end yet. */
static void end_lines(struct sources *sources, const struct source *but)
{
	for (size_t i = 0; i < sources->count; i++) {
		struct source *source = &sources->items[i];
		for (int stream = 0; source != but && stream < MONITOR_LOG_NOTICE; stream++) {
			if (source->out.inside[stream])
				fputc('\n', stream == MONITOR_LOG_STDOUT ? stdout : stderr);
			source->out.inside[stream] = false;
		}
	}
}

static int print_all(struct sources *sources, bool follow, struct err *e)
{
	struct source *oldest;
	int r;

	while ((r = find_oldest(sources, follow, &oldest, e)) == 0 && oldest) {
		end_lines(sources, oldest);
		cli_log_print(&oldest->out, oldest->next);
		oldest->next = NULL;
	}
	if (fflush(stdout) != 0)
		return err_sys(e, "write to the standard output");
	return r;
}

static bool goes_on(const struct source *source)
{
	if (!engine_log_alive(&source->log))
		return false;
	return source->journal ? cli_journal_fd(source->journal) >= 0
			       : !monitor_log_past_end(source->reader);
}

static bool any_goes_on(const struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		if (goes_on(&sources->items[i]))
			return true;
	return false;
}

static bool any_journal(const struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		if (sources->items[i].journal)
			return true;
	return false;
}

/* -1 of a journal that ended: poll(2) passes it over. */
static int watch(struct source *source, int *ret, struct err *e)
{
	*ret = source->journal ? cli_journal_fd(source->journal)
			       : monitor_log_watch(source->reader, e);
	return source->reader && *ret < 0 ? *ret : 0;
}

static int follow(struct sources *sources, struct err *e)
{
	own_free struct pollfd *polled = mem_new(sources->count + 1, sizeof(*polled));

	for (size_t i = 0; i < sources->count; i++) {
		polled[i] = (struct pollfd){ .events = POLLIN };
		int r = watch(&sources->items[i], &polled[i].fd, e);
		if (r < 0)
			return r;
	}
	for (;;) {
		/* asked before the files are read, or the last lines could be missed */
		bool on = any_goes_on(sources);
		int r = print_all(sources, true, e);
		/* the journal of one that has ended is a moment behind */
		if (r < 0 || (!on && !any_journal(sources)))
			return r;
		int ready = poll(polled, sources->count, ALIVE_CHECK_MS);
		if (ready < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (!on && ready == 0)
			return print_all(sources, true, e);
		for (size_t i = 0; i < sources->count; i++)
			if (sources->items[i].journal)
				polled[i].fd = cli_journal_fd(sources->items[i].journal);
			else if (polled[i].revents)
				monitor_log_settle(sources->items[i].reader);
	}
}

static int run_logs(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct pod_logs *o = options;
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	own_clear(sources_clear) struct sources sources = { 0 };
	const struct engine_pod *pod;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_pods_find(engine, args->items[0], &pods, &pod, e);
	if (r == 0)
		r = open_sources(&sources, engine, pod, o, e);
	if (r < 0)
		return r;
	return o->follow ? follow(&sources, e) : print_all(&sources, false, e);
}

const struct cli_command cli_pod_logs = {
	.names = "pod logs",
	.section = "Pods",
	.arguments = "[OPTIONS] POD",
	.summary = "Show what the containers of a pod have written",
	.options = table,
	.size = sizeof(struct pod_logs),
	.args_min = 1,
	.args_max = 1,
	.values = "pod:",
	.run = run_logs,
};
