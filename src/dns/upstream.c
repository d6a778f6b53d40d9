#include "dns/upstream.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/own.h"

/* Askers give up after 5 seconds and ask again. */
enum { TRY_MS = 2000, ROUNDS = 2, TRIES_MAX = 4 };

enum { LENGTH_BYTES = 2 }; /* in front of a message by TCP */

void dns_upstream_open(struct dns_upstream *ret, const struct dns_servers *servers,
		       dns_answered *answered, void *arg)
{
	*ret = (struct dns_upstream){ .servers = servers, .answered = answered, .arg = arg };
	for (size_t i = 0; i < DNS_PENDING_MAX; i++)
		ret->pending[i].fd = -1;
}

static void end(struct dns_upstream *upstream, struct dns_pending *p)
{
	close(p->fd);
	str_clear(&p->query);
	str_clear(&p->read);
	*p = (struct dns_pending){ .fd = -1 };
	upstream->count--;
}

/* ---- sending ---- */

static int open_socket(const struct dns_server *server, int type)
{
	own_fd int fd = socket(server->address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&server->address, server->length) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return take_fd(&fd);
}

static int send_datagram(struct dns_pending *p)
{
	uint8_t *bytes = (uint8_t *)p->query.text;
	uint16_t id = dns_message_get_id(bytes);

	dns_message_set_id(bytes, p->id);
	ssize_t n = send(p->fd, bytes, p->query.length, MSG_NOSIGNAL);
	dns_message_set_id(bytes, id);
	return n < 0 ? -errno : 0;
}

/* One try, at the server whose turn it is. */
static int send_to(struct dns_pending *p, const struct dns_server *server, int64_t now_ms)
{
	int fd = open_socket(server, p->stream ? SOCK_STREAM : SOCK_DGRAM);

	if (fd < 0)
		return fd;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = fd;
	p->due_ms = now_ms + TRY_MS;
	p->sent = 0;
	p->read.length = 0;
	if (getrandom(&p->id, sizeof(p->id), 0) != sizeof(p->id))
		return -EIO;
	return p->stream ? 0 : send_datagram(p);
}

static size_t tries_max(const struct dns_upstream *upstream)
{
	size_t tries = ROUNDS * upstream->servers->count;

	return tries < TRIES_MAX ? tries : TRIES_MAX;
}

static size_t server_of(const struct dns_upstream *upstream, unsigned tries)
{
	return (upstream->preferred + tries) % upstream->servers->count;
}

/* The next server that can be sent to. false: there is none left. */
static bool try_next(struct dns_upstream *upstream, struct dns_pending *p, int64_t now_ms)
{
	while (p->tries < tries_max(upstream)) {
		size_t server = server_of(upstream, p->tries++);
		if (send_to(p, &upstream->servers->items[server], now_ms) == 0)
			return true;
	}
	return false;
}

static bool is_asked(const struct dns_upstream *upstream, const struct dns_client *client,
		     const uint8_t *query, size_t length)
{
	for (size_t i = 0; client->connection < 0 && i < DNS_PENDING_MAX; i++) {
		const struct dns_pending *p = &upstream->pending[i];
		if (p->fd >= 0 && p->client.connection < 0 && p->query.length == length &&
		    p->client.address.sin_port == client->address.sin_port &&
		    p->client.address.sin_addr.s_addr == client->address.sin_addr.s_addr &&
		    memcmp(p->query.text, query, length) == 0)
			return true;
	}
	return false;
}

bool dns_upstream_ask(struct dns_upstream *upstream, const struct dns_client *client,
		      const uint8_t *query, size_t length, size_t question_end, int64_t now_ms)
{
	struct dns_pending *p = upstream->pending;

	if (upstream->servers->count == 0 || upstream->count == DNS_PENDING_MAX)
		return false;
	if (is_asked(upstream, client, query, length))
		return true;
	while (p->fd >= 0)
		p++;
	*p = (struct dns_pending){ .fd = -1, .client = *client, .question_end = question_end };
	str_add_n(&p->query, query, length);
	upstream->count++;
	if (try_next(upstream, p, now_ms))
		return true;
	end(upstream, p);
	return false;
}

/* ---- receiving ---- */

static void hand_on(struct dns_upstream *upstream, struct dns_pending *p, uint8_t *bytes,
		    size_t length)
{
	struct dns_client client = p->client;
	size_t question_end = p->question_end;

	dns_message_set_id(bytes, dns_message_get_id((const uint8_t *)p->query.text));
	end(upstream, p);
	upstream->answered(upstream->arg, &client, bytes, length, question_end);
}

/* Nobody could be asked. */
static void give_up(struct dns_upstream *upstream, struct dns_pending *p)
{
	uint8_t bytes[DNS_UDP_MIN];
	struct dns_question question = { .end = p->question_end };
	struct dns_answer answer;

	dns_message_begin(&answer, bytes, sizeof(bytes), (const uint8_t *)p->query.text, &question,
			  DNS_CODE_FAILURE);
	dns_message_set_id(bytes, dns_message_get_id((const uint8_t *)p->query.text));
	hand_on(upstream, p, bytes, dns_message_end(&answer));
}

static void fail(struct dns_upstream *upstream, struct dns_pending *p, int64_t now_ms)
{
	/* those who come after are not to wait for it, too */
	if (server_of(upstream, p->tries - 1) == upstream->preferred)
		upstream->preferred = server_of(upstream, 1);
	if (!try_next(upstream, p, now_ms))
		give_up(upstream, p);
}

/* Does another server perhaps know better? */
static bool is_refusal(const uint8_t *bytes)
{
	enum dns_code code = dns_message_code(bytes);

	return code == DNS_CODE_FAILURE || code == DNS_CODE_NOT_IMPLEMENTED ||
	       code == DNS_CODE_REFUSED;
}

