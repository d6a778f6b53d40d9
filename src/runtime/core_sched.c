#include "runtime/core_sched.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "base/err.h"
#include "base/shape.h"
#include "base/str.h"
#include "oci/runtime_spec.h"

static const char annotation[] = "org.holm.core_sched";

static bool is_asked(const struct oci_spec *spec)
{
	return str_equal(shape_map_get(&spec->annotations, annotation), "true");
}

int runtime_core_sched_check(const struct oci_spec *spec, struct err *e)
{
	const char *text = shape_map_get(&spec->annotations, annotation);

	if (!text || is_asked(spec) || str_equal(text, "false"))
		return 0;
	return err_set(e, ERR_INVALID, "%s '%s' is neither 'true' nor 'false'", annotation, text);
}

/* pid: 0 for this process. */
static int call(unsigned long command, pid_t pid, unsigned long scope, struct err *e)
{
	if (prctl(PR_SCHED_CORE, command, pid, scope, 0) == 0 || errno == ENODEV)
		return 0; /* ENODEV: no core has two threads */
	if (errno == EINVAL)
		return err_set(e, ERR_UNSUPPORTED,
			       "%s: this kernel has no core scheduling (CONFIG_SCHED_CORE)",
			       annotation);
	return err_sys(e, "%s", annotation);
}

int runtime_core_sched_create_in_child(const struct oci_spec *spec, struct err *e)
{
	return is_asked(spec) ? call(PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_THREAD_GROUP, e)
			      : 0;
}

int runtime_core_sched_share_in_child(const struct oci_spec *spec, pid_t with, struct err *e)
{
	return is_asked(spec) ? call(PR_SCHED_CORE_SHARE_FROM, with, PR_SCHED_CORE_SCOPE_THREAD, e)
			      : 0;
}
