#include "storage/squash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/whiteout.h"

enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* overlayfs(5); the second where the first needs rights that the caller has not. */
static const char *const opaque_names[] = { "trusted.overlay.opaque", "user.overlay.opaque" };

struct squash {
	const struct squash_options *options;
	struct copy_options attributes;
	struct str path; /* of the folder at hand, as "/usr/bin" */
	bool by_names;   /* whiteouts are */
	unsigned depth;
};

static void squash_clear(struct squash *squash)
{
	str_clear(&squash->path);
}

static int make_opaque(int folder_fd)
{
	for (size_t i = 0; i < COUNT_OF(opaque_names); i++)
		if (fsetxattr(folder_fd, opaque_names[i], "y", 1, 0) == 0)
			return 0;
	return -errno;
}

/* Is there a name that hides this one? It goes. */
static bool show(const struct squash *squash, int to_dir, const char *name)
{
	own_free char *whiteout = mem_format(OCI_WHITEOUT_PREFIX "%s", name);

	return squash->by_names && unlinkat(to_dir, whiteout, 0) == 0;
}

static int add_folder(struct squash *squash, int to_fd, int layer_fd, struct err *e);

/* A folder over something else, over nothing, or over a folder. What is neither is hidden by it,
 * and with it what lies further below. */
static int merge_folder(struct squash *squash, int to_dir, int layer_dir, const char *name,
			struct err *e)
{
	struct stat there;

	own_fd int layer = path_try_open(layer_dir, name, FOLDER_FLAGS, 0);
	if (layer < 0)
		return err_number(e, -layer, "%s", name);
	bool found = fstatat(to_dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0;
	bool was_hidden = show(squash, to_dir, name);
	bool hides = was_hidden || oci_whiteout_is_opaque(layer, squash->by_names) ||
		     (found && !S_ISDIR(there.st_mode));
	int r = found && hides ? fd_remove_tree_at(to_dir, name, e) : 0;
	if (r < 0)
		return r;
	if (mkdirat(to_dir, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", name);
	own_fd int to = path_try_open(to_dir, name, FOLDER_FLAGS, 0);
	if (to < 0)
		return err_number(e, -to, "%s", name);
	bool opaque = hides || oci_whiteout_is_opaque(to, squash->by_names);
	size_t length = squash->path.length;
	str_addf(&squash->path, "/%s", name);
	r = add_folder(squash, to, layer, e);
	squash->path.length = length;
	squash->path.text[length] = '\0';
	if (r == 0)
		r = copy_attributes_of(layer, to, &squash->attributes, e);
	if (r == 0 && opaque && !squash->options->lowest) {
		r = make_opaque(to);
		r = r < 0 ? err_number(e, -r, "mark %s as opaque", name) : 0;
	}
	return r;
}

static int add_file(struct squash *squash, int to_dir, int layer_dir, const char *name,
		    const struct stat *st, struct err *e)
{
	int r = fd_remove_tree_at(to_dir, name, e);
	if (r < 0)
		return r;
	show(squash, to_dir, name);
	if (oci_whiteout_is_device(st) && squash->options->lowest)
		return 0;
	if (squash->options->copy && !oci_whiteout_is_device(st)) {
		struct copy_options copy = *squash->options->copy;
		copy.redirect = squash->options->redirect ? squash->path.text : NULL;
		return copy_tree_at(layer_dir, name, to_dir, name, &copy, e);
	}
	if (linkat(layer_dir, name, to_dir, name, 0) == 0)
		return 0;
	/* a file may have so many names and no more */
	return errno == EMLINK || errno == EXDEV
		       ? copy_tree_at(layer_dir, name, to_dir, name, &squash->attributes, e)
		       : err_sys(e, "link %s", name);
}

/* The folder is opaque by its attribute here. */
static int add_hiding(struct squash *squash, int to_dir, int layer_dir, const char *name,
		      const struct stat *st, struct err *e)
{
	if (str_equal(name, OCI_WHITEOUT_OPAQUE))
		return 0;
	int r = fd_remove_tree_at(to_dir, oci_whiteout_hidden(name), e);
	return r < 0 || squash->options->lowest ? r
						: add_file(squash, to_dir, layer_dir, name, st, e);
}

static int add_entry(struct squash *squash, int to_dir, int layer_dir, const char *name,
		     struct err *e)
{
	struct stat st;

	if (fstatat(layer_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "look at %s", name);
	if (squash->by_names && oci_whiteout_hidden(name))
		return add_hiding(squash, to_dir, layer_dir, name, &st, e);
	int r = S_ISDIR(st.st_mode) ? merge_folder(squash, to_dir, layer_dir, name, e)
				    : add_file(squash, to_dir, layer_dir, name, &st, e);
	return r;
}

static int add_folder(struct squash *squash, int to_fd, int layer_fd, struct err *e)
{
	int reading = openat(layer_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = reading < 0 ? NULL : fdopendir(reading);
	int r = 0;

	if (!dir)
		return err_sys(e, "read a layer");
	if (++squash->depth > COPY_DEPTH_MAX / 2)
		return err_set(e, ERR_UNSUPPORTED, "more than %d folders deep", COPY_DEPTH_MAX / 2);
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = add_entry(squash, to_fd, layer_fd, entry->d_name, e);
	squash->depth--;
	return r;
}

int storage_squash_add(int to_fd, int layer_fd, const struct squash_options *options, struct err *e)
{
	own_clear(squash_clear) struct squash squash = { .options = options };

	if (options->copy)
		squash.attributes = *options->copy;
	squash.attributes.all_attributes = true;
	squash.attributes.opaque = false; /* said here */
	str_add(&squash.path, "");
	squash.by_names = oci_whiteout_is_by_names(layer_fd) || oci_whiteout_is_by_names(to_fd);
	int r = add_folder(&squash, to_fd, layer_fd, e);
	if (r == 0)
		r = copy_attributes_of(layer_fd, to_fd, &squash.attributes, e);
	return r < 0 || !squash.by_names || options->lowest ? r
							    : oci_whiteout_mark_by_names(to_fd, e);
}
