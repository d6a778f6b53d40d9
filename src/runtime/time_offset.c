#include "runtime/time_offset.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/procfs.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

int runtime_time_unshare_in_child(int proc_fd, const struct oci_spec *spec, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(e, "make a time namespace");
	for (size_t i = 0; i < spec->linux_.time_offsets.count; i++) {
		const struct oci_time_offset *o = &spec->linux_.time_offsets.items[i];
		if (!str_equal(o->clock, "monotonic") && !str_equal(o->clock, "boottime"))
			return err_set(e, ERR_INVALID, "linux.timeOffsets: clock '%s' is unknown",
				       o->clock);
		str_addf(&text, "%s %lld %u\n", o->clock, (long long)o->secs, o->nanosecs);
	}
	if (text.length) {
		int r = runtime_procfs_write(proc_fd, "self/timens_offsets", text.text, e);
		if (r < 0)
			return err_add(e, "linux.timeOffsets");
	}
	own_fd int fd = openat(proc_fd, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
		return err_sys(e, "enter the time namespace");
	return 0;
}
