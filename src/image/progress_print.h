/* progress_print.h - shows the progress of holm-image to a person: a bar per layer, redrawn in
 * place, on a terminal; one line per finished step otherwise. */
#pragma once
#include <stdbool.h>

#include "base/own.h"

struct image_progress;
struct image_progress_print;

/* Writes to fd, which stays the caller's. in_place: with cursor movements. Never NULL. */
struct image_progress_print *image_progress_print_new(int fd, bool in_place);
void image_progress_print_free(struct image_progress_print *print);
OWN_DEFINE(image_progress_print_free, struct image_progress_print *)

/* May fd be drawn on? A terminal, and TERM is not "dumb". */
bool image_progress_print_can_draw(int fd);

/* Shows one event. Errors and images are not shown: they are the caller's answer. Redraws at
 * most 15 times a second, so the last state shows only after image_progress_print_finish(). */
void image_progress_print_event(struct image_progress_print *print,
				const struct image_progress *progress);
void image_progress_print_finish(struct image_progress_print *print);
