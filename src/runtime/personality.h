/* personality.h - linux.personality: personality(2), runtime-spec v1.3
 * config-linux.md#personality. The specification knows two domains and no flags. */
#pragma once

struct err;
struct oci_personality;

/* ERR_INVALID with the member's path. NULL is fine. */
int runtime_personality_check(const struct oci_personality *personality, struct err *e);
int runtime_personality_apply_in_child(const struct oci_personality *personality, struct err *e);
