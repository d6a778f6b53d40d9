/* pace.c - the generic cell rate algorithm (ITU-T I.371): one number is kept, the time up to which
 * what has passed would have taken at the rate. A packet that would push it further into the future
 * than the burst allows is dropped and leaves it as it is. Two processors that do this at once may
 * let a packet too many through; over time that evens out. */
#include "network/pace.h"

#include <linux/pkt_cls.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "network/program.h"

/* A byte's time in 1/1024 ns: exact enough up to 1 Tbit/s. */
enum { TIME_SHIFT = 10 };

int network_pace_load(uint64_t rate, uint32_t burst, struct err *e)
{
	own_fd int map = network_program_map(NULL, sizeof(uint64_t), e);
	if (map < 0)
		return map;
	uint64_t byte_time = (UINT64_C(1000000000) << TIME_SHIFT) / rate;
	uint64_t burst_ns = byte_time * burst >> TIME_SHIFT;
	const struct bpf_insn program[] = {
		NETWORK_OP(BPF_LDX | BPF_W | BPF_MEM, 7, 1, offsetof(struct __sk_buff, len), 0),
		NETWORK_OP(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns),
		NETWORK_OP(BPF_ALU64 | BPF_MOV | BPF_X, 8, 0, 0, 0), /* 8: now */
		NETWORK_OP(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_VALUE, 0, map),
		NETWORK_OP(0, 0, 0, 0, 0),
		NETWORK_OP(BPF_LDX | BPF_DW | BPF_MEM, 2, 1, 0, 0), /* 2: up to when it is used */
		NETWORK_OP(BPF_JMP | BPF_JGE | BPF_X, 2, 8, 1, 0),
		NETWORK_OP(BPF_ALU64 | BPF_MOV | BPF_X, 2, 8, 0, 0), /* at least now */
		NETWORK_OP(BPF_LD | BPF_DW | BPF_IMM, 3, 0, 0, (int32_t)(uint32_t)byte_time),
		NETWORK_OP(0, 0, 0, 0, (int32_t)(byte_time >> 32)),
		NETWORK_OP(BPF_ALU64 | BPF_MUL | BPF_X, 7, 3, 0, 0),
		NETWORK_OP(BPF_ALU64 | BPF_RSH | BPF_K, 7, 0, 0, TIME_SHIFT),
		NETWORK_OP(BPF_ALU64 | BPF_ADD | BPF_X, 2, 7, 0, 0), /* and this packet */
		NETWORK_OP(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
		NETWORK_OP(BPF_ALU64 | BPF_SUB | BPF_X, 4, 8, 0, 0),
		NETWORK_OP(BPF_LD | BPF_DW | BPF_IMM, 5, 0, 0, (int32_t)(uint32_t)burst_ns),
		NETWORK_OP(0, 0, 0, 0, (int32_t)(burst_ns >> 32)),
		NETWORK_OP(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, TC_ACT_SHOT),
		NETWORK_OP(BPF_JMP | BPF_JGT | BPF_X, 4, 5, 2, 0),
		NETWORK_OP(BPF_STX | BPF_DW | BPF_MEM, 1, 2, 0, 0),
		NETWORK_OP(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, TC_ACT_UNSPEC),
		NETWORK_OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	return network_program_load(program, COUNT_OF(program), e);
}
