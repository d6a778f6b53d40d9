/* terminal.h - a pty of the container's own devpts: the parent gets the master, the container's
 * process the slave as its controlling terminal, and /dev/console is the slave, too. */
#pragma once
#include <stdbool.h>

struct err;
struct oci_console_size;
struct runtime_tree;

struct runtime_terminal {
	int master;
	int slave;
};
#define RUNTIME_TERMINAL_INIT                                                                      \
	{                                                                                          \
		-1, -1                                                                             \
	}
void runtime_terminal_close(struct runtime_terminal *terminal);

/* A new pty in the devpts at pts_fd. size may be NULL. */
int runtime_terminal_open_in_child(struct runtime_terminal *ret, int pts_fd,
				   const struct oci_console_size *size, struct err *e);

/* The descriptor of the folder /dev/pts of the container whose mount namespace this process is
 * in, checked to be a devpts; for exec. */
int runtime_terminal_find_devpts(struct err *e);

/* Binds the slave to /dev/console. */
int runtime_terminal_bind_console_in_child(const struct runtime_terminal *terminal,
					   const struct runtime_tree *tree, struct err *e);

/* In a process that leads its session: the slave becomes its 0, 1, 2 and, if it is to be, its
 * controlling terminal. */
int runtime_terminal_take_in_child(const struct runtime_terminal *terminal, bool controlling,
				   struct err *e);
