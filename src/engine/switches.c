#include "engine/switches.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/container.h"
#include "engine/options.h"

enum { CALLS_MAX = 12 };

static const struct row {
	const char *name;
	const char *capability; /* --allow adds it, --deny drops it */
	const char *calls[CALLS_MAX];
} rows[] = {
	{ "chroot", "CAP_SYS_CHROOT", { NULL } },
	{ "mlock", NULL, { "mlock", "mlock2", "mlockall" } },
	{ "mount",
	  NULL,
	  { "mount", "umount2", "pivot_root", "fsopen", "fsconfig", "fsmount", "fspick",
	    "open_tree", "move_mount", "mount_setattr" } },
	{ "ptrace", NULL, { "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd" } },
	{ "raw_sockets", "CAP_NET_RAW", { NULL } },
	{ "reserved_ports", "CAP_NET_BIND_SERVICE", { NULL } },
	{ "set_hostname", NULL, { "sethostname", "setdomainname" } },
	{ "sysvipc",
	  NULL,
	  { "shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl", "msgget",
	    "msgsnd", "msgrcv", "msgctl" } },
};

static int find(const struct row **ret, const char *option, const char *name, struct err *e)
{
	const char *best = NULL;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		nearest_offer(&best, name, rows[i].name);
		if (!str_equal(rows[i].name, name))
			continue;
		*ret = &rows[i];
		return 0;
	}
	int r = err_set(e, ERR_INVALID,
			"%s %s: not one of chroot, mlock, mount, ptrace, raw_sockets, "
			"reserved_ports, set_hostname, sysvipc",
			option, name);
	return best ? err_hint(e, "did you mean %s?", best) : r;
}

static int allow(struct container_security *s, const char *name, struct err *e)
{
	const struct row *row;

	int r = find(&row, "--allow", name, e);
	if (r < 0)
		return r;
	if (!row->capability) {
		err_set(e, ERR_INVALID, "--allow %s: a container has no switch for it", name);
		return err_hint(e,
				"it is allowed unless --deny %s says otherwise, or takes a "
				"capability: --cap-add",
				name);
	}
	strv_add(&s->cap_add, row->capability);
	return 0;
}

static int deny(struct container_security *s, const char *name, struct err *e)
{
	const struct row *row;

	int r = find(&row, "--deny", name, e);
	if (r < 0)
		return r;
	if (row->capability)
		strv_add(&s->cap_drop, row->capability);
	if (!strv_contains(&s->deny, name))
		strv_add(&s->deny, name);
	return 0;
}

/* They are counted below its PID namespace, and asked for by a filter of holm's. */
static int set_children(struct container_security *s, const char *text, struct err *e)
{
	int64_t max;

	if (!text)
		return 0;
	if (number_parse_i64(&max, text, 0, INT32_MAX, e) < 0)
		return err_add(e, "--children-max");
	if (!str_equal(s->pid, "private"))
		return err_set(e, ERR_INVALID,
			       "--children-max counts what is below the container's own PID "
			       "namespace: not with --pid %s",
			       s->pid);
	if (s->seccomp_path)
		return err_set(e, ERR_INVALID,
			       "--children-max needs a seccomp filter of holm's, not "
			       "--security-opt seccomp=%s",
			       s->seccomp_path);
	s->children_max = mem_new(1, sizeof(*s->children_max));
	*s->children_max = max;
	return 0;
}

int engine_switches_set(struct container_security *s, const struct create_options *o, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->allow.count; i++)
		r = allow(s, o->allow.items[i], e);
	for (size_t i = 0; r == 0 && i < o->deny.count; i++)
		r = strv_contains(&o->allow, o->deny.items[i])
			    ? err_set(e, ERR_INVALID, "--allow and --deny both name %s",
				      o->deny.items[i])
			    : deny(s, o->deny.items[i], e);
	if (r == 0)
		r = set_children(s, o->children_max, e);
	if (r == 0 && s->deny.count && s->seccomp && !str_equal(s->seccomp, "builtin"))
		return err_set(e, ERR_INVALID,
			       "--deny needs holm's own seccomp profile, not --security-opt "
			       "seccomp=%s",
			       s->seccomp_path ? s->seccomp_path : s->seccomp);
	return r;
}

void engine_switches_calls(struct strv *to, const struct container_security *s)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!strv_contains(&s->deny, rows[i].name))
			continue;
		for (size_t k = 0; k < CALLS_MAX && rows[i].calls[k]; k++)
			strv_add(to, rows[i].calls[k]);
	}
}
