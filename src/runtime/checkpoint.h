/* checkpoint.h - a running container into files and back, by criu.h. What is not in the images: the
 * files of the root filesystem, of volumes, and what the standard streams lead to; the restored
 * container's are those of its new bundle and caller. */
#pragma once
#include <stdbool.h>

struct err;
struct oci_spec;
struct runtime_container;
struct runtime_criu_options;
struct runtime_options;
struct runtime_process;
struct runtime_store;

/* Without leave_running and pre_dump its processes have ended afterwards. ERR_UNSUPPORTED for what
 * criu cannot do here. Of a terminal only what its other side has not read is lost. */
int runtime_checkpoint(const struct runtime_container *container, const struct oci_spec *spec,
		       const struct runtime_criu_options *criu, struct err *e);

/* Had the container that is stored there the mount of notify.h? The restored one then needs it,
 * too, and no other does. */
bool runtime_checkpoint_has_notify(const struct runtime_criu_options *criu);

/* As runtime_create() and runtime_start() in one. scratch is an empty folder, the mount point of
 * the root in a mount namespace that lives as long as criu. store (NULL: nothing) is called once
 * *to, which was zeroed, knows its cgroup: all that is made is in there. On failure nothing is left
 * of it, and *to is cleared. */
int runtime_restore(struct runtime_container *to, struct runtime_process *ret,
		    const struct oci_spec *spec, const struct runtime_options *options,
		    const struct runtime_criu_options *criu, const char *scratch,
		    const struct runtime_store *store, struct err *e);
