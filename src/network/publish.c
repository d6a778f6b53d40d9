#include "network/publish.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "network/firewall.h"
#include "wire/netlink.h"

enum { REGISTER = 4 }; /* each part of a key fills whole ones: NFT_REG32_SIZE */

static void add_part(unsigned char *to, size_t *length, const void *bytes, size_t size)
{
	memcpy(to + *length, bytes, size);
	*length += (size + REGISTER - 1) / REGISTER * REGISTER;
}

static void add_address(unsigned char *to, size_t *length, const struct network_address *address)
{
	add_part(to, length, address->bytes, network_address_length(address));
}

static void add_port(unsigned char *to, size_t *length, uint16_t port)
{
	uint16_t big = htons(port);

	add_part(to, length, &big, sizeof(big));
}

/* [ADDRESS .] PROTOCOL . PORT, and for a map ADDRESS . PORT of the container. */
static struct wire_nftables_element make(const char *kind, const struct network_port *port)
{
	struct wire_nftables_element element = { 0 };
	unsigned char protocol = (unsigned char)port->protocol;
	bool any = network_address_is_any(&port->host);

	snprintf(element.set, sizeof(element.set), "%s%s%s", kind,
		 port->host.family == AF_INET ? "4" : "6", any ? "" : "_at");
	if (!any)
		add_address(element.key, &element.key_length, &port->host);
	add_part(element.key, &element.key_length, &protocol, 1);
	add_port(element.key, &element.key_length, port->host_port);
	return element;
}

static int by_set(const void *a, const void *b)
{
	const struct wire_nftables_element *x = a, *y = b;

	return strcmp(x->set, y->set);
}

size_t network_publish_elements(struct wire_nftables_element **ret,
				const struct network_port *ports, size_t count)
{
	struct wire_nftables_element *elements = mem_new(2 * count + 1, sizeof(*elements));
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct wire_nftables_element *map = &elements[n++];
		*map = make("ports", &ports[i]);
		add_address(map->data, &map->data_length, &ports[i].target);
		add_port(map->data, &map->data_length, ports[i].target_port);
		if (ports[i].judged)
			elements[n++] = make("judged", &ports[i]);
	}
	qsort(elements, n, sizeof(*elements), by_set);
	*ret = elements;
	return n;
}

int network_publish(const struct wire_nftables_element *elements, size_t count, struct err *e)
{
	own_fd int socket = wire_netlink_open_filter(e);
	if (socket < 0)
		return socket;
	return wire_nftables_add(socket, NETWORK_FIREWALL_TABLE, elements, count, e);
}

int network_publish_remove(const struct wire_nftables_element *elements, size_t count,
			   struct err *e)
{
	own_fd int socket = wire_netlink_open_filter(e);
	if (socket < 0)
		return socket;
	return wire_nftables_delete(socket, NETWORK_FIREWALL_TABLE, elements, count, e);
}
