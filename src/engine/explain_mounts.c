#include "engine/explain.h"

#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

static const char group[] = "Files";

static void root(struct explain_rows *to, const struct container *c)
{
	bool fixed = c->storage.read_only;
	const char *immutable = c->storage.immutable;
	const char *access = !fixed                          ? "writable"
			     : str_equal(immutable, "fixed") ? "read-only but for /var, /tmp, /run"
			     : str_equal(immutable, "flexible")
				     ? "read-only but for /var, /tmp, /run, /etc, /root, /home"
				     : "read-only";

	explain_add(to, group, "/",
		    c->image.rootfs ? mem_format("an overlay of %s, %s", c->image.rootfs, access)
				    : mem_format("an overlay of %s (%zu layer%s), %s",
						 c->image.name, c->image.layers.count,
						 c->image.layers.count == 1 ? "" : "s", access),
		    fixed ? EXPLAIN_TIGHTER : EXPLAIN_DEFAULT,
		    immutable ? mem_format("--immutable %s", immutable)
		    : fixed   ? mem_text("--read-only")
			      : NULL);
}

static void system_mounts(struct explain_rows *to, const struct container *c)
{
	bool all = c->security.privileged;

	explain_add(to, group, "/proc, /dev, /dev/pts", mem_text("its own"), EXPLAIN_DEFAULT, NULL);
	explain_add(to, group, "/sys, /sys/fs/cgroup", mem_text(all ? "writable" : "read-only"),
		    all ? EXPLAIN_WEAKER : EXPLAIN_DEFAULT, all ? mem_text("--privileged") : NULL);
}

static void add_access(struct str *to, const struct container_mount *m)
{
	str_add(to, m->read_only || !strcmp(m->type, "image") ? ", read-only" : ", writable");
	if (m->subpath)
		str_addf(to, ", %s of it", m->subpath);
	if (m->propagation)
		str_addf(to, ", %s", m->propagation);
}

/* A folder of the host is what no container has by itself; the rest is made for it. */
static void add_mount(struct explain_rows *to, const struct container_mount *m)
{
	own_clear(str_clear) struct str value = { 0 };
	const char *read_only = m->read_only ? ":ro" : "";
	bool bind = !strcmp(m->type, "bind");
	char *flag;

	if (bind)
		str_addf(&value, "the host's %s", m->source);
	else if (!strcmp(m->type, "volume"))
		str_addf(&value, "volume %.12s%s", m->name, m->anonymous ? ", without a name" : "");
	else if (!strcmp(m->type, "image"))
		str_addf(&value, "image %s", m->source);
	else
		str_add(&value, "a tmpfs");
	add_access(&value, m);
	if (m->of_image)
		flag = mem_text("the image's VOLUME");
	else if (!strcmp(m->type, "tmpfs"))
		flag = mem_format("--tmpfs %s", m->target);
	else if (!strcmp(m->type, "image"))
		flag = mem_format("--mount type=image,source=%s,target=%s", m->source, m->target);
	else if (m->anonymous)
		flag = mem_format("--volume %s%s", m->target, read_only);
	else
		flag = mem_format("--volume %s:%s%s", bind ? m->source : m->name, m->target,
				  read_only);
	explain_add(to, group, m->target, str_take(&value), bind ? EXPLAIN_WEAKER : EXPLAIN_CHANGED,
		    flag);
}

void explain_mounts(struct explain_rows *to, const struct container *c)
{
	root(to, c);
	system_mounts(to, c);
	for (size_t i = 0; i < c->storage.mounts.count; i++)
		add_mount(to, &c->storage.mounts.items[i]);
	for (size_t i = 0; i < c->secrets.count; i++) {
		const struct container_secret *s = &c->secrets.items[i];
		explain_add(to, s->env ? "Environment" : group, s->target,
			    mem_format("secret %s", s->name), EXPLAIN_CHANGED,
			    mem_format("--secret %s", s->name));
	}
}
