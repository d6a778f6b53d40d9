#include "cli/commands.h"

#include <stddef.h>

#include "cli/command.h"

/* In the order of the help. */
const struct cli_command *const cli_commands[] = {
	&cli_run,       &cli_run_create, &cli_start,         &cli_stop,         &cli_stop_restart,
	&cli_stop_kill, &cli_rm,         &cli_exec,          &cli_start_attach, &cli_wait,
	&cli_ps,        &cli_pause,      &cli_pause_unpause, &cli_help,         NULL,
};
