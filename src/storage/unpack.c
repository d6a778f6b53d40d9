/* The tar side: reads entries, checks names and limits, decides what each entry means; the disk
 * side is unpack_disk.c. */
#include "storage/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/user_ids.h"
#include "oci/id_map.h"
#include "storage/unpack_disk.h"
#include "storage/unpack_name.h"

struct unpack {
	struct unpack_disk *disk;
	const struct byte_source *source;
	struct archive *archive;
	struct unpack_limits limits;
	bool disk_is_limit; /* bytes_max comes from what is free */
	struct unpack_result *result;
	const char *path;             /* of unpack_into, below the root; NULL: this is a layer */
	const struct oci_id_map *ids; /* and whose owners these are */
	struct err source_error;
	bool source_failed;
};

/* ---- libarchive ---- */

static la_ssize_t read_block(struct archive *archive, void *context, const void **block)
{
	struct unpack *u = context;

	ssize_t n = u->source->next(u->source->context, block, &u->source_error);
	if (n >= 0)
		return n;
	u->source_failed = true;
	archive_set_error(archive, EIO, "the source failed");
	return ARCHIVE_FATAL;
}

static int archive_failed(const struct unpack *u, struct err *e)
{
	if (u->source_failed) {
		*e = u->source_error;
		return -e->number;
	}
	const char *text = archive_error_string(u->archive);
	return err_set(e, ERR_CORRUPT, "not a sound tar archive: %.200s", text ? text : "unknown");
}

static int open_archive(struct unpack *u, struct err *e)
{
	u->archive = archive_read_new();
	if (!u->archive)
		return err_set(e, ERR_INTERNAL, "out of memory");
	archive_read_support_format_tar(u->archive);
	archive_read_support_format_empty(u->archive);
	if (archive_read_open(u->archive, u, NULL, read_block, NULL) != ARCHIVE_OK)
		return archive_failed(u, e);
	return 0;
}

/* ---- limits ---- */

static void set_limits(struct unpack *u, int fs_fd, const struct unpack_limits *limits)
{
	struct statvfs fs;

	if (limits)
		u->limits = *limits;
	if (!u->limits.entries_max)
		u->limits.entries_max = UNPACK_ENTRIES_MAX;
	if (!u->limits.bytes_max)
		u->limits.bytes_max = UNPACK_BYTES_MAX;
	if (fstatvfs(fs_fd, &fs) < 0)
		return;
	uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize;
	left = left > UNPACK_RESERVE ? left - UNPACK_RESERVE : left / 2;
	if (left < u->limits.bytes_max) {
		u->limits.bytes_max = left;
		u->disk_is_limit = true;
	}
}

static int count_bytes(struct unpack *u, uint64_t more, struct err *e)
{
	if (more <= u->limits.bytes_max - u->result->size) {
		u->result->size += more;
		return 0;
	}
	if (u->disk_is_limit)
		return err_number(e, ENOSPC, "the layer has more than %llu MiB of files",
				  (unsigned long long)(u->limits.bytes_max >> 20));
	err_set(e, ERR_CORRUPT, "the layer has more than %llu MiB of files",
		(unsigned long long)(u->limits.bytes_max >> 20));
	return err_hint(e, "set HOLM_LAYER_MAX higher, as in 100g, if you trust this image");
}

static int count_entry(struct unpack *u, struct err *e)
{
	if (++u->result->entries <= u->limits.entries_max)
		return 0;
	return err_set(e, ERR_CORRUPT, "the layer has more than %llu entries",
		       (unsigned long long)u->limits.entries_max);
}

/* ---- one entry ---- */

/* "-1.5" in a pax header is a second and a half before 1970 (POSIX pax, "Pax Header Block"); as
 * libarchive tells the sign of the seconds alone, it arrives as -1 s and 500000000 ns. */
static struct timespec take_mtime(struct archive_entry *entry)
{
	struct timespec t = { archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) };

	if (t.tv_nsec < 0 || t.tv_nsec > 999999999)
		t.tv_nsec = 0;
	if (t.tv_sec < 0 && t.tv_nsec > 0 && t.tv_sec > INT64_MIN) {
		t.tv_sec--;
		t.tv_nsec = 1000000000 - t.tv_nsec;
	}
	return t;
}

static int take_attributes(const struct unpack *u, struct unpack_node *node,
			   struct archive_entry *entry, struct err *e)
{
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	/* 4294967295 is -1 to chown(2): "leave alone" */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_set(e, ERR_CORRUPT, "owner %lld:%lld", (long long)uid, (long long)gid);
	node->uid = (uid_t)uid;
	node->gid = (gid_t)gid;
	if (u->ids)
		oci_id_map_owner_to_host(u->ids, &node->uid, &node->gid);
	node->mode = archive_entry_mode(entry) & 07777;
	node->mtime = take_mtime(entry);
	return 0;
}

/* security.capability and user.*; an image that could set trusted.overlay.* or user.overlay.*
 * would decide where overlayfs looks. */
