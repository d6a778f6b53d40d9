#include "image/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/allow.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/load_format.h"
#include "image/members.h"
#include "image/reference.h"
#include "image/source.h"
#include "image/stored.h"
#include "storage/store.h"

char *image_load_reference(const char *name)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	struct err ignored;

	if (!name || image_reference_parse(&ref, name, &ignored) < 0)
		return NULL;
	return image_reference_format(&ref);
}

bool image_load_wanted(const struct image_load *load, const char *name)
{
	if (!load->name)
		return true;
	if (!name)
		return false;
	own_free char *want = image_load_reference(load->name);
	own_free char *have = image_load_reference(name);
	return str_equal(load->name, name) || (want && str_equal(want, have));
}

int image_load_open(const struct image_load *load, struct image_members **ret, struct err *e)
{
	struct stat st;

	if (strcmp(load->path, "-") == 0)
		return image_members_archive(ret, load->store, STDIN_FILENO, e);
	if (stat(load->path, &st) < 0)
		return err_sys(e, "open %s", load->path);
	if (S_ISDIR(st.st_mode))
		return image_members_folder(ret, load->store, load->path, e);
	own_fd int fd = open(load->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", load->path);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return image_members_archive(ret, load->store, fd, e);
}

/* Which of policy.json's transports this is. */
static int check_allowed(const struct image_load *load, bool oci, struct err *e)
{
	struct stat st;
	bool folder = stat(load->path, &st) == 0 && S_ISDIR(st.st_mode);

	return image_allow_path(!oci     ? "docker-archive"
				: folder ? "oci"
					 : "oci-archive",
				load->path, load->name, e);
}

static int load_members(const struct image_load *load, struct image_members *members, struct err *e)
{
	bool has_oci = image_members_has(members, "index.json");
	bool oci = load->format == IMAGE_LOAD_OCI || (load->format == IMAGE_LOAD_ANY && has_oci);
	bool docker =
		load->format == IMAGE_LOAD_DOCKER || image_members_has(members, "manifest.json");
	int r = oci || docker ? check_allowed(load, oci, e) : 0;

	if (r < 0)
		return r;
	if (oci)
		return image_load_oci(load, members, e);
	if (docker)
		return image_load_docker(load, members, e);
	err_set(e, ERR_CORRUPT, "it has neither index.json nor manifest.json");
	return err_hint(e, "a plain root filesystem becomes an image with holm import");
}

static int load_locked(const struct image_load *load, struct err *e)
{
	own(image_members_free) struct image_members *members = NULL;

	own_fd int lock = store_lock_layers_shared(load->store, e);
	if (lock < 0)
		return lock;
	int r = image_jail_enter(load->store, e);
	if (r == 0)
		r = image_load_open(load, &members, e);
	return r < 0 ? r : load_members(load, members, e);
}

int image_load(const struct image_load *load, struct err *e)
{
	int r = load_locked(load, e);
	if (r >= 0)
		return 0;
	image_stored_clean_up(load->store);
	return err_add(e, "%s", strcmp(load->path, "-") == 0 ? "standard input" : load->path);
}

/* ---- the verb ---- */

bool image_load_is_source(const char *text)
{
	return str_starts(text, "oci:") || str_starts(text, "oci-archive:") ||
	       str_starts(text, "docker-archive:");
}

static enum image_load_format format_of(enum image_transport transport)
{
	return transport == IMAGE_FROM_DOCKER_ARCHIVE ? IMAGE_LOAD_DOCKER : IMAGE_LOAD_OCI;
}

int image_load_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	const char *operand = invocation->count ? invocation->operands[0] : "-";
	struct image_load load = {
		.store = invocation->store,
		.report = invocation->report,
		.platform = &invocation->platform,
		.path = operand,
	};

	if (invocation->count > 1)
		return err_set(e, ERR_INVALID, "load takes one archive");
	if (image_load_is_source(operand)) {
		int r = image_source_parse(&source, operand, e);
		if (r < 0)
			return r;
		load.path = source.path;
		load.name = source.name;
		load.format = format_of(source.transport);
	}
	return image_load(&load, e);
}
