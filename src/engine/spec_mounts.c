/* Every mount of a container: what each has (proc, sys, dev...), what belongs to its network
 * (/etc/hosts...), what was asked for. Those that were asked for take the place of the others at
 * the same target; parents come before what lies below them. */
#include "engine/desktop.h"
#include "engine/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/shifted.h"
#include "storage/layer.h"
#include "storage/store.h"
#include "storage/volume.h"

static struct oci_mount *add(struct oci_spec *spec, const char *target, const char *type,
			     const char *source, const char *options)
{
	struct oci_mount *mount = shape_list_add(&spec->mounts);

	mount->destination = mem_text(target);
	mount->type = mem_text(type);
	mount->source = mem_text(source);
	strv_split(&mount->options, options, ',');
	return mount;
}

void spec_mounts_bind(struct oci_spec *spec, const char *target, const char *source)
{
	add(spec, target, "bind", source, "bind,rprivate");
}

bool spec_mounts_asked_for(const struct container *c, const char *target)
{
	for (size_t i = 0; i < c->storage.mounts.count; i++)
		if (str_equal(c->storage.mounts.items[i].target, target))
			return true;
	return false;
}

static void add_shm(struct oci_spec *spec, const struct container *c,
		    const struct spec_context *context)
{
	own_free char *options = mem_format("nosuid,noexec,nodev,mode=1777,size=%lld",
					    (long long)c->storage.shm_bytes);

	if (str_equal(c->security.ipc, "none") || spec_mounts_asked_for(c, "/dev/shm"))
		return;
	if (context->shm) {
		struct oci_mount *mount =
			add(spec, "/dev/shm", "bind", context->shm, "bind,nosuid,noexec,nodev");
		if (context->shm_owner)
			strv_addf(&mount->options, "of=%s", context->shm_owner);
	} else {
		add(spec, "/dev/shm", "tmpfs", "shm", options);
	}
}

