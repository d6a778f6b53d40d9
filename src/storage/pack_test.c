#include "storage/pack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "oci/id_map.h"
#include "oci/whiteout.h"
#include "storage/tar_build.h"

static int add_bytes(void *context, const void *bytes, size_t length, struct err *e)
{
	(void)e;
	str_add_n(context, bytes, length);
	return 0;
}

static void pack(int fd, bool whiteouts, struct str *to)
{
	struct pack_options options = { .whiteouts = whiteouts };
	struct byte_sink sink = { add_bytes, to };
	struct err e = { 0 };

	ck_assert_msg(storage_pack(fd, &options, &sink, &e) == 0, "%s", e.text);
}

static void unpack(int fd, const struct str *tar)
{
	struct tar_source bytes = { tar->text, tar->length, 1000 };
	struct byte_source source = { tar_source_next, &bytes };
	struct unpack_result result;
	struct err e = { 0 };

	ck_assert_msg(storage_unpack(fd, &source, NULL, &result, &e) == 0, "%s", e.text);
}

static int open_scratch(char *path)
{
	ck_assert_ptr_nonnull(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void put(int fd, const char *name, const char *text)
{
	struct err e;
	ck_assert_int_eq(fd_write_file_at(fd, name, text, strlen(text), 0640, &e), 0);
}

/* All that the tree has of everything. */
static void fill(int fd)
{
	static const char capability[20] = { 0, 0, 0, 2, 0, 4 };
	const struct timespec times[2] = { { 7, 123456789 }, { 7, 123456789 } };

	ck_assert_int_eq(mkdirat(fd, "d", 0750), 0);
	put(fd, "d/f", "text");
	put(fd, "d/caf\xe9", "latin");
	ck_assert_int_eq(linkat(fd, "d/f", fd, "hard", 0), 0);
	ck_assert_int_eq(symlinkat("d/f", fd, "soft"), 0);
	ck_assert_int_eq(mkfifoat(fd, "fifo", 0600), 0);
	ck_assert_int_eq(mknodat(fd, "null", S_IFCHR | 0600, makedev(1, 3)), 0);
	ck_assert_int_eq(mknodat(fd, "d/gone", S_IFCHR, makedev(0, 0)), 0);
	own_fd int file = openat(fd, "d/f", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fsetxattr(file, "user.note", "n", 1, 0), 0);
	ck_assert_int_eq(fchown(file, 12, 34), 0);
	ck_assert_int_eq(fchmod(file, 04751), 0);
	ck_assert_int_eq(fsetxattr(file, "security.capability", capability, 20, 0), 0);
	ck_assert_int_eq(futimens(file, times), 0);
	own_fd int folder = openat(fd, "d", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fsetxattr(folder, "trusted.overlay.opaque", "y", 1, 0), 0);
}

START_TEST(what_was_packed_unpacks_to_the_same_and_packs_to_the_same_bytes)
{
	char from_path[] = "/tmp/holm-pack-XXXXXX", to_path[] = "/tmp/holm-pack-XXXXXX";
	own_clear(str_clear) struct str one = { 0 };
	own_clear(str_clear) struct str two = { 0 };
	own_fd int from = open_scratch(from_path);
	own_fd int to = open_scratch(to_path);
	char value[32];
	struct stat a, b;
	struct err e;

	fill(from);
	pack(from, true, &one);
	unpack(to, &one);
	pack(to, true, &two);
	ck_assert_uint_eq(one.length, two.length);
	ck_assert_int_eq(memcmp(one.text, two.text, one.length), 0);
	ck_assert_int_eq(fstatat(from, "d/f", &a, 0), 0);
	ck_assert_int_eq(fstatat(to, "d/f", &b, 0), 0);
	ck_assert_uint_eq(a.st_mode, b.st_mode);
	ck_assert_uint_eq(b.st_uid, 12);
	ck_assert_int_eq(b.st_mtim.tv_nsec, 123456789);
	ck_assert_uint_eq(b.st_nlink, 2);
	own_fd int file = openat(to, "d/f", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fgetxattr(file, "security.capability", value, 32), 20);
	ck_assert_int_eq(fgetxattr(file, "user.note", value, 32), 1);
	ck_assert_int_eq(fstatat(to, "d/gone", &b, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISCHR(b.st_mode) && b.st_rdev == makedev(0, 0));
	ck_assert_int_eq(fstatat(to, "d/caf\xe9", &b, 0), 0);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, from_path, &e), 0);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, to_path, &e), 0);
}
END_TEST

START_TEST(whiteouts_have_the_names_of_oci)
{
	char path[] = "/tmp/holm-pack-XXXXXX";
	own_clear(str_clear) struct str tar = { 0 };
	own_fd int fd = open_scratch(path);
	struct err e;

	fill(fd);
	pack(fd, true, &tar);
	ck_assert_ptr_nonnull(memmem(tar.text, tar.length, "d/.wh.gone", 11));
	ck_assert_ptr_nonnull(memmem(tar.text, tar.length, "d/.wh..wh..opq", 15));
	ck_assert_ptr_null(memmem(tar.text, tar.length, "trusted.", 8));
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
}
END_TEST

