#include "engine/explain.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/spec.h"
#include "network/record.h"

static const char group[] = "Namespaces";

/* "net:[4026532001]", what lsns(8) and /proc call it; "" when it does not run. */
static void kernel_name(char to[64], const struct container_state *state, const char *file)
{
	own_free char *path = mem_format("/proc/%d/ns/%s", (int)state->pid, file);
	ssize_t n = state->pid > 0 ? readlink(path, to, 63) : 0;

	to[n > 0 ? n : 0] = '\0';
}

/* The name of a container, whose record says the id. */
static char *name_of(struct engine *engine, const char *id)
{
	own_clear(container_clear) struct container other = { 0 };
	struct err ignored;

	if (engine_load(engine, id, &other, NULL, &ignored) < 0)
		return mem_format("%.12s, which is gone", id);
	return mem_text(other.name);
}

static const struct kind {
	const char *name, *file, *flag;
} kinds[] = {
	{ "mount", "mnt", NULL },          { "pid", "pid", "--pid" },
	{ "network", "net", "--network" }, { "ipc", "ipc", "--ipc" },
	{ "uts", "uts", "--uts" },         { "cgroup", "cgroup", "--cgroupns" },
	{ "user", "user", "--userns" },    { "time", "time", NULL },
};

static const char *mode_of(const struct container *c, const struct kind *kind)
{
	const struct container_security *s = &c->security;
	const struct {
		const char *name, *mode;
	} modes[] = { { "mount", "private" },
		      { "pid", s->pid },
		      { "network", c->network.mode },
		      { "ipc", s->ipc },
		      { "uts", s->uts },
		      { "cgroup", s->cgroupns },
		      { "user", s->ids.uids.count ? s->userns : "host" },
		      { "time", spec_limits_are_seen(c) ? "private" : "host" } };

	for (size_t i = 0; i < COUNT_OF(modes); i++)
		if (!strcmp(modes[i].name, kind->name))
			return modes[i].mode ? modes[i].mode : "private";
	return "private";
}

/* User namespaces are the host's unless asked for; time namespaces go with the view of limits. */
static enum explain_compared compare(const struct kind *kind, const char *mode)
{
	bool host = !strcmp(mode, "host");

	if (!strcmp(kind->name, "user"))
		return host ? EXPLAIN_DEFAULT : EXPLAIN_TIGHTER;
	if (!strcmp(kind->name, "time"))
		return EXPLAIN_DEFAULT;
	if (host || config_container_name(mode))
		return EXPLAIN_WEAKER;
	if (!strcmp(kind->name, "ipc"))
		return !strcmp(mode, "none")        ? EXPLAIN_TIGHTER
		       : !strcmp(mode, "shareable") ? EXPLAIN_CHANGED
						    : EXPLAIN_DEFAULT;
	if (!strcmp(kind->name, "network") && strcmp(mode, NETWORK_DEFAULT) != 0)
		return !strcmp(mode, "none") || !strcmp(mode, "private") ? EXPLAIN_TIGHTER
									 : EXPLAIN_CHANGED;
	return EXPLAIN_DEFAULT;
}

static void add_networks(struct str *to, const struct container_network *network)
{
	if (network->endpoints.count == 0)
		str_add(to, ", with loopback alone");
	for (size_t i = 0; i < network->endpoints.count; i++)
		str_addf(to, "%s%s", i ? ", " : ", in ", network->endpoints.items[i].network);
}

static void add(struct explain_rows *to, struct engine *engine, const struct container *c,
		const struct container_state *state, const struct kind *kind)
{
	const char *mode = mode_of(c, kind), *id = config_container_name(mode);
	own_free char *other = id ? name_of(engine, id) : NULL;
	own_clear(str_clear) struct str value = { 0 };
	enum explain_compared compared = compare(kind, mode);
	char name[64];

	if (other)
		str_addf(&value, "%s %s's", str_equal(id, c->pod.id) ? "pod" : "container", other);
	else if (!strcmp(mode, "host"))
		str_add(&value, "the host's");
	else
		str_add(&value, "its own");
	if (!strcmp(kind->name, "network") && !other && strcmp(mode, "host") != 0)
		add_networks(&value, &c->network);
	if (!strcmp(kind->name, "ipc") && !strcmp(mode, "none"))
		str_add(&value, ", without /dev/shm");
	if (!strcmp(mode, "shareable"))
		str_add(&value, ", others may join");
	kernel_name(name, state, kind->file);
	if (*name)
		str_addf(&value, ", %s", name);
	bool said = compared != EXPLAIN_DEFAULT && kind->flag;
	explain_add(to, group, kind->name, str_take(&value), compared,
		    !said                               ? NULL
		    : other && str_equal(id, c->pod.id) ? mem_format("--pod %s", other)
		    : other ? mem_format("%s container:%s", kind->flag, other)
			    : mem_format("%s %s", kind->flag, mode));
}

static void add_ids(struct explain_rows *to, const char *what, const struct oci_id_mappings *ids,
		    const char *flag)
{
	own_clear(str_clear) struct str value = { 0 };

	for (size_t i = 0; i < ids->count; i++) {
		const struct oci_id_mapping *m = &ids->items[i];
		str_addf(&value, "%s%u-%u are the host's %u-%u", i ? "; " : "", m->container_id,
			 m->container_id + m->size - 1, m->host_id, m->host_id + m->size - 1);
	}
	explain_add(to, group, what, str_take(&value), EXPLAIN_TIGHTER, mem_text(flag));
}

void explain_namespaces(struct explain_rows *to, struct engine *engine, const struct container *c,
			const struct container_state *state)
{
	const struct runtime_idmap *ids = &c->security.ids;

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		add(to, engine, c, state, &kinds[i]);
	if (!ids->uids.count)
		return;
	own_free char *flag = mem_format("--userns %s", c->security.userns);
	add_ids(to, "users", &ids->uids, flag);
	add_ids(to, "groups", &ids->gids, flag);
}
