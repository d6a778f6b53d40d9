#include "runtime_cli/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
#include "base/process.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "oci/state.h"
#include "runtime/cgroup.h"
#include "runtime_cli/command.h"

enum { RECORD_BYTES_MAX = 4 << 20 };

#define AT(member) offsetof(struct runtime_cli_record, member)
static const struct shape record_shape = {
	sizeof(struct runtime_cli_record),
	(const struct shape_field[]){
		{ "ociVersion", SHAPE_STRING, AT(oci_version) },
		{ "id", SHAPE_STRING, AT(id) },
		{ "bundle", SHAPE_STRING, AT(bundle) },
		{ "rootfs", SHAPE_STRING, AT(rootfs) },
		{ "created", SHAPE_STRING, AT(created) },
		{ "owner", SHAPE_UINT, AT(owner) },
		{ "annotations", SHAPE_MAP, AT(annotations) },
		{ "container", SHAPE_OBJECT, AT(container), &runtime_container_shape },
		{ 0 },
	},
};

void runtime_cli_record_clear(struct runtime_cli_record *record)
{
	int folder = record->folder;

	shape_clear(&record_shape, record);
	if (folder >= 0)
		close(folder);
	record->folder = -1;
}

int runtime_cli_record_check_id(const char *id, struct err *e)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789_+.-";

	if (!path_is_name(id) || strspn(id, alphabet) != strlen(id)) {
		err_set(e, ERR_INVALID, "invalid container ID format: '%s'", id);
		return err_hint(e, "letters, digits and _ + . - are allowed, 255 at most");
	}
	return 0;
}

