/* What its processes may, and the filters around them. */
#include "engine/explain.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/spec.h"
#include "runtime/capability.h"
#include "runtime/lsm.h"

static const char group[] = "Privileges";

/* "NET_ADMIN SYS_PTRACE" */
static char *names_of(uint64_t set)
{
	own_clear(strv_clear) struct strv names = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	runtime_capability_names(&names, set);
	for (size_t i = 0; i < names.count; i++)
		str_addf(&text, "%s%s", i ? " " : "", names.items[i] + strlen("CAP_"));
	return str_take(&text);
}

/* "--cap-add NET_ADMIN --cap-add SYS_PTRACE" */
static char *flags_of(const char *flag, const struct strv *names)
{
	own_clear(str_clear) struct str text = { 0 };

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];
		str_addf(&text, "%s%s %s", i ? " " : "", flag,
			 str_starts(name, "CAP_") ? name + strlen("CAP_") : name);
	}
	return str_take(&text);
}

static void capabilities(struct explain_rows *to, const struct container_security *s)
{
	uint64_t own = runtime_capability_own(), normal = runtime_capability_default & own, set;
	struct err ignored;

	if (spec_capabilities(&set, s, own, &ignored) < 0)
		set = 0;
	own_free char *all = names_of(set);
	explain_add(to, group, "capabilities", mem_text(set ? all : "none"), EXPLAIN_DEFAULT, NULL);
	if (set & ~normal)
		explain_add(to, group, "  added", names_of(set & ~normal), EXPLAIN_WEAKER,
			    s->privileged ? mem_text("--privileged")
					  : flags_of("--cap-add", &s->cap_add));
	if (normal & ~set)
		explain_add(to, group, "  dropped", names_of(normal & ~set), EXPLAIN_TIGHTER,
			    flags_of("--cap-drop", &s->cap_drop));
}

static void user(struct explain_rows *to, const struct container_process *p)
{
	bool root = !p->user || !strcmp(p->user, "0") || str_starts(p->user, "0:") ||
		    !strcmp(p->user, "root") || str_starts(p->user, "root:");

	explain_add(to, group, "user", mem_text(p->user ? p->user : "root"),
		    root ? EXPLAIN_DEFAULT : EXPLAIN_TIGHTER,
		    root ? NULL : mem_format("--user %s, or the image's", p->user));
}

static void seccomp(struct explain_rows *to, const struct container_security *s)
{
	if (str_equal(s->seccomp, "unconfined"))
		explain_add(to, group, "seccomp", mem_text("none: all system calls"),
			    EXPLAIN_WEAKER, mem_text("--security-opt seccomp=unconfined"));
	else if (!s->seccomp && s->privileged)
		explain_add(to, group, "seccomp", mem_text("none: all system calls"),
			    EXPLAIN_WEAKER, mem_text("--privileged"));
	else if (s->seccomp_path)
		explain_add(to, group, "seccomp", mem_format("the profile %s", s->seccomp_path),
			    EXPLAIN_WEAKER,
			    mem_format("--security-opt seccomp=%s", s->seccomp_path));
	else
		explain_add(to, group, "seccomp", mem_text("holm's profile"), EXPLAIN_DEFAULT,
			    NULL);
}

static void apparmor(struct explain_rows *to, const struct container *c)
{
	const struct container_security *s = &c->security;

	if (!runtime_lsm_has_apparmor())
		explain_add(to, group, "apparmor", mem_text("not active on this host"),
			    EXPLAIN_DEFAULT, NULL);
	else if (s->apparmor)
		explain_add(to, group, "apparmor", mem_text(s->apparmor),
			    str_equal(s->apparmor, "unconfined") ? EXPLAIN_WEAKER : EXPLAIN_CHANGED,
			    mem_format("--security-opt apparmor=%s", s->apparmor));
	else if (s->privileged)
		explain_add(to, group, "apparmor", mem_text("unconfined"), EXPLAIN_WEAKER,
			    mem_text("--privileged"));
	else
		explain_add(to, group, "apparmor", mem_text(container_apparmor(c)), EXPLAIN_DEFAULT,
			    NULL);
}

static void selinux(struct explain_rows *to, const struct container_security *s)
{
	if (!runtime_lsm_has_selinux())
		explain_add(to, group, "selinux", mem_text("not active on this host"),
			    EXPLAIN_DEFAULT, NULL);
	else
		explain_add(to, group, "selinux",
			    mem_text(s->label ? s->label : "the policy's own label"),
			    s->label ? EXPLAIN_CHANGED : EXPLAIN_DEFAULT,
			    s->label ? mem_format("--security-opt label=%s", s->label) : NULL);
}

