/* archive.h - what the commands that start holm-image have in common. */
#pragma once

struct cli;
struct err;
struct strv;

/* The beginning of its command line: the verb, and the folders that are in use. */
int cli_archive_arguments(struct cli *cli, const char *verb, struct strv *to, struct err *e);
