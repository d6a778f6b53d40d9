/* volume.c - volumes of a pod. What lives as long as the pod does (emptyDir, and ConfigMaps and
 * Secrets as files) is a volume POD-NAME, labelled with its pod; a claim is a named volume; a path
 * of the host is mounted as it is. */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "kube/plan.h"
#include "kube/quantity.h"
#include "storage/volume.h"

enum { FILES_MODE = 0644, MODE_MAX = 0777, FOLDER_MODE = 0755, SHARED_MODE = 0777 };

static int wrong(const struct kube_plan_scope *s, unsigned line, const char *name, const char *why,
		 struct err *e)
{
	return err_set(e, ERR_INVALID, "%s:%u: volume %s: %s", s->file, line, name ? name : "",
		       why);
}

static bool is_true(const bool *flag)
{
	return flag && *flag;
}

static struct kube_plan_volume *add(const struct kube_plan_scope *s, const char *name,
				    const char *kind, const char *of)
{
	const struct kube_security *security = s->spec->security;
	struct kube_plan_volume *to = shape_list_add(&s->pod->volumes);

	to->name = mem_format("%s-%s", s->pod->o.name, name);
	strv_addf(&to->labels, KUBE_PLAN_LABEL_POD "=%s", s->pod->o.name);
	strv_addf(&to->labels, KUBE_DATA_LABEL_KIND "=%s", kind);
	if (of)
		strv_addf(&to->labels, KUBE_DATA_LABEL_OF "=%s", of);
	to->group = security && security->fs_group ? *security->fs_group : -1;
	to->mode = FOLDER_MODE;
	return to;
}

/* ---- emptyDir ---- */

static int plan_empty(const struct kube_plan_scope *s, const struct kube_volume *v, struct err *e)
{
	const struct kube_empty_dir *empty = v->empty_dir;
	bool memory = str_equal(empty->medium, "Memory");
	double bytes = 0;

	if (!str_empty(empty->medium) && !memory)
		return wrong(s, empty->line, v->name, "the medium is '' or Memory", e);
	if (empty->size && kube_quantity_parse(&bytes, empty->size, e) < 0)
		return err_add(e, "%s:%u: volume %s: sizeLimit", s->file, empty->line, v->name);
	if (empty->size && !memory) {
		wrong(s, empty->line, v->name,
		      "holm does not limit a folder of the disk "
		      "(sizeLimit)",
		      e);
		return err_hint(e, "medium: Memory has a limit; or take it out");
	}
	struct kube_plan_volume *to = add(s, v->name, "emptyDir", NULL);
	to->mode = SHARED_MODE;
	if (!memory)
		return 0;
	to->driver = mem_text("tmpfs");
	own_clear(str_clear) struct str o = { 0 };
	str_add(&o, "o=mode=0777");
	if (bytes > 0)
		str_addf(&o, ",size=%.0f", bytes);
	if (to->group >= 0)
		str_addf(&o, ",gid=%lld", (long long)to->group);
	strv_add(&to->options, o.text);
	return 0;
}

/* ---- ConfigMap and Secret ---- */

static int add_file(struct kube_plan_volume *to, const struct kube_plan_scope *s, unsigned line,
		    const char *path, const struct kube_datum *datum, int64_t mode, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	strv_split(&parts, path ? path : "", '/');
	for (size_t i = 0; i < parts.count; i++)
		if (!path_is_name(parts.items[i]))
			return wrong(s, line, to->name, "a path that is not below it", e);
	if (parts.count == 0)
		return wrong(s, line, to->name, "an item without a path", e);
	if (mode < 0 || mode > MODE_MAX)
		return wrong(s, line, to->name, "a mode is 0 to 0777", e);
	for (size_t i = 0; i < to->files.count; i++)
		if (!strcmp(to->files.items[i].path, path))
			return wrong(s, line, to->name, "a path is there twice", e);
	if (kube_plan_count(s, line, datum->length, e) < 0)
		return err_add(e, "volume %s", to->name);
	struct kube_plan_file *file = shape_list_add(&to->files);
	file->path = mem_text(path);
	file->mode = (unsigned)mode;
	str_add_n(&file->bytes, datum->bytes, datum->length);
	return 0;
}

static int add_items(struct kube_plan_volume *to, const struct kube_plan_scope *s,
		     const struct kube_files *files, const struct kube_data *data, int64_t mode,
		     struct err *e)
{
	const struct kube_item *items = files->items.items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < files->items.count; i++) {
		const struct kube_datum *datum =
			items[i].key ? kube_data_find(data, items[i].key) : NULL;
		if (!datum && is_true(files->optional))
			continue;
		if (!datum) {
			own_free char *why = mem_format("%s has no key %s", files->name,
							items[i].key ? items[i].key : "''");
			return wrong(s, items[i].line, to->name, why, e);
		}
		r = add_file(to, s, items[i].line, items[i].path, datum,
			     items[i].mode ? *items[i].mode : mode, e);
	}
	return r;
}

