/* `holm ps`: containers as docker lists them; `holm ls`: as lxc-ls does. */
#include "cli/ps.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/ports.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "engine/pod.h"
#include "engine/usage.h"
#include "storage/layer.h"
#include "storage/tree.h"

enum { COMMAND_WIDTH = 20 }; /* docker's, with its quotes and "…" */

struct ps_options {
	bool all;
	bool latest;
	bool no_trunc;
	bool quiet;
	bool size;
	bool pod;
	bool ls;      /* the other view, */
	bool running; /* of those that run alone */
	int64_t last;
	char *format;
	struct strv filter;
};

#define OPTIONS struct ps_options
static const struct option table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "also those that do not run" },
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this name, id, status, health, label, kind, ancestor, exited, before, "
	  "since, volume" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "last", 'n', OPTION_INT(last), "N", "the N newest, running or not" },
	{ "latest", 'l', OPTION_FLAG(latest), NULL, "the newest, running or not" },
	{ "no-trunc", 0, OPTION_FLAG(no_trunc), NULL, "do not shorten ids and commands" },
	{ "pod", 'p', OPTION_FLAG(pod), NULL, "with the pod that each is in" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the ids alone" },
	{ "size", 's', OPTION_FLAG(size), NULL, "with the bytes that each wrote" },
	{ 0 },
};

static const struct option ls_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "also those that do not run, as without it" },
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE", "only such ones, as of ps" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the names alone" },
	{ "running", 0, OPTION_FLAG(running), NULL, "only those that run" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"ID",       "CONTAINER ID", "Names",     "NAMES",      "Image",        "IMAGE",
	"Command",  "COMMAND",      "CreatedAt", "CREATED AT", "RunningFor",   "CREATED",
	"State",    "STATE",        "Status",    "STATUS",     "Ports",        "PORTS",
	"Labels",   "LABELS",       "Mounts",    "MOUNTS",     "LocalVolumes", "LOCAL VOLUMES",
	"Networks", "NETWORKS",     "Size",      "SIZE",       "Platform",     "PLATFORM",
	"Pod",      "POD ID",       "PodName",   "PODNAME",    "Created",      "CREATED",
	"ExitCode", "EXIT CODE",    "ImageID",   "IMAGE ID",   "IsInfra",      "IS INFRA",
	"Pid",      "PID",          "Restarts",  "RESTARTS",   "Kind",         "KIND",
	"IPv4",     "IPV4",         "IPv6",      "IPV6",       NULL,
};

static const struct cli_format_list list = {
	.table = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t"
		 "{{.Names}}",
	.headers = headers,
	.id = "ID",
};

static const struct cli_format_list list_with_pod = {
	.table = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t"
		 "{{.Names}}\t{{.Pod}}\t{{.PodName}}",
	.headers = headers,
	.id = "ID",
};

static const struct cli_format_list list_with_size = {
	.table = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t"
		 "{{.Names}}\t{{.Size}}",
	.headers = headers,
	.id = "ID",
};

static const struct cli_format_list list_of_hosts = {
	.table = "{{.Names}}\t{{.State}}\t{{.Kind}}\t{{if .IPv4}}{{.IPv4}}{{else}}-{{end}}\t"
		 "{{if .IPv6}}{{.IPv6}}{{else}}-{{end}}\t{{.Image}}",
	.headers = headers,
	.id = "Names",
};

/* What a column's text is made of. */
struct cell {
	const struct container *c;
	const struct container_state *state;
	struct engine *engine;
	bool full; /* ids and commands */
	bool size;
	int64_t now;
	struct str text;
};

static void add_id(struct cell *cell)
{
	str_add_n(&cell->text, cell->c->id, cell->full ? CONTAINER_ID_LENGTH : CONTAINER_ID_SHORT);
}

static void add_name(struct cell *cell)
{
	str_add(&cell->text, cell->c->name);
}

static void add_image(struct cell *cell)
{
	str_add(&cell->text, cell->c->image.name ? cell->c->image.name : "");
}

/* As docker: what has a blank in it stands in quotes, but not the program itself. */
static void quote(struct strv *words)
{
	for (size_t i = 1; i < words->count; i++) {
		own_free char *word = mem_text(words->items[i]);
		if (!strchr(word, ' '))
			continue;
		own_free char *quoted = mem_format("'%s'", word);
		mem_replace(&words->items[i], quoted);
	}
}

static void add_command(struct cell *cell)
{
	own_clear(strv_clear) struct strv words = { 0 };

	strv_add_all(&words, &cell->c->process.entrypoint);
	strv_add_all(&words, &cell->c->process.command);
	quote(&words);
	own_free char *line = strv_join(&words, " ");
	size_t length = strlen(line);

	if (cell->full || length <= COMMAND_WIDTH) {
		str_addf(&cell->text, "\"%s\"", line);
		return;
	}
	length = COMMAND_WIDTH - 1;
	while (length && ((unsigned char)line[length] & 0xc0) == 0x80)
		length--;
	str_addf(&cell->text, "\"%.*s\xe2\x80\xa6\"", (int)length, line);
}

