#include "runtime/mount_filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/mount.h"
#include "runtime/mount_kernel.h"
#include "runtime/mount_label.h"
#include "runtime/proc_mount.h"
#include "runtime/tree.h"

static int set_option(int fs, const char *option)
{
	const char *value = strchr(option, '=');

	if (!value)
		return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
	own_free char *key = mem_text_n(option, (size_t)(value - option));
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value + 1, 0);
}

static int set_options(int fs, const struct strv *options, bool without_group, struct err *e)
{
	for (size_t i = 0; i < options->count; i++)
		if (!(without_group && str_starts(options->items[i], "gid=")) &&
		    set_option(fs, options->items[i]) < 0)
			return runtime_mount_error(e, fs, "option %s", options->items[i]);
	return 0;
}

/* mqueue gets its label later. */
static bool takes_label(const char *type)
{
	return !str_equal(type, "proc") && !str_equal(type, "sysfs") && !str_equal(type, "mqueue");
}

static int configure(int fs, const struct runtime_mount *m, const char *label, bool without_group,
		     struct err *e)
{
	const char *type = m->spec->type;
	const char *source = m->spec->source ? m->spec->source : type;

	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return err_sys(e, "set source %s", source);
	int r = set_options(fs, &m->options.super, without_group, e);
	if (r == 0)
		r = set_options(fs, &m->options.own, without_group, e);
	if (r < 0)
		return r;
	if (takes_label(type))
		r = runtime_mount_label_option(fs, label, e);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return runtime_mount_error(e, fs, "make a filesystem of type %s", type);
	return 0;
}

static int open_filesystem(const char *type, int pid_namespace, struct err *e)
{
	if (pid_namespace >= 0 && str_equal(type, "proc"))
		return runtime_proc_open_for_children(pid_namespace, e);
	int fs = fsopen(type, FSOPEN_CLOEXEC);
	if (fs >= 0)
		return fs;
	if (errno == ENODEV)
		return err_set(e, ERR_UNSUPPORTED, "this kernel has no filesystem %s", type);
	return err_sys(e, "open filesystem type %s", type);
}

/* All but mounted. */
static int prepare(const struct runtime_mount *m, int pid_namespace, const char *label,
		   bool without_group, struct err *e)
{
	own_fd int fs = open_filesystem(m->spec->type, pid_namespace, e);
	if (fs < 0)
		return fs;
	int r = configure(fs, m, label, without_group, e);
	return r < 0 ? r : take_fd(&fs);
}

static int set_propagation(int fd, const struct runtime_mount *m, struct err *e)
{
	struct mount_attr attr = { .propagation = m->options.propagation };

	if (attr.propagation && mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "set the propagation");
	return 0;
}

static int finish(int fd, const struct runtime_mount *m, const char *label, struct err *e)
{
	int r = str_equal(m->spec->type, "mqueue") ? runtime_mount_label_write(fd, label, e) : 0;

	return r < 0 ? r : set_propagation(fd, m, e);
}

int runtime_mount_filesystem_make_in_child(const struct runtime_mount *m, int pid_namespace,
					   const char *label, struct err *e)
{
	const char *type = m->spec->type;
	uint64_t set = m->options.set | m->options.set_all;

	own_fd int fs = prepare(m, pid_namespace, label, false, e);
	/* tty is group 5 wherever somebody listens to it, but not in every map of ids; before
	 * Linux 6.11 that comes out at the end */
	if (fs == -EINVAL && str_equal(type, "devpts"))
		fs = prepare(m, pid_namespace, label, true, e);
	if (fs < 0)
		return runtime_mount_kernel_explain_in_child(m, e);
	if (m->options.copy_up || m->options.tmp_copy_up)
		set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	own_fd int fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)set);
	if (fd >= 0)
		return finish(fd, m, label, e) < 0 ? -e->number : take_fd(&fd);
	err_sys(e, "mount a filesystem of type %s", type);
	return runtime_mount_kernel_explain_in_child(m, e);
}

/* ---- what is there already ---- */

static int reconfigure(int target, const struct runtime_mount *m, struct err *e)
{
	own_fd int fs = fspick(target, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);

	if (fs < 0)
		return err_sys(e, "open the filesystem to change it");
	int r = set_options(fs, &m->options.super, false, e);
	if (r == 0)
		r = set_options(fs, &m->options.own, false, e);
	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return runtime_mount_error(e, fs, "change the filesystem");
	return 0;
}

int runtime_mount_filesystem_change_in_child(const struct runtime_mount *m,
					     const struct runtime_tree *tree, struct err *e)
{
	own_fd int target = runtime_tree_open(tree, m->spec->destination, O_PATH);

	if (target < 0)
		return err_number(e, -target, "open what is to be mounted again");
	int r = m->options.own.count || m->options.super.count ? reconfigure(target, m, e) : 0;
	if (r == 0)
		r = runtime_mount_set_flags(target, &m->options, e);
	if (r == 0)
		r = set_propagation(target, m, e);
	return r == -EINVAL ? err_hint(e, "remount is for what is mounted there already") : r;
}
