/* flows.h - who has been heard at a UDP port, and the socket towards the service that is his. There
 * is a bounded number of them, and each ends when nothing has come either way for a while: the
 * times are those of the kernel's own connection tracking (nf_conntrack-sysctl.rst,
 * nf_conntrack_udp_timeout). Where there are too many, the one goes that has been silent longest,
 * of those without an answer first: senders that do not exist push out no client that does. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum { PROXY_FLOWS_MAX = 1024, PROXY_FLOWS_BUCKETS = 1024 };
enum { PROXY_FLOWS_NEW_MS = 30 * 1000, PROXY_FLOWS_ANSWERED_MS = 120 * 1000 };

/* Who speaks to whom. Both are of one family. */
struct proxy_ends {
	struct sockaddr_storage client;
	struct sockaddr_storage local; /* the host's address; its port is 0 */
};

struct proxy_flow {
	TAILQ_ENTRY(proxy_flow) by_age;
	LIST_ENTRY(proxy_flow) in_bucket;
	struct proxy_ends ends;
	struct sockaddr_storage target;
	int fd;
	bool kept; /* it speaks as the client */
	bool answered;
	int64_t heard_ms;
};

TAILQ_HEAD(proxy_flow_ages, proxy_flow);
LIST_HEAD(proxy_flow_bucket, proxy_flow);

struct proxy_flows {
	struct proxy_flow_ages ages[2]; /* without an answer, and with one: the oldest first */
	struct proxy_flow_bucket buckets[PROXY_FLOWS_BUCKETS];
	int count, most;
};

/* most: PROXY_FLOWS_MAX, or fewer. */
void proxy_flows_init(struct proxy_flows *flows, int most);

/* NULL: nobody knows him. */
struct proxy_flow *proxy_flows_find(const struct proxy_flows *flows, const struct proxy_ends *ends);

/* It has the socket from now on. There is room: proxy_flows_surplus() said so. */
struct proxy_flow *proxy_flows_add(struct proxy_flows *flows, const struct proxy_ends *ends, int fd,
				   int64_t now_ms);

/* Something came; from the service: an answer. */
void proxy_flows_hear(struct proxy_flows *flows, struct proxy_flow *flow, bool answer,
		      int64_t now_ms);

/* One whose time is over, or NULL; and how long until there is one: -1, never. */
struct proxy_flow *proxy_flows_expired(const struct proxy_flows *flows, int64_t now_ms);
int proxy_flows_wait_ms(const struct proxy_flows *flows, int64_t now_ms);

/* Who has to go before another comes; NULL: nobody. */
struct proxy_flow *proxy_flows_surplus(const struct proxy_flows *flows);

/* Does another one speak as a client with this one's address? */
bool proxy_flows_shares(const struct proxy_flows *flows, const struct proxy_flow *flow);

/* Closes its socket and frees it. */
void proxy_flows_end(struct proxy_flows *flows, struct proxy_flow *flow);
