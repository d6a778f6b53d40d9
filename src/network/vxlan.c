/* vxlan.c - the tunnel's device is one more port of the bridge. To whom what goes to all (and to
 * those whose host is not known yet) is sent: each of the remotes, as entries of the device's
 * forwarding table, or a multicast group. The rest the device learns.
 *
 * Each host has a record of its own. The same on all of them are the id, the port and the
 * subnet; the --ip-range and the --gateway differ, since nobody but the hosts' administrators
 * sees to it that no address is given out twice. */
#include "network/vxlan.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "network/bridge.h"
#include "network/device.h"
#include "wire/netlink.h"

enum {
	ID_MAX = (1 << 24) - 1,
	PORT_DEFAULT = 4789, /* IANA's */
	REMOTES_MAX = 64,
	MTU_DEFAULT = 1500,
	/* Ethernet, IP, UDP and VXLAN around each frame */
	OVERHEAD_IP4 = 50,
	OVERHEAD_IP6 = 70,
};

#define ID     "vxlan_id"
#define REMOTE "remote"
#define GROUP  "group"
#define LOCAL  "local"
#define PORT   "port"
#define PARENT "parent"

const char *const network_vxlan_options[] = {
	ID,
	REMOTE,
	GROUP,
	LOCAL,
	PORT,
	PARENT,
	"com.docker.network.bridge.name",
	"com.docker.network.bridge.enable_icc",
	NULL,
};

struct tunnel {
	uint32_t id;
	uint16_t port;
	struct network_address local; /* family 0: as the host's routes say */
	struct network_address group; /* family 0: none */
	struct network_address remotes[REMOTES_MAX];
	size_t count;
	const char *parent; /* borrowed; NULL: as the host's routes say */
};

/* ---- options ---- */

static int read_number(uint64_t *ret, const struct network *network, const char *option,
		       uint64_t maximum, struct err *e)
{
	const char *text = shape_map_get(&network->options, option);

	if (!text)
		return 0;
	if (number_parse_u64(ret, text, maximum, e) < 0 || *ret == 0)
		return err_set(e, ERR_INVALID, "--opt %s=%s: not a number from 1 to %llu", option,
			       text, (unsigned long long)maximum);
	return 0;
}

static int read_address(struct network_address *ret, const struct network *network,
			const char *option, struct err *e)
{
	const char *text = shape_map_get(&network->options, option);

	int r = text ? network_address_parse(ret, text, e) : 0;
	return r < 0 ? err_add(e, "--opt %s", option) : 0;
}

/* "192.0.2.2,192.0.2.3" */
static int read_remotes(struct tunnel *to, const struct network *network, struct err *e)
{
	own_free char *copy = mem_text(shape_map_get(&network->options, REMOTE));
	char *next = NULL;

	for (char *word = copy ? strtok_r(copy, ", ", &next) : NULL; word;
	     word = strtok_r(NULL, ", ", &next)) {
		if (to->count == REMOTES_MAX)
			return err_set(e, ERR_INVALID, "--opt remote: at most %d hosts",
				       REMOTES_MAX);
		int r = network_address_parse(&to->remotes[to->count], word, e);
		if (r < 0)
			return err_add(e, "--opt remote");
		if (to->remotes[to->count].family != to->remotes[0].family)
			return err_set(e, ERR_INVALID, "--opt remote: IPv4 and IPv6 in one tunnel");
		to->count++;
	}
	return 0;
}

static int read_tunnel(struct tunnel *ret, const struct network *network, struct err *e)
{
	struct tunnel tunnel = { .parent = shape_map_get(&network->options, PARENT) };
	uint64_t id = 0, port = PORT_DEFAULT;

	int r = read_number(&id, network, ID, ID_MAX, e);
	if (r == 0)
		r = read_number(&port, network, PORT, UINT16_MAX, e);
	if (r == 0)
		r = read_address(&tunnel.local, network, LOCAL, e);
	if (r == 0)
		r = read_address(&tunnel.group, network, GROUP, e);
	if (r == 0)
		r = read_remotes(&tunnel, network, e);
	if (r < 0)
		return r;
	tunnel.id = (uint32_t)id;
	tunnel.port = (uint16_t)port;
	*ret = tunnel;
	return 0;
}

