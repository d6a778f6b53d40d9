/* userns_pool.h - ranges of ids and what is free in them: how a container gets ids of its own.
 * Pure. Ranges are those of runtime/subid.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct oci_id_mappings;
struct runtime_subid_ranges;

/* Adds the host's ids of these mappings to the ranges. */
void userns_pool_use(struct runtime_subid_ranges *used, const struct oci_id_mappings *maps);

/* The lowest size ids side by side that are wholly in one range of pool, the ranges in their order,
 * and in none of used, which is sorted here. False: there are none. size is not 0. */
bool userns_pool_find(uint32_t *ret, const struct runtime_subid_ranges *pool,
		      struct runtime_subid_ranges *used, uint32_t size);

/* Maps the container's ids from 0 to size - 1 to the host's from first on, but those that fixed
 * maps otherwise; fixed is then part of *to. */
void userns_pool_map(struct oci_id_mappings *to, uint32_t first, uint32_t size,
		     const struct oci_id_mappings *fixed);
