/* template.c - the order of things: who makes it, where, and how it becomes an image. The folder
 * has a fixed name among the layers that are not finished, which the next one empties, as garbage
 * collection does: what a killed one leaves is gone then. */
#include "image/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/import.h"
#include "image/invocation.h"
#include "image/report.h"
#include "image/source.h"
#include "image/template_make.h"
#include "image/url.h"
#include "oci/image.h"
#include "storage/index.h"
#include "storage/store.h"

#define WORK "layers/.new-template"

static const struct maker {
	const char *distribution;
	const char *tool; /* by which; for people */
	template_maker *make;
	int names;         /* column of the table below */
	const char *shell; /* what an application's container runs */
	bool released;     /* it has releases, which the name says */
} makers[] = {
	{ "debian", "mmdebstrap", image_template_debian, 0, "bash", true },
	{ "ubuntu", "mmdebstrap", image_template_debian, 0, "bash", true },
	{ "alpine", "its mini root filesystem", image_template_alpine, 1, "/bin/sh", true },
	{ "fedora", "dnf", image_template_rpm, 2, "bash", true },
	{ "rocky", "dnf", image_template_rpm, 2, "bash", true },
	{ "busybox", "the host's busybox", image_template_busybox, 0, "sh", false },
};

static const struct {
	const char *architecture, *variant; /* OCI's; NULL: any */
	const char *names[3];               /* Debian's, Alpine's, RPM's; NULL: it has none */
} architectures[] = {
	{ "amd64", NULL, { "amd64", "x86_64", "x86_64" } },
	{ "386", NULL, { "i386", "x86", NULL } },
	{ "arm64", NULL, { "arm64", "aarch64", "aarch64" } },
	{ "arm", "v6", { "armel", "armhf", NULL } },
	{ "arm", NULL, { "armhf", "armv7", NULL } },
	{ "ppc64le", NULL, { "ppc64el", "ppc64le", "ppc64le" } },
	{ "s390x", NULL, { "s390x", "s390x", "s390x" } },
	{ "riscv64", NULL, { "riscv64", "riscv64", "riscv64" } },
};

/* ---- for the makers ---- */

bool image_template_has(const char *program)
{
	own_clear(strv_clear) struct strv folders = { 0 };
	const char *path = getenv("PATH");

	strv_split(&folders, path ? path : "", ':');
	for (size_t i = 0; i < folders.count; i++) {
		own_free char *file = path_join(folders.items[i], program);
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

int image_template_write(int root_fd, const char *path, const char *text, struct err *e)
{
	const char *name;
	own_fd int folder = path_open_parent(root_fd, path, true, &name, e);

	if (folder < 0)
		return folder;
	return fd_write_file_at(folder, name, text, strlen(text), 0644, e);
}

int image_template_remove(int root_fd, const char *path, struct err *e)
{
	const char *name;
	own_fd int folder = path_open_parent(root_fd, path, false, &name, e);

	if (folder < 0)
		return folder == -ENOENT ? 0 : folder;
	return fd_remove_tree_at(folder, name, e);
}

char *image_template_key(const char *name)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	own_free char *own =
		config && *config == '/'
			? mem_format("%s/holm/keys/%s.asc", config, name)
			: mem_format("%s/.config/holm/keys/%s.asc", home ? home : "", name);
	own_free char *system = mem_format("/etc/holm/keys/%s.asc", name);

	if (access(own, R_OK) == 0)
		return take_ptr(&own);
	return access(system, R_OK) == 0 ? take_ptr(&system) : NULL;
}

/* ---- what is to be made ---- */

static const struct maker *find_maker(const char *distribution)
{
	for (size_t i = 0; i < COUNT_OF(makers); i++)
		if (str_equal(makers[i].distribution, distribution))
			return &makers[i];
	return NULL;
}

static const char *find_architecture(const struct oci_platform *platform, int names)
{
	for (size_t i = 0; i < COUNT_OF(architectures); i++)
		if (str_equal(architectures[i].architecture, platform->architecture) &&
		    (!architectures[i].variant ||
		     str_equal(architectures[i].variant, platform->variant)))
			return architectures[i].names[names];
	return NULL;
}

static void template_clear(struct template *t)
{
	free(t->distribution);
	free(t->release);
	free(t->work);
	if (t->work_fd >= 0)
		close(t->work_fd);
}

/* "debian/bookworm", "debian/bookworm/system", "busybox", "busybox/system". */
static void read_name(struct template *to, const char *name)
{
	size_t length = strlen(name);

	to->system = str_ends(name, IMAGE_TEMPLATE_SYSTEM);
	if (to->system)
		length -= strlen(IMAGE_TEMPLATE_SYSTEM);
	size_t first = strcspn(name, "/");
	to->distribution = mem_text_n(name, first);
	to->release =
		first < length ? mem_text_n(name + first + 1, length - first - 1) : mem_text("");
}

static int check_release(const struct maker *maker, const struct template *t, struct err *e)
{
	if (maker->released == (*t->release != '\0'))
		return 0;
	if (!maker->released)
		return err_set(e, ERR_INVALID, "%s has no releases to choose from",
			       t->distribution);
	err_set(e, ERR_INVALID, "which release of %s?", t->distribution);
	return err_hint(e, "write it as template:debian/bookworm or template:alpine/edge");
}

static int read_order(const struct maker **ret, struct template *to, const char *name,
		      struct err *e)
{
	own_clear(oci_platform_clear) struct oci_platform host = { 0 };

	read_name(to, name);
	const struct maker *maker = find_maker(to->distribution);
	if (!maker) {
		err_set(e, ERR_INVALID, "no template for the distribution \"%s\"",
			to->distribution);
		return err_hint(e, "debian/SUITE, ubuntu/SUITE, alpine/VERSION, fedora/VERSION, "
				   "rocky/VERSION and busybox are known");
	}
	to->architecture = find_architecture(to->platform, maker->names);
	if (!to->architecture)
		return err_set(e, ERR_UNSUPPORTED, "there is no %s for %s", to->distribution,
			       to->platform->architecture);
	oci_platform_host(&host);
	to->foreign = !str_equal(to->architecture, find_architecture(&host, maker->names));
	*ret = maker;
	return check_release(maker, to, e);
}

/* It goes into lines of the tools' configuration. */
static int check_mirror(char **ret, const char *mirror, struct err *e)
{
	own_clear(image_url_clear) struct image_url url = { 0 };

	if (!mirror)
		return 0;
	int r = image_url_parse(&url, mirror, NULL, e);
	if (r < 0)
		return err_add(e, "--mirror");
	size_t length = strlen(mirror);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)mirror[i] <= ' ' || strchr("[]\"'\\#$?", mirror[i]))
			return err_set(e, ERR_INVALID, "--mirror %s: not the address of a mirror",
				       mirror);
	while (length && mirror[length - 1] == '/')
		length--;
	*ret = mem_text_n(mirror, length);
	return 0;
}

