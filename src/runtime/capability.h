/* capability.h - the five sets of a process, capabilities(7). A set is a mask of 64 bits, bit N
 * being capability number N, as the kernel's own <linux/capability.h> counts. */
#pragma once
#include <stdint.h>

struct err;
struct strv;

struct runtime_capability_sets {
	uint64_t bounding;
	uint64_t effective;
	uint64_t permitted;
	uint64_t inheritable;
	uint64_t ambient;
};

/* What a container gets when nothing is said: Docker's 14 without NET_RAW, MKNOD and
 * AUDIT_WRITE (docs/decisions: nothing common breaks without them; ping works by
 * net.ipv4.ping_group_range). */
extern const uint64_t runtime_capability_default;

/* What the init of a whole system and its services use, within their namespaces. Not among
 * them: the clock, modules, raw I/O, the audit, the log, and reading without regard to rights,
 * which all are the host's. */
extern const uint64_t runtime_capability_system;

/* "CAP_CHOWN", "chown", and "ALL" (every known one). ERR_INVALID names the bad one. */
int runtime_capability_parse(uint64_t *ret, const char *name, struct err *e);
int runtime_capability_parse_all(uint64_t *ret, const struct strv *names, struct err *e);

/* "CAP_CHOWN", or NULL beyond the known ones. */
const char *runtime_capability_name(unsigned number);

/* Adds the names of the set to *to, lowest number first. */
void runtime_capability_names(struct strv *to, uint64_t set);

/* The caller's own bounding set: what it can give away at most. */
uint64_t runtime_capability_own(void);

/* Takes what is outside own from every set: --privileged gives what the caller owns, not more.
 * Also makes the sets consistent: ambient within permitted and inheritable, effective within
 * permitted. */
void runtime_capability_restrict(struct runtime_capability_sets *sets, uint64_t own);

/* In this order in the child, single-threaded:
 *	drop_bounding   while it still has CAP_SETPCAP (before the user changes)
 *	keep            PR_SET_KEEPCAPS, before setresuid(2) to a user other than 0
 *	apply           after it: capset(2), then the ambient set
 * A set bit that the process does not own is an error, ERR_PERMISSION, naming it. */
int runtime_capability_drop_bounding_in_child(uint64_t bounding, struct err *e);
int runtime_capability_keep_in_child(struct err *e);
int runtime_capability_apply_in_child(const struct runtime_capability_sets *sets, struct err *e);
