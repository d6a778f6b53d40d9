/* files.h - /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: made in its own folder
 * at every start, mounted over what the image has. */
#pragma once
#include "engine/container.h"

struct engine_place;
struct err;
struct str;

/* What they say besides what the container's record says. */
struct files_context {
	char host_name[65];    /* the name inside */
	struct strv addresses; /* the container's own, of that name */
	char *gateway;         /* the host's address in its first network; NULL: none */
};

void files_context_clear(struct files_context *context);
void files_add_place(struct files_context *context, const struct engine_place *place);

/* Writes the three. */
int engine_files_write(int folder_fd, const struct container *c,
		       const struct files_context *context, struct err *e);

/* Of a container that runs: its own lines of /etc/hosts for these places go and come. All else in
 * there is left as it is. */
int engine_files_change(int folder_fd, const struct container *c, const struct engine_place *gone,
			const struct engine_place *come, struct err *e);

/* Their texts; host_text is the host's own file. Pure. */
void files_hosts(struct str *to, const struct container *c, const struct files_context *context,
		 const char *host_text);
void files_resolv(struct str *to, const struct container *c, const char *host_text);
