/* main.c - holm-dns RUNDIR: the name server of one container. Its monitor starts it when somebody
 * in there asks, with the sockets (network/resolver.h) as descriptors 3 and 4, which the monitor
 * keeps: what comes in while nobody serves waits there. So the program may end whenever that is
 * simplest: when nobody has asked for some time, when what it works by has changed, when it fails.
 *
 * Names of the container's own networks are answered from the files of names.h; all others by the
 * servers of the host, in whose network namespace this runs: so 127.0.0.53 is the host's. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "dns/config.h"
#include "dns/jail.h"
#include "dns/message.h"
#include "dns/names.h"
#include "dns/stream.h"
#include "dns/upstream.h"

enum { UDP_FD = 3, TCP_FD };

enum { IDLE_MS = 60000, DATAGRAMS_MAX = 64, QUERY_MAX = 4096 };

enum { FDS_MAX = 2 + DNS_PENDING_MAX + DNS_STREAMS_MAX };

struct server {
	struct dns_config config;
	struct dns_names names;
	struct dns_found found;
	struct dns_upstream upstream;
	struct dns_streams streams;
	int64_t now_ms;
	int64_t used_ms; /* when somebody asked last */
	unsigned turn;   /* who has several addresses is told another one first each time */
	bool ending;     /* for the next one to start: no more questions */
	uint8_t bytes[DNS_MESSAGE_MAX];
};

/* ---- answers ---- */

static void send_answer(struct server *s, const struct dns_client *client, const uint8_t *bytes,
			size_t length)
{
	if (client->connection >= 0)
		dns_stream_answer(&s->streams, client->connection, client->serial, bytes, length);
	else
		sendto(UDP_FD, bytes, length, MSG_DONTWAIT,
		       (const struct sockaddr *)&client->address, sizeof(client->address));
}

static void answered(void *arg, const struct dns_client *client, uint8_t *bytes, size_t length,
		     size_t question_end)
{
	if (client->connection < 0)
		length = dns_message_cut(bytes, length, question_end, client->answer_max);
	send_answer(arg, client, bytes, length);
}

static void add_addresses(struct server *s, struct dns_answer *answer, uint16_t type)
{
	const struct dns_found *found = &s->found;
	size_t first = found->count ? s->turn++ % found->count : 0;

	for (size_t i = 0; i < found->count; i++) {
		const struct dns_address *address = &found->addresses[(first + i) % found->count];
		uint16_t its = address->length == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA;
		if (type == its || type == DNS_TYPE_ANY)
			dns_message_add_address(answer, address->bytes, address->length);
	}
}

static bool find_reverse(struct server *s, const struct dns_question *question, char *to,
			 size_t size)
{
	uint8_t address[16];
	size_t length = question->type == DNS_TYPE_PTR
				? dns_message_parse_reverse(address, question->name)
				: 0;

	return length && dns_names_reverse(to, size, &s->names, address, length);
}

static void answer(struct server *s, const struct dns_client *client, const uint8_t *query,
		   const struct dns_question *question, enum dns_code code, const char *name)
{
	size_t max = client->connection >= 0 ? sizeof(s->bytes) : client->answer_max;
	struct dns_answer answer;

	dns_message_begin(&answer, s->bytes, max, query, question, code);
	if (code == DNS_CODE_OK && name)
		dns_message_add_name(&answer, name);
	else if (code == DNS_CODE_OK)
		add_addresses(s, &answer, question->type);
	send_answer(s, client, s->bytes, dns_message_end(&answer));
}

/* ---- questions ---- */

static bool find_name(struct server *s, const char *name)
{
	const char *linked = strv_value(&s->config.links, name);

	return dns_names_find(&s->found, &s->names, linked ? linked : name);
}

static void ask(struct server *s, struct dns_client *client, const uint8_t *query, size_t length)
{
	struct dns_question question;
	char name[2 * DNS_NAME_SIZE];

	int code = dns_message_parse(&question, query, length);
	if (code < 0)
		return;
	s->used_ms = s->now_ms;
	client->answer_max = question.answer_max;
	bool ours = code == DNS_CODE_OK && question.internet && question.name[0];
	if (code != DNS_CODE_OK)
		answer(s, client, query, &question, (enum dns_code)code, NULL);
	else if (ours && find_reverse(s, &question, name, sizeof(name)))
		answer(s, client, query, &question, DNS_CODE_OK, name);
	else if (ours && find_name(s, question.name))
		answer(s, client, query, &question, DNS_CODE_OK, NULL);
	else if (!s->config.forward)
		answer(s, client, query, &question, DNS_CODE_NO_NAME, NULL);
	else if (!dns_upstream_ask(&s->upstream, client, query, length, question.end, s->now_ms))
		answer(s, client, query, &question, DNS_CODE_FAILURE, NULL);
}

