/* pace.c - the generic cell rate algorithm (ITU-T I.371): one number is kept, the time up to which
 * what has passed would have taken at the rate. A packet that would push it further into the future
 * than the burst allows is dropped and leaves it as it is. Two processors that do this at once may
 * let a packet too many through; over time that evens out. */
#include "network/pace.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"

/* A byte's time in 1/1024 ns: exact enough up to 1 Tbit/s. */
enum { TIME_SHIFT = 10 };

static int call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int make_map(struct err *e)
{
	union bpf_attr attr = { 0 };

	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(uint64_t);
	attr.max_entries = 1;
	int fd = call(BPF_MAP_CREATE, &attr);
	return fd < 0 ? err_sys(e, "make a map for bpf") : fd;
}

#define OP(c, d, s, o, i)                                                                          \
	(struct bpf_insn)                                                                          \
	{                                                                                          \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                \
	}

int network_pace_load(uint64_t rate, uint32_t burst, struct err *e)
{
	own_fd int map = make_map(e);
	if (map < 0)
		return map;
	uint64_t byte_time = (UINT64_C(1000000000) << TIME_SHIFT) / rate;
	uint64_t burst_ns = byte_time * burst >> TIME_SHIFT;
	const struct bpf_insn program[] = {
		OP(BPF_LDX | BPF_W | BPF_MEM, 7, 1, offsetof(struct __sk_buff, len), 0),
		OP(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns),
		OP(BPF_ALU64 | BPF_MOV | BPF_X, 8, 0, 0, 0), /* 8: now */
		OP(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_VALUE, 0, map),
		OP(0, 0, 0, 0, 0),
		OP(BPF_LDX | BPF_DW | BPF_MEM, 2, 1, 0, 0), /* 2: up to when it is used */
		OP(BPF_JMP | BPF_JGE | BPF_X, 2, 8, 1, 0),
		OP(BPF_ALU64 | BPF_MOV | BPF_X, 2, 8, 0, 0), /* at least now */
		OP(BPF_LD | BPF_DW | BPF_IMM, 3, 0, 0, (int32_t)(uint32_t)byte_time),
		OP(0, 0, 0, 0, (int32_t)(byte_time >> 32)),
		OP(BPF_ALU64 | BPF_MUL | BPF_X, 7, 3, 0, 0),
		OP(BPF_ALU64 | BPF_RSH | BPF_K, 7, 0, 0, TIME_SHIFT),
		OP(BPF_ALU64 | BPF_ADD | BPF_X, 2, 7, 0, 0), /* and this packet */
		OP(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
		OP(BPF_ALU64 | BPF_SUB | BPF_X, 4, 8, 0, 0),
		OP(BPF_LD | BPF_DW | BPF_IMM, 5, 0, 0, (int32_t)(uint32_t)burst_ns),
		OP(0, 0, 0, 0, (int32_t)(burst_ns >> 32)),
		OP(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, TC_ACT_SHOT),
		OP(BPF_JMP | BPF_JGT | BPF_X, 4, 5, 2, 0),
		OP(BPF_STX | BPF_DW | BPF_MEM, 1, 2, 0, 0),
		OP(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, TC_ACT_UNSPEC),
		OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = { 0 };

	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = COUNT_OF(program);
	attr.license = (uintptr_t) "GPL";
	int fd = call(BPF_PROG_LOAD, &attr);
	return fd < 0 ? err_sys(e, "load a program into the kernel (bpf)") : fd;
}
