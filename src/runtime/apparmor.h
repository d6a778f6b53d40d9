/* apparmor.h - holm's own AppArmor profile, for containers that name none, where AppArmor is active
 * and its parser installed. It forbids mounts and writes to the kernel's settings once more, below
 * the masks and read-only mounts, and signals and tracing across the container's border.
 * apparmor.d(5), apparmor_parser(8). */
#pragma once
#include <stdbool.h>

struct err;

/* Of applications; and of whole systems, whose init mounts and sets its network's sysctls. */
#define RUNTIME_APPARMOR_DEFAULT "holm-default"
#define RUNTIME_APPARMOR_SYSTEM  "holm-system"

/* One of these two as the parser reads it, by its name; another name is an application's. The
 * caller frees. */
char *runtime_apparmor_text(const char *name);

/* Is the profile in the kernel? */
bool runtime_apparmor_is_loaded(const char *name);

/* Loads one of the two unless it is there. Returns 1 when it is, 0 where AppArmor is not active,
 * has no parser here, or is not this process's to change (an ordinary user). ERR_SYSTEM with what
 * the parser says. */
int runtime_apparmor_load(const char *name, struct err *e);
