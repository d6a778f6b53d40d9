/* template.c - mmdebstrap writes a tar into a nameless file of the store, and only when it has
 * ended well that becomes an image: what a killed one leaves is gone with its process. */
#include "image/template.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "image/apt_sources.h"
#include "image/import.h"
#include "image/report.h"
#include "oci/image.h"
#include "storage/index.h"
#include "storage/store.h"

enum {
	SOURCES_BYTES_MAX = 1 << 20, /* of one file of /etc/apt */
	OUTPUT_TAIL = 1000,          /* of what mmdebstrap says, in the error */
};

static void add_file(struct image_apt_sources *to, int dir_fd, const char *name)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	if (fd_read_file_at(dir_fd, name, SOURCES_BYTES_MAX, &text, &ignored) < 0 || !text.length)
		return;
	if (str_ends(name, ".sources"))
		image_apt_sources_add_deb822(to, text.text);
	else if (str_ends(name, ".list"))
		image_apt_sources_add_list(to, text.text);
}

static void read_sources(struct image_apt_sources *to)
{
	own_fd int apt = open("/etc/apt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = opendir("/etc/apt/sources.list.d");

	if (apt >= 0)
		add_file(to, apt, "sources.list");
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		add_file(to, dirfd(dir), entry->d_name);
}

/* In the child: mmdebstrap and what it starts write to out and log, and end with us. */
static void exec_mmdebstrap(char *const *argv, int in, int out, int log, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(125);
	signal(SIGPIPE, SIG_DFL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int run(const struct strv *argv, const char *input, int out, int log, struct err *e)
{
	own_fd int in = memfd_create("sources", MFD_CLOEXEC);

	if (in < 0)
		return err_sys(e, "make a file in memory");
	int r = fd_write_all(in, input, strlen(input));
	if (r < 0)
		return err_number(e, -r, "write to a file in memory");
	lseek(in, 0, SEEK_SET);
	pid_t self = getpid();
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		exec_mmdebstrap(argv->items, in, out, log, self);
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

static int judge(int status, int log, struct err *e)
{
	if (status < 0)
		return status;
	int code = process_exit_code(status);
	if (code == 0)
		return 0;
	if (code == 127) {
		err_set(e, ERR_UNSUPPORTED, "mmdebstrap is not installed");
		return err_hint(e, "install it: apt-get install mmdebstrap");
	}
	own_free char *tail = tail_of(log);
	return err_set(e, ERR_UNREACHABLE, "mmdebstrap ended with status %d: %s", code, tail);
}

/* An init, and what a person who logs in needs before there is a network to get more by. */
#define SYSTEM_PACKAGES "systemd-sysv,dbus,libpam-systemd,login,passwd,iproute2,procps"

struct template
{
	char *distribution;
	char *suite;
	bool system;
};

static void template_clear(struct template *t)
{
	free(t->distribution);
	free(t->suite);
}

/* "debian/bookworm" or "debian/bookworm/system"; source.c has checked it. */
static void read_name(struct template *to, const char *name)
{
	const char *suite = strchr(name, '/') + 1;
	size_t length = strcspn(suite, "/");

	to->distribution = mem_text_n(name, (size_t)(suite - 1 - name));
	to->suite = mem_text_n(suite, length);
	to->system = suite[length] == '/';
}

/* The tar of the root filesystem: a nameless file in the store. Returns the descriptor. */
static int make_tar(const struct store *store, const struct template *t, const char *sources,
		    struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 };
	own_fd int out = openat(store->root_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	own_fd int log = memfd_create("log", MFD_CLOEXEC);

	if (out < 0 || log < 0)
		return err_sys(e, "make a file in %s", store->root);
	strv_add(&argv, "mmdebstrap");
	strv_add(&argv, "--variant=minbase");
	strv_add(&argv, "--format=tar");
	strv_add(&argv, geteuid() == 0 ? "--mode=root" : "--mode=auto");
	if (t->system) {
		strv_add(&argv, "--include=" SYSTEM_PACKAGES);
		/* the host's, which mmdebstrap leaves in it */
		strv_add(&argv,
			 "--customize-hook=rm -f \"$1/etc/hostname\" \"$1/etc/resolv.conf\"");
	}
	strv_add(&argv, t->suite);
	strv_add(&argv, "-"); /* the tar to stdout */
	strv_add(&argv, "-"); /* the sources from stdin */
	int status = run(&argv, sources, out, log, e);
	int r = judge(status, log, e);
	if (r < 0)
		return r;
	if (lseek(out, 0, SEEK_SET) < 0)
		return err_sys(e, "rewind a file");
	return take_fd(&out);
}

static int import_tar(const struct store *store, struct image_report *report, int tar,
		      const char *reference, bool system, struct err *e)
{
	struct oci_image_process process = { 0 };
	own_free char *comment = mem_format("Made by mmdebstrap: %s", reference);
	struct image_import import = {
		.store = store,
		.report = report,
		.path = "-",
		.reference = reference,
		.comment = comment,
		.process = &process,
	};

	if (dup2(tar, STDIN_FILENO) < 0)
		return err_sys(e, "hand on a file");
	strv_add(&process.cmd, system ? "/sbin/init" : "bash");
	strv_add(&process.env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	int r = image_import(&import, e);
	strv_clear(&process.cmd);
	strv_clear(&process.env);
	return r;
}

/* The digest of the manifest that has this name now; NULL: none. The caller frees. */
static char *known_digest(const struct store *store, const char *reference)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	struct err ignored;

	if (storage_index_read(&index, store, &ignored) < 0)
		return NULL;
	const struct storage_entry *entry = storage_index_find(&index, reference);
	return entry ? mem_text(entry->digest) : NULL;
}

static bool report_existing(const struct store *store, struct image_report *report,
			    const char *reference)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	struct err ignored;

	if (storage_index_read(&index, store, &ignored) < 0)
		return false;
	const struct storage_entry *entry = storage_index_find(&index, reference);
	if (!entry)
		return false;
	image_report_image(report, entry->id, reference, IMAGE_STATE_EXISTS);
	return true;
}

static int make(const struct store *store, struct image_report *report, const char *name,
		const char *reference, struct err *e)
{
	own_clear(image_apt_sources_clear) struct image_apt_sources sources = { 0 };
	own_clear(template_clear) struct template t = { 0 };

	read_name(&t, name);
	read_sources(&sources);
	own_free char *lines = image_apt_sources_for(&sources, t.distribution, t.suite);
	if (!lines) {
		err_set(e, ERR_INVALID, "no template for the distribution \"%s\"", t.distribution);
		return err_hint(e, "debian/SUITE and ubuntu/SUITE are known");
	}
	image_report_note(report, "Making %s by mmdebstrap, which takes a minute", reference);
	own_fd int tar = make_tar(store, &t, lines, e);
	return tar < 0 ? tar : import_tar(store, report, tar, reference, t.system, e);
}

int image_template(const struct store *store, struct image_report *report, const char *name,
		   struct err *e)
{
	own_free char *reference = mem_format("template:%s", name);
	own_free char *before = known_digest(store, reference);
	own_fd int lock =
		openat(store->run_fd, "template.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_sys(e, "lock %s/template.lock", store->run);
	/* Somebody made it while we waited. */
	own_free char *now = known_digest(store, reference);
	if (now && !str_equal(now, before) && report_existing(store, report, reference))
		return 0;
	int r = make(store, report, name, reference, e);
	return r < 0 ? err_add(e, "%s", reference) : 0;
}
