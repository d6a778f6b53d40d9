/* `holm pod create`, `ps`, `start`, `stop`, `restart`, `kill`, `pause`, `unpause`, `rm`, `prune`,
 * `inspect` and `exists`. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "engine/pod.h"
#include "engine/pods.h"

/* ---- create ---- */

#define OPTIONS struct pod_options
static const struct option create_table[] = {
	{ "name", 0, OPTION_STRING(name), "NAME", "its name; else one is made up" },
	{ "share", 0, OPTION_STRING(share), "LIST",
	  "the namespaces that its containers share: net,ipc,uts by default; pid; +pid adds; "
	  "none" },
	{ "hostname", 0, OPTION_STRING(hostname), "NAME", "host name inside (its name)" },
	{ "label", 'l', OPTION_STRINGS(label), "KEY=VALUE", "attach a label" },
	{ "label-file", 0, OPTION_STRINGS(label_file), "FILE", "labels, one a line", "file:" },
	{ "pod-id-file", 0, OPTION_STRING(id_file), "FILE", "write its id there", "file:" },
	{ "replace", 0, OPTION_FLAG(replace), NULL,
	  "remove a pod that has the name first, with its containers" },
	{ "infra-image", 0, OPTION_STRING(infra_image), "IMAGE",
	  "where the process that holds the namespaces comes from (busybox)", "image:" },
	OPTION_HEADING("Network, of all its containers"),
	{ "network", 0, OPTION_STRINGS(network), "NETWORK", "as that of run" },
	{ "ip", 0, OPTION_STRING(ip), "ADDRESS", "its IPv4 address" },
	{ "mac-address", 0, OPTION_STRING(mac_address), "ADDRESS", "its link's address" },
	{ "add-host", 0, OPTION_STRINGS(add_host), "NAME:ADDRESS", "a line of /etc/hosts" },
	{ "dns", 0, OPTION_STRINGS(dns), "ADDRESS", "ask this server for names" },
	{ "dns-search", 0, OPTION_STRINGS(dns_search), "DOMAIN", "look up short names there" },
	{ "dns-option", 0, OPTION_STRINGS(dns_option), "OPTION", "a line of resolv.conf" },
	{ "publish", 'p', OPTION_STRINGS(publish), "[[ADDRESS:][PORTS]:]PORTS[/PROTOCOL]",
	  "a port of the host for one of the pod's" },
	{ "publish-mode", 0, OPTION_STRING(publish_mode), "MODE",
	  "firewall (the host's input rules say who may come), or open", "firewall|open" },
	{ 0 },
};
#undef OPTIONS

static int run_create(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct pod_options o = *(struct pod_options *)options;
	struct engine *engine;

	if (args->count && o.name)
		return err_set(e, ERR_INVALID, "--name %s and the argument %s exclude each other",
			       o.name, args->items[0]);
	if (args->count)
		o.name = args->items[0];
	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	own_free char *id = NULL;
	r = engine_pods_create(engine, &o, &id, e);
	if (r == 0)
		puts(id);
	return r;
}

/* ---- ps ---- */

struct list_pods {
	bool quiet;
	bool no_trunc;
	char *format;
	struct strv filter;
};

#define OPTIONS struct list_pods
static const struct option list_table[] = {
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this name, id, status or label" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "no-trunc", 0, OPTION_FLAG(no_trunc), NULL, "do not shorten ids" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the ids alone" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"Id",
	"POD ID",
	"Name",
	"NAME",
	"Status",
	"STATUS",
	"Created",
	"CREATED",
	"InfraId",
	"INFRA ID",
	"NumberOfContainers",
	"# OF CONTAINERS",
	"Labels",
	"LABELS",
	"Shared",
	"SHARED",
	"ContainerIds",
	"IDS",
	"ContainerNames",
	"NAMES",
	"ContainerStatuses",
	"STATUS",
	NULL,
};

static const struct cli_format_list list = {
	.table = "{{.Id}}\t{{.Name}}\t{{.Status}}\t{{.Created}}\t{{.InfraId}}\t"
		 "{{.NumberOfContainers}}",
	.headers = headers,
	.id = "Id",
};

