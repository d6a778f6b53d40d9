#include "storage/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/id_map.h"
#include "oci/whiteout.h"
#include "storage/unpack.h"

enum {
	COPY_BYTES = 256 << 10,
	OUT_BYTES = 64 << 10, /* what the sink gets at once */
	XATTR_BYTES_MAX = 65536,
};

struct pack {
	bool by_names; /* whiteouts are (oci/whiteout.h) */
	const struct pack_options *options;
	const struct byte_sink *sink;
	struct archive *archive;
	struct archive_entry_linkresolver *links;
	dev_t device;
	char *buffer;
	struct err sink_error;
	bool sink_failed;
};

/* One thing to pack: where it is, and what it is called in the archive. */
struct thing {
	int dir_fd;
	const char *name; /* in dir_fd; "." is the root itself */
	const char *path; /* "usr/bin/x"; "." is the root */
	unsigned depth;
	struct stat st;
};

static int pack_folder(struct pack *p, const struct thing *folder, struct err *e);

/* ---- libarchive ---- */

/* It never fails to libarchive, which then would not free its buffer (3.6): who calls libarchive
 * looks at sink_failed. */
static la_ssize_t write_block(struct archive *archive, void *context, const void *block, size_t n)
{
	struct pack *p = context;

	(void)archive;
	if (!p->sink_failed && p->sink->write(p->sink->context, block, n, &p->sink_error) < 0)
		p->sink_failed = true;
	return (la_ssize_t)n;
}

static int archive_failed(const struct pack *p, struct err *e)
{
	if (p->sink_failed) {
		*e = p->sink_error;
		return -e->number;
	}
	const char *text = archive_error_string(p->archive);
	return err_set(e, ERR_SYSTEM, "write tar: %.200s", text ? text : "unknown");
}

static int open_archive(struct pack *p, struct err *e)
{
	p->archive = archive_write_new();
	p->links = archive_entry_linkresolver_new();
	if (!p->archive || !p->links)
		return err_set(e, ERR_INTERNAL, "out of memory");
	archive_entry_linkresolver_set_strategy(p->links, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE);
	archive_write_set_format_pax(p->archive);
	archive_write_set_format_option(p->archive, "pax", "xattrheader", "SCHILY");
	archive_write_set_bytes_per_block(p->archive, OUT_BYTES);
	archive_write_set_bytes_in_last_block(p->archive, 1);
	if (archive_write_open(p->archive, p, NULL, write_block, NULL) != ARCHIVE_OK)
		return archive_failed(p, e);
	return 0;
}

/* ---- one entry ---- */

static bool xattr_packed(const char *name)
{
	if (strcmp(name, "security.capability") == 0)
		return true;
	return str_starts(name, "user.") && !str_starts(name, "user.overlay.") &&
	       !str_starts(name, "user.fuseoverlayfs.");
}

static void add_xattr(struct archive_entry *entry, int fd, const char *name)
{
	char value[XATTR_BYTES_MAX];

	ssize_t n = fgetxattr(fd, name, value, sizeof(value));
	if (n >= 0)
		archive_entry_xattr_add_entry(entry, name, value, (size_t)n);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_xattrs(struct archive_entry *entry, int fd)
{
	own_free char *list = mem_new(1, XATTR_BYTES_MAX);
	own_clear(strv_clear) struct strv names = { 0 };

	ssize_t n = flistxattr(fd, list, XATTR_BYTES_MAX);
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(list + at) + 1)
		if (xattr_packed(list + at))
			strv_add(&names, list + at);
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), by_name);
	for (size_t i = 0; i < names.count; i++)
		add_xattr(entry, fd, names.items[i]);
}

/* Before 1970 a fraction counts backwards in a pax header (see unpack.c), and forwards in a
 * timespec. What is less than a second before 1970 cannot be said, and becomes that second. */
static void set_mtime(struct archive_entry *entry, const struct timespec *t)
{
	bool before = t->tv_sec < 0 && t->tv_nsec > 0;

	if (before && t->tv_sec < -1)
		archive_entry_set_mtime(entry, t->tv_sec + 1, 1000000000 - t->tv_nsec);
	else
		archive_entry_set_mtime(entry, t->tv_sec, before ? 0 : t->tv_nsec);
}

static void describe(const struct pack *p, struct archive_entry *entry, const struct thing *t)
{
	uid_t uid = t->st.st_uid;
	gid_t gid = t->st.st_gid;

	if (p->options->ids)
		oci_id_map_owner_to_container(p->options->ids, &uid, &gid);
	archive_entry_copy_pathname(entry, t->path);
	archive_entry_set_mode(entry, t->st.st_mode);
	archive_entry_set_uid(entry, (la_int64_t)uid);
	archive_entry_set_gid(entry, (la_int64_t)gid);
	archive_entry_set_dev(entry, t->st.st_dev);
	archive_entry_set_ino(entry, (la_int64_t)t->st.st_ino);
	archive_entry_set_nlink(entry, (unsigned)t->st.st_nlink);
	if (p->options->time_s)
		archive_entry_set_mtime(entry, *p->options->time_s, 0);
	else
		set_mtime(entry, &t->st.st_mtim);
	if (S_ISREG(t->st.st_mode))
		archive_entry_set_size(entry, t->st.st_size);
	else
		archive_entry_set_size(entry, 0);
	if (S_ISCHR(t->st.st_mode) || S_ISBLK(t->st.st_mode))
		archive_entry_set_rdev(entry, t->st.st_rdev);
}