static int open_root(const struct runtime_cli *cli)
{
	return open(cli->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ROOT and what is missing above it. */
static int make_root(const struct runtime_cli *cli, struct err *e)
{
	own_fd int fd = open_root(cli);

	if (fd >= 0)
		return take_fd(&fd);
	own_fd int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_sys(e, "open /");
	own_fd int made = path_make_dirs(top, cli->root, 0700, e);
	if (made < 0)
		return made;
	fd = open_root(cli);
	return fd < 0 ? err_sys(e, "open %s", cli->root) : take_fd(&fd);
}

static int open_folder(int root, const char *id)
{
	return openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_removed(int folder)
{
	struct stat st;

	return fstat(folder, &st) == 0 && st.st_nlink == 0;
}

/* What is left of a create that was killed: perhaps a process that is about to notice, and the
 * cgroup that its config.json names. */
static int clear_debris(int root, const char *id, int folder, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	struct err unreadable;

	if (oci_spec_read_at(&spec, folder, "config.json", &unreadable) == 0) {
		int r = runtime_delete_unrecorded(id, &spec, e);
		if (r < 0)
			return r;
	}
	return fd_remove_tree_at(root, id, e);
}

/* Fails with ERR_EXISTS unless the folder in the way is debris, which is cleared. */
static int make_way(int root, const char *id, struct err *e)
{
	own_fd int folder = open_folder(root, id);

	if (folder < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open the container's folder %s", id);
	if (flock(folder, LOCK_EX | LOCK_NB) < 0 || faccessat(folder, "record.json", F_OK, 0) == 0)
		return err_set(e, ERR_EXISTS, "container with id exists: %s", id);
	return is_removed(folder) ? 0 : clear_debris(root, id, folder, e);
}

int runtime_cli_record_new(struct runtime_cli_record *record, const struct runtime_cli *cli,
			   const char *id, struct err *e)
{
	own_fd int root = make_root(cli, e);

	if (root < 0)
		return root;
	int r = mkdirat(root, id, 0700);
	if (r < 0 && errno == EEXIST) {
		r = make_way(root, id, e);
		if (r < 0)
			return r;
		r = mkdirat(root, id, 0700);
	}
	if (r < 0)
		return err_sys(e, "make the container's folder %s/%s", cli->root, id);
	own_fd int folder = open_folder(root, id);
	/* between the two another may have taken it for debris */
	if (folder < 0 || flock(folder, LOCK_EX | LOCK_NB) < 0 || is_removed(folder))
		return err_set(e, ERR_EXISTS, "container with id exists: %s", id);
	record->folder = take_fd(&folder);
	return 0;
}

int runtime_cli_record_store(const struct runtime_cli_record *record, struct err *e)
{
	return shape_write_at(&record_shape, record->folder, "record.json", record, e);
}

static int store_record(void *context, struct err *e)
{
	return runtime_cli_record_store(context, e);
}

struct runtime_store runtime_cli_record_storing(struct runtime_cli_record *record)
{
	return (struct runtime_store){ store_record, record };
}

int runtime_cli_record_delete(const struct runtime_cli *cli, const char *id, struct err *e)
{
	own_fd int root = open_root(cli);

	if (root < 0)
		return err_sys(e, "open %s", cli->root);
	return fd_remove_tree_at(root, id, e);
}

int runtime_cli_record_end(const struct runtime_cli_record *record, const struct runtime_cli *cli,
			   const struct oci_spec *spec, struct err *e)
{
	int r = runtime_delete(&record->container, e);

	if (r < 0)
		return r;
	runtime_hooks_poststop(spec, record->id, record->bundle);
	return runtime_cli_record_delete(cli, record->id, e);
}

static int open_locked(const struct runtime_cli *cli, const char *id, int operation)
{
	own_fd int root = open_root(cli);
	own_fd int folder = root < 0 ? -1 : open_folder(root, id);

	if (folder < 0)
		return -errno;
	if (operation && flock(folder, operation) < 0)
		return -errno;
	return is_removed(folder) ? -ENOENT : take_fd(&folder);
}

static int read_folder(struct runtime_cli_record *record, int folder, const char *id, struct err *e)
{
	int r = shape_read_at(&record_shape, folder, "record.json", RECORD_BYTES_MAX, record, e);

	record->folder = -1; /* what was read zeroed it */
	if (r == -ENOENT)
		return err_set(e, ERR_NOT_FOUND, "container does not exist");
	if (r < 0)
		return r;
	if (str_equal(record->id, id))
		return 0;
	runtime_cli_record_clear(record);
	return err_set(e, ERR_CORRUPT, "record.json: it belongs to another container");
}

int runtime_cli_record_read(struct runtime_cli_record *record, const struct runtime_cli *cli,
			    const char *id, bool lock, struct err *e)
{
	int r = runtime_cli_record_check_id(id, e);

	if (r < 0)
		return r;
	own_fd int folder = open_locked(cli, id, lock ? LOCK_EX : 0);
	if (folder == -ENOENT)
		return err_set(e, ERR_NOT_FOUND, "container does not exist");
	if (folder < 0)
		return err_number(e, -folder, "open %s/%s", cli->root, id);
	r = read_folder(record, folder, id, e);
	if (r == 0)
		record->folder = take_fd(&folder);
	return r;
}

int runtime_cli_record_clear_debris(const struct runtime_cli *cli, const char *id, struct err *e)
{
	own_fd int root = open_root(cli);

	if (root < 0)
		return 0;
	int r = make_way(root, id, e);
	return r < 0 && e->kind == ERR_EXISTS ? 0 : r;
}

int runtime_cli_record_list(struct strv *ids, const struct runtime_cli *cli, struct err *e)
{
	own_dir DIR *root = opendir(cli->root);
	struct err not_one;

	if (!root)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", cli->root);
	for (struct dirent *entry; (entry = readdir(root));)
		if (runtime_cli_record_check_id(entry->d_name, &not_one) == 0)
			strv_add(ids, entry->d_name);
	return 0;
}

int runtime_cli_record_spec(struct oci_spec *spec, const struct runtime_cli_record *record,
			    struct err *e)
{
	return oci_spec_read_at(spec, record->folder, "config.json", e);
}

/* Does the process live? One that nobody has reaped yet does not. */
static bool lives(const struct runtime_container *container)
{
	own_fd int pidfd = runtime_container_open(container);

	return pidfd >= 0 && !process_ended(pidfd);
}

const char *runtime_cli_record_status(const struct runtime_cli_record *record)
{
	if (!lives(&record->container))
		return OCI_STATUS_STOPPED;
	if (faccessat(record->folder, RUNTIME_CLI_START_SOCKET, F_OK, 0) == 0)
		return OCI_STATUS_CREATED;
	if (runtime_cgroup_is_frozen(&record->container.cgroup))
		return OCI_STATUS_PAUSED;
	return OCI_STATUS_RUNNING;
}

void runtime_cli_record_state(struct oci_state *ret, const struct runtime_cli_record *record,
			      const char *status)
{
	*ret = (struct oci_state){
		.oci_version = mem_text(OCI_RUNTIME_SPEC_VERSION),
		.id = mem_text(record->id),
		.status = mem_text(status),
		.pid = str_equal(status, OCI_STATUS_STOPPED) ? 0 : record->container.pid,
		.bundle = mem_text(record->bundle),
	};
	for (size_t i = 0; i < record->annotations.count; i++)
		shape_map_set(&ret->annotations, record->annotations.items[i].key,
			      record->annotations.items[i].value);
}
