/* time_offset.h - a time namespace, time_namespaces(7): its offsets can be written only while it
 * has no process, so it is made for children first and entered afterwards. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;
struct oci_spec;

/* kinds: CLONE_NEW* of the namespaces that are new. ERR_INVALID for a clock that has no offset
 * (runtime-spec v1.3 config-linux.md#time-offsets), nanoseconds beyond a second, and offsets
 * without a time namespace of the container's own. */
int runtime_time_offset_check(const struct oci_spec *spec, uint64_t kinds, struct err *e);

/* Makes one with linux.timeOffsets and moves this (single-threaded) process in. proc_fd: of
 * runtime_procfs_open(). alone: nobody else is in its PID namespace; then it may be traced for the
 * moment, without which the file is the first root's, and not that of a user namespace. */
int runtime_time_offset_unshare_in_child(int proc_fd, const struct oci_spec *spec, bool alone,
					 struct err *e);
