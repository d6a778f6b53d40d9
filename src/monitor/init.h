/* init.h - how the init of a whole system is asked to go down. Which init that is, it is asked
 * itself: its name and the signals it waits for, as /proc tells them; nothing of it is configured,
 * and nothing of the container is run. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum monitor_init_wish { MONITOR_INIT_POWER_OFF, MONITOR_INIT_REBOOT };

/* What is to be done: a signal, and for those who take more than that, the file of the container
 * that is written first. */
struct monitor_init_way {
	const char *name; /* "systemd", "busybox"... of a table */
	int signal;       /* 0: the file alone */
	int (*prepare)(int root_fd, int proc_fd, enum monitor_init_wish wish, struct err *e);
	bool unseen; /* whether it listens cannot be told */
};

/* The way by comm (proc_pid_comm(5)), the name of the program behind it ("" if not known) and the
 * signals that it catches or waits for, as bits (proc_pid_status(5)). Pure. */
struct monitor_init_way monitor_init_choose(const char *comm, const char *program, uint64_t signals,
					    enum monitor_init_wish wish);

/* Does it say READY=1 to NOTIFY_SOCKET, as systemd does? */
bool monitor_init_notifies(pid_t pid);

/* Asks the process, a container's first. ERR_STATE: it does not listen, as one that has just begun,
 * or is gone. Returns 1 where it may not have heard. *ret_signal is what it was sent, 0 if it was
 * told by a file. */
int monitor_init_ask(pid_t pid, int pidfd, enum monitor_init_wish wish, int *ret_signal,
		     struct err *e);
