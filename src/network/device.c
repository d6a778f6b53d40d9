#include "network/device.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "wire/netlink.h"

/* Which module has a kind of device, and what its option in the kernel's configuration is. */
static const struct {
	const char *kind;
	const char *module;
	const char *option;
} modules[] = {
	{ "macvlan", "macvlan", "CONFIG_MACVLAN" },
	{ "ipvlan", "ipvlan", "CONFIG_IPVLAN" },
	{ "vlan", "8021q", "CONFIG_VLAN_8021Q" },
	{ "vxlan", "vxlan", "CONFIG_VXLAN" },
};

int network_device_unsupported(const char *kind, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(modules); i++) {
		if (!str_equal(modules[i].kind, kind))
			continue;
		err_set(e, ERR_UNSUPPORTED, "the kernel has no devices of the kind %s", kind);
		return err_hint(e,
				"load its module (modprobe %s); a kernel without it was built "
				"without %s",
				modules[i].module, modules[i].option);
	}
	return err_set(e, ERR_UNSUPPORTED, "the kernel has no devices of the kind %s", kind);
}

static void add_specific(struct wire_netlink_request *request, const struct network_device *device)
{
	uint16_t mode = (uint16_t)device->mode;

	if (str_equal(device->kind, "macvlan"))
		wire_netlink_add_u32(request, IFLA_MACVLAN_MODE, device->mode);
	if (str_equal(device->kind, "ipvlan")) {
		wire_netlink_add(request, IFLA_IPVLAN_MODE, &mode, sizeof(mode));
		wire_netlink_add(request, IFLA_IPVLAN_FLAGS, &device->flags, sizeof(device->flags));
	}
	if (str_equal(device->kind, "vlan"))
		wire_netlink_add(request, IFLA_VLAN_ID, &mode, sizeof(mode));
}

int network_device_make(int socket, const struct network_device *device, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };

	wire_netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	wire_netlink_add_text(&request, IFLA_IFNAME, device->name);
	wire_netlink_add_u32(&request, IFLA_LINK, (uint32_t)device->parent);
	if (device->namespace_fd >= 0)
		wire_netlink_add_u32(&request, IFLA_NET_NS_FD, (uint32_t)device->namespace_fd);
	if (device->mac)
		wire_netlink_add(&request, IFLA_ADDRESS, device->mac, NETWORK_MAC);
	if (device->mtu)
		wire_netlink_add_u32(&request, IFLA_MTU, device->mtu);
	size_t details = wire_netlink_nest(&request, IFLA_LINKINFO);
	wire_netlink_add_text(&request, IFLA_INFO_KIND, device->kind);
	size_t specific = wire_netlink_nest(&request, IFLA_INFO_DATA);
	add_specific(&request, device);
	wire_netlink_nest_end(&request, specific);
	wire_netlink_nest_end(&request, details);
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	if (r == -EOPNOTSUPP)
		return network_device_unsupported(device->kind, e);
	return r < 0 ? err_add(e, "make the %s %s", device->kind, device->name) : 0;
}

/* All of these want a parent or an id: without one the kernel refuses what it knows with another
 * error than what it does not. */
bool network_device_supported(int socket, const char *kind)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct err e;

	wire_netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	wire_netlink_add_text(&request, IFLA_IFNAME, "holm-probe");
	size_t details = wire_netlink_nest(&request, IFLA_LINKINFO);
	wire_netlink_add_text(&request, IFLA_INFO_KIND, kind);
	wire_netlink_nest_end(&request, details);
	return wire_netlink_call(socket, &request, NULL, NULL, &e) != -EOPNOTSUPP;
}

int network_device_move(int socket, int index, int namespace_fd, const char *name, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
					.ifi_index = index,
					.ifi_change = IFF_UP };

	wire_netlink_begin(&request, RTM_SETLINK, 0, &link, sizeof(link));
	wire_netlink_add_u32(&request, IFLA_NET_NS_FD, (uint32_t)namespace_fd);
	wire_netlink_add_text(&request, IFLA_IFNAME, name);
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	if (r == -EEXIST)
		return err_set(e, ERR_EXISTS, "there is a device %s already", name);
	return r < 0 ? err_add(e, "move the device %s", name) : 0;
}

int network_device_set(int socket, int index, const unsigned char *mac, uint32_t mtu, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = index };

	wire_netlink_begin(&request, RTM_SETLINK, 0, &link, sizeof(link));
	if (mac)
		wire_netlink_add(&request, IFLA_ADDRESS, mac, NETWORK_MAC);
	if (mtu)
		wire_netlink_add_u32(&request, IFLA_MTU, mtu);
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}
