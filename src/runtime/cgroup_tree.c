#include "runtime/cgroup_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"

/* cgroup.procs of a container with many processes, 8 bytes each; pid_max is 4 million. */
#define FILE_BYTES_MAX (32 << 20)

#define DEPTH_MAX 64

int runtime_cgroup_tree_open_root(const char *mount, bool v2, struct err *e)
{
	struct statfs fs;

	own_fd int root = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open %s", mount);
	if (fstatfs(root, &fs) < 0)
		return err_sys(e, "look at %s", mount);
	if (fs.f_type != (v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
		return err_set(e, ERR_UNSUPPORTED, "%s is not a cgroup %s filesystem", mount,
			       v2 ? "v2" : "v1");
	return take_fd(&root);
}

int runtime_cgroup_tree_open_at(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};

	path += strspn(path, "/");
	long fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int runtime_cgroup_tree_open(const char *mount, bool v2, const char *path, struct err *e)
{
	own_fd int root = runtime_cgroup_tree_open_root(mount, v2, e);
	if (root < 0)
		return root;
	int fd = runtime_cgroup_tree_open_at(root, path);
	return fd < 0 ? err_number(e, -fd, "open cgroup %s%s", mount, path) : fd;
}

/* Makes what is missing above the last part of path, which is changed and restored. */
static int tree_make_above(int root, char *path, size_t *made, struct err *e)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int r = mkdirat(root, path + 1, 0755) < 0 ? errno : 0;
		if (r == 0 && *made == 0)
			*made = strlen(path);
		if (r != 0 && r != EEXIST && r != ENOENT)
			return err_number(e, r, "make cgroup %s", path);
		*slash = '/';
	}
	return 0;
}

/* cgroup filesystems hold no links, so names are safe below the checked root. Another holm may
 * remove an empty folder above between two steps; then it starts again. */
int runtime_cgroup_tree_make(int root, const char *path, size_t *made, struct err *e)
{
	own_free char *copy = mem_text(path);

	for (unsigned round = 0; round < 100; round++) {
		if (mkdirat(root, copy + 1, 0755) == 0) {
			if (*made == 0)
				*made = strlen(path);
			return 1;
		}
		if (errno == EEXIST)
			return 0;
		if (errno != ENOENT)
			break;
		int r = tree_make_above(root, copy, made, e);
		if (r < 0)
			return r;
	}
	return err_sys(e, "make cgroup %s", path);
}

int runtime_cgroup_tree_read(int folder, const char *file, struct str *to)
{
	struct err e;
	int r = fd_read_file_at(folder, file, FILE_BYTES_MAX, to, &e);

	return r < 0 ? r : 0;
}

static int tree_number(uint64_t *ret, const char *text)
{
	char *end;

	if (strncmp(text, "max", 3) == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	/* v1 writes -1 for "no limit" in some files */
	if (*text == '-') {
		*ret = UINT64_MAX;
		return 0;
	}
	errno = 0;
	uint64_t value = strtoull(text, &end, 10);
	if (end == text || errno)
		return -EINVAL;
	*ret = value;
	return 0;
}

int runtime_cgroup_tree_read_u64(uint64_t *ret, int folder, const char *file)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = runtime_cgroup_tree_read(folder, file, &text);
	return r < 0 ? r : tree_number(ret, text.text ? text.text : "");
}

int runtime_cgroup_tree_read_key(uint64_t *ret, int folder, const char *file, const char *key)
{
	own_clear(str_clear) struct str text = { 0 };
	size_t length = strlen(key);

	int r = runtime_cgroup_tree_read(folder, file, &text);
	if (r < 0)
		return r;
	for (const char *line = text.text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return tree_number(ret, line + length + 1);
	}
	return -ENODATA;
}

uint64_t runtime_cgroup_tree_count(int folder, const char *file)
{
	uint64_t value = 0;

	return runtime_cgroup_tree_read_u64(&value, folder, file) < 0 ? 0 : value;
}

