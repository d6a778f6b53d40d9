#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"
#include "runtime/capability.h"
#include "runtime/seccomp.h"
#include "runtime/seccomp_interpreter.h"
#include "runtime/seccomp_layout.h"
#include "runtime/syscall.h"

#define ALLOW  SECCOMP_RET_ALLOW
#define DENY   (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)

static uint32_t run(const struct runtime_seccomp_filter *filter, uint32_t arch, uint32_t number,
		    const uint64_t args[6])
{
	struct seccomp_data data = { .nr = (int)number, .arch = arch };

	if (args)
		memcpy(data.args, args, sizeof(data.args));
	return seccomp_interpreter_run(filter->items, &data);
}

static struct oci_seccomp profile_of(const char *text)
{
	struct oci_seccomp profile = { 0 };
	own_json struct json_object *object = NULL;
	struct err e;

	ck_assert_msg(json_parse(&object, text, strlen(text), "profile", &e) == 0, "%s", e.text);
	ck_assert_msg(shape_read(&oci_seccomp_shape, object, &profile, &e) == 0, "%s", e.text);
	return profile;
}

/* ---- the oracle ---- */

static uint32_t oracle_action(const char *name, const uint64_t *value)
{
	uint16_t data = (uint16_t)(value ? *value : EPERM);

	if (str_equal(name, "SCMP_ACT_ALLOW"))
		return SCMP_ACT_ALLOW;
	if (str_equal(name, "SCMP_ACT_ERRNO"))
		return SCMP_ACT_ERRNO(data);
	if (str_equal(name, "SCMP_ACT_TRACE"))
		return SCMP_ACT_TRACE(data);
	if (str_equal(name, "SCMP_ACT_TRAP"))
		return SCMP_ACT_TRAP;
	if (str_equal(name, "SCMP_ACT_LOG"))
		return SCMP_ACT_LOG;
	return SCMP_ACT_KILL_PROCESS;
}

static enum scmp_compare oracle_operator(const char *name)
{
	static const char *const names[] = { "", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ" };

	for (unsigned i = 1; i < COUNT_OF(names); i++) {
		if (str_equal(names[i], name + strlen("SCMP_CMP_")))
			return (enum scmp_compare)i;
	}
	ck_abort_msg("operator %s", name);
}

static void oracle_add(scmp_filter_ctx ctx, const struct oci_seccomp_syscall *entry,
		       uint32_t default_action)
{
	uint32_t action = oracle_action(entry->action, entry->errno_ret);
	struct scmp_arg_cmp args[6];

	for (size_t i = 0; i < entry->args.count; i++) {
		const struct oci_seccomp_arg *arg = &entry->args.items[i];
		args[i] = (struct scmp_arg_cmp){ arg->index, oracle_operator(arg->op), arg->value,
						 arg->value_two };
	}
	for (size_t i = 0; action != default_action && i < entry->names.count; i++) {
		int number = seccomp_syscall_resolve_name(entry->names.items[i]);
		if (number == __NR_SCMP_ERROR)
			continue;
		int r = seccomp_rule_add_array(ctx, action, number, (unsigned)entry->args.count,
					       args);
		ck_assert_msg(r == 0 || r == -EDOM || r == -EINVAL, "%s: %d", entry->names.items[i],
			      r);
	}
}

/* libseccomp's filter for the same profile; the caller clears it. */
static struct runtime_seccomp_filter oracle(const struct oci_seccomp *profile)
{
	struct runtime_seccomp_filter filter = { 0 };
	uint32_t default_action =
		oracle_action(profile->default_action, profile->default_errno_ret);
	scmp_filter_ctx ctx = seccomp_init(default_action);
	FILE *file = tmpfile();

