/* lxc.mount.entry and lxc.mount.fstab: lines of fstab(5), their targets below the root. */
#include "system/lxc_read.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/trusted.h"

/* The octal escapes of fstab(5), in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		bool octal = from[0] == '\\' && strspn(from + 1, "01234567") >= 3;
		if (octal) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static void split_blanks(struct strv *to, const char *text)
{
	for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
		size_t length = strcspn(text, " \t");
		char *word = mem_text_n(text, length);
		unescape(word);
		strv_add_take(to, word);
		text += length;
	}
}

/* In the container; the caller's. NULL: elsewhere. */
static char *target_of(const struct lxc_reading *r, const char *text)
{
	static const char *const mounted[] = { "/usr/lib/x86_64-linux-gnu/lxc/rootfs",
					       "/usr/lib/lxc/rootfs" };
	const char *root = r->root ? r->root : "";

	if (*text != '/') {
		own_free char *whole = mem_format("/%s", text);
		return path_clean(whole);
	}
	if (str_starts(root, "dir:"))
		root += strlen("dir:");
	const char *const roots[] = { *root ? root : mounted[0], mounted[0], mounted[1] };
	for (size_t i = 0; i < COUNT_OF(roots); i++) {
		size_t length = strlen(roots[i]);
		if (strncmp(text, roots[i], length) == 0 && text[length] == '/')
			return path_clean(text + length);
	}
	return NULL;
}

/* What holm mounts in every system. */
static bool is_own(const char *type, const char *target)
{
	static const char *const targets[] = { "/proc", "/sys", "/dev" };
	bool kernel = str_equal(type, "proc") || str_equal(type, "sysfs") ||
		      str_equal(type, "devpts") || str_equal(type, "mqueue") ||
		      str_starts(type, "cgroup");

	for (size_t i = 0; kernel && i < COUNT_OF(targets); i++)
		if (str_starts(target, targets[i]))
			return true;
	return false;
}

static const char *take_tmpfs(struct lxc_reading *r, const char *target, const struct strv *options)
{
	own_clear(str_clear) struct str text = { 0 };
	char separator = ':';

	str_add(&text, target);
	for (size_t i = 0; i < options->count; i++) {
		const char *option = options->items[i];
		if (str_starts(option, "create=") || str_equal(option, "optional") ||
		    str_equal(option, "defaults") || str_equal(option, "relative"))
			continue;
		str_addf(&text, "%c%s", separator, option);
		separator = ',';
	}
	system_foreign_set(r->machine, "tmpfs", text.text);
	return NULL;
}

static const char *take_entry(struct lxc_reading *r, const char *text)
{
	own_clear(strv_clear) struct strv fields = { 0 }, options = { 0 };
	const char *why;

	split_blanks(&fields, text);
	if (fields.count < 4)
		return "not SOURCE TARGET TYPE OPTIONS";
	own_free char *target = target_of(r, fields.items[1]);
	strv_split(&options, fields.items[3], ',');
	if (!target || str_equal(target, "/"))
		return "its target is not below the root";
	if (is_own(fields.items[2], target))
		return NULL;
	if (str_equal(fields.items[2], "tmpfs"))
		return take_tmpfs(r, target, &options);
	if (!strv_contains(&options, "bind") && !strv_contains(&options, "rbind"))
		return "neither a bind nor a tmpfs";
	/* of the kernel's files below /sys and /proc holm says what is seen */
	if (str_starts(target, "/sys/") || str_starts(target, "/proc/"))
		return "holm says what is seen there";
	why = system_foreign_mount(r->machine, fields.items[0], target, &options);
	return why && strv_contains(&options, "optional") ? NULL : why;
}

const char *system_lxc_mount_take(struct lxc_reading *r, const struct lxc_line *line,
				  const char *rest)
{
	(void)rest;
	return *line->value ? take_entry(r, line->value) : NULL;
}

const char *system_lxc_mount_take_fstab(struct lxc_reading *r, const struct lxc_line *line,
					const char *rest)
{
	own_clear(str_clear) struct str text = { 0 };
	struct lxc_line entry = *line;
	struct err ignored;

	(void)rest;
	if (!*line->value)
		return NULL;
	if (trusted_check(line->value, &ignored) < 0)
		return "the file can be written by others, or is not there";
	if (fd_read_file_at(AT_FDCWD, line->value, LXC_CONFIG_BYTES_MAX, &text, &ignored) < 0)
		return "the file cannot be read";
	entry.number = 0;
	entry.file = line->value;
	for (char *at = text.text, *next; at && *at; at = next) {
		next = at + strcspn(at, "\n");
		if (*next)
			*next++ = '\0';
		entry.number++;
		at += strspn(at, " \t");
		entry.value = at;
		if (*at && *at != '#')
			system_lxc_note(r, &entry, take_entry(r, at));
	}
	return NULL;
}

/* holm's are proc:mixed, sys:ro and a tree of cgroup v2 of its own. */
const char *system_lxc_mount_take_auto(struct lxc_reading *r, const struct lxc_line *line,
				       const char *rest)
{
	(void)r;
	(void)rest;
	if (strstr(line->value, ":rw") || strstr(line->value, "shmounts"))
		return "what it could write there, it cannot here";
	return NULL;
}
