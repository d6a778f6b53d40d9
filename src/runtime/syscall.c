#include "runtime/syscall.h"

#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

const struct runtime_syscall runtime_syscall_table[] = {
#define ROW(name, x86_64, i386, x32, aarch64, arm) { #name, { x86_64, i386, x32, aarch64, arm } },
#include "runtime/syscall_rows.inc"
#undef ROW
};
const size_t runtime_syscall_count = RUNTIME_SYSCALL_ROWS;

const uint32_t runtime_syscall_architectures[RUNTIME_SYSCALL_ABIS] = {
	[RUNTIME_SYSCALL_X86_64] = AUDIT_ARCH_X86_64,
	[RUNTIME_SYSCALL_I386] = AUDIT_ARCH_I386,
	[RUNTIME_SYSCALL_X32] = AUDIT_ARCH_X86_64,
	[RUNTIME_SYSCALL_AARCH64] = AUDIT_ARCH_AARCH64,
	[RUNTIME_SYSCALL_ARM] = AUDIT_ARCH_ARM,
};

static int syscall_compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct runtime_syscall *)row)->name);
}

const struct runtime_syscall *runtime_syscall_find(const char *name)
{
	return bsearch(name, runtime_syscall_table, runtime_syscall_count,
		       sizeof(*runtime_syscall_table), syscall_compare);
}
