#include "runtime/time_offset.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/procfs.h"
#include "runtime/word.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct runtime_word clocks[] = { { "monotonic", 0 }, { "boottime", 0 }, { 0 } };

enum { NANOSECS_MAX = 999999999 };

int runtime_time_offset_check(const struct oci_spec *spec, uint64_t kinds, struct err *e)
{
	uint64_t unused;

	if (spec->linux_.time_offsets.count && !(kinds & CLONE_NEWTIME))
		return err_set(e, ERR_INVALID,
			       "linux.timeOffsets without a new time namespace: one that is joined "
			       "has its own");
	for (size_t i = 0; i < spec->linux_.time_offsets.count; i++) {
		const struct oci_time_offset *o = &spec->linux_.time_offsets.items[i];
		int r = runtime_word_find(&unused, clocks, o->clock, "linux.timeOffsets", e);
		if (r < 0)
			return r;
		if (o->nanosecs > NANOSECS_MAX)
			return err_set(e, ERR_INVALID,
				       "linux.timeOffsets.%s.nanosecs %u is not below a second",
				       o->clock, o->nanosecs);
	}
	return 0;
}

static int write_offsets(int proc_fd, const char *text, bool alone, struct err *e)
{
	if (alone)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	int r = runtime_procfs_write(proc_fd, "self/timens_offsets", text, e);
	if (alone && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "forbid tracing");
	if (r < 0)
		err_add(e, "linux.timeOffsets");
	return r == -ERANGE ? err_hint(e, "no clock can go below zero") : r;
}

int runtime_time_offset_unshare_in_child(int proc_fd, const struct oci_spec *spec, bool alone,
					 struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(e, "make a time namespace");
	for (size_t i = 0; i < spec->linux_.time_offsets.count; i++) {
		const struct oci_time_offset *o = &spec->linux_.time_offsets.items[i];
		str_addf(&text, "%s %lld %u\n", o->clock, (long long)o->secs, o->nanosecs);
	}
	int r = text.length ? write_offsets(proc_fd, text.text, alone, e) : 0;
	if (r < 0)
		return r;
	own_fd int fd = openat(proc_fd, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
		return err_sys(e, "enter the time namespace");
	return 0;
}