static int plan_files(const struct kube_plan_scope *s, const struct kube_volume *v,
		      const struct kube_files *files, const char *kind, struct err *e)
{
	int64_t mode = files->mode ? *files->mode : FILES_MODE;
	struct kube_data data;

	if (str_empty(files->name))
		return wrong(s, files->line, v->name, "it names none", e);
	int r = kube_data_of(&data, &s->source, kind, files->name, e);
	if (r < 0 && (e->kind != ERR_NOT_FOUND || !is_true(files->optional)))
		return err_add(e, "%s:%u: volume %s", s->file, files->line, v->name);
	struct kube_plan_volume *to = add(s, v->name, kind, files->name);
	if (files->items.count)
		return add_items(to, s, files, &data, mode, e);
	r = 0;
	for (size_t i = 0; r == 0 && i < data.count; i++)
		r = add_file(to, s, files->line, data.items[i].key, &data.items[i], mode, e);
	return r;
}

/* ---- paths of the host ---- */

static bool is_made(const char *type)
{
	return str_equal(type, "DirectoryOrCreate") || str_equal(type, "FileOrCreate");
}

static bool is_device(const char *type)
{
	return str_equal(type, "CharDevice") || str_equal(type, "BlockDevice");
}

static int plan_host(const struct kube_plan_scope *s, const struct kube_volume *v, struct err *e)
{
	static const char *const types[] = { "Directory",  "DirectoryOrCreate",
					     "File",       "FileOrCreate",
					     "Socket",     "CharDevice",
					     "BlockDevice" };
	const struct kube_host_path *host = v->host_path;
	bool known = str_empty(host->type);

	for (size_t i = 0; i < COUNT_OF(types); i++)
		known |= str_equal(host->type, types[i]);
	if (!known)
		return wrong(s, host->line, v->name, "hostPath has no such type", e);
	if (str_empty(host->path) || host->path[0] != '/')
		return wrong(s, host->line, v->name, "hostPath: the path is not absolute", e);
	if (str_empty(host->type))
		return 0;
	struct kube_plan_path *to = shape_list_add(&s->pod->paths);
	to->path = mem_text(host->path);
	to->type = mem_text(host->type);
	to->line = host->line;
	return 0;
}

/* ---- all ---- */

static void add_group(const struct kube_plan_scope *s, const char *volume, int64_t group)
{
	struct kube_plan_part *to = shape_list_add(&s->pod->parts);

	to->volume = mem_text(volume);
	to->group = group;
}

static int plan_one(const struct kube_plan_scope *s, const struct kube_volume *v, struct err *e)
{
	int sources = !!v->host_path + !!v->empty_dir + !!v->config_map + !!v->secret + !!v->claim;

	if (storage_volume_check_name(v->name ? v->name : "", e) < 0)
		return err_add(e, "%s:%u: volume", s->file, v->line);
	if (sources != 1)
		return wrong(s, v->line, v->name, "it wants one source, emptyDir: {} for instance",
			     e);
	if (v->host_path)
		return plan_host(s, v, e);
	if (v->empty_dir)
		return plan_empty(s, v, e);
	if (v->config_map)
		return plan_files(s, v, v->config_map, "ConfigMap", e);
	if (v->secret)
		return plan_files(s, v, v->secret, "Secret", e);
	if (str_empty(v->claim->name))
		return wrong(s, v->line, v->name, "it wants a claimName", e);
	if (s->spec->security && s->spec->security->fs_group)
		add_group(s, v->claim->name, *s->spec->security->fs_group);
	return 0;
}

static const struct kube_volume *find(const struct kube_plan_scope *s, const char *name,
				      size_t before)
{
	const struct kube_volume *all = s->spec->volumes.items;

	for (size_t i = 0; i < before; i++)
		if (str_equal(all[i].name, name))
			return &all[i];
	return NULL;
}

static int check_group(const struct kube_plan_scope *s, struct err *e)
{
	const struct kube_security *security = s->spec->security;
	const int64_t *group = security ? security->fs_group : NULL;

	if (!group || (*group >= 0 && *group < UINT32_MAX))
		return 0;
	return kube_plan_wrong(s, security->line, NULL, "fsGroup is 0 to 4294967294", e);
}

