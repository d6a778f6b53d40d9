#include "runtime/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/seccomp_layout.h"
#include "runtime/seccomp_program.h"
#include "runtime/syscall.h"

/* The kernel cuts larger errors down to this, include/linux/err.h. */
#define ERRNO_MAX 4095

/* Linux 6.0; <linux/seccomp.h> of the build host may not know the newest. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static const struct {
	const char *name;
	uint32_t action;
	uint32_t value_max; /* of errnoRet; 0: it takes none */
	uint32_t value;     /* if none is given */
} actions[] = {
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, 0, 0 },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, 0, 0 },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, 0, 0 },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, 0, 0 },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, ERRNO_MAX, EPERM },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, UINT16_MAX, EPERM },
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, 0, 0 },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG, 0, 0 },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF, 0, 0 },
};

static const struct {
	const char *name;
	enum runtime_seccomp_operator op;
} operators[] = {
	{ "SCMP_CMP_NE", RUNTIME_SECCOMP_NE },
	{ "SCMP_CMP_LT", RUNTIME_SECCOMP_LT },
	{ "SCMP_CMP_LE", RUNTIME_SECCOMP_LE },
	{ "SCMP_CMP_EQ", RUNTIME_SECCOMP_EQ },
	{ "SCMP_CMP_GE", RUNTIME_SECCOMP_GE },
	{ "SCMP_CMP_GT", RUNTIME_SECCOMP_GT },
	{ "SCMP_CMP_MASKED_EQ", RUNTIME_SECCOMP_MASKED_EQ },
};

static const struct {
	const char *name;
	uint32_t flag;
} flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};

/* machine is what uname(2) says. Architectures that holm does not run on are accepted and left
 * out, because profiles list them all. */
static const struct {
	const char *name;
	const char *machine;
	int abi; /* -1: none of ours */
} known[] = {
	{ "SCMP_ARCH_X86_64", "x86_64", RUNTIME_SYSCALL_X86_64 },
	{ "SCMP_ARCH_X86", "x86_64", RUNTIME_SYSCALL_I386 },
	{ "SCMP_ARCH_X32", "x86_64", RUNTIME_SYSCALL_X32 },
	{ "SCMP_ARCH_AARCH64", "aarch64", RUNTIME_SYSCALL_AARCH64 },
	{ "SCMP_ARCH_ARM", "aarch64", RUNTIME_SYSCALL_ARM },
	{ "SCMP_ARCH_MIPS", "", -1 },
	{ "SCMP_ARCH_MIPS64", "", -1 },
	{ "SCMP_ARCH_MIPS64N32", "", -1 },
	{ "SCMP_ARCH_MIPSEL", "", -1 },
	{ "SCMP_ARCH_MIPSEL64", "", -1 },
	{ "SCMP_ARCH_MIPSEL64N32", "", -1 },
	{ "SCMP_ARCH_PPC", "", -1 },
	{ "SCMP_ARCH_PPC64", "", -1 },
	{ "SCMP_ARCH_PPC64LE", "", -1 },
	{ "SCMP_ARCH_S390", "", -1 },
	{ "SCMP_ARCH_S390X", "", -1 },
	{ "SCMP_ARCH_PARISC", "", -1 },
	{ "SCMP_ARCH_PARISC64", "", -1 },
	{ "SCMP_ARCH_RISCV64", "", -1 },
	{ "SCMP_ARCH_LOONGARCH64", "", -1 },
	{ "SCMP_ARCH_M68K", "", -1 },
	{ "SCMP_ARCH_SH", "", -1 },
	{ "SCMP_ARCH_SHEB", "", -1 },
};

/* seccomp(2): a flag that is known gets as far as the program, which is not there. */
static bool kernel_has_flag(unsigned long flag)
{
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) /* only together */
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

