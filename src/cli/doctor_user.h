/* doctor_user.h - what `holm doctor` asks of a host on behalf of an ordinary user. Each gives a
 * fact for a person, the caller's to free, and whether that is as it should be. All but the last
 * are to be asked before the engine is open: that makes the caller root of a user namespace. */
#pragma once
#include <stdbool.h>

/* The caller's ranges in /etc/subuid or /etc/subgid: is there one, whole, and nobody else's? */
bool cli_doctor_user_ranges(char **ret_fact, const char *file);

/* May the caller make a user namespace? One is made, in a child. */
bool cli_doctor_user_namespace(char **ret_fact);

/* May the caller make cgroups where holm would, and so set limits? */
bool cli_doctor_user_cgroup(char **ret_fact);

/* Do containers of the caller start at boot, by a systemd of the caller's that needs no login? */
bool cli_doctor_user_boot(char **ret_fact);

/* The program that carries the packets of containers: is there one that works? */
bool cli_doctor_user_network(char **ret_fact);

/* By what the roots of containers are mounted that are in this folder: is it overlayfs? */
bool cli_doctor_user_storage(char **ret_fact, int folder_fd);
