/* template_run.c - tools of distributions: mmdebstrap, dnf. Each is the first process of a PID
 * namespace, so that all it started ends with it, and has a mount namespace. It ends with us. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/strv.h"
#include "image/template_make.h"

enum {
	LOCK_FD = STDERR_FILENO + 1,
	OUTPUT_TAIL = 1000, /* of what the program says, in the error */
	ANSWER_BYTES_MAX = 1 << 20,
};

struct running {
	char *const *argv;
	const struct template *t;
	int in, out, log;
	int parent; /* pidfd */
};

/* As fork(2). Without the rights for it, in the namespaces that we have. */
static pid_t fork_apart(bool *apart)
{
	long pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);

	*apart = pid >= 0;
	return pid < 0 && errno == EPERM ? fork() : (pid_t)pid;
}

static void mount_null(const struct template *t)
{
	own_free char *file = path_join(t->work, TEMPLATE_NULL);
	struct stat st;

	if (fstatat(t->work_fd, TEMPLATE_NULL, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode))
		mount("/dev/null", file, NULL, MS_BIND, NULL);
}

static void exec_in_child(const struct running *running, bool apart)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (process_ended(running->parent))
		_exit(125);
	if (apart && (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
		      mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0))
		_exit(125);
	if (apart)
		mount_null(running->t);
	process_reset_signals();
	dup2(running->in, STDIN_FILENO);
	dup2(running->out, STDOUT_FILENO);
	dup2(running->log, STDERR_FILENO);
	dup2(running->t->lock, LOCK_FD);
	/* those of mmdebstrap get low numbers: it has /bin/sh write to them, and dash knows one
	 * digit */
	close_range(LOCK_FD + 1, ~0U, 0);
	setenv("TMPDIR", running->t->work, 1);
	setenv("HOME", running->t->work, 1);
	execvp(running->argv[0], running->argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int run(const struct template *t, const struct strv *argv, const char *input, int out,
	       int log, struct err *e)
{
	own_fd int in = memfd_create("input", MFD_CLOEXEC);
	own_fd int parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
	bool apart;

	if (in < 0 || parent < 0)
		return err_sys(e, "make a file in memory");
	int r = input ? fd_write_all(in, input, strlen(input)) : 0;
	if (r < 0)
		return err_number(e, -r, "write to a file in memory");
	lseek(in, 0, SEEK_SET);
	const struct running running = { argv->items, t, in, out, log, parent };
	pid_t pid = fork_apart(&apart);
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		exec_in_child(&running, apart);
	return process_wait(pid);
}

/* The last lines of what it said, in one. */
static char *tail_of(int log)
{
	char text[OUTPUT_TAIL + 1];
	off_t end = lseek(log, 0, SEEK_END);
	ssize_t n = pread(log, text, OUTPUT_TAIL, end > OUTPUT_TAIL ? end - OUTPUT_TAIL : 0);

	text[n > 0 ? n : 0] = '\0';
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return mem_text(text);
}

static int judge(const char *program, int status, int log, struct err *e)
{
	if (status < 0)
		return err_number(e, -status, "wait for %s", program);
	int code = process_exit_code(status);
	if (code == 0)
		return 0;
	if (code == 127 && !image_template_has(program)) {
		err_set(e, ERR_UNSUPPORTED, "%s is not installed", program);
		return err_hint(e, "install it: apt-get install %s", program);
	}
	own_free char *tail = tail_of(log);
	return err_set(e, ERR_UNREACHABLE, "%s ended with status %d: %s", program, code, tail);
}

int image_template_run(const struct template *t, const struct strv *argv, const char *input,
		       const char *output, struct err *e)
{
	own_fd int log = memfd_create("log", MFD_CLOEXEC);
	own_fd int out =
		output ? openat(t->work_fd, output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
		       : dup(log);

	if (out < 0 || log < 0)
		return err_sys(e, "make a file in %s", t->work);
	int status = run(t, argv, input, out, log, e);
	return judge(argv->items[0], status, log, e);
}

int image_template_run_text(const struct template *t, const struct strv *argv, struct str *output,
			    struct err *e)
{
	own_fd int log = memfd_create("log", MFD_CLOEXEC);
	own_fd int out = memfd_create("answer", MFD_CLOEXEC);

	if (out < 0 || log < 0)
		return err_sys(e, "make a file in memory");
	int r = judge(argv->items[0], run(t, argv, NULL, out, log, e), log, e);
	if (r < 0)
		return r;
	lseek(out, 0, SEEK_SET);
	return fd_read_all(out, ANSWER_BYTES_MAX, output, e);
}
