/* firewall.c - the rules, for all bridges:
 *
 * - what belongs to a conversation that is known goes on;
 * - within one bridge all may talk (the host may have its bridges' frames pass here, br_netfilter);
 * - into a bridge goes only what a published port has translated, so that neither a neighbour of
 *   the host nor another bridge reaches what was not published;
 * - where the host forwarded nothing before holm turned that on, it forwards for no strangers;
 * - an internal bridge neither sends nor gets anything;
 * - what leaves for the world has the host's address;
 * - no container reaches 127.0.0.0/8 of the host, though its bridge lets these addresses pass
 *   (route_localnet), for the host to reach published ports by them;
 * - who comes from outside for a port that is judged goes to the host's own input rules first
 *   (loop.h); the host itself and containers are translated at once;
 * - of a container with a limit (limit.h) as many connections at once, opened by it or to it, as it
 *   may have, and no more;
 * - a container that reaches another, or itself, by an address of the host gets the answer from
 *   there, too: it seems to come from the bridge.
 *
 * Our verdict "accept" binds nobody else: a host whose own rules drop what is forwarded goes on
 * doing so. */
#include "network/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "wire/netlink.h"

enum { OUTPUT_MAX = 64 << 10 };
#define NEWEST_SET "counts6"

/* ---- what is there ---- */

/* Is it an element of the set of bridges? */
bool network_firewall_knows(const char *bridge)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct nfgenmsg family = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	char key[IFNAMSIZ] = "";
	struct err ignored;

	own_fd int socket = wire_netlink_open_filter(&ignored);
	if (socket < 0)
		return false;
	memcpy(key, bridge, strnlen(bridge, sizeof(key) - 1));
	wire_netlink_begin(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, 0, &family,
			   sizeof(family));
	wire_netlink_add_text(&request, NFTA_SET_ELEM_LIST_TABLE, "holm");
	wire_netlink_add_text(&request, NFTA_SET_ELEM_LIST_SET, "bridges");
	size_t elements = wire_netlink_nest(&request, NFTA_SET_ELEM_LIST_ELEMENTS);
	size_t element = wire_netlink_nest(&request, NFTA_LIST_ELEM);
	size_t outer = wire_netlink_nest(&request, NFTA_SET_ELEM_KEY);
	wire_netlink_add(&request, NFTA_DATA_VALUE, key, sizeof(key));
	wire_netlink_nest_end(&request, outer);
	wire_netlink_nest_end(&request, element);
	wire_netlink_nest_end(&request, elements);
	return wire_netlink_call(socket, &request, NULL, NULL, &ignored) == 0;
}

/* Is there the table at all, and not one of an earlier version? */
bool network_firewall_stands(void)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct nfgenmsg family = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	struct err ignored;

	own_fd int socket = wire_netlink_open_filter(&ignored);
	if (socket < 0)
		return false;
	wire_netlink_begin(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSET, 0, &family,
			   sizeof(family));
	wire_netlink_add_text(&request, NFTA_SET_TABLE, "holm");
	wire_netlink_add_text(&request, NFTA_SET_NAME, NEWEST_SET);
	return wire_netlink_call(socket, &request, NULL, NULL, &ignored) == 0;
}

/* ---- the text ---- */

static const char rules[] =
#include "network/rules.inc"
	;

static void add_elements(struct str *to, const char *verb, const struct network_firewall *firewall)
{
	char subnet[NETWORK_ADDRESS_TEXT];

	str_addf(to, "%s element inet holm bridges { \"%s\" }\n", verb, firewall->bridge);
	if (!firewall->apart)
		str_addf(to, "%s element inet holm pairs { \"%s\" . \"%s\" }\n", verb,
			 firewall->bridge, firewall->bridge);
	if (firewall->internal)
		str_addf(to, "%s element inet holm internal { \"%s\" }\n", verb, firewall->bridge);
	for (size_t i = 0; !firewall->internal && i < firewall->count; i++) {
		network_address_format(subnet, &firewall->subnets[i], true);
		str_addf(to, "%s element inet holm %s { %s }\n", verb,
			 firewall->subnets[i].family == AF_INET ? "sources" : "sources6", subnet);
	}
}

char *network_firewall_text(const struct network_firewall *firewall, bool table)
{
	struct str text = { 0 };

	if (table)
		str_add(&text, rules);
	add_elements(&text, "add", firewall);
	return str_take(&text);
}

/* ---- nft(8) ---- */

/* What it said, in one line. */
static int failed(const char *said, struct err *e)
{
	own_free char *line = mem_text_n(said, strcspn(said, "\n"));

	err_set(e, ERR_UNSUPPORTED, "nft: %s", *line ? line : "it failed without a word");
	return err_hint(e, "holm doctor tells what this host lacks; --network none needs no nft");
}

static int spawn(const char *text, int input, int output, pid_t *ret, struct err *e)
{
	static const char *const argv[] = { "nft", "-f", "-", NULL };
	static const char *const environment[] = { "PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL };
	posix_spawn_file_actions_t actions;

	int r = fd_write_all(input, text, strlen(text));
	if (r < 0 || lseek(input, 0, SEEK_SET) < 0)
		return err_number(e, r < 0 ? -r : errno, "write the rules");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, output, 2);
	r = posix_spawnp(ret, "nft", &actions, NULL, (char *const *)argv,
			 (char *const *)environment);
	posix_spawn_file_actions_destroy(&actions);
	if (r == ENOENT) {
		err_set(e, ERR_UNSUPPORTED, "there is no nft here, which makes a bridge's rules");
		return err_hint(e, "install nftables, or use --network none or host");
	}
	return r ? err_number(e, r, "start nft") : 0;
}

int network_firewall_load(const char *text, struct err *e)
{
	own_clear(str_clear) struct str said = { 0 };
	pid_t pid;

	own_fd int input = memfd_create("holm-rules", MFD_CLOEXEC);
	own_fd int output = memfd_create("holm-nft", MFD_CLOEXEC);
	if (input < 0 || output < 0)
		return err_sys(e, "make a memfd");
	int r = spawn(text, input, output, &pid, e);
	if (r < 0)
		return r;
	int status = process_wait(pid);
	if (status == 0)
		return 0;
	str_add(&said, "");
	lseek(output, 0, SEEK_SET);
	r = fd_read_all(output, OUTPUT_MAX, &said, e);
	return r < 0 ? r : failed(said.text, e);
}

int network_firewall_ensure(const struct network_firewall *firewall, struct err *e)
{
	if (network_firewall_knows(firewall->bridge))
		return 0;
	own_free char *text = network_firewall_text(firewall, !network_firewall_stands());
	int r = network_firewall_load(text, e);
	return r < 0 ? err_add(e, "make the rules of %s", firewall->bridge) : 0;
}

int network_firewall_remove(const struct network_firewall *firewall, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	if (!network_firewall_knows(firewall->bridge))
		return 0;
	add_elements(&text, "delete", firewall);
	int r = network_firewall_load(text.text, e);
	return r < 0 ? err_add(e, "remove the rules of %s", firewall->bridge) : 0;
}

int network_firewall_make(struct err *e)
{
	return network_firewall_stands() ? 0 : network_firewall_load(rules, e);
}

int network_firewall_renew(const char *bridge, struct err *e)
{
	return network_firewall_knows(bridge) ? network_firewall_make(e) : 0;
}

int network_firewall_close(int family, struct err *e)
{
	own_free char *text = mem_format("add element inet holm closed { %s }\n",
					 family == AF_INET ? "ipv4" : "ipv6");

	return network_firewall_load(text, e);
}
