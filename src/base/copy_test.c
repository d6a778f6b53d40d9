#include "base/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

static char path[32];
static int from, to;

static int make_folder(const char *name)
{
	own_free char *whole = mem_format("%s/%s", path, name);

	ck_assert_int_eq(mkdir(whole, 0755), 0);
	return open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void begin(void)
{
	umask(022);
	strcpy(path, "/tmp/holm-copy-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(path));
	from = make_folder("from");
	to = make_folder("to");
}

static void end(void)
{
	struct err e;

	close(from);
	close(to);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
}

static void put(int fd, const char *name, const char *text)
{
	struct err e;
	ck_assert_int_eq(fd_write_file_at(fd, name, text, strlen(text), 0640, &e), 0);
}

static struct stat look(int fd, const char *name)
{
	struct stat st;
	ck_assert_msg(fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0, "%s", name);
	return st;
}

static const struct copy_options plain;

START_TEST(a_tree_is_the_same_with_links_holes_modes_and_times)
{
	const struct timespec times[2] = { { 7, 123456789 }, { 8, 987654321 } };
	struct err e = { 0 };
	uint64_t bytes = 0;
	const struct copy_options options = { .bytes = &bytes };

	begin();
	ck_assert_int_eq(mkdirat(from, "tree", 02710), 0);
	ck_assert_int_eq(fchmodat(from, "tree", 02710, 0), 0);
	put(from, "tree/one", "text");
	ck_assert_int_eq(fchmodat(from, "tree/one", 04751, 0), 0);
	ck_assert_int_eq(linkat(from, "tree/one", from, "tree/two", 0), 0);
	ck_assert_int_eq(symlinkat("../../nowhere", from, "tree/link"), 0);
	ck_assert_int_eq(mkfifoat(from, "tree/fifo", 0600), 0);
	own_fd int hole = openat(from, "tree/hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(pwrite(hole, "x", 1, 1 << 20), 1);
	ck_assert_int_eq(ftruncate(hole, 2 << 20), 0);
	ck_assert_int_eq(utimensat(from, "tree/one", times, 0), 0);
	ck_assert_int_eq(utimensat(from, "tree", times, 0), 0);
	ck_assert_msg(copy_tree_at(from, "tree", to, "copy", &options, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(look(to, "copy").st_mode, S_IFDIR | 02710);
	ck_assert_int_eq(look(to, "copy").st_mtim.tv_nsec, 987654321);
	ck_assert_uint_eq(look(to, "copy/one").st_mode, S_IFREG | 04751);
	ck_assert_int_eq(look(to, "copy/one").st_mtim.tv_nsec, 987654321);
	ck_assert_uint_eq(look(to, "copy/one").st_ino, look(to, "copy/two").st_ino);
	ck_assert(S_ISLNK(look(to, "copy/link").st_mode));
	ck_assert(S_ISFIFO(look(to, "copy/fifo").st_mode));
	ck_assert_int_eq(look(to, "copy/hole").st_size, 2 << 20);
	ck_assert_int_lt(look(to, "copy/hole").st_blocks, 1 << 10);
	ck_assert_uint_eq(bytes, 4 + (2 << 20));
	end();
}
END_TEST

START_TEST(what_is_there_is_an_error_without_merge_and_filled_or_replaced_with_it)
{
	const struct copy_options merge = { .merge = true };
	struct err e;

	begin();
	ck_assert_int_eq(mkdirat(from, "a", 0755), 0);
	put(from, "a/x", "new");
	ck_assert_int_eq(mkdirat(to, "a", 0755), 0);
	put(to, "a/x", "old one");
	put(to, "a/y", "kept");
	ck_assert_int_eq(copy_tree_at(from, "a", to, "a", &plain, &e), -EEXIST);
	ck_assert_int_eq(copy_tree_at(from, "a", to, "a", &merge, &e), 0);
	ck_assert_int_eq(look(to, "a/x").st_size, 3);
	ck_assert_int_eq(look(to, "a/y").st_size, 4);
	put(from, "file", "");
	ck_assert_int_lt(copy_tree_at(from, "file", to, "a", &merge, &e), 0);
	ck_assert_str_eq(e.text, "cannot overwrite directory a with non-directory");
	put(to, "file", "");
	ck_assert_int_lt(copy_tree_at(from, "a", to, "file", &merge, &e), 0);
	ck_assert_str_eq(e.text, "cannot overwrite non-directory file with directory");
	end();
}
END_TEST

START_TEST(a_link_where_a_folder_or_file_goes_is_not_followed)
{
	const struct copy_options merge = { .merge = true };
	struct err e;

	begin();
	ck_assert_int_eq(mkdirat(to, "outside", 0755), 0);
	ck_assert_int_eq(mkdirat(from, "a", 0755), 0);
	put(from, "a/x", "text");
	ck_assert_int_eq(symlinkat("outside", to, "a"), 0);
	ck_assert_int_lt(copy_tree_at(from, "a", to, "a", &merge, &e), 0);
	ck_assert_int_eq(symlinkat("outside/x", to, "x"), 0);
	ck_assert_int_eq(copy_tree_at(from, "a/x", to, "x", &merge, &e), 0);
	ck_assert(S_ISREG(look(to, "x").st_mode));
	ck_assert_int_lt(faccessat(to, "outside/x", F_OK, 0), 0);
	end();
}
END_TEST

static void add_one(const void *context, uid_t *uid, gid_t *gid)
{
	*uid += *(const unsigned *)context;
	*gid += *(const unsigned *)context;
}

START_TEST(owners_are_kept_mapped_or_the_callers_who_gets_no_rights_of_others)
{
	const unsigned more = 5;
	const struct copy_options mapped = { .map = add_one, .context = &more };
	const struct copy_options own = { .owners = COPY_OWNERS_CALLER };
	struct err e;

	if (geteuid() != 0)
		unit_skip("needs root");
	begin();
	put(from, "set", "");
	ck_assert_int_eq(fchownat(from, "set", 1000, 1001, 0), 0);
	ck_assert_int_eq(fchmodat(from, "set", 06755, 0), 0);
	ck_assert_int_eq(copy_tree_at(from, "set", to, "kept", &plain, &e), 0);
	ck_assert_int_eq(copy_tree_at(from, "set", to, "mapped", &mapped, &e), 0);
	ck_assert_int_eq(copy_tree_at(from, "set", to, "own", &own, &e), 0);
	ck_assert_uint_eq(look(to, "kept").st_uid, 1000);
	ck_assert_uint_eq(look(to, "kept").st_mode, S_IFREG | 06755);
	ck_assert_uint_eq(look(to, "mapped").st_gid, 1006);
	ck_assert_uint_eq(look(to, "own").st_uid, 0);
	ck_assert_uint_eq(look(to, "own").st_mode, S_IFREG | 0755);
	end();
}
END_TEST

START_TEST(a_tree_that_is_too_deep_is_refused)
{
	int at = -1;
	struct err e;

	begin();
	at = dup(from);
	for (int i = 0; i < COPY_DEPTH_MAX + 2; i++) {
		ck_assert_int_eq(mkdirat(at, "d", 0755), 0);
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close(at);
	ck_assert_int_lt(copy_tree_at(from, "d", to, "d", &plain, &e), 0);
	ck_assert_int_eq(e.kind, ERR_UNSUPPORTED);
	end();
}
END_TEST

UNIT_MAIN("base/copy", UNIT(a_tree_is_the_same_with_links_holes_modes_and_times),
	  UNIT(what_is_there_is_an_error_without_merge_and_filled_or_replaced_with_it),
	  UNIT(a_link_where_a_folder_or_file_goes_is_not_followed),
	  UNIT(owners_are_kept_mapped_or_the_callers_who_gets_no_rights_of_others),
	  UNIT(a_tree_that_is_too_deep_is_refused))
