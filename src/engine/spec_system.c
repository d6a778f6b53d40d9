/* What the init of a whole system finds beside what every container has: the interface that
 * systemd describes (systemd.io, CONTAINER_INTERFACE) and others are content with. */
#include "engine/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "monitor/config.h"
#include "storage/store.h"

#define HOST "/run/host"
#define SEED "seed" /* in the run folder */

enum { OS_RELEASE_BYTES_MAX = 65536, UUID_SIZE = 37, MACHINE_ID_SIZE = 33 };

/* RFC 9562, version 4 and variant 1, out of the container's id, which is as random. */
static void machine_id(char to[MACHINE_ID_SIZE], const struct container *c)
{
	snprintf(to, MACHINE_ID_SIZE, "%.32s", c->id);
	to[12] = '4';
	to[16] = "89ab"[to[16] & 3];
}

static void uuid(char to[UUID_SIZE], const struct container *c)
{
	char id[MACHINE_ID_SIZE];

	machine_id(id, c);
	snprintf(to, UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12, id + 16, id + 20);
}

/* os-release(5) of the host; "" where there is none. */
static void read_os_release(struct str *to)
{
	struct err ignored;

	if (fd_read_file_at(AT_FDCWD, "/etc/os-release", OS_RELEASE_BYTES_MAX, to, &ignored) < 0 &&
	    fd_read_file_at(AT_FDCWD, "/usr/lib/os-release", OS_RELEASE_BYTES_MAX, to, &ignored) <
		    0)
		str_clear(to);
}

