#include "base/fs_ids.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

int fs_ids_set(uid_t uid, gid_t gid, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };

	if (syscall(SYS_capget, &header, sets) < 0)
		return err_sys(e, "read the capabilities");
	setfsgid(gid);
	setfsuid(uid);
	/* setfsuid(2) cannot fail in a way that it tells; asked for -1 it changes nothing */
	if ((uid_t)setfsuid((uid_t)-1) != uid || (gid_t)setfsgid((gid_t)-1) != gid)
		return err_set(e, ERR_PERMISSION, "act as the user %u:%u", uid, gid);
	if (syscall(SYS_capset, &header, sets) < 0)
		return err_sys(e, "keep the capabilities");
	return 0;
}
