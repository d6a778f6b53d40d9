/* What keys of LXC, lxc.container.conf(5), are as options of holm. One that has no row, or whose
 * row cannot take its value, is told with its place; those of LXC's own files are its defaults, and
 * are taken where holm has such a thing, and not spoken of otherwise. */
#include "system/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "base/words.h"
#include "engine/engine.h"
#include "engine/hooks.h"
#include "storage/store.h"
#include "system/lxc_config.h"
#include "system/lxc_read.h"

/* ---- who it is, how it starts and stops ---- */

static const char *take_uts(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	(void)rest;
	system_foreign_set(r->machine, "hostname", line->value);
	return NULL;
}

static const char *take_arch(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	static const char *const own[] = { "linux64", "x86_64", "amd64" };

	(void)r;
	(void)rest;
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (str_equal(line->value, own[i]))
			return NULL;
	return "it runs as what this machine is";
}

static const char *take_environment(struct lxc_reading *r, const struct lxc_line *line,
				    const char *rest)
{
	(void)rest;
	system_foreign_set(r->machine, "env", line->value);
	return NULL;
}

static const char *take_start(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	if (str_equal(rest, "auto"))
		r->autostart = !str_equal(line->value, "0");
	else if (str_equal(rest, "order"))
		r->order = line->value;
	else if (str_equal(rest, "delay"))
		system_foreign_set(r->machine, "autostart-delay", line->value);
	else
		return "not known";
	return NULL;
}

static const char *take_group(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	(void)rest;
	system_foreign_set(r->machine, "autostart-group", line->value);
	return NULL;
}

static const char *take_signal(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	if (str_equal(rest, "halt")) {
		system_foreign_set(r->machine, "stop-signal", line->value);
		return NULL;
	}
	return "holm finds out by itself how an init wants to be asked";
}

static const char *take_init(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	struct err e;

	if (str_equal(rest, "cmd")) {
		strv_clear(&r->machine->command);
		return words_split(&r->machine->command, line->value, &e) < 0 ? "not words" : NULL;
	}
	if (str_equal(rest, "cwd")) {
		system_foreign_set(r->machine, "workdir", line->value);
		return NULL;
	}
	if (str_equal(line->value, "0"))
		return NULL;
	/* it would run with more rights than it had */
	if (str_equal(rest, "uid") || str_equal(rest, "gid"))
		r->refused = "an init that is not root: holm boots systems by root alone";
	return "not known";
}

/* ---- rights ---- */

static const char *take_capabilities(struct lxc_reading *r, const struct lxc_line *line,
				     const char *rest)
{
	bool keep = str_equal(rest, "keep");
	own_clear(strv_clear) struct strv names = { 0 };
	struct err e;

	if (words_split(&names, line->value, &e) < 0)
		return "not words";
	if (keep && !r->keeps && names.count)
		system_foreign_set(r->machine, "cap-drop", "ALL");
	r->keeps |= keep;
	for (size_t i = 0; i < names.count; i++)
		if (!keep)
			system_foreign_set(r->machine, "cap-drop", names.items[i]);
		else if (!str_equal(names.items[i], "none"))
			system_foreign_set(r->machine, "cap-add", names.items[i]);
	return NULL;
}

static const char *take_no_new_privs(struct lxc_reading *r, const struct lxc_line *line,
				     const char *rest)
{
	(void)rest;
	if (str_equal(line->value, "1"))
		system_foreign_set(r->machine, "security-opt", "no-new-privileges");
	return NULL;
}

static const char *take_prlimit(struct lxc_reading *r, const struct lxc_line *line,
				const char *rest)
{
	system_foreign_setf(r->machine, "ulimit=%s=%s", rest, line->value);
	return NULL;
}

static const char *take_sysctl(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	system_foreign_setf(r->machine, "sysctl=%s=%s", rest, line->value);
	return NULL;
}

static const char *take_proc(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	if (!str_equal(rest, "oom_score_adj"))
		return "holm writes no other file of /proc/PID";
	system_foreign_set(r->machine, "oom-score-adj", line->value);
	return NULL;
}

static const char *take_ephemeral(struct lxc_reading *r, const struct lxc_line *line,
				  const char *rest)
{
	(void)rest;
	if (str_equal(line->value, "1"))
		system_foreign_set(r->machine, "rm", "true");
	return NULL;
}

