#include "system/lxc_config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/trusted.h"

/* lxc-update-config(1), and what lxc(7) of 2.0 called them. */
static const struct {
	const char *old, *now;
} renamed[] = {
	{ "lxc.utsname", "lxc.uts.name" },
	{ "lxc.rootfs", "lxc.rootfs.path" },
	{ "lxc.id_map", "lxc.idmap" },
	{ "lxc.mount", "lxc.mount.fstab" },
	{ "lxc.tty", "lxc.tty.max" },
	{ "lxc.pts", "lxc.pty.max" },
	{ "lxc.devttydir", "lxc.tty.dir" },
	{ "lxc.console", "lxc.console.path" },
	{ "lxc.haltsignal", "lxc.signal.halt" },
	{ "lxc.rebootsignal", "lxc.signal.reboot" },
	{ "lxc.stopsignal", "lxc.signal.stop" },
	{ "lxc.init_cmd", "lxc.init.cmd" },
	{ "lxc.init_uid", "lxc.init.uid" },
	{ "lxc.init_gid", "lxc.init.gid" },
	{ "lxc.aa_profile", "lxc.apparmor.profile" },
	{ "lxc.aa_allow_incomplete", "lxc.apparmor.allow_incomplete" },
	{ "lxc.se_context", "lxc.selinux.context" },
	{ "lxc.seccomp", "lxc.seccomp.profile" },
	{ "lxc.loglevel", "lxc.log.level" },
	{ "lxc.logfile", "lxc.log.file" },
	{ "lxc.syslog", "lxc.log.syslog" },
};

static const char *const stock_folders[] = { "/usr/share/lxc/", "/usr/local/share/lxc/" };

static bool is_stock(const char *file)
{
	for (size_t i = 0; i < COUNT_OF(stock_folders); i++)
		if (str_starts(file, stock_folders[i]) && !strstr(file, "/../"))
			return true;
	return false;
}

static void line_clear(struct lxc_line *line)
{
	free(line->key);
	free(line->value);
	free(line->file);
}

void system_lxc_config_clear(struct lxc_config *config)
{
	for (size_t i = 0; i < config->lines.count; i++)
		line_clear(&config->lines.items[i]);
	free(config->lines.items);
	*config = (struct lxc_config){ 0 };
}

const char *system_lxc_config_get(const struct lxc_config *config, const char *key)
{
	for (size_t i = config->lines.count; i > 0; i--)
		if (str_equal(config->lines.items[i - 1].key, key))
			return config->lines.items[i - 1].value;
	return NULL;
}

/* ---- keys ---- */

/* "lxc.network.type" of old, without a number. */
static char *number_network(struct lxc_config *to, const char *rest)
{
	char *end;

	if (strtoul(rest, &end, 10) < INT16_MAX && end != rest && *end == '.')
		return mem_format("lxc.net.%s", rest);
	if (str_equal(rest, "type"))
		to->networks++;
	int number = to->networks ? to->networks - 1 : 0;
	if (str_equal(rest, "ipv4") || str_equal(rest, "ipv6"))
		return mem_format("lxc.net.%d.%s.address", number, rest);
	return mem_format("lxc.net.%d.%s", number, rest);
}

static char *name_of_today(struct lxc_config *to, const char *key)
{
	static const char network[] = "lxc.network.", limit[] = "lxc.limit.";

	for (size_t i = 0; i < COUNT_OF(renamed); i++)
		if (str_equal(renamed[i].old, key))
			return mem_text(renamed[i].now);
	if (str_starts(key, network))
		return number_network(to, key + strlen(network));
	if (str_starts(key, limit))
		return mem_format("lxc.prlimit.%s", key + strlen(limit));
	return mem_text(key);
}

/* ---- includes ---- */

static int read_file(struct lxc_config *to, const char *path, int depth, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	if (++to->files > LXC_CONFIG_FILES_MAX)
		return err_set(e, ERR_INVALID, "more than %d files are included",
			       LXC_CONFIG_FILES_MAX);
	int r = trusted_check(path, e);
	if (r < 0)
		return err_hint(e, "a configuration says what runs as root and what is mounted: it "
				   "has to be yours");
	r = fd_read_file_at(AT_FDCWD, path, LXC_CONFIG_BYTES_MAX, &text, e);
	if (r < 0)
		return r;
	return system_lxc_config_add(to, path, text.text ? text.text : "", text.length, depth, e);
}

static int is_config(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends(entry->d_name, ".conf");
}

static int include(struct lxc_config *to, const char *path, int depth, struct err *e)
{
	struct dirent **entries = NULL;
	struct stat st;
	int r = 0;

	if (depth >= LXC_CONFIG_DEPTH_MAX)
		return err_set(e, ERR_INVALID, "includes are deeper than %d", LXC_CONFIG_DEPTH_MAX);
	if (*path != '/')
		return err_set(e, ERR_INVALID, "'%s' is not an absolute path", path);
	/* LXC's own files name folders that packages may fill */
	if (stat(path, &st) < 0)
		return is_stock(path) ? 0 : err_sys(e, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return read_file(to, path, depth + 1, e);
	int count = scandir(path, &entries, is_config, alphasort);
	if (count < 0)
		return err_sys(e, "read %s", path);
	for (int i = 0; i < count; i++) {
		own_free char *file = mem_format("%s/%s", path, entries[i]->d_name);
		if (r == 0)
			r = read_file(to, file, depth + 1, e);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* ---- lines ---- */

/* Without blanks, and without quotes, around it; in place. */
static char *strip(char *text)
{
	text += strspn(text, " \t\r");
	size_t length = strlen(text);
	while (length && strchr(" \t\r", text[length - 1]))
		text[--length] = '\0';
	if (length >= 2 && (*text == '"' || *text == '\'') && text[length - 1] == *text) {
		text[length - 1] = '\0';
		text++;
	}
	return text;
}

static int add_line(struct lxc_config *to, const char *file, int number, char *text, int depth,
		    struct err *e)
{
	char *equals = strchr(text, '=');

	if (!equals)
		return err_set(e, ERR_INVALID, "'%.100s' is not KEY = VALUE", text);
	*equals = '\0';
	char *key = strip(text), *value = strip(equals + 1);
	if (!str_starts(key, "lxc."))
		return err_set(e, ERR_INVALID, "'%.100s' is no key of LXC's", key);
	if (str_equal(key, "lxc.include"))
		return include(to, value, depth, e);
	if (to->lines.count >= LXC_CONFIG_LINES_MAX)
		return err_set(e, ERR_INVALID, "more than %d lines", LXC_CONFIG_LINES_MAX);
	char *name = name_of_today(to, key);
	*shape_list_add(&to->lines) = (struct lxc_line){
		.key = name,
		.value = mem_text(value),
		.file = mem_text(file),
		.number = number,
		.stock = is_stock(file),
	};
	return 0;
}

int system_lxc_config_add(struct lxc_config *to, const char *file, const char *text, size_t length,
			  int depth, struct err *e)
{
	own_free char *copy = mem_text_n(text, length);
	int number = 0;

	if (strlen(copy) != length)
		return err_set(e, ERR_INVALID, "%s: not text: it has a NUL byte", file);
	for (char *line = copy, *next; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		number++;
		line += strspn(line, " \t\r");
		if (!*line || *line == '#')
			continue;
		int r = add_line(to, file, number, line, depth, e);
		if (r < 0)
			return err_add(e, "%s, line %d", file, number);
	}
	return 0;
}

int system_lxc_config_read(struct lxc_config *to, const char *path, struct err *e)
{
	return read_file(to, path, 0, e);
}