static void add(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text));
}

static void labels_of(struct strv *to, const struct container *c)
{
	for (size_t i = 0; i < c->labels.count; i++)
		strv_addf(to, "%s=%s", c->labels.items[i].key, c->labels.items[i].value);
}

/* The containers, the pod's own first, in podman's three columns. */
static void add_members(struct json_object *row, const struct engine_pod *pod, bool full)
{
	own_clear(strv_clear) struct strv ids = { 0 }, names = { 0 }, statuses = { 0 };

	for (size_t i = 0; i <= pod->count; i++) {
		const struct engine_row *of = i ? pod->members[pod->count - i] : pod->pod;
		strv_addf(&ids, "%.*s", full ? CONTAINER_ID_LENGTH : CONTAINER_ID_SHORT,
			  of->container.id);
		strv_add(&names, of->container.name);
		strv_add(&statuses, container_status_name(of->state.status));
	}
	own_free char *id = strv_join(&ids, ","), *name = strv_join(&names, ",");
	own_free char *status = strv_join(&statuses, ",");
	add(row, "ContainerIds", id);
	add(row, "ContainerNames", name);
	add(row, "ContainerStatuses", status);
}

static struct json_object *make_row(const struct engine_pod *pod, bool full)
{
	const struct container *c = &pod->pod->container;
	struct json_object *row = json_object_new_object();
	own_clear(strv_clear) struct strv labels = { 0 };
	own_free char *id = mem_text_n(c->id, full ? CONTAINER_ID_LENGTH : CONTAINER_ID_SHORT);
	char span[32];

	labels_of(&labels, c);
	moment_format_span(span, moment_now_ns() - c->created_ns);
	own_free char *ago = mem_format("%s ago", span), *joined = strv_join(&labels, ",");
	own_free char *count = mem_format("%zu", pod->count + 1);
	own_free char *shared = strv_join(&c->pod.share, ",");
	add(row, "Id", id);
	add(row, "Name", c->name);
	add(row, "Status", engine_pods_status(pod));
	add(row, "Created", ago);
	add(row, "InfraId", id);
	add(row, "NumberOfContainers", count);
	add(row, "Labels", joined);
	add(row, "Shared", shared);
	add_members(row, pod, full);
	return row;
}

static bool fits(const struct strv *wanted, const char *text, bool part)
{
	for (size_t i = 0; wanted && i < wanted->count; i++)
		if (part ? strstr(text, wanted->items[i]) != NULL
			 : strcasecmp(text, wanted->items[i]) == 0)
			return true;
	return !wanted;
}

static struct json_object *choose(const struct engine_pods *pods, const struct cli_filter *filter,
				  bool full)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < pods->items.count; i++) {
		const struct engine_pod *pod = &pods->items.items[i];
		const struct container *c = &pod->pod->container;
		own_clear(strv_clear) struct strv labels = { 0 };
		labels_of(&labels, c);
		if (fits(cli_filter_values(filter, "name"), c->name, true) &&
		    fits(cli_filter_values(filter, "id"), c->id, true) &&
		    fits(cli_filter_values(filter, "status"), engine_pods_status(pod), false) &&
		    cli_filter_label(filter, "label", &labels))
			json_object_array_add(rows, make_row(pod, full));
	}
	return rows;
}

static int run_list(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char *const keys[] = { "name", "id", "status", "label", NULL };
	const struct list_pods *o = options;
	own_clear(cli_filter_clear) struct cli_filter filter = { 0 };
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	struct engine *engine;

	(void)args;
	int r = cli_filter_parse(&filter, &o->filter, keys, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_pods_list(engine, &pods, e);
	if (r < 0)
		return r;
	own_json struct json_object *rows = choose(&pods, &filter, o->no_trunc);
	return cli_format_rows(&list, rows, o->format, o->quiet, e);
}

/* ---- what is done to pods ---- */

struct verb_options {
	bool all;
	struct stop_options stop;
	char *signal;
	struct remove_options remove;
};

#define OPTIONS struct verb_options
static const struct option all_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "all pods" },
	{ 0 },
};

