#include "system/foreign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/networks.h"
#include "engine/options.h"
#include "image/command.h"
#include "runtime/disk.h"
#include "runtime/overlay.h"
#include "storage/store.h"

enum { MACHINES_MAX = 10000 };

const struct foreign_kind *system_foreign_kind_find(const char *name)
{
	static const struct foreign_kind *const kinds[] = { &system_lxc, &system_nspawn };

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (str_equal(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

void system_foreign_machine_clear(struct foreign_machine *m)
{
	free(m->name);
	free(m->folder);
	free(m->root);
	own_fd_call(&m->root_fd);
	free(m->ids.uids.items);
	free(m->ids.gids.items);
	strv_clear(&m->settings);
	strv_clear(&m->command);
	strv_clear(&m->hooks);
	strv_clear(&m->notes);
	*m = (struct foreign_machine)FOREIGN_MACHINE_NONE;
}

/* ---- which there are ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int system_foreign_list(struct strv *to, const struct foreign_kind *kind, const char *folder,
			struct err *e)
{
	own_dir DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (!dir)
		return err_sys(e, "open %s", folder);
	while ((entry = readdir(dir))) {
		own_free char *name = kind->name_of(dirfd(dir), entry->d_name);
		if (name && !strv_contains(to, name))
			strv_add(to, name);
		if (to->count > MACHINES_MAX)
			return err_set(e, ERR_INVALID, "%s: more than %d containers", folder,
				       MACHINES_MAX);
	}
	if (to->count)
		qsort(to->items, to->count, sizeof(*to->items), compare);
	return 0;
}

/* ---- settings ---- */

void system_foreign_set(struct foreign_machine *m, const char *key, const char *value)
{
	strv_addf(&m->settings, "%s=%s", key, value);
}

void system_foreign_setf(struct foreign_machine *m, const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		abort();
	va_end(list);
	strv_add_take(&m->settings, text);
}

/* One field of CSV (RFC 4180). */
static void add_field(struct str *to, const char *key, const char *value)
{
	str_add(to, ",\"");
	str_add(to, key);
	str_add_char(to, '=');
	for (; *value; value++) {
		if (*value == '"')
			str_add_char(to, '"');
		str_add_char(to, *value);
	}
	str_add_char(to, '"');
}

const char *system_foreign_mount(struct foreign_machine *m, const char *source, const char *target,
				 const struct strv *options)
{
	own_clear(str_clear) struct str text = { 0 };
	bool read_only = strv_contains(options, "ro");
	struct stat st;

	if (*source != '/')
		return "its source is no path of the host";
	if (stat(source, &st) < 0)
		return "its source is not there";
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		system_foreign_setf(m, "device=%s:%s:%s", source, target, read_only ? "r" : "rw");
		return NULL;
	}
	str_add(&text, "type=bind");
	add_field(&text, "source", source);
	add_field(&text, "target", target);
	if (read_only)
		str_add(&text, ",readonly");
	if (strv_contains(options, "bind") && !strv_contains(options, "rbind"))
		str_add(&text, ",bind-nonrecursive=true");
	/* its root was the host's root in there, and there alone it stays so */
	if (!m->idmapped && !user_ids_are_mapped())
		str_add(&text, ",idmap");
	system_foreign_set(m, "mount", text.text);
	return NULL;
}

/* ---- networks ---- */

/* Of a bridge its device, of others what they lie on. */
static bool is_of(const struct network *network, const char *driver, const char *device)
{
	const char *own = str_equal(driver, "bridge") ? network->bridge
						      : shape_map_get(&network->options, "parent");

	return str_equal(network->driver, driver) && str_equal(own, device);
}

char *system_foreign_network_find(struct engine *engine, const char *driver, const char *device)
{
	struct json_object *list = NULL;
	char *found = NULL;
	struct err ignored;

	if (str_empty(device) || engine_networks_list(engine, &list, &ignored) < 0)
		return NULL;
	for (size_t i = 0; !found && i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		const char *name = json_object_get_string(json_object_object_get(one, "Name"));
		const char *kind = json_object_get_string(json_object_object_get(one, "Driver"));
		own_clear(network_record_clear) struct network record = { 0 };
		if (name && str_equal(kind, driver) &&
		    engine_networks_read(&record, engine, name, &ignored) == 0 &&
		    is_of(&record, driver, device))
			found = mem_text(name);
	}
	json_object_put(list);
	return found;
}

/* ---- the root ---- */

int system_foreign_open_root(struct foreign_machine *m, const struct strv *layers, struct err *e)
{
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };
	struct stat st;

	own_fd int first = open(layers->items[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (first < 0 || fstat(first, &st) < 0)
		return err_sys(e, "open its root %s", layers->items[0]);
	if (layers->count > 1) {
		strv_add_all(&overlay.lower, layers);
		m->root_fd = runtime_overlay_mount_in_parent(&overlay, "/", e);
	} else if (S_ISREG(st.st_mode)) {
		m->root_fd = runtime_disk_mount_in_parent(first, false, e);
	} else if (S_ISDIR(st.st_mode)) {
		m->root_fd = take_fd(&first);
	} else {
		return err_set(e, ERR_UNSUPPORTED, "its root %s is neither folder nor image",
			       layers->items[0]);
	}
	return m->root_fd < 0 ? err_add(e, "its root %s", layers->items[0]) : 0;
}

static void add_ids(struct strv *to, const char *option, const struct oci_id_mappings *ids)
{
	for (size_t i = 0; i < ids->count; i++)
		strv_addf(to, "%s=%u:%u:%u", option, ids->items[i].container_id,
			  ids->items[i].host_id, ids->items[i].size);
}

static int import_root(struct engine *engine, const struct foreign_machine *m, char **ret_id,
		       struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const struct image_command_files files = { m->root_fd, -1, 0, 0 };
	struct image_progress image = { 0 };

	image_command_begin(&arguments, "import", engine->store);
	add_ids(&arguments, "--map-uid", &m->ids.uids);
	add_ids(&arguments, "--map-gid", &m->ids.gids);
	strv_addf(&arguments, "--message=The container %s, from %s", m->name, m->root);
	strv_add(&arguments, "--");
	strv_add(&arguments, m->root);
	int r = image_command_run_on(&files, &image, &arguments, IMAGE_SHOW_NOTHING, e);
	if (r == 0)
		*ret_id = mem_text(image.digest);
	return r;
}

/* ---- hooks ---- */

/* Those in its own folder get a copy in the new one's. */
static void move_hook(struct strv *to, const struct foreign_machine *m, const char *hook,
		      const char *new_folder)
{
	const char *path = strchr(hook, '/');
	size_t length = strlen(m->folder);

	if (path && strncmp(path, m->folder, length) == 0 && path[length] == '/')
		strv_addf(to, "%.*s%s/hooks%s", (int)(path - hook), hook, new_folder,
			  path + length);
	else
		strv_add(to, hook);
}

static int copy_hook(int from_fd, int to_fd, const char *path, struct err *e)
{
	static const struct copy_options all = { .all_attributes = true };
	const char *name;
	own_free char *below = mem_text_n(path, strcspn(path, " \t"));

	own_fd int parent = path_open_parent(to_fd, below, true, &name, e);
	if (parent < 0)
		return parent;
	own_fd int from = path_open_parent(from_fd, below, false, &name, e);
	if (from < 0)
		return from;
	return faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0
		       ? 0
		       : copy_tree_at(from, name, parent, name, &all, e);
}

static int copy_hooks(const struct foreign_machine *m, const char *new_folder, struct err *e)
{
	size_t length = strlen(m->folder);

	own_fd int from = open(m->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int to = open(new_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0)
		return err_sys(e, "open the folder of hooks");
	for (size_t i = 0; i < m->hooks.count; i++) {
		const char *path = strchr(m->hooks.items[i], '/');
		if (!path || strncmp(path, m->folder, length) != 0 || path[length] != '/')
			continue;
		own_fd int hooks = path_make_dirs(to, "hooks", 0755, e);
		int r = hooks < 0 ? hooks : copy_hook(from, hooks, path + length + 1, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Without them the container is there all the same, and it is said. */
static void take_hooks(struct engine *engine, struct foreign_machine *m, const struct container *c)
{
	own_free char *folder = mem_format("%s/containers/%s", engine->store->root, c->id);
	own_clear(create_options_clear) struct create_options o = { 0 };
	struct err e;

	if (!m->hooks.count)
		return;
	for (size_t i = 0; i < m->hooks.count; i++)
		move_hook(&o.hook, m, m->hooks.items[i], folder);
	if (copy_hooks(m, folder, &e) < 0 || engine_update(engine, c->id, &o, &e) < 0)
		strv_addf(&m->notes, "its hooks are not taken: %s", e.text);
}

/* ---- all of it ---- */

int system_foreign_make(struct engine *engine, struct foreign_machine *m, struct create_options *o,
			struct container *ret, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	if (engine_find_name(engine, o->name, id)) {
		err_set(e, ERR_EXISTS, "the name '%s' is taken", o->name);
		return err_hint(e, "rename the one that is here: holm rename %s OTHER", o->name);
	}
	mem_replace(&o->image, NULL);
	int r = import_root(engine, m, &o->image, e);
	if (r < 0)
		return err_add(e, "its root %s", m->root);
	strv_add_all(&o->command, &m->command);
	o->quiet = true;
	r = engine_create(engine, o, ret, e);
	if (r == 0)
		take_hooks(engine, m, ret);
	return r;
}
