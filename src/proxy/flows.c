#include "proxy/flows.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "proxy/inside.h"

static const int64_t times_ms[] = { PROXY_FLOWS_NEW_MS, PROXY_FLOWS_ANSWERED_MS };

void proxy_flows_init(struct proxy_flows *flows, int most)
{
	*flows = (struct proxy_flows){ .most = most };
	for (size_t i = 0; i < COUNT_OF(flows->ages); i++)
		TAILQ_INIT(&flows->ages[i]);
}

/* ---- finding ---- */

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *six[] = { (const void *)a, (const void *)b };

	return proxy_inside_same(a, b) &&
	       (a->ss_family == AF_INET || six[0]->sin6_scope_id == six[1]->sin6_scope_id);
}

/* Of the client alone (FNV-1a, 32 bits): he rarely speaks to two addresses of the host's. */
static uint32_t hash(const struct sockaddr_storage *client)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)client;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)client;
	const bool is_four = client->ss_family == AF_INET;
	const unsigned char *bytes = is_four ? (const unsigned char *)&four->sin_addr
					     : (const unsigned char *)&six->sin6_addr;
	uint32_t sum = 2166136261U ^ proxy_inside_port(client);

	for (size_t i = 0; i < (is_four ? sizeof(four->sin_addr) : sizeof(six->sin6_addr)); i++)
		sum = (sum ^ bytes[i]) * 16777619U;
	return (sum ^ sum >> 16) % PROXY_FLOWS_BUCKETS;
}

struct proxy_flow *proxy_flows_find(const struct proxy_flows *flows, const struct proxy_ends *ends)
{
	struct proxy_flow *flow;

	LIST_FOREACH(flow, &flows->buckets[hash(&ends->client)], in_bucket)
	if (proxy_inside_port(&flow->ends.client) == proxy_inside_port(&ends->client) &&
	    same_host(&flow->ends.client, &ends->client) &&
	    same_host(&flow->ends.local, &ends->local))
		return flow;
	return NULL;
}

bool proxy_flows_shares(const struct proxy_flows *flows, const struct proxy_flow *flow)
{
	const struct proxy_flow *other;

	for (size_t i = 0; i < COUNT_OF(flows->ages); i++)
		TAILQ_FOREACH(other, &flows->ages[i], by_age)
	if (other != flow && other->kept && same_host(&other->ends.client, &flow->ends.client))
		return true;
	return false;
}

/* ---- coming, being heard, going ---- */

struct proxy_flow *proxy_flows_add(struct proxy_flows *flows, const struct proxy_ends *ends, int fd,
				   int64_t now_ms)
{
	struct proxy_flow *flow = mem_new(1, sizeof(*flow));

	flow->ends = *ends;
	flow->fd = fd;
	flow->heard_ms = now_ms;
	TAILQ_INSERT_TAIL(&flows->ages[false], flow, by_age);
	LIST_INSERT_HEAD(&flows->buckets[hash(&ends->client)], flow, in_bucket);
	flows->count++;
	return flow;
}

void proxy_flows_hear(struct proxy_flows *flows, struct proxy_flow *flow, bool answer,
		      int64_t now_ms)
{
	TAILQ_REMOVE(&flows->ages[flow->answered], flow, by_age);
	flow->answered |= answer;
	flow->heard_ms = now_ms;
	TAILQ_INSERT_TAIL(&flows->ages[flow->answered], flow, by_age);
}

static int64_t ends_ms(const struct proxy_flow *flow)
{
	return flow->heard_ms + times_ms[flow->answered];
}

struct proxy_flow *proxy_flows_expired(const struct proxy_flows *flows, int64_t now_ms)
{
	for (size_t i = 0; i < COUNT_OF(flows->ages); i++) {
		struct proxy_flow *oldest = TAILQ_FIRST(&flows->ages[i]);
		if (oldest && ends_ms(oldest) <= now_ms)
			return oldest;
	}
	return NULL;
}

int proxy_flows_wait_ms(const struct proxy_flows *flows, int64_t now_ms)
{
	int64_t wait = -1;

	for (size_t i = 0; i < COUNT_OF(flows->ages); i++) {
		const struct proxy_flow *oldest = TAILQ_FIRST(&flows->ages[i]);
		int64_t its = oldest ? ends_ms(oldest) - now_ms : -1;
		if (oldest && (wait < 0 || its < wait))
			wait = its < 0 ? 0 : its;
	}
	return (int)wait;
}

struct proxy_flow *proxy_flows_surplus(const struct proxy_flows *flows)
{
	if (flows->count < flows->most)
		return NULL;
	struct proxy_flow *oldest = TAILQ_FIRST(&flows->ages[false]);
	return oldest ? oldest : TAILQ_FIRST(&flows->ages[true]);
}

void proxy_flows_end(struct proxy_flows *flows, struct proxy_flow *flow)
{
	TAILQ_REMOVE(&flows->ages[flow->answered], flow, by_age);
	LIST_REMOVE(flow, in_bucket);
	flows->count--;
	close(flow->fd);
	free(flow);
}
