#include "storage/quota.h"

#include <errno.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

/* Lower numbers are those that people write into /etc/projects. */
enum { PROJECTS_FIRST = 1 << 24, PROJECTS_MASK = 0x7fffffff, TRIES = 32 };

static long control(int fd, unsigned command, uint32_t project, void *to)
{
	return syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), project, to);
}

bool storage_quota_works(int folder_fd)
{
	struct fs_quota_stat state = { 0 };
	struct fsxattr attributes;
	const int needed = FS_QUOTA_PDQ_ACCT | FS_QUOTA_PDQ_ENFD;

	return ioctl(folder_fd, FS_IOC_FSGETXATTR, &attributes) == 0 &&
	       control(folder_fd, Q_XGETQSTAT, 0, &state) == 0 &&
	       (state.qs_flags & needed) == needed;
}

/* ---- the number of a folder ---- */

static int project_of(uint32_t *ret, int folder_fd, struct err *e)
{
	struct fsxattr attributes;

	if (ioctl(folder_fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return err_sys(e, "look for the project of the folder");
	if (!attributes.fsx_projid || !(attributes.fsx_xflags & FS_XFLAG_PROJINHERIT))
		return err_set(e, ERR_NOT_FOUND, "the folder is of no project");
	*ret = attributes.fsx_projid;
	return 0;
}

static int set_project(int folder_fd, uint32_t project, struct err *e)
{
	struct fsxattr attributes;

	if (ioctl(folder_fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return err_sys(e, "look for the project of the folder");
	attributes.fsx_projid = project;
	attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	if (ioctl(folder_fd, FS_IOC_FSSETXATTR, &attributes) < 0)
		return err_sys(e, "make the folder one of project %u", project);
	return 0;
}

/* ---- what is counted ---- */

static int read_counted(struct if_dqblk *ret, int folder_fd, uint32_t project, struct err *e)
{
	*ret = (struct if_dqblk){ 0 };
	/* xfs knows nothing of one that was never written to */
	if (control(folder_fd, Q_GETQUOTA, project, ret) < 0 && errno != ENOENT)
		return err_sys(e, "read the quota of project %u", project);
	return 0;
}

static int choose(uint32_t *ret, int folder_fd, struct err *e)
{
	struct if_dqblk counted;
	uint32_t project = 0;

	for (int i = 0; i < TRIES; i++) {
		if (getrandom(&project, sizeof(project), 0) != (ssize_t)sizeof(project))
			return err_sys(e, "get random bytes");
		project = (project & PROJECTS_MASK) | PROJECTS_FIRST;
		int r = read_counted(&counted, folder_fd, project, e);
		if (r < 0)
			return r;
		if (counted.dqb_curspace || counted.dqb_curinodes || counted.dqb_bhardlimit)
			continue;
		*ret = project;
		return 0;
	}
	return err_set(e, ERR_STATE, "no number of a project is free");
}

static int set_limit(int folder_fd, uint32_t project, uint64_t bytes, struct err *e)
{
	struct if_dqblk limits = {
		.dqb_bhardlimit = (bytes + 1023) / 1024,
		.dqb_bsoftlimit = (bytes + 1023) / 1024,
		.dqb_valid = QIF_BLIMITS,
	};

	if (control(folder_fd, Q_SETQUOTA, project, &limits) < 0)
		return err_sys(e, "set the quota of project %u", project);
	return 0;
}

/* ---- what others call ---- */

int storage_quota_begin(int folder_fd, uint64_t bytes, struct err *e)
{
	uint32_t project = 0;

	int r = choose(&project, folder_fd, e);
	if (r == 0)
		r = set_project(folder_fd, project, e);
	return r < 0 ? r : set_limit(folder_fd, project, bytes, e);
}

int storage_quota_limit(int folder_fd, uint64_t bytes, struct err *e)
{
	uint32_t project = 0;

	int r = project_of(&project, folder_fd, e);
	return r < 0 ? r : set_limit(folder_fd, project, bytes, e);
}

int storage_quota_read(struct storage_quota *ret, int folder_fd, struct err *e)
{
	struct if_dqblk counted;
	uint32_t project = 0;

	int r = project_of(&project, folder_fd, e);
	if (r == 0)
		r = read_counted(&counted, folder_fd, project, e);
	if (r == 0)
		*ret = (struct storage_quota){ counted.dqb_bhardlimit * 1024,
					       counted.dqb_curspace };
	return r;
}

int storage_quota_follow(int folder_fd, int like_fd, struct err *e)
{
	uint32_t project = 0;

	int r = project_of(&project, like_fd, e);
	return r < 0 ? r : set_project(folder_fd, project, e);
}

bool storage_quota_same(int one_fd, int other_fd)
{
	uint32_t one, other;
	struct err none;

	return project_of(&one, one_fd, &none) == 0 && project_of(&other, other_fd, &none) == 0 &&
	       one == other;
}

void storage_quota_forget(int folder_fd)
{
	uint32_t project = 0;
	struct err none;

	if (project_of(&project, folder_fd, &none) == 0)
		set_limit(folder_fd, project, 0, &none);
}
