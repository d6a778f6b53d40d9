/* The entry of the program, before libc's: what runtime_cli_seal() would do, for those commands
 * that need it, at a quarter of the price. libc asks the CPU about its caches at each start, which
 * takes 0.3 ms in a virtual machine, where each question is the hypervisor's to answer; a program
 * that is about to execute itself once more can do without. What fails here, or is not foreseen,
 * is left to runtime_cli_seal(), which tells it.
 *
 * Nothing is set up yet: no relocation, no thread-local storage, no libc. So there are no pointers
 * in constants, no calls out of this file, and meson.build switches off what the compiler would
 * add (stack protector, calls of memcpy and its like). */
#include <asm/unistd.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "runtime_cli/seal.h"

/* psABI: the stack holds argc, argv, NULL, envp; rdx is for libc, and no frame is above. */
__asm__(".text\n"
	".globl runtime_cli_seal_early\n"
	".type runtime_cli_seal_early, @function\n"
	"runtime_cli_seal_early:\n"
	"	endbr64\n"
	"	xorl %ebp, %ebp\n"
	"	movq %rsp, %rdi\n"
	"	pushq %rdx\n"
	"	pushq %rdx\n"
	"	call seal_early\n"
	"	popq %rdx\n"
	"	popq %rdx\n"
	"	jmp _start\n");

static long call(long number, long a, long b, long c, long d, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

static bool starts(const char *text, const char *with)
{
	for (; *with; with++)
		if (*text++ != *with)
			return false;
	return true;
}

static bool equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Executed by a descriptor, as by execute_clone(): whether that was one of a read-only mount is
 * for runtime_cli_seal() to see. The auxiliary vector is behind envp. */
static bool is_started_by_descriptor(char *const *envp)
{
	while (*envp)
		envp++;
	for (const unsigned long *aux = (const unsigned long *)(envp + 1); *aux; aux += 2)
		if (*aux == AT_EXECFN)
			return starts((const char *)aux[1], RUNTIME_CLI_SEAL_STARTED_BY);
	return false;
}

/* One word too many, as a container of that name, costs one exec and nothing else. */
static bool is_sealed_command(char *const *argv)
{
	for (; *argv; argv++)
		if (equal(*argv, "create") || equal(*argv, "exec") || equal(*argv, "run"))
			return true;
	return false;
}

static bool is_sealed(long self)
{
	struct statfs mount;
	long seals = call(__NR_fcntl, self, F_GET_SEALS, 0, 0, 0);

	return (seals >= 0 && (seals & F_SEAL_WRITE)) ||
	       call(__NR_fstatfs, self, (long)&mount, 0, 0, 0) < 0 || (mount.f_flags & ST_RDONLY);
}

/* The clone's descriptor stays open over exec(2): see runtime_cli_seal(). */
static void execute_clone(long self, char *const *argv, char *const *envp)
{
	struct mount_attr attr;
	long flags = OPEN_TREE_CLONE | AT_EMPTY_PATH;
	long tree = call(__NR_open_tree, self, (long)"", flags, 0, 0);

	if (tree < 0)
		return;
	attr.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV;
	attr.attr_clr = attr.propagation = attr.userns_fd = 0;
	if (call(__NR_mount_setattr, tree, (long)"", AT_EMPTY_PATH, (long)&attr, sizeof(attr)) == 0)
		call(__NR_execveat, tree, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
	call(__NR_close, tree, 0, 0, 0, 0);
}

static __attribute__((used)) void seal_early(const long *stack)
{
	char *const *argv = (char *const *)(stack + 1);
	char *const *envp = argv + stack[0] + 1;

	if (stack[0] < 2 || !is_sealed_command(argv + 1) || is_started_by_descriptor(envp))
		return;
	long self = call(__NR_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY | O_CLOEXEC, 0, 0);
	if (self < 0)
		return;
	if (!is_sealed(self))
		execute_clone(self, argv, envp);
	call(__NR_close, self, 0, 0, 0, 0);
}
