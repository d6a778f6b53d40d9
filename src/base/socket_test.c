#include "base/socket.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

/* A folder whose name alone is longer than what a socket's may be. */
static char *make_deep_folder(void)
{
	char name[] = "/tmp/holm-socket-XXXXXX";
	char last[181];

	memset(last, 'd', sizeof(last) - 1);
	last[sizeof(last) - 1] = '\0';
	ck_assert_ptr_nonnull(mkdtemp(name));
	char *path = mem_format("%s/%s", name, last);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	return path;
}

static void remove_deep_folder(char *path)
{
	struct err e;

	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
}

START_TEST(a_descriptor_travels_to_a_path_that_is_too_long_for_a_name)
{
	own_free char *folder = make_deep_folder();
	own_free char *path = mem_format("%s/socket", folder);
	own_fd int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char bytes[8] = "";
	size_t count = 0;
	int fds[FD_PASS_MAX];
	struct err e;

	own_fd int server = socket_bind_at(SOCK_STREAM, dir, "socket", &e);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(listen(server, 1), 0);
	own_fd int sent = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(socket_send_fd(path, "words", 5, sent, &e), 0);
	own_fd int peer = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_eq(fd_receive(peer, bytes, sizeof(bytes), fds, &count, &e), 5);
	ck_assert_str_eq(bytes, "words");
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(read(fds[0], bytes, 5), 5);
	close(fds[0]);
	ck_assert_int_eq(fd_receive(peer, bytes, sizeof(bytes), fds, &count, &e), 0);
	remove_deep_folder(folder);
}
END_TEST

START_TEST(a_socket_that_is_not_there_is_named)
{
	struct err e;

	ck_assert_int_lt(socket_connect(SOCK_DGRAM, "/does/not/exist", &e), 0);
	ck_assert_str_eq(e.text, "connect to /does/not/exist: No such file or directory");
	own_free char *folder = make_deep_folder();
	own_free char *path = mem_format("%s/none", folder);
	ck_assert_int_lt(socket_connect(SOCK_STREAM, path, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "No such file"));
	own_free char *longer = mem_format("%s/%s", folder, strrchr(folder, '/') + 1);
	ck_assert_int_lt(socket_connect(SOCK_STREAM, longer, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "the name is too long"));
	remove_deep_folder(folder);
}
END_TEST

UNIT_MAIN("base/socket", UNIT(a_descriptor_travels_to_a_path_that_is_too_long_for_a_name),
	  UNIT(a_socket_that_is_not_there_is_named))
