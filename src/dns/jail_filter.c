/* jail_filter.c - the system calls of a name server; all others fail, since what the C library
 * tries besides is no attack. Of those with a flag or a family the harmless ones alone. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/err.h"
#include "base/mem.h"
#include "dns/jail.h"

static const unsigned allowed[] = {
	SYS_recvfrom,     SYS_sendto,         SYS_sendmsg,      SYS_ppoll,
	SYS_connect,      SYS_accept4,        SYS_getrandom,    SYS_close,
	SYS_fstat,        SYS_newfstatat,     SYS_fcntl,        SYS_read,
	SYS_write,        SYS_getdents64,     SYS_lseek,        SYS_clock_gettime,
	SYS_brk,          SYS_mmap,           SYS_munmap,       SYS_mremap,
	SYS_madvise,      SYS_getpid,         SYS_gettid,       SYS_tgkill,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall,
	SYS_exit,         SYS_exit_group,
};

#define DATA(field)          offsetof(struct seccomp_data, field)
#define LOAD(field)          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(field))
#define RETURN(action)       BPF_STMT(BPF_RET | BPF_K, (action))
#define IF_NOT(number, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, (skip))

/* HOLM_AUDIT_ARCH is meson.build's: the one ABI whose numbers these are. */
int dns_jail_filter(struct err *e)
{
	struct sock_filter program[24 + 2 * COUNT_OF(allowed)];
	size_t n = 0;
	const struct sock_filter head[] = {
		LOAD(arch),
		IF_NOT(HOLM_AUDIT_ARCH, 1),
		BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		IF_NOT(SYS_openat, 4),
		LOAD(args[2]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 1, 0),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		IF_NOT(SYS_socket, 5),
		LOAD(args[0]),
		IF_NOT(AF_INET, 1),
		RETURN(SECCOMP_RET_ALLOW),
		IF_NOT(AF_INET6, 1),
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(nr),
	};

	for (size_t i = 0; i < COUNT_OF(head); i++)
		program[n++] = head[i];
	for (size_t i = 0; i < COUNT_OF(allowed); i++) {
		program[n++] = (struct sock_filter)IF_NOT(allowed[i], 1);
		program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	struct sock_fprog filter = { (unsigned short)n, program };
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0)
		return err_sys(e, "refuse system calls");
	return 0;
}