static void add_created(struct cell *cell)
{
	char at[MOMENT_TEXT_SIZE];

	moment_format_local(at, cell->c->created_ns);
	str_add(&cell->text, at);
}

static void add_age(struct cell *cell)
{
	char span[32];

	moment_format_span(span, cell->now - cell->c->created_ns);
	str_addf(&cell->text, "%s ago", span);
}

static void add_state(struct cell *cell)
{
	str_add(&cell->text, container_status_name(cell->state->status));
}

static void add_status(struct cell *cell)
{
	char status[64];

	container_state_describe(status, cell->state, cell->now);
	str_add(&cell->text, status);
}

static void add_ports(struct cell *cell)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	struct err ignored;

	if (container_state_live(cell->state) && cell->engine &&
	    engine_ports_read(&ports, cell->engine, cell->c->id, &ignored) == 0)
		cli_ports_column(&cell->text, &ports, &cell->c->network.exposed);
}

static void add_labels(struct cell *cell)
{
	const struct shape_map *labels = &cell->c->labels;

	for (size_t i = 0; i < labels->count; i++)
		str_addf(&cell->text, "%s%s=%s", i ? "," : "", labels->items[i].key,
			 labels->items[i].value);
}

static void add_mounts(struct cell *cell)
{
	const struct container_storage *storage = &cell->c->storage;

	for (size_t i = 0; i < storage->mounts.count; i++) {
		const struct container_mount *m = &storage->mounts.items[i];
		str_addf(&cell->text, "%s%s", i ? "," : "",
			 m->name     ? m->name
			 : m->source ? m->source
				     : m->target);
	}
}

static void add_volumes(struct cell *cell)
{
	const struct container_storage *storage = &cell->c->storage;
	size_t local = 0;

	for (size_t i = 0; i < storage->mounts.count; i++)
		local += str_equal(storage->mounts.items[i].type, "volume");
	str_addf(&cell->text, "%zu", local);
}

static void add_networks(struct cell *cell)
{
	str_add(&cell->text, cell->c->network.mode ? cell->c->network.mode : "");
}

static void add_size(struct cell *cell)
{
	uint64_t written, all;
	char text[16];

	if (!cell->size) {
		str_add(&cell->text, "0B"); /* docker's, which counts on --size alone */
		return;
	}
	engine_usage_container(cell->engine, cell->c, &written, &all);
	number_format_bytes(text, written);
	str_add(&cell->text, text);
	if (cell->c->storage.size) {
		number_format_bytes(text, (uint64_t)cell->c->storage.size);
		str_addf(&cell->text, " of %s", text);
	}
	number_format_bytes(text, all);
	str_addf(&cell->text, " (virtual %s)", text);
}

static void add_pod(struct cell *cell)
{
	const char *id = cell->c->pod.id;

	if (id)
		str_add_n(&cell->text, id, cell->full ? CONTAINER_ID_LENGTH : CONTAINER_ID_SHORT);
}

static void add_pod_name(struct cell *cell)
{
	own_clear(container_clear) struct container pod = { 0 };
	struct err ignored;

	if (cell->c->pod.id && cell->engine &&
	    engine_load(cell->engine, cell->c->pod.id, &pod, NULL, &ignored) == 0)
		str_add(&cell->text, pod.name);
}

static void add_exit_code(struct cell *cell)
{
	str_addf(&cell->text, "%d", cell->state->exit_code);
}

static void add_pid(struct cell *cell)
{
	str_addf(&cell->text, "%d", container_state_live(cell->state) ? (int)cell->state->pid : 0);
}

static void add_restarts(struct cell *cell)
{
	str_addf(&cell->text, "%lld", (long long)cell->state->restart_count);
}

static void add_image_id(struct cell *cell)
{
	if (cell->c->image.id)
		str_add(&cell->text, cell->c->image.id);
}

static void add_is_infra(struct cell *cell)
{
	str_add(&cell->text, engine_pod_is(cell->c) ? "true" : "false");
}

static void add_kind(struct cell *cell)
{
	str_add(&cell->text, container_is_system(cell->c) ? CONTAINER_SYSTEM
			     : engine_pod_is(cell->c)     ? "pod"
							  : "application");
}

/* Those that it has now, of one family. */
static void add_addresses(struct cell *cell, bool six)
{
	own_clear(engine_network_places_clear) struct engine_places places = { 0 };
	struct err ignored;

	if (!cell->engine || !container_state_live(cell->state) ||
	    engine_network_places_read(&places, cell->engine, cell->c->id, &ignored) < 0)
		return;
	for (size_t i = 0; i < places.items.count; i++) {
		const struct strv *all = &places.items.items[i].addresses;
		for (size_t k = 0; k < all->count; k++)
			if ((strchr(all->items[k], ':') != NULL) == six)
				str_addf(&cell->text, "%s%.*s", cell->text.length ? "," : "",
					 (int)strcspn(all->items[k], "/"), all->items[k]);
	}
}

