#include "monitor/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "monitor/exec_request.h"
#include "monitor/program.h"
#include "runtime/inherited.h"

/* A monitor is a loop that answers within microseconds; what takes longer is the machine, or it was
 * stopped, or it hangs in a filesystem. */
enum { ANSWER_S = 10 };

static int gone(struct err *e)
{
	err_set(e, ERR_UNREACHABLE, "the container's monitor ended without a word");
	return -ECONNRESET;
}

static int silent(struct err *e)
{
	return err_set(e, ERR_TIMEOUT, "the container's monitor has not answered for %d seconds",
		       ANSWER_S);
}

void monitor_client_close(struct monitor_client *client)
{
	if (client->fd >= 0)
		close(take_fd(&client->fd));
	monitor_frames_clear(&client->frames);
}

/* ---- frames ---- */

int monitor_client_send(struct monitor_client *client, enum monitor_frame_type type,
			const void *payload, size_t length, struct err *e)
{
	unsigned char frame[MONITOR_HEADER_SIZE + MONITOR_PAYLOAD_MAX];
	size_t size = MONITOR_HEADER_SIZE + length, sent = 0;

	monitor_put_header(frame, type, length);
	if (length)
		memcpy(frame + MONITOR_HEADER_SIZE, payload, length);
	while (sent < size) {
		ssize_t n = send(client->fd, frame + sent, size - sent, MSG_NOSIGNAL);
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return gone(e);
		if (n < 0 && errno == EAGAIN)
			return silent(e);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "write to the monitor");
		sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* 1, 0: nothing yet (MSG_DONTWAIT), or -ECONNRESET at the end. */
static int read_some(struct monitor_client *client, int flags, struct err *e)
{
	size_t room;
	void *to = monitor_frames_room(&client->frames, &room);
	ssize_t n;

	do
		n = recv(client->fd, to, room, flags);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return flags & MSG_DONTWAIT ? 0 : silent(e);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return gone(e);
	if (n < 0)
		return err_sys(e, "read from the monitor");
	monitor_frames_added(&client->frames, (size_t)n);
	return 1;
}

static int read_frame(struct monitor_client *client, int flags, struct monitor_frame *ret,
		      struct err *e)
{
	for (;;) {
		int r = monitor_frames_next(&client->frames, ret);
		if (r < 0)
			return err_set(e, ERR_CORRUPT, "the monitor sent what is no frame");
		if (r > 0)
			return 1;
		r = read_some(client, flags, e);
		if (r <= 0)
			return r;
	}
}

int monitor_client_read(struct monitor_client *client, struct monitor_frame *ret, struct err *e)
{
	int r = read_frame(client, 0, ret, e);

	return r == -ECONNRESET ? 0 : r;
}

int monitor_client_try_read(struct monitor_client *client, struct monitor_frame *ret, struct err *e)
{
	return read_frame(client, MSG_DONTWAIT, ret, e);
}

/* ---- starting and connecting ---- */

/* The first of given is the peer, and closed here. */
static int start(struct monitor_client *client, const char *mode, const char *run_dir,
		 const struct monitor_program_given *given, struct err *e)
{
	pid_t pid = monitor_program_spawn(mode, run_dir, given, e);

	close(given->fds[0]);
	if (pid < 0)
		monitor_client_close(client);
	return pid < 0 ? pid : 0;
}

static int make_pair(struct monitor_client *client, int *peer, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket pair");
	*client = (struct monitor_client){ .fd = pair[0] };
	*peer = pair[1];
	return 0;
}

int monitor_spawn(struct monitor_client *ret, const char *run_dir,
		  const struct monitor_spawn_attach *attach,
		  const struct monitor_spawn_given *given, struct err *e)
{
	struct monitor_client client = MONITOR_CLIENT_NONE;
	int peer = -1;

	int r = make_pair(&client, &peer, e);
	if (r < 0)
		return r;
	if (attach)
		r = monitor_client_attach(&client, attach->flags, e);
	if (r == 0 && attach && attach->rows)
		r = monitor_client_resize(&client, attach->rows, attach->columns, e);
	if (r < 0) {
		close(peer);
		monitor_client_close(&client);
		return r;
	}
	const struct monitor_program_given all = {
		.fds = { peer, given->lock, given->network, given->user, given->dns_udp,
			 given->dns_tcp, given->ports[0], given->ports[1] },
		.kept = given->inherited ? given->inherited->items : NULL,
		.kept_count = given->inherited ? given->inherited->count : 0,
	};
	r = start(&client, "run", run_dir, &all, e);
	if (r == 0)
		*ret = client;
	return r;
}

static int write_request(const struct monitor_exec_request *request, struct err *e)
{
	own_json struct json_object *object = shape_write(&monitor_exec_request_shape, request);
	const char *text = json_text(object);

	own_fd int fd = memfd_create("holm-exec", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "make a memfd");
	int r = fd_write_all(fd, text, strlen(text));
	if (r < 0)
		return err_number(e, -r, "write the request");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "rewind the request");
	return take_fd(&fd);
}

