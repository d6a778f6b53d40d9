/* output.h - --output: the result as files, or as an archive; --metadata-file. */
#pragma once

struct build;
struct build_options;
struct err;
struct store;
struct strv;

/* Are they such? FOLDER, "-" (a tar), or type=local|tar|oci|docker|image,dest=PATH,name=NAME.
 * ERR_INVALID. */
int build_output_check(const struct build *build, struct err *e);

/* Writes all of them, of the images with these ids, one for each target. */
int build_output_write(struct build *build, const struct strv *ids, struct err *e);

/* Adds the names that images get by them. */
void build_output_names(struct strv *to, const struct build_options *o);

/* What docker writes there: containerimage.config.digest and image.name. */
int build_output_metadata(const struct build_options *o, const char *id, const char *path,
			  struct err *e);

/* Images into an archive or a folder of this format of `holm save`; an image or a list into a
 * registry. */
int build_output_save(const struct store *store, const struct strv *names, const char *format,
		      const char *to, struct err *e);
int build_output_push(const struct store *store, const char *from, const char *to, struct err *e);
