#include "image/jail.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "storage/store.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

/* Owners, modes, setuid bits, devices, file capabilities. SYS_ADMIN is for one thing, the attribute
 * trusted.overlay.opaque; most of the rest that it allows is among the refused calls. */
static const uint64_t kept_capabilities =
	CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) |
	CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_SETFCAP) | CAP_BIT(CAP_SYS_ADMIN);

static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = { 0 };

	/* Without CAP_SETPCAP this fails; then nothing is ever gained again by no_new_privs
	 * alone. */
	for (int cap = 0; cap <= 63; cap++)
		if (!(kept_capabilities & CAP_BIT(cap)))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &header, sets) < 0)
		return err_sys(e, "read the capabilities");
	for (int i = 0; i < 2; i++) {
		uint32_t kept = (uint32_t)(kept_capabilities >> (32 * i));
		sets[i].permitted &= kept;
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		return err_sys(e, "give up capabilities");
	return 0;
}

/* Everything that changes a filesystem, or runs a program from it. */
static const uint64_t writing = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
				LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
				LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
				LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

static int allow_below(int ruleset, int folder_fd, struct err *e)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = writing & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE,
		.parent_fd = folder_fd,
	};

	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_sys(e, "allow writing to a folder");
	return 0;
}

/* To what is below these folders; -1: none. */
static int restrict_writing(int folder_fd, int other_fd, struct err *e)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = writing };
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	/* Version 1 refuses every rename from one folder to another. */
	if (version < 2) {
		log_debug("no Landlock (version 2) in this kernel");
		return 0;
	}
	own_fd int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return err_sys(e, "make a Landlock ruleset");
	int r = folder_fd < 0 ? 0 : allow_below(ruleset, folder_fd, e);
	if (r == 0 && other_fd >= 0)
		r = allow_below(ruleset, other_fd, e);
	if (r < 0)
		return r;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_sys(e, "enter the Landlock ruleset");
	return 0;
}

static const uint32_t refused[] = {
	SYS_execve,
	SYS_execveat,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_mount_setattr,
	SYS_chroot,
	SYS_setns,
	SYS_unshare,
	SYS_ptrace,
	SYS_kcmp,
	SYS_process_vm_readv,
	SYS_pidfd_getfd,
	SYS_process_vm_writev,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_quotactl,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_clock_adjtime,
	SYS_syslog,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_open_by_handle_at,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_userfaultfd,
	SYS_io_uring_register,
	SYS_fanotify_init,
	SYS_personality,
	SYS_vhangup,
	SYS_name_to_handle_at,
};

enum {
	NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
			 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
	X32_BIT = 0x40000000,
};

#define DATA(field)          offsetof(struct seccomp_data, field)
#define LOAD(field)          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(field))
#define RETURN(action)       BPF_STMT(BPF_RET | BPF_K, (action))
#define IF_NOT(number, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, (skip))

/* HOLM_AUDIT_ARCH is meson.build's: the one ABI whose numbers these are. */
static int refuse_calls(struct err *e)
{
	struct sock_filter program[20 + 2 * COUNT_OF(refused)];
	size_t n = 0;
	const struct sock_filter head[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOLM_AUDIT_ARCH, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		/* -1 is no call: who traces puts it there to have one skipped */
		IF_NOT(UINT32_MAX, 1),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		/* x32 would be a second set of numbers */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		/* its flags lie in memory, out of reach; the C library falls back to clone */
		IF_NOT(SYS_clone3, 1),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		IF_NOT(SYS_clone, 4),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
	};

	for (size_t i = 0; i < COUNT_OF(head); i++)
		program[n++] = head[i];
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		program[n++] = (struct sock_filter)IF_NOT(refused[i], 1);
		program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	}
	program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	struct sock_fprog filter = { (unsigned short)n, program };
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0)
		return err_sys(e, "refuse system calls");
	return 0;
}

static int enter(int folder_fd, int other_fd, struct err *e)
{
	int r = drop_capabilities(e);

	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_sys(e, "set no_new_privs");
	if (r == 0)
		r = restrict_writing(folder_fd, other_fd, e);
	if (r == 0)
		r = refuse_calls(e);
	return r < 0 ? err_add(e, "jail") : 0;
}

int image_jail_enter(const struct store *store, struct err *e)
{
	return enter(store->root_fd, store->run_fd, e);
}

int image_jail_enter_at(int folder_fd, struct err *e)
{
	return enter(folder_fd, -1, e);
}
