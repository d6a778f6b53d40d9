/* desktop.c - an Xauthority is a row of entries: a family of addresses, then address, number of the
 * display, name of the protocol and its data, each with its length (Xau(3)). An entry holds for a
 * host's name, and a container has another: FamilyWild holds for all. */
#include "engine/desktop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/container.h"

enum { COOKIES_BYTES_MAX = 1 << 20, FAMILY_WILD = 0xffff };
enum part { ADDRESS, NUMBER, NAME, DATA, PARTS };

struct text {
	const char *bytes;
	size_t length;
};

/* -1: it ends in the middle. */
static int take_number(struct text *from)
{
	const unsigned char *bytes = (const unsigned char *)from->bytes;

	if (from->length < 2)
		return -1;
	from->bytes += 2;
	from->length -= 2;
	return bytes[0] << 8 | bytes[1];
}

static bool take_entry(struct text to[PARTS], struct text *from)
{
	if (take_number(from) < 0)
		return false;
	for (int i = 0; i < PARTS; i++) {
		int length = take_number(from);
		if (length < 0 || (size_t)length > from->length)
			return false;
		to[i] = (struct text){ from->bytes, (size_t)length };
		from->bytes += length;
		from->length -= (size_t)length;
	}
	return true;
}

static void add_number(struct str *to, size_t number)
{
	const char bytes[] = { (char)(number >> 8), (char)number };

	str_add_n(to, bytes, sizeof(bytes));
}

/* An entry without a number is for all displays. */
static bool is_for(const struct text *number, const char *display)
{
	return number->length == 0 || (number->length == strlen(display) &&
				       memcmp(number->bytes, display, number->length) == 0);
}

static void copy_cookies(struct str *to, struct text from, const char *display)
{
	struct text entry[PARTS];

	while (take_entry(entry, &from)) {
		if (!is_for(&entry[NUMBER], display))
			continue;
		add_number(to, FAMILY_WILD);
		for (int i = 0; i < PARTS; i++) {
			size_t length = i == ADDRESS ? 0 : entry[i].length;
			add_number(to, length);
			str_add_n(to, entry[i].bytes, length);
		}
	}
}

/* A server may do without: by the user's id, say. */
static int read_cookies(struct str *to, const struct container *c, struct err *e)
{
	own_clear(str_clear) struct str all = { 0 };

	if (!c->desktop.cookies)
		return 0;
	int r = fd_read_file_at(AT_FDCWD, c->desktop.cookies, COOKIES_BYTES_MAX, &all, e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	copy_cookies(to, (struct text){ all.text, all.length }, c->desktop.display);
	if (to->length == 0)
		log_debug("%s has no cookie for the display %s", c->desktop.cookies,
			  c->desktop.display);
	return 0;
}

int engine_desktop_write(const struct container *c, int run_fd, struct err *e)
{
	own_clear(str_clear) struct str cookies = { 0 };

	if (!c->desktop.display)
		return 0;
	int r = read_cookies(&cookies, c, e);
	/* the folder is closed to others; in the container anybody may show windows */
	if (r == 0)
		r = fd_write_file_at(run_fd, ENGINE_DESKTOP_FILE, cookies.text ? cookies.text : "",
				     cookies.length, 0444, e);
	return r < 0 ? err_add(e, "--x11") : 0;
}

bool engine_desktop_is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}
