/* What settings of systemd.nspawn(5) are as options of holm. A machine without such a file is what
 * systemd-nspawn@.service makes of it: it boots, with a veth and with ids of its own. */
#include "system/foreign.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/trusted.h"
#include "base/user_ids.h"
#include "base/words.h"
#include "system/nspawn_config.h"

struct reading {
	struct foreign_machine *machine;
	struct engine *engine;
	const char *file;
	bool trusted;    /* the file is root's */
	bool is_private; /* a network namespace of its own was asked for */
	bool shared;     /* Private=no */
	bool placed;     /* it has a place in a network */
	bool is_app;
};

/* NULL, or why it was not taken. */
typedef const char *take(struct reading *r, const char *value);

static bool is_true(const char *value)
{
	static const char *const words[] = { "1", "yes", "y", "true", "t", "on" };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcasecmp(words[i], value) == 0)
			return true;
	return false;
}

/* Each word as one setting. */
static const char *set_words(struct reading *r, const char *key, const char *value)
{
	own_clear(strv_clear) struct strv words = { 0 };
	struct err e;

	if (words_split(&words, value, &e) < 0)
		return "not words";
	for (size_t i = 0; i < words.count; i++)
		system_foreign_set(r->machine, key, words.items[i]);
	return NULL;
}

/* ---- [Exec] ---- */

static const char *take_boot(struct reading *r, const char *value)
{
	r->is_app = !is_true(value);
	return NULL;
}

static const char *take_parameters(struct reading *r, const char *value)
{
	struct err e;

	strv_clear(&r->machine->command);
	return words_split(&r->machine->command, value, &e) < 0 ? "not words" : NULL;
}

static const char *take_environment(struct reading *r, const char *value)
{
	own_clear(strv_clear) struct strv words = { 0 };
	const char *why = NULL;
	struct err e;

	if (words_split(&words, value, &e) < 0)
		return "not words";
	for (size_t i = 0; i < words.count; i++)
		if (strchr(words.items[i], '='))
			system_foreign_set(r->machine, "env", words.items[i]);
		else
			why = "not KEY=VALUE: of KEY alone the value would be the caller's";
	return why;
}

static const char *take_user(struct reading *r, const char *value)
{
	system_foreign_set(r->machine, "user", value);
	return NULL;
}

static const char *take_workdir(struct reading *r, const char *value)
{
	system_foreign_set(r->machine, "workdir", value);
	return NULL;
}

static const char *take_capability(struct reading *r, const char *value)
{
	if (str_equal(value, "all"))
		return "--cap-add ALL gives it all";
	return set_words(r, "cap-add", value);
}

static const char *take_drop_capability(struct reading *r, const char *value)
{
	if (str_equal(value, "all")) {
		system_foreign_set(r->machine, "cap-drop", "ALL");
		return NULL;
	}
	return set_words(r, "cap-drop", value);
}

static const char *take_no_new_privileges(struct reading *r, const char *value)
{
	if (is_true(value))
		system_foreign_set(r->machine, "security-opt", "no-new-privileges");
	return NULL;
}

static const char *take_kill_signal(struct reading *r, const char *value)
{
	system_foreign_set(r->machine, "stop-signal", value);
	return NULL;
}

static const char *take_private_users(struct reading *r, const char *value)
{
	bool own = isdigit((unsigned char)*value) || str_equal(value, "pick") || is_true(value);

	r->machine->idmapped = own && !str_equal(value, "1");
	return own ? NULL : "it has ids of its own: --userns host is the old way";
}

static const char *take_oom_score(struct reading *r, const char *value)
{
	system_foreign_set(r->machine, "oom-score-adj", value);
	return NULL;
}

static const char *take_affinity(struct reading *r, const char *value)
{
	own_free char *list = mem_text(value);

	for (char *at = list; *at; at++)
		if (*at == ' ')
			*at = ',';
	system_foreign_set(r->machine, "cpuset-cpus", list);
	return NULL;
}

static const char *take_hostname(struct reading *r, const char *value)
{
	system_foreign_set(r->machine, "hostname", value);
	return NULL;
}

static const char *take_ephemeral(struct reading *r, const char *value)
{
	if (is_true(value))
		system_foreign_set(r->machine, "rm", "true");
	return NULL;
}

