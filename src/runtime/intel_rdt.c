#include "runtime/intel_rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/intel_rdt_schema.h"

#define RESCTRL "/sys/fs/resctrl"

/* uapi/linux/magic.h, RDTGROUP_SUPER_MAGIC */
#define RESCTRL_MAGIC 0x7655821

/* A line for each resource, as many numbers as there are caches. */
enum { SCHEMATA_MAX = 65536 };

const struct shape runtime_intel_rdt_shape = {
	sizeof(struct runtime_intel_rdt),
	(const struct shape_field[]){
		{ "group", SHAPE_STRING, offsetof(struct runtime_intel_rdt, group) },
		{ "own", SHAPE_BOOL, offsetof(struct runtime_intel_rdt, own) },
		{ "monitor", SHAPE_STRING, offsetof(struct runtime_intel_rdt, monitor) },
		{ 0 },
	},
};

void runtime_intel_rdt_clear(struct runtime_intel_rdt *rdt)
{
	shape_clear(&runtime_intel_rdt_shape, rdt);
}

int runtime_intel_rdt_open(struct err *e)
{
	struct statfs fs;

	own_fd int fd = open(RESCTRL, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == RESCTRL_MAGIC)
		return take_fd(&fd);
	err_set(e, ERR_UNSUPPORTED, "linux.intelRdt: no resctrl filesystem at " RESCTRL);
	return err_hint(e, "mount -t resctrl resctrl " RESCTRL
			   ", on a processor and a kernel that have it");
}

/* ---- make ---- */

/* What the kernel says of the last write, info/last_cmd_status. */
static int explain(int root_fd, struct err *e)
{
	own_clear(str_clear) struct str status = { 0 };
	struct err ignored;

	if (fd_read_file_at(root_fd, "info/last_cmd_status", SCHEMATA_MAX, &status, &ignored) < 0 ||
	    !status.length)
		return -e->number;
	status.text[strcspn(status.text, "\n")] = '\0';
	return err_hint(e, "resctrl says: %s", status.text);
}

/* O_CREAT means nothing to resctrl, whose files come with their folder. */
static int write_file(int folder, const char *file, const char *text, struct err *e)
{
	own_fd int fd = openat(folder, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "open %s", file);
	int r = fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_number(e, -r, "write \"%s\" to %s", text, file) : 0;
}

static int check_group(int folder, const char *group, const struct strv *lines, struct err *e)
{
	own_clear(str_clear) struct str now = { 0 };

	int r = lines->count ? fd_read_file_at(folder, "schemata", SCHEMATA_MAX, &now, e) : 0;
	for (size_t i = 0; r == 0 && i < lines->count; i++)
		if (!runtime_intel_rdt_schema_has(now.text ? now.text : "", lines->items[i]))
			return err_set(e, ERR_INVALID,
				       "linux.intelRdt.closID %s is there, with another schema "
				       "than %s",
				       group, lines->items[i]);
	return r;
}

/* The kernel takes each resource once in a write; schemata comes last. */
static int write_schema(int root_fd, int folder, const struct oci_intel_rdt *spec, struct err *e)
{
	own_free char *first = runtime_intel_rdt_schema_combine(spec);
	own_free char *second = strv_join(&spec->schemata, "\n");
	const char *texts[] = { first, second };

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (str_empty(texts[i]))
			continue;
		own_free char *text = mem_format("%s\n", texts[i]);
		if (write_file(folder, "schemata", text, e) < 0)
			return explain(root_fd, e);
	}
	return 0;
}

static int make_group(struct runtime_intel_rdt *ret, int root_fd, const struct oci_intel_rdt *spec,
		      struct err *e)
{
	own_clear(strv_clear) struct strv lines = { 0 };
	bool made = false;

	runtime_intel_rdt_schema_lines(&lines, spec);
	if (ret->own || lines.count) {
		made = mkdirat(root_fd, ret->group, 0755) == 0;
		if (!made && errno != EEXIST) {
			err_sys(e, "linux.intelRdt: make the group %s", ret->group);
			return explain(root_fd, e);
		}
	}
	own_fd int folder = openat(root_fd, ret->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "linux.intelRdt.closID %s: no such group",
			       ret->group);
	if (folder < 0)
		return err_sys(e, "linux.intelRdt: open the group %s", ret->group);
	int r = made || ret->own ? write_schema(root_fd, folder, spec, e)
				 : check_group(folder, ret->group, &lines, e);
	if (r < 0 && made)
		unlinkat(root_fd, ret->group, AT_REMOVEDIR);
	return r;
}

static int make_monitor(const struct runtime_intel_rdt *rdt, int root_fd, struct err *e)
{
	own_free char *path = mem_format("%s/mon_groups/%s", rdt->group, rdt->monitor);

	if (mkdirat(root_fd, path, 0755) == 0 || errno == EEXIST)
		return 0;
	err_sys(e, "linux.intelRdt.enableMonitoring: make %s", path);
	return explain(root_fd, e);
}