/* ---- ids ---- */

/* A range of the host's ids as this process sees it; user_namespaces(7), "/proc/PID/uid_map". */
static void add_own_ids(struct oci_id_mappings *to, const struct oci_id_mapping *wanted,
			const char *map)
{
	own_file FILE *file = fopen(map, "re");
	uint64_t begin = wanted->host_id, end = begin + wanted->size;
	unsigned long inside, outside, count;

	while (file && fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3) {
		uint64_t from = begin > outside ? begin : outside;
		uint64_t until = end < outside + count ? end : outside + count;
		if (from >= until)
			continue;
		*shape_list_add(to) = (struct oci_id_mapping){
			.container_id = (uint32_t)(wanted->container_id + (from - begin)),
			.host_id = (uint32_t)(inside + (from - outside)),
			.size = (uint32_t)(until - from),
		};
	}
}

static bool read_idmap(struct oci_id_mapping *to, char *kind, const char *text)
{
	own_clear(strv_clear) struct strv words = { 0 };
	struct oci_id_mappings one = { 0 };
	struct err e;

	if (words_split(&words, text, &e) < 0 || words.count != 4 || strlen(words.items[0]) != 1 ||
	    !strchr("ugb", *words.items[0]))
		return false;
	own_free char *numbers =
		mem_format("%s:%s:%s", words.items[1], words.items[2], words.items[3]);
	if (oci_id_map_parse(&one, numbers, &e) < 0)
		return false;
	*kind = *words.items[0];
	*to = one.items[0];
	free(one.items);
	return to->size <= UINT32_MAX - to->container_id && to->size <= UINT32_MAX - to->host_id;
}

static const char *take_idmap(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	struct oci_id_mapping ids;
	char kind;

	(void)rest;
	if (!read_idmap(&ids, &kind, line->value))
		return "not KIND CONTAINER HOST COUNT";
	if (kind != 'g')
		add_own_ids(&r->machine->ids.uids, &ids, "/proc/self/uid_map");
	if (kind != 'u')
		add_own_ids(&r->machine->ids.gids, &ids, "/proc/self/gid_map");
	if (user_ids_are_mapped())
		return NULL; /* an ordinary user's containers have the user's ids */
	if (kind != 'g')
		system_foreign_setf(r->machine, "uidmap=%u:%u:%u", ids.container_id, ids.host_id,
				    ids.size);
	if (kind != 'u')
		system_foreign_setf(r->machine, "gidmap=%u:%u:%u", ids.container_id, ids.host_id,
				    ids.size);
	return NULL;
}

/* ---- hooks ---- */

static const char *take_hook(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	if (engine_hooks_find(rest) < 0)
		return str_equal(rest, "version") ? NULL : "holm has no such point";
	if (!*line->value || line->stock || str_starts(line->value, "/usr/share/lxcfs/"))
		return NULL; /* holm shows limits and renews host names by itself */
	if (*line->value != '/')
		return "its program has no absolute path";
	strv_addf(&r->machine->hooks, "%s=%s", rest, line->value);
	return NULL;
}

/* ---- the root ---- */

static const char *take_root(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	(void)rest;
	r->root = line->value;
	return NULL;
}

static const char *take_root_options(struct lxc_reading *r, const struct lxc_line *line,
				     const char *rest)
{
	own_clear(strv_clear) struct strv words = { 0 };

	(void)rest;
	strv_split(&words, line->value, ',');
	for (size_t i = 0; i < words.count; i++)
		if (str_equal(words.items[i], "ro"))
			system_foreign_set(r->machine, "read-only", "true");
	return NULL;
}

/* ---- the table ---- */

static const char *leave(struct lxc_reading *r, const struct lxc_line *line, const char *rest)
{
	(void)r;
	(void)line;
	(void)rest;
	return NULL;
}

static const char *take_apparmor(struct lxc_reading *r, const struct lxc_line *line,
				 const char *rest)
{
	(void)r;
	if (str_starts(rest, "allow") ||
	    (str_equal(rest, "profile") &&
	     (str_equal(line->value, "generated") || str_equal(line->value, "unchanged") ||
	      str_starts(line->value, "lxc-container-default"))))
		return NULL;
	return "holm's own profile is over it: --security-opt apparmor=PROFILE names another one";
}

