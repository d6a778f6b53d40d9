/* print.h - text that came from images, containers and registries on its way to a person. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct str;
struct strv;

/* Prints text with control characters, also those beyond ASCII, and bytes that are no UTF-8 shown
 * as \xNN: nothing in it can steer a terminal or forge a second line. */
void cli_print_clean(FILE *to, const char *text);

/* The same into a buffer. */
void cli_print_clean_to(struct str *to, const char *text, size_t length);

/* As cli_print_clean, but newlines and tabs stay: for what a --format made. Where stdout is no
 * terminal all bytes stay as they are. */
void cli_print_format(const char *text, size_t length);

/* Each cleaned, on a line of its own on the standard output. */
void cli_print_lines(const struct strv *lines);

/* May the standard output have colours? A terminal, and NO_COLOR (https://no-color.org) not set. */
bool cli_print_colors(void);

/* Code points: the columns a text takes, in the alphabets that need no table to tell. */
size_t cli_print_width(const char *text);
