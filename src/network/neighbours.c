/* neighbours.c - a rule of ours is known by the bridge's name in it, whole: as a value that is
 * compared with. It is written as iptables itself would (-i holm0 -j ACCEPT), so that iptables -S
 * goes on to understand its table. */
#include "network/neighbours.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/firewall.h"
#include "network/firewalld.h"
#include "wire/netlink.h"

#define TABLE "filter"

/* Of firewalld: which zone a device that something is forwarded from belongs to. */
#define FIREWALLD_TABLE "firewalld"
#define FIREWALLD_CHAIN "filter_FORWARD_ZONES"

static const struct {
	unsigned char number;
	const char *name;
} families[] = {
	{ NFPROTO_IPV4, "ip" },
	{ NFPROTO_IPV6, "ip6" },
};

/* ---- looking ---- */

struct chain {
	bool there;
	bool drops; /* its policy */
};

static void take_chain(const struct nlmsghdr *message, void *context)
{
	struct chain *to = context;
	uint32_t policy;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN))
		return;
	const struct rtattr *found =
		wire_netlink_find(message, sizeof(struct nfgenmsg), NFTA_CHAIN_POLICY);
	to->there = true;
	if (!found || RTA_PAYLOAD(found) != sizeof(policy))
		return;
	memcpy(&policy, RTA_DATA(found), sizeof(policy));
	to->drops = ntohl(policy) == NF_DROP;
}

static struct chain look(int socket, unsigned char family, const char *table, const char *name)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };
	struct chain chain = { 0 };
	struct err ignored;

	wire_netlink_begin(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, 0, &header,
			   sizeof(header));
	wire_netlink_add_text(&request, NFTA_CHAIN_TABLE, table);
	wire_netlink_add_text(&request, NFTA_CHAIN_NAME, name);
	if (wire_netlink_call(socket, &request, take_chain, &chain, &ignored) < 0)
		return (struct chain){ 0 };
	return chain;
}

/* The chain where a bridge is let through; NULL: nobody drops. */
static const char *find_chain(int socket, unsigned char family)
{
	static const char docker[] = "DOCKER-USER", forward[] = "FORWARD";

	if (!look(socket, family, TABLE, forward).drops)
		return NULL;
	return look(socket, family, TABLE, docker).there ? docker : forward;
}

struct ours {
	const char *bridge;
	const char *family;
	const char *chain;
	size_t count;
	struct str *deletes; /* what removes them, for nft(8); NULL: not asked */
};

/* The value begins behind its type, whatever its length: nft(8) pads it, iptables does not. */
static bool compares_with(const struct rtattr *expressions, const char *name)
{
	const uint16_t type = NFTA_DATA_VALUE;
	char value[sizeof(type) + IFNAMSIZ];
	size_t length = strnlen(name, IFNAMSIZ - 1);

	memcpy(value, &type, sizeof(type));
	memcpy(value + sizeof(type), name, length);
	value[sizeof(type) + length] = '\0';
	return memmem(RTA_DATA(expressions), RTA_PAYLOAD(expressions), value,
		      sizeof(type) + length + 1);
}

static void take_rule(const struct nlmsghdr *message, void *context)
{
	struct ours *ours = context;
	uint64_t handle;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
		return;
	const struct rtattr *expressions =
		wire_netlink_find(message, sizeof(struct nfgenmsg), NFTA_RULE_EXPRESSIONS);
	const struct rtattr *found =
		wire_netlink_find(message, sizeof(struct nfgenmsg), NFTA_RULE_HANDLE);
	if (!expressions || !found || RTA_PAYLOAD(found) != sizeof(handle) ||
	    !compares_with(expressions, ours->bridge))
		return;
	ours->count++;
	memcpy(&handle, RTA_DATA(found), sizeof(handle));
	if (ours->deletes)
		str_addf(ours->deletes, "delete rule %s " TABLE " %s handle %" PRIu64 "\n",
			 ours->family, ours->chain, be64toh(handle));
}

static void count_in(int socket, unsigned char family, const char *table, struct ours *ours)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };
	struct err ignored;

	wire_netlink_begin(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP,
			   &header, sizeof(header));
	wire_netlink_add_text(&request, NFTA_RULE_TABLE, table);
	wire_netlink_add_text(&request, NFTA_RULE_CHAIN, ours->chain);
	wire_netlink_call(socket, &request, take_rule, ours, &ignored);
}

static void count(int socket, unsigned char family, struct ours *ours)
{
	count_in(socket, family, TABLE, ours);
}

enum firewalld { FIREWALLD_NONE, FIREWALLD_REJECTS, FIREWALLD_TRUSTS };

static enum firewalld ask_firewalld(int socket, const char *bridge)
{
	struct ours ours = { bridge, "inet", FIREWALLD_CHAIN, 0, NULL };

	if (!look(socket, NFPROTO_INET, FIREWALLD_TABLE, FIREWALLD_CHAIN).there)
		return FIREWALLD_NONE;
	count_in(socket, NFPROTO_INET, FIREWALLD_TABLE, &ours);
	return ours.count ? FIREWALLD_TRUSTS : FIREWALLD_REJECTS;
}

/* ---- the three ---- */

enum { RULES = 2 }; /* in and out */

bool network_neighbours_let(const char *bridge)
{
	struct err ignored;

	own_fd int socket = wire_netlink_open_filter(&ignored);
	for (size_t i = 0; socket >= 0 && i < COUNT_OF(families); i++) {
		const char *chain = find_chain(socket, families[i].number);
		struct ours ours = { bridge, families[i].name, chain, 0, NULL };
		if (chain)
			count(socket, families[i].number, &ours);
		if (chain && ours.count < RULES)
			return false;
	}
	return socket < 0 || ask_firewalld(socket, bridge) != FIREWALLD_REJECTS;
}

int network_neighbours_open(const char *bridge, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	own_fd int socket = wire_netlink_open_filter(e);
	if (socket < 0)
		return socket;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		const char *family = families[i].name;
		const char *chain = find_chain(socket, families[i].number);
		struct ours ours = { bridge, family, chain, 0, NULL };
		if (!chain)
			continue;
		count(socket, families[i].number, &ours);
		if (ours.count >= RULES)
			continue;
		str_addf(&text, "insert rule %s " TABLE " %s iifname \"%s\" counter accept\n",
			 family, chain, bridge);
		str_addf(&text, "insert rule %s " TABLE " %s oifname \"%s\" counter accept\n",
			 family, chain, bridge);
	}
	int r = text.length ? network_firewall_load(text.text, e) : 0;
	if (r == 0 && ask_firewalld(socket, bridge) == FIREWALLD_REJECTS)
		r = network_firewalld_trust(bridge, e);
	return r < 0 ? err_add(e, "let %s through the host's other rules", bridge) : 0;
}

int network_neighbours_close(const char *bridge, struct err *e)
{
	static const char *const chains[] = { "DOCKER-USER", "FORWARD" };
	own_clear(str_clear) struct str text = { 0 };

	own_fd int socket = wire_netlink_open_filter(e);
	if (socket < 0)
		return socket;
	for (size_t i = 0; i < COUNT_OF(families); i++)
		for (size_t k = 0; k < COUNT_OF(chains); k++) {
			struct ours ours = { bridge, families[i].name, chains[k], 0, &text };
			count(socket, families[i].number, &ours);
		}
	if (ask_firewalld(socket, bridge) == FIREWALLD_TRUSTS)
		network_firewalld_forget(bridge);
	return text.length ? network_firewall_load(text.text, e) : 0;
}
