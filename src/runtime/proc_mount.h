/* proc_mount.h - a procfs of a PID namespace that this process is not in: it has joined it for
 * its children alone, so that nobody inside sees it before it has given up its rights. */
#pragma once

struct err;

/* The context of a new procfs, fsopen(2), for the namespace that children of this process are
 * born in: by the option "pidns" (Linux 6.18 has it), else by a child that does nothing but open
 * it, and that processes in there can see while it does.
 * namespace_fd: that namespace. The caller goes on with fsconfig(2). */
int runtime_proc_open_for_children(int namespace_fd, struct err *e);
