#include "runtime/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_mount.h"
#include "runtime/copy_up.h"
#include "runtime/guest.h"
#include "runtime/idmap_mount.h"
#include "runtime/mount_filesystem.h"
#include "runtime/mount_kernel.h"
#include "runtime/mount_label.h"
#include "runtime/mount_source.h"
#include "runtime/mount_target.h"
#include "runtime/tree.h"
#include "runtime/user_namespace.h"

/* ---- in the parent ---- */

static int set_attributes(int fd, uint64_t set, uint64_t clear, unsigned flags)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	if (!set && !clear)
		return 0;
	if (mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr, sizeof(attr)) == 0)
		return 0;
	if (errno != EPERM || !clear)
		return -1;
	attr.attr_set &= ~(uint64_t)MOUNT_ATTR__ATIME;
	attr.attr_clr = 0;
	if (mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr, sizeof(attr)) < 0)
		return -1;
	log_warning("the host's flags of a mount stay: they are locked in a user namespace");
	return 0;
}

int runtime_mount_set_flags(int fd, const struct runtime_mount_options *o, struct err *e)
{
	if (set_attributes(fd, o->set, o->clear, 0) < 0 ||
	    set_attributes(fd, o->set_all, o->clear_all, AT_RECURSIVE) < 0)
		return err_sys(e, "set the mount's flags");
	return 0;
}

/* By the ids that the mount itself names, by option or members, else by the container's. */
static int map_ids(const struct runtime_mount *m, struct runtime_user_namespace *user,
		   struct err *e)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap own = { 0 };
	const struct oci_mount *spec = m->spec;
	bool named = m->options.idmap_text || spec->uid_mappings.count || spec->gid_mappings.count;
	own_fd int made = -1;

	if (user->entered) {
		err_set(e, ERR_PERMISSION, "map ids: an ordinary user may not do that");
		return err_hint(e, "it is for root on the host; give the files to the ids of the "
				   "container by chown instead");
	}
	if (m->options.idmap_text) {
		int r = runtime_idmap_parse(&own, m->options.idmap_text, &user->ids, e);
		if (r < 0)
			return err_add(e, "option idmap");
	} else if (named) {
		runtime_idmap_copy(&own, &spec->uid_mappings, &spec->gid_mappings);
		int r = runtime_idmap_check(&own, e);
		if (r < 0)
			return r;
	}
	if (named)
		made = runtime_user_namespace_make_in_parent(&own, e);
	int fd = named ? made : runtime_user_namespace_open_in_parent(user, e);
	if (fd < 0)
		return err_add(e, "map ids");
	return runtime_idmap_mount_in_parent(m->source_fd, fd, m->options.idmap_all, e);
}

/* An overlay cannot be mapped; its layers have been. */
static bool is_mapped(const struct runtime_mount *m)
{
	if (runtime_mount_is_overlay(m))
		return false;
	return m->options.idmap || m->spec->uid_mappings.count || m->spec->gid_mappings.count;
}

/* One that is no bind. */
static int check_filesystem(const struct runtime_mount *m, struct err *e)
{
	if (is_mapped(m))
		return err_set(e, ERR_INVALID, "mapped ids on a mount that is no bind");
	if (str_empty(m->spec->type))
		return err_set(e, ERR_INVALID, "a mount without type that is no bind");
	if (m->options.tmp_copy_up && !str_equal(m->spec->type, "tmpfs"))
		return err_set(e, ERR_INVALID, "option tmpcopyup is for tmpfs, not %s",
			       m->spec->type);
	return 0;
}

static int open_mount(struct runtime_mount *m, const struct runtime_mount_host *host, struct err *e)
{
	if (str_empty(m->spec->destination))
		return err_set(e, ERR_INVALID, "destination is missing");
	own_free char *clean = path_clean(m->spec->destination);
	if (strcmp(clean, "/") == 0)
		return err_set(e, ERR_INVALID, "the root itself is no place for a mount");
	runtime_mount_options_parse(&m->options, &m->spec->options);
	int r = runtime_mount_source_open_in_parent(m, host, e);
	if (r < 0 || m->link || m->options.remount)
		return r;
	if (m->source_fd < 0)
		r = check_filesystem(m, e);
	if (r < 0)
		return r;
	if (m->source_fd < 0)
		return runtime_mount_kernel_open_in_parent(m, host->namespaces, e);
	if (is_mapped(m))
		r = map_ids(m, host->user, e);
	if (r == 0 && m->options.copy_up && runtime_copy_up_is_empty(m->source_fd) > 0)
		r = runtime_user_namespace_give_in_parent(host->user, m->source_fd, e);
	/* what is to be filled first cannot be read-only yet */
	return r < 0 || m->options.copy_up ? r
					   : runtime_mount_set_flags(m->source_fd, &m->options, e);
}

/* A wrong value is looked for in config.json, so it is told which one; a source that is not there
 * is not. */
static int mount_error(size_t i, const struct oci_mount *m, struct err *e)
{
	err_add(e, "mount %s", m->destination ? m->destination : "");
	return e->kind == ERR_INVALID ? err_add(e, "mounts[%zu]", i) : -e->number;
}

int runtime_mount_open_in_parent(struct runtime_mounts *ret, const struct oci_spec *spec,
				 const struct runtime_mount_host *host, struct err *e)
{
	struct runtime_mount_host labelled = *host;

	int r = runtime_mount_label_read(&ret->label, spec, e);
	if (r < 0)
		return r;
	labelled.label = ret->label;
	ret->guest = runtime_guest_is_asked_for(spec);
	ret->items = mem_new(spec->mounts.count + 1, sizeof(*ret->items));
	for (size_t i = 0; i < spec->mounts.count; i++) {
		struct runtime_mount *m = &ret->items[ret->count++];
		m->spec = &spec->mounts.items[i];
		m->source_fd = -1;
		r = open_mount(m, &labelled, e);
		if (r < 0)
			return mount_error(i, m->spec, e);
		log_debug("mount %s: %s of %s", m->spec->destination,
			  m->spec->type ? m->spec->type : "bind",
			  m->spec->source ? m->spec->source : "nothing");
	}
	return 0;
}

