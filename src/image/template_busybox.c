/* template_busybox.c - the smallest system: the host's own busybox, if it needs no library, and a
 * link to it for each of its commands. */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/template_make.h"

enum { HEADERS_MAX = 64 };

static const char *const folders[] = { "bin", "sbin", "dev",  "etc", "proc",
				       "run", "sys",  "root", "tmp", "var" };

static const struct {
	const char *path, *text;
} files[] = {
	{ "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n" },
	{ "etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n" },
	{ "etc/shells", "/bin/sh\n" },
	/* nothing is started but a shell for whom asks */
	{ "etc/inittab", "::askfirst:-/bin/sh\n::ctrlaltdel:/bin/reboot\n" },
};

/* elf(5): one that names no interpreter. */
static bool is_static(int fd)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(segment) ||
	    header.e_phnum > HEADERS_MAX)
		return false;
	for (int i = 0; i < header.e_phnum; i++) {
		off_t at = (off_t)(header.e_phoff + (uint64_t)i * sizeof(segment));
		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment) ||
		    segment.p_type == PT_INTERP)
			return false;
	}
	return true;
}

/* *path is the program's; the descriptor is returned. */
static int find_busybox(const char **path, struct err *e)
{
	static const char *const paths[] = { "/bin/busybox", "/usr/bin/busybox",
					     "/bin/busybox.static", "/usr/bin/busybox.static" };

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		own_fd int fd = open(paths[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && is_static(fd)) {
			*path = paths[i];
			return take_fd(&fd);
		}
	}
	err_set(e, ERR_UNSUPPORTED, "there is no busybox here that runs without libraries");
	return err_hint(e, "install it: apt-get install busybox-static");
}

static int copy_program(int root, int from, struct err *e)
{
	struct stat st;
	own_fd int to = openat(root, "bin/busybox", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

	if (to < 0 || fstat(from, &st) < 0 || fchmod(to, 0755) < 0)
		return err_sys(e, "make bin/busybox");
	while (st.st_size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)st.st_size);
		if (n <= 0)
			return err_sys(e, "copy busybox");
		st.st_size -= n;
	}
	return 0;
}

static int link_commands(const struct template *t, int root, const char *busybox, struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 }, names = { 0 };
	own_clear(str_clear) struct str list = { 0 };

	strv_add(&argv, busybox);
	strv_add(&argv, "--list");
	int r = image_template_run_text(t, &argv, &list, e);
	if (r < 0)
		return r;
	strv_split(&names, list.text ? list.text : "", '\n');
	own_fd int bin = openat(root, "bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < names.count; i++) {
		if (!path_is_name(names.items[i]) || str_equal(names.items[i], "busybox"))
			continue;
		if (symlinkat("busybox", bin, names.items[i]) < 0)
			return err_sys(e, "make the link bin/%s", names.items[i]);
	}
	if (symlinkat("../bin/busybox", root, "sbin/init") < 0)
		return err_sys(e, "make the link sbin/init");
	return 0;
}

int image_template_busybox(const struct template *t, struct err *e)
{
	const char *path = NULL;

	if (t->foreign)
		return err_set(e, ERR_UNSUPPORTED, "the host's busybox is not for %s",
			       t->architecture);
	if (t->mirror)
		return err_set(e, ERR_INVALID, "--mirror: busybox comes from this host");
	own_fd int busybox = find_busybox(&path, e);
	if (busybox < 0)
		return busybox;
	if (mkdirat(t->work_fd, TEMPLATE_ROOT, 0755) < 0)
		return err_sys(e, "make a folder in %s", t->work);
	own_fd int root = openat(t->work_fd, TEMPLATE_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open a folder in %s", t->work);
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		if (mkdirat(root, folders[i], 0755) < 0 ||
		    (str_equal(folders[i], "tmp") && fchmodat(root, "tmp", 01777, 0) < 0))
			return err_sys(e, "make the folder %s", folders[i]);
	int r = copy_program(root, busybox, e);
	if (r == 0)
		r = link_commands(t, root, path, e);
	for (size_t i = 0; r == 0 && i < COUNT_OF(files); i++)
		r = image_template_write(root, files[i].path, files[i].text, e);
	return r;
}
