/* syscall.h - system calls and the entry point without a C library, for holm-init alone. A call
 * returns what the kernel returns: -errno for failure. Calling conventions: syscall(2). */
#pragma once
#include <sys/syscall.h>

enum { TIOCSPGRP_NUMBER = 0x5410 }; /* asm-generic/ioctls.h: both architectures use it */

#if defined(__x86_64__)

static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call init_main\n");

#elif defined(__aarch64__)

static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, xzr\n"
	"	mov x30, xzr\n"
	"	mov x0, sp\n"
	"	bl init_main\n");

#else
#error "holm-init knows the system calls of x86_64 and aarch64 only"
#endif

#define call0(n)             call6(n, 0, 0, 0, 0, 0, 0)
#define call1(n, a)          call6(n, a, 0, 0, 0, 0, 0)
#define call2(n, a, b)       call6(n, a, b, 0, 0, 0, 0)
#define call3(n, a, b, c)    call6(n, a, b, c, 0, 0, 0)
#define call4(n, a, b, c, d) call6(n, a, b, c, d, 0, 0)

/* aarch64 has no fork(2): clone(2) with nothing but the signal is the same. */
static inline long call_fork(void)
{
	return call6(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0, 0);
}

static inline _Noreturn void call_exit(int status)
{
	for (;;)
		call1(SYS_exit_group, status);
}
