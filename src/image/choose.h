/* choose.h - a question to the person at the terminal: which of several registries a short name
 * means (registries.conf, short-name-mode). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;
struct strv;

/* Is there a person to be asked: are both stdin and stderr a terminal? */
bool image_choose_possible(void);

/* Shows the items with numbers on stderr and reads one of these from in_fd, up to three times.
 * Returns its index; ERR_INVALID if no number came. */
int image_choose(const char *question, const struct strv *items, int in_fd, struct err *e);
