/* terminal.h - the caller's terminal: its size, and raw mode that is always taken back. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct err;

struct terminal {
	int fd; /* -1: not raw */
	struct termios before;
};

#define TERMINAL_NONE                                                                              \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Puts fd, a terminal, into raw mode until terminal_restore(). */
int terminal_raw(struct terminal *terminal, int fd, struct err *e);
void terminal_restore(struct terminal *terminal);

/* The size of the first of stdin, stdout and stderr that is a terminal. False: none is, or it
 * does not know. */
bool terminal_size(uint16_t *ret_rows, uint16_t *ret_columns);
