/* send_live.c - a container that runs goes on elsewhere:
 *
 *	here				there
 *	header, image, layers ----->	checked, unpacked; it runs here
 *	stopped by criu; last layer, images, end ----->
 *		<-----			"running": made of them, to go with its maker
 *	the images get a name; ended
 *	commit ----->			it is a container as any
 *		<-----			ends without an error
 *	the images go
 *
 * A failure of either side, or of what is between, before it has ended here lets it go on here, and
 * there it is killed and removed. It never runs twice. One after that leaves it here as a container
 * that has ended and has a checkpoint: whether it goes on there is for a person to see. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/checkpoint.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "engine/freeze.h"
#include "engine/send.h"
#include "engine/send_part.h"
#include "engine/transfer.h"
#include "image/command.h"

#define NAME "moved"

static int refuse(const struct container *c, const char *what, struct err *e)
{
	err_set(e, ERR_UNSUPPORTED, "container %s cannot be moved while it runs: %s", c->name,
		what);
	return err_hint(e, "stop it first");
}

int send_live_check(struct sending *s, struct err *e)
{
	const struct container *c = &s->held.container;

	int r = engine_checkpoint_can(s->engine, c, &s->held.state, e);
	if (r < 0)
		return r;
	if (c->auto_remove)
		return refuse(c, "it goes when it ends (--rm)", e);
	if (c->secrets.count)
		return refuse(c, "its secrets are not sent", e);
	for (size_t i = 0; i < c->storage.mounts.count; i++)
		if (str_equal(c->storage.mounts.items[i].type, "volume"))
			return refuse(c, "its volumes are not sent", e);
	return engine_checkpoint_prepare(&s->images, s->engine, c->id, NAME, e);
}

int send_live_begin(struct sending *s, struct err *e)
{
	return engine_freeze_begin(&s->capture, s->last, s->engine, &s->held.container, e);
}

static int write_images(struct sending *s, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	own_fd int folder = open(s->images, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return err_sys(e, "open %s", s->images);
	image_command_begin(&arguments, "pack-layer", s->engine->store);
	return transfer_write_command(s->fd, TRANSFER_MEMORY, "", &arguments, folder, e);
}

static int hear_that_it_runs(struct sending *s, struct err *e)
{
	own_json struct json_object *answer = NULL;

	int r = send_read_answer(&answer, s->from, e);
	if (r < 0)
		return r;
	return json_object_get_boolean(json_object_object_get(answer, "running"))
		       ? 0
		       : err_set(e, ERR_CORRUPT, "the other side does not say that it runs");
}

/* While it stands still. */
static int hand_over(void *context, struct err *e)
{
	struct sending *s = context;

	fault_point("live.stored");
	int r = engine_freeze_finish(s->capture, e);
	s->still = true;
	if (r == 0)
		r = send_layers(s, e);
	if (r == 0)
		r = write_images(s, e);
	if (r == 0)
		r = transfer_write_text(s->fd, TRANSFER_END, "", 0, e);
	if (r == 0)
		r = hear_that_it_runs(s, e);
	if (r == 0)
		r = engine_checkpoint_keep(&s->images, s->engine, s->held.container.id, NAME, e);
	fault_point("live.named");
	return r;
}

int send_live_finish(struct sending *s, struct err *e)
{
	const struct checkpoint_stored stored = { hand_over, s };

	int r = engine_checkpoint_store(s->engine, &s->held.container, &s->held.state, s->images,
					false, &stored, e);
	s->ended = r == 0;
	fault_point("live.ended");
	return r < 0 ? r : transfer_write_text(s->fd, TRANSFER_COMMIT, "", 0, e);
}

int send_live_lost(struct sending *s, const char *host, struct err *e)
{
	const struct container *c = &s->held.container;

	free(s->images);
	s->images = NULL; /* they stay */
	err_set(e, ERR_UNREACHABLE,
		"ssh %s ended with an error when container %s was to go on there", host, c->name);
	return err_hint(e,
			"look whether it runs there; if not, holm start --checkpoint " NAME
			" %s goes on here",
			c->name);
}

void send_live_clear(struct sending *s)
{
	struct err ignored;

	engine_freeze_end(s->capture);
	if (*s->last)
		storage_frozen_remove(s->engine->store, s->last);
	if (s->images)
		fd_remove_tree_at(AT_FDCWD, s->images, &ignored);
	free(s->images);
}
