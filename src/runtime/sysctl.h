/* sysctl.h - the kernel parameters that belong to a namespace and so may be set for a container;
 * every other key is refused, because it would change the host. */
#pragma once
#include <stddef.h>

struct err;

enum { RUNTIME_SYSCTL_PATH_MAX = 256 };

/* Checks key in either spelling ("net.ipv4.ip_forward", "net/ipv4/conf/eth0.1/mtu"; a dot inside
 * a name is written "/" in the first) against the allow-list, and writes its path below /proc/sys
 * to path. own_namespaces: the CLONE_NEW* flags of the namespaces that are the container's own.
 * ERR_INVALID for a key that is not namespaced, ERR_STATE for one whose namespace is shared. */
int runtime_sysctl_check(char path[RUNTIME_SYSCTL_PATH_MAX], const char *key,
			 unsigned long own_namespaces, struct err *e);

/* Checks and writes one, through the descriptor of runtime_procfs_open(). */
int runtime_sysctl_write_in_child(int proc_fd, const char *key, const char *value,
				  unsigned long own_namespaces, struct err *e);
