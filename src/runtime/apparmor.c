#include "runtime/apparmor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "runtime/clone.h"
#include "runtime/lsm.h"
#include "runtime/user_namespace.h"

#define PROFILES "/sys/kernel/security/apparmor/profiles"

enum { PROFILES_MAX = 1 << 20, OUTPUT_MAX = 4096 };

/* ---- the text ---- */

/* What a container does is allowed; its border is what the rules are about. Of the folders in /proc
 * those of processes alone begin with a digit. */
static const char *const rules[] = {
	"network,",
	"capability,",
	"file,",
	"umount,",
	"unix,",
	"signal (receive) peer=unconfined,",
	"signal (send, receive) peer=NAME,",
	"ptrace (trace, read, tracedby, readby) peer=NAME,",
	"ptrace (readby) peer=unconfined,",
	"deny /proc/* w,",
	"deny /proc/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w,",
	"deny /proc/sys/kernel/{?,??,[^s][^h][^m]**} w,",
	"deny /proc/sysrq-trigger rwklx,",
	"deny /proc/kcore rwklx,",
	"deny /sys/[^f]*/** wklx,",
	"deny /sys/f[^s]*/** wklx,",
	"deny /sys/fs/[^c]*/** wklx,",
	"deny /sys/fs/c[^g]*/** wklx,",
	"deny /sys/fs/cg[^r]*/** wklx,",
	"deny /sys/firmware/** rwklx,",
	"deny /sys/devices/virtual/powercap/** rwklx,",
	"deny /sys/kernel/security/** rwklx,",
};

static const char *const application_rules[] = {
	"deny mount,",
	"deny /proc/sys/[^k]** w,",
};

/* What the kernel allows to who owns the user namespace; net/ is of the network namespace. */
static const char *const system_rules[] = {
	"mount,",
	"pivot_root,",
	"deny /proc/sys/[^kn]** w,",
	"deny /proc/sys/n[^e]** w,",
};

static void add_rule(struct str *to, const char *rule, const char *name)
{
	const char *place = strstr(rule, "NAME");

	if (place)
		str_addf(to, "  %.*s%s%s\n", (int)(place - rule), rule, name,
			 place + strlen("NAME"));
	else
		str_addf(to, "  %s\n", rule);
}

static void add_rules(struct str *to, const char *const *from, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		add_rule(to, from[i], name);
}

char *runtime_apparmor_text(const char *name)
{
	struct str text = { 0 };

	str_addf(&text, "profile %s flags=(attach_disconnected,mediate_deleted) {\n", name);
	add_rules(&text, rules, COUNT_OF(rules), name);
	if (str_equal(name, RUNTIME_APPARMOR_SYSTEM))
		add_rules(&text, system_rules, COUNT_OF(system_rules), name);
	else
		add_rules(&text, application_rules, COUNT_OF(application_rules), name);
	str_add(&text, "}\n");
	return str_take(&text);
}

/* ---- the kernel ---- */

bool runtime_apparmor_is_loaded(const char *name)
{
	own_clear(str_clear) struct str list = { 0 };
	own_free char *line =
		mem_format("\n%s (", name); /* "docker-default (enforce)", one a line */
	struct err ignored;

	if (fd_read_file_at(AT_FDCWD, PROFILES, PROFILES_MAX, &list, &ignored) < 0 || !list.length)
		return false;
	return str_starts(list.text, line + 1) || strstr(list.text, line);
}

static const char *find_parser(void)
{
	static const char *const paths[] = { "/usr/sbin/apparmor_parser", "/sbin/apparmor_parser" };

	for (size_t i = 0; i < COUNT_OF(paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* No cache of compiled profiles is read or written. */
_Noreturn static void exec_parser(const char *parser, int input, int output)
{
	char *const argv[] = { "apparmor_parser", "--skip-cache", "--replace", NULL };
	char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

	process_reset_signals();
	if (dup2(input, 0) >= 0 && dup2(output, 1) >= 0 && dup2(output, 2) >= 0)
		execve(parser, argv, env);
	_exit(127);
}

static int fail(const char *name, int output, int status, struct err *e)
{
	char said[OUTPUT_MAX] = "";

	if (pread(output, said, sizeof(said) - 1, 0) < 0)
		*said = '\0';
	said[strcspn(said, "\n")] = '\0';
	err_set(e, ERR_SYSTEM, "load the AppArmor profile %s: apparmor_parser exited with %d%s%s",
		name, process_exit_code(status), *said ? ": " : "", said);
	return err_hint(e, "--security-opt apparmor=unconfined does without");
}

static int load(const char *parser, const char *name, struct err *e)
{
	own_free char *text = runtime_apparmor_text(name);
	own_fd int input = memfd_create("apparmor-profile", MFD_CLOEXEC);
	own_fd int output = memfd_create("apparmor-output", MFD_CLOEXEC);

	if (input < 0 || output < 0 || fd_write_all(input, text, strlen(text)) < 0 ||
	    lseek(input, 0, SEEK_SET) < 0)
		return err_sys(e, "prepare the AppArmor profile");
	pid_t pid = runtime_clone(0, -1, NULL);
	if (pid == 0)
		exec_parser(parser, input, output);
	if (pid < 0)
		return err_number(e, -pid, "start apparmor_parser");
	int status = process_wait(pid);
	return status == 0 ? 1 : fail(name, output, status, e);
}

int runtime_apparmor_load(const char *name, struct err *e)
{
	if (!runtime_lsm_has_apparmor())
		return 0;
	if (runtime_apparmor_is_loaded(name))
		return 1;
	const char *parser = find_parser();
	/* without securityfs we are in somebody's container, which has no profiles to change */
	if (!parser || geteuid() != 0 || runtime_user_namespace_is_inner() ||
	    access(PROFILES, R_OK) < 0)
		return 0;
	return load(parser, name, e);
}
