/* Both ends are found first, as a folder and a name in it; then it is decided, by Docker's table,
 * what the copy is called and where it goes; and one walk on descriptors does it. A tar is made and
 * read by holm-image, which gets the container's tree as a descriptor. */
#include "engine/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/fs_ids.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/copy_place.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/stream.h"
#include "engine/tree.h"
#include "oci/id_map.h"

struct end {
	const struct engine_copy_end *asked;
	struct engine_tree tree; /* of a container */
	int root_fd;             /* of the tree, or the host's; borrowed of a tree */
	struct copy_place place;
};
#define END_NONE                                                                                   \
	{                                                                                          \
		.tree = ENGINE_TREE_NONE, .root_fd = -1, .place = COPY_PLACE_NONE                  \
	}

static void end_clear(struct end *end)
{
	copy_place_clear(&end->place);
	if (!end->asked || !end->asked->container)
		own_fd_call(&end->root_fd);
	engine_tree_close(&end->tree);
}

static bool is_stream(const struct engine_copy_end *end)
{
	return !end->container && strcmp(end->path, "-") == 0;
}

/* ---- finding ---- */

static int open_root(struct engine *engine, struct end *end, struct err *e)
{
	if (end->asked->container) {
		int r = engine_tree_open(engine, end->asked->container, ENGINE_TREE_WITH_MOUNTS,
					 &end->tree, e);
		end->root_fd = end->tree.root_fd;
		return r < 0 ? r : 0;
	}
	end->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return end->root_fd < 0 ? err_sys(e, "open /") : 0;
}

static int not_found(const struct end *end, const char *path, struct err *e)
{
	if (!end->asked->container)
		return err_set(e, ERR_NOT_FOUND, "%s: no such file or directory", path);
	return err_set(e, ERR_NOT_FOUND, "Could not find the file %s in container %s", path,
		       end->asked->container);
}

static int no_parent(const struct end *end, struct err *e)
{
	const char *slash = strrchr(end->place.path, '/');
	own_free char *folder = mem_text_n(end->place.path, (size_t)(slash - end->place.path) +
								    (slash == end->place.path));

	if (end->asked->container)
		return not_found(end, folder, e);
	return err_set(e, ERR_NOT_FOUND, "directory \"%s\" does not exist", folder);
}

/* A path of the host begins where we are; that of a container at its root. */
static char *absolute(const struct engine_copy_end *end)
{
	if (end->container || *end->path == '/')
		return mem_text(end->path);
	own_free char *here = getcwd(NULL, 0);
	return path_join(here ? here : "/", end->path);
}

static int open_end(struct engine *engine, struct end *end, struct err *e)
{
	const char *container = end->asked->container;

	if (*end->asked->path)
		return open_root(engine, end, e);
	err_set(e, ERR_INVALID, "'%s:' names no path in the container", container ? container : "");
	return err_hint(e, "its root is %s:/", container ? container : "CONTAINER");
}

static int find(struct end *end, bool follow, struct err *e)
{
	own_free char *path = absolute(end->asked);
	int r = copy_place_find(&end->place, end->root_fd, path, follow, e);

	return r == -ENOENT ? no_parent(end, e) : r;
}

static int find_source(struct engine *engine, struct end *end,
		       const struct engine_copy_options *options, struct err *e)
{
	int r = open_end(engine, end, e);

	if (r < 0)
		return r;
	r = find(end, options->follow, e);
	if (r == -ENOENT || (r == 0 && !end->place.exists))
		return not_found(end, end->asked->path, e);
	return r;
}

/* What is asserted to be a folder and is none is told by the table. */
static int find_target(struct engine *engine, struct end *end, struct err *e)
{
	int r = open_end(engine, end, e);

	if (r < 0)
		return r;
	r = find(end, true, e);
	return r == -ENOTDIR && end->place.dir_fd >= 0 ? 0 : r;
}

/* ---- owners ---- */

/* To the container that files come from, then to the host, for the one that they go to. */
struct owners {
	struct oci_id_map from, to;
};

static void map_owner(const void *context, uid_t *uid, gid_t *gid)
{
	const struct owners *owners = context;

	oci_id_map_owner_to_container(&owners->from, uid, gid);
	oci_id_map_owner_to_host(&owners->to, uid, gid);
}

static struct oci_id_map ids_of(const struct end *end)
{
	return engine_tree_ids(&end->tree.container);
}

/* ---- copying ---- */

static int copy_into(const struct copy_place *from, const struct copy_place *to,
		     const struct copy_options *options, struct err *e)
{
	own_fd int folder = copy_place_open(to, e);
	if (folder < 0)
		return folder;
	if (!from->contents)
		return copy_tree_at(from->dir_fd, from->name, folder, from->base, options, e);
	own_fd int contents = copy_place_open(from, e);
	return contents < 0 ? contents : copy_tree_contents(contents, folder, false, options, e);
}

/* Docker's table. */
static int copy_by_table(const struct copy_place *from, const struct copy_place *to,
			 const struct copy_options *options, struct err *e)
{
	if (to->exists && S_ISDIR(to->st.st_mode))
		return copy_into(from, to, options, e);
	if (to->exists && S_ISDIR(from->st.st_mode))
		return err_set(e, ERR_STATE, "cannot copy directory: %s is a file", to->path);
	if (!S_ISDIR(from->st.st_mode) && to->asserted)
		return err_set(e, ERR_NOT_FOUND, "no such directory: %s", to->path);
	return copy_tree_at(from->dir_fd, from->name, to->dir_fd, to->name, options, e);
}

