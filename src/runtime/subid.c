#include "runtime/subid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "runtime/subid_service.h"

void runtime_subid_clear(struct runtime_subid_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct runtime_subid_ranges){ 0 };
}

void runtime_subid_add(struct runtime_subid_ranges *to, uint32_t first, uint32_t count)
{
	if (to->count == to->capacity) {
		to->capacity = to->capacity ? 2 * to->capacity : 8;
		to->items = mem_resize(to->items, to->capacity, sizeof(*to->items));
	}
	to->items[to->count++] = (struct runtime_subid_range){ first, count };
}

/* ---- lines with colons ---- */

/* The next line of *text in line, without its end; false: there is none. One that does not fit
 * is empty. */
static bool next_line(const char **text, char *line, size_t size)
{
	if (!**text)
		return false;
	size_t length = strcspn(*text, "\n");
	size_t kept = length < size ? length : 0;
	memcpy(line, *text, kept);
	line[kept] = '\0';
	*text += length + ((*text)[length] == '\n');
	return true;
}

/* Cuts line into at most count fields, the last with all that is left; returns how many. */
static size_t split(char *line, char **fields, size_t count)
{
	size_t n = 1;

	fields[0] = line;
	for (char *c = line; *c && n < count; c++)
		if (*c == ':') {
			*c = '\0';
			fields[n++] = c + 1;
		}
	return n;
}

enum { LINE_SIZE = 1024 };

/* A file of the host's administrator, who may keep it behind a link. */
static int read_text(struct str *to, const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	int r = fd_read_all(fd, RUNTIME_SUBID_FILE_MAX, to, e);
	return r < 0 ? err_add(e, "%s", path) : 0;
}

/* ---- ranges ---- */

static bool is_of(const char *name, const struct runtime_subid_owner *owner)
{
	return str_equal(name, owner->name) || str_equal(name, owner->id);
}

static bool read_range(struct runtime_subid_range *ret, char *const *fields)
{
	struct err ignored;

	return number_parse_id(&ret->first, fields[1], &ignored) == 0 &&
	       number_parse_id(&ret->count, fields[2], &ignored) == 0 && ret->count > 0 &&
	       (uint64_t)ret->first + ret->count <= UINT32_MAX;
}

void runtime_subid_parse(struct runtime_subid_ranges *to, const char *text,
			 const struct runtime_subid_owner *owner, bool others)
{
	char line[LINE_SIZE];
	char *fields[3];

	while (to->count < RUNTIME_SUBID_RANGES_MAX && next_line(&text, line, sizeof(line))) {
		struct runtime_subid_range range;
		bool whole = split(line, fields, COUNT_OF(fields)) == COUNT_OF(fields);
		if (!*fields[0] || is_of(fields[0], owner) == others)
			continue;
		if (whole && read_range(&range, fields))
			runtime_subid_add(to, range.first, range.count);
		else
			to->broken++;
	}
}

int runtime_subid_read(struct runtime_subid_ranges *to, const char *path,
		       const struct runtime_subid_owner *owner, bool others, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_free char *service = others || !owner->name ? NULL : runtime_subid_service();

	if (service)
		return runtime_subid_service_read(to, service, owner->name,
						  str_ends(path, "/subgid"), e);
	int r = read_text(&text, path, e);
	if (r == -ENOENT)
		return 0;
	if (r == 0 && text.text)
		runtime_subid_parse(to, text.text, owner, others);
	return r;
}

static char *find_login_name(uid_t uid)
{
	own_clear(str_clear) struct str text = { 0 };
	own_free char *wanted = mem_format("%u", uid);
	char line[LINE_SIZE];
	char *fields[4];
	struct err ignored;

	if (read_text(&text, "/etc/passwd", &ignored) < 0)
		return NULL;
	const char *at = text.text ? text.text : "";
	while (next_line(&at, line, sizeof(line)))
		if (split(line, fields, COUNT_OF(fields)) == COUNT_OF(fields) && *fields[0] &&
		    strcmp(fields[2], wanted) == 0)
			return mem_text(fields[0]);
	return NULL;
}

char *runtime_subid_login_name(uid_t uid)
{
	own_free char *name = find_login_name(uid);
	own_free char *service = name || uid != getuid() ? NULL : runtime_subid_service();

	if (service)
		return mem_text(getenv("USER"));
	return take_ptr(&name);
}
