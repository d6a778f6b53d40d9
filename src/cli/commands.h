/* commands.h - the commands, one file each (a few share one with their sibling). */
#pragma once

struct cli_command;

extern const struct cli_command cli_run, cli_run_create;     /* run.c */
extern const struct cli_command cli_start, cli_start_attach; /* start.c */
extern const struct cli_command cli_exec;
extern const struct cli_command cli_stop, cli_stop_restart, cli_stop_kill; /* stop.c */
extern const struct cli_command cli_rm;
extern const struct cli_command cli_pause, cli_pause_unpause; /* pause.c */
extern const struct cli_command cli_wait;
extern const struct cli_command cli_ps;
extern const struct cli_command cli_help;