/* "LimitNOFILE=1024:infinity" */
static const char *take_limit(struct reading *r, const char *name, const char *value)
{
	own_free char *lower = mem_text(name), *text = mem_text(value);
	own_clear(strv_clear) struct strv ends = { 0 };

	for (char *at = lower; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	strv_split(&ends, text, ':');
	for (size_t i = 0; i < ends.count; i++)
		if (!str_equal(ends.items[i], "infinity") &&
		    ends.items[i][strspn(ends.items[i], "0123456789")])
			return "only numbers are taken";
	if (!ends.count || ends.count > 2)
		return "not SOFT:HARD";
	const char *soft = str_equal(ends.items[0], "infinity") ? "-1" : ends.items[0];
	const char *hard = ends.count < 2 ? soft : ends.items[1];
	system_foreign_setf(r->machine, "ulimit=%s=%s:%s", lower, soft,
			    str_equal(hard, "infinity") ? "-1" : hard);
	return NULL;
}

/* ---- [Files] ---- */

static const char *take_read_only(struct reading *r, const char *value)
{
	if (is_true(value))
		system_foreign_set(r->machine, "read-only", "true");
	return NULL;
}

static const char *take_volatile(struct reading *r, const char *value)
{
	(void)r;
	return str_equal(value, "no") ? NULL
				      : "what it writes stays: holm clone --ephemeral makes copies "
					"that go";
}

/* "SOURCE[:TARGET[:OPTIONS]]", a colon behind a backslash being none; systemd-nspawn(1). */
static void split_colons(struct strv *to, const char *text)
{
	struct str part = { 0 };

	for (; *text; text++) {
		if (*text == '\\' && text[1] == ':') {
			str_add_char(&part, *++text);
		} else if (*text == ':') {
			strv_add_take(to, str_take(&part));
		} else {
			str_add_char(&part, *text);
		}
	}
	strv_add_take(to, str_take(&part));
}

static const char *bind(struct reading *r, const char *value, bool read_only)
{
	own_clear(strv_clear) struct strv parts = { 0 }, options = { 0 };

	split_colons(&parts, value);
	if (*parts.items[0] != '/')
		return "its source is not a path of the host";
	if (parts.count > 2)
		strv_split(&options, parts.items[2], ',');
	if (read_only)
		strv_add(&options, "ro");
	if (strv_contains(&options, "norbind"))
		strv_add(&options, "bind");
	return system_foreign_mount(
		r->machine, parts.items[0],
		parts.count > 1 && *parts.items[1] ? parts.items[1] : parts.items[0], &options);
}

static const char *take_bind(struct reading *r, const char *value)
{
	return bind(r, value, false);
}

static const char *take_bind_read_only(struct reading *r, const char *value)
{
	return bind(r, value, true);
}

static const char *take_tmpfs(struct reading *r, const char *value)
{
	system_foreign_set(r->machine, "tmpfs", value);
	return NULL;
}

static const char *take_inaccessible(struct reading *r, const char *value)
{
	system_foreign_setf(r->machine, "security-opt=mask=%s", value);
	return NULL;
}

/* ---- [Network] ---- */

static const char *take_private(struct reading *r, const char *value)
{
	r->is_private = is_true(value);
	r->shared = !r->is_private;
	return NULL;
}

static void place(struct reading *r, const char *network)
{
	own_free char *text = mem_format("network=%s", network);

	r->placed = true;
	if (!strv_contains(&r->machine->settings, text))
		strv_add(&r->machine->settings, text);
}

static const char *take_veth(struct reading *r, const char *value)
{
	if (is_true(value))
		place(r, FOREIGN_NETWORK_DEFAULT);
	else
		r->is_private = true;
	return NULL;
}

static const char *join_bridge(struct reading *r, const char *bridge)
{
	own_free char *network = system_foreign_network_find(r->engine, "bridge", bridge);

	place(r, network ? network : FOREIGN_NETWORK_DEFAULT);
	return network ? NULL : "no bridge of a network of holm's: it is in the default network";
}

static const char *take_bridge(struct reading *r, const char *value)
{
	return join_bridge(r, value);
}

static const char *take_zone(struct reading *r, const char *value)
{
	own_free char *bridge = mem_format("vz-%s", value);

	return join_bridge(r, bridge);
}

static const char *join_stacked(struct reading *r, const char *driver, const char *device)
{
	own_free char *network = system_foreign_network_find(r->engine, driver, device);

	r->is_private = true;
	if (network)
		place(r, network);
	return network ? NULL : FOREIGN_NETWORK_MISSING;
}

static const char *take_macvlan(struct reading *r, const char *value)
{
	return join_stacked(r, "macvlan", value);
}

static const char *take_ipvlan(struct reading *r, const char *value)
{
	return join_stacked(r, "ipvlan", value);
}

static const char *take_interface(struct reading *r, const char *value)
{
	return join_stacked(r, "phys", value);
}

/* "[tcp:|udp:]HOST[:CONTAINER]" */
static const char *take_port(struct reading *r, const char *value)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	const char *protocol = "tcp";
	size_t i = 0;

	strv_split(&parts, value, ':');
	if (parts.count && (str_equal(parts.items[0], "tcp") || str_equal(parts.items[0], "udp")))
		protocol = parts.items[i++];
	if (i >= parts.count || parts.count > i + 2)
		return "not PROTOCOL:PORT:PORT";
	const char *inside = parts.count > i + 1 ? parts.items[i + 1] : parts.items[i];
	system_foreign_setf(r->machine, "publish=%s:%s/%s", parts.items[i], inside, protocol);
	return NULL;
}