int monitor_spawn_exec(struct monitor_client *ret, const char *run_dir,
		       const struct monitor_exec_request *request,
		       const struct runtime_inherited *inherited, struct err *e)
{
	struct monitor_client client = MONITOR_CLIENT_NONE;
	int peer = -1;

	own_fd int request_fd = write_request(request, e);
	if (request_fd < 0)
		return request_fd;
	int r = make_pair(&client, &peer, e);
	if (r < 0)
		return r;
	const struct monitor_program_given all = {
		.fds = { peer, request_fd, -1, -1, -1, -1, -1, -1 },
		.kept = inherited ? inherited->items : NULL,
		.kept_count = inherited ? inherited->count : 0,
	};
	r = start(&client, "exec", run_dir, &all, e);
	if (r == 0)
		*ret = client;
	return r;
}

int monitor_client_started(struct monitor_client *client, pid_t *ret_pid, struct err *e)
{
	struct monitor_frame frame;

	int r = read_frame(client, 0, &frame, e);
	if (r < 0)
		return r;
	if (frame.type == MONITOR_STARTED && frame.length == 4) {
		*ret_pid = (pid_t)monitor_get_u32(frame.payload);
		return 0;
	}
	if (frame.type == MONITOR_ERROR && monitor_get_err(e, &frame) == 0)
		return -e->number;
	return err_set(e, ERR_CORRUPT, "the monitor sent what is no answer");
}

int monitor_connect(struct monitor_client *ret, const char *run_dir, struct err *e)
{
	static const struct timeval patience = { .tv_sec = ANSWER_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	own_fd int folder = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 && errno == ENOENT)
		return err_set(e, ERR_STATE, "the container is not running");
	if (folder < 0)
		return err_sys(e, "open %s", run_dir);
	own_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return err_sys(e, "set up a socket");

	/* the address holds 107 bytes, a run folder may have a longer name */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/socket", folder);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(e, ERR_STATE, "the container is not running");
		return errno == EAGAIN ? silent(e) : err_sys(e, "connect to the monitor");
	}
	*ret = (struct monitor_client){ .fd = take_fd(&fd) };
	return 0;
}

/* ---- requests ---- */

int monitor_client_attach(struct monitor_client *client, uint8_t flags, struct err *e)
{
	return monitor_client_send(client, MONITOR_ATTACH, &flags, sizeof(flags), e);
}

int monitor_client_resize(struct monitor_client *client, uint16_t rows, uint16_t columns,
			  struct err *e)
{
	unsigned char size[] = { (unsigned char)rows, (unsigned char)(rows >> 8),
				 (unsigned char)columns, (unsigned char)(columns >> 8) };

	return monitor_client_send(client, MONITOR_RESIZE, size, sizeof(size), e);
}

/* Waits for OK; output that comes before is left out. */
static int wait_ok(struct monitor_client *client, struct err *e)
{
	struct monitor_frame frame;

	for (;;) {
		int r = read_frame(client, 0, &frame, e);
		if (r < 0)
			return r;
		if (frame.type == MONITOR_OK)
			return 0;
		if (frame.type != MONITOR_ERROR)
			continue;
		if (monitor_get_err(e, &frame) < 0)
			return err_set(e, ERR_CORRUPT, "the monitor sent what is no error");
		return -e->number;
	}
}

static int ask(struct monitor_client *client, enum monitor_frame_type type, const void *payload,
	       size_t length, struct err *e)
{
	int r = monitor_client_send(client, type, payload, length, e);

	return r < 0 ? r : wait_ok(client, e);
}

int monitor_client_kill(struct monitor_client *client, int signal, struct err *e)
{
	unsigned char payload[4];

	monitor_put_u32(payload, (uint32_t)signal);
	return ask(client, MONITOR_KILL, payload, sizeof(payload), e);
}

