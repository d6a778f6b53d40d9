/* security.c - securityContext: what a container says counts more than what its pod says. */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "kube/plan.h"

static const struct kube_security none = { 0 };

struct context {
	struct kube_plan_container *to;
	const struct kube_plan_scope *s;
	const struct kube_container *container;
	const struct kube_security *own, *pod;
};

static int wrong(const struct context *c, unsigned line, const char *why, struct err *e)
{
	return kube_plan_wrong(c->s, line, c->container->name, why, e);
}

static int set_user(const struct context *c, struct err *e)
{
	const int64_t *user = c->own->user ? c->own->user : c->pod->user;
	const int64_t *group = c->own->group ? c->own->group : c->pod->group;
	const bool *non_root = c->own->non_root ? c->own->non_root : c->pod->non_root;
	struct create_options *o = &c->to->o;

	c->to->non_root = non_root && *non_root;
	if (c->to->non_root && user && *user == 0)
		return wrong(c, c->container->line, "runAsNonRoot and runAsUser 0", e);
	if (user && group)
		o->user = mem_format("%lld:%lld", (long long)*user, (long long)*group);
	else if (user)
		o->user = mem_format("%lld", (long long)*user);
	else if (group)
		return wrong(c, c->container->line, "runAsGroup wants runAsUser, too", e);
	for (size_t i = 0; i < c->pod->groups.count; i++)
		strv_add(&o->group_add, c->pod->groups.items[i]);
	if (c->pod->fs_group)
		strv_addf(&o->group_add, "%lld", (long long)*c->pod->fs_group);
	return 0;
}

static int set_label(const struct context *c)
{
	const struct kube_selinux *l = c->own->selinux ? c->own->selinux : c->pod->selinux;
	const struct {
		const char *part, *value;
	} parts[] = {
		{ "user", l ? l->user : NULL },
		{ "role", l ? l->role : NULL },
		{ "type", l ? l->type : NULL },
		{ "level", l ? l->level : NULL },
	};

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (parts[i].value)
			strv_addf(&c->to->o.security_opt, "label=%s:%s", parts[i].part,
				  parts[i].value);
	return 0;
}

/* localhostProfile is a path below the folder of profiles, and stays there. */
static int add_seccomp_file(const struct context *c, const struct kube_profile *profile,
			    struct err *e)
{
	const char *root = c->s->o->seccomp_root;
	own_clear(strv_clear) struct strv parts = { 0 };

	strv_split(&parts, profile->file ? profile->file : "", '/');
	if (str_empty(profile->file) || profile->file[0] == '/' || strv_contains(&parts, ".."))
		return wrong(c, profile->line, "localhostProfile is no path below the profiles", e);
	own_free char *path =
		path_join(str_empty(root) ? "/var/lib/kubelet/seccomp" : root, profile->file);
	strv_addf(&c->to->o.security_opt, "seccomp=%s", path);
	return 0;
}

static int set_seccomp(const struct context *c, struct err *e)
{
	const struct kube_profile *p = c->own->seccomp ? c->own->seccomp : c->pod->seccomp;

	if (!p || str_equal(p->type, "RuntimeDefault"))
		return 0;
	if (str_equal(p->type, "Localhost"))
		return add_seccomp_file(c, p, e);
	if (!str_equal(p->type, "Unconfined"))
		return wrong(c, p->line,
			     "seccompProfile: type is RuntimeDefault, Unconfined or Localhost", e);
	strv_add(&c->to->o.security_opt, "seccomp=unconfined");
	return 0;
}

static int set_apparmor(const struct context *c, struct err *e)
{
	const struct kube_profile *p = c->own->apparmor ? c->own->apparmor : c->pod->apparmor;

	if (!p || str_equal(p->type, "RuntimeDefault"))
		return 0;
	if (str_equal(p->type, "Localhost") && !str_empty(p->file))
		strv_addf(&c->to->o.security_opt, "apparmor=%s", p->file);
	else if (str_equal(p->type, "Unconfined"))
		strv_add(&c->to->o.security_opt, "apparmor=unconfined");
	else
		return wrong(c, p->line,
			     "appArmorProfile: type is RuntimeDefault, Unconfined or Localhost", e);
	return 0;
}

static int set_proc(const struct context *c, struct err *e)
{
	const char *mount = c->own->proc_mount;

	if (!mount || !strcmp(mount, "Default"))
		return 0;
	if (strcmp(mount, "Unmasked") != 0)
		return wrong(c, c->own->line, "procMount is Default or Unmasked", e);
	strv_add(&c->to->o.security_opt, "systempaths=unconfined");
	return 0;
}

static void add_all(struct strv *to, const struct kube_texts *from)
{
	for (size_t i = 0; i < from->count; i++)
		strv_add(to, from->items[i]);
}

static void set_privileges(const struct context *c)
{
	struct create_options *o = &c->to->o;

	o->privileged = c->own->privileged && *c->own->privileged;
	o->read_only = c->own->read_only && *c->own->read_only;
	if (c->own->escalation && !*c->own->escalation)
		strv_add(&o->security_opt, "no-new-privileges");
	if (!c->own->capabilities)
		return;
	add_all(&o->cap_add, &c->own->capabilities->add);
	add_all(&o->cap_drop, &c->own->capabilities->drop);
}

int kube_security_plan(struct kube_plan_container *to, const struct kube_plan_scope *s,
		       const struct kube_container *container, struct err *e)
{
	const struct context c = {
		.to = to,
		.s = s,
		.container = container,
		.own = container->security ? container->security : &none,
		.pod = s->spec->security ? s->spec->security : &none,
	};

	set_privileges(&c);
	int r = set_user(&c, e);
	if (r == 0)
		r = set_label(&c);
	if (r == 0)
		r = set_seccomp(&c, e);
	if (r == 0)
		r = set_apparmor(&c, e);
	return r < 0 ? r : set_proc(&c, e);
}
