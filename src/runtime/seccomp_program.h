/* seccomp_program.h - rules by system call number to classic BPF. Knows nothing of profiles.
 * Private to seccomp*.c. */
#pragma once
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/syscall.h"

struct err;
struct runtime_seccomp_filter;

enum runtime_seccomp_operator {
	RUNTIME_SECCOMP_NE,
	RUNTIME_SECCOMP_LT,
	RUNTIME_SECCOMP_LE,
	RUNTIME_SECCOMP_EQ,
	RUNTIME_SECCOMP_GE,
	RUNTIME_SECCOMP_GT,
	RUNTIME_SECCOMP_MASKED_EQ, /* (argument & mask) == value */
};

struct runtime_seccomp_condition {
	uint8_t index; /* of the argument, 0 to 5 */
	uint8_t op;
	uint64_t value;
	uint64_t mask;
};

enum { RUNTIME_SECCOMP_CONDITIONS_MAX = 6 };

/* What happens to a call if all conditions hold. */
struct runtime_seccomp_rule {
	uint32_t action; /* SECCOMP_RET_* with its data */
	uint8_t count;
	struct runtime_seccomp_condition conditions[RUNTIME_SECCOMP_CONDITIONS_MAX];
};

/* Numbers above this (arm has a few at 0x0f0000) stand in a list of their own. */
enum { RUNTIME_SECCOMP_NUMBERS = 1024, RUNTIME_SECCOMP_FAR_MAX = 8 };

/* The rules of one ABI. For each number a chain: a rule without conditions decides alone,
 * wherever it stands, the first of several (as in libseccomp, which profiles rely on); else the
 * first rule that holds; else fallback. */
struct runtime_seccomp_abi {
	bool used;
	uint32_t beyond; /* for numbers from RUNTIME_SECCOMP_NUMBERS on */
	uint32_t fallback[RUNTIME_SECCOMP_NUMBERS];
	uint16_t chain[RUNTIME_SECCOMP_NUMBERS]; /* index + 1 into links; 0: empty */
	struct {
		uint32_t number;
		uint32_t fallback;
		uint16_t chain;
	} far[RUNTIME_SECCOMP_FAR_MAX];
	size_t far_count;
};

struct runtime_seccomp_link {
	uint16_t rule;
	uint16_t next; /* index + 1 */
};

struct runtime_seccomp_program {
	struct runtime_seccomp_abi *abis; /* RUNTIME_SYSCALL_ABIS of them */
	struct runtime_seccomp_rule *rules;
	size_t rules_count;
	struct runtime_seccomp_link *links;
	size_t links_count;
	uint32_t foreign; /* for every ABI that is not used */
};
void runtime_seccomp_program_init(struct runtime_seccomp_program *program);
void runtime_seccomp_program_clear(struct runtime_seccomp_program *program);

/* Uses an ABI: every number falls back to this action, until links say otherwise. */
void runtime_seccomp_program_use(struct runtime_seccomp_program *program,
				 enum runtime_syscall_abi abi, uint32_t fallback);

/* Adds a rule and returns its index, for link; ERR_INVALID beyond 65000. */
int runtime_seccomp_program_add(struct runtime_seccomp_program *program,
				const struct runtime_seccomp_rule *rule, struct err *e);

/* Puts the rule at the end of the chain of a system call, in every ABI that is used and has it. */
int runtime_seccomp_program_link(struct runtime_seccomp_program *program,
				 const struct runtime_syscall *call, size_t rule, struct err *e);

/* Sets what happens to a call that none of its rules decides. */
void runtime_seccomp_program_fall_back(struct runtime_seccomp_program *program,
				       const struct runtime_syscall *call, uint32_t action);

/* The finished filter; ERR_INVALID if it is longer than the kernel takes (BPF_MAXINSNS). */
int runtime_seccomp_program_emit(struct runtime_seccomp_filter *ret,
				 const struct runtime_seccomp_program *program, struct err *e);
