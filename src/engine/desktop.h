/* desktop.h - a container whose programs show windows of the caller's session. */
#pragma once
#include <stdbool.h>

struct container;
struct err;

/* Where sockets of the session lie in the container, and its own Xauthority. */
#define ENGINE_DESKTOP         "/run/desktop"
#define ENGINE_DESKTOP_COOKIES ENGINE_DESKTOP "/Xauthority"

/* In the run folder. */
#define ENGINE_DESKTOP_FILE "Xauthority"

/* Writes the container's Xauthority, of the one display that it is to have: the cookies that the
 * caller has for it, for whatever host name. Nothing where it is to have none. */
int engine_desktop_write(const struct container *c, int run_fd, struct err *e);

bool engine_desktop_is_socket(const char *path);
