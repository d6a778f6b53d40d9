#include "network/port.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"

static const struct {
	const char *name;
	int number;
} protocols[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "sctp", IPPROTO_SCTP },
};

const char *network_port_protocol_name(int protocol)
{
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return "";
}

int network_port_protocol(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		if (strcasecmp(protocols[i].name, name) == 0)
			return protocols[i].number;
	return -1;
}

static int parse_number(uint16_t *ret, const char *text, size_t length, struct err *e)
{
	own_free char *digits = mem_text_n(text, length);
	uint64_t number;

	int r = number_parse_u64(&number, digits, UINT16_MAX, e);
	if (r < 0)
		return r;
	if (number == 0)
		return err_set(e, ERR_INVALID, "0 is no port");
	*ret = (uint16_t)number;
	return 0;
}

int network_port_parse_range(struct network_port_range *ret, const char *text, struct err *e)
{
	struct network_port_range range;
	size_t length = strcspn(text, "-");

	int r = parse_number(&range.low, text, length, e);
	range.high = range.low;
	if (r == 0 && text[length])
		r = parse_number(&range.high, text + length + 1, strlen(text + length + 1), e);
	if (r < 0)
		return err_add(e, "'%s' is neither a port nor a range", text);
	if (range.high < range.low)
		return err_set(e, ERR_INVALID, "the range %s ends before it begins", text);
	*ret = range;
	return 0;
}

/* Cuts "/udp" off. */
static int take_protocol(int *ret, char *text, struct err *e)
{
	char *slash = strchr(text, '/');

	*ret = slash ? network_port_protocol(slash + 1) : IPPROTO_TCP;
	if (*ret < 0)
		return err_set(e, ERR_INVALID, "'%s' is not tcp, udp or sctp", slash + 1);
	if (slash)
		*slash = '\0';
	return 0;
}

int network_port_parse_container(struct network_port_range *ret, int *ret_protocol,
				 const char *text, struct err *e)
{
	own_free char *ports = mem_text(text);

	int r = take_protocol(ret_protocol, ports, e);
	return r < 0 ? r : network_port_parse_range(ret, ports, e);
}

/* With or without brackets. */
static int parse_address(struct network_address *ret, char *text, struct err *e)
{
	size_t length = strlen(text);

	if (text[0] == '[' && length > 1 && text[length - 1] == ']') {
		text[length - 1] = '\0';
		text++;
	}
	if (strchr(text, '/'))
		return err_set(e, ERR_INVALID, "'%s' is not an IP address", text);
	return network_address_parse(ret, text, e);
}

/* What stands in front of the container's ports: "8080", "1.2.3.4:", "[::1]:8080". */
static int parse_host(struct network_port_spec *to, char *text, struct err *e)
{
	char *colon = strrchr(text, ':');
	const char *ports = colon ? colon + 1 : text;
	int r = 0;

	if (colon) {
		*colon = '\0';
		r = parse_address(&to->address, text, e);
	}
	if (r == 0 && *ports)
		r = network_port_parse_range(&to->host, ports, e);
	return r;
}

static unsigned count(const struct network_port_range *range)
{
	return range->low ? range->high - range->low + 1U : 0;
}

int network_port_parse(struct network_port_spec *ret, const char *text, struct err *e)
{
	struct network_port_spec spec = { 0 };
	own_free char *copy = mem_text(text);

	int r = take_protocol(&spec.protocol, copy, e);
	if (r < 0)
		return r;
	char *colon = strrchr(copy, ':');
	r = network_port_parse_range(&spec.container, colon ? colon + 1 : copy, e);
	if (r < 0)
		return r;
	if (colon) {
		*colon = '\0';
		r = parse_host(&spec, copy, e);
	}
	if (r < 0)
		return r;
	if (spec.host.low && count(&spec.host) != count(&spec.container) &&
	    count(&spec.container) != 1)
		return err_set(e, ERR_INVALID, "%u ports of the host for %u of the container",
			       count(&spec.host), count(&spec.container));
	*ret = spec;
	return 0;
}
