#include "runtime/newidmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/clone.h"

#define FOLDERS "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/run/wrappers/bin"

enum { ANSWER_MAX = 4096 };

/* The path of the program, or NULL. The caller frees. */
static char *find(const char *program)
{
	own_clear(strv_clear) struct strv folders = { 0 };
	const char *path = getenv("PATH");

	strv_split(&folders, str_empty(path) ? "" : path, ':');
	strv_split(&folders, FOLDERS, ':');
	for (size_t i = 0; i < folders.count; i++) {
		own_free char *full = path_join(folders.items[i], program);
		if (*full == '/' && access(full, X_OK) == 0)
			return take_ptr(&full);
	}
	return NULL;
}

bool runtime_newidmap_is_there(void)
{
	own_free char *uid = find("newuidmap");
	own_free char *gid = find("newgidmap");

	return uid && gid;
}

static void arguments(struct strv *to, const char *program, pid_t pid,
		      const struct oci_id_mappings *maps)
{
	strv_add(to, program);
	strv_addf(to, "%d", (int)pid);
	for (size_t i = 0; i < maps->count; i++) {
		strv_addf(to, "%u", maps->items[i].container_id);
		strv_addf(to, "%u", maps->items[i].host_id);
		strv_addf(to, "%u", maps->items[i].size);
	}
}

_Noreturn static void exec_program(const char *path, const struct strv *argv, int answer)
{
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, 0);
	dup2(null, 1);
	dup2(answer, 2);
	execve(path, argv->items, environ);
	_exit(127);
}

static int explain(const char *program, const struct oci_id_mappings *maps, struct str *said,
		   struct err *e)
{
	char *text = said->text ? said->text : "";
	const char *file = strcmp(program, "newuidmap") == 0 ? "/etc/subuid" : "/etc/subgid";
	const struct oci_id_mapping *last = &maps->items[maps->count - 1];

	text[strcspn(text, "\n")] = '\0';
	err_set(e, ERR_PERMISSION, "%s", *text ? text : program);
	return err_hint(e,
			"%s must give you these ids (as USER:%u:%u), %s must be setuid root or "
			"have its file capabilities, and no_new_privs must not be set",
			file, last->host_id, last->size, program);
}

int runtime_newidmap_run(const char *program, pid_t pid, const struct oci_id_mappings *maps,
			 struct err *e)
{
	own_clear(str_clear) struct str said = { 0 };
	own_clear(strv_clear) struct strv argv = { 0 };
	own_free char *path = find(program);
	int ends[2];

	if (!path) {
		err_set(e, ERR_UNSUPPORTED, "%s is not there", program);
		return err_hint(e, "an ordinary user needs it for more than one id (Debian: apt "
				   "install uidmap)");
	}
	arguments(&argv, program, pid, maps);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int reading = ends[0];
	own_fd int writing = ends[1];
	pid_t child = runtime_clone(0, -1, NULL);
	if (child == 0)
		exec_program(path, &argv, writing);
	close(take_fd(&writing));
	if (child < 0)
		return err_number(e, -child, "start %s", path);
	fd_read_all(reading, ANSWER_MAX, &said, e);
	return process_wait(child) == 0 ? 0 : explain(program, maps, &said, e);
}