/* ---- the table ---- */

static const char *leave(struct reading *r, const char *value)
{
	(void)r;
	(void)value;
	return NULL;
}

static const struct {
	const char *key;
	take *take;
	bool harmless; /* nspawn heeds it in a file that is not root's, too */
} rows[] = {
	{ "Exec.Boot", take_boot, true },
	{ "Exec.ProcessTwo", leave, true },
	{ "Exec.Parameters", take_parameters, true },
	{ "Exec.Environment", take_environment, true },
	{ "Exec.User", take_user, true },
	{ "Exec.WorkingDirectory", take_workdir, true },
	{ "Exec.Capability", take_capability, false },
	{ "Exec.DropCapability", take_drop_capability, true },
	{ "Exec.NoNewPrivileges", take_no_new_privileges, true },
	{ "Exec.KillSignal", take_kill_signal, true },
	{ "Exec.PrivateUsers", take_private_users, false },
	{ "Exec.OOMScoreAdjust", take_oom_score, false },
	{ "Exec.CPUAffinity", take_affinity, false },
	{ "Exec.Hostname", take_hostname, true },
	{ "Exec.Ephemeral", take_ephemeral, true },
	{ "Exec.NotifyReady", leave, true },
	{ "Exec.ResolvConf", leave, true },
	{ "Exec.Timezone", leave, true },
	{ "Exec.LinkJournal", leave, true },
	{ "Files.ReadOnly", take_read_only, true },
	{ "Files.Volatile", take_volatile, true },
	{ "Files.Bind", take_bind, false },
	{ "Files.BindReadOnly", take_bind_read_only, false },
	{ "Files.TemporaryFileSystem", take_tmpfs, false },
	{ "Files.Inaccessible", take_inaccessible, false },
	{ "Files.PrivateUsersOwnership", leave, true },
	{ "Files.PrivateUsersChown", leave, true },
	{ "Network.Private", take_private, false },
	{ "Network.VirtualEthernet", take_veth, false },
	{ "Network.Bridge", take_bridge, false },
	{ "Network.Zone", take_zone, false },
	{ "Network.MACVLAN", take_macvlan, false },
	{ "Network.IPVLAN", take_ipvlan, false },
	{ "Network.Interface", take_interface, false },
	{ "Network.Port", take_port, false },
};

static const char *take_line(struct reading *r, const struct nspawn_line *line)
{
	static const char limit[] = "Exec.Limit", heed[] =
							  "the file is not one of root's, and "
							  "systemd-nspawn does not heed it, either";

	if (str_starts(line->key, limit))
		return r->trusted ? take_limit(r, line->key + strlen(limit), line->value) : heed;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (str_equal(rows[i].key, line->key))
			return r->trusted || rows[i].harmless ? rows[i].take(r, line->value) : heed;
	return "holm has no such thing";
}

/* ---- the whole ---- */

static int read_settings(struct reading *r, struct err *e)
{
	own_clear(system_nspawn_config_clear) struct nspawn_config config = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	int result = fd_read_file_at(AT_FDCWD, r->file, NSPAWN_CONFIG_BYTES_MAX, &text, e);
	if (result == 0)
		result = system_nspawn_config_parse(&config, text.text ? text.text : "",
						    text.length, e);
	if (result < 0)
		return err_add(e, "%s", r->file);
	for (size_t i = 0; i < config.lines.count; i++) {
		const struct nspawn_line *line = &config.lines.items[i];
		const char *why = take_line(r, line);
		if (why)
			strv_addf(&r->machine->notes, "%s:%d: %s=%.200s: %s", r->file, line->number,
				  strchr(line->key, '.') + 1, line->value, why);
	}
	return 0;
}