	for (size_t i = 0; i < profile->architectures.count; i++) {
		if (str_equal(profile->architectures.items[i], "SCMP_ARCH_X86"))
			ck_assert_int_eq(seccomp_arch_add(ctx, SCMP_ARCH_X86), 0);
		if (str_equal(profile->architectures.items[i], "SCMP_ARCH_X32"))
			ck_assert_int_eq(seccomp_arch_add(ctx, SCMP_ARCH_X32), 0);
	}
	for (size_t i = 0; i < profile->syscalls.count; i++)
		oracle_add(ctx, &profile->syscalls.items[i], default_action);
	ck_assert_int_eq(seccomp_export_bpf(ctx, fileno(file)), 0);
	off_t bytes = lseek(fileno(file), 0, SEEK_END);
	filter.count = (size_t)bytes / sizeof(*filter.items);
	filter.items = mem_new(filter.count, sizeof(*filter.items));
	ck_assert_int_eq(pread(fileno(file), filter.items, (size_t)bytes, 0), bytes);
	fclose(file);
	seccomp_release(ctx);
	return filter;
}

/* Values on both sides of every border that profiles test. */
static const uint64_t interesting[] = {
	0,
	1,
	2,
	3,
	8,
	9,
	10,
	16,
	17,
	36,
	38,
	39,
	40,
	41,
	45,
	46,
	0x5412,
	0x541c,
	0x20000,
	0x20008,
	0x7e020000,
	0x7e020011,
	0x10000000,
	0x02000000,
	0x01200011,
	INT32_MAX,
	0xffffffff,
	0x100000000,
	0x100005412,
	0x100000026,
	0x8000000000000000,
	0xffffffffffffffff,
	0xffffffff00000000,
	0x1234567890,
};

/* Do arguments matter to this call? If not, two sets of them are enough. */
static bool has_conditions(const struct oci_seccomp *profile, size_t abi, uint32_t number)
{
	for (size_t i = 0; i < profile->syscalls.count; i++) {
		const struct oci_seccomp_syscall *entry = &profile->syscalls.items[i];
		for (size_t k = 0; entry->args.count > 0 && k < entry->names.count; k++) {
			const struct runtime_syscall *call =
				runtime_syscall_find(entry->names.items[k]);
			if (call && call->numbers[abi] == (int32_t)number)
				return true;
		}
	}
	return false;
}

struct comparison {
	const struct oci_seccomp *profile;
	struct runtime_seccomp_filter ours;
	struct runtime_seccomp_filter theirs;
	size_t mismatches;
};

static void compare_call(struct comparison *c, uint32_t arch, uint32_t number,
			 const uint64_t args[6])
{
	uint32_t a = run(&c->ours, arch, number, args);
	uint32_t b = run(&c->theirs, arch, number, args);

	if (a != b && c->mismatches++ == 0)
		fprintf(stderr, "arch %x call %u (%llx, %llx...): %x, not %x\n", arch, number,
			(unsigned long long)args[0], (unsigned long long)args[1], a, b);
}

/* One number with each interesting value in each argument, the others being a second value. x32
 * registers have 64 bits, of which libseccomp tests 32. */
static void compare_number(struct comparison *c, enum runtime_syscall_abi abi, uint32_t number)
{
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_X86_64 };
	bool x32 = abi == RUNTIME_SYSCALL_X32;
	uint64_t bits = x32 ? UINT32_MAX : UINT64_MAX;
	uint32_t real = x32 ? number | 0x40000000 : number;
	size_t step = has_conditions(c->profile, abi, number) ? 1 : COUNT_OF(interesting) - 1;

	for (size_t index = 0; index < 6; index++) {
		for (size_t i = 0; i < COUNT_OF(interesting); i += step) {
			for (size_t k = 0; k < COUNT_OF(interesting); k += 7) {
				uint64_t args[6];
				for (size_t n = 0; n < 6; n++)
					args[n] = interesting[n == index ? i : k] & bits;
				compare_call(c, arches[abi], real, args);
				if (step > 1)
					break;
			}
		}
	}
}

/* newest: what the profile names last; beyond it ours says ENOSYS. x86's socketcall and ipc are
 * left out: libseccomp turns rules for socket(2) into ones for them, whose pointer cannot be
 * filtered. */
