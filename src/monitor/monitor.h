/* monitor.h - the one struct of a running holm-monitor, and how its parts call each other. Only
 * for the files of this program.
 *
 * Everything hangs on one epoll loop (loop.c). output.c moves bytes from the container to the log
 * and to the peers, peer.c holds the connections and their queues, input.c moves bytes from the
 * peers to the container, request.c answers what peers ask, run.c and exec.c start and end. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "monitor/config.h"
#include "monitor/health.h"
#include "monitor/init.h"
#include "monitor/log_writer.h"
#include "monitor/protocol.h"
#include "monitor/state.h"
#include "runtime/cover.h"
#include "runtime/figures.h"
#include "runtime/runtime.h"

struct epoll_event;
struct err;
struct monitor;
struct oci_spec;
struct seccomp_data;
struct seccomp_notif;

/* A descriptor in the loop. */
struct monitor_source {
	int fd; /* -1: closed */
	uint32_t events;
	void (*ready)(struct monitor *m, struct monitor_source *source, uint32_t events);
};

/* One connection. */
struct monitor_peer {
	struct monitor_source source; /* the first member: a source is its peer */
	struct monitor_peer *next;
	struct monitor_frames frames;
	uint8_t attach;   /* enum monitor_attach; 0: not attached */
	bool waits;       /* wants EXIT frames */
	bool checks;      /* wants the next CHECKED frame */
	bool awaits;      /* wants READY */
	bool ended;       /* to be freed at the end of this round of the loop */
	bool read_closed; /* it sends no more */
	struct str queue; /* what its socket did not take yet, whole frames */
	size_t queue_sent;
	uint64_t dropped; /* bytes of output since its queue was full */
	struct str input; /* what the container did not take yet */
};

/* The parts of the program that are not written to. */
enum { MONITOR_MEMORY_RANGES = 4 };
struct monitor_memory {
	bool idle; /* all has been given back */
	int count;
	uintptr_t start[MONITOR_MEMORY_RANGES];
	size_t length[MONITOR_MEMORY_RANGES];
};

/* The container's health (check.c). */
struct monitor_check {
	struct monitor_source probe; /* the process that checks, as long as one does */
	int result;                  /* its answer comes here; -1 */
	int64_t due_ms;              /* of the next one; 0: none. CLOCK_MONOTONIC */
	int64_t late_ms;             /* the probe is killed then; 0: there is none */
	int64_t began_ms;
	struct monitor_health_tally tally;
};

/* The container's name server (dns.c). */
struct monitor_dns {
	struct monitor_source udp, tcp; /* its sockets, watched while nobody serves them */
	struct monitor_source process;
	int64_t started_ms;
	int64_t again_at_ms; /* not before, after a failure; 0: at once */
};

/* A whole system (guest.c). */
enum { MONITOR_GUEST_CONSOLE_MAX = 16384 };
struct monitor_guest {
	struct monitor_source notify; /* /run/host/notify */
	int folder;                   /* that is booted in place, locked; 0: none */
	bool is_ready;
	int64_t quiet_at_ms; /* it counts as ready then, if it says nothing; 0: no */
	char last[24];       /* of its console, to find a prompt that comes in pieces */
	struct str console;  /* the end of what it wrote there */
	int64_t ask_at_ms;   /* what its init did not hear yet, it is asked again then; 0: no */
	enum monitor_init_wish wish;
};

/* What a container sees of its limits (figures.c), and what it asks by system calls
 * (figures_call.c). */
enum { MONITOR_FIGURES_FILES = 7 };
struct monitor_figures_file {
	struct str text; /* as it was read last, until it was read to the end */
	int64_t made_ns;
};
/* Another process, which answers for as long as this one cannot. */
struct monitor_figures_lent {
	pid_t pid; /* 0: there is none */
	int end_fd;
};
struct monitor_figures {
	struct monitor_figures_lent beside;
	struct monitor_source beside_end;
	int64_t began_ns; /* CLOCK_BOOTTIME of the host, when the container's own was 0 */
	struct monitor_source files_source;
	struct monitor_figures_file files[MONITOR_FIGURES_FILES];
	struct runtime_covers covers; /* until the container has them */
	struct runtime_load load;
	int64_t load_ns;       /* uptime at which it was counted */
	uint64_t load_used_ns; /* CPU time by then */
	int64_t load_at_ms;    /* it is counted again then; 0: when somebody looks */
	int64_t looked_at_ms;
};

