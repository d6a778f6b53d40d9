#include "cli/commands.h"

#include <stddef.h>

#include "cli/command.h"

/* clang-format off */
const struct cli_command *const cli_commands[] = {
	&cli_run,
	&cli_run_create,
	&cli_start,
	&cli_stop,
	&cli_stop_restart,
	&cli_stop_kill,
	&cli_rm,
	&cli_ps,
	&cli_logs,
	&cli_exec,
	&cli_start_attach,
	&cli_wait,
	&cli_inspect,
	&cli_inspect_container,
	&cli_pause,
	&cli_pause_unpause,
	&cli_pull,
	&cli_images,
	&cli_image_tag,
	&cli_image_rmi,
	&cli_image_prune,
	&cli_inspect_image,
	&cli_archive_load,
	&cli_archive_save,
	&cli_archive_import,
	&cli_volume_create,
	&cli_volume_list,
	&cli_inspect_volume,
	&cli_volume_remove,
	&cli_volume_prune,
	&cli_info_version,
	&cli_info,
	&cli_doctor,
	&cli_help,
	&cli_complete,
	&cli_man,
	NULL,
};
