/* probe.c - what a process in a container finds it may do: one line a try, "NAME ok" or "NAME
 * ERRNO". Static, so that it needs nothing of the image. `probe NAME...` tries just these. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exists in the image that the tests make, and not on any host: there nothing is tried. */
#define PLACE "/place-for-the-probe"

static long call(long number, long a, long b, long c, long d)
{
	return syscall(number, a, b, c, d, 0, 0);
}

static long try_socket(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);
	if (fd >= 0)
		close(fd);
	return fd;
}

static long user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long user_namespace_by_clone(void)
{
	long pid = call(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	return pid;
}

static long mount_namespace(void)
{
	return unshare(CLONE_NEWNS);
}

static long clone3(void)
{
	return call(SYS_clone3, 0, 0, 0, 0);
}

static long io_uring(void)
{
	return call(SYS_io_uring_setup, 1, 0, 0, 0);
}

static long af_alg(void)
{
	return try_socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static long af_vsock(void)
{
	return try_socket(AF_VSOCK, SOCK_STREAM, 0);
}

static long af_packet(void)
{
	return try_socket(AF_PACKET, SOCK_RAW, 0);
}

static long raw_socket(void)
{
	return try_socket(AF_INET, SOCK_RAW, 1);
}

static long inet_socket(void)
{
	return try_socket(AF_INET, SOCK_STREAM, 0);
}

static long keyring(void)
{
	return call(SYS_keyctl, 0, -3, 1, 0);
}

static long add_key(void)
{
	return call(SYS_add_key, (long)"user", (long)"x", (long)"y", 1);
}

static long bpf_map(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY };
	return call(SYS_bpf, BPF_MAP_CREATE, (long)&attr, sizeof(attr), 0);
}

static long perf_event(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr) };
	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static long user_fault(void)
{
	return call(SYS_userfaultfd, 0, 0, 0, 0);
}

static long open_by_handle(void)
{
	struct file_handle handle = { .handle_bytes = 0 };
	return call(SYS_open_by_handle_at, AT_FDCWD, (long)&handle, 0, 0);
}

static long mount_tmpfs(void)
{
	return mount("none", PLACE, "tmpfs", 0, NULL);
}

static long new_mount_api(void)
{
	return call(SYS_fsopen, (long)"tmpfs", 0, 0, 0);
}

static long node(void)
{
	if (mknod(PLACE "/node", S_IFCHR | 0600, makedev(1, 1)) < 0)
		return -1;
	int r = open(PLACE "/node", O_RDONLY);
	unlink(PLACE "/node");
	return r;
}

static long kernel_module(void)
{
	return call(SYS_delete_module, (long)"none", 0, 0, 0);
}

static long reboot_call(void)
{
	return call(SYS_reboot, 0, 0, 0, 0);
}

static long set_clock(void)
{
	return call(SYS_settimeofday, 0, 0, 0, 0);
}

static long swap_on(void)
{
	return call(SYS_swapon, (long)"/none", 0, 0, 0);
}

static long kernel_log(void)
{
	char text[16];
	return call(SYS_syslog, 3, (long)text, sizeof(text), 0);
}

static long other_personality(void)
{
	return personality(ADDR_NO_RANDOMIZE);
}

/* A system call that no kernel has: programs must be told so, and go on without it. */
static long unknown_call(void)
{
	return call(1000, 0, 0, 0, 0);
}

static long type_for_another(void)
{
	return ioctl(0, TIOCSTI, "x");
}

/* The low 32 bits are what the kernel looks at. */
static long type_for_another_high(void)
{
	return call(SYS_ioctl, 0, (long)(TIOCSTI | (1L << 32)), (long)"x", 0);
}

static long x32_abi(void)
{
	return call(0x40000000 | SYS_getpid, 0, 0, 0, 0);
}

/* getpid of the i386 ABI, in a child: the filter may kill. */
static long i386_abi(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		long r = 20;
		__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
		_exit(r < 0 ? (int)-r : 0);
	}
	waitpid(pid, &status, 0);
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
	return errno ? -1 : 0;
}

static long child_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, 0, 0);
}

/* What programs need every day must work. */
static long thread(void)
{
	return call(SYS_set_tid_address, 0, 0, 0, 0);
}

static const struct {
	const char *name;
	long (*try)(void);
} probes[] = {
	{ "user_namespace", user_namespace },
	{ "user_namespace_by_clone", user_namespace_by_clone },
	{ "mount_namespace", mount_namespace },
	{ "clone3", clone3 },
	{ "io_uring", io_uring },
	{ "af_alg", af_alg },
	{ "af_vsock", af_vsock },
	{ "af_packet", af_packet },
	{ "raw_socket", raw_socket },
	{ "inet_socket", inet_socket },
	{ "keyring", keyring },
	{ "add_key", add_key },
	{ "bpf", bpf_map },
	{ "perf_event", perf_event },
	{ "userfaultfd", user_fault },
	{ "open_by_handle", open_by_handle },
	{ "mount", mount_tmpfs },
	{ "fsopen", new_mount_api },
	{ "mknod", node },
	{ "kernel_module", kernel_module },
	{ "reboot", reboot_call },
	{ "settimeofday", set_clock },
	{ "swapon", swap_on },
	{ "syslog", kernel_log },
	{ "personality", other_personality },
	{ "unknown_call", unknown_call },
	{ "tiocsti", type_for_another },
	{ "tiocsti_high", type_for_another_high },
	{ "x32", x32_abi },
	{ "i386", i386_abi },
	{ "ptrace", child_trace },
	{ "thread", thread },
};

static void show(const char *name, long (*try)(void))
{
	pid_t pid = fork();
	int status;

	/* each in a process of its own: some change it, some may end it */
	if (pid == 0) {
		errno = 0;
		if (try() < 0)
			printf("%s %s\n", name, strerrorname_np(errno));
		else
			printf("%s ok\n", name);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s killed by signal %d\n", name, WTERMSIG(status));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (access(PLACE, F_OK) < 0) {
		fprintf(stderr,
			"probe: only in a container of the image that tests/images makes\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		int wanted = argc == 1;
		for (int arg = 1; arg < argc; arg++)
			wanted |= strcmp(argv[arg], probes[i].name) == 0;
		if (wanted)
			show(probes[i].name, probes[i].try);
	}
	return 0;
}
