/* files.h - /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: made in its own folder
 * at every start, mounted over what the image has. */
#pragma once
#include "engine/container.h"

struct err;
struct str;

/* Writes the three. host_name is the name inside. */
int engine_files_write(int folder_fd, const struct container *c, const char *host_name,
		       struct err *e);

/* Their texts; host_text is the host's own file. Pure. */
void files_hosts(struct str *to, const struct container *c, const char *host_name,
		 const char *host_text);
void files_resolv(struct str *to, const struct container *c, const char *host_text);
