/* volume.h - what a volume holds, as a tar: out of it and into it. */
#pragma once

struct err;
struct image_invocation;

/* Verb "volume-export": the volume's name, and a path or "-". On failure no file of that name
 * appears. */
int image_volume_export_verb(const struct image_invocation *invocation, struct err *e);

/* Verb "volume-import": the volume's name, and a path or "-": a tar, plain or packed. What it has
 * replaces what the volume has under the same names; the rest of the volume stays. Names mean what
 * they say: there are no whiteouts. */
int image_volume_import_verb(const struct image_invocation *invocation, struct err *e);
