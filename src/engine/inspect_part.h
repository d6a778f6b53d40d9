/* inspect_part.h - the members of `inspect`, each made by a file of its own, and the few calls
 * that make Docker's spelling of them. All results are the caller's (json_object_put). */
#pragma once
#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"

struct shape_map;

/* text NULL: "". */
void inspect_text(struct json_object *to, const char *key, const char *text);
void inspect_number(struct json_object *to, const char *key, int64_t value);
void inspect_bool(struct json_object *to, const char *key, bool value);
/* Nanoseconds as RFC 3339; 0: Docker's "0001-01-01T00:00:00Z". */
void inspect_moment(struct json_object *to, const char *key, int64_t ns);
/* An empty list is null where Docker writes null. */
void inspect_strings(struct json_object *to, const char *key, const struct strv *list, bool null);
void inspect_map(struct json_object *to, const char *key, const struct shape_map *map);
/* Docker's members for what holm has no option for, with Docker's value for "not said". */
struct inspect_unsaid {
	const char *key;
	enum { INSPECT_TEXT, INSPECT_NUMBER, INSPECT_FALSE, INSPECT_NULL, INSPECT_LIST } type;
};
void inspect_unsaid(struct json_object *to, const struct inspect_unsaid *rows, size_t count);
/* podman's IDMappings, "CONTAINER:HOST:SIZE"; NULL: the ids are the host's. */
struct json_object *inspect_ids(const struct runtime_idmap *ids);

struct json_object *inspect_host_config(const struct container *c);
struct json_object *inspect_config(const struct container *c);
struct json_object *inspect_network(struct engine *engine, const struct container *c,
				    const struct container_state *state);
/* Docker's ExposedPorts (NULL: none), PortBindings and Ports. */
struct json_object *inspect_ports_exposed(const struct container *c);
struct json_object *inspect_ports_asked(const struct container *c);
struct json_object *inspect_ports(struct engine *engine, const struct container *c,
				  const struct container_state *state);
struct json_object *inspect_mounts(struct engine *engine, const struct container *c);

/* The resulting primitives, one by one, and which of them are weaker than by default. */
struct json_object *inspect_primitives(struct engine *engine, const struct container *c,
				       const struct container_state *state);
