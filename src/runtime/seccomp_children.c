/* Who makes a PID namespace is asked for: clone(2) and unshare(2) with CLONE_NEWPID. Their flags
 * are registers, so they cannot change between the listener's look and the call. setns(2) enters
 * one that is there. */
#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "runtime/seccomp.h"
#include "runtime/seccomp_layout.h"
#include "runtime/seccomp_program.h"
#include "runtime/syscall.h"

int runtime_seccomp_add_children(struct runtime_seccomp_program *program, struct err *e)
{
	static const struct runtime_seccomp_rule asked = {
		.action = SECCOMP_RET_USER_NOTIF,
		.count = 1,
		.conditions = { { .index = 0,
				  .op = RUNTIME_SECCOMP_MASKED_EQ,
				  .value = CLONE_NEWPID,
				  .mask = CLONE_NEWPID } },
	};
	const struct runtime_syscall *table = runtime_syscall_table;

	int index = runtime_seccomp_program_add(program, &asked, e);
	if (index < 0)
		return index;
	runtime_seccomp_program_fall_back(program, &table[RUNTIME_SYSCALL_ROW_clone3],
					  SECCOMP_RET_ERRNO | ENOSYS);
	int r = runtime_seccomp_program_link(program, &table[RUNTIME_SYSCALL_ROW_clone],
					     (size_t)index, e);
	return r < 0 ? r
		     : runtime_seccomp_program_link(program, &table[RUNTIME_SYSCALL_ROW_unshare],
						    (size_t)index, e);
}

int runtime_seccomp_compile_open(struct runtime_seccomp_filter *ret, struct err *e)
{
	static const enum runtime_syscall_abi x86[] = { RUNTIME_SYSCALL_X86_64,
							RUNTIME_SYSCALL_I386, RUNTIME_SYSCALL_X32 };
	static const enum runtime_syscall_abi arm[] = { RUNTIME_SYSCALL_AARCH64,
							RUNTIME_SYSCALL_ARM };
	own_clear(runtime_seccomp_program_clear) struct runtime_seccomp_program program;

	runtime_seccomp_program_init(&program);
	int native = runtime_seccomp_native(e);
	if (native < 0)
		return native;
	bool is_arm = native == RUNTIME_SYSCALL_AARCH64;
	for (size_t i = 0; i < (is_arm ? COUNT_OF(arm) : COUNT_OF(x86)); i++)
		runtime_seccomp_program_use(&program, is_arm ? arm[i] : x86[i], SECCOMP_RET_ALLOW);
	program.foreign = SECCOMP_RET_ERRNO | ENOSYS;
	int r = runtime_seccomp_add_children(&program, e);
	return r < 0 ? r : runtime_seccomp_program_emit(ret, &program, e);
}
