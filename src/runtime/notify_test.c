#include "runtime/notify.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/unit.h"

static const struct {
	const char *message;
	const char *passes;
	bool ready;
} rows[] = {
	{ "READY=1", "READY=1\nMAINPID=7", true },
	{ "READY=1\n", "READY=1\nMAINPID=7", true },
	{ "MAINPID=1\nREADY=1\nSTATUS=a=b c", "READY=1\nSTATUS=a=b c\nMAINPID=7", true },
	{ "READY=0\nREADY=11", "READY=0\nREADY=11\n", false },
	{ "RELOADING=1\nMONOTONIC_USEC=12", "RELOADING=1\nMONOTONIC_USEC=12\n", false },
	{ "STATUS=READY=1\n\nWATCHDOG=1", "STATUS=READY=1\nWATCHDOG=1\n", false },
	{ "FDSTORE=1\nFDNAME=x\nBARRIER=1\nNOTIFYACCESS=all\nWATCHDOG_USEC=1\nMAINPIDFD=1", "",
	  false },
	{ "X_OWN=1\nready=1\nSTATUS", "", false },
	{ "", "", false },
};

START_TEST(only_what_concerns_the_whole_service_passes)
{
	char to[RUNTIME_NOTIFY_PASSED_MAX];

	ck_assert_int_eq(runtime_notify_filter(to, rows[_i].message, 7), rows[_i].ready);
	ck_assert_str_eq(to, rows[_i].passes);
}
END_TEST

START_TEST(a_message_of_the_greatest_length_fits)
{
	static const char start[] = "READY=1\nSTATUS=";
	char message[RUNTIME_NOTIFY_BYTES_MAX + 1], to[RUNTIME_NOTIFY_PASSED_MAX];

	memset(message, 'x', RUNTIME_NOTIFY_BYTES_MAX);
	message[RUNTIME_NOTIFY_BYTES_MAX] = '\0';
	memcpy(message, start, strlen(start));
	ck_assert(runtime_notify_filter(to, message, 2147483647));
	ck_assert_uint_eq(strlen(to), RUNTIME_NOTIFY_BYTES_MAX + strlen("\nMAINPID=2147483647"));
}
END_TEST

static int drain(int fd, char last[RUNTIME_NOTIFY_PASSED_MAX])
{
	int count = 0;

	for (ssize_t n; (n = recv(fd, last, RUNTIME_NOTIFY_PASSED_MAX - 1, MSG_DONTWAIT)) > 0;
	     count++)
		last[n] = '\0';
	return count;
}

START_TEST(ready_waits_for_a_manager_that_does_not_keep_up)
{
	int inside[2], outside[2];
	char last[RUNTIME_NOTIFY_PASSED_MAX] = "";
	struct err e;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, inside), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, outside), 0);
	struct runtime_notify notify = { inside[0], outside[0] };
	int full = 0;
	while (send(outside[0], "x", 1, 0) == 1)
		full++;
	ck_assert_int_eq(send(inside[1], "STATUS=lost", 11, 0), 11);
	ck_assert_int_eq(runtime_notify_forward(&notify, 7, &e), 0);
	send(inside[1], "READY=1", 7, 0);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(runtime_notify_forward(&notify, 7, &e) == 1 ? 0 : 1);
	}
	int status = 0, count;
	/* it has taken the message, and finds no room for it */
	for (ssize_t n = 1; n >= 0;)
		n = recv(inside[0], last, 1, MSG_PEEK);
	for (count = drain(outside[1], last); waitpid(pid, &status, WNOHANG) == 0;)
		count += drain(outside[1], last);
	count += drain(outside[1], last);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(count, full + 1);
	ck_assert_str_eq(last, "READY=1\nMAINPID=7");
}
END_TEST

UNIT_MAIN("runtime/notify", UNIT_LOOP(only_what_concerns_the_whole_service_passes, COUNT_OF(rows)),
	  UNIT(a_message_of_the_greatest_length_fits),
	  UNIT(ready_waits_for_a_manager_that_does_not_keep_up))