static bool xattr_allowed(const char *name)
{
	if (strcmp(name, "security.capability") == 0)
		return true;
	return str_starts(name, "user.") && !str_starts(name, "user.overlay.");
}

/* A key of a pax header cannot have "=" in it: GNU tar writes "%3D", and "%25" for "%"; libarchive,
 * which packs for holm, all that is not printable as well. */
static char *decode_xattr_name(const char *name)
{
	struct str s = { 0 };

	while (*name) {
		int high = *name == '%' ? number_hex_digit(name[1]) : -1;
		int low = high >= 0 ? number_hex_digit(name[2]) : -1;
		int value = low >= 0 ? high * 16 + low : 0;
		str_add_char(&s, value ? (char)value : *name);
		name += value ? 3 : 1;
	}
	return str_take(&s);
}

/* names gives the node's names room to be in. */
static int add_xattrs(struct unpack_node *node, struct archive_entry *entry, struct strv *names,
		      struct err *e)
{
	const char *encoded;
	const void *value;
	size_t size;

	if (archive_entry_xattr_reset(entry) > UNPACK_XATTRS_MAX)
		return err_set(e, ERR_CORRUPT, "more than %d extended attributes",
			       UNPACK_XATTRS_MAX);
	while (archive_entry_xattr_next(entry, &encoded, &value, &size) == ARCHIVE_OK) {
		if (str_empty(encoded))
			continue;
		strv_add_take(names, decode_xattr_name(encoded));
		const char *name = names->items[names->count - 1];
		if (!xattr_allowed(name))
			continue;
		if (strlen(name) > 255 || size > 65536)
			return err_set(e, ERR_CORRUPT, "extended attribute %.60s is too long",
				       name);
		node->xattrs[node->xattrs_count++] = (struct unpack_xattr){ name, value, size };
	}
	return 0;
}

static int copy_data(struct unpack *u, int fd, int64_t apparent, struct err *e)
{
	const void *block;
	size_t length;
	int64_t at = 0, offset;
	int r;

	if (apparent < 0 || apparent > UNPACK_APPARENT_MAX)
		return err_set(e, ERR_CORRUPT, "a size of %lld bytes", (long long)apparent);
	while ((r = archive_read_data_block(u->archive, &block, &length, &offset)) == ARCHIVE_OK) {
		if (count_bytes(u, length, e) < 0)
			return -e->number;
		if (offset < at || offset > apparent - (int64_t)length)
			return err_set(e, ERR_CORRUPT, "its parts do not fit its size");
		r = unpack_disk_write(u->disk, fd, block, length, offset, e);
		if (r < 0)
			return r;
		at = offset + (int64_t)length;
	}
	if (r != ARCHIVE_EOF)
		return archive_failed(u, e);
	/* the hole at the end of a sparse file */
	if (at < apparent && ftruncate(fd, apparent) < 0)
		return err_sys(e, "extend it to %lld bytes", (long long)apparent);
	return 0;
}

static int make_file(struct unpack *u, const struct unpack_node *node, struct archive_entry *entry,
		     struct err *e)
{
	own_fd int fd = unpack_disk_create(u->disk, node, e);
	if (fd < 0)
		return fd;
	int r = copy_data(u, fd, archive_entry_size(entry), e);
	if (r == 0)
		r = unpack_disk_finish(u->disk, fd, node, e);
	if (r < 0 && u->path)
		unpack_disk_drop(u->disk, node);
	return r;
}

static int make_device(struct unpack *u, struct unpack_node *node, struct archive_entry *entry,
		       struct err *e)
{
	node->device = archive_entry_rdev(entry);
	/* to overlayfs that is a whiteout, and no device */
	if (node->type == S_IFCHR && node->device == makedev(0, 0)) {
		u->result->skipped++;
		return 0;
	}
	int r = unpack_disk_special(u->disk, node, e);
	if (r == -EPERM && (geteuid() != 0 || user_ids_are_mapped())) {
		u->result->skipped++;
		return 0;
	}
	return r;
}

static const char *entry_text(const char *text, const char *utf8)
{
	return text ? text : utf8;
}

/* Of a tree that is there a name counts from the folder that is filled; and is a name. */
static int parse_name(const struct unpack *u, struct unpack_name *to, const char *name,
		      struct err *e)
{
	if (!u->path)
		return u->limits.plain_names ? unpack_name_parse_plain(to, name, e)
					     : unpack_name_parse(to, name, e);
	int r = unpack_name_parse_plain(to, name, e);
	if (r < 0 || !*to->text)
		return r;
	own_free char *whole = path_join(u->path, to->text);
	mem_replace(&to->text, whole + strspn(whole, "/"));
	return 0;
}

static int make_hardlink(struct unpack *u, const struct unpack_node *node, const char *target,
			 struct err *e)
{
	struct unpack_name to = { 0 };

	int r = parse_name(u, &to, target, e);
	if (r == 0)
		r = to.kind == UNPACK_NAME_PLAIN && *to.text
			    ? unpack_disk_link(u->disk, node, to.text, e)
			    : err_set(e, ERR_CORRUPT, "a hard link to a whiteout or to the root");
	unpack_name_clear(&to);
	return r;
}

