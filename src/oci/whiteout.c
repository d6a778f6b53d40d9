#include "oci/whiteout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

/* The mark is a value of overlayfs's own attribute that means nothing to it (it knows y and x): so
 * no container sees it, and it goes where the attribute goes. */
#define MARK "user.overlay.opaque"
enum { MARK_BY_NAMES = 'n' };

static char value_of(int fd, const char *name)
{
	char value[2];

	return fgetxattr(fd, name, value, sizeof(value)) == 1 ? value[0] : '\0';
}

bool oci_whiteout_is_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool oci_whiteout_is_opaque(int folder_fd, bool by_names)
{
	if (value_of(folder_fd, "trusted.overlay.opaque") == 'y' ||
	    value_of(folder_fd, "user.overlay.opaque") == 'y')
		return true;
	return by_names &&
	       (value_of(folder_fd, "user.fuseoverlayfs.opaque") == 'y' ||
		faccessat(folder_fd, OCI_WHITEOUT_OPAQUE, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

bool oci_whiteout_is_by_names(int root_fd)
{
	errno = 0;
	char value = value_of(root_fd, MARK);
	if (errno != EBADF)
		return value == MARK_BY_NAMES;
	/* it is O_PATH */
	own_fd int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && value_of(fd, MARK) == MARK_BY_NAMES;
}

int oci_whiteout_mark_by_names(int root_fd, struct err *e)
{
	const char mark = MARK_BY_NAMES;
	own_fd int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsetxattr(fd, MARK, &mark, 1, 0) < 0
		       ? err_sys(e, "mark a folder as one with whiteouts by name")
		       : 0;
}

const char *oci_whiteout_hidden(const char *name)
{
	if (!str_starts(name, OCI_WHITEOUT_PREFIX))
		return NULL;
	name += strlen(OCI_WHITEOUT_PREFIX);
	return !*name || str_equal(name, ".") || str_equal(name, "..") ? NULL : name;
}
