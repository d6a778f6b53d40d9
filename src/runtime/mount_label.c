#include "runtime/mount_label.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/lsm.h"
#include "runtime/mount.h"

/* security/selinux/hooks.c, selinux_mount_tokens */
static const char *const types[] = { "context", "fscontext", "defcontext", "rootcontext" };

int runtime_mount_label_read(char **ret, const struct oci_spec *spec, struct err *e)
{
	const char *type = shape_map_get(&spec->annotations, "run.oci.mount_context_type");
	const char *label = spec->linux_.mount_label;

	if (str_empty(label))
		return 0;
	if (!runtime_lsm_has_selinux())
		return err_set(e, ERR_UNSUPPORTED,
			       "linux.mountLabel %s: SELinux is not active on this host", label);
	if (!type)
		type = types[0];
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_equal(type, types[i])) {
			*ret = mem_format("%s=%s", type, label);
			return 0;
		}
	return err_set(e, ERR_INVALID, "run.oci.mount_context_type '%s' is unknown", type);
}

int runtime_mount_label_option(int fs, const char *label, struct err *e)
{
	if (!label)
		return 0;
	const char *value = strchr(label, '=') + 1;
	own_free char *key = mem_text_n(label, (size_t)(value - 1 - label));
	if (fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) < 0)
		return runtime_mount_error(e, fs, "linux.mountLabel: option %s", label);
	return 0;
}

int runtime_mount_label_write(int fd, const char *label, struct err *e)
{
	if (!label)
		return 0;
	const char *value = strchr(label, '=') + 1;
	own_fd int folder = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0 && fsetxattr(folder, "security.selinux", value, strlen(value) + 1, 0) == 0)
		return 0;
	err_sys(e, "linux.mountLabel: write %s", value);
	if (e->number != EPERM)
		return -e->number;
	/* in a user namespace its root belongs to an id that is not there */
	log_warning("%s", e->text);
	return 0;
}