static const struct option stop_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "all pods" },
	{ "time", 't', OPTION_STRING(stop.timeout), "SECONDS",
	  "then SIGKILL; -1 waits for ever; else each container's own" },
	{ 0 },
};

static const struct option kill_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "all pods" },
	{ "signal", 's', OPTION_STRING(signal), "SIGNAL", "KILL by default; name or number" },
	{ 0 },
};

static const struct option remove_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "all pods" },
	{ "force", 'f', OPTION_FLAG(remove.force), NULL,
	  "kill its containers first; one that does not exist is no error" },
	{ "volumes", 'v', OPTION_FLAG(remove.volumes), NULL, "their anonymous volumes, too" },
	{ 0 },
};

static const struct option prune_table[] = {
	{ "force", 'f', OPTION_FLAG(remove.force), NULL, "do not ask" },
	{ 0 },
};
#undef OPTIONS

typedef int verb(struct engine *engine, const char *name, const struct verb_options *o,
		 struct err *e);

static int verb_start(struct engine *engine, const char *name, const struct verb_options *o,
		      struct err *e)
{
	(void)o;
	return engine_pods_start(engine, name, e);
}

static int verb_stop(struct engine *engine, const char *name, const struct verb_options *o,
		     struct err *e)
{
	return engine_pods_stop(engine, name, &o->stop, e);
}

static int verb_restart(struct engine *engine, const char *name, const struct verb_options *o,
			struct err *e)
{
	int r = engine_pods_stop(engine, name, &o->stop, e);
	return r < 0 ? r : engine_pods_start(engine, name, e);
}

static int verb_kill(struct engine *engine, const char *name, const struct verb_options *o,
		     struct err *e)
{
	return engine_pods_kill(engine, name, o->signal, e);
}

static int verb_pause(struct engine *engine, const char *name, const struct verb_options *o,
		      struct err *e)
{
	(void)o;
	return engine_pods_pause(engine, name, true, e);
}

static int verb_unpause(struct engine *engine, const char *name, const struct verb_options *o,
			struct err *e)
{
	(void)o;
	return engine_pods_pause(engine, name, false, e);
}

static int verb_remove(struct engine *engine, const char *name, const struct verb_options *o,
		       struct err *e)
{
	return engine_pods_remove(engine, name, &o->remove, e);
}

struct call {
	verb *call;
	const struct verb_options *o;
};

static int call_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	const struct call *call = options;
	struct engine *engine;
	int r = cli_command_engine(cli, &engine, e);

	return r < 0 ? r : call->call(engine, name, call->o, e);
}

static int names_of_all(struct cli *cli, struct strv *names, struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_pods_list(engine, &pods, e);
	for (size_t i = 0; i < pods.items.count; i++)
		strv_add(names, pods.items.items[i].pod->container.name);
	return r;
}

static int run_verb(struct cli *cli, const struct verb_options *o, const struct strv *args, verb *f,
		    struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	const struct call call = { f, o };

	if (o->all && args->count)
		return err_set(e, ERR_INVALID, "--all and names exclude each other");
	if (!o->all && !args->count)
		return err_set(e, ERR_INVALID, "it needs a POD, or --all");
	int r = o->all ? names_of_all(cli, &names, e) : 0;
	return r < 0 ? r : cli_command_each(cli, o->all ? &names : args, call_one, &call);
}

