#include "storage/store.h"

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
#include "base/number.h"
#include "base/str.h"

static const char *const root_folders[] = {
	"images", "images/blobs", "images/blobs/sha256", "partial", "layers", "containers",
	"names",  "volumes",
};

static const char oci_layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

enum { VERSION_BYTES_MAX = 64 };

/* The order of choice: what was said, the environment, the default; made absolute. */
static char *choose_path(const char *said, const char *variable, const char *fallback)
{
	const char *path = said ? said : getenv(variable);

	if (str_empty(path))
		path = fallback;
	if (*path == '/')
		return mem_text(path);
	own_free char *here = getcwd(NULL, 0);
	return mem_format("%s/%s", here ? here : "", path);
}

/* mkdir -p of a path of the host's own, which the caller named. */
static int make_folders(const char *path, struct err *e)
{
	own_free char *part = mem_text(path);

	for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, slash ? 0755 : 0700) < 0 && errno != EEXIST)
			return err_sys(e, "make folder %s", part);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int open_folder(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return err_sys(e, "open %s", path);

	int r = make_folders(path, e);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

static int make_folder_at(int dir_fd, const char *path, struct err *e)
{
	if (mkdirat(dir_fd, path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make folder %s", path);
	return 0;
}

int store_make_folders(const struct store *store, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(root_folders); i++) {
		int r = make_folder_at(store->root_fd, root_folders[i], e);
		if (r < 0)
			return r;
	}
	return fd_write_file_at(store->root_fd, "images/oci-layout", oci_layout, strlen(oci_layout),
				0644, e);
}

/* The version is written last: with it there, all is there. */
static int make_root(const struct store *store, struct err *e)
{
	static const char version[] = "1\n";

	int r = store_make_folders(store, e);
	if (r < 0)
		return r;
	return fd_write_file_at(store->root_fd, "version", version, strlen(version), 0644, e);
}

static int check_version(const struct store *store, struct err *e)
{
	char text[VERSION_BYTES_MAX];
	uint64_t version;
	own_fd int fd = openat(store->root_fd, "version", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return make_root(store, e);
	if (fd < 0)
		return err_sys(e, "open version");
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return err_sys(e, "read version");
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (number_parse_u64(&version, text, UINT64_MAX, e) < 0)
		return err_set(e, ERR_CORRUPT, "version: '%s' is not a number", text);
	if (version <= STORE_VERSION)
		return 0;
	err_set(e, ERR_UNSUPPORTED, "a newer holm wrote it: its version is %s, this one knows %d",
		text, STORE_VERSION);
	return err_hint(e, "use the newer holm, or another folder with --root");
}

static int open_both(struct store *store, struct err *e)
{
	store->root_fd = open_folder(store->root, e);
	if (store->root_fd < 0)
		return store->root_fd;
	int r = check_version(store, e);
	if (r < 0)
		return err_add(e, "store %s", store->root);

	store->run_fd = open_folder(store->run, e);
	if (store->run_fd < 0)
		return store->run_fd;
	if (faccessat(store->run_fd, "containers", F_OK, 0) < 0) {
		r = make_folder_at(store->run_fd, "containers", e);
		if (r < 0)
			return err_add(e, "run folder %s", store->run);
	}
	return 0;
}

int store_open(struct store **ret, const char *root, const char *run, struct err *e)
{
	own(store_close) struct store *store = mem_new_struct(struct store);

	store->root_fd = -1;
	store->run_fd = -1;
	store->root = choose_path(root, "HOLM_ROOT", STORE_ROOT_DEFAULT);
	store->run = choose_path(run, "HOLM_RUN", STORE_RUN_DEFAULT);
	int r = open_both(store, e);
	if (r < 0)
		return r;
	*ret = take_ptr(&store);
	return 0;
}

void store_close(struct store *store)
{
	own_fd_call(&store->root_fd);
	own_fd_call(&store->run_fd);
	free(store->root);
	free(store->run);
	free(store);
}

/* ---- locks ---- */

int store_lock_folder(int dir_fd, const char *path, int operation, struct err *e)
{
	own_fd int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	int r;
	do
		r = flock(fd, operation);
	while (r < 0 && errno == EINTR);
	if (r < 0 && errno == EWOULDBLOCK)
		return err_set(e, ERR_STATE, "%s is in use by another holm", path);
	if (r < 0)
		return err_sys(e, "lock %s", path);
	return take_fd(&fd);
}

int store_lock_layers_shared(const struct store *store, struct err *e)
{
	return store_lock_folder(store->root_fd, "layers", LOCK_SH, e);
}

int store_lock_layers_exclusive(const struct store *store, bool wait, struct err *e)
{
	return store_lock_folder(store->root_fd, "layers", LOCK_EX | (wait ? 0 : LOCK_NB), e);
}

int store_lock_images(const struct store *store, struct err *e)
{
	return store_lock_folder(store->root_fd, "images", LOCK_EX, e);
}

int store_sync_folder(const struct store *store, const char *path, struct err *e)
{
	own_fd int fd = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, "sync %s", path);
	return 0;
}
