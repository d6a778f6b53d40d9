#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "kube/data.h"
#include "kube/spec.h"
#include "storage/store.h"
#include "storage/volume.h"

/* The volume that is this, already there or added; its name is borrowed. what is taken over. */
static const char *share(struct kube_spec *s, const char *stem, const char *kind,
			 struct json_object *what)
{
	size_t count = json_object_array_length(s->volumes);
	own_free char *text = mem_text(json_text(what));

	for (size_t i = 0; i < count && strcmp(kind, "emptyDir") != 0; i++) {
		struct json_object *of = json_object_array_get_idx(s->volumes, i), *other;
		if (json_object_object_get_ex(of, kind, &other) &&
		    !strcmp(json_text(other), text)) {
			json_object_put(what);
			return json_object_get_string(json_object_object_get(of, "name"));
		}
	}
	struct json_object *to = json_object_new_object();
	own_free char *clean = kube_spec_name(stem);
	own_free char *name = mem_format("%s-%zu", clean, count);
	kube_spec_text(to, "name", name);
	json_object_object_add(to, kind, what);
	json_object_array_add(s->volumes, to);
	return json_object_get_string(json_object_object_get(to, "name"));
}

static const char *share_host(struct kube_spec *s, const struct container_mount *m)
{
	struct json_object *what = json_object_new_object();
	struct stat st;

	kube_spec_text(what, "path", m->source);
	if (stat(m->source, &st) == 0)
		kube_spec_text(what, "type",
			       S_ISDIR(st.st_mode)    ? "Directory"
			       : S_ISREG(st.st_mode)  ? "File"
			       : S_ISSOCK(st.st_mode) ? "Socket"
						      : NULL);
	return share(s, "host", "hostPath", what);
}

/* ---- volumes ---- */

/* "1m", as a tmpfs has it. */
static struct json_object *memory(const char *size)
{
	struct json_object *what = json_object_new_object();
	int64_t bytes = 0;
	struct err ignored;

	kube_spec_text(what, "medium", "Memory");
	if (size && number_parse_bytes(&bytes, size, &ignored) == 0) {
		own_free char *limit = mem_format("%lld", (long long)bytes);
		kube_spec_text(what, "sizeLimit", limit);
	}
	return what;
}

/* An emptyDir is the same one for all containers that name the same volume of holm's: it has that
 * one's name. */
static const char *share_empty(struct kube_spec *s, const char *volume, struct json_object *what)
{
	own_free char *name = kube_spec_name(kube_spec_short(s, volume));

	if (strlen(name) > 63)
		name[12] = '\0'; /* one without a name */
	for (size_t i = 0; i < json_object_array_length(s->volumes); i++) {
		struct json_object *of = json_object_array_get_idx(s->volumes, i);
		const char *there = json_object_get_string(json_object_object_get(of, "name"));
		if (!strcmp(there, name)) {
			json_object_put(what);
			return there;
		}
	}
	struct json_object *to = json_object_new_object();
	kube_spec_text(to, "name", name);
	json_object_object_add(to, "emptyDir", what);
	json_object_array_add(s->volumes, to);
	return json_object_get_string(json_object_object_get(to, "name"));
}

/* "o=mode=0777,size=1024" */
static struct json_object *empty_of(const struct storage_volume *volume)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	const char *o = shape_map_get(&volume->options, "o");

	if (!str_equal(shape_map_get(&volume->options, "type"), "tmpfs"))
		return json_object_new_object();
	strv_split(&parts, o ? o : "", ',');
	return memory(strv_value(&parts, "size"));
}

static struct json_object *named(const char *key, const char *name)
{
	struct json_object *what = json_object_new_object();

	kube_spec_text(what, key, name);
	return what;
}