static void take(struct dns_upstream *upstream, struct dns_pending *p, uint8_t *bytes,
		 size_t length, int64_t now_ms)
{
	if (is_refusal(bytes) && try_next(upstream, p, now_ms))
		return;
	if (!is_refusal(bytes) && p->tries)
		upstream->preferred = server_of(upstream, p->tries - 1);
	if (!p->stream && p->client.connection >= 0 && dns_message_is_truncated(bytes)) {
		/* the same server, by TCP */
		p->stream = true;
		p->tries = 0;
		if (try_next(upstream, p, now_ms))
			return;
	}
	hand_on(upstream, p, bytes, length);
}

static void read_datagram(struct dns_upstream *upstream, struct dns_pending *p, int64_t now_ms)
{
	uint8_t *bytes = upstream->bytes;
	const uint8_t *query = (const uint8_t *)p->query.text;

	ssize_t n = recv(p->fd, bytes, sizeof(upstream->bytes), 0);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(upstream, p, now_ms); /* "connection refused": nobody is there */
	else if (n >= 0 && dns_message_answers(bytes, (size_t)n, query, p->question_end, p->id))
		take(upstream, p, bytes, (size_t)n, now_ms);
}

/* ---- by TCP ---- */

static int write_stream(struct dns_pending *p)
{
	uint8_t head[LENGTH_BYTES + DNS_HEADER];
	size_t rest = p->query.length - DNS_HEADER;

	head[0] = (uint8_t)(p->query.length >> 8);
	head[1] = (uint8_t)p->query.length;
	memcpy(head + LENGTH_BYTES, p->query.text, DNS_HEADER);
	dns_message_set_id(head + LENGTH_BYTES, p->id);
	struct iovec parts[] = { { head, sizeof(head) }, { p->query.text + DNS_HEADER, rest } };
	size_t skip = p->sent;
	for (int i = 0; i < 2; i++) {
		size_t cut = skip < parts[i].iov_len ? skip : parts[i].iov_len;
		parts[i].iov_base = (char *)parts[i].iov_base + cut;
		parts[i].iov_len -= cut;
		skip -= cut;
	}
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t n = sendmsg(p->fd, &message, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	p->sent += (size_t)n;
	return 0;
}

static bool is_sent(const struct dns_pending *p)
{
	return p->sent == LENGTH_BYTES + p->query.length;
}

/* How long all of the answer is, as far as that is known. */
static size_t expected(const struct str *read)
{
	const uint8_t *at = (const uint8_t *)read->text;

	return read->length < LENGTH_BYTES ? LENGTH_BYTES
					   : LENGTH_BYTES + (size_t)(at[0] << 8 | at[1]);
}

/* 1: it is whole; 0: more is to come. */
static int read_stream(struct dns_pending *p)
{
	while (p->read.length < expected(&p->read)) {
		size_t missing = expected(&p->read) - p->read.length;
		char *to = str_room(&p->read, missing);
		ssize_t n = recv(p->fd, to, missing, 0);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		p->read.length += (size_t)n;
	}
	return 1;
}

static void turn_stream(struct dns_upstream *upstream, struct dns_pending *p, int64_t now_ms)
{
	const uint8_t *query = (const uint8_t *)p->query.text;
	int r = is_sent(p) ? read_stream(p) : write_stream(p);

	if (r < 0) {
		fail(upstream, p, now_ms);
		return;
	}
	if (r == 0)
		return;
	struct str read = p->read;
	p->read = (struct str){ 0 };
	uint8_t *bytes = (uint8_t *)read.text + LENGTH_BYTES;
	size_t length = read.length - LENGTH_BYTES;
	if (dns_message_answers(bytes, length, query, p->question_end, p->id))
		take(upstream, p, bytes, length, now_ms);
	else
		fail(upstream, p, now_ms);
	str_clear(&read);
}

/* ---- the loop's ---- */

size_t dns_upstream_poll(const struct dns_upstream *upstream, struct pollfd *fds)
{
	size_t count = 0;

	for (size_t i = 0; count < upstream->count && i < DNS_PENDING_MAX; i++) {
		const struct dns_pending *p = &upstream->pending[i];
		if (p->fd < 0)
			continue;
		bool writes = p->stream && !is_sent(p);
		fds[count++] = (struct pollfd){ .fd = p->fd, .events = writes ? POLLOUT : POLLIN };
	}
	return count;
}

/* fds are in the order of the places, and what is asked meanwhile is in none of them. */
void dns_upstream_turn(struct dns_upstream *upstream, const struct pollfd *fds, size_t count,
		       int64_t now_ms)
{
	size_t k = 0;

	for (size_t i = 0; i < DNS_PENDING_MAX; i++) {
		struct dns_pending *p = &upstream->pending[i];
		if (p->fd < 0)
			continue;
		bool ready = k < count && fds[k].fd == p->fd && fds[k].revents;
		k += k < count && fds[k].fd == p->fd;
		if (ready && p->stream)
			turn_stream(upstream, p, now_ms);
		else if (ready)
			read_datagram(upstream, p, now_ms);
		else if (now_ms >= p->due_ms)
			fail(upstream, p, now_ms);
	}
}

int64_t dns_upstream_next_ms(const struct dns_upstream *upstream)
{
	int64_t next = 0;

	for (size_t i = 0; upstream->count && i < DNS_PENDING_MAX; i++) {
		const struct dns_pending *p = &upstream->pending[i];
		if (p->fd >= 0 && (!next || p->due_ms < next))
			next = p->due_ms;
	}
	return next;
}
