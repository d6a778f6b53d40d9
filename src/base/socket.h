/* socket.h - unix sockets by path, of any length: a name has 107 bytes, so a longer one is reached
 * through a descriptor of its folder (unix(7)). All are O_CLOEXEC and the caller's. */
#pragma once
#include <stddef.h>

struct err;

/* A new socket of this type (SOCK_STREAM, SOCK_DGRAM; SOCK_NONBLOCK may be added) that is connected
 * to path, or to the abstract name behind a '@'. */
int socket_connect(int type, const char *path, struct err *e);

/* A new socket of this type that is bound to path below dir_fd; the file must not be there. */
int socket_bind_at(int type, int dir_fd, const char *path, struct err *e);

/* Connects to the stream socket path, sends bytes with the descriptor, and hangs up. */
int socket_send_fd(const char *path, const void *bytes, size_t length, int fd, struct err *e);
