/* seccomp_layout.h - what seccomp.c and its neighbours share. Private to seccomp*.c. */
#pragma once

struct err;

/* The enum runtime_syscall_abi of this machine; ERR_UNSUPPORTED. */
int runtime_seccomp_native(struct err *e);
