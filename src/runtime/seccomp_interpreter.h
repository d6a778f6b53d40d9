/* seccomp_interpreter.h - evaluates a filter as the kernel does, for tests: it refuses what the
 * kernel's checker refuses (jumps out of range, unknown instructions, no return at the end). */
#pragma once
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool seccomp_interpreter_knows(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_ALU | BPF_AND | BPF_K:
	case BPF_ALU | BPF_AND | BPF_X:
	case BPF_JMP | BPF_JA:
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_RET | BPF_K:
		return true;
	default:
		return false;
	}
}

/* kernel/seccomp.c, seccomp_check_filter(), and net/core/filter.c, bpf_check_classic(). */
static inline bool seccomp_interpreter_accepts(const struct sock_filter *items, size_t count)
{
	if (count == 0 || count > BPF_MAXINSNS || items[count - 1].code != (BPF_RET | BPF_K))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct sock_filter *item = &items[i];
		size_t left = count - i - 1;
		if (!seccomp_interpreter_knows(item->code))
			return false;
		if (BPF_CLASS(item->code) == BPF_LD &&
		    (item->k >= sizeof(struct seccomp_data) || item->k % 4))
			return false;
		if (item->code == (BPF_JMP | BPF_JA) && item->k >= left)
			return false;
		if (BPF_CLASS(item->code) == BPF_JMP && (item->jt >= left || item->jf >= left))
			return false;
	}
	return true;
}

static inline uint32_t seccomp_interpreter_run(const struct sock_filter *items,
					       const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t i = 0;; i++) {
		const struct sock_filter *item = &items[i];
		bool yes = false;
		switch (item->code) {
		case BPF_RET | BPF_K:
			return item->k;
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + item->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= item->k;
			continue;
		case BPF_JMP | BPF_JA:
			i += item->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == item->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= item->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			yes = a > item->k;
			break;
		default:
			yes = (a & item->k) != 0;
			break;
		}
		i += yes ? item->jt : item->jf;
	}
}