static const char *take_seccomp(struct lxc_reading *r, const struct lxc_line *line,
				const char *rest)
{
	(void)r;
	if (line->stock || str_starts(line->value, "/usr/share/lxc/"))
		return NULL;
	return str_equal(rest, "profile") ? "holm's own filter is over it: profiles of LXC's form "
					    "are not read"
					  : "holm has no such thing";
}

static const char *take_namespace(struct lxc_reading *r, const struct lxc_line *line,
				  const char *rest)
{
	(void)line;
	if (str_starts(rest, "share.")) {
		r->refused = "it shares a namespace with another container: holm run --network "
			     "container:NAME and the like";
		return NULL;
	}
	return "it has namespaces of its own";
}

/* The first that fits; one that ends in "." takes all keys below. */
static const struct {
	const char *key;
	lxc_take *take;
} rows[] = {
	{ "lxc.uts.name", take_uts },
	{ "lxc.arch", take_arch },
	{ "lxc.rootfs.path", take_root },
	{ "lxc.rootfs.options", take_root_options },
	{ "lxc.rootfs.", leave }, /* .mount, .managed, .backend: where LXC has it */
	{ "lxc.net.", system_lxc_network_take },
	{ "lxc.cgroup.dir", leave },
	{ "lxc.cgroup.relative", leave },
	{ "lxc.cgroup.", system_lxc_cgroup_take },
	{ "lxc.cgroup2.", system_lxc_cgroup_take },
	{ "lxc.cap.", take_capabilities },
	{ "lxc.no_new_privs", take_no_new_privs },
	{ "lxc.mount.entry", system_lxc_mount_take },
	{ "lxc.mount.fstab", system_lxc_mount_take_fstab },
	{ "lxc.mount.auto", system_lxc_mount_take_auto },
	{ "lxc.environment", take_environment },
	{ "lxc.environment.runtime", take_environment },
	{ "lxc.start.", take_start },
	{ "lxc.group", take_group },
	{ "lxc.signal.", take_signal },
	{ "lxc.init.", take_init },
	{ "lxc.prlimit.", take_prlimit },
	{ "lxc.sysctl.", take_sysctl },
	{ "lxc.proc.", take_proc },
	{ "lxc.idmap", take_idmap },
	{ "lxc.hook.", take_hook },
	{ "lxc.ephemeral", take_ephemeral },
	{ "lxc.apparmor.", take_apparmor },
	{ "lxc.seccomp.", take_seccomp },
	{ "lxc.namespace.", take_namespace },
	/* how LXC does what holm does its own way */
	{ "lxc.tty.", leave },
	{ "lxc.pty.", leave },
	{ "lxc.console.", leave },
	{ "lxc.autodev", leave },
	{ "lxc.autodev.", leave },
	{ "lxc.kmsg", leave },
	{ "lxc.log.", leave },
	{ "lxc.monitor.", leave },
	{ "lxc.execute.", leave },
	{ "lxc.keyring.", leave },
};

static const char *take(struct lxc_reading *r, const struct lxc_line *line)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t length = strlen(rows[i].key);
		if (str_ends(rows[i].key, ".") ? str_starts(line->key, rows[i].key)
					       : str_equal(line->key, rows[i].key))
			return rows[i].take(r, line, line->key + length);
	}
	return "holm has no such thing";
}

void system_lxc_note(struct lxc_reading *r, const struct lxc_line *line, const char *why)
{
	if (why && !line->stock)
		strv_addf(&r->machine->notes, "%s:%d: %s = %.200s: %s", line->file, line->number,
			  line->key, line->value, why);
}

/* ---- the whole ---- */

/* LXC's socket of a container that runs (lxc: commands_utils.c). */
static bool is_running(const char *folder)
{
	own_clear(str_clear) struct str text = { 0 };
	own_free char *socket = mem_format("@%s/command", folder);
	enum { SOCKETS_BYTES_MAX = 16 << 20 };
	struct err ignored;

	if (fd_read_file_at(AT_FDCWD, "/proc/net/unix", SOCKETS_BYTES_MAX, &text, &ignored) < 0)
		return false;
	return text.text && strstr(text.text, socket);
}

