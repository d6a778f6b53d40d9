#include "network/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "storage/store.h"

enum { OWNER_MAX = 128 };

int network_lease_lock(const struct store *store, const char *network, struct err *e)
{
	own_free char *path = mem_format("leases/%s", network);

	if ((mkdirat(store->run_fd, "leases", 0700) < 0 && errno != EEXIST) ||
	    (mkdirat(store->run_fd, path, 0700) < 0 && errno != EEXIST))
		return err_sys(e, "make the folder %s", path);
	return store_lock_folder(store->run_fd, path, LOCK_EX, e);
}

/* Whose it is; false: nobody's. */
static bool read_owner(char to[OWNER_MAX], int folder, const char *address)
{
	ssize_t length = readlinkat(folder, address, to, OWNER_MAX - 1);

	to[length > 0 ? length : 0] = '\0';
	return length > 0;
}

bool network_lease_has(int lock, const char *address, const char *id)
{
	own_free char *bare = mem_text_n(address, strcspn(address, "/"));
	char owner[OWNER_MAX];

	return read_owner(owner, lock, bare) && str_equal(owner, id);
}

static bool is_reserved(const struct network_lease_request *request,
			const struct network_address *address)
{
	for (size_t i = 0; i < request->never_count; i++)
		if (network_address_equal(&request->never[i], address))
			return true;
	return network_address_equal(address, &request->gateway);
}

/* Under the folder's lock. 1: it is another's. */
static int try_take(int folder, const struct network_lease_request *request,
		    const struct network_address *address, char owner[OWNER_MAX], struct err *e)
{
	char text[NETWORK_ADDRESS_TEXT];

	network_address_format(text, address, false);
	if (symlinkat(request->id, folder, text) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "note the address %s", text);
	if (read_owner(owner, folder, text)) {
		if (str_equal(owner, request->id))
			return 0;
		if (request->live(request->arg, owner))
			return 1;
	}
	if (unlinkat(folder, text, 0) < 0 || symlinkat(request->id, folder, text) < 0)
		return err_sys(e, "note the address %s", text);
	return 0;
}

static int take_wanted(struct network_address *ret, int folder,
		       const struct network_lease_request *request, struct err *e)
{
	struct network_address address = request->wanted;
	char text[NETWORK_ADDRESS_TEXT];
	char owner[OWNER_MAX] = "";

	address.prefix = request->subnet.prefix;
	network_address_format(text, &address, false);
	int r = network_address_check_host(&request->subnet, &address, e);
	if (r < 0)
		return r;
	if (is_reserved(request, &address))
		return err_set(e, ERR_EXISTS, "the address %s is the %s own", text,
			       network_address_equal(&address, &request->gateway) ? "network's"
										  : "host's");
	r = try_take(folder, request, &address, owner, e);
	if (r > 0)
		return err_set(e, ERR_EXISTS, "the address %s is that of container %.12s", text,
			       owner);
	if (r == 0)
		*ret = address;
	return r;
}

/* The first 15 digits of the id, as a number. */
static uint64_t start_of(const char *id)
{
	own_free char *digits = mem_text_n(id, strnlen(id, 15));

	return strtoull(digits, NULL, 16);
}

static int take_any(struct network_address *ret, int folder,
		    const struct network_lease_request *request, struct err *e)
{
	uint64_t count = network_address_hosts(&request->range);
	uint64_t first = count ? start_of(request->id) % count : 0;
	char owner[OWNER_MAX], range[NETWORK_ADDRESS_TEXT];

	for (uint64_t i = 0; i < count; i++) {
		struct network_address address =
			network_address_nth(&request->range, 1 + (first + i) % count);
		address.prefix = request->subnet.prefix;
		if (is_reserved(request, &address))
			continue;
		int r = try_take(folder, request, &address, owner, e);
		if (r == 0)
			*ret = address;
		if (r <= 0)
			return r;
	}
	network_address_format(range, &request->range, true);
	err_set(e, ERR_NO_SPACE, "all addresses of %s are taken", range);
	return err_hint(e, "stop containers of the network %s, or make one with a larger --subnet",
			request->network);
}

int network_lease_take(struct network_address *ret, const struct store *store,
		       const struct network_lease_request *request, struct err *e)
{
	own_fd int folder = network_lease_lock(store, request->network, e);
	if (folder < 0)
		return folder;
	return request->wanted.family ? take_wanted(ret, folder, request, e)
				      : take_any(ret, folder, request, e);
}

int network_lease_release(const struct store *store, const char *network, const char *id,
			  const char *address, struct err *e)
{
	char owner[OWNER_MAX];

	own_fd int folder = network_lease_lock(store, network, e);
	if (folder < 0)
		return folder;
	if (read_owner(owner, folder, address) && str_equal(owner, id) &&
	    unlinkat(folder, address, 0) < 0)
		return err_sys(e, "give the address %s back", address);
	return 0;
}

int network_lease_list(const struct store *store, const char *network,
		       void (*each)(void *arg, const char *address, const char *id), void *arg,
		       struct err *e)
{
	own_free char *path = mem_format("leases/%s", network);
	char owner[OWNER_MAX];
	int fd = openat(store->run_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", path);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_type == DT_LNK && read_owner(owner, dirfd(dir), entry->d_name))
			each(arg, entry->d_name, owner);
	return 0;
}

int network_lease_remove(const struct store *store, const char *network, struct err *e)
{
	own_free char *path = mem_format("leases/%s", network);

	return fd_remove_tree_at(store->run_fd, path, e);
}
