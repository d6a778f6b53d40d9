/* send.h - a whole container, with its snapshots, to a file or to another host (transfer.h). */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

struct engine;
struct err;

struct send_options {
	char *name;      /* of the one that is made; NULL: the same */
	bool refresh;    /* one that is a copy of this already gets what is new */
	bool live;       /* it runs, and goes on there; here it has ended then */
	bool no_image;   /* the other side is to have the image */
	struct strv ssh; /* options of ssh -o */
	char *remote;    /* the command there; NULL: "holm" */
};

/* Writes it to fd, all of it. Of one that does not run what it wrote is frozen first, of one that
 * runs it is copied while it stands still. ERR_UNSUPPORTED for one of a pod or of a folder. */
int engine_send_to_file(struct engine *engine, const char *container, int fd,
			const struct send_options *o, struct err *e);

/* Sends it to `holm receive` behind ssh(1), HOST as ssh takes it; layers and image that are there
 * stay out. The container is as it was, also when that fails; with live it runs on after a failure.
 * If it is not known whether it goes on there, it has ended and has a checkpoint. */
int engine_send(struct engine *engine, const char *container, const char *host,
		const struct send_options *o, struct err *e);