/* Its system calls that are answered here (calls.c). */
struct monitor_calls_listener {
	struct monitor_source source;
	struct monitor_calls_listener *next;
};
struct monitor_calls {
	struct monitor_source socket; /* to which listeners come */
	struct monitor_calls_listener *listeners;
};

/* Containers in it (children.c). */
struct monitor_children {
	uint64_t max;
	int pid_namespace;                  /* its own; -1: nobody has asked yet */
	struct monitor_child_maker *makers; /* allowed, and not seen yet */
	struct monitor_child_asker *askers; /* in the order in which they came */
	int64_t due_ms;                     /* they are looked at again then; 0: there are none */
};

/* Its rules (threshold.c). */
struct monitor_threshold {
	int64_t due_ms; /* of the next look; 0: none */
	int64_t looked_at_ms;
	uint64_t cpu_ns;  /* by then */
	struct strv over; /* the rules whose amount is exceeded: they have acted */
	bool throttled;
};

enum { MONITOR_HOOKS_NAMESPACES = 8 };

/* What the container inherits of who started it (kept.c). */
struct monitor_kept {
	int *fds; /* become its 3, 4...; -1: nothing does */
	size_t count;
};

enum monitor_phase {
	MONITOR_PHASE_STARTING,
	MONITOR_PHASE_RUNNING,
	MONITOR_PHASE_RESTARTING, /* waits for restart_at_ms */
	MONITOR_PHASE_ENDED,      /* only flushes what the peers have not read yet */
};

struct monitor {
	const char *exec_id; /* of exec alone */
	bool is_exec;        /* holm-monitor exec: no log, no restarts, no socket */
	enum monitor_phase phase;
	const char *run_path; /* argv */
	int run_dir;
	int container_dir;            /* the durable folder */
	int alive;                    /* holds the lock */
	struct monitor_config config; /* as monitor.json said when it was last looked at */
	ino_t config_inode;
	struct monitor_state state;
	struct monitor_log_writer log;

	int epoll;
	struct monitor_memory memory;
	struct monitor_source listener, signals, process;
	struct monitor_source output[2]; /* of stdout or the terminal, of stderr */
	struct monitor_source input;     /* the pipe to stdin; not with a terminal */
	int ports[2];                    /* hold the host's ports; -1 */
	struct monitor_kept kept;
	int terminal_peer; /* the slave side, open so that the master never hangs up */
	int program;       /* of its PID 1, of the last start */
	bool tty;
	bool output_held;       /* a lossless peer does not read */
	uint16_t rows, columns; /* asked for before there was a terminal */
	struct monitor_peer *peers;
	struct monitor_peer *owner; /* what lies on descriptor 3; borrowed from peers */

	struct monitor_check check;
	struct monitor_dns dns;
	struct monitor_guest guest;
	struct monitor_figures figures;
	struct monitor_calls calls;
	struct monitor_children children;
	struct monitor_threshold threshold;

	bool has_poststop;                        /* there are hooks to be run when it has ended */
	bool no_hooks;                            /* hooks.c has none to run, poststop excepted */
	int namespaces[MONITOR_HOOKS_NAMESPACES]; /* of its stop hooks; 0: none */
	bool stopped;                             /* by stop or kill: no restart */
	bool shutdown;      /* because the host goes down: at boot it counts as one that runs */
	bool restart_asked; /* it is unhealthy, or asked to reboot: it is to be started again
			     * whatever the policy */
	bool paused;
	struct monitor_peer *holder;       /* the pause ends with it; NULL: a person's. Borrowed */
	struct monitor_peer *checkpointer; /* whoever stores it now, and may end it. Borrowed */
	int64_t stop_at_ms;                /* SIGKILL then; 0: no. CLOCK_MONOTONIC */
	int64_t timeout_at_ms;             /* --timeout; 0: no */
	int64_t restart_at_ms;
	int64_t restart_delay_ms;
	int64_t started_ms;
	struct monitor_exit exit;
};

