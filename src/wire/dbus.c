#include "wire/dbus.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/strv.h"
#include "wire/dbus_address.h"

enum { LINE_BYTES_MAX = 512, SIGNALS_MAX = 10000, POLL_MS_MAX = 60000 };

/* ---- bytes ---- */

static void start_clock(struct wire_dbus *bus)
{
	bus->deadline_ns = moment_monotonic_ns() + WIRE_DBUS_ANSWER_MS * (int64_t)1000000;
}

/* Some bytes, at least one, before the deadline. */
static ssize_t receive_some(struct wire_dbus *bus, char *to, size_t size, struct err *e)
{
	for (;;) {
		struct pollfd readable = { bus->fd, POLLIN, 0 };
		int64_t left_ms = (bus->deadline_ns - moment_monotonic_ns()) / 1000000;
		ssize_t n = recv(bus->fd, to, size, MSG_DONTWAIT);
		if (n > 0)
			return n;
		if (n == 0)
			return err_set(e, ERR_UNREACHABLE, "D-Bus: the other side hung up");
		if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
			return err_sys(e, "D-Bus: receive");
		if (left_ms <= 0)
			return err_set(e, ERR_TIMEOUT, "D-Bus: no answer in time");
		poll(&readable, 1, left_ms < POLL_MS_MAX ? (int)left_ms : POLL_MS_MAX);
	}
}

/* ---- connecting ---- */

static int open_socket(const char *address, struct err *e)
{
	struct timeval limit = { .tv_sec = WIRE_DBUS_ANSWER_MS / 1000 };
	struct sockaddr_un name;
	socklen_t length;

	int r = wire_dbus_address_parse(&name, &length, address, e);
	if (r < 0)
		return r;
	own_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&name, length) < 0)
		return err_sys(e, "connect to %s", address);
	return take_fd(&fd);
}

static int read_line(struct wire_dbus *bus, char line[LINE_BYTES_MAX], struct err *e)
{
	for (size_t n = 0; n + 1 < LINE_BYTES_MAX; n++) {
		ssize_t r = receive_some(bus, line + n, 1, e);
		if (r < 0)
			return err_add(e, "authenticate");
		line[n + 1] = '\0';
		if (n > 0 && line[n - 1] == '\r' && line[n] == '\n') {
			line[n - 1] = '\0';
			return 0;
		}
	}
	return err_set(e, ERR_CORRUPT, "D-Bus: an endless line");
}

