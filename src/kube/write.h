/* write.h - JSON as a document of YAML, by libyaml's emitter. What YAML of any version could take
 * for something else than a string is in quotes. */
#pragma once
struct err;
struct json_object;
struct str;

/* Adds one document, "---" in front where to is not empty. */
int kube_write(struct str *to, struct json_object *object, struct err *e);
