#include "runtime/mount_label.h"

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/shape.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/lsm.h"

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
