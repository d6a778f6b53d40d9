/* signal_name.h - signals as people name them. Numbers differ between architectures, so the table
 * is the C library's own constants. */
#pragma once

struct err;

/* "SIGTERM", "term", "15", "RTMIN+3", "SIGRTMAX-1"; 1 to 64. ERR_INVALID for all else; "0" is
 * refused, too, because it is no signal. */
int signal_name_parse(int *ret, const char *text, struct err *e);

/* "SIGTERM", "SIGRTMIN+3"; written to to and returned; NULL for what is no
 * signal. */
enum { SIGNAL_NAME_SIZE = 16 };
const char *signal_name(int number, char to[SIGNAL_NAME_SIZE]);
