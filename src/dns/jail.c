#include "dns/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/user_ids.h"
#include "dns/names.h"

/* Nobody's, on every system. */
enum { NOBODY = 65534 };

/* All that version 1 knows, Linux 5.13. */
static const uint64_t handled =
	LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
	LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
	LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
	LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

/* A kernel without it is fine: the folders of others are closed to nobody anyway. */
static int restrict_files(const struct dns_names *names, struct err *e)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = handled };

	own_fd int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP
			       ? 0
			       : err_sys(e, "make a Landlock ruleset");
	for (size_t i = 0; i < names->count; i++) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access =
				LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
			.parent_fd = names->networks[i].folder,
		};
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) <
		    0)
			return err_sys(e, "allow reading a network's names");
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_sys(e, "enter the Landlock ruleset");
	return 0;
}

/* In a user namespace there may be no other user to become, and groups may be what they are: then
 * this is the ordinary user whose it is, or one of the ids that nobody else has. */
static int become_nobody(struct err *e)
{
	if (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	    setresuid(NOBODY, NOBODY, NOBODY) == 0)
		return 0;
	int number = errno;
	if ((number == EINVAL || number == EPERM) && user_ids_are_mapped())
		return 0;
	return err_number(e, number, "become nobody");
}

static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (syscall(SYS_capset, &header, none) < 0)
		return err_sys(e, "give up capabilities");
	return 0;
}

/* An ordinary user's name server has that user's rights on files; Landlock takes them. */
static int leave_host(int root_fd, struct err *e)
{
	if (geteuid() != 0)
		return 0;
	if (fchdir(root_fd) < 0 || chroot(".") < 0)
		return err_sys(e, "enter the empty folder");
	return become_nobody(e);
}

int dns_jail_enter(int root_fd, const struct dns_names *names, struct err *e)
{
	const struct rlimit none = { 0, 0 };
	pid_t parent = getppid();

	int r = leave_host(root_fd, e);
	if (r == 0)
		r = drop_capabilities(e);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_sys(e, "set no_new_privs");
	if (r == 0)
		r = restrict_files(names, e);
	if (r < 0)
		return r;
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_FSIZE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* forgotten when the user changed */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		return err_set(e, ERR_STATE, "the monitor has gone");
	return dns_jail_filter(e);
}
