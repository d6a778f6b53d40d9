/* The built-in profile: what programs in containers use, by purpose. It allows what Docker's
 * newest profile allows (moby/profiles, 2026) and takes away what a namespace does not contain:
 * see docs/decisions/0011-seccomp-default.md. Whatever is not listed fails with EPERM, and what
 * is not even known here with ENOSYS. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "runtime/seccomp.h"
#include "runtime/seccomp_layout.h"
#include "runtime/seccomp_program.h"
#include "runtime/syscall.h"

#define S(name) RUNTIME_SYSCALL_ROW_##name
#define END     RUNTIME_SYSCALL_ROWS

static const uint16_t calls_files[] = {
	S(access),
	S(chdir),
	S(chmod),
	S(chown),
	S(chown32),
	S(close),
	S(close_range),
	S(copy_file_range),
	S(creat),
	S(dup),
	S(dup2),
	S(dup3),
	S(faccessat),
	S(faccessat2),
	S(fadvise64),
	S(fadvise64_64),
	S(arm_fadvise64_64),
	S(fallocate),
	S(fchdir),
	S(fchmod),
	S(fchmodat),
	S(fchmodat2),
	S(fchown),
	S(fchown32),
	S(fchownat),
	S(fcntl),
	S(fcntl64),
	S(fdatasync),
	S(flock),
	S(fstat),
	S(fstat64),
	S(fstatat64),
	S(fstatfs),
	S(fstatfs64),
	S(fsync),
	S(ftruncate),
	S(ftruncate64),
	S(futimesat),
	S(getcwd),
	S(getdents),
	S(getdents64),
	S(lchown),
	S(lchown32),
	S(link),
	S(linkat),
	S(listmount),
	S(_llseek),
	S(lseek),
	S(lstat),
	S(lstat64),
	S(mkdir),
	S(mkdirat),
	S(mknod),
	S(mknodat),
	S(name_to_handle_at),
	S(newfstatat),
	S(open),
	S(openat),
	S(openat2),
	S(pipe),
	S(pipe2),
	S(pread64),
	S(preadv),
	S(preadv2),
	S(pwrite64),
	S(pwritev),
	S(pwritev2),
	S(read),
	S(readahead),
	S(readlink),
	S(readlinkat),
	S(readv),
	S(rename),
	S(renameat),
	S(renameat2),
	S(rmdir),
	S(sendfile),
	S(sendfile64),
	S(splice),
	S(stat),
	S(stat64),
	S(statfs),
	S(statfs64),
	S(statmount),
	S(statx),
	S(symlink),
	S(symlinkat),
	S(sync),
	S(sync_file_range),
	S(sync_file_range2),
	S(arm_sync_file_range),
	S(syncfs),
	S(tee),
	S(truncate),
	S(truncate64),
	S(umask),
	S(unlink),
	S(unlinkat),
	S(utime),
	S(utimensat),
	S(utimensat_time64),
	S(utimes),
	S(vmsplice),
	S(write),
	S(writev),
	END,
};

static const uint16_t calls_attributes[] = {
	S(fgetxattr),    S(flistxattr), S(fremovexattr), S(fsetxattr),     S(getxattr),
	S(getxattrat),   S(lgetxattr),  S(listxattr),    S(listxattrat),   S(llistxattr),
	S(lremovexattr), S(lsetxattr),  S(removexattr),  S(removexattrat), S(setxattr),
	S(setxattrat),   END,
};

static const uint16_t calls_events[] = {
	S(epoll_create),
	S(epoll_create1),
	S(epoll_ctl),
	S(epoll_ctl_old),
	S(epoll_pwait),
	S(epoll_pwait2),
	S(epoll_wait),
	S(epoll_wait_old),
	S(eventfd),
	S(eventfd2),
	S(fanotify_mark),
	S(inotify_add_watch),
	S(inotify_init),
	S(inotify_init1),
	S(inotify_rm_watch),
	S(io_cancel),
	S(io_destroy),
	S(io_getevents),
	S(io_pgetevents),
	S(io_pgetevents_time64),
	S(io_setup),
	S(io_submit),
	S(_newselect),
	S(poll),
	S(ppoll),
	S(ppoll_time64),
	S(pselect6),
	S(pselect6_time64),
	S(select),
	S(signalfd),
	S(signalfd4),
	S(timerfd_create),
	S(timerfd_gettime),
	S(timerfd_gettime64),
	S(timerfd_settime),
	S(timerfd_settime64),
	END,
};

static const uint16_t calls_memory[] = {
	S(brk),
	S(cachestat),
	S(cacheflush),
	S(madvise),
	S(map_shadow_stack),
	S(membarrier),
	S(memfd_create),
	S(memfd_secret),
	S(mincore),
	S(mlock),
	S(mlock2),
	S(mlockall),
	S(mmap),
	S(mmap2),
	S(mprotect),
	S(mremap),
	S(mseal),
	S(msync),
	S(munlock),
	S(munlockall),
	S(munmap),
	S(pkey_alloc),
	S(pkey_free),
	S(pkey_mprotect),
	S(process_mrelease),
	S(remap_file_pages),
	END,
};

static const uint16_t calls_processes[] = {
	S(arch_prctl),
	S(breakpoint),
	S(execve),
	S(execveat),
	S(exit),
	S(exit_group),
	S(fork),
	S(futex),
	S(futex_requeue),
	S(futex_time64),
	S(futex_wait),
	S(futex_waitv),
	S(futex_wake),
	S(get_robust_list),
	S(get_thread_area),
	S(getcpu),
	S(getpgid),
	S(getpgrp),
	S(getpid),
	S(getppid),
	S(getpriority),
	S(getrlimit),
	S(getrusage),
	S(getsid),
	S(gettid),
	S(ioprio_get),
	S(ioprio_set),
	S(kill),
	S(landlock_add_rule),
	S(landlock_create_ruleset),
	S(landlock_restrict_self),
	S(modify_ldt),
	S(pause),
	S(pidfd_open),
	S(pidfd_send_signal),
	S(prctl),
	S(prlimit64),
	S(process_vm_readv),
	S(process_vm_writev),
	S(ptrace),
	S(restart_syscall),
	S(rseq),
	S(rt_sigaction),
	S(rt_sigpending),
	S(rt_sigprocmask),
	S(rt_sigqueueinfo),
	S(rt_sigreturn),
	S(rt_sigsuspend),
	S(rt_sigtimedwait),
	S(rt_sigtimedwait_time64),
	S(rt_tgsigqueueinfo),
	S(sched_get_priority_max),
	S(sched_get_priority_min),
	S(sched_getaffinity),
	S(sched_getattr),
	S(sched_getparam),
	S(sched_getscheduler),
	S(sched_rr_get_interval),
	S(sched_rr_get_interval_time64),
	S(sched_setaffinity),
	S(sched_setattr),
	S(sched_setparam),
	S(sched_setscheduler),
	S(sched_yield),
	S(seccomp),
	S(set_robust_list),
	S(set_thread_area),
	S(set_tid_address),
	S(set_tls),
	S(setpgid),
	S(setpriority),
	S(setrlimit),
	S(setsid),
	S(sigaltstack),
	S(sigprocmask),
	S(sigreturn),
	S(tgkill),
	S(tkill),
	S(ugetrlimit),
	S(uprobe),
	S(uretprobe),
	S(vfork),
	S(wait4),
	S(waitid),
	S(waitpid),
	END,
};

static const uint16_t calls_identity[] = {
	S(capget),    S(capset),      S(getegid),   S(getegid32),   S(geteuid),   S(geteuid32),
	S(getgid),    S(getgid32),    S(getgroups), S(getgroups32), S(getresgid), S(getresgid32),
	S(getresuid), S(getresuid32), S(getuid),    S(getuid32),    S(setfsgid),  S(setfsgid32),
	S(setfsuid),  S(setfsuid32),  S(setgid),    S(setgid32),    S(setgroups), S(setgroups32),
	S(setregid),  S(setregid32),  S(setresgid), S(setresgid32), S(setresuid), S(setresuid32),
	S(setreuid),  S(setreuid32),  S(setuid),    S(setuid32),    END,
};

static const uint16_t calls_sockets[] = {
	S(accept),     S(accept4),    S(bind),     S(connect),  S(getpeername), S(getsockname),
	S(getsockopt), S(listen),     S(recv),     S(recvfrom), S(recvmmsg),    S(recvmmsg_time64),
	S(recvmsg),    S(send),       S(sendmmsg), S(sendmsg),  S(sendto),      S(setsockopt),
	S(shutdown),   S(socketpair), END,
};

static const uint16_t calls_messages[] = {
	S(mq_getsetattr),
	S(mq_notify),
	S(mq_open),
	S(mq_timedreceive),
	S(mq_timedreceive_time64),
	S(mq_timedsend),
	S(mq_timedsend_time64),
	S(mq_unlink),
	S(msgctl),
	S(msgget),
	S(msgrcv),
	S(msgsnd),
	S(semctl),
	S(semget),
	S(semop),
	S(semtimedop),
	S(semtimedop_time64),
	S(shmat),
	S(shmctl),
	S(shmdt),
	S(shmget),
	END,
};

static const uint16_t calls_time[] = {
	S(adjtimex),
	S(alarm),
	S(clock_adjtime),
	S(clock_adjtime64),
	S(clock_getres),
	S(clock_getres_time64),
	S(clock_gettime),
	S(clock_gettime64),
	S(clock_nanosleep),
	S(clock_nanosleep_time64),
	S(getitimer),
	S(getrandom),
	S(gettimeofday),
	S(nanosleep),
	S(setitimer),
	S(sysinfo),
	S(time),
	S(timer_create),
	S(timer_delete),
	S(timer_getoverrun),
	S(timer_gettime),
	S(timer_gettime64),
	S(timer_settime),
	S(timer_settime64),
	S(times),
	S(uname),
	END,
};

static const uint16_t calls_sys_admin[] = {
	S(bpf),
	S(clone),
	S(clone3),
	S(fanotify_init),
	S(fsconfig),
	S(fsmount),
	S(fsopen),
	S(fspick),
	S(lookup_dcookie),
	S(lsm_get_self_attr),
	S(lsm_list_modules),
	S(lsm_set_self_attr),
	S(mount),
	S(mount_setattr),
	S(move_mount),
	S(open_tree),
	S(open_tree_attr),
	S(perf_event_open),
	S(quotactl),
	S(quotactl_fd),
	S(setdomainname),
	S(sethostname),
	S(setns),
	S(syslog),
	S(umount),
	S(umount2),
	S(unshare),
	END,
};

static const uint16_t calls_dac_read_search[] = { S(open_by_handle_at), END };
static const uint16_t calls_sys_boot[] = { S(reboot), END };
static const uint16_t calls_sys_chroot[] = { S(chroot), END };
static const uint16_t calls_sys_module[] = { S(delete_module), S(finit_module), S(init_module),
					     END };
static const uint16_t calls_sys_pacct[] = { S(acct), END };
static const uint16_t calls_sys_ptrace[] = { S(kcmp), S(pidfd_getfd), S(process_madvise), END };
static const uint16_t calls_sys_rawio[] = { S(ioperm), S(iopl), END };
static const uint16_t calls_sys_time[] = { S(clock_settime), S(clock_settime64), S(settimeofday),
					   S(stime), END };
static const uint16_t calls_sys_tty_config[] = { S(vhangup), END };
static const uint16_t calls_sys_nice[] = { S(get_mempolicy), S(mbind), S(set_mempolicy),
					   S(set_mempolicy_home_node), END };
static const uint16_t calls_syslog[] = { S(syslog), END };
static const uint16_t calls_bpf[] = { S(bpf), END };
static const uint16_t calls_perfmon[] = { S(perf_event_open), END };

/* Not for the init of a guest, whatever its capabilities open: it does without them, and each
 * reaches into the one kernel (bpf and perf read its memory, fanotify and quotas take whole file
 * systems, the log is the host's). */
