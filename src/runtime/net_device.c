#include "runtime/net_device.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "wire/netlink.h"

static const char *inner_name(const struct oci_net_device *device)
{
	return str_empty(device->name) ? device->host_name : device->name;
}

/* ---- names ---- */

/* The kernel's dev_valid_name(), net/core/dev.c. */
static bool is_name(const char *name)
{
	if (str_empty(name) || strlen(name) >= IFNAMSIZ || str_equal(name, ".") ||
	    str_equal(name, ".."))
		return false;
	for (const char *c = name; *c; c++)
		if (*c == '/' || *c == ':' || *c == '%' || isspace((unsigned char)*c))
			return false;
	return true;
}

int runtime_net_device_check(const struct oci_spec *spec, uint64_t namespaces, struct err *e)
{
	const struct oci_net_device *devices = spec->linux_.net_devices.items;
	size_t count = spec->linux_.net_devices.count;

	if (count && !(namespaces & CLONE_NEWNET))
		return err_set(e, ERR_INVALID, "linux.netDevices without a network namespace");
	for (size_t i = 0; i < count; i++) {
		const char *name = inner_name(&devices[i]);
		if (!is_name(devices[i].host_name) || !is_name(name))
			return err_set(
				e, ERR_INVALID, "linux.netDevices.%s: '%s' is no name of a device",
				devices[i].host_name, is_name(name) ? devices[i].host_name : name);
		for (size_t k = 0; k < i; k++)
			if (str_equal(name, inner_name(&devices[k])))
				return err_set(e, ERR_INVALID,
					       "linux.netDevices: two are to be '%s'", name);
	}
	return 0;
}

/* ---- links ---- */

struct link {
	int index;
	bool is_up;
};

static void take_link(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *told = NLMSG_DATA(message);

	if (message->nlmsg_type == RTM_NEWLINK)
		*(struct link *)context =
			(struct link){ told->ifi_index, told->ifi_flags & IFF_UP };
}

/* -ENODEV and its kin where there is none. */
static int find_link(struct link *ret, int socket, const char *name, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	struct ifinfomsg any = { .ifi_family = AF_UNSPEC };
	struct link link = { 0 };

	wire_netlink_begin(&request, RTM_GETLINK, 0, &any, sizeof(any));
	wire_netlink_add_text(&request, IFLA_IFNAME, name);
	int r = wire_netlink_call(socket, &request, take_link, &link, e);
	if (r < 0)
		return r;
	if (!link.index)
		return err_number(e, ENODEV, "refused by the kernel");
	*ret = link;
	return 0;
}

/* Both in one message: nobody sees it there by its old name. */
static int move_link(int socket, int index, int namespace_fd, const char *name, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = index };

	wire_netlink_begin(&request, RTM_NEWLINK, 0, &link, sizeof(link));
	wire_netlink_add_u32(&request, IFLA_NET_NS_FD, (uint32_t)namespace_fd);
	wire_netlink_add_text(&request, IFLA_IFNAME, name);
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}

static int raise_link(int socket, int index, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
				  .ifi_index = index,
				  .ifi_flags = IFF_UP,
				  .ifi_change = IFF_UP };

	wire_netlink_begin(&request, RTM_NEWLINK, 0, &link, sizeof(link));
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}

/* ---- addresses ---- */

/* What is said of an address that is made; flags that only the kernel sets are left out. */
static const uint16_t kept_attributes[] = { IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST,
					    IFA_RT_PRIORITY };
static const uint32_t kept_flags =
	IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

struct addresses {
	int index;
	struct wire_netlink_request *items; /* each makes one anew */
	size_t count;
};

static void addresses_clear(struct addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		wire_netlink_request_clear(&addresses->items[i]);
	free(addresses->items);
}

static void keep_address(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *old = NLMSG_DATA(message);
	const struct rtattr *wide = wire_netlink_find(message, sizeof(*old), IFA_FLAGS);
	struct addresses *addresses = context;
	uint32_t flags = old->ifa_flags;

	if (message->nlmsg_type != RTM_NEWADDR || (int)old->ifa_index != addresses->index)
		return;
	if (wide && RTA_PAYLOAD(wide) == sizeof(flags))
		memcpy(&flags, RTA_DATA(wide), sizeof(flags));
	/* dynamic ones and those of the link mean nothing elsewhere */
	if (!(flags & IFA_F_PERMANENT) || old->ifa_scope != RT_SCOPE_UNIVERSE)
		return;
	struct ifaddrmsg made = { old->ifa_family, old->ifa_prefixlen, 0, old->ifa_scope, 0 };
	addresses->items =
		mem_resize(addresses->items, addresses->count + 1, sizeof(*addresses->items));
	struct wire_netlink_request *request = &addresses->items[addresses->count++];
	*request = (struct wire_netlink_request){ 0 };
	wire_netlink_begin(request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &made, sizeof(made));
	wire_netlink_add_u32(request, IFA_FLAGS, flags & kept_flags);
	for (size_t i = 0; i < COUNT_OF(kept_attributes); i++) {
		const struct rtattr *attribute =
			wire_netlink_find(message, sizeof(*old), kept_attributes[i]);
		if (attribute)
			wire_netlink_add(request, kept_attributes[i], RTA_DATA(attribute),
					 RTA_PAYLOAD(attribute));
	}
}