static void compare(const struct oci_seccomp *profile, uint32_t newest)
{
	struct comparison c = { .profile = profile, .theirs = oracle(profile) };
	struct err e;

	ck_assert_msg(runtime_seccomp_compile(&c.ours, profile, &e) == 0, "%s", e.text);
	ck_assert(seccomp_interpreter_accepts(c.ours.items, c.ours.count));
	fprintf(stderr, "ours %zu, libseccomp's %zu instructions\n", c.ours.count, c.theirs.count);
	for (uint32_t i = 0; i <= newest; i++)
		compare_number(&c, RUNTIME_SYSCALL_X86_64, i);
	for (uint32_t i = 0; i <= newest; i++) {
		if (strv_contains(&profile->architectures, "SCMP_ARCH_X32"))
			compare_number(&c, RUNTIME_SYSCALL_X32, i);
		if (strv_contains(&profile->architectures, "SCMP_ARCH_X86") && i != 102 && i != 117)
			compare_number(&c, RUNTIME_SYSCALL_I386, i);
	}
	ck_assert_uint_eq(c.mismatches, 0);
	runtime_seccomp_filter_clear(&c.ours);
	runtime_seccomp_filter_clear(&c.theirs);
}

#define RULE(names, rest) "{\"names\":[" names "],\"action\":\"SCMP_ACT_ALLOW\"" rest "}"
#define ARG(i, op, v, v2)                                                                          \
	"{\"index\":" #i ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #v ",\"valueTwo\":" #v2 "}"
#define ARGS(list) ",\"args\":[" list "]"
#define PROFILE(rest)                                                                              \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\"],"          \
	"\"syscalls\":[" rest "]}"

static const char *const profiles[] = {
	PROFILE(RULE("\"read\",\"write\",\"no_such_call\",\"futex_waitv\"", "")),
	PROFILE(RULE("\"clone\"", ARGS(ARG(0, "MASKED_EQ", 2114060288, 0)))),
	PROFILE(RULE("\"read\"", "") ",{\"names\":[\"read\"],\"action\":\"SCMP_ACT_TRAP\"}"),
	PROFILE(RULE("\"dup\"", ARGS(ARG(0, "EQ", 3, 0))) ",{\"names\":[\"dup\"],\"action\":"
							  "\"SCMP_ACT_TRAP\"}"),
	PROFILE("{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_TRAP\"}," //
		RULE("\"dup\"", ARGS(ARG(0, "EQ", 3, 0)))),
	PROFILE(RULE("\"ioctl\"", ARGS(ARG(1, "MASKED_EQ", 4294967295, 21522)))),
	PROFILE(RULE("\"ioctl\"", ARGS(ARG(1, "MASKED_EQ", 255, 65535)))),
	PROFILE(RULE("\"personality\"", ARGS(ARG(0, "EQ", 131080, 0)))),
	PROFILE(RULE("\"personality\"", ARGS(ARG(0, "EQ", 0, 0))) "," RULE(
		"\"personality\"", ARGS(ARG(0, "EQ", 4294967295, 0)))),
	PROFILE(RULE("\"socket\"", ARGS(ARG(0, "NE", 40, 0)))),
	PROFILE(RULE("\"socket\"", ARGS(ARG(0, "LT", 17, 0)))),
	PROFILE(RULE("\"socket\"", ARGS(ARG(0, "LE", 4294967296, 0)))),
	PROFILE(RULE("\"socket\"", ARGS(ARG(0, "GT", 4294967295, 0)))),
	PROFILE(RULE("\"socket\"", ARGS(ARG(0, "GE", 4294988822, 0)))),
	PROFILE(RULE("\"socket\"", ARGS(ARG(0, "LT", 4294967297, 0)))),
	PROFILE(RULE("\"socket\",\"mq_open\"",
		     ARGS(ARG(0, "EQ", 16, 0) "," ARG(1, "GE", 3, 0) "," ARG(2, "NE", 9, 0)))),
	PROFILE(RULE("\"mmap\"", ARGS(ARG(5, "GT", 16, 0) "," ARG(2, "MASKED_EQ", 4294967297, 1)))),
	"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
	"{\"names\":[\"mount\",\"umount2\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38},"
	"{\"names\":[\"reboot\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},"
	"{\"names\":[\"kexec_load\"],\"action\":\"SCMP_ACT_TRAP\"},"
	"{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":7},"
	"{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_LOG\"}]}",
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
	"\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],"
	"\"syscalls\":[" RULE("\"read\",\"write\",\"stat64\",\"execve\",\"preadv2\"",
			      "") "," RULE("\"personality\"", ARGS(ARG(0, "EQ", 8, 0))) "," //
	RULE("\"clone\"", ARGS(ARG(0, "MASKED_EQ", 2114060288, 0))) "]}",
};

