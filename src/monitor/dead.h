/* dead.h - how a container goes: its folders are renamed to .dead-ID first, in one step each, and
 * removed afterwards at leisure. Shared by the end of a monitor and by those who clear up behind
 * a killed one. What cannot be removed is left to the next who tries, with a warning. */
#pragma once
#include <stdbool.h>

struct monitor_config;

/* $root/containers/ID becomes .dead-ID, and names/NAME goes. false: another one did it. */
bool monitor_dead_rename_container(const char *root, const struct monitor_config *config);

/* Removes $root/containers/.dead-ID and the anonymous volumes that no other container names. */
void monitor_dead_remove_container(const char *root, const struct monitor_config *config);

/* What it is called in its networks: names/NETWORK/ID and ID.alive of the run folder. */
void monitor_dead_remove_names(const char *run_path);

/* The run folder, PARENT/ID, becomes PARENT/.dead-ID. */
void monitor_dead_rename_run_dir(const char *run_path);
/* Does what is to be done after the container (after.h) and removes PARENT/.dead-ID. */
void monitor_dead_remove_run_dir(const char *run_path);
