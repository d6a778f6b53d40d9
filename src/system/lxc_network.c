/* lxc.net.N.*: a veth is a place in a network of holm's, the one of its bridge if that is holm's;
 * other kinds are networks of holm's that a person makes. Nothing at all is no way out, which is
 * never more than there was. */
#include "system/lxc_read.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

#define PART(key, member)                                                                          \
	{                                                                                          \
		key, offsetof(struct lxc_network, member)                                          \
	}

static const struct {
	const char *key;
	size_t offset;
} parts[] = {
	PART("type", type),
	PART("link", link),
	PART("name", name),
	PART("hwaddr", mac),
	PART("ipv4.address", address),
	PART("ipv6.address", address6),
	PART("ipv4.gateway", gateway),
	PART("vlan.id", vlan),
};

const char *system_lxc_network_take(struct lxc_reading *r, const struct lxc_line *line,
				    const char *rest)
{
	char *end;
	unsigned long number = strtoul(rest, &end, 10);

	if (end == rest || *end != '.' || number >= LXC_NETWORKS_MAX)
		return "not a network's number";
	struct lxc_network *network = &r->networks[number];
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (!str_equal(end + 1, parts[i].key))
			continue;
		*(const char **)((char *)network + parts[i].offset) = line->value;
		if (i == 0)
			network->line = line;
		return NULL;
	}
	if (str_equal(end + 1, "flags") || str_equal(end + 1, "ipv6.gateway"))
		return NULL; /* it is up, and its network has the way out */
	if (str_equal(end + 1, "mtu"))
		return "the mtu is the network's: holm network create -o mtu=";
	return str_starts(end + 1, "script.") ? "holm has no hooks of networks"
					      : "holm has no such option of a network";
}

/* "10.0.3.5/24 10.0.3.255" is the address, its length and the broadcast. */
static char *plain_address(const char *text)
{
	return mem_text_n(text, strcspn(text, "/ \t"));
}

static bool has_place(const struct lxc_reading *r, const char *network)
{
	own_free char *begin = mem_format("network=%s", network);
	const struct strv *settings = &r->machine->settings;

	for (size_t i = 0; i < settings->count; i++)
		if (str_starts(settings->items[i], begin) &&
		    strchr(":", settings->items[i][strlen(begin)]))
			return true;
	return false;
}

/* own: it is the very one that it was in, so its address is good there. */
static const char *place(struct lxc_reading *r, const struct lxc_network *n, const char *network,
			 bool own)
{
	own_clear(str_clear) struct str text = { 0 };
	char separator = ':';
	const struct {
		const char *key, *value;
		bool address;
	} places[] = {
		{ "mac", str_empty(n->mac) || strchr(n->mac, 'x') ? NULL : n->mac, false },
		{ "ip", own ? n->address : NULL, true },
		{ "ip6", own ? n->address6 : NULL, true },
		{ "interface_name", n->name && !str_equal(n->name, "eth0") ? n->name : NULL,
		  false },
	};

	if (has_place(r, network))
		return "it is in that network already, and has one place in each";
	str_add(&text, network);
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		if (str_empty(places[i].value))
			continue;
		own_free char *value = places[i].address ? plain_address(places[i].value)
							 : mem_text(places[i].value);
		str_addf(&text, "%c%s=%s", separator, places[i].key, value);
		separator = ',';
	}
	system_foreign_set(r->machine, "network", text.text);
	if (!own && n->address)
		strv_addf(&r->machine->notes,
			  "the address %s is not taken: %s is no bridge of a network of holm's",
			  n->address, n->link ? n->link : "its bridge");
	return NULL;
}

/* Its vlan is a device of the host's, eth0.5. */
static const char *add_stacked(struct lxc_reading *r, const struct lxc_network *n)
{
	bool vlan = str_equal(n->type, "vlan");
	own_free char *device =
		vlan ? mem_format("%s.%s", n->link ? n->link : "", n->vlan ? n->vlan : "")
		     : mem_text(n->link);
	own_free char *network = system_foreign_network_find(r->engine, n->type, device);

	return network ? place(r, n, network, true) : FOREIGN_NETWORK_MISSING;
}

static const char *add_one(struct lxc_reading *r, const struct lxc_network *n)
{
	if (str_equal(n->type, "veth")) {
		own_free char *own = system_foreign_network_find(r->engine, "bridge", n->link);
		return place(r, n, own ? own : FOREIGN_NETWORK_DEFAULT, own);
	}
	if (str_equal(n->type, "empty"))
		return NULL;
	if (!str_equal(n->type, "none"))
		return add_stacked(r, n);
	system_foreign_set(r->machine, "network", "host");
	return NULL;
}

void system_lxc_network_finish(struct lxc_reading *r)
{
	size_t before = r->machine->settings.count;

	for (size_t i = 0; i < LXC_NETWORKS_MAX; i++)
		if (r->networks[i].line)
			system_lxc_note(r, r->networks[i].line, add_one(r, &r->networks[i]));
	/* of LXC, nothing said is the host's network (lxc.container.conf(5), "Network") */
	if (r->machine->settings.count == before)
		system_foreign_set(r->machine, "network", "none");
	bool any = false;
	for (size_t i = 0; i < LXC_NETWORKS_MAX; i++)
		any |= r->networks[i].line != NULL;
	if (!any)
		strv_add(
			&r->machine->notes,
			"it has no lxc.net and had the host's network: here it has none; --network "
			"host is the old way");
}
