#include "runtime_cli/seal.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/number.h"
#include "base/own.h"
#include "base/sealed.h"
#include "base/str.h"

static bool is_sealed(int self)
{
	struct statvfs mount;
	int seals = fcntl(self, F_GET_SEALS);

	if (seals >= 0 && (seals & F_SEAL_WRITE))
		return true;
	return fstatvfs(self, &mount) == 0 && (mount.f_flag & ST_RDONLY);
}

/* The descriptor by which this program was executed, if it is still open: what came by exec(2) has
 * no FD_CLOEXEC, all that was opened here has it. */
static int started_by(void)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	uint64_t number;
	struct err none;

	if (!name || !str_starts(name, RUNTIME_CLI_SEAL_STARTED_BY) ||
	    number_parse_u64(&number, name + strlen(RUNTIME_CLI_SEAL_STARTED_BY), INT_MAX, &none) <
		    0 ||
	    fcntl((int)number, F_GETFD) != 0)
		return -1;
	return (int)number;
}

int runtime_cli_seal(int *ret, char **argv, struct err *e)
{
	own_fd int tree = started_by();
	own_fd int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0)
		return err_sys(e, "open /proc/self/exe");
	if (tree >= 0 && fcntl(tree, F_SETFD, FD_CLOEXEC) < 0)
		return err_sys(e, "set FD_CLOEXEC");
	if (is_sealed(self)) {
		/* started by descriptor, the kernel named us after its number */
		prctl(PR_SET_NAME, "holm-runtime");
		*ret = take_fd(&tree);
		return 0;
	}
	own_fd int sealed = sealed_open(self, e);
	if (sealed < 0)
		return sealed;
	syscall(SYS_execveat, sealed, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(e, "execute the sealed program");
}
