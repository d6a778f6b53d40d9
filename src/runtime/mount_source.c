#include "runtime/mount_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/mount.h"
#include "runtime/mount_other.h"
#include "runtime/overlay.h"

bool runtime_mount_is_bind(const struct runtime_mount *m)
{
	return m->options.bind || str_equal(m->spec->type, "bind");
}

bool runtime_mount_is_overlay(const struct runtime_mount *m)
{
	return m->options.lower.count + m->options.data.count > 1;
}

/* A path of the host, or one of its layers (an O_PATH descriptor), or an overlay of several (a
 * detached mount). */
static int open_whole(const struct runtime_mount *m, const struct runtime_mount_host *host,
		      struct err *e)
{
	const struct strv *lower = &m->options.lower;
	const char *source = lower->count ? lower->items[0] : m->spec->source;

	if (runtime_mount_is_overlay(m)) {
		const struct runtime_overlay overlay = {
			.lower = *lower,
			.data = m->options.data,
			.label = host->label,
			.user = m->options.idmap ? host->user : NULL,
		};
		return runtime_overlay_mount_in_parent(&overlay, host->bundle, e);
	}
	if (str_empty(source))
		return err_set(e, ERR_INVALID, "a bind mount has no source");
	own_free char *path = *source == '/' ? mem_text(source) : path_join(host->bundle, source);
	bool nofollow = m->options.src_nofollow || m->options.copy_symlink;
	int fd = open(path, O_PATH | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0));
	return fd < 0 ? err_sys(e, "source %s", path) : fd;
}

/* copy-symlink: what the link says, which is to be made again; nothing of the host's is shown. */
static int read_link(struct runtime_mount *m, int fd, struct err *e)
{
	char target[PATH_MAX];

	ssize_t n = readlinkat(fd, "", target, sizeof(target));
	if (n < 0 || n == sizeof(target))
		return err_sys(e, "read the source as a link");
	m->link = mem_text_n(target, (size_t)n);
	return 0;
}

static int open_link(struct runtime_mount *m, const struct runtime_mount_host *host, struct err *e)
{
	struct stat st;

	own_fd int fd = open_whole(m, host, e);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at the source");
	return S_ISLNK(st.st_mode) ? read_link(m, fd, e) : 0;
}

/* A detached mount of it, or of the part of it that is asked for. */
static int open_detached(const struct runtime_mount *m, const struct runtime_mount_host *host,
			 struct err *e)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	const char *subpath = m->options.subpath;

	if (m->options.of && !str_empty(m->spec->source))
		return runtime_mount_other_open_in_parent(m->options.of, m->spec->source,
							  m->options.recursive, e);
	own_fd int whole = open_whole(m, host, e);
	if (whole < 0 || (runtime_mount_is_overlay(m) && !subpath))
		return take_fd(&whole);
	own_fd int part = subpath ? path_open(whole, subpath, O_PATH, 0, e) : -1;
	if (subpath && part < 0)
		return err_add(e, "part %s of the source", subpath);
	int fd = open_tree(part >= 0 ? part : whole, "",
			   flags | (m->options.recursive ? AT_RECURSIVE : 0));
	if (fd >= 0)
		return fd;
	err_sys(e, "clone the mount of %s", m->spec->source ? m->spec->source : "the layers");
	return runtime_mount_is_overlay(m)
		       ? err_hint(e, "a part of an image of several layers takes Linux 6.15")
		       : -e->number;
}

static int set_propagation(int fd, const struct runtime_mount_options *o)
{
	struct mount_attr attr = { .propagation = o->propagation ? o->propagation : MS_PRIVATE };
	bool all = o->propagation_all || !o->propagation;

	return mount_setattr(fd, "", AT_EMPTY_PATH | (all ? AT_RECURSIVE : 0), &attr, sizeof(attr));
}

int runtime_mount_source_open_in_parent(struct runtime_mount *m,
					const struct runtime_mount_host *host, struct err *e)
{
	struct stat st;

	if (!runtime_mount_is_bind(m) || m->options.remount)
		return 0;
	if (m->options.own.count)
		return err_set(e, ERR_INVALID, "option %s means nothing to a bind mount",
			       m->options.own.items[0]);
	int r = m->options.copy_symlink ? open_link(m, host, e) : 0;
	if (r < 0 || m->link)
		return r;
	own_fd int fd = open_detached(m, host, e);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at the source");
	if (!m->options.of && set_propagation(fd, &m->options) < 0)
		return err_sys(e, "set the propagation");
	m->is_folder = S_ISDIR(st.st_mode);
	m->source_fd = take_fd(&fd);
	return 0;
}
