/* export.h - --cache-to: the layers of this build's steps, with their keys, as an image in a
 * registry or a folder, from where another holm takes them (import.h). */
#pragma once

struct build;
struct err;

/* Once the image is there; of several platforms all their steps are in it. An error says where the
 * cache did not get to, and takes nothing back. number: in the progress. */
int build_export(struct build *build, int number, struct err *e);