START_TEST(a_profile_means_what_libseccomp_makes_of_it)
{
	struct oci_seccomp profile = profile_of(profiles[_i]);
	uint32_t newest = 0;
	bool errno_38 = profile.default_errno_ret && *profile.default_errno_ret == ENOSYS;

	for (size_t i = 0; i < profile.syscalls.count; i++) {
		const struct strv *names = &profile.syscalls.items[i].names;
		for (size_t k = 0; k < names->count; k++) {
			const struct runtime_syscall *call = runtime_syscall_find(names->items[k]);
			if (call && call->numbers[0] > (int32_t)newest)
				newest = (uint32_t)call->numbers[0];
		}
	}
	bool allows = str_equal(profile.default_action, "SCMP_ACT_ALLOW");
	compare(&profile, errno_38 || allows ? 600 : newest);
	shape_clear(&oci_seccomp_shape, &profile);
}
END_TEST

static const struct {
	const char *text;
	const char *complaint;
} broken[] = {
	{ "{}", "defaultAction '' is unknown" },
	{ "{\"defaultAction\":\"SCMP_ACT_MAYBE\"}", "defaultAction 'SCMP_ACT_MAYBE' is unknown" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096}",
	  "defaultErrnoRet 4096 of SCMP_ACT_ERRNO: at most 4095" },
	{ "{\"defaultAction\":\"SCMP_ACT_KILL\",\"defaultErrnoRet\":1}",
	  "defaultErrnoRet: SCMP_ACT_KILL has none" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}", "flags[0] 'X' is unknown" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"Z80\"]}",
	  "architectures[0] 'Z80' is unknown" },
	{ PROFILE(RULE("\"read\"", ARGS(ARG(6, "EQ", 0, 0)))), "syscalls[0]: args[0]: index 6" },
	{ PROFILE(RULE("\"read\"", ARGS(ARG(0, "APPROX", 0, 0)))),
	  "syscalls[0]: args[0]: op 'SCMP_CMP_APPROX' is unknown" },
};

START_TEST(a_broken_profile_is_refused_by_name)
{
	struct oci_seccomp profile = profile_of(broken[_i].text);
	struct runtime_seccomp_filter filter = { 0 };
	struct err e;

	ck_assert_int_lt(runtime_seccomp_compile(&filter, &profile, &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_msg(strstr(e.text, broken[_i].complaint) != NULL, "%s", e.text);
	ck_assert_ptr_null(filter.items);
	shape_clear(&oci_seccomp_shape, &profile);
}
END_TEST

START_TEST(conditions_on_one_argument_are_alternatives)
{
	struct oci_seccomp profile = profile_of(
		PROFILE(RULE("\"socket\"", ARGS(ARG(0, "EQ", 1, 0) "," ARG(0, "EQ", 2, 0)))));
	struct runtime_seccomp_filter filter = { 0 };
	struct err e;

	ck_assert_int_eq(runtime_seccomp_compile(&filter, &profile, &e), 0);
	for (uint64_t family = 0; family < 5; family++) {
		uint64_t args[6] = { family };
		ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, SYS_socket, args),
				  family == 1 || family == 2 ? ALLOW : DENY);
	}
	runtime_seccomp_filter_clear(&filter);
	shape_clear(&oci_seccomp_shape, &profile);
}
END_TEST

START_TEST(calls_newer_than_the_profile_are_absent_and_other_abis_too)
{
	struct oci_seccomp profile = profile_of(PROFILE(RULE("\"read\",\"statx\"", "")));
	struct runtime_seccomp_filter filter = { 0 };
	struct err e;

	ck_assert_int_eq(runtime_seccomp_compile(&filter, &profile, &e), 0);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, SYS_read, NULL), ALLOW);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, SYS_write, NULL), DENY);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, SYS_clone3, NULL), ABSENT);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, 5000, NULL), ABSENT);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, 0x40000000, NULL), ABSENT);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, UINT32_MAX, NULL), ABSENT);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_I386, 3, NULL), ABSENT);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_AARCH64, 63, NULL), ABSENT);
	runtime_seccomp_filter_clear(&filter);
	shape_clear(&oci_seccomp_shape, &profile);
}
END_TEST

