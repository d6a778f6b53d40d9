#include "proxy/datagrams.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "proxy/flows.h"
#include "proxy/inside.h"
#include "proxy/target.h"
#include "proxy/way.h"

/* SPARE: descriptors that are none of a client's. An address that was found holds for a second. */
enum { BATCH = 16, DATAGRAM_MAX = 65536, EVENTS_MAX = 64, SPARE = 16, FOUND_MS = 1000 };

/* What recvmmsg(2) and sendmmsg(2) want, and room for what they bring. */
struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec places[BATCH];
	struct sockaddr_storage names[BATCH];
	char controls[BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo))];
	char bytes[BATCH][DATAGRAM_MAX];
};

struct port {
	int listener;
	int epoll;
	const struct proxy_target *target;
	struct proxy_flows flows;
	struct proxy_way way;
	struct found {
		struct sockaddr_storage address;
		bool is_there;
		int64_t at_ms;
	} found[2]; /* for clients of IPv4, of IPv6 */
	int64_t now_ms;
	bool is_over;
	struct batch batch; /* a megabyte, of which the kernel gives what is used */
};

/* ---- what is received ---- */

static int receive(struct batch *batch, int fd, bool listens)
{
	for (int i = 0; i < BATCH; i++) {
		batch->places[i] = (struct iovec){ batch->bytes[i], DATAGRAM_MAX };
		batch->messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &batch->places[i],
			.msg_iovlen = 1,
			.msg_name = listens ? &batch->names[i] : NULL,
			.msg_namelen = listens ? sizeof(batch->names[i]) : 0,
			.msg_control = listens ? batch->controls[i] : NULL,
			.msg_controllen = listens ? sizeof(batch->controls[i]) : 0,
		};
	}
	return recvmmsg(fd, batch->messages, BATCH, MSG_DONTWAIT, NULL);
}

/* The host's address that was spoken to; of a broadcast the one that answers. */
static bool read_local(struct sockaddr_storage *to, struct msghdr *message)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		const struct in_pktinfo *info = (const void *)CMSG_DATA(c);
		const struct in6_pktinfo *info6 = (const void *)CMSG_DATA(c);
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			four->sin_family = AF_INET;
			four->sin_addr = info->ipi_spec_dst;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			six->sin6_family = AF_INET6;
			six->sin6_addr = info6->ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
				six->sin6_scope_id = info6->ipi6_ifindex;
		}
	}
	return to->ss_family != AF_UNSPEC;
}

/* Its answers come from there. */
static size_t write_local(char *control, const struct sockaddr_storage *local)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)local;
	const struct in_pktinfo info = { .ipi_spec_dst =
						 ((const struct sockaddr_in *)local)->sin_addr };
	const struct in6_pktinfo info6 = { six->sin6_addr, six->sin6_scope_id };
	const bool is_four = local->ss_family == AF_INET;
	struct cmsghdr *c = (struct cmsghdr *)control;
	size_t length = is_four ? sizeof(info) : sizeof(info6);

	c->cmsg_level = is_four ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = is_four ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(c), is_four ? (const void *)&info : (const void *)&info6, length);
	return CMSG_SPACE(length);
}

/* ---- clients ---- */

