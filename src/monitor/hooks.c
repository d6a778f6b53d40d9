/* hooks.c - the hooks that are run by the monitor, as LXC's does (lxc.container.conf(5), "Container
 * hooks"): before all else, right before the first process goes on, after its end, and before a
 * container of --rm is removed. While one runs peers are answered, so that nobody takes this
 * process for dead. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "monitor/monitor.h"
#include "oci/runtime_spec.h"
#include "runtime/hooks.h"

/* namespaces(7); LXC's names for them are these, too, but for "mnt". */
static const char *const kinds[MONITOR_HOOKS_NAMESPACES] = { "user", "mnt", "pid",    "uts",
							     "ipc",  "net", "cgroup", "time" };

static void turn(void *context)
{
	struct monitor *m = context;

	if (m->listener.fd >= 0)
		m->listener.ready(m, &m->listener, 0);
	for (struct monitor_peer *peer = m->peers; peer; peer = peer->next)
		if (!peer->ended)
			monitor_peer_read(m, peer);
}

/* Scripts that were written for LXC find what they look for. */
static void add_env(struct strv *env, const char *name, const char *value)
{
	strv_addf(env, "HOLM_%s=%s", name, value);
	strv_addf(env, "LXC_%s=%s", name, value);
}

static int run(struct monitor *m, const struct oci_spec *spec, enum runtime_hooks_kind kind,
	       pid_t pid, const struct strv *env, const struct strv *args, bool *failed,
	       struct err *e)
{
	const struct runtime_hooks_call call = { env, args, turn, m };

	return runtime_hooks_run_late(spec, kind, m->config.id, m->run_path, pid, &call, failed, e);
}

/* ---- before it runs ---- */

int monitor_hooks_pre_start(struct monitor *m, const struct oci_spec *spec, struct err *e)
{
	m->no_hooks = !shape_map_get(&spec->annotations, RUNTIME_HOOKS_MORE);
	return run(m, spec, RUNTIME_HOOKS_PRE_START, 0, NULL, NULL, NULL, e);
}

/* For those of its end: a namespace whose processes have gone is there as long as this is. */
static void keep_namespaces(struct monitor *m, const struct oci_spec *spec, pid_t pid)
{
	struct runtime_hooks hooks;
	struct err ignored;

	bool any = runtime_hooks_open_in_parent(&hooks, spec, m->config.id, m->run_path,
						&ignored) == 0 &&
		   runtime_hooks_any(&hooks, RUNTIME_HOOKS_STOP);
	runtime_hooks_close(&hooks);
	for (size_t i = 0; any && i < COUNT_OF(kinds); i++) {
		own_free char *path = mem_format("/proc/%d/ns/%s", (int)pid, kinds[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		m->namespaces[i] = fd < 0 ? 0 : fd;
	}
}

int monitor_hooks_start_host(struct monitor *m, const struct oci_spec *spec, pid_t pid,
			     struct err *e)
{
	own_clear(strv_clear) struct strv env = { 0 };
	struct monitor_figures_lent lent;
	char number[16];

	if (m->no_hooks)
		return 0;
	snprintf(number, sizeof(number), "%d", (int)pid);
	add_env(&env, "PID", number);
	keep_namespaces(m, spec, pid);
	/* it may look at what the container sees, and that is ours to answer */
	monitor_figures_lend(m, &lent);
	int r = run(m, spec, RUNTIME_HOOKS_START_HOST, pid, &env, NULL, NULL, e);
	monitor_figures_take_back(&lent);
	return r;
}

/* ---- after it ran ---- */

void monitor_hooks_forget(struct monitor *m)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (m->namespaces[i])
			close(m->namespaces[i]);
	memset(m->namespaces, 0, sizeof(m->namespaces));
}

/* As LXC hands them over: "net:/proc/PID/fd/N", and as a variable. */
static void add_namespaces(const struct monitor *m, struct strv *env, struct strv *args)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		own_free char *path = mem_format("/proc/%d/fd/%d", (int)getpid(), m->namespaces[i]);
		char name[16] = "";
		if (!m->namespaces[i])
			continue;
		for (size_t k = 0; kinds[i][k]; k++)
			name[k] = (char)(kinds[i][k] - 'a' + 'A');
		own_free char *variable = mem_format("%s_NS", name);
		strv_addf(args, "%s:%s", kinds[i], path);
		add_env(env, variable, path);
	}
}

static int read_spec(const struct monitor *m, struct oci_spec *spec)
{
	struct err e;

	int r = oci_spec_read_at(spec, m->run_dir, "config.json", &e);
	if (r < 0)
		log_warning("hooks: %s", e.text);
	return r;
}

static const char *target_of(bool again)
{
	return again ? "reboot" : "stop";
}

void monitor_hooks_stop(struct monitor *m, bool again)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_clear(strv_clear) struct strv env = { 0 }, args = { 0 };
	struct err e;

	if (!m->namespaces[0] && !m->namespaces[1])
		return;
	add_env(&env, "TARGET", target_of(again));
	add_namespaces(m, &env, &args);
	if (read_spec(m, &spec) == 0 &&
	    run(m, &spec, RUNTIME_HOOKS_STOP, 0, &env, &args, NULL, &e) < 0)
		log_warning("%s", e.text);
	monitor_hooks_forget(m);
}

bool monitor_hooks_post_stop(struct monitor *m, bool again)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_clear(strv_clear) struct strv env = { 0 };
	bool failed = false;
	struct err e;

	if (!m->has_poststop)
		return true;
	m->has_poststop = false;
	add_env(&env, "TARGET", target_of(again));
	if (read_spec(m, &spec) == 0 &&
	    run(m, &spec, RUNTIME_HOOKS_POSTSTOP, 0, &env, NULL, &failed, &e) < 0)
		log_warning("%s", e.text);
	return !failed;
}

void monitor_hooks_destroy(struct monitor *m)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	struct err e;

	if (!m->no_hooks && read_spec(m, &spec) == 0 &&
	    run(m, &spec, RUNTIME_HOOKS_DESTROY, 0, NULL, NULL, NULL, &e) < 0)
		log_warning("%s", e.text);
}
