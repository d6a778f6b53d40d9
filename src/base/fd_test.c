#include "base/fd.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/unit.h"

enum { DEEP = 20000 };

static int open_scratch(char *path)
{
	ck_assert_ptr_nonnull(mkdtemp(path));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static int enter(int fd, const char *name)
{
	ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
	int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(next, 0);
	close(fd);
	return next;
}

static void put_file(int dir_fd, const char *name)
{
	own_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, "bytes", 5), 0);
	ck_assert_int_eq(fsync(fd), 0);
}

START_TEST(a_tree_of_any_depth_is_removed)
{
	char path[] = "/tmp/holm-fd-XXXXXX";
	own_fd int top = open_scratch(path);
	struct err e;

	int fd = enter(dup(top), "tree");
	for (int i = 0; i < DEEP; i++)
		fd = enter(fd, i % 100 ? "d" : ".deep-0");
	put_file(fd, "file");
	close(fd);
	ck_assert_msg(fd_remove_tree_at(top, "tree", &e) == 0, "%s", e.text);
	ck_assert_int_ne(faccessat(top, "tree", F_OK, 0), 0);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(a_file_counts_with_its_last_link)
{
	char path[] = "/tmp/holm-fd-XXXXXX";
	own_fd int top = open_scratch(path);
	uint64_t freed = 0, again = 0;
	struct stat st, folder;
	struct err e;

	int fd = enter(dup(top), "tree");
	put_file(fd, "a");
	put_file(top, "kept");
	ck_assert_int_eq(linkat(fd, "a", fd, "b", 0), 0);
	ck_assert_int_eq(linkat(top, "kept", fd, "c", 0), 0);
	ck_assert_int_eq(fstatat(fd, "a", &st, 0), 0);
	ck_assert_int_eq(fstat(fd, &folder), 0);
	close(fd);
	ck_assert_int_eq(fd_remove_tree_counted_at(top, "tree", &freed, &e), 0);
	ck_assert_uint_eq(freed, (uint64_t)(st.st_blocks + folder.st_blocks) * 512);
	ck_assert_int_eq(fd_remove_tree_counted_at(top, "tree", &again, &e), 0);
	ck_assert_uint_eq(again, 0);
	ck_assert_int_eq(fd_remove_tree_at(top, "kept", &e), 0);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(a_link_is_removed_and_not_followed)
{
	char path[] = "/tmp/holm-fd-XXXXXX";
	own_fd int top = open_scratch(path);
	struct err e;

	put_file(top, "kept");
	int fd = enter(dup(top), "tree");
	ck_assert_int_eq(symlinkat("../..", fd, "up"), 0);
	ck_assert_int_eq(symlinkat("../kept", fd, "file"), 0);
	close(fd);
	ck_assert_int_eq(fd_remove_tree_at(top, "tree", &e), 0);
	ck_assert_int_eq(unlinkat(top, "kept", 0), 0);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

UNIT_MAIN("base/fd", UNIT(a_tree_of_any_depth_is_removed), UNIT(a_file_counts_with_its_last_link),
	  UNIT(a_link_is_removed_and_not_followed))
