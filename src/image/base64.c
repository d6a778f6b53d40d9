#include "image/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void image_base64_add(struct str *to, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;

	for (size_t i = 0; i < length; i += 3) {
		size_t n = length - i < 3 ? length - i : 3;
		uint32_t group = (uint32_t)in[i] << 16;
		if (n > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (n > 2)
			group |= in[i + 2];
		for (size_t j = 0; j < 4; j++)
			str_add_char(to, j <= n ? digits[(group >> (18 - 6 * j)) & 63] : '=');
	}
}

int image_base64_decode(struct str *to, const char *text)
{
	size_t before = to->length;
	uint32_t group = 0;
	int bits = 0;

	for (; *text && *text != '='; text++) {
		const char *digit = strchr(digits, *text);
		if (!digit) {
			to->length = before;
			return -EINVAL;
		}
		group = group << 6 | (uint32_t)(digit - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		str_add_char(to, (char)(group >> bits & 0xff));
	}
	if (strspn(text, "=") != strlen(text) || bits >= 6) {
		to->length = before;
		return -EINVAL;
	}
	return 0;
}