static int write_header(struct pack *p, struct archive_entry *entry, struct err *e)
{
	int r = archive_write_header(p->archive, entry);
	bool fine = (r == ARCHIVE_OK || r == ARCHIVE_WARN) && !p->sink_failed;
	return fine ? 0 : archive_failed(p, e);
}

/* Exactly the bytes that were announced: a file that shrinks meanwhile ends in zeros, one that
 * grows is cut. */
static int write_data(struct pack *p, int fd, int64_t size, struct err *e)
{
	bool ended = false;

	for (int64_t at = 0; at < size;) {
		size_t want = size - at < COPY_BYTES ? (size_t)(size - at) : COPY_BYTES;
		ssize_t n = ended ? 0 : pread(fd, p->buffer, want, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0) {
			ended = true;
			memset(p->buffer, 0, want);
			n = (ssize_t)want;
		}
		if (archive_write_data(p->archive, p->buffer, (size_t)n) != n || p->sink_failed)
			return archive_failed(p, e);
		at += n;
	}
	return 0;
}

/* Of a folder that was renamed with redirect_dir, or a file changed with metacopy, the rest is in a
 * layer below (overlayfs(5)); holm mounts without both. */
static int check_whole(const struct pack *p, int fd, struct err *e)
{
	static const char *const names[] = {
		"trusted.overlay.redirect",
		"user.overlay.redirect",
		"trusted.overlay.metacopy",
		"user.overlay.metacopy",
	};

	for (size_t i = 0; p->options->whiteouts && i < COUNT_OF(names); i++)
		if (fgetxattr(fd, names[i], NULL, 0) >= 0)
			return err_set(e, ERR_UNSUPPORTED, "it has %s: a part of it alone",
				       names[i]);
	return 0;
}

