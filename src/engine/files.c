#include "engine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/network.h"
#include "engine/spec.h"
#include "engine/userns.h"
#include "network/uplink.h"

enum { HOST_FILE_MAX = 256 << 10 };

void files_context_clear(struct files_context *context)
{
	strv_clear(&context->addresses);
	free(context->gateway);
	*context = (struct files_context){ 0 };
}

void files_add_place(struct files_context *context, const struct engine_place *place)
{
	for (size_t i = 0; i < place->addresses.count; i++) {
		const char *address = place->addresses.items[i];
		strv_add_take(&context->addresses, mem_text_n(address, strcspn(address, "/")));
	}
	for (size_t i = 0; !context->gateway && i < place->gateways.count; i++)
		if (*place->gateways.items[i])
			context->gateway = mem_text(place->gateways.items[i]);
}

static bool has_host_network(const struct container *c)
{
	return str_equal(c->network.mode, "host");
}

static void add_own_name(struct str *to, const struct container *c,
			 const struct files_context *context, const char *address)
{
	str_addf(to, "%s\t%s%s%s\n", address, context->host_name, c->process.domainname ? "." : "",
		 c->process.domainname ? c->process.domainname : "");
}

static bool is_added(const struct container *c, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < c->network.add_host.count; i++)
		if (str_starts(c->network.add_host.items[i], name) &&
		    c->network.add_host.items[i][length] == ':')
			return true;
	return false;
}

/* The host itself, by our name and by those that others have for it. */
static void add_host(struct str *to, const struct container *c, const struct files_context *context)
{
	static const char *const names[] = { "host.holm.internal", "host.docker.internal",
					     "host.containers.internal" };
	const char *address = has_host_network(c) ? "127.0.0.1" : context->gateway;
	own_clear(strv_clear) struct strv free_names = { 0 };

	for (size_t i = 0; address && i < COUNT_OF(names); i++)
		if (!is_added(c, names[i]))
			strv_add(&free_names, names[i]);
	if (free_names.count == 0)
		return;
	own_free char *joined = strv_join(&free_names, " ");
	str_addf(to, "%s\t%s\n", address, joined);
}

void files_hosts(struct str *to, const struct container *c, const struct files_context *context,
		 const char *host_text)
{
	if (has_host_network(c))
		str_add(to, host_text);
	else
		str_add(to, "127.0.0.1\tlocalhost\n"
			    "::1\tlocalhost ip6-localhost ip6-loopback\n"
			    "fe00::\tip6-localnet\n"
			    "ff00::\tip6-mcastprefix\n"
			    "ff02::1\tip6-allnodes\n"
			    "ff02::2\tip6-allrouters\n");
	for (size_t i = 0; i < context->addresses.count; i++)
		add_own_name(to, c, context, context->addresses.items[i]);
	if (!has_host_network(c) && context->addresses.count == 0)
		add_own_name(to, c, context, "127.0.1.1");
	if (to->length && to->text[to->length - 1] != '\n')
		str_add_char(to, '\n');
	add_host(to, c, context);
	for (size_t i = 0; i < c->network.add_host.count; i++) {
		const char *entry = c->network.add_host.items[i];
		size_t name = strcspn(entry, ":");
		const char *address = entry + name + 1;
		if (str_equal(address, "host-gateway") && context->gateway)
			address = context->gateway;
		str_addf(to, "%s\t%.*s\n", address, (int)name, entry);
	}
}

/* Does it have a name server of its own, which asks those of the host? */
static bool has_resolver(const struct container *c)
{
	return c->network.endpoints.count > 0 || network_uplink_is_name(c->network.mode);
}

/* A name server of the host's loopback cannot be reached from another network namespace. */
static bool is_kept(const struct container *c, const char *line, size_t length)
{
	const struct container_network *n = &c->network;

	if (!strncmp(line, "nameserver", 10)) {
		const char *address = line + 10;
		address += strspn(address, " \t");
		bool loopback = str_starts(address, "127.") || str_starts(address, "::1");
		return n->dns.count == 0 && !has_resolver(c) && (has_host_network(c) || !loopback);
	}
	if (length >= 6 && (!strncmp(line, "search", 6) || !strncmp(line, "domain", 6)))
		return n->dns_search.count == 0;
	if (length >= 7 && !strncmp(line, "options", 7))
		return n->dns_option.count == 0;
	return true;
}

static void add_words(struct str *to, const char *key, const struct strv *words)
{
	if (words->count == 0)
		return;
	str_add(to, key);
	for (size_t i = 0; i < words->count; i++)
		str_addf(to, " %s", words->items[i]);
	str_add_char(to, '\n');
}

