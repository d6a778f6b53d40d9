#include "runtime_cli/command.h"

/* In the order of the help. */
const struct runtime_cli_command *const runtime_cli_commands[] = {
	&runtime_cli_checkpoint, &runtime_cli_create,  &runtime_cli_delete,
	&runtime_cli_devices,    &runtime_cli_events,  &runtime_cli_exec,
	&runtime_cli_features,   &runtime_cli_kill,    &runtime_cli_list,
	&runtime_cli_man,        &runtime_cli_mounts,  &runtime_cli_pause,
	&runtime_cli_ps,         &runtime_cli_restore, &runtime_cli_resume,
	&runtime_cli_run,        &runtime_cli_spec,    &runtime_cli_start,
	&runtime_cli_state,      &runtime_cli_update,  NULL,
};