void runtime_seccomp_names(struct runtime_seccomp_names *to)
{
	struct utsname host;

	uname(&host);
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		strv_add(&to->actions, actions[i].name);
	for (size_t i = 0; i < COUNT_OF(operators); i++)
		strv_add(&to->operators, operators[i].name);
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		strv_add(&to->flags, flags[i].name);
		if (kernel_has_flag(flags[i].flag))
			strv_add(&to->kernel_flags, flags[i].name);
	}
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (strcmp(known[i].machine, host.machine) == 0)
			strv_add(&to->architectures, known[i].name);
}

void runtime_seccomp_names_clear(struct runtime_seccomp_names *names)
{
	strv_clear(&names->actions);
	strv_clear(&names->operators);
	strv_clear(&names->flags);
	strv_clear(&names->kernel_flags);
	strv_clear(&names->architectures);
}

void runtime_seccomp_filter_clear(struct runtime_seccomp_filter *filter)
{
	free(filter->items);
	*filter = (struct runtime_seccomp_filter){ 0 };
}

int runtime_seccomp_native(struct err *e)
{
	struct utsname host;

	uname(&host);
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (str_equal(known[i].machine, host.machine))
			return known[i].abi;
	}
	return err_set(e, ERR_UNSUPPORTED, "no seccomp filters for architecture %s", host.machine);
}

/* The members' names are for the error. An errno for an action that has none is an error
 * (runtime-spec config-linux.md#seccomp). */
static int seccomp_action(uint32_t *ret, const char *member, const char *name,
			  const char *value_member, const uint64_t *value, struct err *e)
{
	for (size_t i = 0; name && i < COUNT_OF(actions); i++) {
		if (!str_equal(actions[i].name, name))
			continue;
		uint64_t data = value ? *value : actions[i].value;
		if (value && !actions[i].value_max)
			return err_set(e, ERR_INVALID, "%s: %s has none", value_member, name);
		if (data > actions[i].value_max)
			return err_set(e, ERR_INVALID, "%s %llu of %s: at most %u", value_member,
				       (unsigned long long)data, name, actions[i].value_max);
		*ret = actions[i].action | (uint32_t)data;
		return 0;
	}
	return err_set(e, ERR_INVALID, "%s '%s' is unknown", member, name ? name : "");
}

static int seccomp_flags(uint32_t *ret, const struct strv *names, struct err *e)
{
	uint32_t all = 0;

	for (size_t i = 0; i < names->count; i++) {
		size_t k = 0;
		while (k < COUNT_OF(flags) && !str_equal(flags[k].name, names->items[i]))
			k++;
		if (k == COUNT_OF(flags))
			return err_set(e, ERR_INVALID, "flags[%zu] '%s' is unknown", i,
				       names->items[i]);
		all |= flags[k].flag;
	}
	*ret = all;
	return 0;
}

/* The native ABI always counts, listed or not: else nothing would be filtered at all. */
static int seccomp_use(struct runtime_seccomp_program *program, const struct strv *names,
		       uint32_t fallback, struct err *e)
{
	int native = runtime_seccomp_native(e);

	if (native < 0)
		return native;
	const char *machine = "";
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (known[i].abi == native)
			machine = known[i].machine;
	}
	runtime_seccomp_program_use(program, (enum runtime_syscall_abi)native, fallback);
	for (size_t i = 0; i < names->count; i++) {
		size_t k = 0;
		while (k < COUNT_OF(known) && !str_equal(known[k].name, names->items[i]))
			k++;
		if (k == COUNT_OF(known))
			return err_set(e, ERR_INVALID, "architectures[%zu] '%s' is unknown", i,
				       names->items[i]);
		if (known[k].abi >= 0 && str_equal(known[k].machine, machine) &&
		    !program->abis[known[k].abi].used)
			runtime_seccomp_program_use(program, (enum runtime_syscall_abi)known[k].abi,
						    fallback);
	}
	return 0;
}