/* "ID=debian" as container_host_id=debian. */
static void add_host_env(struct strv *env)
{
	static const struct {
		const char *key, *name;
	} rows[] = {
		{ "ID=", "container_host_id" },
		{ "VERSION_ID=", "container_host_version_id" },
		{ "BUILD_ID=", "container_host_build_id" },
		{ "VARIANT_ID=", "container_host_variant_id" },
	};
	own_clear(str_clear) struct str text = { 0 };
	char *rest;

	read_os_release(&text);
	for (char *line = text.text ? strtok_r(text.text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			if (!str_starts(line, rows[i].key))
				continue;
			const char *value = line + strlen(rows[i].key);
			value += strspn(value, "\"'");
			strv_addf(env, "%s=%.*s", rows[i].name, (int)strcspn(value, "\"'"), value);
		}
}

void spec_system_env(struct strv *env, const struct container *c)
{
	char id[UUID_SIZE];

	uuid(id, c);
	strv_add(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_add(env, "TERM=xterm-256color");
	strv_add(env, "container=holm");
	strv_addf(env, "container_uuid=%s", id);
	add_host_env(env);
	strv_add(env, "NOTIFY_SOCKET=" HOST "/" MONITOR_GUEST_NOTIFY);
	for (size_t i = 0; i < c->process.env.count; i++)
		strv_set(env, c->process.env.items[i]);
}

/* Other networks' settings are not its own to change. */
static bool has_own_network(const struct container *c)
{
	return !str_equal(c->network.mode, "host") && !str_starts(c->network.mode, "ns:") &&
	       !str_starts(c->network.mode, "container:");
}

static uint32_t root_of(const struct oci_id_mappings *ids)
{
	uint32_t id = 0;

	if (ids->count)
		runtime_idmap_to_host(&id, ids, 0);
	return id;
}

static void add_cgroup_owner(struct oci_spec *spec, const struct container *c)
{
	const struct runtime_idmap *ids = &c->security.ids;
	own_free char *owner = mem_format("%u:%u", root_of(&ids->uids), root_of(&ids->gids));

	shape_map_set(&spec->annotations, "org.holm.cgroup.guest", owner);
}

void spec_system(struct oci_spec *spec, const struct container *c,
		 const struct spec_context *context)
{
	char id[MACHINE_ID_SIZE];

	shape_map_set(&spec->annotations, "org.holm.guest", "true");
	add_cgroup_owner(spec, c);
	if (has_own_network(c) && !c->security.privileged)
		shape_map_set(&spec->annotations, "org.holm.writable", "/proc/sys/net");
	machine_id(id, c);
	if (context->new_identity)
		shape_map_set(&spec->annotations, "org.holm.guest.identity", id);
}

static void add(struct oci_spec *spec, const char *target, const char *type, const char *source,
		const char *options)
{
	struct oci_mount *mount = shape_list_add(&spec->mounts);

	mount->destination = mem_text(target);
	mount->type = mem_text(type);
	mount->source = mem_text(source);
	strv_split(&mount->options, options, ',');
}

void spec_system_mounts(struct oci_spec *spec, const struct container *c,
			const struct spec_context *context)
{
	own_free char *run = mem_format("%s/containers/%s", context->store->run, c->id);
	own_free char *host = mem_format("%s/" MONITOR_GUEST_FOLDER, run);
	own_free char *boot_id = mem_format("%s/" MONITOR_GUEST_BOOT_ID, run);
	static const struct {
		const char *target, *options;
	} rows[] = {
		{ "/run", "nosuid,nodev,strictatime,mode=755" },
		{ "/run/lock", "nosuid,nodev,noexec,mode=1777,size=5m" },
		{ "/tmp", "nosuid,nodev,strictatime,mode=1777" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (!spec_mounts_asked_for(c, rows[i].target))
			add(spec, rows[i].target, "tmpfs", "tmpfs", rows[i].options);
	own_free char *seed = mem_format("%s/" SEED, run);
	if (c->user_data)
		add(spec, "/var/lib/cloud/seed/nocloud", "bind", seed,
		    "bind,ro,nosuid,nodev,noexec");
	add(spec, HOST, "bind", host, "bind,ro,nosuid,nodev,noexec");
	add(spec, "/proc/sys/kernel/random/boot_id", "bind", boot_id,
	    "bind,ro,nosuid,nodev,noexec");
}

/* ---- what it sees at /run/host ---- */

static int write_file(int dir, const char *name, const char *text, struct err *e)
{
	return fd_write_file_at(dir, name, text, strlen(text), 0444, e);
}

/* Its root's alone: there may be passwords in it. */
static int write_seed_file(int dir, const struct container *c, const char *name, const char *text,
			   struct err *e)
{
	int r = fd_write_file_at(dir, name, text, strlen(text), 0400, e);

	if (r == 0 && fchownat(dir, name, root_of(&c->security.ids.uids),
			       root_of(&c->security.ids.gids), AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "give %s to the container's root", name);
	return r;
}

/* cloud-init, datasource NoCloud: another instance-id makes it begin anew, as in a clone. */
static int write_seed(const struct container *c, int run_fd, struct err *e)
{
	char name[65];

	if (!c->user_data)
		return 0;
	if (mkdirat(run_fd, SEED, 0755) < 0)
		return err_sys(e, "make " SEED " in the run folder");
	own_fd int dir = openat(run_fd, SEED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open " SEED " of the run folder");
	spec_host_name(name, c);
	own_free char *meta = mem_format("instance-id: %.36s\nlocal-hostname: %s\n", c->id, name);
	int r = write_seed_file(dir, c, "meta-data", meta, e);
	return r < 0 ? r : write_seed_file(dir, c, "user-data", c->user_data, e);
}

int spec_system_write(const struct container *c, int run_fd, struct err *e)
{
	own_clear(str_clear) struct str release = { 0 };
	char id[UUID_SIZE + 1];

	if (mkdirat(run_fd, MONITOR_GUEST_FOLDER, 0755) < 0)
		return err_sys(e, "make " MONITOR_GUEST_FOLDER " in the run folder");
	own_fd int dir = openat(run_fd, MONITOR_GUEST_FOLDER,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open " MONITOR_GUEST_FOLDER " of the run folder");
	uuid(id, c);
	strcat(id, "\n");
	read_os_release(&release);
	int r = write_file(dir, "container-manager", "holm\n", e);
	if (r == 0)
		r = write_file(dir, "container-uuid", id, e);
	if (r == 0 && release.length)
		r = write_file(dir, "os-release", release.text, e);
	return r < 0 ? r : write_seed(c, run_fd, e);
}

/* ---- is it a copy? ---- */

#define IDENTITY "identity"

bool spec_system_is_new(const struct container *c, int folder_fd)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	/* a folder that is used in place is nobody's copy */
	if (c->image.in_place)
		return false;
	return fd_read_file_at(folder_fd, IDENTITY, CONTAINER_ID_LENGTH, &text, &ignored) < 0 ||
	       !str_equal(text.text, c->id);
}

int spec_system_mark(const struct container *c, int folder_fd, struct err *e)
{
	return fd_write_file_at(folder_fd, IDENTITY, c->id, strlen(c->id), 0600, e);
}

int spec_system_forget(int folder_fd, struct err *e)
{
	if (unlinkat(folder_fd, IDENTITY, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove the file " IDENTITY);
	return 0;
}
