/* quota.h - how much may be written into a folder, counted and refused by its filesystem: project
 * quotas of ext4 and xfs (quotactl(2), PRJQUOTA). A project is a number that a folder has and all
 * that comes into being in it inherits; by FS_IOC_FSSETXATTR (ioctl_xfs_fsgetxattr(2)). Nothing of
 * it is remembered elsewhere. Root of the first user namespace alone; quotactl_fd(2) of 5.14. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;

struct storage_quota {
	uint64_t limit; /* bytes; 0: none */
	uint64_t used;
};

/* Does the filesystem count for projects, and refuse what is too much? */
bool storage_quota_works(int folder_fd);

/* Makes the empty folder one of a project that nothing else is of. */
int storage_quota_begin(int folder_fd, uint64_t bytes, struct err *e);

/* Another limit for the project of the folder. */
int storage_quota_limit(int folder_fd, uint64_t bytes, struct err *e);

/* ERR_NOT_FOUND: the folder is of no project. */
int storage_quota_read(struct storage_quota *ret, int folder_fd, struct err *e);

/* Makes the folder one of the project of like_fd. */
int storage_quota_follow(int folder_fd, int like_fd, struct err *e);

/* Are both of one project? */
bool storage_quota_same(int one_fd, int other_fd);

/* The project of the folder has no limit any more: nobody keeps count of it. */
void storage_quota_forget(int folder_fd);
