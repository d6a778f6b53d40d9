/* seccomp_layout.h - what seccomp.c and its neighbours share. Private to seccomp*.c. */
#pragma once

struct err;
struct runtime_seccomp_program;

/* The enum runtime_syscall_abi of this machine; ERR_UNSUPPORTED. */
int runtime_seccomp_native(struct err *e);

/* Rules for what makes PID namespaces (seccomp_children.c), where the program lets these calls
 * pass. */
int runtime_seccomp_add_children(struct runtime_seccomp_program *program, struct err *e);
