/* config_idmap.h - --uidmap and --gidmap in podman's words, [FLAGS]CONTAINER:[@]HOST[:SIZE].
 * Pure. HOST counts as in the user namespace of the caller; with "@" as outside of it, which is
 * the same for the host's root. Flags: "+", over what the caller has rather than alone; "u" and
 * "g", of users or of groups only, whichever option it is. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "runtime/idmap.h"

struct err;
struct strv;

/* One mapping without flags, as "auto" has it. own: the caller's ids, inside and outside of its
 * user namespace; empty: the host's. ERR_INVALID. */
int config_idmap_add(struct oci_id_mappings *to, const char *text,
		     const struct oci_id_mappings *own, struct err *e);

/* Both options. Where one alone is given it counts for both. ERR_INVALID names the option. */
int config_idmap_read(struct runtime_idmap *to, const struct strv *uids, const struct strv *gids,
		      const struct runtime_idmap *own, struct err *e);

/* A line of a map has to be within one line of the caller's (user_namespaces(7)): those that are
 * not are cut. */
void config_idmap_cut(struct runtime_idmap *ids, const struct runtime_idmap *own);

/* The id in the caller's user namespace whose outside is the host's host_id, and those after it,
 * size in all; false: they are not there side by side. */
bool config_idmap_inside(uint32_t *ret, const struct oci_id_mappings *own, uint32_t host_id,
			 uint32_t size);
