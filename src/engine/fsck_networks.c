#include "engine/fsck_part.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "network/record.h"
#include "storage/store.h"

/* What it said is lost, so nobody can write it anew but who made it; the default one is made again
 * by the next container that is in it. */
static void move_aside(const struct fsck_run *run, const char *name, const char *damage)
{
	own_free char *from = mem_format("networks/%s.json", name);
	own_free char *to = mem_format("network-%s", name);
	struct err e;

	own_fd int lock = network_record_lock(run->engine->store, &e);
	if (lock < 0)
		fsck_say(run, ENGINE_FSCK_LEFT, damage, e.text);
	else
		fsck_put_aside(run, from, to, damage,
			       str_equal(name, NETWORK_DEFAULT)
				       ? "; the default network is made again"
				       : "; holm network create makes another");
}

static void check_network(const struct fsck_run *run, const char *name)
{
	own_clear(network_record_clear) struct network network = { 0 };
	struct err e;

	int r = network_record_read(&network, run->engine->store, name, &e);
	if (r == 0 || e.kind == ERR_NOT_FOUND)
		return;
	own_free char *damage = mem_format("network %s: %s", name, e.text);
	if (run->check->repair)
		move_aside(run, name, damage);
	else
		fsck_say_found(run, damage);
}

int fsck_networks(const struct fsck_run *run, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	const struct store *store = run->engine->store;

	if (faccessat(store->root_fd, "networks", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	int r = fsck_list_names(store->root_fd, "networks", &names, e);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char *name = names.items[i];
		if (*name == '.' || !str_ends(name, ".json"))
			continue;
		name[strlen(name) - strlen(".json")] = '\0';
		check_network(run, name);
	}
	return r;
}
