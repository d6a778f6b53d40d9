#include "runtime_cli/seal.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/sealed.h"

static bool is_sealed(int self)
{
	struct statvfs mount;
	int seals = fcntl(self, F_GET_SEALS);

	if (seals >= 0 && (seals & F_SEAL_WRITE))
		return true;
	return fstatvfs(self, &mount) == 0 && (mount.f_flag & ST_RDONLY);
}

int runtime_cli_seal(char **argv, struct err *e)
{
	own_fd int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0)
		return err_sys(e, "open /proc/self/exe");
	if (is_sealed(self)) {
		/* started by descriptor, the kernel named us after its number */
		prctl(PR_SET_NAME, "holm-runtime");
		return 0;
	}
	own_fd int sealed = sealed_open(self, e);
	if (sealed < 0)
		return sealed;
	syscall(SYS_execveat, sealed, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(e, "execute the sealed program");
}
