#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/unit.h"

static char folder[64];
static int dir;

static void make_folder(void)
{
	strcpy(folder, "/tmp/holm-fd-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
}

static void remove_folder(void)
{
	own_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };

	close(dir);
	ck_assert_msg(fd_remove_tree_at(tmp, strrchr(folder, '/') + 1, &e) == 0, "%s", e.text);
	ck_assert_int_lt(access(folder, F_OK), 0);
}

START_TEST(a_file_is_replaced_in_one_step)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err e;

	make_folder();
	ck_assert_int_eq(fd_write_file_at(dir, "f", "old", 3, 0600, &e), 0);
	own_fd int reader = openat(dir, "f", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fd_write_file_at(dir, "f", "newer", 5, 0600, &e), 0);
	ck_assert_int_eq(fd_read_all(reader, 10, &text, &e), 0);
	ck_assert_str_eq(text.text, "old");
	ck_assert_int_eq(fd_read_file_at(dir, "f", 5, &text, &e), 0);
	ck_assert_str_eq(text.text, "oldnewer");
	ck_assert_int_lt(fd_read_file_at(dir, "f", 4, &text, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "longer than 4"));
	remove_folder();
}
END_TEST

START_TEST(what_a_killed_writer_left_is_the_next_ones_and_what_one_has_is_not)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err e;

	make_folder();
	own_fd int left = openat(dir, "f~", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(fd_write_all(left, "longer than new", 15), 0);
	ck_assert_int_eq(fd_write_file_at(dir, "f", "new", 3, 0600, &e), 0);
	ck_assert_int_eq(fd_read_file_at(dir, "f", 20, &text, &e), 0);
	ck_assert_str_eq(text.text, "new");
	ck_assert_int_lt(faccessat(dir, "f~", F_OK, 0), 0);

	own_fd int writer = openat(dir, "f~", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(flock(writer, LOCK_EX), 0);
	ck_assert_int_eq(fd_write_file_at(dir, "f", "newest", 6, 0600, &e), 0);
	ck_assert_int_eq(fd_read_file_at(dir, "f", 20, &text, &e), 0);
	ck_assert_str_eq(text.text, "newnewest");
	ck_assert_int_eq(unlinkat(dir, "f~", 0), 0);
	remove_folder();
}
END_TEST

START_TEST(a_folder_is_locked_once_and_not_when_it_has_been_replaced)
{
	make_folder();
	ck_assert_int_eq(fd_lock_folder_at(dir, "new", true), -ENOENT);
	ck_assert_int_eq(mkdirat(dir, "new", 0700), 0);
	own_fd int lock = fd_lock_folder_at(dir, "new", true);
	ck_assert_int_ge(lock, 0);
	ck_assert_int_eq(fd_lock_folder_at(dir, "new", false), -EWOULDBLOCK);
	ck_assert_int_eq(renameat(dir, "new", dir, "old"), 0);
	ck_assert_int_eq(mkdirat(dir, "new", 0700), 0);
	own_fd int other = fd_lock_folder_at(dir, "new", false);
	ck_assert_int_ge(other, 0);
	ck_assert_int_eq(unlinkat(dir, "new", AT_REMOVEDIR), 0);
	ck_assert_int_eq(unlinkat(dir, "old", AT_REMOVEDIR), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(what_is_no_regular_file_is_not_read)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err e;

	make_folder();
	ck_assert_int_eq(mkfifoat(dir, "fifo", 0600), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", dir, "link"), 0);
	ck_assert_int_eq(mkdirat(dir, "dir", 0700), 0);
	ck_assert_int_lt(fd_read_file_at(dir, "fifo", 9, &text, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "not a regular file"));
	ck_assert_int_lt(fd_read_file_at(dir, "link", 9, &text, &e), 0);
	ck_assert_int_lt(fd_read_file_at(dir, "dir", 9, &text, &e), 0);
	ck_assert_int_eq(fd_read_file_at(dir, "none", 9, &text, &e), -ENOENT);
	remove_folder();
}
END_TEST

START_TEST(a_failed_write_leaves_the_old_file_and_no_debris)
{
	struct rlimit small = { 10, RLIM_INFINITY };
	own_clear(str_clear) struct str text = { 0 };
	char big[100] = { 0 };
	struct err e;

	make_folder();
	ck_assert_int_eq(fd_write_file_at(dir, "f", "old", 3, 0600, &e), 0);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	ck_assert_int_eq(fd_write_file_at(dir, "f", big, sizeof(big), 0600, &e), -EFBIG);
	small.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &small);
	ck_assert_int_eq(fd_read_file_at(dir, "f", 10, &text, &e), 0);
	ck_assert_str_eq(text.text, "old");
	ck_assert_int_eq(unlinkat(dir, "f", 0), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	close(dir);
}
END_TEST

START_TEST(descriptors_travel_and_close_on_exec)
{
	int pair[2], fds[FD_PASS_MAX], sent[2];
	size_t count = 9;
	char bytes[16];
	struct err e;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(pipe(sent), 0);
	ck_assert_int_eq(fd_send(pair[0], "hello", 5, sent, 2, &e), 0);
	ck_assert_int_eq(fd_receive(pair[1], bytes, sizeof(bytes), fds, &count, &e), 5);
	ck_assert_uint_eq(count, 2);
	ck_assert(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(read(sent[0], bytes, 1), 1);
	ck_assert_int_eq(fd_send(pair[0], "plain", 5, NULL, 0, &e), 0);
	ck_assert_int_eq(fd_receive(pair[1], bytes, sizeof(bytes), fds, &count, &e), 5);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_lt(fd_send(pair[0], "x", 1, sent, FD_PASS_MAX + 1, &e), 0);
	close(pair[0]);
	ck_assert_int_eq(fd_receive(pair[1], bytes, sizeof(bytes), fds, &count, &e), 0);
	ck_assert_int_lt(fd_send(pair[1], "x", 1, NULL, 0, &e), 0);
}
END_TEST

START_TEST(a_tree_is_removed_without_following_links)
{
	struct err e;

	make_folder();
	ck_assert_int_eq(mkdirat(dir, "keep", 0755), 0);
	ck_assert_int_eq(fd_write_file_at(dir, "keep/file", "x", 1, 0600, &e), 0);
	ck_assert_int_eq(mkdirat(dir, "tree", 0755), 0);
	ck_assert_int_eq(mkdirat(dir, "tree/closed", 0), 0);
	ck_assert_int_eq(symlinkat("../keep", dir, "tree/link"), 0);
	ck_assert_int_eq(symlinkat("/", dir, "tree/root"), 0);
	ck_assert_int_eq(mkfifoat(dir, "tree/fifo", 0), 0);
	ck_assert_int_eq(fd_remove_tree_at(dir, "tree", &e), 0);
	ck_assert_int_lt(faccessat(dir, "tree", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(faccessat(dir, "keep/file", F_OK, 0), 0);
	ck_assert_int_eq(fd_remove_tree_at(dir, "none", &e), 0);
	remove_folder();
}
END_TEST

/* Folders that a container nests below each other are neither a stack overflow nor EMFILE. */
START_TEST(a_tree_deeper_than_descriptors_reach_is_removed)
{
	make_folder();
	int at = dup(dir);
	for (int i = 0; i < 5000; i++) {
		ck_assert_int_eq(mkdirat(at, "d", 0700), 0);
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		close(at);
		at = next;
	}
	close(at);
	struct rlimit few = { 300, 300 };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	remove_folder();
}
END_TEST

static void make_wide_tree(void)
{
	char path[32];
	struct err e;

	ck_assert_int_eq(mkdirat(dir, "tree", 0755), 0);
	for (int i = 0; i < 30; i++) {
		snprintf(path, sizeof(path), "tree/%d", i);
		ck_assert_int_eq(mkdirat(dir, path, 0755), 0);
		snprintf(path, sizeof(path), "tree/%d/file", i);
		ck_assert_int_eq(fd_write_file_at(dir, path, "x", 1, 0600, &e), 0);
	}
}

START_TEST(two_who_remove_one_tree_both_succeed)
{
	struct err e;

	make_folder();
	for (int round = 0; round < 50; round++) {
		make_wide_tree();
		pid_t other = fork();
		int r = fd_remove_tree_at(dir, "tree", &e);
		if (other == 0)
			_exit(r == 0 ? 0 : 1);
		int status = process_wait(other);
		ck_assert_msg(r == 0, "%s", e.text);
		ck_assert_int_eq(process_exit_code(status), 0);
		ck_assert_int_lt(faccessat(dir, "tree", F_OK, 0), 0);
	}
	remove_folder();
}
END_TEST

START_TEST(removing_stops_at_a_mount)
{
	struct err e;
	char path[100];

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		unit_skip("needs root, to mount");
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	make_folder();
	ck_assert_int_eq(mkdirat(dir, "a", 0755), 0);
	ck_assert_int_eq(mkdirat(dir, "a/mnt", 0755), 0);
	snprintf(path, sizeof(path), "%s/a/mnt", folder);
	ck_assert_int_eq(mount("none", path, "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(fd_write_file_at(dir, "a/mnt/precious", "x", 1, 0600, &e), 0);
	ck_assert_int_lt(fd_remove_tree_at(dir, "a", &e), 0);
	ck_assert_int_eq(faccessat(dir, "a/mnt/precious", F_OK, 0), 0);
	ck_assert_int_eq(umount(path), 0);
	remove_folder();
}
END_TEST

START_TEST(closed_standard_streams_are_taken_and_useless)
{
	char byte;

	make_folder();
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	fd_fill_standard();
	int number = open("/dev/null", O_RDWR | O_CLOEXEC);
	ck_assert_int_gt(number, STDERR_FILENO);
	close(number);
	ck_assert_int_lt(read(STDIN_FILENO, &byte, 1), 0);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_lt(write(STDOUT_FILENO, "x", 1), 0);
	ck_assert_int_eq(errno, EBADF);
	remove_folder();
}
END_TEST

UNIT_MAIN("base/fd", UNIT(closed_standard_streams_are_taken_and_useless),
	  UNIT(what_a_killed_writer_left_is_the_next_ones_and_what_one_has_is_not),
	  UNIT(a_folder_is_locked_once_and_not_when_it_has_been_replaced),
	  UNIT(a_file_is_replaced_in_one_step), UNIT(what_is_no_regular_file_is_not_read),
	  UNIT(a_failed_write_leaves_the_old_file_and_no_debris),
	  UNIT(descriptors_travel_and_close_on_exec),
	  UNIT(a_tree_is_removed_without_following_links),
	  UNIT(a_tree_deeper_than_descriptors_reach_is_removed),
	  UNIT(two_who_remove_one_tree_both_succeed), UNIT(removing_stops_at_a_mount))
