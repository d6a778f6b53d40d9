#include "engine/pods.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/inspect_part.h"
#include "engine/name.h"
#include "engine/pod.h"

/* ---- making ---- */

static const char share_default[] = "net,ipc,uts";

static int parse_share(struct strv *to, const char *text, struct err *e)
{
	static const char *const known[] = { "net", "ipc", "uts", "pid" };
	own_clear(strv_clear) struct strv words = { 0 };

	if (str_empty(text))
		text = share_default;
	if (text[0] == '+')
		strv_split(to, share_default, ',');
	if (str_equal(text, "none"))
		return 0;
	strv_split(&words, text + (text[0] == '+'), ',');
	for (size_t i = 0; i < words.count; i++) {
		bool good = false;
		for (size_t k = 0; k < COUNT_OF(known); k++)
			good |= str_equal(words.items[i], known[k]);
		if (!good)
			return err_set(e, ERR_INVALID,
				       "--share %s: '%s' is not one of net, ipc, uts, pid", text,
				       words.items[i]);
		if (!strv_contains(to, words.items[i]))
			strv_add(to, words.items[i]);
	}
	return 0;
}

/* Hardly anything: no capabilities, nothing to write to, one process that sleeps below holm-init,
 * which reaps what others leave in a PID namespace that is shared. */
static void fill(struct create_options *to, const struct pod_options *o, const char *name)
{
	static const char *const command[] = { "sleep", "2147483647" };

	to->is_pod = true;
	to->image = mem_text(str_empty(o->infra_image) ? "busybox" : o->infra_image);
	to->entrypoint = mem_text("");
	for (size_t i = 0; i < COUNT_OF(command); i++)
		strv_add(&to->command, command[i]);
	to->name = mem_text(name);
	to->hostname = mem_text(str_empty(o->hostname) ? name : o->hostname);
	to->ipc = mem_text(strv_contains(&to->share, "ipc") ? "shareable" : "private");
	to->read_only = true;
	to->stop_timeout = mem_text("1");
	strv_add(&to->cap_drop, "ALL");
	strv_add(&to->security_opt, "no-new-privileges");
	strv_add_all(&to->label, &o->label);
	strv_add_all(&to->label_file, &o->label_file);
	strv_add_all(&to->network, &o->network);
	strv_add_all(&to->add_host, &o->add_host);
	strv_add_all(&to->dns, &o->dns);
	strv_add_all(&to->dns_search, &o->dns_search);
	strv_add_all(&to->dns_option, &o->dns_option);
	strv_add_all(&to->publish, &o->publish);
	strv_add_all(&to->annotation, &o->annotation);
	strv_add_all(&to->sysctl, &o->sysctl);
	mem_replace(&to->userns, o->userns);
	to->no_hosts = o->no_hosts;
	mem_replace(&to->publish_mode, o->publish_mode);
	mem_replace(&to->ip, o->ip);
	mem_replace(&to->mac_address, o->mac_address);
	mem_replace(&to->cidfile, o->id_file);
}

/* A pod of this name that is there already gives way. */
static int make_room(struct engine *engine, const struct pod_options *o, struct err *e)
{
	const struct remove_options force = { .force = true };

	if (!o->replace)
		return 0;
	if (str_empty(o->name))
		return err_set(e, ERR_INVALID, "--replace needs a name");
	return engine_pods_remove(engine, o->name, &force, e);
}

int engine_pods_create(struct engine *engine, const struct pod_options *o, char **ret_id,
		       struct err *e)
{
	own_clear(create_options_clear) struct create_options create = { 0 };
	own_clear(container_clear) struct container c = { 0 };
	own_free char *made_up = str_empty(o->name) ? engine_name_generate(1) : NULL;

	int r = parse_share(&create.share, o->share, e);
	if (r < 0)
		return r;
	fill(&create, o, made_up ? made_up : o->name);
	create.detach = true;
	r = make_room(engine, o, e);
	if (r == 0)
		r = engine_create(engine, &create, &c, e);
	if (r == 0)
		*ret_id = mem_text(c.id);
	return r;
}

