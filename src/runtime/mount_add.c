#include "runtime/mount_add.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/inside.h"
#include "runtime/mount.h"
#include "runtime/mount_source.h"
#include "runtime/namespace.h"
#include "runtime/runtime.h"
#include "runtime/tree.h"
#include "runtime/user_namespace.h"

/* Linux 6.8; a number that no later mount gets */
#define MOUNT_ID_UNIQUE 0x00004000U

enum { MOUNTS_MAX = 256 };

struct place {
	uint64_t id; /* of the mount that it is in */
	bool is_root;
	bool is_folder;
};

static int look(struct place *ret, int fd, struct err *e)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID | MOUNT_ID_UNIQUE, &st) < 0)
		return err_sys(e, "ask for the mount's number");
	*ret = (struct place){ st.stx_mnt_id, st.stx_attributes & STATX_ATTR_MOUNT_ROOT,
			       S_ISDIR(st.stx_mode) };
	return 0;
}

/* ---- remove, inside ---- */

/* The folder of a mount point cannot be exchanged while it is one: rename(2) gives EBUSY. */
static int unmount_file(int root_fd, const char *path, struct err *e)
{
	const char *last;
	own_fd int parent = path_open_parent(root_fd, path, false, &last, e);

	if (parent < 0)
		return parent;
	if (fchdir(parent) < 0 || umount2(last, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return err_sys(e, "unmount %s", path);
	return 0;
}

static int unmount_folder(int fd, const char *path, struct err *e)
{
	if (fchdir(fd) < 0 || umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "unmount %s", path);
	return 0;
}

static bool is_added(const struct runtime_mount_added *added, const struct place *there)
{
	return added->id ? there->id == added->id : there->is_root && there->id != added->below;
}

static int take_away(int root_fd, const struct runtime_mount_added *added, struct err *e)
{
	const char *path = added->destination;
	struct place there;

	own_fd int fd = path_open(root_fd, path, O_PATH, 0, e);
	if (fd < 0)
		return fd;
	int r = look(&there, fd, e);
	if (r < 0)
		return r;
	if (!is_added(added, &there))
		return err_set(e, ERR_NOT_FOUND, "%s: the mount that was added is not there", path);
	return there.is_folder ? unmount_folder(fd, path, e) : unmount_file(root_fd, path, e);
}

static int remove_inside(void *context, int root_fd, struct err *e)
{
	return take_away(root_fd, context, e);
}

/* ---- add, inside ---- */

struct addition {
	const struct runtime_mounts *mounts;
	const struct runtime_cgroup *cgroup;
	uint64_t *ids; /* shared with the parent */
};

/* What is attached already goes again. */
static void undo(const struct runtime_tree *tree, int root_fd)
{
	struct err ignored;

	for (size_t i = tree->count; i > 0; i--) {
		struct runtime_mount_added added = { .destination = tree->mounts[i - 1].path };
		struct place place;
		if (look(&place, tree->mounts[i - 1].fd, &ignored) < 0)
			continue;
		added.id = place.id;
		take_away(root_fd, &added, &ignored);
	}
}

/* What is at their places now, or 0. */
static int look_inside(void *context, int root_fd, struct err *e)
{
	const struct addition *a = context;
	struct place place;

	for (size_t i = 0; i < a->mounts->count; i++) {
		const char *path = a->mounts->items[i].spec->destination;
		own_fd int fd = path_open(root_fd, path, O_PATH, 0, e);
		a->ids[i] = fd >= 0 && look(&place, fd, e) == 0 ? place.id : 0;
	}
	return 0;
}

static int add_inside(void *context, int root_fd, struct err *e)
{
	own_clear(runtime_tree_clear) struct runtime_tree tree = { .root_fd = root_fd };
	const struct addition *a = context;

	int r = runtime_mount_attach_in_child(a->mounts, &tree, a->cgroup, e);
	for (size_t i = 0; r == 0 && i < tree.count; i++) {
		struct place place = { 0 };
		r = look(&place, tree.mounts[i].fd, e);
		a->ids[i] = place.id;
	}
	if (r < 0)
		undo(&tree, root_fd);
	return r;
}

/* ---- in the parent ---- */

static const char *const refused_types[] = { "proc", "sysfs", "mqueue", "cgroup", "cgroup2" };

static int check(const struct runtime_mount *m, struct err *e)
{
	if (m->link || m->options.remount)
		return err_set(e, ERR_UNSUPPORTED,
			       "mount %s: a running container gets new mounts only",
			       m->spec->destination);
	for (size_t i = 0; i < COUNT_OF(refused_types); i++)
		if (!runtime_mount_is_bind(m) && str_equal(m->spec->type, refused_types[i]))
			return err_set(e, ERR_UNSUPPORTED,
				       "mount %s: a filesystem of type %s cannot be added to a "
				       "running container",
				       m->spec->destination, m->spec->type);
	return 0;
}

/* The container's own namespaces, as those that are joined. */
static int open_namespaces(struct runtime_namespaces *ret, struct runtime_user_namespace *user,
			   const struct runtime_container *container, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec joined = { 0 };

	if (runtime_namespace_flags(&container->namespaces) & CLONE_NEWUSER) {
		struct oci_namespace *ns = shape_list_add(&joined.linux_.namespaces);
		ns->type = mem_text("user");
		ns->path = mem_format("/proc/%lld/ns/user", (long long)container->pid);
	}
	int r = runtime_namespace_open_in_parent(ret, &joined, e);
	return r < 0 ? r : runtime_user_namespace_prepare_in_parent(user, ret, &joined, e);
}

static int open_mounts(struct runtime_mounts *ret, const struct runtime_container *container,
		       const struct oci_spec *spec, const char *bundle, struct err *e)
{
	own_clear(runtime_namespace_close) struct runtime_namespaces namespaces = { 0 };
	own_clear(runtime_user_namespace_clear) struct runtime_user_namespace user =
		RUNTIME_USER_NAMESPACE_INIT;
	const struct runtime_mount_host host = { bundle, &user, &namespaces };

	int r = open_namespaces(&namespaces, &user, container, e);
	if (r == 0)
		r = runtime_mount_open_in_parent(ret, spec, &host, e);
	for (size_t i = 0; r == 0 && i < ret->count; i++)
		r = check(&ret->items[i], e);
	ret->pid_namespace = -1;
	return r;
}

static int record(struct runtime_container *container, const struct addition *addition,
		  const struct runtime_store *store, struct err *e)
{
	for (size_t i = 0; i < addition->mounts->count; i++) {
		struct runtime_mount_added *added = shape_list_add(&container->mounts);
		added->destination = path_clean(addition->mounts->items[i].spec->destination);
		added->below = addition->ids[i];
	}
	return store->function(store->context, e);
}

static void settle(struct runtime_container *container, size_t first, const uint64_t *ids)
{
	for (size_t i = first; i < container->mounts.count; i++) {
		container->mounts.items[i].id = ids[i - first];
		container->mounts.items[i].below = 0;
	}
}

static void forget(struct runtime_container *container, struct runtime_mount_added *added)
{
	struct runtime_mount_added *end = container->mounts.items + container->mounts.count--;

	free(added->destination);
	memmove(added, added + 1, (size_t)(end - added - 1) * sizeof(*added));
}

static int attach(struct runtime_container *container, const struct runtime_mounts *mounts,
		  const struct runtime_store *store, struct err *e)
{
	size_t bytes = MOUNTS_MAX * sizeof(uint64_t), first = container->mounts.count;
	struct addition addition = { .mounts = mounts, .cgroup = &container->cgroup };

	addition.ids = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (addition.ids == MAP_FAILED)
		return err_sys(e, "map memory");
	int r = runtime_inside_run(container, look_inside, &addition, e);
	if (r == 0)
		r = record(container, &addition, store, e);
	if (r == 0)
		r = runtime_inside_run(container, add_inside, &addition, e);
	if (r == 0)
		settle(container, first, addition.ids);
	while (r < 0 && container->mounts.count > first)
		forget(container, &container->mounts.items[container->mounts.count - 1]);
	munmap(addition.ids, bytes);
	return r;
}

int runtime_mount_add(struct runtime_container *container, const struct oci_spec *spec,
		      const struct oci_mount *list, size_t count, const char *bundle,
		      const struct runtime_store *store, struct err *e)
{
	own_clear(runtime_mount_clear) struct runtime_mounts mounts = { 0 };
	struct oci_spec part = *spec; /* borrows all */

	if (count > MOUNTS_MAX)
		return err_set(e, ERR_INVALID, "more than %d mounts at once", MOUNTS_MAX);
	part.mounts.items = (struct oci_mount *)list;
	part.mounts.count = count;
	int r = open_mounts(&mounts, container, &part, bundle, e);
	return r < 0 ? r : attach(container, &mounts, store, e);
}

static struct runtime_mount_added *find_added(const struct runtime_container *container,
					      const char *destination)
{
	own_free char *clean = path_clean(destination);

	for (size_t i = container->mounts.count; i > 0; i--)
		if (str_equal(container->mounts.items[i - 1].destination, clean))
			return &container->mounts.items[i - 1];
	return NULL;
}

int runtime_mount_remove(struct runtime_container *container, const struct oci_mount *list,
			 size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const char *path = list[i].destination ? list[i].destination : "";
		struct runtime_mount_added *added = find_added(container, path);
		if (!added)
			return err_set(e, ERR_NOT_FOUND, "%s is no mount that was added", path);
		int r = runtime_inside_run(container, remove_inside, added, e);
		if (r < 0)
			return r;
		forget(container, added);
	}
	return 0;
}
