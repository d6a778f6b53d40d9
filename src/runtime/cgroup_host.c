/* Which hierarchies the host has, from /proc/self/mountinfo (proc_pid_mountinfo(5)). A hybrid host
 * counts as v1: what systemd or anyone left in the v2 tree beside (hugetlb, say) is ignored. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_plan.h"
#include "runtime/cgroup_tree.h"

/* A line is at most PATH_MAX long four times over; a host with 100000 mounts is no host. */
#define MOUNTINFO_BYTES_MAX (64 << 20)

/* Every option of a v1 mount that is no controller: kernel/cgroup/cgroup-v1.c. */
static const char *const v1_controllers[] = { "blkio",    "cpu",        "cpuacct", "cpuset",
					      "debug",    "devices",    "dmem",    "freezer",
					      "hugetlb",  "memory",     "misc",    "net_cls",
					      "net_prio", "perf_event", "pids",    "rdma" };

static bool host_is_controller(const char *option)
{
	for (size_t i = 0; i < COUNT_OF(v1_controllers); i++) {
		if (str_equal(v1_controllers[i], option))
			return true;
	}
	return str_starts(option, "name=");
}

/* "rw,cpu,cpuacct,xattr" -> "cpu,cpuacct"; the caller frees. */
static char *host_controllers(char *options)
{
	struct str list = { 0 };
	char *rest;

	for (char *one = strtok_r(options, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
		if (host_is_controller(one))
			str_addf(&list, "%s%s", list.length ? "," : "", one);
	}
	return str_take(&list);
}

/* Blanks and backslashes come as octal: "\040". */
static char *host_unescape(const char *text)
{
	char *plain = mem_text(text);
	char *to = plain;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return plain;
}

static bool host_has_hierarchy(const struct runtime_cgroup *host, const char *controllers)
{
	for (size_t i = 0; i < host->hierarchies.count; i++) {
		if (str_equal(host->hierarchies.items[i].controllers, controllers))
			return true;
	}
	return false;
}

/* One line: "36 25 0:31 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu". */
static void host_read_line(struct runtime_cgroup *host, char **v2_mount, char *line)
{
	char *fields[5] = { 0 };
	char *rest;
	char *tail = strstr(line, " - ");

	if (!tail)
		return;
	*tail = '\0';
	char *type = strtok_r(tail + 3, " ", &rest);
	strtok_r(NULL, " ", &rest);
	char *options = strtok_r(NULL, " ", &rest);
	bool v1 = type && str_equal(type, "cgroup");
	if (!options || (!v1 && !str_equal(type, "cgroup2")))
		return;
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		fields[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
		if (!fields[i])
			return;
	}
	if (!v1) {
		if (!*v2_mount)
			*v2_mount = host_unescape(fields[4]);
		return;
	}
	own_free char *controllers = host_controllers(options);
	/* the first mount of a hierarchy is the host's; later ones are binds of containers */
	if (!*controllers || host_has_hierarchy(host, controllers))
		return;
	struct runtime_cgroup_hierarchy *found = shape_list_add(&host->hierarchies);
	found->controllers = take_ptr(&controllers);
	found->mount = host_unescape(fields[4]);
}

static bool host_has_v1_controller(const struct runtime_cgroup *host)
{
	for (size_t i = 0; i < host->hierarchies.count; i++) {
		if (!str_starts(host->hierarchies.items[i].controllers, "name="))
			return true;
	}
	return false;
}

static void host_set_v2(struct runtime_cgroup *host, const char *mount)
{
	runtime_cgroup_clear(host);
	host->layout = mem_text("v2");
	struct runtime_cgroup_hierarchy *only = shape_list_add(&host->hierarchies);
	only->controllers = mem_text("");
	only->mount = mem_text(mount);
}

static int host_read_lines(struct runtime_cgroup *host, char **v2_mount, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	char *rest;

	int r = fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_BYTES_MAX, &text, e);
	if (r < 0)
		return r;
	for (char *line = strtok_r(text.text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		host_read_line(host, v2_mount, line);
	return 0;
}

int runtime_cgroup_host_v2_mount(char **ret, struct err *e)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };

	*ret = NULL;
	return host_read_lines(&host, ret, e);
}

static int host_read_mountinfo(struct runtime_cgroup *host, struct err *e)
{
	own_free char *v2_mount = NULL;

	int r = host_read_lines(host, &v2_mount, e);
	if (r < 0)
		return r;
	if (host_has_v1_controller(host)) {
		host->layout = mem_text("v1");
	} else if (v2_mount) {
		host_set_v2(host, v2_mount);
	} else {
		runtime_cgroup_clear(host);
		host->layout = mem_text("none");
	}
	return 0;
}

/* v2's controllers are those that its root can hand down. */
static int host_read_v2(struct runtime_cgroup *host, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	struct runtime_cgroup_hierarchy *only = &host->hierarchies.items[0];

	own_fd int root = runtime_cgroup_tree_open_root(only->mount, true, e);
	if (root < 0)
		return root;
	int r = runtime_cgroup_tree_read(root, "cgroup.controllers", &text);
	if (r < 0)
		return err_number(e, -r, "read %s/cgroup.controllers", only->mount);
	for (size_t i = 0; i < text.length; i++) {
		if (text.text[i] == ' ')
			text.text[i] = ',';
		else if (text.text[i] == '\n')
			text.text[i] = '\0';
	}
	mem_replace(&only->controllers, text.text ? text.text : "");
	return 0;
}

int runtime_cgroup_host_read(struct runtime_cgroup *ret, struct err *e)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	struct statfs fs;
	int r;

	/* the usual v2 host needs no look at its mounts */
	if (statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		host_set_v2(&host, "/sys/fs/cgroup");
	else if ((r = host_read_mountinfo(&host, e)) < 0)
		return r;
	if (str_equal(host.layout, "v2") && (r = host_read_v2(&host, e)) < 0)
		return r;
	host.path = mem_text("/");
	*ret = host;
	host = (struct runtime_cgroup){ 0 };
	return 0;
}

bool runtime_cgroup_host_has(const struct runtime_cgroup *host, const char *controller)
{
	for (size_t i = 0; i < host->hierarchies.count; i++) {
		if (runtime_cgroup_plan_listed(host->hierarchies.items[i].controllers, controller))
			return true;
	}
	return false;
}