static int open_work(struct template *t, const struct store *store, struct err *e)
{
	int r = fd_remove_tree_at(store->root_fd, WORK, e);

	if (r < 0)
		return r;
	if (mkdirat(store->root_fd, WORK, 0700) < 0)
		return err_sys(e, "make the folder %s/" WORK, store->root);
	t->work = mem_format("%s/" WORK, store->root);
	t->work_fd = openat(store->root_fd, WORK, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return t->work_fd < 0 ? err_sys(e, "open %s", t->work) : 0;
}

static int import(const struct image_invocation *invocation, const struct maker *maker,
		  const struct template *t, const char *reference, struct err *e)
{
	struct oci_image_process process = { 0 };
	own_free char *comment = mem_format("Made by %s: %s", maker->tool, reference);
	struct stat st;
	bool is_tar = fstatat(t->work_fd, TEMPLATE_TAR, &st, AT_SYMLINK_NOFOLLOW) == 0;
	own_free char *path = mem_format("%s/%s", t->work, is_tar ? TEMPLATE_TAR : TEMPLATE_ROOT);
	struct image_import import = {
		.store = invocation->store,
		.report = invocation->report,
		.path = path,
		.reference = reference,
		.platform = t->platform,
		.comment = comment,
		.process = &process,
	};

	strv_add(&process.cmd, t->system ? "/sbin/init" : maker->shell);
	strv_add(&process.env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	int r = image_import(&import, e);
	strv_clear(&process.cmd);
	strv_clear(&process.env);
	return r;
}

static int make(const struct image_invocation *invocation, const char *name, const char *reference,
		int lock, struct err *e)
{
	own_free char *mirror = NULL;
	own_clear(template_clear) struct template t = { .report = invocation->report,
							.platform = &invocation->platform,
							.lock = lock,
							.work_fd = -1 };
	const struct maker *maker = NULL;

	int r = read_order(&maker, &t, name, e);
	if (r == 0)
		r = check_mirror(&mirror, invocation->mirror, e);
	if (r == 0)
		r = open_work(&t, invocation->store, e);
	if (r < 0)
		return r;
	t.mirror = mirror;
	image_report_note(invocation->report, "Making %s by %s", reference, maker->tool);
	r = maker->make(&t, e);
	return r < 0 ? r : import(invocation, maker, &t, reference, e);
}

/* The digest of the manifest that has this name now; NULL: none. The caller frees. */
static char *known_digest(const struct store *store, const char *reference)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	struct err ignored;

	if (storage_index_read(&index, store, &ignored) < 0)
		return NULL;
	const struct storage_entry *entry = storage_index_find(&index, reference);
	return entry ? mem_text(entry->digest) : NULL;
}

static bool report_existing(const struct store *store, struct image_report *report,
			    const char *reference)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	struct err ignored;

	if (storage_index_read(&index, store, &ignored) < 0)
		return false;
	const struct storage_entry *entry = storage_index_find(&index, reference);
	if (!entry)
		return false;
	image_report_image(report, entry->id, reference, IMAGE_STATE_EXISTS);
	return true;
}

int image_template(const struct image_invocation *invocation, const char *name, struct err *e)
{
	const struct store *store = invocation->store;
	own_free char *reference = mem_format("template:%s", name);
	own_free char *before = known_digest(store, reference);
	struct err ignored;

	own_fd int lock =
		openat(store->run_fd, "template.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_sys(e, "lock %s/template.lock", store->run);
	/* Somebody made it while we waited. */
	own_free char *now = known_digest(store, reference);
	if (now && !str_equal(now, before) && report_existing(store, invocation->report, reference))
		return 0;
	/* the folder is debris to garbage collection */
	own_fd int layers = store_lock_layers_shared(store, e);
	if (layers < 0)
		return layers;
	int r = make(invocation, name, reference, lock, e);
	fd_remove_tree_at(store->root_fd, WORK, &ignored);
	return r < 0 ? err_add(e, "%s", reference) : 0;
}
