/* One loop over poll(2): standard input, the connection, the signals, and the output that is
 * waiting for a slow reader. Input and output never wait for each other, or a container that
 * answers while it is being fed (cat) could block both sides for ever: what goes to the monitor
 * is queued here and sent as it takes it, and standard input is read only while that queue is
 * empty. The caller's streams stay in the mode they have (O_NONBLOCK would change them for the
 * shell, too), so no more than PIPE_BUF bytes are written after each POLLOUT. */
#include "cli/relay.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "base/terminal.h"
#include "cli/detach.h"
#include "engine/engine.h"

enum { INTERRUPTS_MAX = 3 }; /* so many ^C or SIGTERM end us, if the container does not */

struct relay {
	struct engine_session *session;
	const struct cli_relay_options *o;
	struct cli_detach detach;
	struct terminal terminal;
	int signals;       /* a signalfd */
	int input;         /* 0, or -1 after its end */
	struct str outbox; /* frames for the monitor */
	size_t sent;       /* how much of it is gone */
	int out_fd;        /* where the rest of a frame goes, -1: nothing waits */
	const unsigned char *out;
	size_t out_left;
	bool broken[3]; /* our stdout, our stderr: nothing can be written to them any more */
	int lost;       /* the errno, of a full disk or so: what follows is not printed */
	int interrupts;
	bool ended;
	enum cli_relay_end how;
	int code;
};

int cli_relay_check(bool tty, bool input, const char *detach_keys, struct err *e)
{
	struct cli_detach detach;

	if (detach_keys && cli_detach_parse(&detach, detach_keys, e) < 0)
		return err_add(e, "--detach-keys");
	if (tty && input && !isatty(STDIN_FILENO)) {
		err_set(e, ERR_INVALID, "the standard input is not a terminal");
		return err_hint(e, "use -i without -t to send it a pipe or a file");
	}
	return 0;
}

static void end(struct relay *r, enum cli_relay_end how, int code)
{
	r->ended = true;
	r->how = how;
	r->code = code;
}

static void queue(struct relay *r, enum monitor_frame_type type, const void *bytes, size_t length)
{
	unsigned char header[MONITOR_HEADER_SIZE];

	monitor_put_header(header, type, length);
	str_add_n(&r->outbox, header, sizeof(header));
	str_add_n(&r->outbox, bytes, length);
}

static void queue_signal(struct relay *r, int number)
{
	unsigned char payload[4];

	monitor_put_u32(payload, (uint32_t)number);
	queue(r, MONITOR_KILL, payload, sizeof(payload));
}

static void queue_size(struct relay *r, uint16_t rows, uint16_t columns)
{
	unsigned char payload[MONITOR_RESIZE_SIZE] = { (unsigned char)rows,
						       (unsigned char)(rows >> 8),
						       (unsigned char)columns,
						       (unsigned char)(columns >> 8) };

	queue(r, MONITOR_RESIZE, payload, sizeof(payload));
}

static void resize(struct relay *r, bool redraw)
{
	uint16_t rows, columns;

	if (!r->session->tty || !terminal_size(&rows, &columns))
		return;
	if (redraw)
		queue_size(r, (uint16_t)(rows + 1), columns);
	queue_size(r, rows, columns);
}

/* ---- input ---- */

static void read_input(struct relay *r)
{
	unsigned char typed[MONITOR_PAYLOAD_MAX - CLI_DETACH_KEYS_MAX], out[MONITOR_PAYLOAD_MAX];
	size_t length;

	ssize_t n = read(r->input, typed, sizeof(typed));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		queue(r, MONITOR_STDIN_EOF, "", 0);
		r->input = -1;
		return;
	}
	bool detached = cli_detach_filter(&r->detach, typed, (size_t)n, out, &length);
	if (length)
		queue(r, MONITOR_STDIN, out, length);
	if (detached)
		end(r, CLI_RELAY_DETACHED, 0);
}

/* A monitor that has gone is noticed where its frames are read: its last words may be there. */
static void send_queued(struct relay *r)
{
	ssize_t n = send(r->session->client.fd, r->outbox.text + r->sent,
			 r->outbox.length - r->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	r->sent = n < 0 ? r->outbox.length : r->sent + (size_t)n;
	if (r->sent == r->outbox.length)
		r->sent = r->outbox.length = 0;
}

/* ---- output ---- */

static void broken_output(struct relay *r, int fd, int number)
{
	if (r->broken[fd])
		return;
	r->broken[fd] = true;
	if (number != EPIPE && !r->lost)
		r->lost = number;
	if (fd != STDOUT_FILENO)
		return;
	if (r->o->owner)
		queue_signal(r, SIGPIPE);
	else
		end(r, CLI_RELAY_DETACHED, 128 + SIGPIPE);
}

static void write_output(struct relay *r)
{
	size_t length = r->out_left < PIPE_BUF ? r->out_left : PIPE_BUF;
	ssize_t n = write(r->out_fd, r->out, length);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		broken_output(r, r->out_fd, errno);
		n = (ssize_t)r->out_left;
	}
	r->out += n;
	r->out_left -= (size_t)n;
	if (!r->out_left)
		r->out_fd = -1;
}

static void take_output(struct relay *r, const struct monitor_frame *frame, int fd, bool wanted)
{
	if (!wanted || r->broken[fd] || !frame->length)
		return;
	r->out_fd = fd;
	r->out = frame->payload;
	r->out_left = frame->length;
}

