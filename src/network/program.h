/* program.h - programs for the kernel by bpf(2), for cls_bpf on a device: they are written as their
 * instructions, as few of them as there are, and live as long as the filter that has them. */
#pragma once
#include <linux/bpf.h>
#include <stddef.h>

struct err;

/* Code, destination, source, offset, immediate value. */
#define NETWORK_OP(c, d, s, o, i)                                                                  \
	(struct bpf_insn)                                                                          \
	{                                                                                          \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                \
	}

/* An array of one value, of these bytes (NULL: all 0), that a program reads and writes in place
 * (BPF_PSEUDO_MAP_VALUE). Its descriptor, the caller's: a program that was loaded keeps it. */
int network_program_map(const void *bytes, size_t length, struct err *e);

/* A program of traffic control. Its descriptor, the caller's. */
int network_program_load(const struct bpf_insn *instructions, size_t count, struct err *e);
