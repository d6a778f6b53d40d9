/* host.h - facts of this host, for `holm info` and `holm doctor`. Reads only; changes nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The value of KEY in /etc/os-release, without its quotes; NULL if there is none. The caller
 * frees. */
char *cli_host_os_release(const char *key);

/* The first line of a small file, without its newline; NULL if it cannot be read. The caller
 * frees. */
char *cli_host_line(const char *path);

/* Is the kernel's release (uname) at least this? */
bool cli_host_kernel_is(unsigned major, unsigned minor);

/* Does /proc/filesystems list it? */
bool cli_host_has_filesystem(const char *name);

/* The full path of a program in $PATH, or NULL. The caller frees. */
char *cli_host_program(const char *name);

/* Is systemd this host's service manager? (sd_booted(3)) */
bool cli_host_has_systemd(void);

/* Bytes of memory; 0: not known. */
uint64_t cli_host_memory(void);
