/* help.h - what --help prints, made from the tables of commands and options. */
#pragma once
#include <stdio.h>

struct cli;
struct option;

/* `holm --help`: all commands, by section. */
void cli_help_all(FILE *to);

/* `holm image --help`: the commands of one group. */
void cli_help_group(const char *group);

/* `holm run --help` */
void cli_help_command(const struct cli *cli);

/* Those in front of the command. */
const struct option *cli_main_options(void);