static int send_text(int fd, const char *text, size_t length, struct err *e)
{
	while (length) {
		ssize_t n = send(fd, text, length, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "D-Bus: send");
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* "Authentication Protocol": EXTERNAL without a name, so that who we are is what the kernel says,
 * also when a user namespace shows us another id. */
static int authenticate(struct wire_dbus *bus, struct err *e)
{
	static const char hello[] = "\0AUTH EXTERNAL\r\n";
	char line[LINE_BYTES_MAX];

	int r = send_text(bus->fd, hello, sizeof(hello) - 1, e);
	if (r == 0)
		r = read_line(bus, line, e);
	if (r == 0 && str_starts(line, "DATA")) {
		r = send_text(bus->fd, "DATA\r\n", strlen("DATA\r\n"), e);
		if (r == 0)
			r = read_line(bus, line, e);
	}
	if (r < 0)
		return r;
	if (!str_starts(line, "OK"))
		return err_set(e, ERR_PERMISSION, "D-Bus: not let in: %.100s", line);
	return send_text(bus->fd, "BEGIN\r\n", strlen("BEGIN\r\n"), e);
}

static int greet(struct wire_dbus *bus, struct err *e)
{
	const struct wire_dbus_head hello = {
		.destination = "org.freedesktop.DBus",
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "Hello",
	};
	const struct str nothing = { 0 };
	struct wire_dbus_message ignored;

	return wire_dbus_call(bus, &ignored, &hello, &nothing, e);
}

static int connect_one(struct wire_dbus *ret, const char *address, bool has_bus, struct err *e)
{
	struct wire_dbus bus = WIRE_DBUS_INIT;

	bus.fd = open_socket(address, e);
	if (bus.fd < 0)
		return bus.fd;
	start_clock(&bus);
	int r = authenticate(&bus, e);
	if (r == 0 && has_bus)
		r = greet(&bus, e);
	if (r < 0) {
		wire_dbus_close(&bus);
		return err_add(e, "%s", address);
	}
	*ret = bus;
	return 0;
}

int wire_dbus_connect(struct wire_dbus *ret, const char *address, bool has_bus, struct err *e)
{
	own_clear(strv_clear) struct strv list = { 0 };
	int r = err_set(e, ERR_INVALID, "D-Bus address '%s': there is none", address);

	strv_split(&list, address, ';');
	for (size_t i = 0; r < 0 && i < list.count; i++)
		r = connect_one(ret, list.items[i], has_bus, e);
	if (r == 0)
		return 0;
	e->kind = ERR_UNREACHABLE;
	return r;
}

void wire_dbus_close(struct wire_dbus *bus)
{
	if (bus->fd >= 0)
		close(bus->fd);
	for (size_t i = 0; i < bus->waiting_count; i++)
		str_clear(&bus->waiting[i]);
	free(bus->waiting);
	str_clear(&bus->message);
	*bus = (struct wire_dbus)WIRE_DBUS_INIT;
}

/* ---- messages ---- */

static int receive_bytes(struct wire_dbus *bus, size_t count, struct err *e)
{
	for (size_t got = 0; got < count;) {
		ssize_t n = receive_some(bus, str_room(&bus->message, count - got), count - got, e);
		if (n < 0)
			return (int)n;
		got += (size_t)n;
		bus->message.length += (size_t)n;
	}
	return 0;
}

static int receive(struct wire_dbus *bus, struct wire_dbus_message *ret, struct err *e)
{
	size_t length;

	bus->message.length = 0;
	int r = receive_bytes(bus, WIRE_DBUS_HEADER_BYTES, e);
	if (r == 0)
		r = wire_dbus_message_length(&length, (unsigned char *)bus->message.text, e);
	if (r == 0)
		r = receive_bytes(bus, length - WIRE_DBUS_HEADER_BYTES, e);
	if (r == 0)
		r = wire_dbus_message_parse(ret, (unsigned char *)bus->message.text, length, e);
	return r;
}

static int keep(struct wire_dbus *bus, struct err *e)
{
	struct {
		struct str *items;
		size_t count;
	} list = { bus->waiting, bus->waiting_count };

	if (list.count == SIGNALS_MAX)
		return err_set(e, ERR_UNREACHABLE, "D-Bus: too many signals");
	*shape_list_add(&list) = bus->message;
	bus->message = (struct str){ 0 };
	bus->waiting = list.items;
	bus->waiting_count = list.count;
	return 0;
}

static int refused(struct wire_dbus *bus, const struct wire_dbus_message *message,
		   const char *member, struct err *e)
{
	struct wire_dbus_reader body = { .bytes = message->body, .length = message->body_length };
	const char *name = message->error_name ? message->error_name : "";
	const char *text = name;

	if (str_starts(message->head.signature ? message->head.signature : "", "s"))
		wire_dbus_read_string(&body, &text);
	snprintf(bus->error_name, sizeof(bus->error_name), "%s", name);
	return err_set(e, ERR_UNREACHABLE, "%s: %.500s", member, text);
}

int wire_dbus_call(struct wire_dbus *bus, struct wire_dbus_message *ret,
		   const struct wire_dbus_head *call, const struct str *body, struct err *e)
{
	own_clear(str_clear) struct str bytes = { 0 };
	struct wire_dbus_head head = *call;
	struct wire_dbus_message message;

	head.type = WIRE_DBUS_CALL;
	head.serial = ++bus->serial;
	bus->error_name[0] = '\0';
	start_clock(bus);
	wire_dbus_format(&bytes, &head, body);
	int r = send_text(bus->fd, bytes.text, bytes.length, e);
	while (r == 0) {
		r = receive(bus, &message, e);
		if (r == 0 && message.head.type == WIRE_DBUS_SIGNAL)
			r = keep(bus, e);
		else if (r == 0 && message.reply_serial == head.serial)
			break;
	}
	if (r < 0)
		return r;
	if (message.head.type == WIRE_DBUS_ERROR)
		return refused(bus, &message, call->member, e);
	*ret = message;
	return 0;
}

static bool is_signal(const struct wire_dbus_message *message, const char *interface,
		      const char *member)
{
	return message->head.type == WIRE_DBUS_SIGNAL &&
	       str_equal(message->head.interface, interface) &&
	       str_equal(message->head.member, member);
}

/* The first of those that were kept, which becomes the message received last. */
static bool take_kept(struct wire_dbus *bus, struct wire_dbus_message *ret)
{
	struct err ignored;

	if (bus->waiting_count == 0)
		return false;
	str_clear(&bus->message);
	bus->message = bus->waiting[0];
	memmove(bus->waiting, bus->waiting + 1, --bus->waiting_count * sizeof(*bus->waiting));
	return wire_dbus_message_parse(ret, (unsigned char *)bus->message.text, bus->message.length,
				       &ignored) == 0;
}

int wire_dbus_wait_signal(struct wire_dbus *bus, struct wire_dbus_message *ret,
			  const char *interface, const char *member, int64_t deadline_ns,
			  struct err *e)
{
	struct wire_dbus_message message;

	bus->deadline_ns = deadline_ns;
	for (;;) {
		int r = take_kept(bus, &message) ? 0 : receive(bus, &message, e);
		if (r < 0)
			return r;
		if (!is_signal(&message, interface, member))
			continue;
		*ret = message;
		return 0;
	}
}
