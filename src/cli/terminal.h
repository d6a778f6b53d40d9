/* terminal.h - the caller's terminal: its size, and raw mode that is always taken back. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct err;

struct cli_terminal {
	int fd; /* -1: not raw */
	struct termios before;
};

#define CLI_TERMINAL_NONE                                                                          \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Puts fd, a terminal, into raw mode until cli_terminal_restore(). */
int cli_terminal_raw(struct cli_terminal *terminal, int fd, struct err *e);
void cli_terminal_restore(struct cli_terminal *terminal);

/* The size of the first of stdin, stdout and stderr that is a terminal. False: none is, or it
 * does not know. */
bool cli_terminal_size(uint16_t *ret_rows, uint16_t *ret_columns);
