#include "runtime/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/procfs.h"

/* A list of a dozen short names, security/security.c. */
#define LSM_LIST_MAX 4096

static bool lsm_is_listed(const char *name)
{
	own_clear(str_clear) struct str list = { 0 };
	struct err e;
	char *rest, *one;

	if (fd_read_file_at(AT_FDCWD, "/sys/kernel/security/lsm", LSM_LIST_MAX, &list, &e) < 0)
		return false;
	for (one = strtok_r(list.text, ",\n", &rest); one; one = strtok_r(NULL, ",\n", &rest)) {
		if (str_equal(one, name))
			return true;
	}
	return false;
}

bool runtime_lsm_has_apparmor(void)
{
	own_clear(str_clear) struct str enabled = { 0 };
	struct err e;

	/* securityfs need not be mounted; the module's parameter is always there */
	if (fd_read_file_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", LSM_LIST_MAX,
			    &enabled, &e) == 0)
		return enabled.length > 0 && enabled.text[0] == 'Y';
	return lsm_is_listed("apparmor");
}

bool runtime_lsm_has_selinux(void)
{
	return access("/sys/fs/selinux/status", F_OK) == 0 || lsm_is_listed("selinux");
}

int runtime_lsm_check_in_parent(const char **apparmor, const char *selinux, struct err *e)
{
	if (!str_empty(*apparmor) && !runtime_lsm_has_apparmor()) {
		if (!str_equal(*apparmor, "unconfined"))
			return err_set(e, ERR_UNSUPPORTED,
				       "AppArmor profile %s: AppArmor is not active on this host",
				       *apparmor);
		*apparmor = NULL;
	}
	if (!str_empty(selinux) && !runtime_lsm_has_selinux())
		return err_set(e, ERR_UNSUPPORTED,
			       "SELinux label %s: SELinux is not active on this host", selinux);
	return 0;
}

int runtime_lsm_set_apparmor_in_child(int proc_fd, const char *profile, struct err *e)
{
	if (str_empty(profile))
		return 0;
	own_free char *text = mem_format("exec %s", profile);
	int r = runtime_procfs_write(proc_fd, "thread-self/attr/apparmor/exec", text, e);
	if (r == -ENOENT)
		r = runtime_procfs_write(proc_fd, "thread-self/attr/exec", text, e);
	if (r == 0)
		return 0;
	bool unknown = r == -ENOENT;
	err_add(e, "AppArmor profile %s", profile);
	if (unknown)
		err_hint(e, "load it first: apparmor_parser -r FILE");
	return r;
}

static int write_label(int proc_fd, const char *path, const char *label, struct err *e)
{
	if (str_empty(label))
		return 0;
	int r = runtime_procfs_write(proc_fd, path, label, e);
	return r < 0 ? err_add(e, "SELinux label %s", label) : 0;
}

int runtime_lsm_set_selinux_in_child(int proc_fd, const char *label, struct err *e)
{
	return write_label(proc_fd, "thread-self/attr/exec", label, e);
}

int runtime_lsm_set_selinux_keys_in_child(int proc_fd, const char *label, struct err *e)
{
	return write_label(proc_fd, "thread-self/attr/keycreate", label, e);
}
