#include "runtime/io_priority.h"

#include <linux/ioprio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "oci/runtime_spec.h"
#include "runtime/word.h"

static const struct runtime_word classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ 0 },
};

static int read_priority(int *ret, const struct oci_io_priority *p, struct err *e)
{
	uint64_t class = 0;

	int r = runtime_word_find(&class, classes, p->class, "process.ioPriority.class", e);
	if (r < 0)
		return r;
	if (p->priority < 0 || p->priority > 7)
		return err_set(e, ERR_INVALID,
			       "process.ioPriority.priority %lld is not within 0 to 7",
			       (long long)p->priority);
	*ret = (int)(class << IOPRIO_CLASS_SHIFT | (uint64_t)p->priority);
	return 0;
}

int runtime_io_priority_check(const struct oci_io_priority *priority, struct err *e)
{
	int io;

	return priority ? read_priority(&io, priority, e) : 0;
}

int runtime_io_priority_apply_in_child(const struct oci_io_priority *priority, struct err *e)
{
	int io = 0;

	if (!priority)
		return 0;
	int r = read_priority(&io, priority, e);
	if (r < 0)
		return r;
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, io) < 0)
		return err_sys(e, "process.ioPriority: set %s", priority->class);
	return 0;
}
