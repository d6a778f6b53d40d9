#include "kube/make.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "engine/engine.h"
#include "engine/pods.h"
#include "engine/userns.h"
#include "engine/volumes.h"
#include "runtime/idmap.h"
#include "storage/secret.h"
#include "storage/store.h"
#include "storage/volume.h"

/* ---- secrets ---- */

/* The same bytes under the same name: another file that has this Secret, too. */
static bool is_same(struct engine *engine, const struct kube_plan_secret *secret)
{
	own_clear(storage_secret_clear) struct storage_secret there = { 0 };
	own_clear(str_clear) struct str bytes = { 0 };
	struct err ignored;

	return storage_secret_find(&there, engine->store, secret->name, &ignored) == 0 &&
	       !strcmp(there.name, secret->name) &&
	       storage_secret_read(&bytes, engine->store, &there, &ignored) == 0 &&
	       bytes.length == secret->bytes.length &&
	       (!bytes.length || !memcmp(bytes.text, secret->bytes.text, bytes.length));
}

int kube_make_secret(struct kube_made *made, struct engine *engine,
		     const struct kube_plan_secret *secret, const char *pod, bool replace,
		     struct err *e)
{
	own_clear(shape_map_clear) struct shape_map labels = { 0 };
	own_free char *id = NULL;

	shape_map_set(&labels, secret->of ? KUBE_DATA_LABEL_SECRET : KUBE_DATA_LABEL_POD,
		      secret->of ? secret->of : pod);
	/* one that is composed for a pod is nobody else's: the pod has its name by now */
	int r = storage_secret_create(&id, engine->store, secret->name, &labels, &secret->bytes,
				      replace || !secret->of, e);
	if (r < 0 && e->kind == ERR_EXISTS && is_same(engine, secret))
		return 0;
	if (r < 0)
		return err_hint(e, "--replace puts what the file says in its place");
	strv_add(&made->secrets, secret->name);
	return 0;
}

/* ---- volumes ---- */

static int create(struct kube_made *made, struct engine *engine,
		  const struct kube_plan_volume *volume, struct err *e)
{
	own_free char *name = NULL;
	int r = engine_volumes_create(engine, volume->name, volume->driver, &volume->labels,
				      &volume->options, &name, e);

	if (r == 0)
		strv_add(&made->volumes, volume->name);
	return r;
}

int kube_make_claim(struct kube_made *made, struct engine *engine,
		    const struct kube_plan_volume *volume, struct err *e)
{
	int r = create(made, engine, volume, e);

	return r < 0 ? err_add(e, "volume %s", volume->name) : 0;
}

/* A group of the pod, whatever id of the host that is. -1: none, which chown(2) leaves alone. */
static int find_group(gid_t *ret, const struct container *pod, int64_t group, struct err *e)
{
	*ret = (gid_t)group;
	if (group >= 0 && pod->security.ids.gids.count &&
	    !runtime_idmap_to_host(ret, &pod->security.ids.gids, *ret))
		return err_set(e, ERR_INVALID, "the group %lld is none of the pod's",
			       (long long)group);
	return 0;
}

/* To the root of the pod, and to the group, if there is one. */
static int give_to_pod(int fd, const struct container *pod, int64_t group, unsigned mode,
		       struct err *e)
{
	gid_t gid;

	int r = engine_userns_give(pod, fd, e);
	if (r == 0)
		r = find_group(&gid, pod, group, e);
	if (r < 0)
		return r;
	if (fchown(fd, (uid_t)-1, gid) < 0 || fchmod(fd, mode) < 0)
		return err_sys(e, "owner and mode");
	return 0;
}

static int write_file(int folder, const struct container *pod, const struct kube_plan_file *file,
		      int64_t group, struct err *e)
{
	const char *name;

	own_fd int parent = path_open_parent(folder, file->path, true, &name, e);
	if (parent < 0)
		return parent;
	own_fd int fd = path_open(parent, name, O_WRONLY | O_CREAT | O_EXCL, 0600, e);
	if (fd < 0)
		return fd;
	int r = fd_write_all(fd, file->bytes.text, file->bytes.length);
	if (r < 0)
		return err_number(e, -r, "write %s", file->path);
	r = give_to_pod(fd, pod, group, file->mode | (group >= 0 ? 0040 : 0), e);
	return r < 0 ? err_add(e, "%s", file->path) : 0;
}

/* A filesystem of its own has been told its mode by its options. */
static int fill(struct engine *engine, const struct container *pod,
		const struct kube_plan_volume *volume, struct err *e)
{
	int r = 0;

	if (volume->driver)
		return 0;
	own_fd int folder = storage_volume_open(engine->store, volume->name, e);
	if (folder < 0)
		return folder;
	for (size_t i = 0; r == 0 && i < volume->files.count; i++)
		r = write_file(folder, pod, &volume->files.items[i], volume->group, e);
	if (r < 0)
		return r;
	return give_to_pod(folder, pod, volume->group,
			   volume->mode | (volume->group >= 0 ? 02070 : 0), e);
}

