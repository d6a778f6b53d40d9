/* children.c - how many containers there may be in the container, at all depths: PID namespaces
 * below its own, which is what every engine makes. Whoever makes one waits until it is answered
 * here (org.holm.seccomp.children, runtime/seccomp_children.c).
 *
 * One that may go on is a maker until what came of it can be told, and counts as a container for
 * that time: so there is never one too many, however many ask at once. It ends being a maker when
 * its namespace is seen, when its thread is gone, or when that waits in another call; never by a
 * clock. Until it waits a container that it has made counts twice: who would be refused because
 * of that is answered a little later.
 * See docs/decisions/0060-containers-within-a-container.md. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "monitor/monitor.h"
#include "oci/runtime_spec.h"
#include "runtime/children.h"
#include "runtime/syscall.h"

enum {
	AGAIN_MS = 10,
	LATE_MS = 2000, /* who computes for so long and does not wait: what it made counts twice */
};

struct monitor_child_maker {
	struct runtime_children_maker maker;
	struct monitor_child_maker *next;
};

struct monitor_child_asker {
	int listener;
	uint64_t id;
	pid_t thread;
	int call;
	bool unshares;
	int64_t late_ms;
	struct monitor_child_asker *next;
};

struct tally {
	uint64_t there;  /* or certain to be */
	uint64_t making; /* may be there already, and counted above */
};

/* ---- which call it is ---- */

static bool is_call(const struct seccomp_data *data, enum runtime_syscall_row row)
{
	for (int abi = 0; abi < RUNTIME_SYSCALL_ABIS; abi++) {
		uint32_t number = (uint32_t)runtime_syscall_table[row].numbers[abi];
		if (abi == RUNTIME_SYSCALL_X32)
			number |= RUNTIME_SYSCALL_X32_BIT;
		if (data->arch == runtime_syscall_architectures[abi] &&
		    (uint32_t)data->nr == number)
			return true;
	}
	return false;
}

bool monitor_children_are_meant(const struct seccomp_data *data)
{
	return is_call(data, RUNTIME_SYSCALL_ROW_clone) ||
	       is_call(data, RUNTIME_SYSCALL_ROW_unshare);
}

/* ---- makers ---- */

static void take_tally(struct monitor_children *c, struct tally *ret)
{
	*ret = (struct tally){ 0 };
	for (struct monitor_child_maker **at = &c->makers; *at;) {
		struct monitor_child_maker *maker = *at;
		enum runtime_children_maker_state state =
			runtime_children_maker_look(&maker->maker);
		ret->there += state == RUNTIME_CHILDREN_PENDING;
		ret->making += state == RUNTIME_CHILDREN_MAKING;
		if (state != RUNTIME_CHILDREN_OVER) {
			at = &maker->next;
			continue;
		}
		*at = maker->next;
		runtime_children_maker_close(&maker->maker);
		free(maker);
	}
	/* behind that: what is over has to be in it */
	int count = runtime_children_count(c->pid_namespace);
	ret->there += count < 0 ? c->max : (uint64_t)count;
}

/* -errno: it may not go on, since it could not be followed. */
static int add_maker(struct monitor_children *c, const struct monitor_child_asker *asker)
{
	struct runtime_children_maker maker = RUNTIME_CHILDREN_MAKER_INIT;

	int r = runtime_children_maker_open(&maker, asker->thread);
	/* now it is known that this thread is the one that asks */
	if (r == 0 && ioctl(asker->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &asker->id) < 0)
		r = -errno;
	if (r == 0)
		r = monitor_calls_reply(asker->listener, asker->id, -EAGAIN);
	if (r < 0) {
		runtime_children_maker_close(&maker);
		return r;
	}
	maker.call = asker->call;
	maker.unshares = asker->unshares;
	struct monitor_child_maker *made = mem_new_struct(struct monitor_child_maker);
	*made = (struct monitor_child_maker){ maker, c->makers };
	c->makers = made;
	return 0;
}

/* ---- those who ask ---- */

static bool is_answered(struct monitor_children *c, const struct monitor_child_asker *asker,
			struct tally *tally, int64_t now_ms)
{
	if (tally->there + tally->making < c->max) {
		int r = add_maker(c, asker);
		tally->making += r == 0;
		if (r < 0 && r != -ENOENT)
			monitor_calls_reply(asker->listener, asker->id, -ENOSPC);
		return true;
	}
	if (tally->there < c->max && now_ms < asker->late_ms)
		return ioctl(asker->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &asker->id) < 0;
	monitor_calls_reply(asker->listener, asker->id, -ENOSPC);
	return true;
}

static void answer_all(struct monitor *m, int64_t now_ms)
{
	struct monitor_children *c = &m->children;
	struct tally tally;

	take_tally(c, &tally);
	for (struct monitor_child_asker **at = &c->askers; *at;) {
		struct monitor_child_asker *asker = *at;
		if (!is_answered(c, asker, &tally, now_ms)) {
			at = &asker->next;
			continue;
		}
		*at = asker->next;
		free(asker);
	}
	c->due_ms = c->askers ? now_ms + AGAIN_MS : 0;
}

void monitor_children_turn(struct monitor *m, int64_t now_ms)
{
	if (m->children.due_ms && now_ms >= m->children.due_ms)
		answer_all(m, now_ms);
}

static int find_pid_namespace(struct monitor *m)
{
	char path[32];

	if (m->children.pid_namespace >= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%lld/ns/pid", (long long)m->state.container.pid);
	m->children.pid_namespace = open(path, O_RDONLY | O_CLOEXEC);
	return m->children.pid_namespace < 0 ? -errno : 0;
}

void monitor_children_ask(struct monitor *m, int listener, const struct seccomp_notif *call)
{
	struct monitor_children *c = &m->children;
	int64_t now_ms = monitor_loop_now_ms();
	struct monitor_child_asker **end = &c->askers;

	if (find_pid_namespace(m) < 0 || !call->pid) {
		monitor_calls_reply(listener, call->id, -ENOSPC);
		return;
	}
	/* whoever asks is out of the call that it asked for before */
	for (struct monitor_child_maker *at = c->makers; at; at = at->next)
		if (at->maker.thread == (pid_t)call->pid)
			at->maker.call = -1;
	while (*end)
		end = &(*end)->next;
	*end = mem_new_struct(struct monitor_child_asker);
	**end = (struct monitor_child_asker){
		.listener = listener,
		.id = call->id,
		.thread = (pid_t)call->pid,
		.call = call->data.nr,
		.unshares = is_call(&call->data, RUNTIME_SYSCALL_ROW_unshare),
		.late_ms = now_ms + LATE_MS,
	};
	answer_all(m, now_ms);
}

/* ---- beginning and end ---- */

int monitor_children_prepare(struct monitor *m, const struct oci_spec *spec, struct err *e)
{
	const char *max = shape_map_get(&spec->annotations, "org.holm.seccomp.children");

	m->children.max = 0;
	if (max && number_parse_u64(&m->children.max, max, INT32_MAX, e) < 0)
		return err_add(e, "org.holm.seccomp.children");
	return 0;
}

void monitor_children_close(struct monitor *m)
{
	struct monitor_children *c = &m->children;

	while (c->makers) {
		struct monitor_child_maker *maker = c->makers;
		c->makers = maker->next;
		runtime_children_maker_close(&maker->maker);
		free(maker);
	}
	while (c->askers) {
		struct monitor_child_asker *asker = c->askers;
		c->askers = asker->next;
		free(asker);
	}
	if (c->pid_namespace >= 0)
		close(take_fd(&c->pid_namespace));
	c->due_ms = 0;
}
