#include "runtime/device_add.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_device_add.h"
#include "runtime/device.h"
#include "runtime/inside.h"
#include "runtime/mount.h"
#include "runtime/namespace.h"
#include "runtime/runtime.h"
#include "runtime/tree.h"
#include "runtime/user_namespace.h"

/* The host's node; in a container with a user namespace of its own, where no node can be made, a
 * detached mount of it. */
static int open_node(struct runtime_device *ret, const char *host,
		     const struct runtime_container *container, struct err *e)
{
	struct stat st;

	own_fd int node = open(host, O_PATH | O_CLOEXEC);
	if (node < 0 || fstat(node, &st) < 0)
		return err_sys(e, "device %s", host);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is no device", host);
	ret->mode = st.st_mode;
	ret->device = st.st_rdev;
	ret->uid = st.st_uid;
	ret->gid = st.st_gid;
	ret->source_fd = -1;
	if (!(runtime_namespace_flags(&container->namespaces) & CLONE_NEWUSER) &&
	    !runtime_user_namespace_is_inner())
		return 0;
	int fd = runtime_mount_clone(node, e);
	if (fd < 0)
		return fd;
	ret->source_fd = fd;
	return 0;
}

static struct oci_device_rule rule_for(const struct runtime_device *device, const char *access)
{
	struct oci_device_rule rule = { .allow = true };

	rule.type = mem_text(S_ISBLK(device->mode) ? "b" : "c");
	rule.major = mem_new_struct(int64_t);
	*rule.major = major(device->device);
	rule.minor = mem_new_struct(int64_t);
	*rule.minor = minor(device->device);
	rule.access = mem_text(access);
	return rule;
}

static int make_inside(void *context, int root_fd, struct err *e)
{
	const struct runtime_tree tree = { .root_fd = root_fd };

	return runtime_device_make_one_in_child(context, &tree, e);
}

/* All that hold; the caller frees the list. */
static struct oci_device_rule *join_rules(struct oci_resources *to,
					  const struct runtime_container *container,
					  const struct oci_spec *spec)
{
	if (container->device_rules.count) {
		to->devices.items = container->device_rules.items;
		to->devices.count = container->device_rules.count;
	} else if (spec->linux_.resources) {
		to->devices = spec->linux_.resources->devices;
	}
	return runtime_cgroup_device_join(to, container);
}

/* In a user namespace the kernel lets nobody set rules (cgroup_device.h). */
static int allow(const struct runtime_container *container, const struct oci_spec *spec,
		 struct err *e)
{
	struct oci_resources rules = { 0 };

	if (runtime_user_namespace_is_inner())
		return 0;
	own_free struct oci_device_rule *items = join_rules(&rules, container, spec);
	(void)items;
	return runtime_cgroup_device_add(&container->cgroup, &rules, e);
}

/* A node that cannot be opened is harmless, so it comes before the permission. */
static int add(struct runtime_container *container, const struct oci_spec *spec,
	       struct runtime_device *device, const char *access, const struct runtime_store *store,
	       struct err *e)
{
	*shape_list_add(&container->devices) = rule_for(device, access);
	int r = store->function(store->context, e);
	if (r == 0)
		r = runtime_inside_run(container, make_inside, device, e);
	if (r == 0)
		r = allow(container, spec, e);
	if (r < 0)
		shape_clear(&oci_device_rule_shape,
			    &container->devices.items[--container->devices.count]);
	return r;
}

int runtime_device_add(struct runtime_container *container, const struct oci_spec *spec,
		       const char *text, const struct runtime_store *store, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	struct runtime_device device = { .source_fd = -1 };

	strv_split(&parts, text, ':');
	if (parts.count < 1 || parts.count > 3 || *parts.items[0] != '/')
		return err_set(e, ERR_INVALID, "device '%s' is not HOST[:INSIDE[:ACCESS]]", text);
	device.path = parts.count > 1 ? parts.items[1] : parts.items[0];
	if (*device.path != '/')
		return err_set(e, ERR_INVALID, "device %s: '%s' is not an absolute path", text,
			       device.path);
	int r = open_node(&device, parts.items[0], container, e);
	if (r == 0)
		r = add(container, spec, &device, parts.count > 2 ? parts.items[2] : "rwm", store,
			e);
	if (device.source_fd >= 0)
		close(device.source_fd);
	return r < 0 ? err_add(e, "device %s", device.path) : 0;
}

/* ---- and away ---- */

struct node {
	const char *path;
	const struct oci_device_rule *rule;
};

static bool is_of_rule(const struct stat *st, const struct oci_device_rule *rule)
{
	if (!*rule->major && !*rule->minor)
		return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
	return (st->st_mode & S_IFMT) == (*rule->type == 'b' ? S_IFBLK : S_IFCHR) &&
	       major(st->st_rdev) == *rule->major && minor(st->st_rdev) == *rule->minor;
}

/* One that is bound lies over an empty file, which was made for it. */
static int remove_inside(void *context, int root_fd, struct err *e)
{
	const struct node *node = context;
	const char *path = node->path, *last;
	struct stat st;

	own_fd int dir = path_open_parent(root_fd, path, false, &last, e);
	if (dir < 0)
		return e->number == ENOENT ? 0 : dir;
	if (fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look at %s", path);
	if (!is_of_rule(&st, node->rule))
		return 0;
	/* it was there before it was added, and does not go */
	if (runtime_device_is_standard(path, st.st_rdev))
		return 0;
	if (unlinkat(dir, last, 0) == 0)
		return 0;
	if (errno != EBUSY)
		return err_sys(e, "remove %s", path);
	if (fchdir(dir) < 0 || umount2(last, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return err_sys(e, "unmount %s", path);
	if (fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == 0)
		unlinkat(dir, last, 0);
	return 0;
}

static void forget(struct runtime_container *container, const struct oci_device_rule *rule)
{
	for (size_t i = 0; i < container->devices.count; i++) {
		struct oci_device_rule *items = container->devices.items;
		if (!str_equal(items[i].type, rule->type) || *items[i].major != *rule->major ||
		    *items[i].minor != *rule->minor)
			continue;
		shape_clear(&oci_device_rule_shape, &items[i]);
		memmove(&items[i], &items[i + 1],
			(--container->devices.count - i) * sizeof(*items));
		return;
	}
}

int runtime_device_remove(struct runtime_container *container, const struct oci_spec *spec,
			  const char *path, const struct oci_device_rule *rule, struct err *e)
{
	struct oci_resources rules = { 0 };
	struct node node = { path, rule };

	int r = runtime_inside_run(container, remove_inside, &node, e);
	if (r < 0)
		return err_add(e, "device %s", path);
	forget(container, rule);
	if (runtime_user_namespace_is_inner())
		return 0;
	own_free struct oci_device_rule *items = join_rules(&rules, container, spec);
	(void)items;
	r = runtime_cgroup_device_remove(&container->cgroup, &rules, rule, e);
	return r < 0 ? err_add(e, "device %s", path) : 0;
}