static const uint16_t calls_not_of_guest[] = {
	S(bpf),
	S(fanotify_init),
	S(lookup_dcookie),
	S(open_by_handle_at),
	S(perf_event_open),
	S(quotactl),
	S(quotactl_fd),
	S(syslog),
	END,
};

#define ALWAYS -1

static const struct {
	int capability; /* what opens them, or ALWAYS */
	const uint16_t *calls;
} allowed[] = {
	{ ALWAYS, calls_files },
	{ ALWAYS, calls_attributes },
	{ ALWAYS, calls_events },
	{ ALWAYS, calls_memory },
	{ ALWAYS, calls_processes },
	{ ALWAYS, calls_identity },
	{ ALWAYS, calls_sockets },
	{ ALWAYS, calls_messages },
	{ ALWAYS, calls_time },
	{ CAP_SYS_ADMIN, calls_sys_admin },
	{ CAP_DAC_READ_SEARCH, calls_dac_read_search },
	{ CAP_SYS_BOOT, calls_sys_boot },
	{ CAP_SYS_CHROOT, calls_sys_chroot },
	{ CAP_SYS_MODULE, calls_sys_module },
	{ CAP_SYS_PACCT, calls_sys_pacct },
	{ CAP_SYS_PTRACE, calls_sys_ptrace },
	{ CAP_SYS_RAWIO, calls_sys_rawio },
	{ CAP_SYS_TIME, calls_sys_time },
	{ CAP_SYS_TTY_CONFIG, calls_sys_tty_config },
	{ CAP_SYS_NICE, calls_sys_nice },
	{ CAP_SYSLOG, calls_syslog },
	{ CAP_BPF, calls_bpf },
	{ CAP_PERFMON, calls_perfmon },
};