int kube_make_volume(struct kube_made *made, struct engine *engine, const struct container *pod,
		     const struct kube_plan_volume *volume, struct err *e)
{
	own_clear(storage_volume_clear) struct storage_volume there = { 0 };
	int r = create(made, engine, volume, e);

	if (r > 0) {
		r = storage_volume_read(&there, engine->store, volume->name, e);
		if (r == 0 &&
		    !str_equal(shape_map_get(&there.labels, KUBE_PLAN_LABEL_POD), pod->name))
			r = err_set(e, ERR_EXISTS, "it is there, and not this pod's own");
		if (r == 0)
			r = engine_volumes_remove(engine, volume->name, true, e);
		if (r == 0)
			r = create(made, engine, volume, e);
	}
	if (r == 0)
		r = fill(engine, pod, volume, e);
	return r < 0 ? err_add(e, "volume %s", volume->name) : 0;
}

/* ---- paths of the host: the user's own, as with run's --volume ---- */

static const struct kind {
	const char *name;
	mode_t type;
	const char *words;
} kinds[] = {
	{ "Directory", S_IFDIR, "a folder" },
	{ "DirectoryOrCreate", S_IFDIR, "a folder" },
	{ "File", S_IFREG, "a file" },
	{ "FileOrCreate", S_IFREG, "a file" },
	{ "Socket", S_IFSOCK, "a socket" },
	{ "CharDevice", S_IFCHR, "a character device" },
	{ "BlockDevice", S_IFBLK, "a block device" },
};

static int make_missing(const char *path, const char *type, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int fd = -1;

	if (!strcmp(type, "DirectoryOrCreate"))
		fd = path_make_dirs(root, path, 0755, e);
	else if (!strcmp(type, "FileOrCreate"))
		fd = path_open(root, path, O_WRONLY | O_CREAT, 0644, e);
	else
		return err_set(e, ERR_NOT_FOUND, "hostPath %s does not exist", path);
	return fd < 0 ? fd : 0;
}

int kube_make_path(const struct kube_plan_path *path, const char *file, struct err *e)
{
	struct stat st;
	int r = 0;

	if (stat(path->path, &st) < 0) {
		if (errno != ENOENT)
			return err_sys(e, "%s:%u: hostPath %s", file, path->line, path->path);
		r = make_missing(path->path, path->type, e);
		return r < 0 ? err_add(e, "%s:%u", file, path->line) : 0;
	}
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (!strcmp(kinds[i].name, path->type) && (st.st_mode & S_IFMT) != kinds[i].type)
			return err_set(e, ERR_INVALID, "%s:%u: hostPath %s is not %s", file,
				       path->line, path->path, kinds[i].words);
	return 0;
}

static int make_folder(int root, const char *path, struct err *e)
{
	struct stat st;

	own_fd int there = path_try_open(root, path, O_PATH, 0);
	if (there >= 0)
		return 0;
	if (fstat(root, &st) < 0)
		return err_sys(e, "look at the volume");
	own_fd int made = path_make_dirs(root, path, 0755, e);
	own_fd int fd = made < 0 ? -1 : path_open(root, path, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return err_add(e, "subPath %s", path);
	return fchmod(fd, st.st_mode & 0777) < 0 ? err_sys(e, "the mode of %s", path) : 0;
}

/* One whose folder has the group was given to it before, or is so made. */
static int give(int folder, const struct container *pod, int64_t group, struct err *e)
{
	struct stat st;
	gid_t gid;

	int r = find_group(&gid, pod, group, e);
	if (r < 0)
		return r;
	if (fstat(folder, &st) < 0)
		return err_sys(e, "look at the volume");
	if (st.st_gid == gid)
		return 0;
	if (fchown(folder, (uid_t)-1, gid) < 0 || fchmod(folder, (st.st_mode & 0777) | 02070) < 0)
		return err_sys(e, "fsGroup");
	return 0;
}

/* Kubernetes makes the folder that a subPath names, with the mode of the volume's. */
int kube_make_part(struct kube_made *made, struct engine *engine, const struct container *pod,
		   const struct kube_plan_part *part, struct err *e)
{
	const struct kube_plan_volume volume = { .name = part->volume };
	int r = part->volume ? create(made, engine, &volume, e) : 0;

	if (r < 0)
		return r;
	own_fd int root = part->volume ? storage_volume_open(engine->store, part->volume, e)
				       : open(part->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return part->volume ? root : err_sys(e, "open %s", part->folder);
	return part->path ? make_folder(root, part->path, e) : give(root, pod, part->group, e);
}

/* ---- undo ---- */

static void tell(int r, const char *what, const char *name, const struct err *e)
{
	if (r < 0 && e->kind != ERR_NOT_FOUND)
		log_warning("%s %s stays: %s", what, name, e->text);
}

void kube_make_undo(struct kube_made *made, struct engine *engine)
{
	const struct remove_options force = { .force = true, .volumes = true };
	struct err e;

	for (size_t i = made->pods.count; i-- > 0;)
		tell(engine_pods_remove(engine, made->pods.items[i], &force, &e), "pod",
		     made->pods.items[i], &e);
	for (size_t i = made->volumes.count; i-- > 0;)
		tell(engine_volumes_remove(engine, made->volumes.items[i], true, &e), "volume",
		     made->volumes.items[i], &e);
	for (size_t i = made->secrets.count; i-- > 0;)
		tell(storage_secret_remove(engine->store, made->secrets.items[i], &e), "secret",
		     made->secrets.items[i], &e);
}
