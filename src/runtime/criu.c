#include "runtime/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/runtime_spec.h"

enum { LOG_BYTES_MAX = 64 << 20, VERSION_BYTES_MAX = 4096, NOT_FOUND = 127 };

/* ---- which criu ---- */

static int read_version(struct str *to, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execlp("criu", "criu", "--version", NULL);
		_exit(NOT_FOUND);
	}
	close(ends[1]);
	own_fd int from = ends[0];
	if (pid < 0)
		return err_sys(e, "start criu");
	int r = fd_read_all(from, VERSION_BYTES_MAX, to, e);
	int status = process_wait(pid);
	if (process_exit_code(status) == NOT_FOUND) {
		err_set(e, ERR_UNSUPPORTED, "there is no criu here");
		return err_hint(e, "install criu, version 4 or later for Linux 6.13 and later, and "
				   "later than 4.1 for network sockets since 6.16");
	}
	return r;
}

/* criu 3 does not know how the vDSO is mapped since Linux 6.13. */
int runtime_criu_check(struct err *e)
{
	own_clear(str_clear) struct str version = { 0 };
	struct utsname host;
	int major = 0, minor = 0, kernel = 0, patch = 0;

	int r = read_version(&version, e);
	if (r < 0)
		return r;
	const char *number = version.text ? strstr(version.text, "Version: ") : NULL;
	if (!number || sscanf(number, "Version: %d.%d", &major, &minor) < 1)
		return err_set(e, ERR_UNSUPPORTED, "criu does not tell its version");
	uname(&host);
	if (sscanf(host.release, "%d.%d", &kernel, &patch) == 2 &&
	    (kernel > 6 || (kernel == 6 && patch >= 13)) && major < 4)
		return err_set(e, ERR_UNSUPPORTED,
			       "criu %d.%d does not know Linux %s; version 4.0 is the first", major,
			       minor, host.release);
	return 0;
}

/* ---- its arguments ---- */

