#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "engine/config.h"
#include "engine/config_endpoint.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/record.h"
#include "network/uplink.h"

/* Nothing said, "default" and podman's "private": the default network; where none can be made a
 * program that carries packets, and without one a namespace with loopback alone. */
static const char *understand(const char *text, const struct config_context *context)
{
	static const char *const words[] = { "default", "private", NULL };

	if (!config_is_one_of(text, words))
		return text;
	if (context->bridges)
		return NETWORK_DEFAULT;
	return context->uplink ? context->uplink : "private";
}

/* "host", "container:web", "ns:/run/netns/x": is it no network's name? */
static bool is_mode(const char *text)
{
	static const char *const modes[] = { "none", "host", "private", NULL };

	return config_is_one_of(text, modes) || network_uplink_is_name(text) ||
	       !str_empty(config_container_name(text)) || str_starts(text, "ns:/");
}

static int add_endpoint(struct container *c, const char *text, struct err *e)
{
	struct container_endpoint *to = shape_list_add(&c->network.endpoints);

	int r = config_endpoint_parse(to, text, e);
	for (size_t i = 0; r == 0 && i < c->network.endpoints.count - 1; i++)
		if (str_equal(c->network.endpoints.items[i].network, to->network))
			r = err_set(e, ERR_INVALID, "--network %s: given twice", to->network);
	return r;
}

/* "a,b" are two, as with podman, unless something is said of them. */
static void split(struct strv *to, const struct strv *asked)
{
	for (size_t i = 0; i < asked->count; i++)
		if (asked->items[i][strcspn(asked->items[i], ":=")])
			strv_add(to, asked->items[i]);
		else
			strv_split(to, asked->items[i], ',');
}

static int set_mode(struct container *c, const struct create_options *o,
		    const struct config_context *context, struct err *e)
{
	own_clear(strv_clear) struct strv all = { 0 };

	split(&all, &o->network);
	const char *first = understand(all.count ? all.items[0] : "default", context);
	for (size_t i = 0; all.count > 1 && i < all.count; i++)
		if (is_mode(understand(all.items[i], context)))
			return err_set(e, ERR_INVALID,
				       "--network: %s excludes all others, so %s, too",
				       all.items[i], all.items[i ? 0 : 1]);
	c->network.mode = mem_text(first);
	if (is_mode(first))
		return 0;
	int r = add_endpoint(c, first, e);
	for (size_t i = 1; r == 0 && i < all.count; i++)
		r = add_endpoint(c, understand(all.items[i], context), e);
	if (r == 0)
		mem_replace(&c->network.mode, c->network.endpoints.items[0].network);
	return r;
}

/* What is asked for the place in the first network. */
static int set_place(struct container *c, const struct create_options *o, struct err *e)
{
	const char *option = o->ip            ? "--ip"
			     : o->ip6         ? "--ip6"
			     : o->mac_address ? "--mac-address"
					      : NULL;
	int r = 0;

	if (!option)
		return 0;
	if (c->network.endpoints.count == 0)
		return err_set(e, ERR_INVALID, "%s wants a network, not --network %s", option,
			       c->network.mode);
	struct container_endpoint *first = &c->network.endpoints.items[0];
	if (o->ip)
		r = config_endpoint_set(first, "--ip", "ip4", o->ip, e);
	if (r == 0 && o->ip6)
		r = config_endpoint_set(first, "--ip6", "ip6", o->ip6, e);
	if (r == 0 && o->mac_address)
		r = config_endpoint_set(first, "--mac-address", "mac", o->mac_address, e);
	return r;
}

/* What it is called in all of its networks, and what it calls others there. */
static int set_names(struct container *c, const struct create_options *o, struct err *e)
{
	const char *option = o->network_alias.count ? "--network-alias"
			     : o->link.count        ? "--link"
						    : NULL;
	int r = 0;

	if (option && c->network.endpoints.count == 0)
		return err_set(e, ERR_INVALID, "%s wants a network, not --network %s", option,
			       c->network.mode);
	for (size_t i = 0; i < c->network.endpoints.count; i++)
		for (size_t k = 0; r == 0 && k < o->network_alias.count; k++)
			r = config_endpoint_set(&c->network.endpoints.items[i], "--network-alias",
						"alias", o->network_alias.items[k], e);
	strv_add_all(&c->network.links, &o->link);
	return r;
}