uint64_t runtime_cgroup_tree_count_key(int folder, const char *file, const char *key)
{
	uint64_t value = 0;

	return runtime_cgroup_tree_read_key(&value, folder, file, key) < 0 ? 0 : value;
}

static int tree_walk(int folder, int (*visit)(int folder, void *context), void *context, int depth)
{
	struct stat st;

	int r = visit(folder, context);
	/* kernfs counts sub-folders: most cgroups have none, and need no reading */
	if (r != 0 || depth == 0 || fstat(folder, &st) < 0 || st.st_nlink <= 2)
		return r;
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir)
		return -errno;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		own_fd int child = runtime_cgroup_tree_open_at(folder, entry->d_name);
		if (child >= 0)
			r = tree_walk(child, visit, context, depth - 1);
	}
	return r;
}

int runtime_cgroup_tree_walk(int folder, int (*visit)(int folder, void *context), void *context)
{
	return tree_walk(folder, visit, context, DEPTH_MAX);
}

static int tree_list_one(int folder, void *context)
{
	own_clear(str_clear) struct str text = { 0 };
	struct runtime_cgroup_pids *to = context;

	int r = runtime_cgroup_tree_read(folder, "cgroup.procs", &text);
	/* a threaded cgroup's processes are listed by the domain above it; or it is gone */
	if (r == -EOPNOTSUPP || r == -ENOENT || r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	for (const char *line = text.text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		long pid = strtol(line, NULL, 10);
		if (pid > 0)
			*shape_list_add(to) = (pid_t)pid;
	}
	return 0;
}

int runtime_cgroup_tree_list(int folder, struct runtime_cgroup_pids *to)
{
	return runtime_cgroup_tree_walk(folder, tree_list_one, to);
}

int64_t runtime_cgroup_tree_deadline_ms(int64_t from_now_ms)
{
	return moment_monotonic_ns() / 1000000 + from_now_ms;
}

bool runtime_cgroup_tree_wait(unsigned *round, int64_t deadline_ms)
{
	unsigned ms = *round < 5 ? 1U << *round : 50;
	struct timespec pause = { .tv_nsec = (long)ms * 1000000 };

	if (runtime_cgroup_tree_deadline_ms(0) >= deadline_ms)
		return false;
	(*round)++;
	nanosleep(&pause, NULL);
	return true;
}

static int tree_remove_children(int root, const char *path, int64_t deadline_ms, int depth);

static int tree_remove(int root, const char *path, int64_t deadline_ms, int depth)
{
	unsigned round = 0;

	for (;;) {
		if (unlinkat(root, path, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENODEV)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			return -errno;
		if (depth > 0)
			tree_remove_children(root, path, deadline_ms, depth);
		if (!runtime_cgroup_tree_wait(&round, deadline_ms))
			return -EBUSY;
	}
}

static int tree_remove_children(int root, const char *path, int64_t deadline_ms, int depth)
{
	int folder = runtime_cgroup_tree_open_at(root, path);
	own_dir DIR *dir = folder < 0 ? NULL : fdopendir(folder);

	if (!dir)
		return folder < 0 ? folder : -errno;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			tree_remove(dirfd(dir), entry->d_name, deadline_ms, depth - 1);
	}
	return 0;
}

int runtime_cgroup_tree_remove(int root, const char *path, int64_t deadline_ms)
{
	return tree_remove(root, path + strspn(path, "/"), deadline_ms, DEPTH_MAX);
}

void runtime_cgroup_tree_remove_above(int root, const char *path, size_t made)
{
	own_free char *copy = mem_text(path);

	for (char *slash = strrchr(copy, '/'); slash && slash > copy; slash = strrchr(copy, '/')) {
		*slash = '\0';
		if (strlen(copy) < made || unlinkat(root, copy + 1, AT_REMOVEDIR) < 0)
			return;
	}
}