/* ---- listing ---- */

static void add_members(struct engine_pod *pod, const struct engine_rows *rows)
{
	pod->members = mem_new(rows->count, sizeof(*pod->members));
	for (size_t i = 0; i < rows->count; i++) {
		const struct engine_row *row = &rows->items[i];
		if (row != pod->pod && str_equal(row->container.pod.id, pod->pod->container.id))
			pod->members[pod->count++] = row;
	}
}

int engine_pods_list(struct engine *engine, struct engine_pods *ret, struct err *e)
{
	const struct list_options all = { .all = true };
	int r = engine_list(engine, &all, &ret->rows, e);

	for (size_t i = 0; r == 0 && i < ret->rows.count; i++) {
		if (!engine_pod_is(&ret->rows.items[i].container))
			continue;
		struct engine_pod *pod = shape_list_add(&ret->items);
		pod->pod = &ret->rows.items[i];
		add_members(pod, &ret->rows);
	}
	return r;
}

void engine_pods_clear(struct engine_pods *pods)
{
	for (size_t i = 0; i < pods->items.count; i++)
		free(pods->items.items[i].members);
	free(pods->items.items);
	engine_rows_clear(&pods->rows);
	*pods = (struct engine_pods){ 0 };
}

static bool runs(const struct engine_row *row)
{
	return container_state_live(&row->state) || row->state.status == CONTAINER_RESTARTING;
}

const char *engine_pods_status(const struct engine_pod *pod)
{
	size_t running = 0, paused = 0, created = 0, count = 0;

	for (size_t i = 0; i < pod->count; i++) {
		const struct engine_row *row = pod->members[i];
		if (row->container.pod.init)
			continue;
		count++;
		running += runs(row);
		paused += row->state.status == CONTAINER_PAUSED;
		created += row->state.status == CONTAINER_CREATED;
	}
	if (!count)
		return pod->pod->state.status == CONTAINER_CREATED  ? "Created"
		       : pod->pod->state.status == CONTAINER_PAUSED ? "Paused"
		       : runs(pod->pod)                             ? "Running"
								    : "Exited";
	if (paused == count)
		return "Paused";
	if (running == count)
		return "Running";
	if (running)
		return "Degraded";
	return created == count ? "Created" : "Exited";
}

int engine_pods_find(struct engine *engine, const char *name, struct engine_pods *pods,
		     const struct engine_pod **ret, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	int r = engine_pod_load(engine, name, &c, e);

	if (r == 0)
		r = engine_pods_list(engine, pods, e);
	for (size_t i = 0; r == 0 && i < pods->items.count; i++) {
		*ret = &pods->items.items[i];
		if (str_equal((*ret)->pod->container.id, c.id))
			return 0;
	}
	return r < 0 ? r : err_set(e, ERR_NOT_FOUND, "no such pod: %s", name);
}

static struct json_object *describe(const struct engine_row *row)
{
	struct json_object *to = json_object_new_object();

	inspect_text(to, "Id", row->container.id);
	inspect_text(to, "Name", row->container.name);
	inspect_text(to, "State", container_status_name(row->state.status));
	return to;
}

static const char *mode_of(const char *mode)
{
	return str_empty(mode) ? "private" : mode;
}

/* podman's names; what it has for other ways of making networks is not there. */
static struct json_object *describe_infra(const struct container *c)
{
	struct json_object *to = json_object_new_object();
	own_clear(strv_clear) struct strv networks = { 0 };
	const struct container_endpoint *first = NULL;

