/* cgroup_unit.h - the systemd unit that a container's cgroup is part of: its name, and its
 * properties as they go over D-Bus. Pure. org.freedesktop.systemd1(5), systemd.resource-control(5).
 * Private to cgroup*.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_resources;
struct shape_map;
struct str;

struct runtime_cgroup_unit {
	char *slice; /* "machine.slice"; NULL: systemd's default */
	char *name;  /* "holm-web.scope" */
};
void runtime_cgroup_unit_clear(struct runtime_cgroup_unit *unit);

/* cgroupsPath "slice:prefix:name", each but the name may be empty; NULL or "": ":holm:ID".
 * ERR_INVALID for what systemd would take for something else. The caller clears *ret. */
int runtime_cgroup_unit_parse(struct runtime_cgroup_unit *ret, const char *path, const char *id,
			      struct err *e);

/* "a-b.slice" is "/a.slice/a-b.slice", "-.slice" is "". The caller frees. */
char *runtime_cgroup_unit_expand(const char *slice);

/* ---- properties: each adds to the body of a message, an array of (sv) that is begun ---- */

void runtime_cgroup_unit_add_text(struct str *body, const char *name, const char *value);
void runtime_cgroup_unit_add_bool(struct str *body, const char *name, bool value);
void runtime_cgroup_unit_add_pid(struct str *body, unsigned pid); /* PIDs, a list of one */

void runtime_cgroup_unit_add_list(struct str *body, const char *name, const char *only);
/* "...USec"; -1: for ever. */
void runtime_cgroup_unit_add_time(struct str *body, const char *name, int64_t seconds);

/* The limits, so far as systemd knows them; all are written to the cgroup, too. */
int runtime_cgroup_unit_add_limits(struct str *body, const struct oci_resources *resources, bool v2,
				   struct err *e);

/* Annotations "org.systemd.property.NAME": the value is GVariant text, as in "uint64 5",
 * "'inactive-or-failed'", "true", "[uint32 1, 2]"; "...Sec" with a number is "...USec" in
 * microseconds. ERR_INVALID names the annotation. */
int runtime_cgroup_unit_add_annotations(struct str *body, const struct shape_map *annotations,
					struct err *e);
