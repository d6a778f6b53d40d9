/* notify.h - sd_notify(3) of a container, handed on to the service manager of the host, whose
 * NOTIFY_SOCKET the runtime's caller has. The container gets a socket of its own at
 * /run/notify/notify.sock, as with runc, in a folder that is mounted read-only from the state
 * folder.
 *
 * Who hands on, and for how long, is runc's way, too:
 *	create			runtime_notify_prepare()
 *	start, run --detach	runtime_notify_open() before the start, runtime_notify_wait() after
 *				it: until the container is ready or ends. MAINPID is the container's
 *	run			the same, but runtime_notify_forward() in the caller's own loop
 *				until the end. MAINPID is the caller's: what systemd is to watch */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct oci_spec;

enum {
	RUNTIME_NOTIFY_BYTES_MAX = 4096, /* systemd's own NOTIFY_BUFFER_MAX is PIPE_BUF */
	RUNTIME_NOTIFY_PASSED_MAX = RUNTIME_NOTIFY_BYTES_MAX + 64,
};

/* Where the container sees the folder. */
#define RUNTIME_NOTIFY_INSIDE "/run/notify"

struct runtime_notify {
	int socket; /* readable when there is something to hand on; -1: there is no proxy */
	int host;   /* connected to the service manager */
};
#define RUNTIME_NOTIFY_INIT                                                                        \
	{                                                                                          \
		-1, -1                                                                             \
	}
void runtime_notify_close(struct runtime_notify *notify);

/* Makes the folder "notify" in the state folder (dir_fd, whose name is path) and adds its mount and
 * NOTIFY_SOCKET to the spec. Whoever removes the state folder removes it, too. */
int runtime_notify_prepare(struct oci_spec *spec, int dir_fd, const char *path, struct err *e);

/* Was it prepared there? */
bool runtime_notify_is_prepared(int dir_fd);

/* Makes the container's socket, anew if need be, and connects to the service manager's: host is the
 * value of NOTIFY_SOCKET, a path or "@name". Without it (NULL, "") or the folder there is nothing
 * to do: ret->socket is -1. The caller closes *ret. */
int runtime_notify_open(struct runtime_notify *ret, int dir_fd, const char *host, struct err *e);

/* Hands one message on; main_pid goes along with READY=1. Only what concerns the service as a whole
 * passes: no pids, descriptors or rights. Returns 1 if it said READY=1, else 0; -EAGAIN: there was
 * none. That the service manager does not take it is no error of the container's; READY=1 waits for
 * it, 30 s at most. */
int runtime_notify_forward(struct runtime_notify *notify, pid_t main_pid, struct err *e);

/* Hands on until READY=1, or until the process ends that pidfd names. */
int runtime_notify_wait(struct runtime_notify *notify, pid_t main_pid, int pidfd, struct err *e);

/* What of a message may pass, with MAINPID if it says READY=1, which the return value tells. "" if
 * nothing may. Pure. message is at most RUNTIME_NOTIFY_BYTES_MAX long. */
bool runtime_notify_filter(char to[RUNTIME_NOTIFY_PASSED_MAX], const char *message, pid_t main_pid);