	for (size_t i = 0; i < c->network.endpoints.count; i++) {
		first = first ? first : &c->network.endpoints.items[i];
		strv_add(&networks, c->network.endpoints.items[i].network);
	}
	inspect_bool(to, "HostNetwork", str_equal(c->network.mode, "host"));
	inspect_text(to, "StaticIP", first ? first->address : NULL);
	inspect_strings(to, "DNSServer", &c->network.dns, true);
	inspect_strings(to, "DNSSearch", &c->network.dns_search, true);
	inspect_strings(to, "DNSOption", &c->network.dns_option, true);
	inspect_strings(to, "HostAdd", &c->network.add_host, true);
	inspect_strings(to, "Networks", &networks, true);
	inspect_text(to, "pid_ns", mode_of(c->security.pid));
	inspect_text(to, "uts_ns", mode_of(c->security.uts));
	inspect_text(to, "userns", str_empty(c->security.userns) ? "host" : c->security.userns);
	return to;
}

int engine_pods_inspect(struct engine *engine, const char *name, struct json_object **ret,
			struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	const struct engine_pod *pod;

	int r = engine_pods_find(engine, name, &pods, &pod, e);
	if (r < 0)
		return r;
	const struct container *c = &pod->pod->container;
	struct json_object *to = json_object_new_object(), *all = json_object_new_array();
	inspect_text(to, "Id", c->id);
	inspect_text(to, "Name", c->name);
	inspect_moment(to, "Created", c->created_ns);
	inspect_text(to, "State", engine_pods_status(pod));
	inspect_text(to, "Hostname", c->process.hostname);
	inspect_map(to, "Labels", &c->labels);
	inspect_text(to, "InfraContainerID", c->id);
	inspect_strings(to, "SharedNamespaces", &c->pod.share, false);
	inspect_number(to, "NumContainers", (int64_t)pod->count + 1);
	json_object_array_add(all, describe(pod->pod));
	for (size_t i = 0; i < pod->count; i++)
		json_object_array_add(all, describe(pod->members[i]));
	json_object_object_add(to, "Containers", all);
	inspect_text(to, "ExitPolicy", "continue");
	inspect_bool(to, "CreateInfra", true);
	json_object_object_add(to, "InfraConfig", describe_infra(c));
	*ret = to;
	return 0;
}

/* ---- doing ---- */

static int start_one(struct engine *engine, const struct container *c, struct err *e)
{
	const struct start_options plain = { 0 };
	struct engine_session session;
	int r = engine_start(engine, c->id, &plain, &session, e);

	return r < 0 && !engine_pod_is(c) ? err_add(e, "container %s", c->name) : r;
}

static int run_init(struct engine *engine, const struct container *c, struct err *e)
{
	const struct remove_options plain = { 0 };
	int code;

	int r = start_one(engine, c, e);
	if (r == 0)
		r = engine_wait(engine, c->id, ENGINE_WAIT_NOT_RUNNING, &code, e);
	if (r == 0 && code) {
		err_set(e, ERR_STATE, "the init container %s ended with %d", c->name, code);
		return err_hint(e, "holm logs %s shows what it said", c->name);
	}
	if (r == 0 && str_equal(c->pod.init, "once"))
		r = engine_remove(engine, c->id, &plain, e);
	return r;
}

/* Oldest first, as they were made. */
static int start_members(struct engine *engine, const struct engine_pod *pod, bool init,
			 struct err *e)
{
	int r = 0;

	for (size_t i = pod->count; r == 0 && i-- > 0;) {
		const struct container *c = &pod->members[i]->container;
		if (init && c->pod.init)
			r = run_init(engine, c, e);
		else if (!init && !c->pod.init)
			r = start_one(engine, c, e);
	}
	return r;
}

int engine_pods_start(struct engine *engine, const char *name, struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	const struct engine_pod *pod;
	bool any = false;

	int r = engine_pods_find(engine, name, &pods, &pod, e);
	if (r == 0)
		r = start_one(engine, &pod->pod->container, e);
	for (size_t i = 0; r == 0 && i < pod->count; i++)
		any |= runs(pod->members[i]) && !pod->members[i]->container.pod.init;
	if (r == 0 && !any)
		r = start_members(engine, pod, true, e);
	return r < 0 ? r : start_members(engine, pod, false, e);
}

