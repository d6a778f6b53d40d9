/* env_file.h - org.holm.env.files: variables whose values are in files, so that neither the spec
 * nor any record of it holds what is secret. */
#pragma once

struct err;
struct shape_map;
struct strv;

/* Sets the variables that the annotation names. ERR_INVALID: no such JSON, or a value that cannot
 * be one of a variable. Without the annotation nothing is done. */
int runtime_env_file_add(struct strv *env, const struct shape_map *annotations, struct err *e);