static int check_name(const char *name, struct err *e)
{
	static const char *const taken[] = { "info", "mon_groups", "mon_data" };

	if (!path_is_name(name) && strcmp(name, ".") != 0)
		return err_set(e, ERR_INVALID, "linux.intelRdt.closID '%s' is no name", name);
	for (size_t i = 0; i < COUNT_OF(taken); i++)
		if (strcmp(name, taken[i]) == 0)
			return err_set(e, ERR_INVALID,
				       "linux.intelRdt.closID '%s' is resctrl's own", name);
	return 0;
}

void runtime_intel_rdt_choose(struct runtime_intel_rdt *ret, const struct oci_intel_rdt *spec,
			      const char *id)
{
	bool schema = !str_empty(spec->l3_cache_schema) || !str_empty(spec->mem_bw_schema) ||
		      spec->schemata.count;

	/* monitoring alone happens in the root's group */
	ret->own = str_empty(spec->clos_id) && (schema || !spec->enable_monitoring);
	ret->group = mem_text(ret->own ? id : str_empty(spec->clos_id) ? "." : spec->clos_id);
	ret->monitor = spec->enable_monitoring ? mem_text(id) : NULL;
}

int runtime_intel_rdt_make(struct runtime_intel_rdt *ret, int root_fd,
			   const struct oci_intel_rdt *spec, const char *id, struct err *e)
{
	own_clear(runtime_intel_rdt_clear) struct runtime_intel_rdt rdt = { 0 };

	runtime_intel_rdt_choose(&rdt, spec, id);
	int r = check_name(rdt.group, e);
	if (r == 0)
		r = make_group(&rdt, root_fd, spec, e);
	if (r == 0 && rdt.monitor)
		r = make_monitor(&rdt, root_fd, e);
	if (r < 0) {
		struct err ignored;
		runtime_intel_rdt_remove(&rdt, root_fd, &ignored);
		return r;
	}
	*ret = rdt;
	rdt = (struct runtime_intel_rdt){ 0 };
	return 0;
}

int runtime_intel_rdt_change(const struct runtime_intel_rdt *rdt, int root_fd,
			     const struct oci_intel_rdt *spec, struct err *e)
{
	if (strcmp(rdt->group, ".") == 0)
		return err_set(e, ERR_STATE,
			       "Intel RDT: the container is in the root's group, whose shares are "
			       "the host's");
	own_fd int folder = openat(root_fd, rdt->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return err_sys(e, "Intel RDT: open the group %s", rdt->group);
	int r = write_schema(root_fd, folder, spec, e);
	return r < 0 ? err_add(e, "Intel RDT: group %s", rdt->group) : 0;
}

/* ---- join, remove ---- */

static int join_folder(int root_fd, const char *path, pid_t pid, struct err *e)
{
	own_fd int folder = openat(root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_free char *text = mem_format("%d", (int)pid);

	if (folder < 0)
		return err_sys(e, "linux.intelRdt: open the group %s", path);
	if (write_file(folder, "tasks", text, e) < 0) {
		err_add(e, "linux.intelRdt");
		return explain(root_fd, e);
	}
	return 0;
}

int runtime_intel_rdt_join(const struct runtime_intel_rdt *rdt, int root_fd, pid_t pid,
			   struct err *e)
{
	int r = join_folder(root_fd, rdt->group, pid, e);

	if (r < 0 || !rdt->monitor)
		return r;
	own_free char *path = mem_format("%s/mon_groups/%s", rdt->group, rdt->monitor);
	return join_folder(root_fd, path, pid, e);
}

static int remove_folder(int root_fd, const char *path, struct err *e)
{
	if (unlinkat(root_fd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return err_sys(e, "linux.intelRdt: remove the group %s", path);
}

int runtime_intel_rdt_remove(const struct runtime_intel_rdt *rdt, int root_fd, struct err *e)
{
	int r = 0;

	if (rdt->monitor) {
		own_free char *path = mem_format("%s/mon_groups/%s", rdt->group, rdt->monitor);
		r = remove_folder(root_fd, path, e);
	}
	return r < 0 || !rdt->own ? r : remove_folder(root_fd, rdt->group, e);
}

/* ---- for a container ---- */

int runtime_intel_rdt_make_in_parent(struct runtime_intel_rdt *ret,
				     const struct oci_intel_rdt *spec, const char *id,
				     struct err *e)
{
	own_fd int root = spec ? runtime_intel_rdt_open(e) : -1;

	if (!spec)
		return 0;
	return root < 0 ? root : runtime_intel_rdt_make(ret, root, spec, id, e);
}

int runtime_intel_rdt_join_in_parent(const struct runtime_intel_rdt *rdt, pid_t pid, struct err *e)
{
	own_fd int root = rdt->group ? runtime_intel_rdt_open(e) : -1;

	if (!rdt->group)
		return 0;
	return root < 0 ? root : runtime_intel_rdt_join(rdt, root, pid, e);
}

int runtime_intel_rdt_remove_in_parent(const struct runtime_intel_rdt *rdt, struct err *e)
{
	struct err ignored;
	own_fd int root = rdt->group ? runtime_intel_rdt_open(&ignored) : -1;

	/* a resctrl that is not mounted any more has forgotten all groups */
	return root < 0 ? 0 : runtime_intel_rdt_remove(rdt, root, e);
}
