/* end.c - the end of a container, in the order that its user notices least of it: first what
 * others can see (the record, the run folder, with --rm the name), then EXIT, and only then the
 * slow work of clearing up.
 *
 * The run folder becomes .dead-ID beside it, with `alive` still locked in it: a next start of the
 * same container waits for that lock (monitor_reap_settle(), reap.h), because this monitor still
 * removes cgroups of the same names. A container that is removed becomes .dead-ID in its own
 * place; whoever does that rename removes the name, so that it is never done twice. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "monitor/dead.h"
#include "monitor/monitor.h"
#include "monitor/proxies.h"
#include "monitor/rules.h"
#include "monitor/uplink.h"

static void fill_record(struct monitor *m, struct monitor_exit_record *record,
			const struct err *why)
{
	char finished[MOMENT_TEXT_SIZE];

	if (why) {
		m->exit.code = err_exit_status(why);
		m->exit.finished_ns = moment_now_ns();
		record->error = mem_text(why->text);
	}
	moment_format(finished, m->exit.finished_ns);
	record->exit_code = m->exit.code;
	record->oom_killed = m->exit.flags & MONITOR_EXIT_OOM;
	record->stopped = m->stopped && !m->shutdown;
	if (!why || m->phase != MONITOR_PHASE_STARTING)
		record->started_at = mem_text(m->state.started_at);
	record->finished_at = mem_text(finished);
	record->restart_count = m->state.restart_count;
}

static void write_record(struct monitor *m, const struct err *why)
{
	struct monitor_exit_record record = { 0 };
	struct err e;

	fill_record(m, &record, why);
	if (!m->config.remove && m->container_dir >= 0 &&
	    monitor_exit_record_write_at(m->container_dir, &record, &e) < 0)
		log_warning("%s", e.text);
	if (!m->config.remove && m->container_dir >= 0 && m->config.health.command.count)
		monitor_health_keep(m->run_dir, m->container_dir);
	shape_clear(&monitor_exit_record_shape, &record);
}

static void tell(struct monitor *m, const struct err *why)
{
	if (why && m->phase == MONITOR_PHASE_STARTING) {
		if (m->owner)
			monitor_peer_send_err(m, m->owner, why);
	} else {
		monitor_peer_send_exit(m);
	}
}

/* Those who connected or asked just before the end still get their answer. */
static void hear_last_requests(struct monitor *m)
{
	if (m->listener.fd >= 0)
		m->listener.ready(m, &m->listener, 0);
	for (struct monitor_peer *peer = m->peers; peer; peer = peer->next)
		monitor_peer_read(m, peer);
	monitor_source_close(m, &m->listener);
}

/* Before anybody learns of the end: the next may want the same ports. Returns what is closed at the
 * very end (rules.h), or -1. */
static int release_ports(struct monitor *m)
{
	int late = monitor_rules_remove(m->run_dir);

	monitor_uplink_end(m->run_dir);
	monitor_proxies_end(m->run_dir, NULL);
	for (int i = 0; i < 2; i++)
		if (m->ports[i] >= 0)
			close(take_fd(&m->ports[i]));
	return late;
}

static void clear_up(struct monitor *m, bool removed)
{
	struct err e;

	if (monitor_container_delete(m, &e) < 0)
		log_warning("%s", e.text);
	monitor_hooks_post_stop(m, false);
	monitor_log_writer_close(&m->log);
	if (removed)
		monitor_dead_remove_container(m->config.root, &m->config);
	monitor_dead_remove_run_dir(m->run_path);
}

void monitor_end(struct monitor *m, const struct err *why)
{
	bool removed = false;

	monitor_change_read(m);
	m->exit.flags &= ~(uint32_t)MONITOR_EXIT_RESTARTING;
	if (m->is_exec) {
		tell(m, why);
		m->phase = MONITOR_PHASE_ENDED;
		return;
	}
	write_record(m, why);
	monitor_dns_close(m);
	monitor_dead_remove_names(m->run_path);
	own_fd int late = release_ports(m);
	if (m->config.remove)
		monitor_hooks_destroy(m);
	if (m->config.remove)
		removed = monitor_dead_rename_container(m->config.root, &m->config);
	if (removed)
		monitor_change_tell(m, "destroy", NULL);
	monitor_dead_rename_run_dir(m->run_path);
	hear_last_requests(m);
	tell(m, why);
	m->phase = MONITOR_PHASE_ENDED;
	clear_up(m, removed);
}
