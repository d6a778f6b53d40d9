#include "network/judges.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/firewall.h"
#include "wire/netlink.h"

struct chain {
	unsigned char family;
	char *table;
	char *name;
	bool drops;
	size_t rules;
};

struct chains {
	struct chain *items;
	size_t count;
};

static void chains_clear(struct chains *chains)
{
	for (size_t i = 0; i < chains->count; i++) {
		free(chains->items[i].table);
		free(chains->items[i].name);
	}
	free(chains->items);
}

static char *text_of(const struct nlmsghdr *message, uint16_t type)
{
	const struct rtattr *found = wire_netlink_find(message, sizeof(struct nfgenmsg), type);

	return found ? mem_text_n(RTA_DATA(found), strnlen(RTA_DATA(found), RTA_PAYLOAD(found)))
		     : mem_text("");
}

/* -1: not there. */
static int64_t number_of(const struct rtattr *found)
{
	uint32_t number;

	if (!found || RTA_PAYLOAD(found) != sizeof(number))
		return -1;
	memcpy(&number, RTA_DATA(found), sizeof(number));
	return ntohl(number);
}

static bool is_input(const struct nlmsghdr *message)
{
	const struct rtattr *hook =
		wire_netlink_find(message, sizeof(struct nfgenmsg), NFTA_CHAIN_HOOK);

	return hook && number_of(wire_netlink_find_in(hook, NFTA_HOOK_HOOKNUM)) == NF_INET_LOCAL_IN;
}

static void take_chain(const struct nlmsghdr *message, void *context)
{
	const struct nfgenmsg *header = NLMSG_DATA(message);
	struct chains *to = context;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) ||
	    (header->nfgen_family != NFPROTO_INET && header->nfgen_family != NFPROTO_IPV4 &&
	     header->nfgen_family != NFPROTO_IPV6) ||
	    !is_input(message))
		return;
	own_free char *table = text_of(message, NFTA_CHAIN_TABLE);
	if (str_equal(table, NETWORK_FIREWALL_TABLE))
		return;
	to->items = mem_resize(to->items, to->count + 1, sizeof(*to->items));
	to->items[to->count++] = (struct chain){
		.family = header->nfgen_family,
		.table = mem_text(table),
		.name = text_of(message, NFTA_CHAIN_NAME),
		.drops = number_of(wire_netlink_find(message, sizeof(*header),
						     NFTA_CHAIN_POLICY)) == NF_DROP,
	};
}

static void take_rule(const struct nlmsghdr *message, void *context)
{
	if (message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
		++*(size_t *)context;
}

static int count_rules(int socket, struct chain *chain, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct nfgenmsg header = { .nfgen_family = chain->family, .version = NFNETLINK_V0 };

	wire_netlink_begin(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP,
			   &header, sizeof(header));
	wire_netlink_add_text(&request, NFTA_RULE_TABLE, chain->table);
	wire_netlink_add_text(&request, NFTA_RULE_CHAIN, chain->name);
	return wire_netlink_call(socket, &request, take_rule, &chain->rules, e);
}

static const char *family_name(unsigned char family)
{
	return family == NFPROTO_INET ? "inet" : family == NFPROTO_IPV4 ? "ip" : "ip6";
}

int network_judges_read(struct network_judges *ret, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct nfgenmsg header = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	own_clear(chains_clear) struct chains chains = { 0 };

	*ret = (struct network_judges){ .all_accept = true };
	own_fd int socket = wire_netlink_open_filter(e);
	if (socket < 0)
		return socket;
	wire_netlink_begin(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, NLM_F_DUMP,
			   &header, sizeof(header));
	int r = wire_netlink_call(socket, &request, take_chain, &chains, e);
	for (size_t i = 0; r == 0 && i < chains.count; i++) {
		struct chain *chain = &chains.items[i];
		r = count_rules(socket, chain, e);
		ret->all_accept &= !chain->drops && !chain->rules;
		strv_addf(&ret->chains, "%s %s %s (policy %s, %zu rule%s)",
			  family_name(chain->family), chain->table, chain->name,
			  chain->drops ? "drop" : "accept", chain->rules,
			  chain->rules == 1 ? "" : "s");
	}
	/* those of old iptables are not to be read by netlink */
	if (access("/proc/net/ip_tables_names", F_OK) == 0) {
		strv_add(&ret->chains, "iptables-legacy, if INPUT has rules there");
		ret->all_accept = false;
	}
	return r < 0 ? err_add(e, "read the host's input rules") : 0;
}