static int seccomp_condition(struct runtime_seccomp_condition *ret,
			     const struct oci_seccomp_arg *arg, struct err *e)
{
	size_t k = 0;

	if (arg->index > 5)
		return err_set(e, ERR_INVALID, "index %u: a call has 0 to 5", arg->index);
	while (k < COUNT_OF(operators) && !str_equal(operators[k].name, arg->op))
		k++;
	if (k == COUNT_OF(operators))
		return err_set(e, ERR_INVALID, "op '%s' is unknown", arg->op ? arg->op : "");
	bool masked = operators[k].op == RUNTIME_SECCOMP_MASKED_EQ;
	*ret = (struct runtime_seccomp_condition){
		.index = (uint8_t)arg->index,
		.op = (uint8_t)operators[k].op,
		.mask = masked ? arg->value : UINT64_MAX,
		.value = masked ? arg->value_two & arg->value : arg->value,
	};
	return 0;
}

static int seccomp_link_names(struct runtime_seccomp_program *program,
			      const struct oci_seccomp_syscall *entry,
			      const struct runtime_seccomp_rule *rule, struct err *e)
{
	int index = runtime_seccomp_program_add(program, rule, e);

	if (index < 0)
		return index;
	for (size_t i = 0; i < entry->names.count; i++) {
		const struct runtime_syscall *call = runtime_syscall_find(entry->names.items[i]);
		int r = call ? runtime_seccomp_program_link(program, call, (size_t)index, e) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* Conditions on different arguments must all hold; several on one argument are alternatives, as
 * runc has it (opencontainers/runc: libcontainer/seccomp, matchCall). */
static int seccomp_entry(struct runtime_seccomp_program *program,
			 const struct oci_seccomp_syscall *entry, uint32_t default_action,
			 struct err *e)
{
	struct runtime_seccomp_rule rule = { 0 };
	unsigned seen = 0;
	bool twice = false;

	int r = seccomp_action(&rule.action, "action", entry->action, "errnoRet", entry->errno_ret,
			       e);
	if (r == 0 && entry->names.count == 0)
		r = err_set(e, ERR_INVALID, "names is empty");
	if (r < 0)
		return r;
	for (size_t i = 0; i < entry->args.count; i++) {
		struct runtime_seccomp_condition condition;
		r = seccomp_condition(&condition, &entry->args.items[i], e);
		if (r < 0)
			return err_add(e, "args[%zu]", i);
		twice = twice || seen & 1U << condition.index;
		seen |= 1U << condition.index;
		rule.conditions[i % RUNTIME_SECCOMP_CONDITIONS_MAX] = condition;
	}
	if (rule.action == default_action)
		return 0;
	if (!twice) {
		rule.count = (uint8_t)entry->args.count;
		return seccomp_link_names(program, entry, &rule, e);
	}
	rule.count = 1;
	for (size_t i = 0; i < entry->args.count; i++) {
		r = seccomp_condition(&rule.conditions[0], &entry->args.items[i], e);
		if (r == 0)
			r = seccomp_link_names(program, entry, &rule, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Calls that came after those the author of the profile knew fail as unknown ones do, so that
 * programs fall back (as runc does); only where calls are refused by an error anyhow. */
static void seccomp_refuse_newer(struct runtime_seccomp_program *program,
				 const struct oci_seccomp *profile, uint32_t default_action)
{
	const uint32_t unknown = SECCOMP_RET_ERRNO | ENOSYS;
	int32_t newest[RUNTIME_SYSCALL_ABIS] = { 0 };

	if ((default_action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		return;
	for (size_t i = 0; i < profile->syscalls.count; i++) {
		const struct strv *names = &profile->syscalls.items[i].names;
		for (size_t k = 0; k < names->count; k++) {
			const struct runtime_syscall *call = runtime_syscall_find(names->items[k]);
			for (size_t a = 0; call && a < RUNTIME_SYSCALL_ABIS; a++) {
				int32_t number = call->numbers[a];
				if (number < RUNTIME_SECCOMP_NUMBERS && number > newest[a])
					newest[a] = number;
			}
		}
	}
	for (size_t a = 0; a < RUNTIME_SYSCALL_ABIS; a++) {
		if (newest[a] == 0)
			continue;
		for (size_t i = (size_t)newest[a] + 1; i < RUNTIME_SECCOMP_NUMBERS; i++)
			program->abis[a].fallback[i] = unknown;
		program->abis[a].beyond = unknown;
	}
}

int runtime_seccomp_compile(struct runtime_seccomp_filter *ret, const struct oci_seccomp *profile,
			    struct err *e)
{
	own_clear(runtime_seccomp_program_clear) struct runtime_seccomp_program program;
	uint32_t default_action, asked = 0;

	runtime_seccomp_program_init(&program);
	int r = seccomp_action(&default_action, "defaultAction", profile->default_action,
			       "defaultErrnoRet", profile->default_errno_ret, e);
	if (r == 0)
		r = seccomp_flags(&asked, &profile->flags, e);
	if (r == 0)
		r = seccomp_use(&program, &profile->architectures, default_action, e);
	for (size_t i = 0; r == 0 && i < profile->syscalls.count; i++)
		if (seccomp_entry(&program, &profile->syscalls.items[i], default_action, e) < 0)
			r = err_add(e, "syscalls[%zu]", i);
	if (r < 0)
		return r;
	seccomp_refuse_newer(&program, profile, default_action);
	program.foreign = SECCOMP_RET_ERRNO | ENOSYS;
	r = runtime_seccomp_program_emit(ret, &program, e);
	if (r == 0)
		ret->flags = asked;
	return r;
}

int runtime_seccomp_check_names(const struct oci_seccomp *profile, struct err *e)
{
	for (size_t i = 0; i < profile->syscalls.count; i++) {
		const struct strv *names = &profile->syscalls.items[i].names;
		for (size_t k = 0; k < names->count; k++)
			if (!runtime_syscall_find(names->items[k]))
				return err_set(e, ERR_INVALID, "syscalls[%zu]: no system call '%s'",
					       i, names->items[k]);
	}
	return 0;
}

bool runtime_seccomp_notifies(const struct runtime_seccomp_filter *filter)
{
	for (size_t i = 0; i < filter->count; i++) {
		if (filter->items[i].code == (BPF_RET | BPF_K) &&
		    filter->items[i].k == SECCOMP_RET_USER_NOTIF)
			return true;
	}
	return false;
}

static int explain_refusal(unsigned long asked, struct err *e)
{
	err_sys(e, "load the seccomp filter");
	if (e->number == EACCES)
		return err_hint(e, "without CAP_SYS_ADMIN a filter needs no_new_privs");
	if (e->number == EBUSY)
		return err_hint(e, "it asks a listener, and a filter of a container around this "
				   "one has one already: its --children-max, or its view of "
				   "limits. Here --view host, and no --children-max");
	for (size_t i = 0; e->number == EINVAL && i < COUNT_OF(flags); i++)
		if ((asked & flags[i].flag) && !kernel_has_flag(flags[i].flag))
			return err_set(e, ERR_UNSUPPORTED, "this kernel has no %s", flags[i].name);
	return -e->number;
}

static unsigned long flags_to_load(const struct runtime_seccomp_filter *filter)
{
	unsigned long asked = filter->flags;

	/* how to wait for a listener: refused where there is none */
	if (!runtime_seccomp_notifies(filter))
		return asked & ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	asked |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	if (asked & SECCOMP_FILTER_FLAG_TSYNC)
		asked |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	return asked;
}

int runtime_seccomp_install_in_child(const struct runtime_seccomp_filter *filter, struct err *e)
{
	struct sock_fprog program = {
		.len = (unsigned short)filter->count,
		.filter = filter->items,
	};
	unsigned long asked = flags_to_load(filter);

	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, asked, &program);
	return r >= 0 ? (int)r : explain_refusal(asked, e);
}
