/* phys.c - the kernel gives a network card back to the first network namespace when the one that
 * it is in dies; all other devices die with it. So the container's namespace is kept alive by a
 * mount, moved/DEVICE/ns in the run folder, until the device is out of it again: by the end of
 * the container or, where its monitor was killed, by the next command that meets it.
 * moved/DEVICE/what.json, written before the device moves, says which it is and what it was
 * like: what the kernel takes from a device that moves (its addresses, that it is up) it gets
 * again. What was left by one who was killed before it had noted that the container has it, the
 * next who wants it takes back. */
#include "network/phys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "network/device.h"
#include "network/namespace.h"
#include "network/subnets.h"
#include "storage/store.h"
#include "wire/netlink.h"

#define PARENT "parent"
enum { WHAT_BYTES_MAX = 4096 };

const char *const network_phys_options[] = { PARENT, NULL };

static const char *parent_of(const struct network *network)
{
	return shape_map_get(&network->options, PARENT);
}

int network_phys_plan(struct network *network, const struct networks *others, struct err *e)
{
	const struct network_subnets_wish wish = { .parent = parent_of(network), .named = true };
	struct network_link link;

	if (!wish.parent) {
		err_set(e, ERR_INVALID, "which device moves into the container?");
		return err_hint(e, "--opt parent=DEVICE; ip link lists them");
	}
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	int r = network_link_check_name(wish.parent, e);
	if (r == 0)
		r = network_link_find(&link, socket, wish.parent, e);
	if (r < 0)
		return err_add(e, "--opt parent");
	return network_subnets_plan(network, others, socket, &wish, e);
}

/* ---- what has moved ---- */

struct what {
	char *device;   /* its name here */
	char *id;       /* of the container */
	uint32_t index; /* there */
	uint32_t mtu;
	char *mac;
	bool up;
	struct strv addresses; /* without those that the kernel makes itself */
};

static const struct shape what_shape = {
	sizeof(struct what),
	(const struct shape_field[]){
		{ "device", SHAPE_STRING, offsetof(struct what, device) },
		{ "id", SHAPE_STRING, offsetof(struct what, id) },
		{ "index", SHAPE_U32, offsetof(struct what, index) },
		{ "mtu", SHAPE_U32, offsetof(struct what, mtu) },
		{ "mac", SHAPE_STRING, offsetof(struct what, mac) },
		{ "up", SHAPE_BOOL, offsetof(struct what, up) },
		{ "addresses", SHAPE_STRINGS, offsetof(struct what, addresses) },
		{ 0 },
	},
};

static void what_clear(struct what *what)
{
	shape_clear(&what_shape, what);
}

