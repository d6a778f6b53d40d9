/* channel.h - the socket between the process that makes a container and the child that becomes
 * it: SOCK_SEQPACKET, one message a packet. An error is a bare struct err; what holm-init could not
 * exec, a bare int, the errno. The other end gone without a word means that the
 * child has exec'ed (or died). */
#pragma once
#include <stddef.h>

struct err;

enum runtime_message {
	RUNTIME_MESSAGE_NONE,     /* the other end is closed */
	RUNTIME_MESSAGE_PREPARED, /* to the child: what only the parent can do is done */
	RUNTIME_MESSAGE_NETWORK,  /* to the parent: move devices to the namespace that comes along,
				   * with a netlink socket of it */
	RUNTIME_MESSAGE_HOOKS,    /* to the parent: run those that precede pivot_root(2) */
	RUNTIME_MESSAGE_LISTENER, /* to the parent: of a seccomp filter that notifies */
	RUNTIME_MESSAGE_PID,      /* to the parent: another process went on in the child's place */
	RUNTIME_MESSAGE_READY,    /* to the parent: all is set up; carries the terminal */
	RUNTIME_MESSAGE_START,    /* to the child: exec now; may carry a channel in place of this */
	RUNTIME_MESSAGE_DETACH,   /* to the child: wait for START at the start socket */
	RUNTIME_MESSAGE_FAILED,   /* the child's error */
	RUNTIME_MESSAGE_NO_EXEC,  /* holm-init's: value is an errno */
};

enum { RUNTIME_CHANNEL_FDS = 2 };

/* Two ends, both O_CLOEXEC. */
int runtime_channel_open(int ends[2], struct err *e);

int runtime_channel_send(int channel, enum runtime_message message, int value, const int *fds,
			 size_t fds_count, struct err *e);

/* Sends from as it is; nothing can be done when that fails. */
void runtime_channel_send_error(int channel, const struct err *from);

/* Waits for one message, returns its enum runtime_message. value and fds (RUNTIME_CHANNEL_FDS of
 * them, -1 for none, the caller's) may be NULL. RUNTIME_MESSAGE_FAILED: *e is the child's error.
 * Negative: the channel itself failed. */
int runtime_channel_receive(int channel, int *value, int *fds, struct err *e);
