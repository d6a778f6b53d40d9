/* send_part.h - what send.c and send_live.c share. */
#pragma once
#include <stdio.h>

#include "engine/held.h"
#include "engine/snapshot_file.h"
#include "storage/frozen.h"

struct engine;
struct err;
struct freeze_capture;
struct json_object;
struct send_options;

/* What is sent, and the locks that keep it. */
struct sending {
	struct engine *engine;
	const struct send_options *options;
	struct engine_held held;
	struct snapshots snapshots;
	struct strv sent; /* layers that are done, or not wanted */
	bool image;
	int fd;
	FILE *from; /* the answers of the other side */

	/* of one that runs on there */
	struct freeze_capture *capture; /* of what it wrote */
	char last[FROZEN_NAME_SIZE];    /* into this layer, the last to be sent */
	bool still;                     /* it stands still: that layer can be sent */
	char *images;                   /* of its processes, a folder; NULL: none */
	bool ended;                     /* here: the other side is told that it goes on there */
};

/* All that is named by the header and was not sent yet. */
int send_layers(struct sending *s, struct err *e);

/* A line of JSON. */
int send_read_answer(struct json_object **ret, FILE *from, struct err *e);

/* What is in the way, before anything is sent. */
int send_live_check(struct sending *s, struct err *e);

/* What it wrote, most of it, becomes the last layer. */
int send_live_begin(struct sending *s, struct err *e);

/* Behind all other layers: stops it, sends the rest, lets it go on there and ends it here; or, on
 * failure, here. */
int send_live_finish(struct sending *s, struct err *e);

/* It has ended here, and the other side has, too, with an error. */
int send_live_lost(struct sending *s, const char *host, struct err *e);

void send_live_clear(struct sending *s);