#define MONITOR_INIT                                                                               \
	{                                                                                          \
		.run_dir = -1, .container_dir = -1, .alive = -1, .epoll = -1,                      \
		.log = { .folder = -1, .fd = -1 }, .listener.fd = -1, .signals.fd = -1,            \
		.process.fd = -1, .output = { { .fd = -1 }, { .fd = -1 } }, .input.fd = -1,        \
		.terminal_peer = -1, .program = -1, .guest.notify.fd = -1,                         \
		.figures = { .beside_end.fd = -1, .files_source.fd = -1 }, .calls.socket.fd = -1,  \
		.children.pid_namespace = -1, .check = { .probe.fd = -1, .result = -1 },           \
		.dns = { .udp.fd = -1, .tcp.fd = -1, .process.fd = -1 }, .ports = { -1, -1 },      \
	}

/* ---- loop.c ---- */

int monitor_loop_open(struct monitor *m, struct err *e);

/* Turns until the container has ended and the peers have read all that was sent to them. */
void monitor_loop_run(struct monitor *m);

int64_t monitor_loop_now_ms(void); /* CLOCK_MONOTONIC */

/* ---- source.c ---- */

void monitor_source_open(struct monitor *m, struct monitor_source *source, int fd, uint32_t events);
void monitor_source_set(struct monitor *m, struct monitor_source *source, uint32_t events);
void monitor_source_close(struct monitor *m, struct monitor_source *source);

/* ---- peer.c ---- */

struct monitor_peer *monitor_peer_add(struct monitor *m, int fd); /* fd is the peer's */
int monitor_peer_listen(struct monitor *m, struct err *e);
void monitor_peer_send(struct monitor *m, struct monitor_peer *peer, enum monitor_frame_type type,
		       const void *payload, size_t length);
void monitor_peer_send_err(struct monitor *m, struct monitor_peer *peer, const struct err *e);

/* Frames that have come in; until there is no more, or the peer's input waits. */
void monitor_peer_read(struct monitor *m, struct monitor_peer *peer);

/* To all who are attached to this stream. */
void monitor_peer_broadcast(struct monitor *m, enum monitor_log_stream stream, const void *bytes,
			    size_t length);
/* EXIT to all who are attached or wait. */
void monitor_peer_send_exit(struct monitor *m);
void monitor_peer_close(struct monitor *m, struct monitor_peer *peer);
void monitor_peer_sweep(struct monitor *m); /* frees those that have ended */
void monitor_peer_update(struct monitor *m, struct monitor_peer *peer);
bool monitor_peer_any_queued(const struct monitor *m);
/* Does a lossless peer have more to read than is good? */
bool monitor_peer_holds_output(const struct monitor *m);

/* ---- output.c, input.c ---- */

void monitor_output_open(struct monitor *m, int index, int fd);
/* Reads what is there and is not coming any more. */
void monitor_output_drain(struct monitor *m);
void monitor_output_update(struct monitor *m);
void monitor_output_close(struct monitor *m);

void monitor_input_open(struct monitor *m, int fd);
void monitor_input_add(struct monitor *m, struct monitor_peer *peer, const void *bytes,
		       size_t length);
bool monitor_input_is_waiting(const struct monitor *m);
void monitor_input_flush(struct monitor *m);
void monitor_input_close(struct monitor *m);
/* A peer with input has gone or sent EOF. */
void monitor_input_end(struct monitor *m);
void monitor_input_resize(struct monitor *m, uint16_t rows, uint16_t columns);

/* ---- request.c ---- */

/* Answers one frame. -EPROTO: it is none that a client may send. */
int monitor_request(struct monitor *m, struct monitor_peer *peer,
		    const struct monitor_frame *frame);
