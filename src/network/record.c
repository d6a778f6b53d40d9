#include "network/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/link.h"
#include "storage/store.h"

enum { NETWORK_NAME_MAX = 128, NETWORK_BYTES_MAX = 1 << 20 };

static const struct shape subnet_shape = {
	sizeof(struct network_subnet),
	(const struct shape_field[]){
		{ "subnet", SHAPE_STRING, offsetof(struct network_subnet, subnet) },
		{ "gateway", SHAPE_STRING, offsetof(struct network_subnet, gateway) },
		{ "range", SHAPE_STRING, offsetof(struct network_subnet, range) },
		{ 0 },
	},
};

#define FIELD(member) offsetof(struct network, member)
const struct shape network_record_shape = {
	sizeof(struct network),
	(const struct shape_field[]){
		{ "name", SHAPE_STRING, FIELD(name) },
		{ "id", SHAPE_STRING, FIELD(id) },
		{ "driver", SHAPE_STRING, FIELD(driver) },
		{ "created", SHAPE_STRING, FIELD(created) },
		{ "bridge", SHAPE_STRING, FIELD(bridge) },
		{ "internal", SHAPE_BOOL, FIELD(internal) },
		{ "mtu", SHAPE_U32, FIELD(mtu) },
		{ "subnets", SHAPE_LIST, FIELD(subnets), &subnet_shape },
		{ "dns", SHAPE_STRINGS, FIELD(dns) },
		{ "labels", SHAPE_MAP, FIELD(labels) },
		{ "options", SHAPE_MAP, FIELD(options) },
		{ 0 },
	},
};
#undef FIELD

void network_record_clear(struct network *network)
{
	shape_clear(&network_record_shape, network);
}

void network_record_list_clear(struct networks *networks)
{
	for (size_t i = 0; i < networks->items.count; i++)
		network_record_clear(&networks->items.items[i]);
	free(networks->items.items);
	*networks = (struct networks){ 0 };
}

int network_record_check_name(const char *name, struct err *e)
{
	static const char *const taken[] = { "host", "none", "private", "default", "container" };

	if (!str_is_name(name, NETWORK_NAME_MAX))
		return err_set(e, ERR_INVALID,
			       "'%.140s' is no name of a network: letters and digits, then also "
			       "_ . -, at most %d",
			       name, NETWORK_NAME_MAX);
	for (size_t i = 0; i < COUNT_OF(taken); i++)
		if (str_equal(name, taken[i]))
			return err_set(e, ERR_INVALID, "'%s' has a meaning of its own to --network",
				       name);
	return 0;
}

int network_record_check_publish_mode(const char *mode, struct err *e)
{
	if (str_equal(mode, "firewall") || str_equal(mode, "open"))
		return 0;
	return err_set(e, ERR_INVALID, "%.40s: not firewall or open", mode);
}

bool network_record_has_bridge(const struct network *network)
{
	return str_equal(network->driver, "bridge") || str_equal(network->driver, "vxlan");
}

static char *file_of(const char *name)
{
	return mem_format("networks/%s.json", name);
}

int network_record_lock(const struct store *store, struct err *e)
{
	if (mkdirat(store->root_fd, "networks", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the folder networks");
	return store_lock_folder(store->root_fd, "networks", LOCK_EX, e);
}

int network_record_replace(const struct store *store, const struct network *network, struct err *e)
{
	own_free char *path = file_of(network->name);
	int r = shape_write_at(&network_record_shape, store->root_fd, path, network, e);

	return r < 0 ? r : store_sync_folder(store, "networks", e);
}

int network_record_write(const struct store *store, const struct network *network, struct err *e)
{
	int r = network_record_check_name(network->name, e);
	if (r < 0)
		return r;
	own_free char *path = file_of(network->name);
	if (faccessat(store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_EXISTS, "there is a network %s already", network->name);
	return network_record_replace(store, network, e);
}

static int not_found(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no network is called %.140s", name);
}

int network_record_remove(const struct store *store, const char *name, struct err *e)
{
	int r = network_record_check_name(name, e);
	if (r < 0)
		return r;
	own_free char *path = file_of(name);
	if (unlinkat(store->root_fd, path, 0) < 0)
		return errno == ENOENT ? not_found(name, e) : err_sys(e, "remove %s", path);
	return store_sync_folder(store, "networks", e);
}

/* What the others of this folder rely on. */
static int check(const struct network *network, struct err *e)
{
	struct network_address address;
	int r = 0;

	if (!network->id || !network->driver ||
	    (!network->bridge && network_record_has_bridge(network)))
		return err_set(e, ERR_CORRUPT, "id, bridge or driver is missing");
	if (network->bridge && network_link_check_name(network->bridge, e) < 0)
		r = -1;
	for (size_t i = 0; r == 0 && i < network->subnets.count; i++) {
		const struct network_subnet *subnet = &network->subnets.items[i];
		if (!subnet->subnet ||
		    network_address_parse_subnet(&address, subnet->subnet, e) < 0 ||
		    (subnet->gateway && network_address_parse(&address, subnet->gateway, e) < 0) ||
		    (subnet->range && network_address_parse_subnet(&address, subnet->range, e) < 0))
			r = -1;
	}
	if (r == 0 && network->subnets.count <= NETWORK_SUBNETS_MAX)
		return 0;
	return err_set(e, ERR_CORRUPT, "its bridge or a subnet makes no sense");
}

int network_record_read(struct network *to, const struct store *store, const char *name,
			struct err *e)
{
	struct network network = { 0 };

	int r = network_record_check_name(name, e);
	if (r < 0)
		return r;
	own_free char *path = file_of(name);
	r = shape_read_at(&network_record_shape, store->root_fd, path, NETWORK_BYTES_MAX, &network,
			  e);
	if (r == -ENOENT)
		return not_found(name, e);
	if (r == 0 && check(&network, e) < 0)
		r = err_add(e, "%s", path);
	if (r < 0) {
		network_record_clear(&network);
		return err_hint(e, "holm system check --repair");
	}
	mem_replace(&network.name, name); /* the file's name is what counts */
	*to = network;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct network *left = a, *right = b;
	return strcmp(left->name, right->name);
}

int network_record_list(struct networks *to, const struct store *store, struct err *e)
{
	const struct dirent *entry;
	struct err ignored;
	int fd = openat(store->root_fd, "networks", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "open networks");
	while ((entry = readdir(dir))) {
		struct network network = { 0 };
		own_free char *name = mem_text(entry->d_name);
		if (name[0] == '.' || !str_ends(name, ".json"))
			continue;
		name[strlen(name) - strlen(".json")] = '\0';
		if (network_record_read(&network, store, name, &ignored) == 0)
			*shape_list_add(&to->items) = network;
	}
	if (to->items.count)
		qsort(to->items.items, to->items.count, sizeof(*to->items.items), by_name);
	return 0;
}
