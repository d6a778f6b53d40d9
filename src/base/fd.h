/* fd.h - descriptors: whole reads and writes, files replaced in one step, descriptors passed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct str;

/* Reads until the end and appends to *to; fails with ERR_INVALID beyond bytes_max. */
int fd_read_all(int fd, size_t bytes_max, struct str *to, struct err *e);

/* The same for a file below dir_fd, which must be a regular one (opened O_NONBLOCK|O_NOFOLLOW:
 * never hangs on a fifo). /proc files count as regular. */
int fd_read_file_at(int dir_fd, const char *path, size_t bytes_max, struct str *to, struct err *e);

/* Takes the numbers 0, 1 and 2 that a caller has closed, for what can be neither read nor written
 * (EBADF, as if closed): else the next file opened has such a number, and gets our messages. */
void fd_fill_standard(void);

/* Writes all of it, through EINTR and short writes. Returns 0 or -errno. */
int fd_write_all(int fd, const void *bytes, size_t length);

/* A temporary name in the same folder, then rename over path: old or new, never half. What a killed
 * writer left there, path~, is the next one's. */
int fd_write_file_at(int dir_fd, const char *path, const void *bytes, size_t length, mode_t mode,
		     struct err *e);

/* One write(2) into an existing file of /proc, /sys or a cgroup. path is named in the error. */
int fd_write_control_at(int dir_fd, const char *path, const char *text, struct err *e);

/* Sends or receives one message with up to FD_PASS_MAX descriptors over a unix socket.
 * fd_receive returns the bytes read (0: the peer is gone), sets *fds_count, and every
 * descriptor it returns is O_CLOEXEC and the caller's. */
enum { FD_PASS_MAX = 16 };
int fd_send(int socket, const void *bytes, size_t length, const int *fds, size_t fds_count,
	    struct err *e);
ssize_t fd_receive(int socket, void *bytes, size_t length, int fds[FD_PASS_MAX], size_t *fds_count,
		   struct err *e);

/* The folder, locked (flock, exclusive). -ENOENT: there is none, or it was replaced or removed
 * while the lock was waited for; -EWOULDBLOCK: another process has it and we are not to wait. */
int fd_lock_folder_at(int dir_fd, const char *name, bool wait);

/* Removes the folders in this one whose names begin with prefix and whose lock nobody has: what
 * killed processes left. */
void fd_remove_unlocked_at(int dir_fd, const char *prefix);

/* Is it on a filesystem that shows the kernel (proc, sysfs, cgroups...)? Its files are none to
 * copy: they have no size, or that of all memory. */
bool fd_is_of_kernel(int fd);

/* Removes name below dir_fd with all that lies below it, crossing no mount and following no
 * link; a name that is not there is fine, and so is another who removes the same. Returns 0 or
 * fills e. */
int fd_remove_tree_at(int dir_fd, const char *name, struct err *e);

/* The same; adds the bytes of the disk that this gave back to *freed (NULL: not counted), also on
 * failure. A file counts with its last link. */
int fd_remove_tree_counted_at(int dir_fd, const char *name, uint64_t *freed, struct err *e);
