/* word.h - the constants that the specification takes from the kernel, by their names:
 * "SCHED_FIFO", "MPOL_F_STATIC_NODES". A value that is not in the table is refused with the path
 * of its member. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct err;
struct strv;

struct runtime_word {
	const char *word; /* NULL ends the table */
	uint64_t value;
};

/* ERR_INVALID: "process.scheduler.policy 'X' is unknown". text may be NULL. */
int runtime_word_find(uint64_t *ret, const struct runtime_word *table, const char *text,
		      const char *member, struct err *e);

/* All values of a list of flags, or'ed. */
int runtime_word_flags(uint64_t *ret, const struct runtime_word *table, const struct strv *flags,
		       const char *member, struct err *e);
