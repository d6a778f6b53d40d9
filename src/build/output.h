/* output.h - --output: the result as files, or as an archive; --metadata-file. */
#pragma once
#include <stdbool.h>

struct build;
struct build_options;
struct engine;
struct err;
struct store;
struct strv;

/* Are they such? FOLDER, "-" (a tar), or type=local|tar|oci|docker|image,dest=PATH,name=NAME.
 * ERR_INVALID. */
int build_output_check(const struct strv *outputs, struct err *e);

/* Writes all of them of the image with this id. */
int build_output_write(const struct build *build, const char *id, struct err *e);

/* What docker writes there: containerimage.config.digest and image.name. */
int build_output_metadata(const struct build_options *o, const char *id, const char *path,
			  struct err *e);

/* Images into an archive or a folder of this format of `holm save`; an image or a list into a
 * registry. */
int build_output_save(const struct store *store, const struct strv *names, const char *format,
		      const char *to, struct err *e);
int build_output_push(const struct store *store, const char *from, const char *to, struct err *e);

/* Of an index, the images of which have these ids: to an archive or a registry. named: it has a
 * --tag. */
int build_output_check_several(const struct strv *outputs, bool named, struct err *e);
int build_output_write_several(struct engine *engine, const struct build_options *o,
			       const struct strv *ids, struct err *e);