void files_resolv(struct str *to, const struct container *c, const char *host_text)
{
	while (*host_text) {
		size_t length = strcspn(host_text, "\n");
		if (length && is_kept(c, host_text, length)) {
			str_add_n(to, host_text, length);
			str_add_char(to, '\n');
		}
		host_text += length + (host_text[length] == '\n');
	}
	if (has_resolver(c))
		str_add(to, "nameserver " NETWORK_RESOLVER "\n");
	for (size_t i = 0; !has_resolver(c) && i < c->network.dns.count; i++)
		str_addf(to, "nameserver %s\n", c->network.dns.items[i]);
	if (!strv_contains(&c->network.dns_search, "."))
		add_words(to, "search", &c->network.dns_search);
	add_words(to, "options", &c->network.dns_option);
	/* a name without a dot is a neighbour's first, and then one of the domains searched */
	if (has_resolver(c) && !(to->text && strstr(to->text, "ndots:")))
		str_add(to, "options ndots:0\n");
}

/* The host's file as text; "" if it has none. It may be a link (systemd-resolved). */
static int read_host(struct str *to, const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	str_add(to, "");
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open the host's %s", path);
	return fd_read_all(fd, HOST_FILE_MAX, to, e);
}

/* Mostly it is as the last start wrote it, and to write it again is 0.3 ms on ext4, which sends
 * what replaces other bytes to the disk at once. */
static bool holds(int fd, const char *text)
{
	own_clear(str_clear) struct str now = { 0 };
	struct err ignored;

	return fd_read_all(fd, HOST_FILE_MAX, &now, &ignored) == 0 && now.length == strlen(text) &&
	       (!now.length || !memcmp(now.text, text, now.length));
}

/* In place: who shares the network has the same file mounted. */
static int write_file(int folder_fd, const struct container *c, const char *name, const char *text,
		      struct err *e)
{
	own_fd int fd = openat(folder_fd, name,
			       O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, "make the container's %s", name);
	if (!holds(fd, text)) {
		if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
			return err_sys(e, "empty the container's %s", name);
		int r = fd_write_all(fd, text, strlen(text));
		if (r < 0)
			return err_number(e, -r, "write the container's %s", name);
	}
	return engine_userns_give(c, fd, e) < 0 ? err_add(e, "the container's %s", name) : 0;
}

int engine_files_write(int folder_fd, const struct container *c,
		       const struct files_context *context, struct err *e)
{
	own_clear(str_clear) struct str host_hosts = { 0 }, host_resolv = { 0 };
	own_clear(str_clear) struct str hosts = { 0 }, resolv = { 0 };
	own_free char *hostname = mem_format("%s\n", context->host_name);
	int r = 0;

	str_add(&resolv, "");
	if (has_host_network(c))
		r = read_host(&host_hosts, "/etc/hosts", e);
	if (r == 0)
		r = read_host(&host_resolv, "/etc/resolv.conf", e);
	if (r < 0)
		return r;
	files_hosts(&hosts, c, context, host_hosts.text ? host_hosts.text : "");
	files_resolv(&resolv, c, host_resolv.text);
	r = write_file(folder_fd, c, "hosts", hosts.text ? hosts.text : "", e);
	if (r == 0)
		r = write_file(folder_fd, c, "hostname", hostname, e);
	if (r == 0)
		r = write_file(folder_fd, c, "resolv.conf", resolv.text, e);
	return r;
}

/* ---- of one that runs ---- */

static bool is_of(const char *line, size_t length, const struct engine_place *place)
{
	size_t first = strcspn(line, " \t\n");

	for (size_t i = 0; place && first < length && i < place->addresses.count; i++) {
		const char *address = place->addresses.items[i];
		if (strcspn(address, "/") == first && !strncmp(address, line, first))
			return true;
	}
	return false;
}

int engine_files_change(int folder_fd, const struct container *c, const struct engine_place *gone,
			const struct engine_place *come, struct err *e)
{
	own_clear(files_context_clear) struct files_context context = { 0 };
	own_clear(str_clear) struct str before = { 0 }, after = { 0 };

	int r = fd_read_file_at(folder_fd, "hosts", HOST_FILE_MAX, &before, e);
	if (r < 0)
		return r;
	for (const char *line = before.text ? before.text : ""; *line;) {
		size_t length = strcspn(line, "\n");
		if (!is_of(line, length, gone)) {
			str_add_n(&after, line, length);
			str_add_char(&after, '\n');
		}
		line += length + (line[length] == '\n');
	}
	spec_host_name(context.host_name, c);
	if (come)
		files_add_place(&context, come);
	for (size_t i = 0; i < context.addresses.count; i++)
		add_own_name(&after, c, &context, context.addresses.items[i]);
	return write_file(folder_fd, c, "hosts", after.text ? after.text : "", e);
}