static void asked_by_stream(void *arg, int connection, uint32_t serial, const uint8_t *bytes,
			    size_t length)
{
	struct dns_client client = { .connection = connection, .serial = serial };

	ask(arg, &client, bytes, length);
}

static void read_datagrams(struct server *s)
{
	uint8_t query[QUERY_MAX];

	for (int i = 0; i < DATAGRAMS_MAX; i++) {
		struct dns_client client = { .connection = -1 };
		socklen_t size = sizeof(client.address);
		ssize_t n = recvfrom(UDP_FD, query, sizeof(query), MSG_DONTWAIT,
				     (struct sockaddr *)&client.address, &size);
		if (n < 0)
			return;
		ask(s, &client, query, (size_t)n);
	}
}

/* ---- the loop ---- */

static bool is_busy(const struct server *s)
{
	return s->upstream.count || s->streams.count;
}

static struct timespec wait_time(const struct server *s)
{
	int64_t at = s->used_ms + IDLE_MS;
	int64_t upstream = dns_upstream_next_ms(&s->upstream);
	int64_t streams = dns_stream_next_ms(&s->streams);

	if (upstream && upstream < at)
		at = upstream;
	if (streams && streams < at)
		at = streams;
	int64_t left = at < s->now_ms ? 0 : at - s->now_ms;
	return (struct timespec){ left / 1000, left % 1000 * 1000000 };
}

static int64_t now_ms(void)
{
	return moment_monotonic_ns() / 1000000;
}

/* Returns when it is time to end. */
static void serve(struct server *s)
{
	struct pollfd fds[FDS_MAX];

	while (!s->ending || s->upstream.count) {
		short own = s->ending ? 0 : POLLIN;
		fds[0] = (struct pollfd){ .fd = UDP_FD, .events = own };
		fds[1] = (struct pollfd){ .fd = TCP_FD, .events = own };
		size_t upstream = dns_upstream_poll(&s->upstream, fds + 2);
		size_t streams = dns_stream_poll(&s->streams, fds + 2 + upstream);
		struct timespec wait = wait_time(s);
		int n = ppoll(fds, 2 + upstream + streams, &wait, NULL);
		s->now_ms = now_ms();
		if (n < 0 && errno != EINTR)
			return;
		s->ending = s->ending || dns_config_has_changed(&s->config) ||
			    (!is_busy(s) && s->now_ms >= s->used_ms + IDLE_MS);
		dns_upstream_turn(&s->upstream, fds + 2, upstream, s->now_ms);
		dns_stream_turn(&s->streams, fds + 2 + upstream, streams, s->now_ms,
				asked_by_stream, s);
		if (!s->ending && fds[0].revents)
			read_datagrams(s);
		if (!s->ending && fds[1].revents)
			dns_stream_accept(&s->streams, TCP_FD, s->now_ms);
	}
}

/* ---- the beginning ---- */

static int open_empty(int names_fd, struct err *e)
{
	if (mkdirat(names_fd, ".empty", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make names/.empty");
	int fd = openat(names_fd, ".empty", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open names/.empty") : fd;
}

static int prepare(struct server *s, const char *run_dir, struct err *e)
{
	own_fd int run = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run < 0)
		return err_sys(e, "open %s", run_dir);
	own_fd int names = openat(run, "../../names", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (names < 0)
		return err_sys(e, "open names");
	own_fd int empty = open_empty(names, e);
	if (empty < 0)
		return empty;
	int r = dns_config_read(&s->config, run, e);
	if (r == 0)
		r = dns_names_open(&s->names, names, &s->config.networks, e);
	return r < 0 ? r : dns_jail_enter(empty, &s->names, e);
}

int main(int argc, char **argv)
{
	struct server *s = mem_new_struct(struct server);
	struct stat st;
	struct err e;

	if (argc != 2 || fstat(UDP_FD, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		dprintf(STDERR_FILENO, "usage: holm-dns RUNDIR\n"
				       "(started by holm-monitor, with sockets as 3 and 4)\n");
		return 125;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	s->now_ms = s->used_ms = now_ms();
	dns_upstream_open(&s->upstream, &s->config.servers, answered, s);
	dns_stream_open(&s->streams);
	if (prepare(s, argv[1], &e) < 0) {
		dprintf(STDERR_FILENO, "holm-dns: %s\n", e.text);
		return 1;
	}
	serve(s);
	dns_names_close(&s->names);
	return 0;
}