static int watch(struct port *p, int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void end_flow(struct port *p, struct proxy_flow *flow)
{
	if (flow->kept && !proxy_flows_shares(&p->flows, flow))
		proxy_way_remove(&p->way, &flow->ends.client);
	proxy_flows_end(&p->flows, flow);
}

/* Where the service is now: a container changes its networks. */
static const struct sockaddr_storage *find_target(struct port *p, int family)
{
	struct found *found = &p->found[family == AF_INET6];

	if (!found->at_ms || p->now_ms - found->at_ms >= FOUND_MS) {
		found->is_there = proxy_target_find(&found->address, p->target, family);
		found->at_ms = p->now_ms;
	}
	return found->is_there ? &found->address : NULL;
}

static bool is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static struct proxy_flow *open_flow(struct port *p, const struct proxy_ends *who,
				    const struct sockaddr_storage *target)
{
	bool kept;

	own_fd int fd = proxy_target_connect(&kept, p->target, SOCK_DGRAM, target, &who->client,
					     &who->local);
	if (fd < 0)
		return NULL;
	struct proxy_flow *surplus = proxy_flows_surplus(&p->flows);
	if (surplus)
		end_flow(p, surplus);
	struct proxy_flow *flow = proxy_flows_add(&p->flows, who, fd, p->now_ms);
	flow->target = *target;
	flow->kept = kept;
	if (watch(p, take_fd(&fd), flow) < 0 ||
	    (kept && !proxy_way_add(&p->way, &who->client, target))) {
		end_flow(p, flow);
		return NULL;
	}
	return flow;
}

static struct proxy_flow *find_flow(struct port *p, const struct proxy_ends *who)
{
	const struct sockaddr_storage *target = find_target(p, who->client.ss_family);
	struct proxy_flow *flow = proxy_flows_find(&p->flows, who);

	if (flow && (!target || !is_same(&flow->target, target))) {
		end_flow(p, flow);
		flow = NULL;
	}
	return flow || !target ? flow : open_flow(p, who, target);
}

/* ---- both ways ---- */

static void hand_in(struct port *p, struct mmsghdr *message)
{
	struct proxy_ends who;

	memcpy(&who.client, message->msg_hdr.msg_name, sizeof(who.client));
	if (!read_local(&who.local, &message->msg_hdr))
		return;
	struct proxy_flow *flow = find_flow(p, &who);
	if (!flow)
		return;
	const void *bytes = message->msg_hdr.msg_iov->iov_base;
	/* the first says that there was nobody before */
	if (send(flow->fd, bytes, message->msg_len, MSG_DONTWAIT) < 0 && errno == ECONNREFUSED)
		send(flow->fd, bytes, message->msg_len, MSG_DONTWAIT);
	proxy_flows_hear(&p->flows, flow, false, p->now_ms);
}

static void take_in(struct port *p)
{
	int count = receive(&p->batch, p->listener, true);

	for (int i = 0; i < count; i++)
		hand_in(p, &p->batch.messages[i]);
}

static void hand_out(struct port *p, struct proxy_flow *flow)
{
	struct batch *batch = &p->batch;
	int count = receive(batch, flow->fd, false), done = 0;

	if (count <= 0)
		return;
	proxy_flows_hear(&p->flows, flow, true, p->now_ms);
	size_t length = write_local(batch->controls[0], &flow->ends.local);
	for (int i = 0; i < count; i++) {
		struct msghdr *message = &batch->messages[i].msg_hdr;
		batch->places[i].iov_len = batch->messages[i].msg_len;
		message->msg_name = &flow->ends.client;
		message->msg_namelen = proxy_inside_length(&flow->ends.client);
		message->msg_control = batch->controls[0];
		message->msg_controllen = length;
	}
	/* one that cannot be sent is left out */
	while (done < count) {
		int sent = sendmmsg(p->listener, batch->messages + done, (unsigned)(count - done),
				    MSG_DONTWAIT);
		done += sent > 0 ? sent : 1;
	}
}

/* ---- all of it ---- */

static int64_t now(void)
{
	return moment_monotonic_ns() / 1000000;
}

/* Flows end where datagrams come in and here, and not while events name them. */
static void work(struct port *p)
{
	struct epoll_event events[EVENTS_MAX];
	bool heard = false;

	int count =
		epoll_wait(p->epoll, events, EVENTS_MAX, proxy_flows_wait_ms(&p->flows, p->now_ms));
	p->now_ms = now();
	for (int i = 0; i < count; i++)
		if (events[i].data.ptr == &p->listener)
			heard = true;
		else if (events[i].data.ptr == &p->is_over)
			p->is_over = true;
		else
			hand_out(p, events[i].data.ptr);
	if (heard)
		take_in(p);
	for (struct proxy_flow *flow; (flow = proxy_flows_expired(&p->flows, p->now_ms));)
		end_flow(p, flow);
}

/* As many as this process may have. */
static int most_flows(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= PROXY_FLOWS_MAX + SPARE)
		return PROXY_FLOWS_MAX;
	return limit.rlim_cur > SPARE ? (int)limit.rlim_cur - SPARE : 1;
}

static int prepare(struct port *p, int signals, struct err *e)
{
	const int on = 1;
	bool four = setsockopt(p->listener, SOL_IP, IP_PKTINFO, &on, sizeof(on)) == 0;
	bool six = setsockopt(p->listener, SOL_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0;

	if (!four && !six)
		return err_sys(e, "ask for the address that a datagram came to");
	if (watch(p, p->listener, &p->listener) < 0 || watch(p, signals, &p->is_over) < 0)
		return err_sys(e, "wait for datagrams");
	return 0;
}

int proxy_datagrams_carry(int listener, const struct proxy_target *target, struct err *e)
{
	own_free struct port *p = mem_new(1, sizeof(*p));
	struct proxy_target own = *target;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	own_fd int signals = signalfd(-1, &set, SFD_CLOEXEC);
	own_fd int epoll = epoll_create1(EPOLL_CLOEXEC);
	p->listener = listener;
	p->epoll = epoll;
	p->target = &own;
	p->way.socket = -1;
	p->now_ms = now();
	proxy_flows_init(&p->flows, most_flows());
	int r = prepare(p, signals, e);
	if (r < 0)
		return r;
	if (own.inside)
		own.keeps = proxy_way_open(&p->way, proxy_inside_port(&target->address));
	while (!p->is_over)
		work(p);
	/* their routes, too: the table has the number of this process, which another gets */
	for (struct proxy_flow *flow; (flow = proxy_flows_expired(&p->flows, INT64_MAX));)
		end_flow(p, flow);
	proxy_way_close(&p->way);
	return 0;
}
