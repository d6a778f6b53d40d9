/* examples.h - a few lines for each command, in the order of the list of commands: what --help and
 * the man page show of it. */
#pragma once

/* Lines, each "holm ..." or "# what it is for"; NULL: none. name is the command's first name. */
const char *cli_examples_of(const char *name);