/* ---- Docker's format ---- */

static struct oci_seccomp docker_profile_of(const char *text, size_t length, uint64_t caps)
{
	struct oci_seccomp profile = { 0 };
	struct err e;

	ck_assert_msg(runtime_seccomp_read_docker(&profile, text, length, caps, &e) == 0, "%s",
		      e.text);
	return profile;
}

START_TEST(docker_rules_apply_by_capability_architecture_and_kernel)
{
	static const char text[] =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"architecture\":"
		"\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]},"
		"{\"architecture\":\"SCMP_ARCH_S390X\"}],\"syscalls\":["
		"{\"name\":\"read\",\"action\":\"SCMP_ACT_ALLOW\"},"
		"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
		"{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
		"{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"includes\":{\"arches\":[\"s390x\"]}},"
		"{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"includes\":{\"minKernel\":\"4.8\"}},"
		"{\"names\":[\"acct\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"includes\":{\"minKernel\":\"99.1\"}}]}";
	struct oci_seccomp plain = docker_profile_of(text, strlen(text), 0);
	struct oci_seccomp admin =
		docker_profile_of(text, strlen(text), UINT64_C(1) << CAP_SYS_ADMIN);

	ck_assert_uint_eq(plain.architectures.count, 2);
	ck_assert_str_eq(plain.architectures.items[1], "SCMP_ARCH_X86");
	ck_assert_uint_eq(plain.syscalls.count, 3);
	ck_assert_str_eq(plain.syscalls.items[1].names.items[0], "clone");
	ck_assert_str_eq(plain.syscalls.items[2].names.items[0], "ptrace");
	ck_assert_uint_eq(admin.syscalls.count, 3);
	ck_assert_str_eq(admin.syscalls.items[1].names.items[0], "mount");
	shape_clear(&oci_seccomp_shape, &plain);
	shape_clear(&oci_seccomp_shape, &admin);
}
END_TEST

/* A real profile of 400 calls, from package golang-github-containers-common. */
START_TEST(the_profile_of_podman_means_what_libseccomp_makes_of_it)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err e;

	if (fd_read_file_at(AT_FDCWD, "/usr/share/containers/seccomp.json", JSON_BYTES_MAX, &text,
			    &e) < 0) {
		fprintf(stderr, "skipped: %s\n", e.text);
		return;
	}
	struct oci_seccomp profile = docker_profile_of(
		text.text, text.length, _i ? UINT64_MAX : runtime_capability_default);
	compare(&profile, 600);
	shape_clear(&oci_seccomp_shape, &profile);
}
END_TEST

/* ---- the default ---- */

static struct runtime_seccomp_filter default_filter(uint64_t capabilities)
{
	const struct runtime_seccomp_default what = { .capabilities = capabilities };
	struct runtime_seccomp_filter filter = { 0 };
	struct err e;

	ck_assert_msg(runtime_seccomp_compile_default(&filter, &what, &e) == 0, "%s", e.text);
	ck_assert(seccomp_interpreter_accepts(filter.items, filter.count));
	return filter;
}

