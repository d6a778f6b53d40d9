/* seal.h - a process of holm-runtime's enters the container, where the container's own processes
 * may get at its program through /proc/PID/exe, or make it exec that once more by
 * "#!/proc/self/exe". What runs must therefore be something that cannot be written
 * (CVE-2019-5736). */
#pragma once

struct err;

/* What the kernel calls a program that was executed by its descriptor, in AT_EXECFN. */
#define RUNTIME_CLI_SEAL_STARTED_BY "/dev/fd/"

/* Executes this program once more, with the same arguments, from a read-only clone of its mount or
 * else from a sealed copy in memory. Returns at once where that has been done already or the file
 * lies on a read-only mount: 0, and in *ret the descriptor of the clone, or -1. Closing it unmounts
 * the clone, for which the kernel waits a grace period of RCU: 0.05 ms, 1 ms on a busy machine. So
 * the caller closes it once there is nothing to do but to wait. */
int runtime_cli_seal(int *ret, char **argv, struct err *e);