START_TEST(of_a_container_owners_are_its_own_and_some_places_stay_out)
{
	static const char *const left_out[] = { "d/caf\xe9", "fifo", NULL };
	struct oci_id_mapping line = { 3, 10, 100 };
	const struct oci_id_map ids = { { &line, 1 }, { &line, 1 } };
	const struct pack_options options = { .ids = &ids, .left_out = left_out };
	char from_path[] = "/tmp/holm-pack-XXXXXX", to_path[] = "/tmp/holm-pack-XXXXXX";
	own_clear(str_clear) struct str tar = { 0 };
	struct byte_sink sink = { add_bytes, &tar };
	own_fd int from = open_scratch(from_path);
	own_fd int to = open_scratch(to_path);
	struct stat st;
	struct err e;

	fill(from);
	ck_assert_int_eq(storage_pack(from, &options, &sink, &e), 0);
	unpack(to, &tar);
	ck_assert_int_eq(fstatat(to, "d/f", &st, 0), 0);
	ck_assert_uint_eq(st.st_uid, 5);
	ck_assert_uint_eq(st.st_gid, 27);
	ck_assert_int_eq(fstatat(to, "d", &st, 0), 0);
	ck_assert_uint_eq(st.st_uid, 65534); /* it has no id there */
	ck_assert_int_lt(fstatat(to, "fifo", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_lt(fstatat(to, "d/caf\xe9", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, from_path, &e), 0);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, to_path, &e), 0);
}
END_TEST

START_TEST(one_thing_of_a_folder_is_packed_by_another_name)
{
	const struct pack_options options = { .plain_names = true, .entry = "d", .name = "other" };
	char path[] = "/tmp/holm-pack-XXXXXX";
	own_clear(str_clear) struct str tar = { 0 };
	struct byte_sink sink = { add_bytes, &tar };
	own_fd int fd = open_scratch(path);
	struct err e;

	fill(fd);
	ck_assert_int_eq(storage_pack(fd, &options, &sink, &e), 0);
	ck_assert_ptr_nonnull(memmem(tar.text, tar.length, "other/f", 7));
	ck_assert_ptr_null(memmem(tar.text, tar.length, "soft", 4));
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
}
END_TEST

START_TEST(what_is_a_part_of_a_lower_layers_thing_is_no_layer)
{
	const struct pack_options options = { .whiteouts = true };
	char path[] = "/tmp/holm-pack-XXXXXX";
	own_clear(str_clear) struct str tar = { 0 };
	struct byte_sink sink = { add_bytes, &tar };
	own_fd int fd = open_scratch(path);
	struct err e;

	fill(fd);
	own_fd int folder = openat(fd, "d", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fsetxattr(folder, "trusted.overlay.redirect", "old", 3, 0), 0);
	ck_assert_int_lt(storage_pack(fd, &options, &sink, &e), 0);
	ck_assert_int_eq(e.kind, ERR_UNSUPPORTED);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
}
END_TEST

START_TEST(a_file_called_like_a_whiteout_is_refused)
{
	char path[] = "/tmp/holm-pack-XXXXXX";
	own_clear(str_clear) struct str tar = { 0 };
	own_fd int fd = open_scratch(path);
	struct pack_options options = { 0 };
	struct byte_sink sink = { add_bytes, &tar };
	struct err e;

	put(fd, ".wh.x", "");
	ck_assert_int_lt(storage_pack(fd, &options, &sink, &e), 0);
	ck_assert_msg(strstr(e.text, "pack .wh.x"), "%s", e.text);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
}
END_TEST

static int fail_write(void *context, const void *bytes, size_t length, struct err *e)
{
	(void)context;
	(void)bytes;
	(void)length;
	return err_set(e, ERR_NO_SPACE, "the disk is full");
}

START_TEST(an_error_of_the_sink_comes_through)
{
	char path[] = "/tmp/holm-pack-XXXXXX";
	own_fd int fd = open_scratch(path);
	struct pack_options options = { 0 };
	struct byte_sink sink = { fail_write, NULL };
	struct err e;

	fill(fd);
	ck_assert_int_lt(storage_pack(fd, &options, &sink, &e), 0);
	ck_assert_str_eq(e.text, "the disk is full");
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
}
END_TEST

START_TEST(whiteouts_by_name_are_packed_where_the_root_is_marked)
{
	char path[] = "/tmp/holm-pack-XXXXXX", to_path[] = "/tmp/holm-pack-XXXXXX";
	own_clear(str_clear) struct str tar = { 0 };
	own_fd int fd = open_scratch(path);
	own_fd int to = open_scratch(to_path);
	struct stat st;
	struct err e;

	ck_assert_int_eq(mkdirat(fd, "d", 0755), 0);
	put(fd, "d/.wh..wh..opq", "");
	put(fd, "d/.wh.gone", "");
	bool marked = oci_whiteout_mark_by_names(fd, &e) == 0;
	if (marked) {
		pack(fd, true, &tar);
		unpack(to, &tar);
		ck_assert_int_eq(fstatat(to, "d/gone", &st, AT_SYMLINK_NOFOLLOW), 0);
		ck_assert(oci_whiteout_is_device(&st) && !oci_whiteout_is_by_names(to));
		own_fd int d = openat(to, "d", O_RDONLY | O_CLOEXEC);
		ck_assert(oci_whiteout_is_opaque(d, false));
	}
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, to_path, &e), 0);
	if (!marked)
		unit_skip("no attributes user.* here");
}
END_TEST

UNIT_MAIN("storage/pack", UNIT(what_was_packed_unpacks_to_the_same_and_packs_to_the_same_bytes),
	  UNIT(of_a_container_owners_are_its_own_and_some_places_stay_out),
	  UNIT(one_thing_of_a_folder_is_packed_by_another_name),
	  UNIT(what_is_a_part_of_a_lower_layers_thing_is_no_layer),
	  UNIT(whiteouts_have_the_names_of_oci), UNIT(a_file_called_like_a_whiteout_is_refused),
	  UNIT(an_error_of_the_sink_comes_through),
	  UNIT(whiteouts_by_name_are_packed_where_the_root_is_marked))
