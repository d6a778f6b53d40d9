/* The device filter of cgroup v2: a program of a few instructions per rule, newest rule first, so
 * that the first match decides. bpf(2); the context is struct bpf_cgroup_dev_ctx. */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/user_ids.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_device.h"

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

/* A rule takes at most 8 instructions, the frame 7. */
enum { RULE_LENGTH_MAX = 8, FRAME_LENGTH = 7 };

/* What the registers hold. */
enum { RESULT = BPF_REG_0, CONTEXT, TYPE, ACCESS, MAJOR, MINOR, SCRATCH };

#define INSTRUCTION(op, to, from, offset, value)                                                   \
	((struct bpf_insn){ .code = (op),                                                          \
			    .dst_reg = (to),                                                       \
			    .src_reg = (from),                                                     \
			    .off = (int16_t)(offset),                                              \
			    .imm = (int32_t)(value) })
#define LOAD(to, member)                                                                           \
	INSTRUCTION(BPF_LDX | BPF_MEM | BPF_W, to, CONTEXT,                                        \
		    offsetof(struct bpf_cgroup_dev_ctx, member), 0)
#define MOVE(to, from)         INSTRUCTION(BPF_ALU | BPF_MOV | BPF_X, to, from, 0, 0)
#define SET(to, value)         INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value)
#define AND(to, value)         INSTRUCTION(BPF_ALU | BPF_AND | BPF_K, to, 0, 0, value)
#define SHIFT(to, bits)        INSTRUCTION(BPF_ALU | BPF_RSH | BPF_K, to, 0, 0, bits)
#define UNLESS(reg, value)     INSTRUCTION(BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, value)
#define UNLESS_NOT(reg, value) INSTRUCTION(BPF_JMP32 | BPF_JEQ | BPF_K, reg, 0, 0, value)
#define EXIT                   INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* An allowing rule matches a request that lies within its access; a denying one, a request that
 * touches it. */
static size_t bpf_rule(struct bpf_insn *to, const struct runtime_cgroup_device_rule *rule)
{
	size_t n = 0;
	int type = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;

	to[n++] = UNLESS(TYPE, type);
	if (rule->access != ACCESS_ALL) {
		to[n++] = MOVE(SCRATCH, ACCESS);
		to[n++] = AND(SCRATCH, rule->allow ? ~rule->access & ACCESS_ALL : rule->access);
		to[n++] = rule->allow ? UNLESS(SCRATCH, 0) : UNLESS_NOT(SCRATCH, 0);
	}
	if (rule->major >= 0)
		to[n++] = UNLESS(MAJOR, rule->major);
	if (rule->minor >= 0)
		to[n++] = UNLESS(MINOR, rule->minor);
	to[n++] = SET(RESULT, rule->allow);
	to[n++] = EXIT;
	for (size_t i = 0; i < n; i++) {
		if (BPF_CLASS(to[i].code) == BPF_JMP32)
			to[i].off = (int16_t)(n - i - 1);
	}
	return n;
}

void runtime_cgroup_device_bpf_compile(struct bpf_insn **ret, size_t *ret_count,
				       const struct runtime_cgroup_device_rules *rules)
{
	struct bpf_insn *program =
		mem_new(FRAME_LENGTH + rules->count * RULE_LENGTH_MAX, sizeof(*program));
	size_t n = 0;

	program[n++] = LOAD(TYPE, access_type);
	program[n++] = MOVE(ACCESS, TYPE);
	program[n++] = AND(TYPE, 0xffff);
	program[n++] = SHIFT(ACCESS, 16);
	program[n++] = LOAD(MAJOR, major);
	program[n++] = LOAD(MINOR, minor);
	for (size_t i = rules->count; i > 0; i--)
		n += bpf_rule(program + n, &rules->items[i - 1]);
	program = mem_resize(program, n + 2, sizeof(*program));
	program[n++] = SET(RESULT, rules->allow);
	program[n++] = EXIT;
	*ret = program;
	*ret_count = n;
}

static int bpf_call(enum bpf_cmd command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static int bpf_load(const struct bpf_insn *program, size_t count, struct err *e)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)program,
		.insn_cnt = (uint32_t)count,
		.license = (uintptr_t) "GPL",
		.prog_name = "holm_device",
	};

	int fd = bpf_call(BPF_PROG_LOAD, &attr);
	if (fd >= 0)
		return fd;
	err_number(e, -fd, "load the device filter");
	return err_hint(e, "device rules on cgroup v2 need CAP_BPF or CAP_SYS_ADMIN, and a kernel "
			   "with CONFIG_CGROUP_BPF");
}

/* A descriptor of the one program that is attached to this folder itself, or -1. */
static int bpf_attached(int folder)
{
	uint32_t ids[64];
	union bpf_attr query = { 0 };

	query.query.target_fd = (uint32_t)folder;
	query.query.attach_type = BPF_CGROUP_DEVICE;
	query.query.prog_ids = (uintptr_t)ids;
	query.query.prog_cnt = COUNT_OF(ids);
	if (bpf_call(BPF_PROG_QUERY, &query) < 0 || query.query.prog_cnt != 1)
		return -1;
	union bpf_attr open = { .prog_id = ids[0] };
	return bpf_call(BPF_PROG_GET_FD_BY_ID, &open);
}

int runtime_cgroup_device_bpf_attach(int folder, const struct oci_resources *resources,
				     struct err *e)
{
	own_clear(
		runtime_cgroup_device_rules_clear) struct runtime_cgroup_device_rules rules = { 0 };
	own_free struct bpf_insn *program = NULL;
	size_t count;

	if (resources->devices.count == 0 || user_ids_are_mapped())
		return 0;
	int r = runtime_cgroup_device_rules_read(&rules, resources, e);
	if (r < 0)
		return r;
	runtime_cgroup_device_bpf_compile(&program, &count, &rules);
	own_fd int fd = bpf_load(program, count, e);
	if (fd < 0)
		return fd;
	own_fd int old = bpf_attached(folder);
	union bpf_attr attach = {
		.target_fd = (uint32_t)folder,
		.attach_bpf_fd = (uint32_t)fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI | (old >= 0 ? BPF_F_REPLACE : 0),
		.replace_bpf_fd = old >= 0 ? (uint32_t)old : 0,
	};
	r = bpf_call(BPF_PROG_ATTACH, &attach);
	return r < 0 ? err_number(e, -r, "attach the device filter") : 0;
}