static const struct {
	const char *call;
	int capability; /* with it; -1: without any */
	uint32_t expected;
} calls[] = {
	{ "read", -1, ALLOW },
	{ "execve", -1, ALLOW },
	{ "futex_waitv", -1, ALLOW },
	{ "ptrace", -1, ALLOW },
	{ "mount", -1, DENY },
	{ "mount", CAP_SYS_ADMIN, ALLOW },
	{ "unshare", -1, DENY },
	{ "setns", -1, DENY },
	{ "clone3", -1, ABSENT },
	{ "clone3", CAP_SYS_ADMIN, ALLOW },
	{ "open_tree_attr", -1, ABSENT },
	{ "bpf", -1, DENY },
	{ "bpf", CAP_BPF, ALLOW },
	{ "perf_event_open", -1, DENY },
	{ "perf_event_open", CAP_PERFMON, ALLOW },
	{ "io_uring_setup", -1, DENY },
	{ "io_uring_setup", CAP_SYS_ADMIN, DENY },
	{ "keyctl", CAP_SYS_ADMIN, DENY },
	{ "add_key", -1, DENY },
	{ "request_key", -1, DENY },
	{ "userfaultfd", CAP_SYS_ADMIN, DENY },
	{ "open_by_handle_at", -1, DENY },
	{ "open_by_handle_at", CAP_DAC_READ_SEARCH, ALLOW },
	{ "chroot", -1, DENY },
	{ "chroot", CAP_SYS_CHROOT, ALLOW },
	{ "kexec_load", CAP_SYS_BOOT, DENY },
	{ "reboot", CAP_SYS_BOOT, ALLOW },
	{ "init_module", -1, DENY },
	{ "settimeofday", -1, DENY },
	{ "syslog", CAP_SYSLOG, ALLOW },
	{ "swapon", CAP_SYS_ADMIN, DENY },
	{ "uselib", -1, DENY },
};

START_TEST(the_default_opens_calls_by_capability)
{
	int capability = calls[_i].capability;
	struct runtime_seccomp_filter filter =
		default_filter(capability < 0 ? 0 : UINT64_C(1) << capability);
	const struct runtime_syscall *call = runtime_syscall_find(calls[_i].call);

	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, (uint32_t)call->numbers[0], NULL),
			  calls[_i].expected);
	runtime_seccomp_filter_clear(&filter);
}
END_TEST

static const struct {
	uint32_t number;
	int index;
	uint64_t value;
	uint32_t expected;
} arguments[] = {
	{ SYS_clone, 0, 0x01200011, ALLOW },
	{ SYS_clone, 0, CLONE_NEWUSER, DENY },
	{ SYS_clone, 0, CLONE_NEWNS | 17, DENY },
	{ SYS_ioctl, 1, TCGETS, ALLOW },
	{ SYS_ioctl, 1, TIOCSTI, DENY },
	{ SYS_ioctl, 1, TIOCSTI | UINT64_C(0x100000000), DENY },
	{ SYS_ioctl, 1, TIOCLINUX | UINT64_C(0xffffffff00000000), DENY },
	{ SYS_socket, 0, AF_UNIX, ALLOW },
	{ SYS_socket, 0, AF_INET6, ALLOW },
	{ SYS_socket, 0, AF_NETLINK, ALLOW },
	{ SYS_socket, 0, AF_PACKET, ALLOW },
	{ SYS_socket, 0, AF_ALG, SECCOMP_RET_ERRNO | EAFNOSUPPORT },
	{ SYS_socket, 0, AF_VSOCK, SECCOMP_RET_ERRNO | EAFNOSUPPORT },
	{ SYS_socket, 0, AF_VSOCK | UINT64_C(0x700000000), SECCOMP_RET_ERRNO | EAFNOSUPPORT },
	{ SYS_socket, 0, AF_ALG | UINT64_C(0xffffffff00000000), SECCOMP_RET_ERRNO | EAFNOSUPPORT },
	{ SYS_socket, 0, 46, SECCOMP_RET_ERRNO | EAFNOSUPPORT },
	{ SYS_personality, 0, 0, ALLOW },
	{ SYS_personality, 0, 0xffffffff, ALLOW },
	{ SYS_personality, 0, 0x0040000, DENY },
};

START_TEST(the_default_looks_at_arguments)
{
	struct runtime_seccomp_filter filter = default_filter(runtime_capability_default);
	uint64_t args[6] = { 0 };

	args[arguments[_i].index] = arguments[_i].value;
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, arguments[_i].number, args),
			  arguments[_i].expected);
	runtime_seccomp_filter_clear(&filter);
}
END_TEST

START_TEST(the_default_knows_no_other_abi_and_no_unknown_call)
{
	struct runtime_seccomp_filter filter = default_filter(UINT64_MAX);

	for (uint32_t i = 0; i < 600; i++) {
		ck_assert_uint_eq(run(&filter, AUDIT_ARCH_I386, i, NULL), ABSENT);
		ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, i | 0x40000000, NULL), ABSENT);
		if (i > 336 && i < 424)
			ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, i, NULL), ABSENT);
		if (i >= RUNTIME_SYSCALL_ROWS)
			ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, i, NULL), ABSENT);
	}
	runtime_seccomp_filter_clear(&filter);
}
END_TEST