int monitor_request_stop(struct monitor *m, const struct monitor_stop *stop, struct err *e);
void monitor_request_tell_kill(struct monitor *m, int signal);
/* Another boot of the same container: its network stays. */
int monitor_request_reboot(struct monitor *m, int timeout_s, struct err *e);
/* What --health-on-failure asks for. */
enum monitor_unhealthy {
	MONITOR_UNHEALTHY_KILL,
	MONITOR_UNHEALTHY_STOP,
	MONITOR_UNHEALTHY_RESTART
};
void monitor_request_end_unhealthy(struct monitor *m, enum monitor_unhealthy action);
/* The host goes down: as a stop with the container's own signal and time. */
void monitor_request_shutdown(struct monitor *m);
/* The peer goes: so does the pause that it held, or that it stores the container. */
void monitor_request_release(struct monitor *m, const struct monitor_peer *peer);
/* Who it was bound to has gone: it is killed if it runs. */
void monitor_request_abandon(struct monitor *m);
/* Deadlines of stop and --timeout that have come. */
void monitor_request_kill_late(struct monitor *m, int64_t now_ms);

/* ---- change.c ---- */

/* Reads monitor.json again if it is another than before: a container that runs can get another
 * name or restart policy. */
void monitor_change_read(struct monitor *m);

/* Tells an event of the container, under the name that it has now; pairs of attributes, key and
 * value, ended by NULL. */
void monitor_change_tell(struct monitor *m, const char *action, ...) __attribute__((sentinel));

/* ---- check.c: its health ---- */

void monitor_check_reset(struct monitor *m); /* before a start is recorded */
void monitor_check_begin(struct monitor *m); /* it runs, or goes on after a pause */
/* What is due. */
void monitor_check_turn(struct monitor *m, int64_t now_ms);
int64_t monitor_check_next_ms(const struct monitor *m); /* when that will be; 0: never */
/* No check is running when these return. */
void monitor_check_pause(struct monitor *m);
void monitor_check_end(struct monitor *m);
/* The peer gets CHECKED, or ERROR if the container is stopped or paused before that. ERR_STATE;
 * ERR_UNSUPPORTED: it has no check. */
int monitor_check_ask(struct monitor *m, struct monitor_peer *peer, struct err *e);

/* ---- dns.c: its name server ---- */

/* Takes the sockets over, -1: there are none; whoever serves them is started when somebody asks. */
void monitor_dns_open(struct monitor *m, int udp, int tcp);
void monitor_dns_turn(struct monitor *m, int64_t now_ms);
int64_t monitor_dns_next_ms(const struct monitor *m); /* when that is needed; 0: never */
void monitor_dns_close(struct monitor *m);

/* ---- guest.c ---- */

/* Before each start. */
int monitor_guest_prepare(struct monitor *m, struct err *e);
void monitor_guest_close(struct monitor *m);
void monitor_guest_output(struct monitor *m, const char *bytes, size_t length);
void monitor_guest_scroll_back(struct monitor *m, struct monitor_peer *peer);
void monitor_guest_turn(struct monitor *m, int64_t now_ms);
/* Its init is asked to go down, again and again until it listens, or has ended. */
void monitor_guest_ask(struct monitor *m, enum monitor_init_wish wish);

/* ---- threshold.c: its rules ---- */

void monitor_threshold_begin(struct monitor *m);
/* Of one that runs its limits or rules are others now. */
void monitor_threshold_change(struct monitor *m);
void monitor_threshold_turn(struct monitor *m, int64_t now_ms);

/* ---- figures.c ---- */

/* Before each start: what org.holm.figures asks for is opened, and m->figures.covers has what is to
 * lie over files of the container; the spec gets its time namespace. Behind the start
 * monitor_figures_attached(). */
int monitor_figures_prepare(struct monitor *m, struct oci_spec *spec, struct err *e);
void monitor_figures_attached(struct monitor *m);
void monitor_figures_close(struct monitor *m);
void monitor_figures_turn(struct monitor *m, int64_t now_ms);
int64_t monitor_figures_uptime_ns(const struct monitor *m);
const struct runtime_load *monitor_figures_load(struct monitor *m);

/* Whoever reads a pipe waits while another writes into it. A program that copies a file of ours
 * into its output by splice(2), as cat does, has the pipe locked until that file is read: where
 * pipes of the container are read here, another process answers, alone, for as long as it runs. */