/* The first thing that went wrong with one of several. */
struct failure {
	struct err *e;
	bool any;
};

static void report(void *arg, const char *name, const struct err *e)
{
	struct failure *failure = arg;

	if (!e || failure->any)
		return;
	failure->any = true;
	*failure->e = *e;
	err_add(failure->e, "container %.12s", name);
}

int engine_pods_stop(struct engine *engine, const char *name, const struct stop_options *o,
		     struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	own_clear(strv_clear) struct strv members = { 0 }, last = { 0 };
	struct failure failure = { .e = e };
	const struct engine_pod *pod;

	int r = engine_pods_find(engine, name, &pods, &pod, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < pod->count; i++)
		strv_add(&members, pod->members[i]->container.id);
	strv_add(&last, pod->pod->container.id);
	if (members.count)
		engine_stop(engine, &members, o, report, &failure);
	engine_stop(engine, &last, o, report, &failure);
	return failure.any ? -e->number : 0;
}

static int each(struct engine *engine, const struct engine_pod *pod,
		int (*call)(struct engine *engine, const struct engine_row *row, const void *arg,
			    struct err *e),
		const void *arg, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pod->count; i++)
		r = call(engine, pod->members[i], arg, e);
	return r < 0 ? r : call(engine, pod->pod, arg, e);
}

static int kill_one(struct engine *engine, const struct engine_row *row, const void *signal,
		    struct err *e)
{
	return runs(row) ? engine_kill(engine, row->container.id, signal, e) : 0;
}

int engine_pods_kill(struct engine *engine, const char *name, const char *signal, struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	const struct engine_pod *pod;
	int r = engine_pods_find(engine, name, &pods, &pod, e);

	if (r == 0 && !strcmp(engine_pods_status(pod), "Exited") && !runs(pod->pod))
		return err_set(e, ERR_STATE, "pod %s is not running", name);
	return r < 0 ? r : each(engine, pod, kill_one, signal, e);
}

static int pause_one(struct engine *engine, const struct engine_row *row, const void *arg,
		     struct err *e)
{
	const bool *pause = arg;
	bool paused = row->state.status == CONTAINER_PAUSED;

	if (!container_state_live(&row->state) || paused == *pause)
		return 0;
	return *pause ? engine_pause(engine, row->container.id, e)
		      : engine_unpause(engine, row->container.id, e);
}

int engine_pods_pause(struct engine *engine, const char *name, bool pause, struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	const struct engine_pod *pod;
	int r = engine_pods_find(engine, name, &pods, &pod, e);

	if (r == 0 && !runs(pod->pod))
		return err_set(e, ERR_STATE, "pod %s is not running", name);
	return r < 0 ? r : each(engine, pod, pause_one, &pause, e);
}

static int remove_one(struct engine *engine, const struct engine_row *row, const void *options,
		      struct err *e)
{
	int r = engine_remove(engine, row->container.id, options, e);

	return r < 0 && e->kind == ERR_NOT_FOUND ? 0 : r;
}

/* The pod itself may run: it does nothing but wait for the others. */
int engine_pods_remove(struct engine *engine, const char *name, const struct remove_options *o,
		       struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	const struct remove_options force = { .force = true, .volumes = o->volumes };
	const struct engine_pod *pod;

	int r = engine_pods_find(engine, name, &pods, &pod, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND && o->force ? 0 : r;
	for (size_t i = 0; i < pod->count; i++) {
		if (!runs(pod->members[i]) || o->force)
			continue;
		err_set(e, ERR_STATE, "container %s of it is running",
			pod->members[i]->container.name);
		return err_hint(e, "stop it first (holm pod stop %s), or remove it with --force",
				name);
	}
	for (size_t i = 0; r == 0 && i < pod->count; i++)
		r = remove_one(engine, pod->members[i], o, e);
	return r < 0 ? r : remove_one(engine, pod->pod, &force, e);
}