int kube_volume_plan(const struct kube_plan_scope *s, struct err *e)
{
	const struct kube_volume *all = s->spec->volumes.items;
	int r = check_group(s, e);

	for (size_t i = 0; r == 0 && i < s->spec->volumes.count; i++) {
		if (find(s, all[i].name, i))
			return wrong(s, all[i].line, all[i].name, "its name is there twice", e);
		r = plan_one(s, &all[i], e);
	}
	return r;
}

/* ---- mounts ---- */

/* One field of --mount, in quotes: what it says may have commas. */
static void add_field(struct str *to, const char *key, const char *value)
{
	str_addf(to, "%s\"%s=", to->length ? "," : "", key);
	for (; *value; value++) {
		if (*value == '"')
			str_add_char(to, '"');
		str_add_char(to, *value);
	}
	str_add_char(to, '"');
}

static void add_part(const struct kube_plan_scope *s, const char *volume, const char *folder,
		     const char *path)
{
	struct kube_plan_part *to = shape_list_add(&s->pod->parts);

	to->volume = mem_text(volume);
	to->folder = mem_text(folder);
	to->path = mem_text(path);
}

static int set_propagation(struct str *to, const struct kube_plan_scope *s,
			   const struct kube_mount *mount, struct err *e)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{ "None", "rprivate" },
		{ "HostToContainer", "rslave" },
		{ "Bidirectional", "rshared" },
	};

	if (!mount->propagation)
		return 0;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (!strcmp(words[i].theirs, mount->propagation)) {
			add_field(to, "bind-propagation", words[i].ours);
			return 0;
		}
	return wrong(s, mount->line, mount->name,
		     "mountPropagation is None, HostToContainer or Bidirectional", e);
}

static int mount_host(struct str *to, const struct kube_plan_scope *s,
		      const struct kube_mount *mount, const struct kube_host_path *host,
		      struct err *e)
{
	add_field(to, "type", "bind");
	add_field(to, "source", host->path);
	if (is_made(host->type))
		add_field(to, "relabel", "shared");
	if (!str_empty(mount->sub_path)) {
		add_field(to, "bind-subpath", mount->sub_path);
		add_part(s, NULL, host->path, mount->sub_path);
	}
	return set_propagation(to, s, mount, e);
}

static int mount_volume(struct str *to, const struct kube_plan_scope *s,
			const struct kube_mount *mount, const struct kube_volume *v, struct err *e)
{
	own_free char *own = mem_format("%s-%s", s->pod->o.name, v->name);
	const char *name = v->claim ? v->claim->name : own;

	if (mount->propagation && strcmp(mount->propagation, "None") != 0)
		return wrong(s, mount->line, v->name, "mountPropagation is hostPath's", e);
	add_field(to, "type", "volume");
	add_field(to, "source", name);
	if (!v->claim)
		str_add(to, ",volume-nocopy");
	if (str_empty(mount->sub_path))
		return 0;
	add_field(to, "volume-subpath", mount->sub_path);
	if (!v->config_map && !v->secret)
		add_part(s, name, NULL, mount->sub_path);
	return 0;
}

static int mount_one(struct kube_plan_container *to, const struct kube_plan_scope *s,
		     const struct kube_mount *mount, struct err *e)
{
	const struct kube_volume *v = find(s, mount->name, s->spec->volumes.count);
	own_clear(str_clear) struct str text = { 0 };

	if (!v)
		return wrong(s, mount->line, mount->name, "there is no such volume", e);
	if (str_empty(mount->path) || mount->path[0] != '/')
		return wrong(s, mount->line, mount->name, "mountPath is not absolute", e);
	bool read_only = is_true(mount->read_only) || v->config_map || v->secret ||
			 (v->claim && is_true(v->claim->read_only));
	if (v->host_path && is_device(v->host_path->type)) {
		strv_addf(&to->o.device, "%s:%s:%s", v->host_path->path, mount->path,
			  read_only ? "r" : "rw");
		return 0;
	}
	int r = v->host_path ? mount_host(&text, s, mount, v->host_path, e)
			     : mount_volume(&text, s, mount, v, e);
	if (r < 0)
		return r;
	add_field(&text, "target", mount->path);
	if (read_only)
		str_add(&text, ",readonly");
	strv_add(&to->o.mount, text.text);
	return 0;
}

int kube_volume_mount(struct kube_plan_container *to, const struct kube_plan_scope *s,
		      const struct kube_container *container, struct err *e)
{
	const struct kube_mount *all = container->mounts.items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < container->mounts.count; i++) {
		r = mount_one(to, s, &all[i], e);
		if (r < 0)
			err_add(e, "container %s", container->name);
	}
	return r;
}