static int take_exit(struct relay *r, const struct monitor_frame *frame, struct err *e)
{
	struct monitor_exit status;

	if (monitor_get_exit(&status, frame) < 0)
		return err_set(e, ERR_CORRUPT, "the monitor sent a frame that cannot be read");
	if (!(status.flags & MONITOR_EXIT_RESTARTING))
		end(r, CLI_RELAY_EXITED, status.code);
	return 0;
}

static void take_dropped(const struct relay *r)
{
	static const char text[] = "\r\nholm: output was dropped here: this side reads too "
				   "slowly\r\n";

	if (r->o->error)
		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
}

static int take_frame(struct relay *r, const struct monitor_frame *frame, struct err *e)
{
	switch (frame->type) {
	case MONITOR_STDOUT:
		take_output(r, frame, STDOUT_FILENO, r->o->output);
		return 0;
	case MONITOR_STDERR:
		take_output(r, frame, STDERR_FILENO, r->o->error);
		return 0;
	case MONITOR_DROPPED:
		take_dropped(r);
		return 0;
	case MONITOR_EXIT:
		return take_exit(r, frame, e);
	default: /* the answers to signals: a container that just ended is no news */
		return 0;
	}
}

/* All frames that are here, until one has output that must be written first. */
static int read_frames(struct relay *r, struct err *e)
{
	while (!r->ended && r->out_fd < 0) {
		struct monitor_frame frame;
		int n = monitor_client_try_read(&r->session->client, &frame, e);
		if (n <= 0)
			return n;
		n = take_frame(r, &frame, e);
		if (n < 0)
			return n;
	}
	return 0;
}

/* ---- signals ---- */

/* Job control stays ours: ^Z stops holm as it stops any other program. */
static void watched_signals(sigset_t *set)
{
	static const int ours[] = { SIGCHLD, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT,
				    SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGABRT, SIGTRAP,
				    SIGSYS,  SIGURG,  SIGSTOP, SIGKILL };

	sigfillset(set);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigdelset(set, ours[i]);
}

static void take_signal(struct relay *r)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) != sizeof(info))
		return;
	int number = (int)info.ssi_signo;
	if (number == SIGWINCH) {
		resize(r, false);
		return;
	}
	bool interrupt = number == SIGINT || number == SIGTERM;
	if (!r->o->sig_proxy || (interrupt && ++r->interrupts >= INTERRUPTS_MAX)) {
		end(r, CLI_RELAY_DETACHED, 128 + number);
		return;
	}
	queue_signal(r, number);
}

/* ---- the loop ---- */

static int wait_and_serve(struct relay *r, struct err *e)
{
	bool busy = r->outbox.length > 0;
	bool writing = r->out_fd >= 0;
	struct pollfd polled[] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->session->client.fd,
		  .events = (short)((writing ? 0 : POLLIN) | (busy ? POLLOUT : 0)) },
		{ .fd = busy ? -1 : r->input, .events = POLLIN },
		{ .fd = r->out_fd, .events = POLLOUT },
	};

	/* without a wish for it the connection would still report its end, again and again */
	if (writing && !busy)
		polled[1].fd = -1;
	if (poll(polled, sizeof(polled) / sizeof(polled[0]), -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, "poll");
	if (polled[0].revents)
		take_signal(r);
	if (busy && polled[1].revents & (POLLOUT | POLLERR | POLLHUP))
		send_queued(r);
	if (polled[2].revents)
		read_input(r);
	if (polled[3].revents)
		write_output(r);
	return 0;
}

static int loop(struct relay *r, struct err *e)
{
	while (!r->ended) {
		int n = read_frames(r, e);
		if (n == 0 && !r->ended)
			n = wait_and_serve(r, e);
		if (n < 0)
			return err_add(e, "follow the container");
	}
	/* what was typed before the detach keys */
	while (r->how == CLI_RELAY_DETACHED && r->outbox.length) {
		struct pollfd polled = { .fd = r->session->client.fd, .events = POLLOUT };
		if (poll(&polled, 1, 1000) <= 0)
			break;
		send_queued(r);
	}
	return 0;
}

static int prepare(struct relay *r, struct err *e)
{
	bool terminal = r->session->tty && r->o->input && isatty(STDIN_FILENO);
	const char *keys = r->o->detach_keys ? r->o->detach_keys : CLI_DETACH_DEFAULT;

	if (terminal) {
		int n = cli_detach_parse(&r->detach, keys, e);
		if (n == 0)
			n = terminal_raw(&r->terminal, STDIN_FILENO, e);
		if (n < 0)
			return n;
	}
	resize(r, r->o->redraw);
	return 0;
}

int cli_relay(struct engine_session *session, const struct cli_relay_options *o, int *ret_code,
	      struct err *e)
{
	struct relay r = { .session = session,
			   .o = o,
			   .terminal = TERMINAL_NONE,
			   .input = o->input ? STDIN_FILENO : -1,
			   .out_fd = -1 };
	sigset_t watched, before;

	watched_signals(&watched);
	own_fd int signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return err_sys(e, "signalfd");
	r.signals = signals;
	sigprocmask(SIG_BLOCK, &watched, &before);
	void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);

	int n = prepare(&r, e);
	if (n == 0)
		n = loop(&r, e);
	terminal_restore(&r.terminal);
	str_clear(&r.outbox);
	signal(SIGPIPE, pipe_before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (n < 0)
		return n;
	/* the container may have done its work: it is we who did not print it all */
	if (r.lost && (r.code == 0 || r.code == 128 + SIGPIPE))
		return err_number(e, r.lost, "print what the container wrote");
	*ret_code = r.code;
	return r.how;
}
