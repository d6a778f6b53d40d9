#include "network/program.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

static int call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int network_program_map(const void *bytes, size_t length, struct err *e)
{
	union bpf_attr attr = { 0 };
	const uint32_t first = 0;

	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(first);
	attr.value_size = (uint32_t)length;
	attr.max_entries = 1;
	own_fd int map = call(BPF_MAP_CREATE, &attr);
	if (map < 0)
		return err_sys(e, "make a map for bpf");
	attr = (union bpf_attr){ 0 };
	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)&first;
	attr.value = (uintptr_t)bytes;
	if (bytes && call(BPF_MAP_UPDATE_ELEM, &attr) < 0)
		return err_sys(e, "fill a map for bpf");
	return take_fd(&map);
}

int network_program_load(const struct bpf_insn *instructions, size_t count, struct err *e)
{
	union bpf_attr attr = { 0 };

	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)instructions;
	attr.insn_cnt = (uint32_t)count;
	attr.license = (uintptr_t) "GPL";
	int fd = call(BPF_PROG_LOAD, &attr);
	return fd < 0 ? err_sys(e, "load a program into the kernel (bpf)") : fd;
}