static void add_ipv4(struct cell *cell)
{
	add_addresses(cell, false);
}

static void add_ipv6(struct cell *cell)
{
	add_addresses(cell, true);
}

/* Docker's, then what podman has besides, then those of ls. */
static const struct {
	const char *name;
	void (*add)(struct cell *cell);
} columns[] = {
	{ "ID", add_id },
	{ "Names", add_name },
	{ "Image", add_image },
	{ "Command", add_command },
	{ "CreatedAt", add_created },
	{ "RunningFor", add_age },
	{ "State", add_state },
	{ "Status", add_status },
	{ "Ports", add_ports },
	{ "Labels", add_labels },
	{ "Mounts", add_mounts },
	{ "LocalVolumes", add_volumes },
	{ "Networks", add_networks },
	{ "Size", add_size },
	{ "Pod", add_pod },
	{ "PodName", add_pod_name },
	{ "Created", add_age },
	{ "ExitCode", add_exit_code },
	{ "ImageID", add_image_id },
	{ "IsInfra", add_is_infra },
	{ "Pid", add_pid },
	{ "Restarts", add_restarts },
	{ "Kind", add_kind },
	{ "IPv4", add_ipv4 },
	{ "IPv6", add_ipv6 },
};

static const struct cli_format_list *list_of(const struct ps_options *o)
{
	if (o->ls)
		return &list_of_hosts;
	return o->pod ? &list_with_pod : o->size ? &list_with_size : &list;
}

static struct json_object *make_row(struct engine *engine, const struct engine_row *from,
				    const struct ps_options *o, const bool wanted[], int64_t now)
{
	struct cell cell = { &from->container, &from->state, engine, o->no_trunc,
			     o->size,          now,          { 0 } };
	struct json_object *row = json_object_new_object();

	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		if (!wanted[i])
			continue;
		cell.text.length = 0;
		columns[i].add(&cell);
		json_object_object_add(
			row, columns[i].name,
			json_object_new_string_len(cell.text.length ? cell.text.text : "",
						   (int)cell.text.length));
	}
	if (str_equal(o->format, "json"))
		json_object_object_add(row, "Platform", NULL);
	str_clear(&cell.text);
	return row;
}

struct json_object *cli_ps_row(const struct engine_row *from, int64_t now)
{
	static const struct ps_options plain;
	bool wanted[COUNT_OF(columns)];

	for (size_t i = 0; i < COUNT_OF(columns); i++)
		wanted[i] = true;
	return make_row(NULL, from, &plain, wanted, now);
}

static struct json_object *make_rows(struct engine *engine, const struct engine_rows *rows,
				     const struct ps_options *o)
{
	struct json_object *array = json_object_new_array();
	bool wanted[COUNT_OF(columns)];
	/* a file to read for each: where they are asked for alone */
	const char *format = o->format ? o->format : "";
	int64_t now = moment_now_ns();

	for (size_t i = 0; i < COUNT_OF(columns); i++)
		wanted[i] =
			cli_format_wants(list_of(o), o->format, o->quiet, columns[i].name) &&
			(o->ls || !str_starts(columns[i].name, "IPv") || strstr(format, ".IPv"));
	for (size_t i = 0; i < rows->count; i++)
		json_object_array_add(array, make_row(engine, &rows->items[i], o, wanted, now));
	return array;
}

static int check(struct ps_options *o, struct list_options *ret, struct err *e)
{
	if (o->last < 0)
		return err_set(e, ERR_INVALID, "--last: '%lld' is not a number of containers",
			       (long long)o->last);
	/* as docker: a template that asks for it */
	o->size |= o->format && strstr(o->format, ".Size");
	ret->last = o->latest ? 1 : o->last;
	ret->all = o->all || ret->last;
	ret->filter = o->filter;
	return 0;
}

static int run_ps(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct ps_options *o = options;
	struct list_options asked = { 0 };
	struct engine_rows rows = { 0 };
	struct engine *engine;

	(void)args;
	int r = check(o, &asked, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_list(engine, &asked, &rows, e);
	if (r < 0)
		return r;
	own_json struct json_object *array = make_rows(engine, &rows, o);
	engine_rows_clear(&rows);
	return cli_format_rows(list_of(o), array, o->format, o->quiet, e);
}

static int run_ls(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct ps_options *o = options;

	if (o->all && o->running)
		return err_set(e, ERR_INVALID, "--all and --running exclude each other");
	o->ls = true;
	o->all = !o->running;
	return run_ps(cli, o, args, e);
}

const struct cli_command cli_ps_ls = {
	.names = "ls",
	.section = "Containers",
	.arguments = "[OPTIONS]",
	.summary = "List all containers, with state and addresses",
	.options = ls_table,
	.size = sizeof(struct ps_options),
	.run = run_ls,
};

const struct cli_command cli_ps = {
	.names = "ps|container ls|container list|container ps",
	.section = "Containers",
	.arguments = "[OPTIONS]",
	.summary = "List containers",
	.options = table,
	.size = sizeof(struct ps_options),
	.run = run_ps,
};
