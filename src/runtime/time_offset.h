/* time_offset.h - a time namespace, time_namespaces(7): its offsets can be written only while it
 * has no process, so it is made for children first and entered afterwards. */
#pragma once

struct err;
struct oci_spec;

/* Makes one with linux.timeOffsets and moves this (single-threaded) process in. proc_fd: of
 * runtime_procfs_open(). */
int runtime_time_unshare_in_child(int proc_fd, const struct oci_spec *spec, struct err *e);