#define RUN(name)                                                                                  \
	static int run_##name(struct cli *cli, void *options, const struct strv *args,             \
			      struct err *e)                                                       \
	{                                                                                          \
		return run_verb(cli, options, args, verb_##name, e);                               \
	}
RUN(start)
RUN(stop)
RUN(restart)
RUN(kill)
RUN(pause)
RUN(unpause)
RUN(remove)

static int run_prune(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct verb_options *o = options;
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	own_clear(strv_clear) struct strv names = { 0 };
	struct verb_options plain = { 0 };
	const struct call call = { verb_remove, &plain };
	struct engine *engine;

	(void)args;
	if (!o->remove.force && !cli_confirm("This removes all pods none of whose containers "
					     "runs."))
		return 0;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_pods_list(engine, &pods, e);
	for (size_t i = 0; r == 0 && i < pods.items.count; i++) {
		const char *status = engine_pods_status(&pods.items.items[i]);
		if (!strcmp(status, "Exited") || !strcmp(status, "Created"))
			strv_add(&names, pods.items.items[i].pod->container.name);
	}
	return r < 0 ? r : cli_command_each(cli, &names, call_one, &call);
}

/* ---- inspect, exists ---- */

struct inspect_pods {
	char *format;
};

#define OPTIONS struct inspect_pods
static const struct option inspect_table[] = {
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "json, or a Go template" },
	{ 0 },
};
#undef OPTIONS

static int run_inspect(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct inspect_pods *o = options;
	own_json struct json_object *all = json_object_new_array();
	struct engine *engine;
	int status = 0;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < args->count; i++) {
		struct json_object *one = NULL;
		if (engine_pods_inspect(engine, args->items[i], &one, e) == 0) {
			json_object_array_add(all, one);
			continue;
		}
		cli_command_error(cli, args->items[i], e);
		status = cli_command_status(cli, e);
	}
	r = cli_format_objects(all, o->format, e);
	return r < 0 ? r : status;
}

static int run_exists(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_pod_load(engine, args->items[0], &c, e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? 1 : r;
}

const struct cli_command cli_pod_create = {
	.names = "pod create",
	.section = "Pods",
	.arguments = "[OPTIONS] [NAME]",
	.summary = "Make a pod: namespaces for containers to share",
	.options = create_table,
	.size = sizeof(struct pod_options),
	.args_max = 1,
	.run = run_create,
};

const struct cli_command cli_pod_list = {
	.names = "pod ps|pod ls|pod list",
	.section = "Pods",
	.arguments = "[OPTIONS]",
	.summary = "List pods",
	.options = list_table,
	.size = sizeof(struct list_pods),
	.run = run_list,
};

#define VERB(symbol, word, table, text)                                                            \
	const struct cli_command cli_pod_##symbol = {                                              \
		.names = word,                                                                     \
		.section = "Pods",                                                                 \
		.arguments = "[OPTIONS] POD [POD...]",                                             \
		.summary = text,                                                                   \
		.options = table,                                                                  \
		.size = sizeof(struct verb_options),                                               \
		.args_max = CLI_ARGS_ANY,                                                          \
		.values = "pod:",                                                                  \
		.run = run_##symbol,                                                               \
	}
VERB(start, "pod start", all_table, "Start all containers of pods");
VERB(stop, "pod stop", stop_table, "Stop all containers of pods");
VERB(restart, "pod restart", stop_table, "Stop, then start pods");
VERB(kill, "pod kill", kill_table, "Send a signal to all containers of pods");
VERB(pause, "pod pause", all_table, "Stop all processes of pods where they are");
VERB(unpause, "pod unpause", all_table, "Let paused pods go on");
VERB(remove, "pod rm|pod remove", remove_table, "Remove pods and their containers");

const struct cli_command cli_pod_prune = {
	.names = "pod prune",
	.section = "Pods",
	.arguments = "[OPTIONS]",
	.summary = "Remove pods none of whose containers runs",
	.options = prune_table,
	.size = sizeof(struct verb_options),
	.run = run_prune,
};

const struct cli_command cli_pod_inspect = {
	.names = "pod inspect",
	.section = "Pods",
	.arguments = "[OPTIONS] POD [POD...]",
	.summary = "Show everything about pods",
	.options = inspect_table,
	.size = sizeof(struct inspect_pods),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "pod:",
	.run = run_inspect,
};

const struct cli_command cli_pod_exists = {
	.names = "pod exists",
	.section = "Pods",
	.arguments = "POD",
	.summary = "Is there a pod of this name? The exit status tells",
	.args_min = 1,
	.args_max = 1,
	.values = "pod:",
	.run = run_exists,
};