void runtime_mount_clear(struct runtime_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		runtime_mount_options_clear(&mounts->items[i].options);
		free(mounts->items[i].link);
		if (mounts->items[i].source_fd >= 0)
			close(mounts->items[i].source_fd);
	}
	free(mounts->items);
	free(mounts->label);
	*mounts = (struct runtime_mounts){ 0 };
}

/* ---- in the child ---- */

int runtime_mount_move(int fd, int target_fd, struct err *e)
{
	if (move_mount(fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
	    0)
		return err_sys(e, "attach the mount");
	return 0;
}

int runtime_mount_clone(int fd, struct err *e)
{
	int clone = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	return clone < 0 ? err_sys(e, "clone the mount") : clone;
}

/* Lines of the log are "e overlay: No changes allowed in reused upperdir"; fsopen(2). */
int runtime_mount_error(struct err *e, int fs, const char *format, ...)
{
	int number = errno;
	char text[512], line[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ssize_t n = read(fs, line, sizeof(line) - 1);
	if (n <= 2 || line[0] != 'e')
		return err_number(e, number, "%s", text);
	line[n - (line[n - 1] == '\n')] = '\0';
	return err_number(e, number, "%s (%s)", text, line + 2);
}

/* The kernel's own words for this are EINVAL. */
static int check_kind(const struct runtime_mount *m, int target, struct err *e)
{
	struct stat st;
	bool folder = m->source_fd < 0 || m->is_folder;

	if (fstat(target, &st) < 0)
		return err_sys(e, "look at the mount point");
	if (folder == S_ISDIR(st.st_mode))
		return 0;
	return err_set(e, ERR_INVALID,
		       folder ? "a folder cannot be mounted on what is none"
			      : "what is no folder cannot be mounted on one");
}

/* copy-symlink */
static int make_link(const struct runtime_mount *m, const struct runtime_tree *tree, struct err *e)
{
	char there[PATH_MAX] = "";
	own_free char *last = NULL;

	own_fd int parent = runtime_tree_open_parent(tree, m->spec->destination, &last, e);
	if (parent < 0)
		return parent;
	if (symlinkat(m->link, parent, last) == 0)
		return 0;
	int number = errno;
	if (number == EEXIST && readlinkat(parent, last, there, sizeof(there) - 1) > 0 &&
	    strcmp(there, m->link) == 0)
		return 0;
	return err_number(e, number, "make a link to %s", m->link);
}

/* Copies what the image has at the target into the mount that will hide it. */
static int fill(const struct runtime_mount *m, int fd, int target, struct err *e)
{
	if (!m->is_folder && m->source_fd >= 0)
		return 0;
	if (m->options.copy_up || m->options.tmp_copy_up) {
		int r = runtime_copy_up_in_child(target, fd, e);
		if (r < 0)
			return err_add(e, "copy what the image has there");
		return runtime_mount_set_flags(fd, &m->options, e);
	}
	return 0;
}

/* On v2 "cgroup2" is the same; elsewhere it is that filesystem. */
static bool is_cgroup(const char *type, const struct runtime_cgroup *cgroup)
{
	return str_equal(type, "cgroup") ||
	       (str_equal(type, "cgroup2") && str_equal(cgroup->layout, "v2"));
}

static int mount_on(const struct runtime_mount *m, int target, const struct runtime_mounts *all,
		    struct runtime_tree *tree, struct err *e)
{
	own_fd int fd = m->source_fd >= 0 ? fcntl(m->source_fd, F_DUPFD_CLOEXEC, 3)
					  : runtime_mount_filesystem_make_in_child(
						    m, all->pid_namespace, all->label, e);
	if (fd < 0)
		return fd;
	int r = check_kind(m, target, e);
	if (r == 0)
		r = fill(m, fd, target, e);
	if (r == 0)
		r = runtime_mount_move(fd, target, e);
	if (r < 0)
		return r;
	runtime_tree_add(tree, m->spec->destination, m->source_fd >= 0 ? "bind" : m->spec->type,
			 take_fd(&fd));
	return 0;
}

static int attach(const struct runtime_mount *m, const struct runtime_mounts *all,
		  struct runtime_tree *tree, const struct runtime_cgroup *cgroup, struct err *e)
{
	if (m->link)
		return make_link(m, tree, e);
	if (m->options.remount)
		return runtime_mount_filesystem_change_in_child(m, tree, e);
	own_fd int target = runtime_mount_target_open_in_child(m, all, tree, e);
	if (target < 0)
		return target;
	if (m->source_fd < 0 && is_cgroup(m->spec->type, cgroup))
		return runtime_cgroup_mount_in_child(m, tree, target, cgroup, all->label, e);
	return mount_on(m, target, all, tree, e);
}

int runtime_mount_attach_in_child(const struct runtime_mounts *mounts, struct runtime_tree *tree,
				  const struct runtime_cgroup *cgroup, struct err *e)
{
	int r = runtime_mount_target_check_in_child(mounts, tree, e);
	for (size_t i = 0; r == 0 && i < mounts->count; i++) {
		r = attach(&mounts->items[i], mounts, tree, cgroup, e);
		if (r < 0)
			return err_add(e, "mount %s", mounts->items[i].spec->destination);
	}
	return r;
}
