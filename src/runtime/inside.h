/* inside.h - a function's work among the files of a running container: in a child that has joined
 * the container's user and mount namespaces and nothing else of it. Its own descriptors and
 * program are out of the container's reach: it is in another PID namespace. */
#pragma once

struct err;
struct runtime_container;

typedef int runtime_inside_function(void *context, int root_fd, struct err *e);

/* Calls function(context, root_fd, e) there, root_fd being the container's root, with umask 0.
 * What it changes in memory is lost, but for what is shared (mmap(2)). Its error is this one's.
 * ERR_STATE: "container not running". */
int runtime_inside_run(const struct runtime_container *container, runtime_inside_function *function,
		       void *context, struct err *e);
