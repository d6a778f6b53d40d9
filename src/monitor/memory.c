/* memory.c - the wait for events, which gives memory back when nothing happens for a while.
 *
 * Starting a container touches ten times what watching it needs: heap, stack, and the pages of
 * this program. What is free goes back to the system; the pages of the program that nobody wrote
 * to are dropped, too, since they come from the file again by themselves. A fault maps 64 KiB
 * around its address (fault_around_bytes), so the calls from there on are made in line: what the
 * wait touches is one such piece of the program, and not one of each C library function. */
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "monitor/monitor.h"

enum { IDLE_MS = 100, STACK_BYTES = 128 << 10 };

#if defined(__x86_64__)
static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#else
static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
	long ret = syscall(number, a, b, c, d, e, f);

	return ret < 0 ? -errno : ret;
}
#endif

static uintptr_t page_down(uintptr_t at)
{
	return at & ~(uintptr_t)4095; /* dropping less than a larger page is harmless: EINVAL */
}

static int find_ranges(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct monitor_memory *memory = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum && memory->count < MONITOR_MEMORY_RANGES; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_LOAD || header->p_flags & PF_W)
			continue;
		uintptr_t start = page_down(info->dlpi_addr + header->p_vaddr);
		uintptr_t end = info->dlpi_addr + header->p_vaddr + header->p_memsz;
		memory->start[memory->count] = start;
		memory->length[memory->count++] = page_down(end + 4095) - start;
	}
	return 1; /* the first object is the program; there is no other in a static one */
}

static int wait_for(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
	return (int)call6(SYS_epoll_pwait, epoll, (long)events, max, timeout_ms, 0, 0);
}

/* From the first madvise(2) on nothing else of the program may be called. */
static int give_back_and_wait(const struct monitor_memory *memory, int epoll,
			      struct epoll_event *events, int max, int timeout_ms)
{
	uintptr_t below = page_down((uintptr_t)__builtin_frame_address(0)) - 4096;

	call6(SYS_madvise, (long)(below - STACK_BYTES), STACK_BYTES, MADV_DONTNEED, 0, 0, 0);
	for (int i = 0; i < memory->count; i++)
		call6(SYS_madvise, (long)memory->start[i], (long)memory->length[i], MADV_DONTNEED,
		      0, 0, 0);
	return wait_for(epoll, events, max, timeout_ms);
}

int monitor_memory_wait(struct monitor_memory *memory, int epoll, struct epoll_event *events,
			int max, int timeout_ms)
{
	bool bounded = timeout_ms >= 0 && timeout_ms <= IDLE_MS;

	if (!memory->count)
		dl_iterate_phdr(find_ranges, memory);
	int r = wait_for(epoll, events, max, bounded || memory->idle ? timeout_ms : IDLE_MS);
	if (r == 0 && !bounded && !memory->idle) {
		memory->idle = true;
		malloc_trim(0);
		r = give_back_and_wait(memory, epoll, events, max,
				       timeout_ms < 0 ? -1 : timeout_ms - IDLE_MS);
	}
	if (r > 0)
		memory->idle = false;
	return r;
}