/* What of a filter is asked of a listener: all that makes a PID namespace, nothing else. */
static void check_children(const struct runtime_seccomp_filter *filter, uint32_t arch, int clone,
			   int clone3)
{
	static const uint64_t flags[] = { CLONE_NEWPID, CLONE_NEWPID | CLONE_NEWUSER | SIGCHLD,
					  UINT64_MAX };
	uint64_t args[6] = { SIGCHLD };

	ck_assert_uint_eq(run(filter, arch, (uint32_t)clone, args), ALLOW);
	ck_assert_uint_eq(run(filter, arch, (uint32_t)clone3, args), ABSENT);
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		args[0] = flags[i];
		ck_assert_uint_eq(run(filter, arch, (uint32_t)clone, args), SECCOMP_RET_USER_NOTIF);
	}
}

START_TEST(children_are_asked_for_where_they_can_be_made)
{
	struct runtime_seccomp_default what = { .capabilities = UINT64_MAX, .children = true };
	struct runtime_seccomp_filter filter = { 0 };
	struct err e;

	ck_assert_int_eq(runtime_seccomp_compile_default(&filter, &what, &e), 0);
	ck_assert(runtime_seccomp_notifies(&filter));
	check_children(&filter, AUDIT_ARCH_X86_64, SYS_clone, SYS_clone3);
	check_children(&filter, AUDIT_ARCH_X86_64, SYS_unshare, SYS_clone3);
	runtime_seccomp_filter_clear(&filter);
	what.capabilities = runtime_capability_default;
	ck_assert_int_eq(runtime_seccomp_compile_default(&filter, &what, &e), 0);
	ck_assert(!runtime_seccomp_notifies(&filter));
	runtime_seccomp_filter_clear(&filter);
}
END_TEST

START_TEST(the_open_filter_lets_all_pass_but_children)
{
	const int x32 = 0x40000000;
	struct runtime_seccomp_filter filter = { 0 };
	uint64_t args[6] = { UINT64_MAX };
	struct err e;

	ck_assert_int_eq(runtime_seccomp_compile_open(&filter, &e), 0);
	ck_assert(seccomp_interpreter_accepts(filter.items, filter.count));
	check_children(&filter, AUDIT_ARCH_X86_64, SYS_clone, SYS_clone3);
	check_children(&filter, AUDIT_ARCH_X86_64, SYS_unshare, SYS_clone3);
	check_children(&filter, AUDIT_ARCH_X86_64, x32 | SYS_clone, x32 | SYS_clone3);
	check_children(&filter, AUDIT_ARCH_X86_64, x32 | SYS_unshare, x32 | SYS_clone3);
	check_children(&filter, AUDIT_ARCH_I386, 120, 435);
	check_children(&filter, AUDIT_ARCH_I386, 310, 435);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, SYS_setns, args), ALLOW);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, SYS_bpf, args), ALLOW);
	ck_assert_uint_eq(run(&filter, AUDIT_ARCH_X86_64, 9999, args), ALLOW);
	runtime_seccomp_filter_clear(&filter);
}
END_TEST

START_TEST(the_default_is_short_and_quick)
{
	const struct runtime_seccomp_default what = { .capabilities = runtime_capability_default };
	struct err e;
	struct runtime_seccomp_filter filter = default_filter(runtime_capability_default);
	int64_t best = INT64_MAX;

	ck_assert_uint_le(filter.count, 200);
	for (int i = 0; i < 50; i++) {
		struct runtime_seccomp_filter again = { 0 };
		int64_t start = moment_monotonic_ns();
		runtime_seccomp_compile_default(&again, &what, &e);
		int64_t took = moment_monotonic_ns() - start;
		best = took < best ? took : best;
		runtime_seccomp_filter_clear(&again);
	}
	fprintf(stderr, "default profile: %zu instructions, compiled in %lld us\n", filter.count,
		(long long)best / 1000);
	runtime_seccomp_filter_clear(&filter);
}
END_TEST