static int read_addresses(struct addresses *ret, int socket, int index, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	struct ifaddrmsg all = { .ifa_family = AF_UNSPEC };

	ret->index = index;
	wire_netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, &all, sizeof(all));
	int r = wire_netlink_call(socket, &request, keep_address, ret, e);
	return r < 0 ? err_add(e, "read its addresses") : 0;
}

static int restore_addresses(const struct addresses *addresses, int socket, int index,
			     struct err *e)
{
	for (size_t i = 0; i < addresses->count; i++) {
		struct nlmsghdr *header = (struct nlmsghdr *)addresses->items[i].bytes.text;
		((struct ifaddrmsg *)NLMSG_DATA(header))->ifa_index = (unsigned)index;
		if (wire_netlink_call(socket, &addresses->items[i], NULL, NULL, e) < 0)
			return err_add(e, "restore its addresses");
	}
	return 0;
}

/* ---- moving ---- */

/* A network namespace: a netlink socket that was made there, and itself. */
struct side {
	int socket;
	int namespace_fd;
};

/* One that was moved, for the way back. */
struct moved {
	const char *outside; /* its names */
	const char *inside;
	bool was_up;
	struct addresses addresses;
};

static void moved_clear(struct moved *moved)
{
	addresses_clear(&moved->addresses);
}

/* Before anything changes: older kernels move first, and only then see that they cannot rename. */
static int check_free(int inside, const char *name, struct err *e)
{
	struct link link;
	struct err expected;

	if (find_link(&link, inside, name, &expected) < 0)
		return 0;
	return err_set(e, ERR_EXISTS, "the container has a device '%s'", name);
}

/* Back under its old name, as it was. */
static void move_back(const struct moved *moved, struct side from, struct side to)
{
	struct link link;
	struct err e;

	int r = find_link(&link, from.socket, moved->inside, &e);
	if (r == 0)
		r = move_link(from.socket, link.index, to.namespace_fd, moved->outside, &e);
	if (r == 0)
		r = find_link(&link, to.socket, moved->outside, &e);
	if (r == 0)
		r = restore_addresses(&moved->addresses, to.socket, link.index, &e);
	if (r == 0 && moved->was_up)
		r = raise_link(to.socket, link.index, &e);
	if (r < 0)
		log_warning("network device %s: move it back: %s", moved->outside, e.text);
}

/* In the new namespace it is known by its new name; its number may be another, too. */
static int settle(const struct moved *moved, int inside, struct err *e)
{
	struct link link;

	int r = find_link(&link, inside, moved->inside, e);
	if (r == 0)
		r = restore_addresses(&moved->addresses, inside, link.index, e);
	return r < 0 ? r : raise_link(inside, link.index, e);
}

static int move_device(struct moved *ret, const struct oci_net_device *device, struct side from,
		       struct side to, struct err *e)
{
	own_clear(moved_clear) struct moved moved = { device->host_name, inner_name(device) };
	struct link link;

	int r = find_link(&link, from.socket, moved.outside, e);
	if (r == 0)
		r = check_free(to.socket, moved.inside, e);
	if (r == 0)
		r = read_addresses(&moved.addresses, from.socket, link.index, e);
	if (r == 0)
		r = move_link(from.socket, link.index, to.namespace_fd, moved.inside, e);
	if (r < 0)
		return r;
	moved.was_up = link.is_up;
	r = settle(&moved, to.socket, e);
	if (r < 0) {
		move_back(&moved, to, from);
		return r;
	}
	*ret = moved;
	moved = (struct moved){ 0 };
	return 0;
}

static int move_all(const struct oci_spec *spec, struct side from, struct side to, struct err *e)
{
	size_t count = spec->linux_.net_devices.count, done = 0;
	own_free struct moved *moved = mem_new(count, sizeof(*moved));
	int r = 0;

	for (; r == 0 && done < count; done += r == 0) {
		const struct oci_net_device *device = &spec->linux_.net_devices.items[done];
		r = move_device(&moved[done], device, from, to, e);
		if (r < 0)
			err_add(e, "linux.netDevices.%s", device->host_name);
	}
	while (done > 0) {
		done--;
		if (r < 0)
			move_back(&moved[done], to, from);
		moved_clear(&moved[done]);
	}
	return r;
}

int runtime_net_device_move_in_parent(const struct oci_spec *spec, int namespace_fd, int inside,
				      struct err *e)
{
	own_fd int outside = wire_netlink_open(e);

	if (outside < 0)
		return outside;
	own_fd int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return err_sys(e, "open /proc/self/ns/net");
	return move_all(spec, (struct side){ outside, home }, (struct side){ inside, namespace_fd },
			e);
}
