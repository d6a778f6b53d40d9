#include "runtime/channel.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"

struct message {
	int32_t type;
	int32_t value;
};

int runtime_channel_open(int ends[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "make a socket pair");
	return 0;
}

int runtime_channel_send(int channel, enum runtime_message message, int value, const int *fds,
			 size_t fds_count, struct err *e)
{
	struct message m = { .type = (int32_t)message, .value = value };

	return fd_send(channel, &m, sizeof(m), fds, fds_count, e);
}

void runtime_channel_send_error(int channel, const struct err *from)
{
	while (write(channel, from, sizeof(*from)) < 0 && errno == EINTR)
		;
}

static void take_fds(int *fds, const int *received, size_t count)
{
	for (size_t i = 0; fds && i < RUNTIME_CHANNEL_FDS; i++)
		fds[i] = i < count ? received[i] : -1;
	for (size_t i = fds ? RUNTIME_CHANNEL_FDS : 0; i < count; i++)
		close(received[i]);
}

static int take_error(struct err *e, const struct err *from)
{
	*e = *from;
	e->text[sizeof(e->text) - 1] = '\0';
	e->hint[sizeof(e->hint) - 1] = '\0';
	if (e->kind >= ERR_KINDS || e->number <= 0)
		err_set(e, ERR_INTERNAL, "a broken message from the container's process");
	return RUNTIME_MESSAGE_FAILED;
}

int runtime_channel_receive(int channel, int *value, int *fds, struct err *e)
{
	union {
		struct message message;
		struct err error;
		int32_t number;
	} in;
	int received[FD_PASS_MAX];
	size_t count = 0;

	ssize_t n = fd_receive(channel, &in, sizeof(in), received, &count, e);
	/* it went without having read what it was told; told once, what it said itself follows */
	if (n == -ECONNRESET)
		n = fd_receive(channel, &in, sizeof(in), received, &count, e);
	if (n == -ECONNRESET)
		return RUNTIME_MESSAGE_NONE;
	if (n < 0)
		return (int)n;
	take_fds(fds, received, count);
	if (n == 0)
		return RUNTIME_MESSAGE_NONE;
	if (n == sizeof(in.error))
		return take_error(e, &in.error);
	if (n == sizeof(in.number)) {
		if (value)
			*value = in.number;
		return RUNTIME_MESSAGE_NO_EXEC;
	}
	if (n != sizeof(in.message))
		return err_set(e, ERR_INTERNAL, "a message of %zd bytes from the child", n);
	if (value)
		*value = in.message.value;
	return in.message.type;
}
