#include "runtime/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/command.h"
#include "runtime/runtime.h"
#include "runtime/tree.h"

enum { MACHINE_ID_DIGITS = 32, MACHINE_ID_BYTES_MAX = 256 };

bool runtime_guest_is_asked_for(const struct oci_spec *spec)
{
	return str_equal(shape_map_get(&spec->annotations, "org.holm.guest"), "true");
}

/* ---- files of the root ---- */

/* -errno: there is no such folder. */
static int open_folder(const struct runtime_tree *tree, const char *path)
{
	return runtime_tree_open(tree, path, O_RDONLY | O_DIRECTORY);
}

/* A new file in the place of whatever has this name. */
static int replace_file(int dir, const char *name, const char *text, mode_t mode, struct err *e)
{
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove the old %s", name);
	own_fd int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(e, "make %s", name);
	int r = fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_number(e, -r, "write %s", name) : 0;
}

/* ---- who it is ---- */

/* One without a machine-id, or "uninitialized", has its first boot before it: its init makes one,
 * out of container_uuid. */
static bool has_machine_id(int etc)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	return fd_read_file_at(etc, "machine-id", MACHINE_ID_BYTES_MAX, &text, &ignored) == 0 &&
	       text.length >= MACHINE_ID_DIGITS &&
	       strspn(text.text, "0123456789abcdefABCDEF") == MACHINE_ID_DIGITS;
}

static void remove_from(const struct runtime_tree *tree, const char *folder, const char *name)
{
	struct stat st;
	own_fd int dir = open_folder(tree, folder);

	if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		unlinkat(dir, name, 0);
}

static bool is_host_key(const char *name)
{
	return str_starts(name, "ssh_host_") && (str_ends(name, "_key") || str_ends(name, ".pub"));
}

static void remove_host_keys(const struct runtime_tree *tree)
{
	int fd = open_folder(tree, "/etc/ssh");
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (is_host_key(entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
}

static bool has_systemd(const struct runtime_tree *tree)
{
	own_fd int usr = runtime_tree_open(tree, "/usr/lib/systemd/systemd", O_PATH);
	own_fd int lib = runtime_tree_open(tree, "/lib/systemd/systemd", O_PATH);

	return usr >= 0 || lib >= 0;
}

static int renew_identity(const struct oci_spec *spec, const struct runtime_tree *tree,
			  const char *machine_id, struct err *e)
{
	own_free char *line = mem_format("%s\n", machine_id);
	own_fd int etc = open_folder(tree, "/etc");
	int r = 0;

	if (etc < 0)
		return 0;
	if (has_machine_id(etc))
		r = replace_file(etc, "machine-id", line, 0444, e);
	if (r == 0 && !str_empty(spec->hostname)) {
		own_free char *name = mem_format("%s\n", spec->hostname);
		r = replace_file(etc, "hostname", name, 0644, e);
	}
	if (r < 0)
		return err_add(e, "/etc of the container");
	remove_from(tree, "/var/lib/dbus", "machine-id");
	remove_from(tree, "/var/lib/systemd", "random-seed");
	remove_from(tree, "/var/lib/urandom", "random-seed");
	/* others have nobody to make them again */
	if (has_systemd(tree))
		remove_host_keys(tree);
	return 0;
}

/* ---- what its systemd is told, in /run ---- */

/* Distributions make the keys of their ssh server when it is installed; a copy has none. */
static const char keys_unit[] = "[Unit]\n"
				"Description=Make the keys of the ssh server\n"
				"ConditionPathExists=/usr/bin/ssh-keygen\n"
				"ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key\n"
				"Before=ssh.service sshd.service ssh.socket sshd.socket\n"
				"\n"
				"[Service]\n"
				"Type=oneshot\n"
				"ExecStart=/usr/bin/ssh-keygen -A\n";

#define UNITS     "/run/systemd/system"
#define KEYS_UNIT "holm-ssh-keys.service"

/* The kernel's file systems for finding faults, and the one to cut off FUSE, are the host's. */
static const char *const masked_units[] = { "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
					    "sys-kernel-config.mount",
					    "sys-fs-fuse-connections.mount" };

static int link_unit(const struct runtime_tree *tree, const char *folder, const char *target,
		     const char *name, struct err *e)
{
	own_fd int dir = runtime_tree_make_dirs(tree, folder, 0755, e);

	if (dir < 0)
		return dir;
	if (symlinkat(target, dir, name) < 0 && errno != EEXIST)
		return err_sys(e, "link %s", name);
	return 0;
}

static int write_units(const struct runtime_tree *tree, struct err *e)
{
	own_fd int path = runtime_tree_make_dirs(tree, UNITS, 0755, e);
	own_fd int units = path < 0 ? -1 : open_folder(tree, UNITS);
	int r = 0;

	if (units < 0)
		return path < 0 ? path : err_number(e, -units, "open " UNITS);
	r = replace_file(units, KEYS_UNIT, keys_unit, 0644, e);
	for (size_t i = 0; r == 0 && i < COUNT_OF(masked_units); i++)
		r = link_unit(tree, UNITS, "/dev/null", masked_units[i], e);
	if (r == 0)
		r = link_unit(tree, UNITS "/ssh.service.wants", "../" KEYS_UNIT, KEYS_UNIT, e);
	if (r == 0)
		r = link_unit(tree, UNITS "/sshd.service.wants", "../" KEYS_UNIT, KEYS_UNIT, e);
	return r;
}

static bool has_tmpfs_at_run(const struct runtime_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		if (str_equal(tree->mounts[i].path, "/run"))
			return str_equal(tree->mounts[i].type, "tmpfs");
	return false;
}

int runtime_guest_prepare_in_child(const struct oci_spec *spec, const struct runtime_tree *tree,
				   struct err *e)
{
	const char *identity = shape_map_get(&spec->annotations, "org.holm.guest.identity");
	int r = 0;

	if (!runtime_guest_is_asked_for(spec))
		return 0;
	bool writable = !(spec->root && spec->root->readonly) ||
			shape_map_get(&spec->annotations, "org.holm.rootfs.upper");
	if (!str_empty(identity) && writable)
		r = renew_identity(spec, tree, identity, e);
	if (r == 0 && has_tmpfs_at_run(tree))
		r = write_units(tree, e);
	return r;
}

/* ---- its init ---- */

/* Where distributions have it, the usual one first; the kernel's own list is the first, /etc/init,
 * /bin/init. */
static const char *const places[] = { "/sbin/init",
				      "/usr/sbin/init",
				      "/lib/systemd/systemd",
				      "/usr/lib/systemd/systemd",
				      "/etc/init",
				      "/bin/init",
				      "/init" };

int runtime_guest_find_init_in_container(char **ret, const struct oci_spec *spec,
					 const struct strv *env, struct err *e)
{
	const struct strv *args = &spec->process->args;

	if (args->count > 1 || !str_equal(args->items[0], places[0]))
		return runtime_command_find_in_container(ret, args->items[0], env, e);
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		int number = runtime_command_probe(places[i]);
		if (number && number != ENOENT && number != ENOTDIR)
			return runtime_command_error(e, number, places[i]);
		if (number)
			continue;
		*ret = mem_text(places[i]);
		return 0;
	}
	err_set(e, ERR_COMMAND_NOT_FOUND,
		"there is no init to boot: neither /sbin/init nor systemd is in the root "
		"filesystem");
	return err_hint(e, "an application is started by holm run; to make it a system, install "
			   "systemd-sysv or another init in it");
}
