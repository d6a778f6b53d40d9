#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

enum { READ_STEP_MIN = 512, READ_STEP = 16384 };

/* step: how much is taken at once. exact: there are so many bytes; 0: until the end. */
static int read_in_steps(int fd, size_t step, size_t exact, size_t bytes_max, struct str *to,
			 struct err *e)
{
	size_t start = to->length;

	for (;;) {
		ssize_t n = read(fd, str_room(to, step), step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		to->length += (size_t)n;
		to->text[to->length] = '\0';
		if (to->length - start > bytes_max)
			return err_set(e, ERR_INVALID, "longer than %zu bytes", bytes_max);
		if (n == 0 || (exact && to->length - start == exact))
			return 0;
	}
}

int fd_read_all(int fd, size_t bytes_max, struct str *to, struct err *e)
{
	return read_in_steps(fd, READ_STEP, 0, bytes_max, to, e);
}

/* Small files are the rule: a large buffer for each costs more than reading them. Files of /proc
 * say that they are empty. */
static size_t step_for(const struct stat *st)
{
	if (st->st_size <= 0 || st->st_size >= READ_STEP)
		return READ_STEP;
	return st->st_size < READ_STEP_MIN ? READ_STEP_MIN : (size_t)st->st_size + 1;
}

int fd_read_file_at(int dir_fd, const char *path, size_t bytes_max, struct str *to, struct err *e)
{
	own_fd int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, "open %s", path);

	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s: not a regular file", path);

	if (read_in_steps(fd, step_for(&st), (size_t)st.st_size, bytes_max, to, e) < 0)
		return err_add(e, "%s", path);
	return 0;
}

void fd_fill_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		/* the lowest number that is free is this one; it stays, for children, too */
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int fd_write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t n = write(fd, at, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

static bool is_called(int fd, int dir_fd, const char *name)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

int fd_lock_folder_at(int dir_fd, const char *name, bool wait)
{
	own_fd int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0)
		if (errno != EINTR)
			return -errno;
	return is_called(fd, dir_fd, name) ? take_fd(&fd) : -ENOENT;
}

/* Two processes may write the same file at once: the one that comes second, and waits for nobody,
 * takes a name that no one else has. */
static int open_temporary(char **ret_name, int dir_fd, const char *path, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	own_free char *name = mem_format("%s~", path);
	own_fd int fd = openat(dir_fd, name, flags, mode);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_called(fd, dir_fd, name) ||
	    ftruncate(fd, 0) < 0) {
		own_free char *other = mem_format("%s.%d~", path, (int)getpid());
		*ret_name = take_ptr(&other);
		return openat(dir_fd, *ret_name, flags | O_TRUNC, mode);
	}
	*ret_name = take_ptr(&name);
	return take_fd(&fd);
}

int fd_write_file_at(int dir_fd, const char *path, const void *bytes, size_t length, mode_t mode,
		     struct err *e)
{
	own_free char *temporary = NULL;
	own_fd int fd = open_temporary(&temporary, dir_fd, path, mode);

	if (fd < 0)
		return err_sys(e, "create %s", path);

	int r = fd_write_all(fd, bytes, length);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, path) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, temporary, 0);
		return err_number(e, -r, "write %s", path);
	}
	return 0;
}

int fd_write_control_at(int dir_fd, const char *path, const char *text, struct err *e)
{
	own_fd int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, "open %s", path);

	ssize_t n;
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "write '%s' to %s", text, path);
	return 0;
}

int fd_send(int socket, const void *bytes, size_t length, const int *fds, size_t fds_count,
	    struct err *e)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec io = { .iov_base = (void *)bytes, .iov_len = length };
	struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1 };

	if (fds_count > FD_PASS_MAX)
		return err_set(e, ERR_INTERNAL, "send: %zu descriptors are too many", fds_count);
	if (fds_count) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fds_count);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * fds_count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * fds_count);
	}

	ssize_t n;
	do
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "send");
	if ((size_t)n < length)
		return fd_send(socket, (const char *)bytes + n, length - (size_t)n, NULL, 0, e);
	return 0;
}

ssize_t fd_receive(int socket, void *bytes, size_t length, int fds[FD_PASS_MAX], size_t *fds_count,
		   struct err *e)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec io = { .iov_base = bytes, .iov_len = length };
	struct msghdr message = { .msg_iov = &io,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };

	ssize_t n;
	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "receive");

	*fds_count = 0;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h; h = CMSG_NXTHDR(&message, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		*fds_count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(h), *fds_count * sizeof(int));
	}
	return n;
}