static void add_common(struct oci_spec *spec, const struct container *c,
		       const struct spec_context *context)
{
	const char *sys =
		c->security.privileged ? "nosuid,noexec,nodev,rw" : "nosuid,noexec,nodev,ro";
	const struct {
		const char *target, *type, *source, *options;
	} rows[] = {
		{ "/proc", "proc", "proc", "nosuid,noexec,nodev" },
		{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
		{ "/dev/pts", "devpts", "devpts",
		  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
		{ "/sys", "sysfs", "sysfs", sys },
		{ "/sys/fs/cgroup", "cgroup", "cgroup",
		  container_is_system(c) ? "nosuid,noexec,nodev,rw" : sys },
		{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
	};

	/* an ordinary user can make none of the host's IPC namespace, and shows the host's mount */
	bool no_mqueue = context->no_host_mqueue && str_equal(c->security.ipc, "host");
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (!spec_mounts_asked_for(c, rows[i].target) &&
		    !(no_mqueue && str_equal(rows[i].type, "mqueue")))
			add(spec, rows[i].target, rows[i].type, rows[i].source, rows[i].options);
	add_shm(spec, c, context);
}

static void add_files(struct oci_spec *spec, const struct container *c,
		      const struct spec_context *context)
{
	static const char *const names[] = { "resolv.conf", "hostname", "hosts" };

	for (size_t i = 0; context->files && i < COUNT_OF(names); i++) {
		own_free char *target = mem_format("/etc/%s", names[i]);
		own_free char *source = mem_format("%s/%s", context->files, names[i]);
		if (c->network.no_hosts && str_equal(names[i], "hosts"))
			continue;
		/* a system names itself by its own file */
		if (container_is_system(c) && str_equal(names[i], "hostname"))
			continue;
		if (!spec_mounts_asked_for(c, target) && !spec_mounts_asked_for(c, "/etc"))
			add(spec, target, "bind", source,
			    c->storage.read_only ? "rbind,rprivate,ro" : "rbind,rprivate");
	}
}

/* Files of the run folder, made by engine/secret.c: those below /run/secrets as one folder. */
static void add_secrets(struct oci_spec *spec, const struct container *c,
			const struct spec_context *context)
{
	static const char options[] = "rbind,rprivate,ro,nosuid,nodev,noexec";
	own_free char *folder = mem_format("%s/containers/%s/secrets", context->store->run, c->id);
	bool below = false;

	for (size_t i = 0; i < c->secrets.count; i++) {
		const struct container_secret *s = &c->secrets.items[i];
		own_free char *source = mem_format("%s/%zu", folder, i);
		if (!s->env && str_starts(s->target, SPEC_SECRETS "/"))
			below = true;
		else if (!s->env)
			add(spec, s->target, "bind", source, options);
	}
	own_free char *source = mem_format("%s/below", folder);
	if (below)
		add(spec, SPEC_SECRETS, "bind", source, options);
}

static void add_cookies(struct oci_spec *spec, const struct container *c,
			const struct spec_context *context)
{
	own_free char *source =
		mem_format("%s/containers/%s/" ENGINE_DESKTOP_FILE, context->store->run, c->id);

	if (c->desktop.display)
		add(spec, ENGINE_DESKTOP_COOKIES, "bind", source,
		    "rbind,rprivate,ro,nosuid,nodev,noexec");
}

static void add_access(struct oci_mount *to, const struct container_mount *mount)
{
	if (!mount->read_only)
		return;
	/* Docker 25: read-only means all below it, too, unless it was said otherwise */
	bool deep = !mount->shallow_read_only && !mount->non_recursive;
	strv_add(&to->options, deep ? "rro" : "ro");
}

/* A container whose ids are the host's has nothing to map. */
static void add_owner(struct oci_mount *to, const struct container_mount *mount, bool mapped)
{
	if (mount->give)
		strv_add(&to->options, "chown");
	if (mount->idmap && mapped)
		strv_add(&to->options, mount->non_recursive ? "idmap" : "ridmap");
}

static void add_bind(struct oci_spec *spec, const struct container_mount *mount, const char *source,
		     bool mapped)
{
	struct oci_mount *to =
		add(spec, mount->target, "bind", source, mount->non_recursive ? "bind" : "rbind");

	strv_add(&to->options, mount->propagation ? mount->propagation : "rprivate");
	if (mount->subpath)
		strv_addf(&to->options, "subpath=%s", mount->subpath);
	strv_add_all(&to->options, &mount->options);
	add_owner(to, mount, mapped);
	add_access(to, mount);
}

static void add_volume(struct oci_spec *spec, const struct container_mount *mount,
		       const struct spec_context *context, bool mapped)
{
	own_free char *data = storage_volume_path(context->store, mount->name);
	struct oci_mount *to = add(spec, mount->target, "bind", data, "rbind,rprivate");

	if (mount->subpath)
		strv_addf(&to->options, "subpath=%s", mount->subpath);
	if (!mount->no_copy && !mount->subpath)
		strv_add(&to->options, "copyup");
	strv_add_all(&to->options, &mount->options);
	add_owner(to, mount, mapped);
	add_access(to, mount);
}

static void add_tmpfs(struct oci_spec *spec, const struct container_mount *mount)
{
	struct oci_mount *to = add(spec, mount->target, "tmpfs", "tmpfs", "");

	if (!strv_contains(&mount->options, "exec"))
		strv_add(&to->options, "noexec");
	if (!strv_contains(&mount->options, "suid"))
		strv_add(&to->options, "nosuid");
	if (!strv_contains(&mount->options, "dev"))
		strv_add(&to->options, "nodev");
	strv_add_all(&to->options, &mount->options);
	if (mount->read_only && !strv_contains(&mount->options, "ro"))
		strv_add(&to->options, "ro");
}

/* An image as a mount: its layers, read-only, owned as the root is. */
static void add_image(struct oci_spec *spec, const struct container_mount *mount,
		      const struct spec_context *context, const struct container *c)
{
	struct oci_mount *to = add(spec, mount->target, "bind", mount->source, "bind,ro");
	bool shifted = engine_shifted_add_image(&to->options, context->store, c, mount);

	for (size_t i = mount->layers.count; !shifted && i-- > 0;) {
		own_free char *path = storage_layer_path(context->store, mount->layers.items[i]);
		strv_addf(&to->options, "lower=%s", path);
	}
	if (mount->subpath)
		strv_addf(&to->options, "subpath=%s", mount->subpath);
	if (c->security.ids.uids.count && !shifted)
		strv_add(&to->options, "idmap");
}

void spec_mounts_one(struct oci_spec *spec, const struct container_mount *mount,
		     const struct spec_context *context, const struct container *c)
{
	const bool mapped = c->security.ids.uids.count > 0;

	switch (mount->type[0]) {
	case 'b':
		add_bind(spec, mount, mount->source, mapped);
		break;
	case 'v':
		add_volume(spec, mount, context, mapped);
		break;
	case 't':
		add_tmpfs(spec, mount);
		break;
	case 'i':
		add_image(spec, mount, context, c);
		break;
	}
}

static size_t depth(const char *path)
{
	size_t parts = 0;

	for (; *path; path++)
		parts += *path == '/';
	return parts;
}

/* By depth, and otherwise as they were asked for: qsort(3) is not stable, the lists are short. */
static void sort(struct oci_mount *mounts, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t at = i;
		     at > 0 && depth(mounts[at].destination) < depth(mounts[at - 1].destination);
		     at--) {
			struct oci_mount lower = mounts[at];
			mounts[at] = mounts[at - 1];
			mounts[at - 1] = lower;
		}
}

static void add_asked(struct oci_spec *spec, const struct container *c,
		      const struct spec_context *context, bool tmpfs)
{
	for (size_t i = 0; i < c->storage.mounts.count; i++)
		if (tmpfs || c->storage.mounts.items[i].type[0] != 't')
			spec_mounts_one(spec, &c->storage.mounts.items[i], context, c);
}

void spec_mounts_tree(struct oci_spec *spec, const struct container *c,
		      const struct spec_context *context)
{
	add_files(spec, c, context);
	size_t own = spec->mounts.count;
	add_asked(spec, c, context, false);
	sort(spec->mounts.items + own, spec->mounts.count - own);
}

void spec_mounts(struct oci_spec *spec, const struct container *c,
		 const struct spec_context *context)
{
	add_common(spec, c, context);
	if (container_is_system(c))
		spec_system_mounts(spec, c, context);
	add_files(spec, c, context);
	size_t own = spec->mounts.count;
	add_asked(spec, c, context, true);
	add_secrets(spec, c, context);
	add_cookies(spec, c, context);
	sort(spec->mounts.items + own, spec->mounts.count - own);
}