static const char *share_volume(struct kube_spec *s, const struct container_mount *m)
{
	own_clear(storage_volume_clear) struct storage_volume volume = { 0 };
	struct err ignored;

	if (m->anonymous)
		return share_empty(s, m->name, json_object_new_object());
	storage_volume_read(&volume, s->engine->store, m->name, &ignored);
	const char *kind = shape_map_get(&volume.labels, KUBE_DATA_LABEL_KIND);
	const char *of = shape_map_get(&volume.labels, KUBE_DATA_LABEL_OF);
	if (str_equal(kind, "emptyDir"))
		return share_empty(s, m->name, empty_of(&volume));
	if (of && str_equal(kind, "ConfigMap"))
		return share(s, of, "configMap", named("name", of));
	if (of && str_equal(kind, "Secret"))
		return share(s, of, "secret", named("secretName", of));
	own_free char *claim = mem_format("%s-pvc", m->name);
	return share(s, claim, "persistentVolumeClaim", named("claimName", m->name));
}

/* ---- mounts ---- */

static void add_mount(struct json_object *to, const char *name, const char *target,
		      const char *sub_path, bool read_only, const char *propagation)
{
	struct json_object *one = json_object_new_object();

	kube_spec_text(one, "name", name);
	kube_spec_text(one, "mountPath", target);
	kube_spec_text(one, "subPath", sub_path);
	if (read_only)
		json_object_object_add(one, "readOnly", json_object_new_boolean(true));
	if (propagation && strstr(propagation, "slave"))
		kube_spec_text(one, "mountPropagation", "HostToContainer");
	else if (propagation && strstr(propagation, "shared"))
		kube_spec_text(one, "mountPropagation", "Bidirectional");
	json_object_array_add(to, one);
}

static void add_one(struct json_object *to, struct kube_spec *s, const struct container *c,
		    const struct container_mount *m)
{
	own_free char *own = mem_format("%s%s", c->name, m->target);
	const char *name = NULL;

	if (str_equal(m->type, "bind"))
		name = share_host(s, m);
	else if (str_equal(m->type, "volume"))
		name = share_volume(s, m);
	else if (str_equal(m->type, "tmpfs"))
		name = share_empty(s, own, memory(strv_value(&m->options, "size")));
	if (name)
		add_mount(to, name, m->target, m->subpath, m->read_only, m->propagation);
	else
		log_warning("container %s: the %s at %s is left out", c->name, m->type, m->target);
}

/* A secret that is a file: one key, at its place. */
static void add_secret(struct json_object *to, struct kube_spec *s,
		       const struct container_secret *secret)
{
	struct json_object *what = json_object_new_object(), *item = json_object_new_object();
	struct json_object *items = json_object_new_array();
	own_free char *name = NULL, *key = NULL;

	kube_spec_secret(&name, &key, s, secret->name);
	kube_spec_text(what, "secretName", name);
	kube_spec_text(item, "key", key);
	kube_spec_text(item, "path", key);
	json_object_object_add(item, "mode", json_object_new_int64(secret->mode));
	json_object_array_add(items, item);
	json_object_object_add(what, "items", items);
	add_mount(to, share(s, secret->name, "secret", what), secret->target, key, true, NULL);
}

struct json_object *kube_spec_mounts(struct kube_spec *s, const struct container *c)
{
	struct json_object *to = json_object_new_array();

	for (size_t i = 0; i < c->storage.mounts.count; i++)
		add_one(to, s, c, &c->storage.mounts.items[i]);
	for (size_t i = 0; i < c->secrets.count; i++)
		if (!c->secrets.items[i].env)
			add_secret(to, s, &c->secrets.items[i]);
	for (size_t i = 0; i < c->security.devices.count; i++) {
		const struct container_device *d = &c->security.devices.items[i];
		struct json_object *what = named("path", d->host);
		struct stat st;
		bool block = stat(d->host, &st) == 0 && S_ISBLK(st.st_mode);
		kube_spec_text(what, "type", block ? "BlockDevice" : "CharDevice");
		add_mount(to, share(s, "device", "hostPath", what), d->target, NULL,
			  !strchr(d->permissions, 'w'), NULL);
	}
	return to;
}