/* Programs fall back from these to older calls, which they do on ENOSYS only. */
static const uint16_t calls_not_there[] = {
	S(clone3), S(file_getattr),   S(file_setattr),
	S(listns), S(open_tree_attr), S(rseq_slice_yield),
	END,
};

/* Everything that makes a namespace; CLONE_NEWTIME is no flag of clone(2). */
#define CLONE_NAMESPACES                                                                           \
	(UINT64_C(0) | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |               \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* <asm-generic/ioctls.h>: pushing characters into a terminal, and the console's selection. The
 * kernel looks at 32 bits of the request only (CVE-2019-10063 was a filter that looked at 64). */
#define IOCTL_TIOCSTI   0x5412
#define IOCTL_TIOCLINUX 0x541c

/* The last one that Docker's profile knows, AF_MCTP. */
#define FAMILY_LAST 45

#define ALLOW     SECCOMP_RET_ALLOW
#define DENY      (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT    (SECCOMP_RET_ERRNO | ENOSYS)
#define NO_FAMILY (SECCOMP_RET_ERRNO | EAFNOSUPPORT)

#define IS(bits)     RUNTIME_SECCOMP_MASKED_EQ, bits, UINT32_MAX
#define EXACTLY(n)   RUNTIME_SECCOMP_EQ, n, UINT64_MAX
#define ABOVE(n)     RUNTIME_SECCOMP_GT, n, UINT64_MAX
#define NONE_OF(set) RUNTIME_SECCOMP_MASKED_EQ, 0, set

/* In order; the fallback of each call is in falls_back. The families are those that reach
 * beyond a namespace (AF_VSOCK: the hypervisor), that are kernel code nobody uses from a
 * container (AF_ALG), or that Docker refuses as removed from newer kernels. */
static const struct {
	uint16_t call;
	uint32_t action;
	uint8_t index;
	uint8_t op;
	uint64_t value, mask;
} tests[] = {
	{ S(clone), ALLOW, 0, NONE_OF(CLONE_NAMESPACES) },
	{ S(ioctl), DENY, 1, IS(IOCTL_TIOCSTI) },
	{ S(ioctl), DENY, 1, IS(IOCTL_TIOCLINUX) },
	{ S(personality), ALLOW, 0, EXACTLY(PER_LINUX) },
	{ S(personality), ALLOW, 0, EXACTLY(PER_LINUX32) },
	{ S(personality), ALLOW, 0, EXACTLY(UNAME26) },
	{ S(personality), ALLOW, 0, EXACTLY(UNAME26 | PER_LINUX32) },
	{ S(personality), ALLOW, 0, EXACTLY(UINT32_MAX) },
	{ S(socket), NO_FAMILY, 0, ABOVE(FAMILY_LAST) },
	{ S(socket), NO_FAMILY, 0, IS(12) /* AF_DECnet */ },
	{ S(socket), NO_FAMILY, 0, IS(AF_ATMSVC) },
	{ S(socket), NO_FAMILY, 0, IS(AF_ISDN) },
	{ S(socket), NO_FAMILY, 0, IS(AF_CAIF) },
	{ S(socket), NO_FAMILY, 0, IS(AF_ALG) },
	{ S(socket), NO_FAMILY, 0, IS(AF_VSOCK) },
};

static int default_add_tests(struct runtime_seccomp_program *program, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(tests); i++) {
		struct runtime_seccomp_rule rule = {
			.action = tests[i].action,
			.count = 1,
			.conditions = { { .index = tests[i].index,
					  .op = tests[i].op,
					  .value = tests[i].value,
					  .mask = tests[i].mask } },
		};
		int index = runtime_seccomp_program_add(program, &rule, e);
		int r = index < 0 ? index
				  : runtime_seccomp_program_link(
					    program, &runtime_syscall_table[tests[i].call],
					    (size_t)index, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static void default_set(struct runtime_seccomp_program *program, const uint16_t *calls,
			uint32_t action)
{
	for (; *calls != END; calls++)
		runtime_seccomp_program_fall_back(program, &runtime_syscall_table[*calls], action);
}

/* The kernel has one audit, whose records nobody in a container is to write; who finds that
 * there is none does without it (CONTAINER_INTERFACE.md of systemd, libaudit). */
static int guest_add_audit(struct runtime_seccomp_program *program, struct err *e)
{
	const struct runtime_seccomp_rule rule = {
		.action = SECCOMP_RET_ERRNO | EPROTONOSUPPORT,
		.count = 2,
		.conditions = { { .index = 0,
				  .op = RUNTIME_SECCOMP_MASKED_EQ,
				  .value = AF_NETLINK,
				  .mask = UINT32_MAX },
				{ .index = 2,
				  .op = RUNTIME_SECCOMP_MASKED_EQ,
				  .value = NETLINK_AUDIT,
				  .mask = UINT32_MAX } },
	};
	int index = runtime_seccomp_program_add(program, &rule, e);

	return index < 0 ? index
			 : runtime_seccomp_program_link(program, &runtime_syscall_table[S(socket)],
							(size_t)index, e);
}

/* sched_getaffinity(2) of 0 is of the caller; of others the kernel's own answer is as good. */
static int add_asked(struct runtime_seccomp_program *program, struct err *e)
{
	const struct runtime_seccomp_rule always = { .action = SECCOMP_RET_USER_NOTIF };
	const struct runtime_seccomp_rule of_self = {
		.action = SECCOMP_RET_USER_NOTIF,
		.count = 1,
		.conditions = { { .index = 0,
				  .op = RUNTIME_SECCOMP_MASKED_EQ,
				  .value = 0,
				  .mask = UINT32_MAX } },
	};
	int index = runtime_seccomp_program_add(program, &always, e);

	if (index >= 0)
		index = runtime_seccomp_program_link(program, &runtime_syscall_table[S(sysinfo)],
						     (size_t)index, e);
	if (index >= 0)
		index = runtime_seccomp_program_add(program, &of_self, e);
	return index < 0
		       ? index
		       : runtime_seccomp_program_link(program,
						      &runtime_syscall_table[S(sched_getaffinity)],
						      (size_t)index, e);
}

static int deny_named(struct runtime_seccomp_program *program, const struct strv *names,
		      struct err *e)
{
	for (size_t i = 0; names && i < names->count; i++) {
		const struct runtime_syscall *call = runtime_syscall_find(names->items[i]);
		if (!call)
			return err_set(e, ERR_INVALID, "org.holm.seccomp.deny: no system call '%s'",
				       names->items[i]);
		runtime_seccomp_program_fall_back(program, call, DENY);
	}
	return 0;
}

int runtime_seccomp_compile_default(struct runtime_seccomp_filter *ret,
				    const struct runtime_seccomp_default *what, struct err *e)
{
	own_clear(runtime_seccomp_program_clear) struct runtime_seccomp_program program;
	static const uint16_t tested[] = { S(ioctl), S(socket), END };

	runtime_seccomp_program_init(&program);
	int native = runtime_seccomp_native(e);
	if (native < 0)
		return native;
	runtime_seccomp_program_use(&program, (enum runtime_syscall_abi)native, ABSENT);
	for (size_t i = 0; i < runtime_syscall_count; i++)
		runtime_seccomp_program_fall_back(&program, &runtime_syscall_table[i], DENY);
	default_set(&program, calls_not_there, ABSENT);
	default_set(&program, tested, ALLOW);
	for (size_t i = 0; i < COUNT_OF(allowed); i++) {
		if (allowed[i].capability == ALWAYS ||
		    what->capabilities & UINT64_C(1) << allowed[i].capability)
			default_set(&program, allowed[i].calls, ALLOW);
	}
	program.foreign = ABSENT;
	if (what->guest)
		default_set(&program, calls_not_of_guest, DENY);
	int r = what->guest ? guest_add_audit(&program, e) : 0;
	if (r == 0)
		r = deny_named(&program, what->denied, e);
	if (r == 0 && what->asks)
		r = add_asked(&program, e);
	/* where they are refused a listener's word would be more, not less */
	if (r == 0 && what->children && what->capabilities & UINT64_C(1) << CAP_SYS_ADMIN)
		r = runtime_seccomp_add_children(&program, e);
	if (r == 0)
		r = default_add_tests(&program, e);
	return r < 0 ? r : runtime_seccomp_program_emit(ret, &program, e);
}