static int probe(void)
{
	if (syscall(SYS_getpid) <= 0)
		return 1;
	if (unshare(CLONE_NEWUSER) == 0 || errno != EPERM)
		return 2;
	if (syscall(SYS_clone3, NULL, 0) == 0 || errno != ENOSYS)
		return 3;
	if (socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0 || errno != EAFNOSUPPORT)
		return 4;
	if (ioctl(0, TIOCSTI, "x") == 0 || errno != EPERM)
		return 5;
	if (syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno != EPERM)
		return 6;
	if (syscall(9999) >= 0 || errno != ENOSYS)
		return 7;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return 8;
	close(fd);
#ifdef __x86_64__
	long i386_getpid = 20;
	__asm__ volatile("int $0x80" : "+a"(i386_getpid) : : "memory", "r8", "r9", "r10", "r11");
	if (i386_getpid != -ENOSYS)
		return 9;
#endif
	return 0;
}

START_TEST(the_kernel_takes_the_default_and_keeps_it)
{
	struct runtime_seccomp_filter filter = default_filter(runtime_capability_default);
	struct err e;
	int status;

	pid_t pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    runtime_seccomp_install_in_child(&filter, &e) != 0)
			_exit(99);
		_exit(probe());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert(WIFEXITED(status));
	runtime_seccomp_filter_clear(&filter);
}
END_TEST

START_TEST(the_table_agrees_with_the_kernel_headers)
{
	static const struct {
		const char *name;
		int number;
	} sample[] = {
#define N(name) { #name, SYS_##name }
		N(read), N(openat), N(execveat), N(clone3), N(futex_waitv), N(seccomp), N(rseq),
	};

	for (size_t i = 0; i < COUNT_OF(sample); i++) {
		struct err e;
		int abi = runtime_seccomp_native(&e);
		ck_assert_int_eq(runtime_syscall_find(sample[i].name)->numbers[abi],
				 sample[i].number);
	}
	for (size_t i = 1; i < runtime_syscall_count; i++)
		ck_assert_int_lt(
			strcmp(runtime_syscall_table[i - 1].name, runtime_syscall_table[i].name),
			0);
	for (size_t i = 0; i < runtime_syscall_count; i++) {
		const struct runtime_syscall *call = &runtime_syscall_table[i];
		static const uint32_t arches[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32,
						   SCMP_ARCH_AARCH64, SCMP_ARCH_ARM };
		for (size_t a = 0; a < COUNT_OF(arches); a++) {
			int number = seccomp_syscall_resolve_name_arch(arches[a], call->name);
			/* libseccomp gives negative numbers to what it does not know */
			if (number >= 0)
				ck_assert_msg(call->numbers[a] ==
						      (a == 2 ? number & ~0x40000000 : number),
					      "%s", call->name);
		}
	}
}
END_TEST

UNIT_MAIN("runtime/seccomp",
	  UNIT_LOOP(a_profile_means_what_libseccomp_makes_of_it, COUNT_OF(profiles)),
	  UNIT_LOOP(a_broken_profile_is_refused_by_name, COUNT_OF(broken)),
	  UNIT(conditions_on_one_argument_are_alternatives),
	  UNIT(calls_newer_than_the_profile_are_absent_and_other_abis_too),
	  UNIT(docker_rules_apply_by_capability_architecture_and_kernel),
	  UNIT_LOOP(the_profile_of_podman_means_what_libseccomp_makes_of_it, 2),
	  UNIT_LOOP(the_default_opens_calls_by_capability, COUNT_OF(calls)),
	  UNIT_LOOP(the_default_looks_at_arguments, COUNT_OF(arguments)),
	  UNIT(the_default_knows_no_other_abi_and_no_unknown_call),
	  UNIT(children_are_asked_for_where_they_can_be_made),
	  UNIT(the_open_filter_lets_all_pass_but_children), UNIT(the_default_is_short_and_quick),
	  UNIT(the_kernel_takes_the_default_and_keeps_it),
	  UNIT(the_table_agrees_with_the_kernel_headers))
