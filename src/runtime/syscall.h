/* syscall.h - the numbers of system calls, by name, for every ABI that a profile can speak of.
 * A table of our own, because the headers of the build host know only what its distribution's
 * kernel did (Debian 12: 6.1), and profiles speak of newer calls. From the kernel's
 * arch/.../syscall*.tbl, up to Linux 7.0. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum runtime_syscall_abi {
	RUNTIME_SYSCALL_X86_64,
	RUNTIME_SYSCALL_I386,
	RUNTIME_SYSCALL_X32, /* numbers without the bit below */
	RUNTIME_SYSCALL_AARCH64,
	RUNTIME_SYSCALL_ARM, /* EABI */
	RUNTIME_SYSCALL_ABIS,
};

/* <asm/unistd.h> of x86: the ABI with 32-bit pointers shares its architecture with x86_64. */
#define RUNTIME_SYSCALL_X32_BIT UINT32_C(0x40000000)

/* AUDIT_ARCH_* of each, as seccomp(2) says it of a call. */
extern const uint32_t runtime_syscall_architectures[RUNTIME_SYSCALL_ABIS];

struct runtime_syscall {
	const char *name;
	int32_t numbers[RUNTIME_SYSCALL_ABIS]; /* -1: this ABI has no such call */
};

/* Sorted by name. */
extern const struct runtime_syscall runtime_syscall_table[];
extern const size_t runtime_syscall_count;

/* The row of a name, or NULL. */
const struct runtime_syscall *runtime_syscall_find(const char *name);

/* Every row has a constant, so that a table of names can be checked by the compiler. */
enum runtime_syscall_row {
#define ROW(name, x86_64, i386, x32, aarch64, arm) RUNTIME_SYSCALL_ROW_##name,
#include "runtime/syscall_rows.inc"
#undef ROW
	RUNTIME_SYSCALL_ROWS,
};
