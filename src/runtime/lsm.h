/* lsm.h - AppArmor profiles and SELinux labels of the program that exec(2) will start. */
#pragma once
#include <stdbool.h>

struct err;

/* Is this LSM active on the host? Read from /sys/kernel/security/lsm, else from /sys/module
 * and /sys/fs/selinux. */
bool runtime_lsm_has_apparmor(void);
bool runtime_lsm_has_selinux(void);

/* A profile or label that is asked for on a host without the LSM is ERR_UNSUPPORTED; AppArmor's
 * "unconfined" becomes NULL there. In the parent, because a container sees nothing of the files
 * that tell. */
int runtime_lsm_check_in_parent(const char **apparmor, const char *selinux, struct err *e);

/* Says which profile or label the next exec(2) of this thread takes, by
 * /proc/thread-self/attr/apparmor/exec (before Linux 5.8: attr/exec) and attr/exec, through the
 * descriptor of runtime_procfs_open(). NULL and "" do nothing. */
int runtime_lsm_set_apparmor_in_child(int proc_fd, const char *profile, struct err *e);
int runtime_lsm_set_selinux_in_child(int proc_fd, const char *label, struct err *e);

/* The label of keyrings that this thread makes before its next exec(2), by attr/keycreate: the
 * program could not use its own session keyring otherwise. NULL or "": as they come. */
int runtime_lsm_set_selinux_keys_in_child(int proc_fd, const char *label, struct err *e);
