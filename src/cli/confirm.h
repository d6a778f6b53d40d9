/* confirm.h - "are you sure?", asked where a command removes what it was not told by name. */
#pragma once
#include <stdbool.h>

/* Asks on stderr and reads one line. Anything but y and yes is no, the end of the input too. */
bool cli_confirm(const char *what);
