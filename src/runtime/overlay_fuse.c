#include "runtime/overlay_fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/whiteout.h"
#include "runtime/clone.h"
#include "runtime/overlay.h"
#include "runtime/program.h"

#define PROGRAM "fuse-overlayfs"

enum { SAID_MAX = 4096 };

bool runtime_overlay_fuse_may(const char **ret_why)
{
	own_free char *path = runtime_program_find(PROGRAM);

	*ret_why = !path ? PROGRAM " is not here (Debian: apt install " PROGRAM ")"
		   : access("/dev/fuse", R_OK | W_OK) < 0 ? "you may not open /dev/fuse"
							  : NULL;
	return !*ret_why;
}

/* A path in an option: commas end it, colons part layers. */
static void add_path(struct str *to, const char *path)
{
	for (; *path; path++)
		str_addf(to, strchr(",:\\", *path) ? "\\%c" : "%c", *path);
}

static void add_options(struct str *to, const struct runtime_overlay *overlay)
{
	str_add(to, "allow_other,default_permissions,suid,dev,lowerdir=");
	for (size_t i = 0; i < overlay->lower.count; i++) {
		str_add(to, i ? ":" : "");
		add_path(to, overlay->lower.items[i]);
	}
	if (!overlay->upper)
		return;
	str_add(to, ",upperdir=");
	add_path(to, overlay->upper);
	str_add(to, ",workdir=");
	add_path(to, overlay->work);
}

/* In a mount namespace of its own, where it must not stay: the mount would never end. */
static int mount_in_helper(const struct runtime_overlay *overlay, const char *scratch,
			   struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 };
	own_clear(str_clear) struct str options = { 0 }, said = { 0 };
	own_free char *path = runtime_program_find(PROGRAM);

	if (!path)
		return err_set(e, ERR_UNSUPPORTED, PROGRAM " is not there");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "make all mounts private");
	add_options(&options, overlay);
	strv_add(&argv, path);
	strv_add(&argv, "-o");
	strv_add(&argv, options.text);
	strv_add(&argv, scratch);
	int r = runtime_program_run(path, &argv, 2, SAID_MAX, &said, e);
	if (r < 0)
		return r;
	if (r != 0) {
		if (said.text)
			said.text[strcspn(said.text, "\n")] = '\0';
		return err_set(e, ERR_UNSUPPORTED, PROGRAM ": %s",
			       said.text ? said.text : "it failed");
	}
	own_fd int fd = open_tree(AT_FDCWD, scratch, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "clone the mount of " PROGRAM);
	if (umount2(scratch, MNT_DETACH) < 0)
		return err_sys(e, "detach the mount of " PROGRAM);
	return take_fd(&fd);
}

/* fuse-overlayfs makes whiteouts by name; who reads the folder later is told so. */
static int mark_upper(const struct runtime_overlay *overlay, struct err *e)
{
	if (!overlay->upper)
		return 0;
	own_fd int upper = open(overlay->upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0)
		return err_sys(e, "open %s", overlay->upper);
	int r = oci_whiteout_is_by_names(upper) ? 0 : oci_whiteout_mark_by_names(upper, e);
	return r < 0 ? err_add(e, PROGRAM) : 0;
}

int runtime_overlay_fuse_mount_in_parent(const struct runtime_overlay *overlay, const char *scratch,
					 struct err *e)
{
	int r = mark_upper(overlay, e);

	if (r < 0)
		return r;
	return runtime_overlay_mount_by(mount_in_helper, overlay, scratch, e);
}
