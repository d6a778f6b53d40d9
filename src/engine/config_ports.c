/* config_ports.c - --publish, --publish-all and --expose. */
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "network/port.h"
#include "network/record.h"
#include "oci/image.h"

static void add_exposed(struct container *c, unsigned port, const char *protocol)
{
	own_free char *text = mem_format("%u/%s", port, protocol);

	if (!strv_contains(&c->network.exposed, text))
		strv_add(&c->network.exposed, text);
}

static int expose(struct container *c, const char *text, struct err *e)
{
	struct network_port_range range;
	int protocol;

	int r = network_port_parse_container(&range, &protocol, text, e);
	if (r < 0)
		return r;
	for (unsigned port = range.low; port <= range.high; port++)
		add_exposed(c, port, network_port_protocol_name(protocol));
	return 0;
}

/* The host's port or ports for the container's number index. */
static char *host_ports(const struct network_port_spec *spec, unsigned index)
{
	unsigned low = spec->host.low, high = spec->host.high;

	if (!low)
		return NULL;
	if (spec->container.low == spec->container.high && high > low)
		return mem_format("%u-%u", low, high);
	return mem_format("%u", low + index);
}

int config_publish(struct container *c, const char *text, struct err *e)
{
	struct network_port_spec spec;
	char address[NETWORK_ADDRESS_TEXT];

	int r = network_port_parse(&spec, text, e);
	if (r < 0)
		return err_add(e, "--publish %s", text);
	unsigned count = spec.container.high - spec.container.low + 1U;
	if (c->network.ports.count + count > CONTAINER_PORTS_MAX)
		return err_set(e, ERR_INVALID, "--publish %s: more than %d ports", text,
			       CONTAINER_PORTS_MAX);
	for (unsigned i = 0; i < count; i++) {
		struct container_port *port = shape_list_add(&c->network.ports);
		const char *protocol = network_port_protocol_name(spec.protocol);
		if (spec.address.family) {
			network_address_format(address, &spec.address, false);
			port->address = mem_text(address);
		}
		port->host = host_ports(&spec, i);
		port->port = spec.container.low + (int64_t)i;
		port->protocol = mem_text(protocol);
		add_exposed(c, spec.container.low + i, protocol);
	}
	return 0;
}

/* As with docker the container starts nevertheless, and the ports stay in its record. */
static void warn_discarded(const char *mode)
{
	if (str_equal(mode, "host"))
		log_warning("published ports are discarded when using host network mode: the "
			    "container's programs listen at the host's own ports");
	else if (str_equal(mode, "none") || str_starts(mode, "ns:/"))
		log_warning("published ports are discarded with --network %s: nothing connects it "
			    "with the host",
			    mode);
}

static int set_mode(struct container *c, const struct create_options *o, struct err *e)
{
	if (o->publish_mode) {
		int r = network_record_check_publish_mode(o->publish_mode, e);
		if (r < 0)
			return err_add(e, "--publish-mode");
		c->network.publish_open = str_equal(o->publish_mode, "open");
		c->network.publish_judged = !c->network.publish_open;
	}
	c->network.publish_all = o->publish_all;
	if (config_container_name(c->network.mode) && (o->publish.count || o->publish_all)) {
		err_set(e, ERR_INVALID, "--publish and --network %s exclude each other",
			c->network.mode);
		return err_hint(e, "the network is the other one's: publish its ports there");
	}
	if (o->publish.count || o->publish_all)
		warn_discarded(c->network.mode);
	return 0;
}

int config_ports(struct container *c, const struct create_options *o,
		 const struct oci_image_process *image, const struct config_context *context,
		 struct err *e)
{
	struct err ignored;

	(void)context;
	int r = set_mode(c, o, e);
	/* what an image says that is no port is not this person's fault */
	for (size_t i = 0; r == 0 && image && i < image->exposed_ports.count; i++)
		expose(c, image->exposed_ports.items[i], &ignored);
	for (size_t i = 0; r == 0 && i < o->expose.count; i++) {
		r = expose(c, o->expose.items[i], e);
		if (r < 0)
			err_add(e, "--expose %s", o->expose.items[i]);
	}
	for (size_t i = 0; r == 0 && i < o->publish.count; i++)
		r = config_publish(c, o->publish.items[i], e);
	return r;
}