static int pack_file(struct pack *p, struct thing *t, struct archive_entry *entry, struct err *e)
{
	struct archive_entry *spare = NULL;
	struct stat st;

	own_fd int fd = openat(t->dir_fd, t->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open it");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_STATE, "it changed while it was read");
	if (check_whole(p, fd, e) < 0)
		return -e->number;
	t->st = st;
	describe(p, entry, t);
	add_xattrs(entry, fd);
	/* a second name of one file becomes a hard link, with no data */
	archive_entry_linkify(p->links, &entry, &spare);
	int r = write_header(p, entry, e);
	if (r < 0 || archive_entry_hardlink(entry))
		return r;
	return write_data(p, fd, st.st_size, e);
}

static int pack_symlink(struct pack *p, const struct thing *t, struct archive_entry *entry,
			struct err *e)
{
	struct archive_entry *spare = NULL;
	char target[UNPACK_PATH_MAX + 1];

	ssize_t n = readlinkat(t->dir_fd, t->name, target, sizeof(target) - 1);
	if (n < 0)
		return err_sys(e, "read the link");
	target[n] = '\0';
	archive_entry_copy_symlink(entry, target);
	archive_entry_linkify(p->links, &entry, &spare);
	return write_header(p, entry, e);
}

/* An empty file with a name that says what lower layers lose here. It has no owner or time worth
 * keeping, and the same ones always make the same bytes. */
static int pack_whiteout(struct pack *p, const char *path, struct err *e)
{
	struct archive_entry *entry = archive_entry_new();
	struct thing marker = { .path = path, .st = { .st_mode = S_IFREG, .st_nlink = 1 } };

	describe(p, entry, &marker);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	int r = write_header(p, entry, e);
	archive_entry_free(entry);
	return r;
}

static char *whiteout_path(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_format(OCI_WHITEOUT_PREFIX "%s", path);
	return mem_format("%.*s/" OCI_WHITEOUT_PREFIX "%s", (int)(slash - path), path, slash + 1);
}

static int enter_folder(struct pack *p, const struct thing *t, struct archive_entry *entry,
			struct err *e)
{
	bool root = t->depth == 0;

	own_fd int fd = openat(t->dir_fd, t->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open it");
	int r = check_whole(p, fd, e);
	if (r < 0)
		return r;
	add_xattrs(entry, fd);
	if (!root || !p->options->without_root)
		r = write_header(p, entry, e);
	if (r == 0 && p->options->whiteouts && oci_whiteout_is_opaque(fd, p->by_names)) {
		own_free char *path = strcmp(t->path, ".") == 0
					      ? mem_text(OCI_WHITEOUT_OPAQUE)
					      : mem_format("%s/" OCI_WHITEOUT_OPAQUE, t->path);
		r = pack_whiteout(p, path, e);
	}
	bool other = t->st.st_dev != p->device;
	if (r < 0 || (other && p->options->one_filesystem) ||
	    (other && p->options->no_kernel && fd_is_of_kernel(fd)))
		return r;
	struct thing inside = *t;
	inside.dir_fd = fd;
	return pack_folder(p, &inside, e);
}

static int pack_kind(struct pack *p, struct thing *t, struct archive_entry *entry, struct err *e)
{
	switch (t->st.st_mode & S_IFMT) {
	case S_IFREG:
		return pack_file(p, t, entry, e);
	case S_IFDIR:
		return enter_folder(p, t, entry, e);
	case S_IFLNK:
		return pack_symlink(p, t, entry, e);
	case S_IFSOCK:
		return 0;
	default:
		return write_header(p, entry, e);
	}
}

static bool is_left_out(const struct pack *p, const char *path)
{
	for (const char *const *name = p->options->left_out; name && *name; name++)
		if (strcmp(*name, path) == 0)
			return true;
	return false;
}

static int pack_thing(struct pack *p, struct thing *t, struct err *e)
{
	if (is_left_out(p, t->path))
		return 0;
	if (fstatat(t->dir_fd, t->name, &t->st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "stat it");
	if (p->options->whiteouts && oci_whiteout_is_device(&t->st)) {
		own_free char *path = whiteout_path(t->path);
		return pack_whiteout(p, path, e);
	}
	/* of a folder that is opaque that was said before */
	if (p->by_names && str_equal(t->name, OCI_WHITEOUT_OPAQUE))
		return 0;
	if (p->by_names && oci_whiteout_hidden(t->name))
		return pack_whiteout(p, t->path, e);
	if (str_starts(t->name, OCI_WHITEOUT_PREFIX) && !p->options->plain_names)
		return err_set(e, ERR_UNSUPPORTED, "its name would be taken for a whiteout");
	struct archive_entry *entry = archive_entry_new();
	describe(p, entry, t);
	int r = pack_kind(p, t, entry, e);
	archive_entry_free(entry);
	/* removed since its name was read, in a tree that is in use */
	bool gone = r == -ENOENT && !p->sink_failed &&
		    faccessat(t->dir_fd, t->name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	return gone ? 0 : r;
}

/* ---- folders ---- */

static int read_names(int dir_fd, struct strv *names, struct err *e)
{
	const struct dirent *entry;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return err_sys(e, "read a folder");
	errno = 0;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(names, entry->d_name);
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), by_name);
	return 0;
}

static int pack_folder(struct pack *p, const struct thing *folder, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	bool root = strcmp(folder->path, ".") == 0;

	if (folder->depth > UNPACK_DEPTH_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more than %d folders deep", UNPACK_DEPTH_MAX);
	int r = read_names(folder->dir_fd, &names, e);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		own_free char *path = root ? mem_text(names.items[i])
					   : mem_format("%s/%s", folder->path, names.items[i]);
		struct thing t = { folder->dir_fd, names.items[i], path, folder->depth + 1 };
		bool deeper = folder->depth > 0;
		r = pack_thing(p, &t, e);
		/* the whole path is named once, by the topmost folder */
		if (r < 0 && !p->sink_failed && !deeper)
			err_add(e, "pack %.200s", names.items[i]);
	}
	return r;
}

static int pack_root(struct pack *p, int folder_fd, struct err *e)
{
	const char *name = p->options->entry ? p->options->entry : ".";
	struct thing root = { .dir_fd = folder_fd, .name = name, .path = "." };
	struct archive_entry *entry = archive_entry_new();

	if (p->options->name)
		root.path = p->options->name;
	int r = fstatat(folder_fd, name, &root.st, AT_SYMLINK_NOFOLLOW) < 0
			? err_sys(e, "stat %s", name)
			: 0;
	if (r == 0) {
		p->device = root.st.st_dev;
		describe(p, entry, &root);
		r = pack_kind(p, &root, entry, e);
	}
	archive_entry_free(entry);
	return r;
}

static int pack_all(struct pack *p, int folder_fd, struct err *e)
{
	int r = open_archive(p, e);
	if (r == 0)
		r = pack_root(p, folder_fd, e);
	if (r == 0 && (archive_write_close(p->archive) != ARCHIVE_OK || p->sink_failed))
		r = archive_failed(p, e);
	return r;
}

int storage_pack(int folder_fd, const struct pack_options *options, const struct byte_sink *sink,
		 struct err *e)
{
	struct pack p = { .options = options, .sink = sink, .buffer = mem_new(1, COPY_BYTES) };
	/* libarchive writes names that are no UTF-8 as bytes, if the locale is UTF-8 */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;

	p.by_names = options->whiteouts && oci_whiteout_is_by_names(folder_fd);
	int r = pack_all(&p, folder_fd, e);
	/* free writes the end of the archive: of a failed one to nowhere */
	p.sink_failed = p.sink_failed || r < 0;
	if (p.archive)
		archive_write_free(p.archive);
	if (p.links)
		archive_entry_linkresolver_free(p.links);
	free(p.buffer);
	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	return r;
}
