/* idmap.h - which ids of a container stand for which ids of the host: the lines of uid_map and
 * gid_map, user_namespaces(7). Pure: no system calls; user_namespace.h writes them, idmap_mount.h
 * maps mounts by them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "oci/runtime_spec.h"

struct err;
struct str;

/* Linux: UID_GID_MAP_MAX_EXTENTS in include/linux/user_namespace.h. */
enum { RUNTIME_IDMAP_LINES_MAX = 340 };

struct runtime_idmap {
	struct oci_id_mappings uids;
	struct oci_id_mappings gids;
};

void runtime_idmap_clear(struct runtime_idmap *ids);
void runtime_idmap_copy(struct runtime_idmap *to, const struct oci_id_mappings *uids,
			const struct oci_id_mappings *gids);
void runtime_idmap_add(struct oci_id_mappings *to, uint32_t container_id, uint32_t host_id,
		       uint32_t size);

/* What the kernel would refuse with a bare EINVAL, told in words: no line, too many, a size of 0,
 * ids beyond 4294967294, two lines that give one id twice (on either side). ERR_INVALID. */
int runtime_idmap_check(const struct runtime_idmap *ids, struct err *e);

/* The host's id behind an id of the container; false: it has none. */
bool runtime_idmap_to_host(uint32_t *ret, const struct oci_id_mappings *maps, uint32_t id);

/* Have both the same lines, in the same order? */
bool runtime_idmap_is_same(const struct runtime_idmap *a, const struct runtime_idmap *b);

/* Files with the host's ids of from are to have those of to, for the same ids of the container:
 * lines that have an id on the disk and the one to show. Nothing where both are the same. Who has
 * no ids (no lines) has the host's own. */
void runtime_idmap_shift(struct runtime_idmap *ret, const struct runtime_idmap *from,
			 const struct runtime_idmap *to);

/* The lines, as a map file takes them in one write. */
void runtime_idmap_format(struct str *to, const struct oci_id_mappings *maps);

/* crun's "uids=0-100000-1000#1000-5-1;gids=@0-0-65536": ids of the filesystem, ids of the host,
 * size. With "@" the second one is an id of the container, which container (NULL: none) turns into
 * the host's; a range that is not wholly within one of its lines is ERR_INVALID, as is all that
 * runtime_idmap_check() refuses. What is not named is container's. The caller clears *ret. */
int runtime_idmap_parse(struct runtime_idmap *ret, const char *text,
			const struct runtime_idmap *container, struct err *e);
