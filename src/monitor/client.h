/* client.h - talking to a container's monitor: starting it, connecting to it, asking it. Used by
 * the engine and by the attach loop of cli/. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "monitor/protocol.h"

struct err;
struct monitor_exec_request;
struct runtime_inherited;

struct monitor_client {
	int fd; /* -1: none. To poll for reading; blocking unless the caller changes that */
	struct monitor_frames frames;
};

#define MONITOR_CLIENT_NONE                                                                        \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Starts `holm-monitor run run_dir` (an absolute path with config.json and monitor.json in it) as
 * a session of its own. What attach asks for (NULL: nothing) is done before the container starts,
 * so that no output is missed. The caller waits with monitor_client_started() and ends
 * *ret with monitor_client_close(); closing it does not end the container. */
struct monitor_spawn_attach {
	uint8_t flags;          /* enum monitor_attach */
	uint16_t rows, columns; /* first size of the terminal; 0: unknown */
};

/* Descriptors that the monitor gets; -1: none. */
struct monitor_spawn_given {
	int lock;    /* the locked folder of the container, open there until the container has been
		      * started: the lock tells that even if the caller is killed */
	int network; /* namespaces that the spec names as MONITOR_NETWORK and MONITOR_USER: the
		      * monitor keeps them for as long as it lives, over restarts */
	int user;
	int dns_udp; /* where the container's name server listens (network/resolver.h) */
	int dns_tcp;
	int ports[2]; /* what holds the host's ports (network/reserve.h): open for as long as the
		       * container's rules are there */
	const struct runtime_inherited *inherited; /* what the container keeps of the caller's: the
						    * monitor has them for as long as it lives, for
						    * the next start; NULL: nothing */
};
enum { MONITOR_PORTS = 9 }; /* the first of its two descriptors there */
#define MONITOR_NETWORK "/proc/self/fd/5"
#define MONITOR_USER    "/proc/self/fd/6"

int monitor_spawn(struct monitor_client *ret, const char *run_dir,
		  const struct monitor_spawn_attach *attach,
		  const struct monitor_spawn_given *given, struct err *e);

/* Starts `holm-monitor exec run_dir`: one more process in a running container. With a terminal the
 * streams travel as frames, attached from the start; without, the command inherits descriptors 0,
 * 1 and 2 of this process. It keeps inherited (or NULL), which the monitor has closed by STARTED.
 * The end comes as EXIT; after STARTED with detach nothing more comes. */
int monitor_spawn_exec(struct monitor_client *ret, const char *run_dir,
		       const struct monitor_exec_request *request,
		       const struct runtime_inherited *inherited, struct err *e);

/* Waits for STARTED. Fails with the monitor's own error (ERR_COMMAND_NOT_FOUND...), or
 * ERR_UNREACHABLE when it ended without a word. */
int monitor_client_started(struct monitor_client *client, pid_t *ret_pid, struct err *e);

/* Connects to the socket in run_dir. ERR_STATE: no monitor runs there. From then on all that waits
 * for an answer fails with ERR_TIMEOUT when none comes for 10 seconds. */
int monitor_connect(struct monitor_client *ret, const char *run_dir, struct err *e);

void monitor_client_close(struct monitor_client *client);

/* Sends one frame, whole. ERR_UNREACHABLE when the monitor is gone. */
int monitor_client_send(struct monitor_client *client, enum monitor_frame_type type,
			const void *payload, size_t length, struct err *e);

/* The next frame, waiting for it: 1, or 0 at the end of the connection. frame->payload is valid
 * until the next call. Fails with ERR_CORRUPT for what is no frame. */
int monitor_client_read(struct monitor_client *client, struct monitor_frame *ret, struct err *e);

/* The same without waiting, for loops over poll(2): 1; 0: none yet; -ECONNRESET at the end of the
 * connection (ERR_UNREACHABLE). Call it until it returns 0 before polling again. */
int monitor_client_try_read(struct monitor_client *client, struct monitor_frame *ret,
			    struct err *e);

/* No answer comes to these two. */
int monitor_client_attach(struct monitor_client *client, uint8_t flags, struct err *e);
int monitor_client_resize(struct monitor_client *client, uint16_t rows, uint16_t columns,
			  struct err *e);

/* Requests that wait for their answer; they fail with the monitor's error. Frames of output that
 * come in between are lost: use a connection of its own. */
int monitor_client_kill(struct monitor_client *client, int signal, struct err *e);
/* resources: linux.resources as JSON. */
int monitor_client_update(struct monitor_client *client, const char *resources, struct err *e);
int monitor_client_pause(struct monitor_client *client, bool pause, struct err *e);
/* Paused until this client releases it or is closed, be it by kill -9. Who unpauses it in between
 * ends that, too, and what is paused after that stays so. */
int monitor_client_hold(struct monitor_client *client, struct err *e);
int monitor_client_release(struct monitor_client *client, struct err *e);
/* Until it is closed its end is one that was asked for, and no health check runs. ERR_STATE. */
int monitor_client_checkpoint(struct monitor_client *client, struct err *e);
/* Returns once that end is there. */
int monitor_client_checkpointed(struct monitor_client *client, struct err *e);

/* Returns when the container is stopped for good (no restart follows), however long that takes;
 * ERR_TIMEOUT: the monitor shows no sign of life. *ret may be NULL. */
int monitor_client_stop(struct monitor_client *client, const struct monitor_stop *stop,
			struct monitor_exit *ret, struct err *e);

/* A health check now, or the one that runs; returns its end, however long that takes. *ret_code is
 * the exit code, -1 if it had none. ERR_UNSUPPORTED: the container has no check. */
int monitor_client_check(struct monitor_client *client, int *ret_code, struct err *e);

/* Its init is asked to boot it again; returns at its end, which *ret says what follows. Patient. */
int monitor_client_reboot(struct monitor_client *client, int timeout_s, struct monitor_exit *ret,
			  struct err *e);

/* Waits for the next exit, also one that a restart follows (docker wait does the same); with
 * final for one that no restart follows. ERR_UNREACHABLE: the monitor was killed. Patient with one
 * that shows no sign of life. */
int monitor_client_wait(struct monitor_client *client, bool final, struct monitor_exit *ret,
			struct err *e);

static inline void monitor_client_own_call(struct monitor_client *client)
{
	monitor_client_close(client);
}
#define own_monitor_client __attribute__((cleanup(monitor_client_own_call)))