static int check_address(const char *option, const char *whole, const char *address, struct err *e)
{
	struct in6_addr bytes;

	if (inet_pton(AF_INET, address, &bytes) == 1 || inet_pton(AF_INET6, address, &bytes) == 1)
		return 0;
	return err_set(e, ERR_INVALID, "%s %s: '%s' is not an IP address", option, whole, address);
}

/* NAME:ADDRESS or NAME=ADDRESS; an IPv6 address may stand in brackets. Stored as NAME:ADDRESS. */
static int add_host(struct container *c, const char *text, struct err *e)
{
	size_t length = strcspn(text, ":=");
	const char *address = text + length + 1;

	if (!length || !text[length])
		return err_set(e, ERR_INVALID, "--add-host %s: not NAME:ADDRESS", text);
	if (strcspn(text, " \t\n#") < length)
		return err_set(e, ERR_INVALID, "--add-host %s: a name without blanks", text);
	size_t end = strlen(address);
	bool bracketed = address[0] == '[' && end > 2 && address[end - 1] == ']';
	own_free char *bare = bracketed ? mem_text_n(address + 1, end - 2) : mem_text(address);
	if (strcmp(bare, "host-gateway") != 0) {
		int r = check_address("--add-host", text, bare, e);
		if (r < 0)
			return r;
	} else if (c->network.endpoints.count == 0) {
		return err_set(e, ERR_INVALID,
			       "--add-host %s: with --network %s there is no host-gateway", text,
			       c->network.mode);
	}
	strv_addf(&c->network.add_host, "%.*s:%s", (int)length, text, bare);
	return 0;
}

static int add_words(struct strv *to, const char *option, const struct strv *words, struct err *e)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		if (!*word || word[strcspn(word, " \t\n")])
			return err_set(e, ERR_INVALID, "%s '%s': one word", option, word);
		strv_add(to, word);
	}
	return 0;
}

static int check_files(const struct container *c, const struct create_options *o, struct err *e)
{
	const char *option = o->add_host.count     ? "--add-host"
			     : o->no_hosts         ? "--no-hosts"
			     : o->dns.count        ? "--dns"
			     : o->dns_search.count ? "--dns-search"
			     : o->dns_option.count ? "--dns-option"
						   : NULL;

	if (!option || !config_container_name(c->network.mode))
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s and --network %s exclude each other: its files are the other "
		       "container's",
		       option, c->network.mode);
}

static int set_files(struct container *c, const struct create_options *o, struct err *e)
{
	int r = check_files(c, o, e);

	if (r == 0 && o->no_hosts && o->add_host.count)
		r = err_set(e, ERR_INVALID, "--no-hosts and --add-host exclude each other");
	c->network.no_hosts = o->no_hosts;
	for (size_t i = 0; r == 0 && i < o->add_host.count; i++)
		r = add_host(c, o->add_host.items[i], e);
	for (size_t i = 0; r == 0 && i < o->dns.count; i++)
		r = check_address("--dns", o->dns.items[i], o->dns.items[i], e);
	if (r == 0)
		strv_add_all(&c->network.dns, &o->dns);
	if (r == 0)
		r = add_words(&c->network.dns_search, "--dns-search", &o->dns_search, e);
	if (r == 0)
		r = add_words(&c->network.dns_option, "--dns-option", &o->dns_option, e);
	return r;
}

int config_network(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e)
{
	(void)image;
	int r = set_mode(c, o, context, e);
	if (r == 0)
		r = set_place(c, o, e);
	if (r == 0)
		r = set_names(c, o, e);
	return r < 0 ? r : set_files(c, o, e);
}
