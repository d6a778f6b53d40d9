/* signal_listed.h - a signal for all processes of a set that the kernel names by numbers alone: a
 * number may have become somebody else's by the time it is used. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

struct err;

/* Names the members now, as runtime_cgroup_list() does. */
typedef int runtime_signal_list(pid_t **ret, size_t *ret_count, const void *context, struct err *e);

/* To those of pids that list still names once there is a descriptor of each; that one of them has
 * ended is no failure. */
int runtime_signal_listed(const pid_t *pids, size_t count, int number, runtime_signal_list *list,
			  const void *context, struct err *e);