static void new_privileges(struct explain_rows *to, const struct container_security *s)
{
	bool none = s->no_new_privileges;

	explain_add(to, group, "setuid programs", mem_text(none ? "gain nothing" : "work"),
		    none ? EXPLAIN_TIGHTER : EXPLAIN_DEFAULT,
		    none ? mem_text("--security-opt no-new-privileges") : NULL);
}

static void masks(struct explain_rows *to, const struct container_security *s)
{
	own_clear(strv_clear) struct strv hidden = { 0 }, read_only = { 0 };
	const char *all = s->privileged   ? "--privileged"
			  : s->unmask_all ? "--security-opt systempaths=unconfined"
					  : NULL;

	spec_masks(&hidden, &read_only, s);
	own_free char *texts[] = { strv_join(&hidden, " ") };
	own_free char *written[] = { strv_join(&read_only, " ") };
	explain_add(to, group, "hidden", mem_text(hidden.count ? texts[0] : "nothing"),
		    all ? EXPLAIN_WEAKER : EXPLAIN_DEFAULT, mem_text(all));
	explain_add(to, group, "read-only", mem_text(read_only.count ? written[0] : "nothing"),
		    all ? EXPLAIN_WEAKER : EXPLAIN_DEFAULT, mem_text(all));
	for (size_t i = 0; i < s->unmask.count; i++)
		explain_add(to, group, "  shown", mem_text(s->unmask.items[i]), EXPLAIN_WEAKER,
			    mem_format("--security-opt unmask=%s", s->unmask.items[i]));
	for (size_t i = 0; i < s->mask.count; i++)
		explain_add(to, group, "  hidden, too", mem_text(s->mask.items[i]), EXPLAIN_TIGHTER,
			    mem_format("--security-opt mask=%s", s->mask.items[i]));
}

static void devices(struct explain_rows *to, const struct container_security *s)
{
	explain_add(to, group, "devices",
		    mem_text(s->privileged ? "all of the host's"
					   : "null zero full random urandom tty ptmx"),
		    s->privileged ? EXPLAIN_WEAKER : EXPLAIN_DEFAULT,
		    s->privileged ? mem_text("--privileged") : NULL);
	for (size_t i = 0; i < s->devices.count; i++) {
		const char *host = s->devices.items[i].host, *target = s->devices.items[i].target;
		explain_add(
			to, group, "  device",
			mem_format("%s as %s (%s)", host, target, s->devices.items[i].permissions),
			EXPLAIN_WEAKER, mem_format("--device %s", host));
	}
	for (size_t i = 0; i < s->device_rules.count; i++)
		explain_add(to, group, "  devices", mem_text(s->device_rules.items[i]),
			    EXPLAIN_WEAKER,
			    mem_format("--device-cgroup-rule '%s'", s->device_rules.items[i]));
}

/* In another's PID namespace it is not 1, and nothing is there to be reaped. */
static void pid_1(struct explain_rows *to, const struct container *c)
{
	const char *pid = c->security.pid;

	if (c->process.init)
		explain_add(to, group, "PID 1", mem_text("holm-init"), EXPLAIN_DEFAULT, NULL);
	else if (str_equal(pid, "private"))
		explain_add(to, group, "PID 1", mem_text("the command itself"), EXPLAIN_CHANGED,
			    mem_text("--no-init"));
	else
		explain_add(to, group, "PID 1", mem_text("another's"), EXPLAIN_DEFAULT, NULL);
}

void explain_privileges(struct explain_rows *to, const struct container *c)
{
	const struct container_security *s = &c->security;

	if (s->posture)
		explain_add(to, group, "posture", mem_text(s->posture), EXPLAIN_DEFAULT, NULL);
	pid_1(to, c);
	user(to, &c->process);
	capabilities(to, s);
	new_privileges(to, s);
	seccomp(to, s);
	apparmor(to, c);
	selinux(to, s);
	masks(to, s);
	devices(to, s);
	for (size_t i = 0; i < s->deny.count; i++)
		explain_add(to, group, s->deny.items[i], mem_text("denied"), EXPLAIN_TIGHTER,
			    mem_format("--deny %s", s->deny.items[i]));
	if (s->children_max)
		explain_add(to, group, "containers in it",
			    mem_format("at most %lld", (long long)*s->children_max),
			    EXPLAIN_TIGHTER,
			    mem_format("--children-max %lld", (long long)*s->children_max));
	for (size_t i = 0; i < s->sysctls.count; i++) {
		const struct shape_pair *pair = &s->sysctls.items[i];
		explain_add(to, group, pair->key, mem_text(pair->value), EXPLAIN_CHANGED,
			    mem_format("--sysctl %s=%s", pair->key, pair->value));
	}
}