static int check_tunnel(const struct tunnel *tunnel, struct err *e)
{
	if (!tunnel->id) {
		err_set(e, ERR_INVALID, "--driver vxlan: which network of the tunnel is it?");
		return err_hint(e, "--opt vxlan_id=NUMBER, the same on all hosts");
	}
	if (!tunnel->count && !tunnel->group.family) {
		err_set(e, ERR_INVALID, "--driver vxlan: where are the other hosts?");
		return err_hint(e, "--opt remote=ADDRESS,ADDRESS or --opt group=MULTICAST");
	}
	if (tunnel->group.family && !tunnel->parent)
		return err_set(e, ERR_INVALID, "--opt group: by which device? --opt parent=DEVICE");
	return 0;
}

static bool is_ip6(const struct tunnel *tunnel)
{
	return (tunnel->count ? tunnel->remotes[0].family : tunnel->group.family) == AF_INET6;
}

static int plan_mtu(struct network *network, int socket, const struct tunnel *tunnel, struct err *e)
{
	struct network_link parent = { .mtu = MTU_DEFAULT };

	int r = tunnel->parent ? network_link_find(&parent, socket, tunnel->parent, e) : 0;
	if (r < 0)
		return err_add(e, "--opt parent");
	if (!network->mtu)
		network->mtu = parent.mtu - (is_ip6(tunnel) ? OVERHEAD_IP6 : OVERHEAD_IP4);
	return 0;
}

int network_vxlan_plan(struct network *network, const struct networks *others, struct err *e)
{
	struct tunnel tunnel;

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	int r = read_tunnel(&tunnel, network, e);
	if (r == 0)
		r = check_tunnel(&tunnel, e);
	if (r == 0)
		r = plan_mtu(network, socket, &tunnel, e);
	return r < 0 ? r : network_bridge_plan(network, others, e);
}

/* ---- the device ---- */

static void name_device(char to[NETWORK_LINK_NAME], const struct network *network)
{
	snprintf(to, NETWORK_LINK_NAME, "vx-%.8s", network->id);
}

static void add_ip(struct wire_netlink_request *request, const struct network_address *address,
		   uint16_t four, uint16_t six)
{
	if (address->family)
		wire_netlink_add(request, address->family == AF_INET ? four : six, address->bytes,
				 network_address_length(address));
}

static void begin_device(struct wire_netlink_request *request, const char *name)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };

	wire_netlink_begin(request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	wire_netlink_add_text(request, IFLA_IFNAME, name);
}

static int make_device(int socket, const char *name, uint32_t mtu, const struct tunnel *tunnel,
		       uint32_t parent, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const uint16_t port = htons(tunnel->port);
	const unsigned char on = 1;

	begin_device(&request, name);
	wire_netlink_add_u32(&request, IFLA_MTU, mtu);
	size_t details = wire_netlink_nest(&request, IFLA_LINKINFO);
	wire_netlink_add_text(&request, IFLA_INFO_KIND, "vxlan");
	size_t specific = wire_netlink_nest(&request, IFLA_INFO_DATA);
	wire_netlink_add_u32(&request, IFLA_VXLAN_ID, tunnel->id);
	wire_netlink_add(&request, IFLA_VXLAN_PORT, &port, sizeof(port));
	wire_netlink_add(&request, IFLA_VXLAN_LEARNING, &on, sizeof(on));
	if (parent)
		wire_netlink_add_u32(&request, IFLA_VXLAN_LINK, parent);
	add_ip(&request, &tunnel->group, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6);
	add_ip(&request, &tunnel->local, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6);
	wire_netlink_nest_end(&request, specific);
	wire_netlink_nest_end(&request, details);
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	if (r < 0 && !network_device_supported(socket, "vxlan"))
		return network_device_unsupported("vxlan", e);
	return r < 0 ? err_add(e, "make the tunnel %s", name) : 0;
}