int runtime_criu_open_images(const struct runtime_criu_options *o, struct err *e)
{
	if (mkdir(o->image_path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the folder of images %s", o->image_path);
	int fd = open(o->image_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open the folder of images %s", o->image_path) : fd;
}

static void add_pair(struct strv *to, const char *name, const char *value)
{
	if (str_empty(value))
		return;
	strv_add(to, name);
	strv_add(to, value);
}

void runtime_criu_arguments(struct strv *to, const char *action,
			    const struct runtime_criu_options *o, const struct oci_spec *spec)
{
	const char *config = shape_map_get(&spec->annotations, "org.criu.config");
	const struct {
		bool on;
		const char *name;
	} switches[] = {
		{ o->tcp_established, "--tcp-established" },
		{ o->tcp_skip_in_flight, "--skip-in-flight" },
		{ o->tcp_close, "--tcp-close" },
		{ o->ext_unix_sk, "--ext-unix-sk" },
		{ o->shell_job, "--shell-job" },
		{ o->file_locks, "--file-locks" },
		{ o->link_remap, "--link-remap" },
		{ o->auto_dedup, "--auto-dedup" },
	};

	strv_add(to, "criu");
	strv_add(to, action);
	add_pair(to, "--config", config);
	add_pair(to, "--images-dir", o->image_path);
	add_pair(to, "--work-dir", o->work_path ? o->work_path : o->image_path);
	strv_addf(to, "--manage-cgroups=%s", o->manage_cgroups ? o->manage_cgroups : "soft");
	if (o->network_lock)
		add_pair(to, "--network-lock", o->network_lock);
	if (o->empty_ns)
		strv_add(to, "--empty-ns=net");
	for (size_t i = 0; i < COUNT_OF(switches); i++)
		if (switches[i].on)
			strv_add(to, switches[i].name);
	strv_add(to, "-v3");
}

/* ---- running it ---- */

static bool says_only_that_it_failed(const char *line)
{
	static const char *const words[] = { " FAILED.", " failed with -1" };
	const char *end = line + strcspn(line, "\n");

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		size_t length = strlen(words[i]);
		if ((size_t)(end - line) >= length && strncmp(end - length, words[i], length) == 0)
			return true;
	}
	return false;
}

/* The last line of the log that tells of an error, without time and place. That all has failed
 * ("Dumping FAILED.", "Dump core (pid: 7) failed with -1") is said behind the reason. */
static char *last_error(const struct runtime_criu_options *o, const char *log)
{
	const char *folder = o->work_path ? o->work_path : o->image_path;
	own_fd int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_clear(str_clear) struct str text = { 0 };
	const char *found = NULL;
	struct err e;

	if (dir < 0 || fd_read_file_at(dir, log, LOG_BYTES_MAX, &text, &e) < 0 || !text.text)
		return mem_format("see %s/%s", folder, log);
	for (const char *at = text.text; (at = strstr(at, "Error (")); at++)
		if (!found || !says_only_that_it_failed(at))
			found = at;
	if (!found)
		return mem_format("see %s/%s", folder, log);
	const char *message = strstr(found, "): ");
	message = message ? message + 3 : found;
	return mem_format("%.*s (%s/%s)", (int)strcspn(message, "\n"), message, folder, log);
}

static void keep(const struct runtime_criu_call *call)
{
	for (size_t i = 0; i < call->inherit_count; i++)
		if (call->inherit[i] >= 0)
			fcntl(call->inherit[i], F_SETFD, 0);
}

_Noreturn static void child(const struct runtime_criu_call *call, char *const argv[], int socket,
			    int errors)
{
	struct err e;

	process_reset_signals();
	if (call->prepare && call->prepare(call->context, &e) < 0) {
		(void)!write(errors, &e, sizeof(e));
		_exit(125);
	}
	keep(call);
	if (socket >= 0) {
		/* whoever asks may be ended from a terminal; criu then lets all go on */
		setsid();
		fcntl(socket, F_SETFD, 0);
	}
	execvp("criu", argv);
	_exit(NOT_FOUND);
}

int runtime_criu_start(struct runtime_criu_process *ret, const struct runtime_criu_call *call,
		       char *const argv[], int socket, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	pid_t pid = fork();
	if (pid == 0)
		child(call, argv, socket, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		err_sys(e, "start criu");
		close(ends[0]);
		return -e->number;
	}
	*ret = (struct runtime_criu_process){ .pid = pid, .errors = ends[0] };
	return 0;
}

int runtime_criu_end(struct runtime_criu_process *process, struct err *e)
{
	struct err early;

	ssize_t n = read(process->errors, &early, sizeof(early));
	close(process->errors);
	int code = process_exit_code(process_wait(process->pid));
	if (n == (ssize_t)sizeof(early)) {
		*e = early;
		return -e->number;
	}
	return code == NOT_FOUND ? err_set(e, ERR_UNSUPPORTED, "there is no criu here") : code;
}

int runtime_criu_explain(const struct runtime_criu_call *call, struct err *e)
{
	own_free char *why = last_error(call->options, call->log);

	err_set(e, ERR_SYSTEM, "criu %s failed: %s", call->arguments->items[1], why);
	/* SO_PASSCRED and SO_PASSSEC; net/core/sock.c, Linux 6.16 */
	if (strstr(why, "Can't get 1:16") || strstr(why, "Can't get 1:34"))
		return err_hint(e, "criu 4.1 and earlier cannot store sockets of the network on "
				   "Linux 6.16 and later; a newer criu can");
	return -e->number;
}

int runtime_criu_run(const struct runtime_criu_call *call, struct err *e)
{
	struct runtime_criu_process process;

	int r = runtime_criu_start(&process, call, call->arguments->items, -1, e);
	if (r == 0)
		r = runtime_criu_end(&process, e);
	return r > 0 ? runtime_criu_explain(call, e) : r;
}
