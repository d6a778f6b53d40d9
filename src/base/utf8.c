#include "base/utf8.h"

#include "base/str.h"

static size_t sequence(const unsigned char *text, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (length > left)
		return 0;
	if (text[0] == 0xe0)
		low = 0xa0;
	else if (text[0] == 0xed)
		high = 0x9f;
	else if (text[0] == 0xf0)
		low = 0x90;
	else if (text[0] == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return length;
}

size_t utf8_length(const char *text, size_t left)
{
	return sequence((const unsigned char *)text, left);
}

bool utf8_valid(const char *text, size_t length)
{
	while (length) {
		size_t step = utf8_length(text, length);
		if (!step)
			return false;
		text += step;
		length -= step;
	}
	return true;
}

void utf8_add(struct str *to, uint32_t code)
{
	char bytes[4];
	size_t n = 0;

	if (code < 0x80) {
		bytes[n++] = (char)code;
	} else if (code < 0x800) {
		bytes[n++] = (char)(0xc0 | (code >> 6));
		bytes[n++] = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		bytes[n++] = (char)(0xe0 | (code >> 12));
		bytes[n++] = (char)(0x80 | ((code >> 6) & 0x3f));
		bytes[n++] = (char)(0x80 | (code & 0x3f));
	} else {
		bytes[n++] = (char)(0xf0 | (code >> 18));
		bytes[n++] = (char)(0x80 | ((code >> 12) & 0x3f));
		bytes[n++] = (char)(0x80 | ((code >> 6) & 0x3f));
		bytes[n++] = (char)(0x80 | (code & 0x3f));
	}
	str_add_n(to, bytes, n);
}