static int make_entry(struct unpack *u, struct unpack_node *node, struct archive_entry *entry,
		      struct err *e)
{
	const char *link =
		entry_text(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));

	if (link)
		return make_hardlink(u, node, link, e);
	node->type = archive_entry_filetype(entry);
	switch (node->type) {
	case S_IFREG:
		return make_file(u, node, entry, e);
	case S_IFDIR:
		return unpack_disk_folder(u->disk, node, e);
	case S_IFLNK:
		node->target =
			entry_text(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
		return unpack_disk_symlink(u->disk, node, e);
	case S_IFCHR:
	case S_IFBLK:
		return make_device(u, node, entry, e);
	case S_IFIFO:
		return unpack_disk_special(u->disk, node, e);
	case S_IFSOCK:
		u->result->skipped++;
		return 0;
	default:
		return err_set(e, ERR_CORRUPT, "an unknown type of entry");
	}
}

static int apply_name(struct unpack *u, const struct unpack_name *name, struct archive_entry *entry,
		      struct err *e)
{
	own_clear(strv_clear) struct strv xattr_names = { 0 };
	struct unpack_xattr xattrs[UNPACK_XATTRS_MAX];
	struct unpack_node node = { .path = name->text, .xattrs = xattrs };

	switch (name->kind) {
	case UNPACK_NAME_IGNORED:
		return 0;
	case UNPACK_NAME_OPAQUE:
		return unpack_disk_opaque(u->disk, name->text, e);
	case UNPACK_NAME_WHITEOUT:
		return unpack_disk_whiteout(u->disk, name->text, e);
	case UNPACK_NAME_PLAIN:
		break;
	}
	if (!*name->text && archive_entry_filetype(entry) != S_IFDIR)
		return err_set(e, ERR_CORRUPT, "the layer's root is not a folder");
	if (u->path && !*name->text)
		return 0; /* it is there */
	int r = take_attributes(u, &node, entry, e);
	if (r == 0)
		r = add_xattrs(&node, entry, &xattr_names, e);
	return r < 0 ? r : make_entry(u, &node, entry, e);
}

/* A hostile name must not reach a terminal as it is. */
static int name_entry(const char *name, struct err *e)
{
	char shown[201];
	size_t length = strnlen(name, sizeof(shown) - 1);

	for (size_t i = 0; i < length; i++)
		shown[i] = (unsigned char)name[i] < 32 || name[i] == 127 ? '?' : name[i];
	shown[length] = '\0';
	return err_add(e, "entry '%s'", shown);
}

static int apply_entry(struct unpack *u, struct archive_entry *entry, struct err *e)
{
	const char *text =
		entry_text(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
	struct unpack_name name = { 0 };

	if (count_entry(u, e) < 0)
		return -e->number;
	int r = parse_name(u, &name, text ? text : "", e);
	if (r == 0)
		r = apply_name(u, &name, entry, e);
	unpack_name_clear(&name);
	if (r < 0 && !u->source_failed)
		name_entry(text ? text : "", e);
	return r;
}

/* ---- all of it ---- */

static int read_entries(struct unpack *u, struct err *e)
{
	struct archive_entry *entry;

	for (;;) {
		int r = archive_read_next_header(u->archive, &entry);
		if (r == ARCHIVE_EOF)
			return 0;
		/* a warning is about a name that is not UTF-8; names are bytes */
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return archive_failed(u, e);
		r = apply_entry(u, entry, e);
		if (r < 0)
			return r;
	}
}

/* What stands behind the archive's end belongs to the digest. */
static int drain(const struct byte_source *source, struct err *e)
{
	const void *block;
	ssize_t n;

	do
		n = source->next(source->context, &block, e);
	while (n > 0);
	return (int)n;
}

static int unpack_all(struct unpack *u, struct err *e)
{
	int r = open_archive(u, e);
	if (r == 0)
		r = read_entries(u, e);
	if (r == 0)
		r = unpack_disk_end(u->disk, e);
	return r < 0 ? r : drain(u->source, e);
}

static int unpack(struct unpack *u, int root_fd, const struct unpack_limits *limits, struct err *e)
{
	*u->result = (struct unpack_result){ 0 };
	umask(022);
	set_limits(u, root_fd, limits);
	u->disk = unpack_disk_new(root_fd, u->path != NULL);
	int r = unpack_all(u, e);
	u->result->unowned = unpack_disk_unowned(u->disk);
	unpack_disk_free(u->disk);
	archive_read_free(u->archive);
	return r;
}

int storage_unpack(int fs_fd, const struct byte_source *source, const struct unpack_limits *limits,
		   struct unpack_result *result, struct err *e)
{
	struct unpack u = { .source = source, .result = result };

	return unpack(&u, fs_fd, limits, e);
}

int storage_unpack_into(int root_fd, const char *path, const struct oci_id_map *ids,
			const struct byte_source *source, struct unpack_result *result,
			struct err *e)
{
	struct unpack u = { .source = source, .result = result, .path = path, .ids = ids };

	return unpack(&u, root_fd, NULL, e);
}
