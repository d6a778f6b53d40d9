/* commands.h - the commands, one file each (a few share one with their siblings). */
#pragma once

struct cli_command;

extern const struct cli_command cli_run, cli_run_create;     /* run.c */
extern const struct cli_command cli_start, cli_start_attach; /* start.c */
extern const struct cli_command cli_exec;
extern const struct cli_command cli_stop, cli_stop_restart, cli_stop_kill; /* stop.c */
extern const struct cli_command cli_build, cli_build_prune;
extern const struct cli_command cli_commit;
extern const struct cli_command cli_clone, cli_clone_restore, cli_clone_rebuild; /* clone.c */
extern const struct cli_command cli_copy, cli_copy_move, cli_copy_backup,
	cli_copy_receive; /* copy.c */
extern const struct cli_command cli_cp;
extern const struct cli_command cli_checkpoint_create, cli_checkpoint_list,
	cli_checkpoint_remove; /* checkpoint.c */
extern const struct cli_command cli_snapshot_create, cli_snapshot_list, cli_snapshot_inspect,
	cli_snapshot_diff, cli_snapshot_rename, cli_snapshot_remove, cli_snapshot_schedule,
	cli_snapshot_due; /* snapshot.c */
extern const struct cli_command cli_diff;
extern const struct cli_command cli_exists;
extern const struct cli_command cli_export;
extern const struct cli_command cli_rm;
extern const struct cli_command cli_container_prune;
extern const struct cli_command cli_stats, cli_top;
extern const struct cli_command cli_rename, cli_update, cli_set, cli_unshare, cli_verify;
extern const struct cli_command cli_port, cli_port_add, cli_port_remove;      /* port.c */
extern const struct cli_command cli_pause, cli_pause_unpause;                 /* pause.c */
extern const struct cli_command cli_device_add, cli_device_ls, cli_device_rm; /* device.c */
extern const struct cli_command cli_wait;
extern const struct cli_command cli_healthcheck;
extern const struct cli_command cli_autostart;
extern const struct cli_command cli_ps, cli_ps_ls;
extern const struct cli_command cli_logs;
extern const struct cli_command cli_inspect, cli_inspect_container, cli_inspect_image,
	cli_inspect_volume, cli_inspect_network; /* inspect.c */
extern const struct cli_command cli_images;
extern const struct cli_command cli_pull;
extern const struct cli_command cli_push;
extern const struct cli_command cli_image_copy;
extern const struct cli_command cli_sign_check;
extern const struct cli_command cli_trust;
extern const struct cli_command cli_manifest_create, cli_manifest_add, cli_manifest_annotate,
	cli_manifest_remove, cli_manifest_inspect, cli_manifest_push, cli_manifest_rm,
	cli_manifest_exists; /* manifest.c */
extern const struct cli_command cli_search;
extern const struct cli_command cli_file_push, cli_file_pull, cli_file_edit; /* file.c */
extern const struct cli_command cli_launch, cli_launch_reboot, cli_launch_console,
	cli_launch_shell;                                    /* launch.c */
extern const struct cli_command cli_login, cli_login_logout; /* login.c */
extern const struct cli_command cli_image_tag, cli_image_rmi, cli_image_prune,
	cli_image_exists; /* image.c */
extern const struct cli_command cli_image_mount, cli_image_mount_undo,
	cli_image_mount_diff;                                  /* image_mount.c */
extern const struct cli_command cli_history, cli_history_tree; /* history.c */
extern const struct cli_command cli_archive_load, cli_archive_save,
	cli_archive_import; /* archive.c */
extern const struct cli_command cli_volume_create, cli_volume_list, cli_volume_remove,
	cli_volume_prune, cli_volume_exists, cli_volume_mount, cli_volume_unmount; /* volume.c */
extern const struct cli_command cli_volume_archive_export,
	cli_volume_archive_import; /* volume_archive.c */
extern const struct cli_command cli_pod_create, cli_pod_list, cli_pod_start, cli_pod_stop,
	cli_pod_restart, cli_pod_kill, cli_pod_pause, cli_pod_unpause, cli_pod_remove,
	cli_pod_prune, cli_pod_inspect, cli_pod_exists; /* pod.c */
extern const struct cli_command cli_pod_clone, cli_pod_logs, cli_pod_top, cli_pod_stats;
extern const struct cli_command cli_kube_play, cli_kube_down, cli_kube_generate; /* kube.c */
extern const struct cli_command cli_secret_create, cli_secret_list, cli_secret_inspect,
	cli_secret_remove, cli_secret_exists; /* secret.c */
extern const struct cli_command cli_network_create, cli_network_list, cli_network_remove,
	cli_network_prune, cli_network_leave, cli_network_reload; /* network.c */
extern const struct cli_command cli_network_trace;
extern const struct cli_command cli_network_connect, cli_network_disconnect,
	cli_network_update;                                 /* network_connect.c */
extern const struct cli_command cli_info, cli_info_version; /* info.c */
extern const struct cli_command cli_check;
extern const struct cli_command cli_df;
extern const struct cli_command cli_gc;
extern const struct cli_command cli_system_prune;
extern const struct cli_command cli_events;
extern const struct cli_command cli_doctor;
extern const struct cli_command cli_help;
extern const struct cli_command cli_complete;
extern const struct cli_command cli_man;