/* systemd.nspawn(5), ".nspawn File Discovery". */
static int find_settings(struct reading *r, const char *folder, struct err *e)
{
	const char *const folders[] = { "/etc/systemd/nspawn", "/run/systemd/nspawn", folder };
	struct err ignored;

	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		own_free char *path = mem_format("%s/%s.nspawn", folders[i], r->machine->name);
		if (access(path, F_OK) < 0)
			continue;
		r->file = path;
		r->trusted = i < 2 && trusted_check(path, &ignored) == 0;
		int result = read_settings(r, e);
		r->file = NULL;
		return result;
	}
	return 0;
}

/* nspawn gives the files of a machine the ids that it runs with, and finds them by the owner of its
 * root: multiples of 65536. */
static void find_ids(struct foreign_machine *m)
{
	enum { RANGE = 65536 };
	struct oci_id_mapping ids = { .size = RANGE };
	struct stat st;

	if (user_ids_are_mapped() || fstat(m->root_fd, &st) < 0 || st.st_uid < RANGE ||
	    st.st_uid % RANGE)
		return;
	ids.host_id = st.st_uid;
	*shape_list_add(&m->ids.uids) = ids;
	*shape_list_add(&m->ids.gids) = ids;
}

static int check_not_running(const char *folder, const char *name, struct err *e)
{
	own_free char *lock = mem_format("%s/.#%s.lck", folder, name);
	own_free char *machine = mem_format("/run/systemd/machines/%s", name);
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	own_fd int fd = open(lock, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool locked = fd >= 0 && (flock(fd, LOCK_SH | LOCK_NB) < 0 ||
				  (fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK));
	if (!locked && access(machine, F_OK) < 0)
		return 0;
	err_set(e, ERR_STATE, "it is running");
	return err_hint(e, "stop it first: machinectl poweroff %s", name);
}

static int open_machine_root(struct foreign_machine *m, const char *folder, struct err *e)
{
	own_clear(strv_clear) struct strv roots = { 0 };
	struct stat st;

	m->root = path_join(folder, m->name);
	if (stat(m->root, &st) < 0) {
		own_free char *raw = mem_format("%s/%s.raw", folder, m->name);
		mem_replace(&m->root, raw);
	}
	strv_add(&roots, m->root);
	return system_foreign_open_root(m, &roots, e);
}

static void finish(struct reading *r)
{
	if (!r->is_app)
		system_foreign_set(r->machine, "system", "true");
	else if (!user_ids_are_mapped())
		system_foreign_set(r->machine, "userns", "auto"); /* as a system has */
	if (r->placed)
		return;
	/* what systemd-nspawn@.service asks for where nothing is said */
	system_foreign_set(r->machine, "network",
			   r->shared       ? "host"
			   : r->is_private ? "none"
					   : "bridge");
}

static int read_machine(struct foreign_machine *to, struct engine *engine, const char *folder,
			const char *name, struct err *e)
{
	struct reading r = { .machine = to, .engine = engine };

	to->name = mem_text(name);
	to->folder = path_join(folder, name);
	to->idmapped = true;
	system_foreign_set(to, "name", name);
	int result = check_not_running(folder, name, e);
	if (result == 0)
		result = find_settings(&r, folder, e);
	if (result == 0)
		result = open_machine_root(to, folder, e);
	if (result < 0)
		return result;
	finish(&r);
	find_ids(to);
	return 0;
}

/* "web" or "web.raw"; what machined has downloaded is called .raw-... */
static char *name_of(int folder_fd, const char *entry)
{
	struct stat st;

	if (entry[0] == '.' || fstatat(folder_fd, entry, &st, 0) < 0)
		return NULL;
	if (S_ISDIR(st.st_mode))
		return mem_text(entry);
	return S_ISREG(st.st_mode) && str_ends(entry, ".raw")
		       ? mem_text_n(entry, strlen(entry) - strlen(".raw"))
		       : NULL;
}

const struct foreign_kind system_nspawn = {
	.name = "nspawn",
	.folder = "/var/lib/machines",
	.name_of = name_of,
	.read = read_machine,
};
