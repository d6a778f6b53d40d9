/* absent.h - what docker or podman have and holm does not: why, and what there is instead. */
#pragma once

/* The hint for an option (without dashes) or a command that nobody knows here, or NULL. command:
 * "run", "image sign". */
const char *cli_absent_option(const char *command, const char *option);
const char *cli_absent_command(const char *command);