/* A tree may be deeper than we may hold descriptors: what lies deeper than this is moved up, beside
 * the tree's first level, and removed from there. */
enum { REMOVE_DEPTH_MAX = 100 };

/* Not in every <linux/magic.h>. */
#define MQUEUE_MAGIC 0x19800202

bool fd_is_of_kernel(int fd)
{
	static const unsigned magics[] = {
		PROC_SUPER_MAGIC,   SYSFS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
		DEVPTS_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,      SECURITYFS_MAGIC,
		BPF_FS_MAGIC,       MQUEUE_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(magics); i++)
		if (magics[i] == (unsigned)fs.f_type)
			return true;
	return false;
}

struct removal {
	int top_fd;      /* the tree's root; -1 until it is open */
	unsigned moved;  /* folders that were moved up */
	uint64_t *freed; /* NULL: not counted */
};

static int remove_folder(struct removal *removal, int dir_fd, const char *name, unsigned depth);

/* A folder that was moved up by a removal that did not get to its end may have the name already. */
static int move_up(struct removal *removal, int dir_fd, const char *name)
{
	char to[32];

	do {
		snprintf(to, sizeof(to), ".deep-%u", removal->moved++);
		if (renameat(dir_fd, name, removal->top_fd, to) == 0)
			return 0;
	} while (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR);
	return -errno;
}

/* What removing name will give back: all of its blocks with its last link. */
static uint64_t blocks_of(const struct removal *removal, int dir_fd, const char *name)
{
	struct stat st;

	if (!removal->freed || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return S_ISDIR(st.st_mode) || st.st_nlink == 1 ? (uint64_t)st.st_blocks * 512 : 0;
}

static int count(const struct removal *removal, uint64_t blocks)
{
	if (removal->freed)
		*removal->freed += blocks;
	return 0;
}

static int remove_one(struct removal *removal, int dir_fd, const char *name, unsigned depth)
{
	uint64_t blocks = blocks_of(removal, dir_fd, name);

	if (unlinkat(dir_fd, name, 0) == 0)
		return count(removal, blocks);
	if (errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth > REMOVE_DEPTH_MAX)
		return move_up(removal, dir_fd, name);
	return remove_folder(removal, dir_fd, name, depth);
}

/* Closes fd. */
static int remove_children(struct removal *removal, int fd, unsigned depth)
{
	own_dir DIR *dir = fdopendir(fd);
	if (!dir) {
		int number = errno;
		close(fd);
		return -number;
	}

	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry)
			return errno == ENOENT ? 0 : -errno; /* another took the folder away */
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int r = remove_one(removal, dirfd(dir), entry->d_name, depth + 1);
		if (r < 0)
			return r;
	}
}

static int open_folder(int dir_fd, const char *name, unsigned depth)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = depth ? RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS : 0,
	};
	long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

static int remove_folder(struct removal *removal, int dir_fd, const char *name, unsigned depth)
{
	uint64_t blocks = blocks_of(removal, dir_fd, name);
	unsigned moved;

	/* another round where deep folders have come up while this one was read */
	do {
		moved = removal->moved;
		int fd = open_folder(dir_fd, name, depth);
		if (fd < 0)
			return fd == -ENOENT ? 0 : fd;
		if (depth == 0)
			removal->top_fd = fd;
		int r = remove_children(removal, fd, depth);
		if (r < 0)
			return r;
	} while (depth == 0 && removal->moved != moved);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
		return count(removal, blocks);
	return errno == ENOENT ? 0 : -errno;
}

int fd_remove_tree_at(int dir_fd, const char *name, struct err *e)
{
	return fd_remove_tree_counted_at(dir_fd, name, NULL, e);
}

void fd_remove_unlocked_at(int dir_fd, const char *prefix)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct err ignored;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (!str_starts(entry->d_name, prefix))
			continue;
		own_fd int lock = fd_lock_folder_at(dir_fd, entry->d_name, false);
		if (lock >= 0)
			fd_remove_tree_at(dir_fd, entry->d_name, &ignored);
	}
}

int fd_remove_tree_counted_at(int dir_fd, const char *name, uint64_t *freed, struct err *e)
{
	struct removal removal = { .top_fd = -1, .freed = freed };
	int r = remove_one(&removal, dir_fd, name, 0);
	if (r < 0)
		return err_number(e, -r, "remove %s", name);
	return 0;
}