/* Whatever goes to all goes to this host, too. */
static void add_remote(struct wire_netlink_request *request, int index,
		       const struct network_address *remote)
{
	static const unsigned char all[NETWORK_MAC];
	const struct ndmsg entry = {
		.ndm_family = AF_BRIDGE,
		.ndm_ifindex = index,
		.ndm_state = NUD_PERMANENT | NUD_NOARP,
		.ndm_flags = NTF_SELF,
	};

	wire_netlink_next(request, "tell the tunnel of a host", RTM_NEWNEIGH,
			  NLM_F_CREATE | NLM_F_APPEND, &entry, sizeof(entry));
	wire_netlink_add(request, NDA_LLADDR, all, sizeof(all));
	wire_netlink_add(request, NDA_DST, remote->bytes, network_address_length(remote));
}

static int connect_device(int socket, const struct network *network, int index, int bridge,
			  const struct tunnel *tunnel, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	own_free char *alias = mem_format("holm:%s", network->id);
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
					.ifi_index = index,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };

	for (size_t i = 0; i < tunnel->count; i += WIRE_NETLINK_MESSAGES_MAX) {
		request.count = 0;
		request.bytes.length = 0;
		for (size_t k = i; k < tunnel->count && k < i + WIRE_NETLINK_MESSAGES_MAX; k++)
			add_remote(&request, index, &tunnel->remotes[k]);
		int r = wire_netlink_call(socket, &request, NULL, NULL, e);
		if (r < 0)
			return r;
	}
	wire_netlink_begin(&request, RTM_NEWLINK, 0, &link, sizeof(link));
	wire_netlink_add_u32(&request, IFLA_MASTER, (uint32_t)bridge);
	wire_netlink_add(&request, IFLA_IFALIAS, alias, strlen(alias));
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}

/* Under the lock. It is whole once it has its alias, which comes last. */
static int make_whole(int socket, const struct network *network, int bridge, struct err *e)
{
	struct network_link link, parent = { 0 };
	char name[NETWORK_LINK_NAME];
	struct tunnel tunnel;
	struct err ignored;

	name_device(name, network);
	network_link_delete(socket, name, &ignored);
	int r = read_tunnel(&tunnel, network, e);
	if (r == 0 && tunnel.parent)
		r = network_link_find(&parent, socket, tunnel.parent, e);
	if (r == 0)
		r = make_device(socket, name, network->mtu, &tunnel, (uint32_t)parent.index, e);
	if (r < 0)
		return r;
	r = network_link_find(&link, socket, name, e);
	if (r == 0)
		r = connect_device(socket, network, link.index, bridge, &tunnel, e);
	if (r < 0)
		network_link_delete(socket, name, &ignored);
	return r;
}

static bool is_whole(int socket, const struct network *network, int bridge)
{
	own_free char *alias = mem_format("holm:%s", network->id);
	char name[NETWORK_LINK_NAME];
	struct network_link link;
	struct err missing;

	name_device(name, network);
	return network_link_find(&link, socket, name, &missing) == 0 && link.up &&
	       link.master == bridge && str_equal(link.alias, alias);
}

int network_vxlan_ensure(const struct store *store, const struct network *network, struct err *e)
{
	int bridge = network_bridge_ensure(store, network, e);
	if (bridge < 0)
		return bridge;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	if (is_whole(socket, network, bridge))
		return bridge;
	own_fd int lock = network_record_lock(store, e);
	if (lock < 0)
		return lock;
	int r = is_whole(socket, network, bridge) ? 0 : make_whole(socket, network, bridge, e);
	return r < 0 ? err_add(e, "network %s", network->name) : bridge;
}

int network_vxlan_remove(const struct network *network, struct err *e)
{
	char name[NETWORK_LINK_NAME];

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	name_device(name, network);
	int r = network_link_delete(socket, name, e);
	return r < 0 && e->kind != ERR_NOT_FOUND ? r : network_bridge_remove(network, e);
}