static int open_moved(const struct store *store, const char *device)
{
	own_free char *path = mem_format("moved/%s", device);

	return openat(store->run_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Who has it? NULL: nobody. The caller's. */
static char *owner_of(const struct store *store, const char *device)
{
	own_clear(what_clear) struct what what = { 0 };
	struct err ignored;

	own_fd int folder = open_moved(store, device);
	if (folder < 0 ||
	    shape_read_at(&what_shape, folder, "what.json", WHAT_BYTES_MAX, &what, &ignored) < 0)
		return NULL;
	return take_ptr(&what.id);
}

/* Who moves a device, in or back, has this from looking where it is until it is elsewhere. */
static int lock_moved(const struct store *store, struct err *e)
{
	if (mkdirat(store->run_fd, "moved", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the folder moved");
	return store_lock_folder(store->run_fd, "moved", LOCK_EX, e);
}

/* The mount and the folder. */
static void forget(const struct store *store, const char *device)
{
	own_free char *mount = mem_format("%s/moved/%s/ns", store->run, device);
	own_free char *folder = mem_format("moved/%s", device);
	struct err e;

	umount2(mount, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (fd_remove_tree_at(store->run_fd, folder, &e) < 0)
		log_warning("%s", e.text);
}

static int pin(int folder, int namespace_fd, struct err *e)
{
	own_fd int file = openat(folder, "ns", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	own_fd int tree =
		open_tree(namespace_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (file < 0 || tree < 0 || move_mount(tree, "", folder, "ns", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "keep the container's network namespace");
	return 0;
}

/* Before the device moves. The folder's descriptor, the caller's. */
static int note(const struct store *store, const struct what *what, int namespace_fd, struct err *e)
{
	own_free char *path = mem_format("moved/%s", what->device);

	if (mkdirat(store->run_fd, path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the folder %s", path);
	own_fd int folder = open_moved(store, what->device);
	if (folder < 0)
		return err_sys(e, "open the folder %s", path);
	int r = shape_write_at(&what_shape, folder, "what.json", what, e);
	if (r == 0)
		r = pin(folder, namespace_fd, e);
	return r < 0 ? r : take_fd(&folder);
}

/* ---- there ---- */

/* Where it is not here, the message says who has it. */
static int find_here(struct network_link *ret, int socket, const struct store *store,
		     const char *device, struct err *e)
{
	int r = network_link_find(ret, socket, device, e);
	own_free char *owner = r < 0 ? owner_of(store, device) : NULL;

	return owner ? err_set(e, ERR_EXISTS, "the device %s is in the container %.12s", device,
			       owner)
		     : r;
}

/* A phys network makes nothing. */
int network_phys_ensure(const struct store *store, const struct network *network, struct err *e)
{
	const char *device = parent_of(network);
	struct network_link link;

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	if (!device)
		return err_set(e, ERR_CORRUPT, "network %s has no parent", network->name);
	int r = find_here(&link, socket, store, device, e);
	return r < 0 ? err_add(e, "network %s", network->name) : link.index;
}

static void note_address(void *arg, int index, const struct network_address *address)
{
	char text[NETWORK_ADDRESS_TEXT];
	struct what *to = arg;

	if (index != (int)to->index ||
	    (address->family == AF_INET6 && network_address_is_of_link(address)))
		return;
	network_address_format(text, address, true);
	strv_add(&to->addresses, text);
}

static int read_what(struct what *to, int socket, const struct network_link *link,
		     const struct network_member *member, const char *device, struct err *e)
{
	const unsigned char *m = link->mac;

	to->device = mem_text(device);
	to->id = mem_text(member->id);
	to->index = (uint32_t)link->index;
	to->mtu = link->mtu;
	to->mac = mem_format("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	to->up = link->up;
	return network_link_addresses(socket, note_address, to, e);
}

/* Its index there is the same, unless another device has it. */
static int move_in(int socket, const struct what *what, int folder,
		   const struct network_namespace *namespace, const struct network_member *member,
		   struct err *e)
{
	struct what there = *what;
	struct network_link link;

	int r = network_device_move(socket, (int)what->index, namespace->fd, member->device, e);
	if (r < 0)
		return r;
	r = network_link_find(&link, namespace->socket, member->device, e);
	if (r < 0 || link.index == (int)what->index)
		return r;
	there.index = (uint32_t)link.index;
	return shape_write_at(&what_shape, folder, "what.json", &there, e);
}

static int set_inner(const struct network *network, const struct network_namespace *namespace,
		     struct network_member *member, struct err *e)
{
	struct network_inner_route routes[NETWORK_SUBNETS_MAX] = { 0 };
	struct network_inner inner = {
		.name = member->device,
		.addresses = member->addresses,
		.addresses_count = member->count,
		.routes = routes,
	};
	struct network_subnets s;
	struct network_link link;

	int r = network_subnets_read(&s, network, e);
	for (size_t i = 0; r == 0 && i < s.count && member->default_route; i++)
		if (s.gateways[i].family)
			routes[inner.routes_count++].gateway = s.gateways[i];
	if (r == 0)
		r = network_link_find(&link, namespace->socket, member->device, e);
	const unsigned char *mac = network_link_has_no_mac(member->mac) ? NULL : member->mac;
	if (r == 0 && (mac || network->mtu))
		r = network_device_set(namespace->socket, link.index, mac, network->mtu, e);
	if (r == 0)
		r = network_link_set_inner(namespace->socket, &inner, e);
	if (r == 0 && !mac)
		memcpy(member->mac, link.mac, sizeof(member->mac));
	return r;
}

/* ---- and back ---- */

/* A NETLINK_ROUTE socket in the namespace that the folder keeps. */
static int open_there(int folder, struct err *e)
{
	struct network_namespace there = NETWORK_NAMESPACE_INIT;

	own_fd int ns = openat(folder, "ns", O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return err_sys(e, "open the kept network namespace");
	there.fd = ns;
	int back = network_namespace_enter(&there, e);
	if (back < 0)
		return back;
	int socket = wire_netlink_open(e);
	network_namespace_leave(back);
	return socket;
}

static int restore_addresses(int socket, int index, const struct what *what, struct err *e)
{
	own_free struct network_address *all = mem_new(what->addresses.count + 1, sizeof(*all));
	int r = 0;

	for (size_t i = 0; r == 0 && i < what->addresses.count; i++)
		r = network_address_parse(&all[i], what->addresses.items[i], e);
	return r < 0 || !what->up
		       ? r
		       : network_link_raise(socket, index, all, what->addresses.count, e);
}

static void restore(int socket, const struct what *what)
{
	unsigned char mac[NETWORK_MAC];
	struct network_link link;
	struct err e;

	if (network_link_find(&link, socket, what->device, &e) < 0 ||
	    !network_link_parse_mac(mac, what->mac))
		return;
	bool same = memcmp(mac, link.mac, sizeof(mac)) == 0;
	if ((!same || link.mtu != what->mtu) &&
	    network_device_set(socket, link.index, same ? NULL : mac, what->mtu, &e) < 0)
		log_warning("%s: %s", what->device, e.text);
	if (restore_addresses(socket, link.index, what, &e) < 0)
		log_warning("%s: %s", what->device, e.text);
}

static int move_back(int folder, const struct what *what, struct err *e)
{
	own_fd int there = open_there(folder, e);
	if (there < 0)
		return there;
	own_fd int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	own_fd int socket = here < 0 ? -1 : wire_netlink_open(e);
	if (here < 0)
		return err_sys(e, "open /proc/self/ns/net");
	if (socket < 0)
		return socket;
	int r = network_device_move(there, (int)what->index, here, what->device, e);
	if (r == 0)
		restore(socket, what);
	if (r < 0 && e->kind == ERR_EXISTS) {
		own_free char *other = mem_format("phys%u", what->index);
		log_warning("%s; it is %s now", e->text, other);
		r = network_device_move(there, (int)what->index, here, other, e);
	}
	return r;
}

/* Nothing has moved: fine. */
static int give_back(const struct store *store, const char *device, struct err *e)
{
	own_clear(what_clear) struct what what = { 0 };

	own_fd int folder = open_moved(store, device);
	if (folder < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open moved/%s", device);
	int r = shape_read_at(&what_shape, folder, "what.json", WHAT_BYTES_MAX, &what, e);
	if (r < 0 && r != -ENOENT)
		return r;
	/* ENOENT, ENODEV: it was never moved, or is gone from there, as what is unplugged */
	if (r == 0)
		r = move_back(folder, &what, e);
	if (r < 0 && r != -ENOENT && r != -ENODEV && r != -EINVAL)
		return err_add(e, "give %s back", device);
	forget(store, device);
	return 0;
}

int network_phys_join(const struct network *network, int index,
		      const struct network_namespace *namespace, struct network_member *member,
		      struct err *e)
{
	own_clear(what_clear) struct what what = { 0 };
	const char *device = parent_of(network);
	struct network_link link;
	struct err ignored;

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	own_fd int lock = lock_moved(member->store, e);
	if (lock < 0)
		return lock;
	(void)index;
	/* another may have it since ensure; if not, what is noted is what a crash left */
	int r = find_here(&link, socket, member->store, device, e);
	if (r == 0)
		r = give_back(member->store, device, e);
	if (r < 0)
		return r;
	r = read_what(&what, socket, &link, member, device, e);
	if (r < 0)
		return r;
	own_fd int folder = note(member->store, &what, namespace->fd, e);
	r = folder;
	if (r >= 0)
		r = move_in(socket, &what, folder, namespace, member, e);
	if (r == 0)
		r = set_inner(network, namespace, member, e);
	if (r < 0)
		give_back(member->store, device, &ignored);
	else
		snprintf(member->outer, sizeof(member->outer), "%s", device);
	return r < 0 ? err_add(e, "join the network %s", network->name) : 0;
}

void network_phys_reclaim(const struct network *network, const struct store *store, const char *id,
			  network_lease_live *live, void *arg)
{
	const char *device = parent_of(network);
	struct err e;

	own_fd int folder = device ? open_moved(store, device) : -1;
	if (folder < 0)
		return;
	own_fd int lock = lock_moved(store, &e);
	own_free char *owner = lock < 0 ? NULL : owner_of(store, device);
	if (lock < 0 || (owner && (str_equal(owner, id) || !live(arg, owner)) &&
			 give_back(store, device, &e) < 0))
		log_warning("%s", e.text);
}

void network_phys_leave(const struct network *network, const struct network_left *left)
{
	struct err e;

	(void)network;
	if (!left->outer)
		return;
	own_fd int lock = lock_moved(left->store, &e);
	own_free char *owner = lock < 0 ? NULL : owner_of(left->store, left->outer);
	if (lock < 0 || (str_equal(owner, left->id) && give_back(left->store, left->outer, &e) < 0))
		log_warning("%s", e.text);
}
