/* seal.h - a process of holm-runtime's enters the container, where the container's own processes
 * may get at its program through /proc/PID/exe, or make it exec that once more by
 * "#!/proc/self/exe". What runs must therefore be something that cannot be written
 * (CVE-2019-5736). */
#pragma once

struct err;

/* Executes this program once more, with the same arguments, from a read-only clone of its mount or
 * else from a sealed copy in memory. Returns at once, with 0, where that has been done already or
 * the file lies on a read-only mount. */
int runtime_cli_seal(char **argv, struct err *e);
