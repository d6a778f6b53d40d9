#include "runtime/idmap_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "base/err.h"
#include "base/mem.h"

/* Not in every <linux/magic.h>. */
#define XFS_MAGIC   0x58465342
#define NTFS3_MAGIC 0x7366746e
#define EROFS_MAGIC 0xe0f5e1e2
#define CEPH_MAGIC  0x00c36400
#define ZFS_MAGIC   0x2fc12fc1
#define CIFS_MAGIC  0xff534d42
#define FUSE_MAGIC  0x65735546

/* mount_setattr(2), "ID-mapped mounts"; the fs_flags FS_ALLOW_IDMAP of each. */
static const struct filesystem {
	long magic;
	const char *name;
	const char *since; /* NULL: it cannot */
} filesystems[] = {
	{ EXT4_SUPER_MAGIC, "ext4", "5.12" },
	{ MSDOS_SUPER_MAGIC, "vfat", "5.12" },
	{ XFS_MAGIC, "xfs", "5.12" },
	{ BTRFS_SUPER_MAGIC, "btrfs", "5.15" },
	{ NTFS3_MAGIC, "ntfs3", "5.15" },
	{ F2FS_SUPER_MAGIC, "f2fs", "5.18" },
	{ EROFS_MAGIC, "erofs", "5.19" },
	{ SQUASHFS_MAGIC, "squashfs", "6.2" },
	{ TMPFS_MAGIC, "tmpfs", "6.3" },
	{ CEPH_MAGIC, "cephfs", "6.7" },
	{ HUGETLBFS_MAGIC, "hugetlbfs", "6.9" },
	{ FUSE_MAGIC, "fuse", "6.12, if its server takes part" },
	{ OVERLAYFS_SUPER_MAGIC, "overlay" },
	{ NFS_SUPER_MAGIC, "nfs" },
	{ CIFS_MAGIC, "cifs" },
	{ V9FS_MAGIC, "9p" },
	{ PROC_SUPER_MAGIC, "proc" },
	{ SYSFS_MAGIC, "sysfs" },
};

static int explain(int fd, bool all, int number, struct err *e)
{
	struct statfs fs = { 0 };
	const struct filesystem *found = NULL;

	fstatfs(fd, &fs);
	for (size_t i = 0; i < COUNT_OF(filesystems) && !found; i++)
		if ((unsigned)filesystems[i].magic == (unsigned)fs.f_type)
			found = &filesystems[i];
	if (number == EPERM) {
		err_number(e, number, "map the ids of a mount of %s",
			   found ? found->name : "its filesystem");
		return err_hint(e,
				"that is for root on the host, on a mount that is not mapped yet");
	}
	if (number != EINVAL)
		return err_number(e, number, "map the ids of the mount");
	const char *below = all ? " (or one mounted below it)" : "";
	if (!found)
		err_set(e, ERR_UNSUPPORTED, "its filesystem (magic 0x%lx)%s cannot map ids",
			(unsigned long)fs.f_type, below);
	else if (found->since)
		err_set(e, ERR_UNSUPPORTED, "%s%s can map ids since Linux %s, not here",
			found->name, below, found->since);
	else
		err_set(e, ERR_UNSUPPORTED, "a filesystem of type %s%s cannot map ids", found->name,
			below);
	return err_hint(e, "put the files on ext4, xfs, btrfs or (Linux 6.3) tmpfs, give them to "
			   "the container's ids by chown, or do without a user namespace");
}

int runtime_idmap_mount_in_parent(int fd, int user_fd, bool all, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)user_fd };

	if (mount_setattr(fd, "", AT_EMPTY_PATH | (all ? AT_RECURSIVE : 0), &attr, sizeof(attr)) ==
	    0)
		return 0;
	return explain(fd, all, errno, e);
}
