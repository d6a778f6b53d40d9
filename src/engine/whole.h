/* whole.h - has a container all that it is made of: the layers below it, and its own folders? One
 * that lacks some of them is *incomplete*. Its making leaves none such behind, since its record is
 * written last; what is lost later, by a damaged disk or by hand, is. */
#pragma once

struct container;
struct container_state;
struct engine;
struct err;
struct strv;

/* Adds a sentence for each thing that is missing. Looks at names alone: some microseconds. */
void engine_whole_lacks(struct strv *to, struct engine *engine, const struct container *c);

/* The state of one that does not run becomes CONTAINER_INCOMPLETE, with the reason, where it is. */
void engine_whole_judge(struct engine *engine, const struct container *c,
			struct container_state *state);

/* The first layer of its image that the store has not; NULL: none. Borrowed from c. */
const char *engine_whole_missing_layer(struct engine *engine, const struct container *c);

/* Before a start, under the container's lock: layers of its image are unpacked or fetched again, an
 * empty folder is made again of a container that has never run. ERR_CORRUPT: what is missing is
 * what it wrote; the hint says what can be done. */
int engine_whole_mend(struct engine *engine, const struct container *c, int folder_fd,
		      struct err *e);

/* Of its folders alone: a sentence for each that is missing; and those are made again, empty.
 * ERR_CORRUPT where the upper folder was all of its root (copied.h). */
void engine_whole_lacks_folders(struct strv *to, struct engine *engine, const struct container *c);
int engine_whole_make_folders(struct engine *engine, const struct container *c, int folder_fd,
			      struct err *e);
