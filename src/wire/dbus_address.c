#include "wire/dbus_address.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"

#define TRANSPORT "unix:"

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)((found - digits) % 16) : -1;
}

/* Bytes that are not among the specification's "optionally-escaped" ones are written %xx; others
 * are taken as they are, as libdbus takes those of paths. -EINVAL: no such number, or a zero; the
 * value does not fit into size. */
static int unescape(char *to, size_t size, const char *value)
{
	size_t length = 0;

	for (const char *c = value; *c; c++) {
		int byte = (unsigned char)*c;
		if (*c == '%') {
			int high = hex_digit(c[1]);
			int low = high < 0 ? -1 : hex_digit(c[2]);
			byte = low < 0 ? 0 : high * 16 + low;
			c += 2;
		}
		if (byte == 0 || length == size)
			return -EINVAL;
		to[length++] = (char)byte;
	}
	return length ? (int)length : -EINVAL;
}

/* A path ends with a zero, an abstract name begins with one. */
static int set_name(struct sockaddr_un *to, socklen_t *length, const char *value, bool abstract)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int n = unescape(to->sun_path + abstract, sizeof(to->sun_path) - 1, value);
	if (n < 0)
		return n;
	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
	return 0;
}

int wire_dbus_address_parse(struct sockaddr_un *ret, socklen_t *ret_length, const char *address,
			    struct err *e)
{
	own_clear(strv_clear) struct strv pairs = { 0 };
	struct sockaddr_un name;
	socklen_t length = 0;
	int r = -EINVAL;

	if (str_starts(address, TRANSPORT))
		strv_split(&pairs, address + strlen(TRANSPORT), ',');
	for (size_t i = 0; r == -EINVAL && i < pairs.count; i++) {
		const char *pair = pairs.items[i];
		if (str_starts(pair, "path="))
			r = set_name(&name, &length, pair + strlen("path="), false);
		else if (str_starts(pair, "abstract="))
			r = set_name(&name, &length, pair + strlen("abstract="), true);
	}
	if (r < 0)
		return err_set(e, ERR_INVALID,
			       "D-Bus address %.200s: neither unix:path=... nor unix:abstract=...",
			       address);
	*ret = name;
	*ret_length = length;
	return 0;
}