int monitor_client_update(struct monitor_client *client, const char *resources, struct err *e)
{
	size_t length = strlen(resources);

	if (length > MONITOR_PAYLOAD_MAX)
		return err_set(e, ERR_INVALID, "the limits take %zu bytes, more than %d", length,
			       MONITOR_PAYLOAD_MAX);
	return ask(client, MONITOR_UPDATE, resources, length, e);
}

int monitor_client_pause(struct monitor_client *client, bool pause, struct err *e)
{
	return ask(client, pause ? MONITOR_PAUSE : MONITOR_UNPAUSE, NULL, 0, e);
}

int monitor_client_hold(struct monitor_client *client, struct err *e)
{
	return ask(client, MONITOR_HOLD, NULL, 0, e);
}

int monitor_client_release(struct monitor_client *client, struct err *e)
{
	return ask(client, MONITOR_RELEASE, NULL, 0, e);
}

int monitor_client_checkpoint(struct monitor_client *client, struct err *e)
{
	return ask(client, MONITOR_CHECKPOINT, NULL, 0, e);
}

/* The next frame, however long that takes. A monitor that says nothing is asked for a sign of life;
 * patient goes on when there is none. */
static int read_late(struct monitor_client *client, bool patient, struct monitor_frame *ret,
		     struct err *e)
{
	for (bool asked = false;; asked = true) {
		int r = read_frame(client, 0, ret, e);
		if (r >= 0 || e->kind != ERR_TIMEOUT)
			return r;
		if (patient)
			continue;
		if (asked || monitor_client_send(client, MONITOR_WAIT, NULL, 0, e) < 0)
			return -e->number;
	}
}

static int wait_exit(struct monitor_client *client, bool final, bool patient,
		     struct monitor_exit *ret, struct err *e)
{
	struct monitor_frame frame;

	for (;;) {
		int r = read_late(client, patient, &frame, e);
		if (r < 0)
			return r;
		if (frame.type != MONITOR_EXIT)
			continue;
		struct monitor_exit got;
		if (monitor_get_exit(&got, &frame) < 0)
			return err_set(e, ERR_CORRUPT, "the monitor sent what is no exit status");
		if (final && (got.flags & MONITOR_EXIT_RESTARTING))
			continue;
		if (ret)
			*ret = got;
		return 0;
	}
}

int monitor_client_stop(struct monitor_client *client, const struct monitor_stop *stop,
			struct monitor_exit *ret, struct err *e)
{
	unsigned char payload[MONITOR_STOP_SIZE];

	monitor_put_u32(payload, (uint32_t)stop->signal);
	monitor_put_u32(payload + 4, (uint32_t)stop->timeout_s);
	/* waiting is asked for first: the exit may follow the stop at once */
	int r = ask(client, MONITOR_WAIT, NULL, 0, e);
	if (r == 0)
		r = ask(client, MONITOR_STOP, payload, sizeof(payload), e);
	return r < 0 ? r : wait_exit(client, true, false, ret, e);
}

int monitor_client_checkpointed(struct monitor_client *client, struct err *e)
{
	return wait_exit(client, true, true, NULL, e);
}

int monitor_client_wait(struct monitor_client *client, bool final, struct monitor_exit *ret,
			struct err *e)
{
	int r = ask(client, MONITOR_WAIT, NULL, 0, e);

	return r < 0 ? r : wait_exit(client, final, true, ret, e);
}

int monitor_client_reboot(struct monitor_client *client, int timeout_s, struct monitor_exit *ret,
			  struct err *e)
{
	unsigned char payload[4];

	monitor_put_u32(payload, (uint32_t)timeout_s);
	/* as of a stop */
	int r = ask(client, MONITOR_WAIT, NULL, 0, e);
	if (r == 0)
		r = ask(client, MONITOR_REBOOT, payload, sizeof(payload), e);
	return r < 0 ? r : wait_exit(client, false, true, ret, e);
}

int monitor_client_check(struct monitor_client *client, int *ret_code, struct err *e)
{
	struct monitor_frame frame;
	int r = ask(client, MONITOR_CHECK, NULL, 0, e);

	while (r >= 0) {
		r = read_late(client, false, &frame, e);
		if (r < 0)
			break;
		if (frame.type == MONITOR_CHECKED && frame.length == 4) {
			*ret_code = (int)monitor_get_u32(frame.payload);
			return 0;
		}
		if (frame.type == MONITOR_ERROR)
			return monitor_get_err(e, &frame) < 0
				       ? err_set(e, ERR_CORRUPT,
						 "the monitor sent what is no error")
				       : -e->number;
	}
	return r;
}
