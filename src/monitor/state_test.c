#include "monitor/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

static char folder[64];

static int folder_open(void)
{
	strcpy(folder, "/tmp/holm-state-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void folder_remove(void)
{
	struct err e;
	own_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_msg(fd_remove_tree_at(tmp, strrchr(folder, '/') + 1, &e) == 0, "%s", e.text);
}

static void end(int fd, int64_t code)
{
	const struct monitor_exit_record record = { .exit_code = code };
	struct err e;

	ck_assert_msg(monitor_exit_record_write_at(fd, &record, &e) == 0, "%s", e.text);
}

static ino_t inode(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, 0) == 0 ? st.st_ino : 0;
}

/* Only what stands for a lost end is there. */
static void check_lost(int fd)
{
	struct monitor_exit_record record = { 0 };
	struct err e;

	ck_assert_uint_eq(inode(fd, "exit.json"), 0);
	ck_assert_msg(monitor_exit_record_read_lost_in(&record, fd, ".", &e) == 0, "%s", e.text);
	ck_assert_int_eq(record.exit_code, MONITOR_EXIT_CODE_LOST);
	ck_assert_str_eq(record.error, MONITOR_EXIT_WORDS_LOST);
	shape_clear(&monitor_exit_record_shape, &record);
}

START_TEST(the_last_record_makes_room_for_the_next)
{
	own_fd int fd = folder_open();
	struct err e;

	ck_assert_int_eq(monitor_exit_record_reserve_at(fd, &e), 0);
	check_lost(fd);
	end(fd, 7);
	ino_t first = inode(fd, "exit.json");
	ck_assert_uint_ne(first, 0);
	ck_assert_uint_eq(inode(fd, ".exit"), 0);
	ck_assert_int_eq(monitor_exit_record_reserve_at(fd, &e), 0);
	check_lost(fd);
	ck_assert_uint_eq(inode(fd, ".exit"), first);
	folder_remove();
}
END_TEST

START_TEST(what_an_earlier_crash_left_is_not_in_the_way)
{
	own_fd int fd = folder_open();
	struct err e;

	end(fd, 7);
	own_fd int left = openat(fd, ".exit", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(left, "{\"exitCode\":1} and more", 23), 23);
	ck_assert_int_eq(monitor_exit_record_reserve_at(fd, &e), 0);
	check_lost(fd);
	folder_remove();
}
END_TEST

START_TEST(without_room_the_last_record_stays)
{
	struct monitor_exit_record record = { 0 };
	own_fd int fd = folder_open();
	struct err e;

	end(fd, 7);
	/* a folder cannot be opened to be written */
	ck_assert_int_eq(mkdirat(fd, ".exit", 0700), 0);
	ck_assert_int_lt(monitor_exit_record_reserve_at(fd, &e), 0);
	ck_assert_int_eq(monitor_exit_record_read_in(&record, fd, ".", &e), 0);
	ck_assert_int_eq(record.exit_code, 7);
	shape_clear(&monitor_exit_record_shape, &record);
	folder_remove();
}
END_TEST

UNIT_MAIN("monitor/state", UNIT(the_last_record_makes_room_for_the_next),
	  UNIT(what_an_earlier_crash_left_is_not_in_the_way),
	  UNIT(without_room_the_last_record_stays))
