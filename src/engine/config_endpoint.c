#include "engine/config_endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/container.h"
#include "network/control.h"
#include "network/link.h"
#include "network/record.h"

enum { ALIAS_MAX = 253 }; /* of a name in DNS: RFC 1035, 2.3.4 */

/* Six pairs of hexadecimal digits; a group address is nobody's, and so are zeros. */
static int set_mac(struct container_endpoint *to, const char *option, const char *value,
		   struct err *e)
{
	unsigned char mac[NETWORK_MAC];
	char end;

	if (strlen(value) != 17 ||
	    sscanf(value, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5], &end) != 6 ||
	    (mac[0] & 1) || network_link_has_no_mac(mac))
		return err_set(e, ERR_INVALID,
			       "%s %s: not the address of one device, as 02:42:0a:63:00:02", option,
			       value);
	mem_replace(&to->mac, value);
	return 0;
}

static int set_address(char **to, int family, const char *option, const char *value, struct err *e)
{
	struct in6_addr bytes;

	if (inet_pton(family, value, &bytes) != 1)
		return err_set(e, ERR_INVALID, "%s %s: not an %s address", option, value,
			       family == AF_INET ? "IPv4" : "IPv6");
	mem_replace(to, value);
	return 0;
}

static int set_device(struct container_endpoint *to, const char *option, const char *value,
		      struct err *e)
{
	int r = network_link_check_name(value, e);
	if (r < 0)
		return err_add(e, "%s", option);
	mem_replace(&to->device, value);
	return 0;
}

/* allow=A,allow=B is allow=A B. */
static int set_control(struct container_endpoint *to, const char *option, const char *key,
		       const char *value, struct err *e)
{
	const char *old = str_equal(key, "allow") ? shape_map_get(&to->options, key) : NULL;
	own_free char *both = old ? mem_format("%s %s", old, value) : mem_text(value);
	struct network_control checked;

	shape_map_set(&to->options, key, both);
	int r = network_control_parse(&checked, &to->options, e);
	return r < 0 ? err_add(e, "%s", option) : 0;
}

/* KEY=VALUE */
static int set_driver_option(struct container_endpoint *to, const char *option, const char *value,
			     struct err *e)
{
	size_t length = strcspn(value, "=");
	own_free char *key = mem_text_n(value, length);

	if (!value[length])
		return err_set(e, ERR_INVALID, "%s: driver-opt=%s is not driver-opt=KEY=VALUE",
			       option, value);
	if (str_equal(key, "driver-opt"))
		return err_set(e, ERR_INVALID, "%s: driver-opt within driver-opt", option);
	return config_endpoint_set(to, option, key, value + length + 1, e);
}

static int set_priority(struct container_endpoint *to, const char *option, const char *value,
			struct err *e)
{
	int r = number_parse_i64(&to->gw_priority, value, INT32_MIN, INT32_MAX, e);
	return r < 0 ? err_add(e, "%s gw-priority", option) : 0;
}

/* Something that can be asked for: labels with dots between, all of what names have. */
static int add_alias(struct container_endpoint *to, const char *option, const char *value,
		     struct err *e)
{
	if (!str_is_name(value, ALIAS_MAX))
		return err_set(e, ERR_INVALID, "%s '%.60s': no name: [a-zA-Z0-9][a-zA-Z0-9_.-]*",
			       option, value);
	if (!strv_contains(&to->aliases, value))
		strv_add(&to->aliases, value);
	return 0;
}

int config_endpoint_set(struct container_endpoint *to, const char *option, const char *key,
			const char *value, struct err *e)
{
	if (str_equal(key, "ip"))
		return strchr(value, ':') ? set_address(&to->address6, AF_INET6, option, value, e)
					  : set_address(&to->address, AF_INET, option, value, e);
	if (str_equal(key, "ip4"))
		return set_address(&to->address, AF_INET, option, value, e);
	if (str_equal(key, "ip6"))
		return set_address(&to->address6, AF_INET6, option, value, e);
	if (str_equal(key, "mac") || str_equal(key, "mac-address"))
		return set_mac(to, option, value, e);
	if (str_equal(key, "interface_name") ||
	    str_equal(key, "com.docker.network.endpoint.ifname"))
		return set_device(to, option, value, e);
	if (str_equal(key, "gw-priority"))
		return set_priority(to, option, value, e);
	if (str_equal(key, "alias"))
		return add_alias(to, option, value, e);
	if (network_control_knows(key))
		return set_control(to, option, key, value, e);
	if (str_equal(key, "driver-opt"))
		return set_driver_option(to, option, value, e);
	err_set(e, ERR_INVALID, "%s: '%.60s' is not known", option, key);
	return err_hint(
		e,
		"ip, ip6, mac, alias, gw-priority, interface_name, allow, "
		"limits.ingress, limits.egress, limits.max, limits.connections, limits.priority");
}

/* "ip=10.0.0.2,mac=..."; with_name: the name may be among it. */
static int parse_pairs(struct container_endpoint *to, const char *text, bool with_name,
		       struct err *e)
{
	own_free char *copy = mem_text(text);
	char *next = NULL;
	int r = 0;

	for (char *pair = strtok_r(copy, ",", &next); pair && r == 0;
	     pair = strtok_r(NULL, ",", &next)) {
		char *value = strchr(pair, '=');
		if (!value)
			return err_set(e, ERR_INVALID, "--network %s: '%s' is not KEY=VALUE", text,
				       pair);
		*value++ = '\0';
		if (with_name && str_equal(pair, "name"))
			mem_replace(&to->network, value);
		else
			r = config_endpoint_set(to, "--network", pair, value, e);
	}
	return r;
}

int config_endpoint_parse(struct container_endpoint *to, const char *text, struct err *e)
{
	size_t length = strcspn(text, ":=");
	int r;

	if (text[length] == '=') {
		r = parse_pairs(to, text, true, e);
	} else {
		to->network = mem_text_n(text, length);
		r = text[length] ? parse_pairs(to, text + length + 1, false, e) : 0;
	}
	if (r < 0)
		return r;
	if (to->network && network_record_check_name(to->network, e) == 0)
		return 0;
	err_set(e, ERR_INVALID,
		"--network %s: not a network's name, private, none, host or container:NAME", text);
	return err_hint(e, "holm network ls lists the networks");
}
