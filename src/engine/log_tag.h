/* log_tag.h - what --log-opt tag, labels and env add to each line of a container's log. */
#pragma once
#include "base/shape.h"

struct container;
struct err;

/* "{{.Name}}/{{.ID}}" with the words of Docker's log tags: ID, FullID, Name, ImageName, ImageID,
 * ImageFullID, DaemonName. ERR_INVALID for others. *ret is the caller's. */
int engine_log_tag_make(char **ret, const char *format, const struct container *c, struct err *e);

/* The labels and variables that were asked for, and a tag that was: Docker's "attrs". The caller
 * clears. */
void engine_log_tag_attributes(struct shape_map *to, const struct container *c);

/* The fields of journald that do not change from line to line, as Docker's driver sends them. */
void engine_log_tag_journal(struct shape_map *to, const struct container *c);
