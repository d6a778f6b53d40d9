#include "base/rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static int rename_unless_there(int from_dir, const char *from, int to_dir, const char *to)
{
	if (faccessat(to_dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (renameat(from_dir, from, to_dir, to) == 0)
		return 0;
	/* a folder that has come meanwhile */
	return errno == ENOTEMPTY ? -EEXIST : -errno;
}

static int rename_file(int from_dir, const char *from, int to_dir, const char *to)
{
	if (linkat(from_dir, from, to_dir, to, 0) < 0) {
		bool has_links = errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP;
		return has_links ? -errno : rename_unless_there(from_dir, from, to_dir, to);
	}
	return unlinkat(from_dir, from, 0) < 0 ? -errno : 0;
}

static int rename_without_flags(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;

	if (fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? rename_unless_there(from_dir, from, to_dir, to)
				   : rename_file(from_dir, from, to_dir, to);
}

int rename_new_at(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EINVAL ? rename_without_flags(from_dir, from, to_dir, to) : -errno;
}

int rename_exchange_at(int from_dir, const char *from, int to_dir, const char *to, struct err *e)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_EXCHANGE) == 0)
		return 0;
	int r = err_sys(e, "exchange %s and %s", from, to);
	if (r == -EINVAL)
		err_hint(e,
			 "their filesystem may be one that cannot exchange two names in one step "
			 "(NFS, FUSE); --root DIR (or HOLM_ROOT) on ext4, xfs, btrfs does it");
	return r;
}
