#include "runtime/device_add.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
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
	if (!(runtime_namespace_flags(&container->namespaces) & CLONE_NEWUSER))
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

static int allow(const struct runtime_container *container, const struct oci_spec *spec,
		 struct err *e)
{
	own_free struct oci_device_rule *items = NULL;
	const struct oci_resources *resources = spec->linux_.resources;
	struct oci_resources rules = { 0 };

	if (container->device_rules.count) {
		rules.devices.items = container->device_rules.items;
		rules.devices.count = container->device_rules.count;
	} else if (resources) {
		rules.devices = resources->devices;
	}
	items = runtime_cgroup_device_join(&rules, container);
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
