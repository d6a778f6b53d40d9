#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"
#include "dns/names.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int make_folder(char *path)
{
	ck_assert_ptr_nonnull(mkdtemp(path));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mkdirat(fd, "web", 0755), 0);
	return fd;
}

static void write_text(int folder, const char *name, const char *text)
{
	struct err e;

	ck_assert_int_eq(fd_write_file_at(folder, name, text, strlen(text), 0644, &e), 0);
}

/* A process that lives as the monitor of this container; to be killed. */
static pid_t live(int folder, const char *name)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = openat(folder, name, O_RDWR | O_CREAT, 0600);
		if (fcntl(fd, F_SETLK, &lock) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	return pid;
}

static void kill_it(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

START_TEST(who_lives_is_found_by_all_names_and_address)
{
	char path[] = "/tmp/holm-names-XXXXXX", name[64];
	struct dns_names names;
	struct dns_found *found = mem_new_struct(struct dns_found);
	struct strv networks = { 0 };
	struct err e;
	own_fd int folder = make_folder(path);

	write_text(folder, "web/" ID_A, "name Db\nname sql\naddress 10.99.0.2\naddress fd00::2\n");
	write_text(folder, "web/" ID_B, "name sql\naddress 10.99.0.3\n");
	pid_t a = live(folder, "web/" ID_A ".alive"), b = live(folder, "web/" ID_B ".alive");
	strv_add(&networks, "web");
	strv_add(&networks, "nowhere");
	ck_assert_int_eq(dns_names_open(&names, folder, &networks, &e), 0);
	ck_assert_uint_eq(names.count, 1);
	ck_assert(dns_names_find(found, &names, "db"));
	ck_assert_uint_eq(found->count, 2);
	ck_assert(dns_names_find(found, &names, "sql.web"));
	ck_assert_uint_eq(found->count, 3);
	ck_assert(!dns_names_find(found, &names, "db.other"));
	ck_assert(!dns_names_find(found, &names, ".web"));
	ck_assert(
		dns_names_reverse(name, sizeof(name), &names, (const uint8_t *)"\x0a\x63\0\2", 4));
	ck_assert_str_eq(name, "db.web");

	/* renamed, and at once: within a tick of the clock */
	write_text(folder, "web/" ID_A, "name new\naddress 10.99.0.2\n");
	ck_assert(!dns_names_find(found, &names, "db"));
	ck_assert(dns_names_find(found, &names, "new"));
	kill_it(a);
	ck_assert(!dns_names_find(found, &names, "new"));
	ck_assert(
		!dns_names_reverse(name, sizeof(name), &names, (const uint8_t *)"\x0a\x63\0\2", 4));
	ck_assert(dns_names_find(found, &names, "sql"));
	ck_assert_uint_eq(found->count, 1);
	kill_it(b);
	dns_names_close(&names);
	strv_clear(&networks);
	free(found);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
}
END_TEST

START_TEST(lines_that_say_nothing_are_passed_over)
{
	struct dns_entry entry;

	dns_names_parse(&entry, "address nowhere\nname\n\nname x\nfoo\naddress 1.2.3.4");
	ck_assert_uint_eq(entry.names.count, 1);
	ck_assert_uint_eq(entry.addresses_count, 1);
	dns_names_clear_entry(&entry);
}
END_TEST

UNIT_MAIN("dns/names", UNIT(who_lives_is_found_by_all_names_and_address),
	  UNIT(lines_that_say_nothing_are_passed_over))
