#include "cli/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"

enum { FILE_MAX = 64 << 10 };

static bool read_lines(const char *path, struct strv *ret)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	if (fd_read_file_at(AT_FDCWD, path, FILE_MAX, &text, &ignored) < 0)
		return false;
	strv_split(ret, text.text ? text.text : "", '\n');
	return true;
}

char *cli_host_line(const char *path)
{
	own_clear(strv_clear) struct strv lines = { 0 };

	if (!read_lines(path, &lines) || !lines.count)
		return NULL;
	return mem_text(lines.items[0]);
}

char *cli_host_os_release(const char *key)
{
	own_clear(strv_clear) struct strv lines = { 0 };

	if (!read_lines("/etc/os-release", &lines) && !read_lines("/usr/lib/os-release", &lines))
		return NULL;
	const char *value = strv_value(&lines, key);
	if (!value)
		return NULL;
	size_t length = strlen(value);
	bool quoted = length > 1 && strchr("\"'", value[0]) && value[length - 1] == value[0];
	return quoted ? mem_text_n(value + 1, length - 2) : mem_text(value);
}

bool cli_host_kernel_is(unsigned major, unsigned minor)
{
	struct utsname names;
	unsigned have_major, have_minor;

	if (uname(&names) < 0 || sscanf(names.release, "%u.%u", &have_major, &have_minor) != 2)
		return false;
	return have_major > major || (have_major == major && have_minor >= minor);
}

bool cli_host_has_filesystem(const char *name)
{
	own_clear(strv_clear) struct strv lines = { 0 };
	own_free char *ending = mem_format("\t%s", name);

	read_lines("/proc/filesystems", &lines);
	for (size_t i = 0; i < lines.count; i++)
		if (str_ends(lines.items[i], ending))
			return true;
	return false;
}

char *cli_host_program(const char *name)
{
	own_clear(strv_clear) struct strv folders = { 0 };
	const char *path = getenv("PATH");

	strv_split(&folders, path ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':');
	for (size_t i = 0; i < folders.count; i++) {
		own_free char *full = mem_format("%s/%s", folders.items[i], name);
		if (access(full, X_OK) == 0)
			return take_ptr(&full);
	}
	return NULL;
}

bool cli_host_has_systemd(void)
{
	struct stat st;

	return stat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

uint64_t cli_host_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : 0;
}
