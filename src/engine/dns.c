/* dns.c - folders and files are open to all who can come to them, which through the run folder is
 * root alone: a name server has descriptors of its networks' folders, and no rights. */
#include "engine/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "engine/spec.h"
#include "network/uplink.h"
#include "storage/store.h"

enum { SHORT_ID = 12, LINK_MAX = 253 };

/* Whatever the umask is. */
static int make_folder(int dir_fd, const char *path, struct err *e)
{
	if (mkdirat(dir_fd, path, 0755) < 0)
		return errno == EEXIST ? 0 : err_sys(e, "make the folder %s", path);
	return fchmodat(dir_fd, path, 0755, 0) < 0 ? err_sys(e, "open the folder %s to all", path)
						   : 0;
}

static int write_open(int dir_fd, const char *path, const struct str *text, struct err *e)
{
	mode_t before = umask(022);
	int r = fd_write_file_at(dir_fd, path, text->text ? text->text : "", text->length, 0644, e);

	umask(before);
	return r;
}

/* ---- names ---- */

static void add_name(struct strv *to, const char *name)
{
	if (!str_empty(name) && !strv_contains(to, name))
		strv_add(to, name);
}

void engine_dns_names(struct strv *to, const struct container *c, const char *network)
{
	own_free char *short_id = mem_text_n(c->id, SHORT_ID);
	char host_name[65];

	add_name(to, c->name);
	for (size_t i = 0; i < c->network.endpoints.count; i++) {
		const struct container_endpoint *endpoint = &c->network.endpoints.items[i];
		for (size_t k = 0; k < endpoint->aliases.count; k++)
			if (str_equal(endpoint->network, network))
				add_name(to, endpoint->aliases.items[k]);
	}
	add_name(to, short_id);
	spec_host_name(host_name, c);
	add_name(to, host_name);
}

/* The lock that the container's monitor will hold, or holds, under its name here. */
static int link_alive(int names_fd, const char *path, int run_fd, struct err *e)
{
	struct stat ours, there;

	if (linkat(run_fd, "alive", names_fd, path, 0) == 0)
		return 0;
	if (errno != EEXIST || fstatat(run_fd, "alive", &ours, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "make %s", path);
	if (fstatat(names_fd, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    there.st_ino == ours.st_ino && there.st_dev == ours.st_dev)
		return 0;
	/* that of an earlier run, which was killed */
	if ((unlinkat(names_fd, path, 0) < 0 && errno != ENOENT) ||
	    linkat(run_fd, "alive", names_fd, path, 0) < 0)
		return err_sys(e, "make %s", path);
	return 0;
}

static int write_place(int names_fd, const struct container *c, const struct engine_place *place,
		       int run_fd, struct err *e)
{
	own_free char *path = mem_format("%s/%s", place->network, c->id);
	own_free char *alive = mem_format("%s.alive", path);
	own_clear(strv_clear) struct strv names = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	engine_dns_names(&names, c, place->network);
	for (size_t i = 0; i < names.count; i++)
		str_addf(&text, "name %s\n", names.items[i]);
	for (size_t i = 0; i < place->addresses.count; i++) {
		const char *address = place->addresses.items[i];
		str_addf(&text, "address %.*s\n", (int)strcspn(address, "/"), address);
	}
	int r = make_folder(names_fd, place->network, e);
	if (r == 0)
		r = write_open(names_fd, path, &text, e);
	return r < 0 ? r : link_alive(names_fd, alive, run_fd, e);
}

/* ---- its own name server ---- */

/* "db:sql" or "db" becomes "0123456789ab:sql": a name that stays. */
static int resolve_link(struct engine *engine, struct strv *to, const char *text, struct err *e)
{
	size_t length = strcspn(text, ":");
	own_free char *name = mem_text_n(text, length);
	const char *alias = text[length] ? text + length + 1 : text;
	char id[CONTAINER_ID_LENGTH + 1];

	if (!str_is_name(alias, LINK_MAX))
		return err_set(e, ERR_INVALID, "--link %s: not CONTAINER or CONTAINER:NAME", text);
	int r = engine_find(engine, name, id, e);
	if (r < 0)
		return err_add(e, "--link");
	strv_addf(to, "%.*s:%s", SHORT_ID, id, alias);
	return 0;
}

int engine_dns_resolve_links(struct engine *engine, struct container *c, struct err *e)
{
	struct strv links = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->network.links.count; i++)
		r = resolve_link(engine, &links, c->network.links.items[i], e);
	strv_clear(&c->network.links);
	c->network.links = links;
	return r;
}

static int write_config(int run_fd, const struct container *c, const struct engine_places *places,
			struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	bool forward = network_uplink_is_name(c->network.mode);

	for (size_t i = 0; i < places->items.count; i++) {
		const struct engine_place *place = &places->items.items[i];
		str_addf(&text, "network %s\n", place->network);
		forward |= !place->internal;
		for (size_t k = 0; c->network.dns.count == 0 && k < place->dns.count; k++)
			str_addf(&text, "server %s\n", place->dns.items[k]);
	}
	for (size_t i = 0; i < c->network.dns.count; i++)
		str_addf(&text, "server %s\n", c->network.dns.items[i]);
	for (size_t i = 0; i < c->network.links.count; i++) {
		const char *link = c->network.links.items[i];
		str_addf(&text, "link %s %.*s\n", link + SHORT_ID + 1, SHORT_ID, link);
	}
	if (forward)
		str_add(&text, "forward\n");
	return write_open(run_fd, "dns", &text, e);
}

static int make_alive(int run_fd, struct err *e)
{
	own_fd int fd = openat(run_fd, "alive", O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 || fchmod(fd, 0644) < 0)
		return err_sys(e, "make alive");
	return 0;
}

int engine_dns_write(struct engine *engine, const struct container *c,
		     const struct engine_places *places, int run_fd, struct err *e)
{
	/* one that was never in a network has no name server */
	if (places->items.count == 0 && !network_uplink_is_name(c->network.mode) &&
	    faccessat(run_fd, "dns", F_OK, 0) < 0)
		return 0;
	int r = make_folder(engine->store->run_fd, "names", e);
	if (r < 0)
		return r;
	own_fd int names = openat(engine->store->run_fd, "names",
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (names < 0)
		return err_sys(e, "open names");
	r = make_alive(run_fd, e);
	for (size_t i = 0; r == 0 && i < places->items.count; i++)
		r = write_place(names, c, &places->items.items[i], run_fd, e);
	if (r == 0)
		r = write_config(run_fd, c, places, e);
	return r < 0 ? err_add(e, "name the container in its networks") : 0;
}

int engine_dns_refresh(struct engine *engine, const struct container *c, struct err *e)
{
	own_clear(engine_network_places_clear) struct engine_places places = { 0 };

	own_fd int run_fd =
		openat(engine->run_fd, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open the run folder");
	int r = engine_network_places_read(&places, engine, c->id, e);
	return r < 0 ? r : engine_dns_write(engine, c, &places, run_fd, e);
}

/* ---- gone ---- */

void engine_dns_remove(struct engine *engine, const char *id, const char *network)
{
	own_free char *path = mem_format("names/%s/%s", network, id);
	own_free char *alive = mem_format("%s.alive", path);

	unlinkat(engine->store->run_fd, path, 0);
	unlinkat(engine->store->run_fd, alive, 0);
}

void engine_dns_remove_network(struct engine *engine, const char *network)
{
	own_free char *path = mem_format("names/%s", network);
	struct err ignored;

	fd_remove_tree_at(engine->store->run_fd, path, &ignored);
}
