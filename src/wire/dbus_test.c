#include "wire/dbus.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/unit.h"

static void send_signal(int fd, const char *member)
{
	own_clear(str_clear) struct str bytes = { 0 };
	const struct wire_dbus_head head = {
		.type = WIRE_DBUS_SIGNAL,
		.serial = 1,
		.path = "/org",
		.interface = "org.test",
		.member = member,
	};
	const struct str nothing = { 0 };

	wire_dbus_format(&bytes, &head, &nothing);
	if (send(fd, bytes.text, bytes.length, MSG_NOSIGNAL) < 0)
		_exit(0);
}

static struct wire_dbus bus_with(void (*peer)(int fd), pid_t *ret_pid)
{
	struct wire_dbus bus = WIRE_DBUS_INIT;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	*ret_pid = fork();
	if (*ret_pid == 0) {
		close(ends[0]);
		peer(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	bus.fd = ends[0];
	return bus;
}

static void talk_of_others(int fd)
{
	for (;;)
		send_signal(fd, "Other");
}

START_TEST(a_deadline_holds_whatever_else_is_said_meanwhile)
{
	struct wire_dbus_message message;
	struct err e;
	pid_t pid;
	struct wire_dbus bus = bus_with(talk_of_others, &pid);

	int r = wire_dbus_wait_signal(&bus, &message, "org.test", "Wanted",
				      moment_monotonic_ns() + 20000000, &e);
	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(e.kind, ERR_TIMEOUT);
	wire_dbus_close(&bus);
	waitpid(pid, NULL, 0);
}
END_TEST

static void say_in_pieces(int fd)
{
	send_signal(fd, "Other");
	send_signal(fd, "Wanted");
}

START_TEST(the_signal_that_is_waited_for_is_found_among_others)
{
	struct wire_dbus_message message;
	struct err e;
	pid_t pid;
	struct wire_dbus bus = bus_with(say_in_pieces, &pid);

	int r = wire_dbus_wait_signal(&bus, &message, "org.test", "Wanted", INT64_MAX / 2, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_str_eq(message.head.member, "Wanted");
	r = wire_dbus_wait_signal(&bus, &message, "org.test", "Wanted", INT64_MAX / 2, &e);
	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(e.kind, ERR_UNREACHABLE);
	wire_dbus_close(&bus);
	waitpid(pid, NULL, 0);
}
END_TEST

/* A bus's side of "Authentication Protocol", as far as the client goes. */
static void let_in(int listener)
{
	static const char answer[] = "OK 0123456789abcdef0123456789abcdef\r\n";
	char asked[64] = "";

	int fd = accept(listener, NULL, NULL);
	if (recv(fd, asked, strlen("AUTH EXTERNAL\r\n") + 1, MSG_WAITALL) > 0)
		send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
	while (recv(fd, asked, sizeof(asked), 0) > 0)
		;
}

START_TEST(the_first_address_that_answers_counts)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct wire_dbus bus = WIRE_DBUS_INIT;
	struct err e;

	int length =
		snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "holm,test-%d", getpid());
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(
		bind(listener, (struct sockaddr *)&name,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t)length),
		0);
	ck_assert_int_eq(listen(listener, 1), 0);
	pid_t pid = fork();
	if (pid == 0) {
		let_in(listener);
		_exit(0);
	}
	own_free char *list = mem_format("tcp:host=x;unix:path=/nowhere;"
					 "unix:guid=01,abstract=holm%%2Ctest-%d",
					 getpid());
	int r = wire_dbus_connect(&bus, list, false, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	wire_dbus_close(&bus);
	waitpid(pid, NULL, 0);
	ck_assert_int_lt(wire_dbus_connect(&bus, "", false, &e), 0);
	ck_assert_int_eq(e.kind, ERR_UNREACHABLE);
}
END_TEST

UNIT_MAIN("wire/dbus", UNIT(a_deadline_holds_whatever_else_is_said_meanwhile),
	  UNIT(the_signal_that_is_waited_for_is_found_among_others),
	  UNIT(the_first_address_that_answers_counts))