/* "overlay:LOWER:UPPER", "overlayfs:..", "dir:PATH", "loop:FILE" or a path alone. */
static int split_root(struct strv *layers, const char *text, struct err *e)
{
	static const char *const backends[] = { "dir:", "loop:", "overlay:", "overlayfs:" };
	own_clear(strv_clear) struct strv parts = { 0 };
	const char *paths = text;

	for (size_t i = 0; i < COUNT_OF(backends); i++)
		if (str_starts(text, backends[i]))
			paths = text + strlen(backends[i]);
	if (*paths != '/') {
		err_set(e, ERR_UNSUPPORTED, "its root is %s", text);
		return err_hint(
			e, "of dir, overlay and loop holm knows the files; mount this one, and "
			   "name it in lxc.rootfs.path");
	}
	if (str_starts(text, "overlay"))
		strv_split(&parts, paths, ':');
	else
		strv_add(&parts, paths);
	/* the topmost is said last */
	for (size_t i = parts.count; i > 0; i--)
		strv_add(layers, parts.items[i - 1]);
	return 0;
}

static int open_root(struct lxc_reading *r, struct err *e)
{
	own_clear(strv_clear) struct strv layers = { 0 };

	if (str_empty(r->root))
		return err_set(e, ERR_UNSUPPORTED,
			       "it has no lxc.rootfs.path: its root is the "
			       "host's");
	int result = split_root(&layers, r->root, e);
	if (result < 0)
		return result;
	r->machine->root = mem_text(r->root);
	return system_foreign_open_root(r->machine, &layers, e);
}

static void note_snapshots(struct foreign_machine *m)
{
	own_free char *path = path_join(m->folder, "snaps");

	if (access(path, F_OK) == 0)
		strv_addf(&m->notes,
			  "its snapshots are not taken; each is a container by itself: holm import "
			  "--from lxc %s",
			  path);
}

static void finish(struct lxc_reading *r)
{
	if (r->autostart)
		system_foreign_set(r->machine, "autostart", r->order ? r->order : "yes");
	system_lxc_network_finish(r);
	system_lxc_cgroup_finish(r);
}

static int read_config(struct lxc_reading *r, struct err *e)
{
	for (size_t i = 0; i < r->config.lines.count; i++) {
		const struct lxc_line *line = &r->config.lines.items[i];
		system_lxc_note(r, line, take(r, line));
		if (r->refused)
			return err_set(e, ERR_UNSUPPORTED, "%s, line %d: %s = %.200s: %s",
				       line->file, line->number, line->key, line->value,
				       r->refused);
	}
	finish(r);
	return 0;
}

static void reading_clear(struct lxc_reading *r)
{
	system_lxc_config_clear(&r->config);
}

static int read_machine(struct foreign_machine *to, struct engine *engine, const char *folder,
			const char *name, struct err *e)
{
	own_clear(reading_clear) struct lxc_reading r = { .machine = to, .engine = engine };

	to->name = mem_text(name);
	to->folder = path_join(folder, name);
	own_free char *path = path_join(to->folder, "config");
	system_foreign_set(to, "name", name);
	system_foreign_set(to, "system", "true");
	int result = system_lxc_config_read(&r.config, path, e);
	if (result < 0)
		return result;
	if (is_running(to->folder)) {
		err_set(e, ERR_STATE, "it is running");
		return err_hint(e, "stop it first: lxc-stop -P %s -n %s", folder, name);
	}
	to->idmapped = system_lxc_config_get(&r.config, "lxc.idmap");
	result = read_config(&r, e);
	if (result == 0)
		result = open_root(&r, e);
	note_snapshots(to);
	return result;
}

static char *name_of(int folder_fd, const char *entry)
{
	own_free char *config = path_join(entry, "config");

	return entry[0] != '.' && faccessat(folder_fd, config, F_OK, 0) == 0 ? mem_text(entry)
									     : NULL;
}

static char *user_folder(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (!str_empty(data))
		return path_join(data, "lxc");
	return str_empty(home) ? NULL : path_join(home, ".local/share/lxc");
}

const struct foreign_kind system_lxc = {
	.name = "lxc",
	.folder = "/var/lib/lxc",
	.user_folder = user_folder,
	.name_of = name_of,
	.read = read_machine,
};
