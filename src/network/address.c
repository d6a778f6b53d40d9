#include "network/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"

unsigned network_address_length(const struct network_address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

static int parse_bytes(struct network_address *address, const char *text)
{
	address->family = AF_INET;
	if (inet_pton(AF_INET, text, address->bytes) == 1)
		return 0;
	address->family = AF_INET6;
	return inet_pton(AF_INET6, text, address->bytes) == 1 ? 0 : -1;
}

int network_address_parse(struct network_address *ret, const char *text, struct err *e)
{
	struct network_address address = { 0 };
	own_free char *bare = mem_text(text);
	char *slash = strchr(bare, '/');
	uint64_t prefix;

	if (slash)
		*slash = '\0';
	if (parse_bytes(&address, bare) < 0)
		return err_set(e, ERR_INVALID, "'%.60s' is not an IP address", text);
	prefix = network_address_length(&address) * 8;
	if (slash && number_parse_u64(&prefix, slash + 1, prefix, e) < 0)
		return err_set(e, ERR_INVALID, "'%.60s': the prefix is 0 to %u", text,
			       network_address_length(&address) * 8);
	address.prefix = (uint8_t)prefix;
	*ret = address;
	return 0;
}

/* Sets all bits behind the prefix to this value (0, or 255). */
static void fill_behind(struct network_address *address, unsigned char value)
{
	for (unsigned i = 0; i < network_address_length(address); i++) {
		unsigned bits = address->prefix > i * 8 ? address->prefix - i * 8 : 0;
		unsigned char kept = bits >= 8 ? 0xff : (unsigned char)(0xff00 >> bits);
		address->bytes[i] = (address->bytes[i] & kept) | (value & (unsigned char)~kept);
	}
}

int network_address_parse_subnet(struct network_address *ret, const char *text, struct err *e)
{
	struct network_address address, first;
	char wanted[NETWORK_ADDRESS_TEXT];

	int r = network_address_parse(&address, text, e);
	if (r < 0)
		return r;
	if (!strchr(text, '/'))
		return err_set(e, ERR_INVALID, "'%.60s' is no subnet, as in 10.99.0.0/24", text);
	first = address;
	fill_behind(&first, 0);
	if (!network_address_equal(&first, &address)) {
		network_address_format(wanted, &first, true);
		return err_set(e, ERR_INVALID, "'%.60s' is an address in the subnet %s", text,
			       wanted);
	}
	*ret = address;
	return 0;
}

void network_address_format(char to[NETWORK_ADDRESS_TEXT], const struct network_address *address,
			    bool with_prefix)
{
	inet_ntop(address->family, address->bytes, to, NETWORK_ADDRESS_TEXT);
	if (with_prefix) {
		size_t length = strlen(to);
		snprintf(to + length, NETWORK_ADDRESS_TEXT - length, "/%u", address->prefix);
	}
}

bool network_address_equal(const struct network_address *a, const struct network_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, network_address_length(a)) == 0;
}

bool network_address_is_any(const struct network_address *address)
{
	static const unsigned char zeros[sizeof(address->bytes)];

	return memcmp(address->bytes, zeros, network_address_length(address)) == 0;
}

bool network_address_holds(const struct network_address *a, const struct network_address *b)
{
	struct network_address start = *a, other = *b;

	if (a->family != b->family || b->prefix < a->prefix)
		return false;
	other.prefix = a->prefix;
	fill_behind(&other, 0);
	fill_behind(&start, 0);
	return network_address_equal(&start, &other);
}

bool network_address_overlaps(const struct network_address *a, const struct network_address *b)
{
	return network_address_holds(a, b) || network_address_holds(b, a);
}

int network_address_check_host(const struct network_address *subnet,
			       const struct network_address *address, struct err *e)
{
	char text[NETWORK_ADDRESS_TEXT], whole[NETWORK_ADDRESS_TEXT];
	struct network_address first = *subnet, last = *subnet;

	fill_behind(&first, 0);
	fill_behind(&last, 0xff);
	network_address_format(text, address, false);
	network_address_format(whole, subnet, true);
	if (!network_address_holds(subnet, address))
		return err_set(e, ERR_INVALID, "the address %s is not in the subnet %s", text,
			       whole);
	if (network_address_equal(address, &first))
		return err_set(e, ERR_INVALID, "the address %s is that of the subnet %s itself",
			       text, whole);
	if (address->family == AF_INET && network_address_equal(address, &last))
		return err_set(e, ERR_INVALID,
			       "the address %s is that of all in the subnet %s (broadcast)", text,
			       whole);
	return 0;
}

bool network_address_is_of_link(const struct network_address *address)
{
	const unsigned char *b = address->bytes;

	return address->family == AF_INET ? b[0] == 169 && b[1] == 254
					  : b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
}

uint64_t network_address_hosts(const struct network_address *subnet)
{
	unsigned bits = network_address_length(subnet) * 8 - subnet->prefix;
	uint64_t all = bits >= 32 ? UINT64_C(1) << 32 : UINT64_C(1) << bits;
	uint64_t kept = subnet->family == AF_INET ? 2 : 1;

	return all > kept ? all - kept : 0;
}

struct network_address network_address_nth(const struct network_address *subnet, uint64_t number)
{
	struct network_address address = *subnet;

	for (unsigned i = network_address_length(subnet); number && i > 0; i--) {
		number += address.bytes[i - 1];
		address.bytes[i - 1] = (unsigned char)number;
		number >>= 8;
	}
	return address;
}