/* What is made in a container is its root's first. */
static int copy_as_owner(const struct end *from, const struct end *to,
			 const struct copy_options *options, struct err *e)
{
	const struct oci_id_map ids = ids_of(to);
	uid_t uid = 0;
	gid_t gid = 0;
	struct err never;

	if (!ids.uids.count)
		return copy_by_table(&from->place, &to->place, options, e);
	oci_id_map_owner_to_host(&ids, &uid, &gid);
	int r = fs_ids_set(uid, gid, e);
	if (r == 0)
		r = copy_by_table(&from->place, &to->place, options, e);
	fs_ids_set(geteuid(), getegid(), &never);
	return r;
}

static uint64_t mount_of(int dir_fd, const char *name)
{
	struct statx st = { 0 };

	statx(dir_fd, name, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st);
	return st.stx_mnt_id;
}

static int explain_read_only(const struct end *to, struct err *e)
{
	if (!to->asked->container || e->number != EROFS)
		return -e->number;
	const char *name = to->place.exists ? to->place.name : ".";
	if (mount_of(to->place.dir_fd, name) == mount_of(to->root_fd, "."))
		return err_set(e, ERR_PERMISSION, "container rootfs is marked read-only");
	return err_set(e, ERR_PERMISSION, "mounted volume is marked read-only");
}

static int check(struct engine *engine, const struct end *end, struct err *e)
{
	return end->asked->container ? engine_tree_check(engine, &end->tree, e) : 0;
}

static int copy_files(struct engine *engine, struct end *from, struct end *to,
		      const struct engine_copy_options *options, uint64_t *ret_bytes, struct err *e)
{
	int r = find_source(engine, from, options, e);
	if (r == 0)
		r = find_target(engine, to, e);
	if (r < 0)
		return r;
	const struct owners owners = { ids_of(from), ids_of(to) };
	bool kept = options->owners || to->asked->container;
	const struct copy_options how = {
		.owners = kept ? COPY_OWNERS_KEEP : COPY_OWNERS_CALLER,
		.map = map_owner,
		.context = &owners,
		.merge = true,
		.no_kernel = true,
		.bytes = ret_bytes,
	};
	r = copy_as_owner(from, to, &how, e);
	struct err gone;
	if (check(engine, from, &gone) < 0 || check(engine, to, &gone) < 0) {
		*e = gone;
		return -e->number;
	}
	return r < 0 ? explain_read_only(to, e) : 0;
}

/* ---- archives ---- */

static int copy_to_stream(struct engine *engine, struct end *from,
			  const struct engine_copy_options *options, struct err *e)
{
	int r = find_source(engine, from, options, e);
	if (r < 0)
		return r;
	const struct copy_place *place = &from->place;
	const struct engine_stream stream = {
		.folder_fd = place->dir_fd,
		.entry = place->name,
		.name = place->contents ? "." : place->base,
		.ids = ids_of(from),
	};
	r = engine_stream_pack(engine, &stream, e);
	return r < 0 ? r : check(engine, from, e);
}

static int copy_from_stream(struct engine *engine, struct end *to, struct err *e)
{
	int r = find_target(engine, to, e);
	if (r < 0)
		return r;
	if (!to->place.exists || !S_ISDIR(to->place.st.st_mode))
		return err_set(e, ERR_NOT_FOUND, "destination \"%s:%s\" must be a directory",
			       to->asked->container, to->asked->path);
	const struct engine_stream stream = {
		.folder_fd = to->root_fd,
		.entry = to->place.path,
		.ids = ids_of(to),
	};
	r = engine_stream_unpack(engine, &stream, e);
	return r < 0 ? explain_read_only(to, e) : check(engine, to, e);
}

/* Docker's words for what the two ends do. */
static void tell(struct engine *engine, const struct end *from, const struct end *to)
{
	if (from->asked->container)
		engine_event_container(engine, &from->tree.container, "archive-path", NULL);
	if (to->asked->container)
		engine_event_container(engine, &to->tree.container, "extract-to-dir", NULL);
}

static int copy(struct engine *engine, struct end *from, struct end *to,
		const struct engine_copy_options *options, uint64_t *ret_bytes, struct err *e)
{
	if (is_stream(to->asked))
		return copy_to_stream(engine, from, options, e);
	if (is_stream(from->asked))
		return copy_from_stream(engine, to, e);
	mode_t before = umask(0);
	int r = copy_files(engine, from, to, options, ret_bytes, e);
	umask(before);
	return r;
}

int engine_copy(struct engine *engine, const struct engine_copy_end *from,
		const struct engine_copy_end *to, const struct engine_copy_options *options,
		uint64_t *ret_bytes, struct err *e)
{
	own_clear(end_clear) struct end source = END_NONE;
	own_clear(end_clear) struct end target = END_NONE;

	source.asked = from;
	target.asked = to;
	if (!from->container && !to->container)
		return err_set(e, ERR_INVALID, "must specify at least one container source");
	int r = copy(engine, &source, &target, options, ret_bytes, e);
	if (r == 0)
		tell(engine, &source, &target);
	return r;
}