void monitor_figures_answer_beside(struct monitor *m);

/* For as long as this process cannot answer, another does; nothing to do where one does anyway. */
void monitor_figures_lend(struct monitor *m, struct monitor_figures_lent *ret);
void monitor_figures_take_back(struct monitor_figures_lent *lent);

/* ---- figures_call.c ---- */

/* What the call returns, or -errno; -EAGAIN: the kernel is to answer. */
long monitor_figures_call_answer(struct monitor *m, int listener, const struct seccomp_notif *call);

/* ---- calls.c ---- */

/* Before each start: where the spec has a filter that asks here, its listeners can come. */
int monitor_calls_prepare(struct monitor *m, const struct oci_spec *spec, struct err *e);
/* r as above. -ENOENT: whoever asked waits no more, and asks again if it lives. */
int monitor_calls_reply(int listener, uint64_t id, long r);
void monitor_calls_close(struct monitor *m);

/* ---- children.c ---- */

int monitor_children_prepare(struct monitor *m, const struct oci_spec *spec, struct err *e);
bool monitor_children_are_meant(const struct seccomp_data *data);
/* Replies now, or in a later turn. */
void monitor_children_ask(struct monitor *m, int listener, const struct seccomp_notif *call);
void monitor_children_turn(struct monitor *m, int64_t now_ms);
void monitor_children_close(struct monitor *m);

/* ---- hooks.c ---- */

int monitor_hooks_pre_start(struct monitor *m, const struct oci_spec *spec, struct err *e);
/* Once it is created: it waits to be started. */
int monitor_hooks_start_host(struct monitor *m, const struct oci_spec *spec, pid_t pid,
			     struct err *e);
/* It has ended; again: another start follows. */
void monitor_hooks_stop(struct monitor *m, bool again);
void monitor_hooks_forget(struct monitor *m); /* there will be no such end */
/* Nothing is left of it. False: one has failed, and nothing is to follow. */
bool monitor_hooks_post_stop(struct monitor *m, bool again);
/* Before one of --rm is removed. */
void monitor_hooks_destroy(struct monitor *m);

/* ---- container.c: the process that is monitored ---- */

/* Starts the container, from config.json as it is now. On failure nothing is left of it. */
int monitor_container_start(struct monitor *m, struct err *e);
/* Takes over what has been started: from here on it is watched. */
void monitor_container_watch(struct monitor *m, struct runtime_process *process);
/* What is left of it once it has ended. */
int monitor_container_delete(struct monitor *m, struct err *e);
/* state.json */
int monitor_container_store(struct monitor *m, const char *status, struct err *e);

/* ---- end.c ---- */

/* The end for good: records it, tells it, clears up. why: it could not be started; or NULL, and
 * m->exit tells. */
void monitor_end(struct monitor *m, const struct err *why);

/* ---- kept.c ---- */

/* Descriptors from MONITOR_PROGRAM_KEPT on, before anything else is opened. */
void monitor_kept_take(struct monitor *m, size_t count);
void monitor_kept_close(struct monitor *m);
/* ERR_CORRUPT: more are to be told than are there. */
int monitor_kept_pass(const struct monitor *m, struct runtime_options *options,
		      const struct monitor_listen_config *listen, struct err *e);

/* ---- memory.c ---- */

/* epoll_wait(2), returning -errno, that gives memory back when nothing happens. */
int monitor_memory_wait(struct monitor_memory *memory, int epoll, struct epoll_event *events,
			int max, int timeout_ms);

/* ---- the programs ---- */

/* What both share: descriptors from fds_from on are closed, but what is kept; the loop and the peer
 * on descriptor 3 are there. */
int monitor_run_prepare(struct monitor *m, int fds_from, size_t kept_count, struct err *e);
void monitor_run_send_started(struct monitor *m, pid_t pid);
void monitor_run_forget_login(void);
void monitor_run_leave_streams(void); /* 0, 1 and 2 become /dev/null */

/* Both fail only while there is nobody to tell on descriptor 3. */
int monitor_run(const char *run_path, size_t kept_count, struct err *e);
int monitor_exec(const char *run_path, size_t kept_count, struct err *e);
