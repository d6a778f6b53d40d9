#include "proxy/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"
#include "base/own.h"
#include "proxy/inside.h"

int proxy_target_parse(struct proxy_target *to, const char *address, const char *port,
		       struct err *e)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&to->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&to->address;
	uint64_t number;

	memset(to, 0, sizeof(*to));
	int r = number_parse_u64(&number, port, UINT16_MAX, e);
	if (r < 0)
		return r;
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1)
		four->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1)
		six->sin6_family = AF_INET6;
	else
		return err_set(e, ERR_INVALID, "%s: not an IP address", address);
	proxy_inside_set_port(&to->address, htons((uint16_t)number));
	return 0;
}

static bool is_any(const struct sockaddr_storage *address)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;

	return address->ss_family == AF_INET
		       ? ((const struct sockaddr_in *)address)->sin_addr.s_addr == INADDR_ANY
		       : IN6_IS_ADDR_UNSPECIFIED(six);
}

bool proxy_target_find(struct sockaddr_storage *ret, const struct proxy_target *target, int family)
{
	if (!target->inside || !is_any(&target->address)) {
		*ret = target->address;
		return true;
	}
	if (!proxy_inside_find(ret, family))
		return false;
	proxy_inside_set_port(ret, proxy_inside_port(&target->address));
	return true;
}

int proxy_target_connect(bool *ret_kept, const struct proxy_target *target, int type,
			 const struct sockaddr_storage *found,
			 const struct sockaddr_storage *client,
			 const struct sockaddr_storage *local)
{
	*ret_kept = target->inside && target->keeps;
	if (target->inside && !proxy_inside_may(client, local, found))
		return -EHOSTUNREACH;
	return proxy_inside_connect(ret_kept, type, found, client);
}
