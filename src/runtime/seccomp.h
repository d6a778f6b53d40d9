/* seccomp.h - profiles (runtime-spec config-linux.md#seccomp) to classic BPF, and the built-in
 * default profile. Syscall numbers with the same fate are ranges, found by a binary search; a
 * foreign architecture is one jump. A compile takes about 0.1 ms, so nothing is cached. */
#pragma once
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"

struct err;
struct oci_seccomp;

struct runtime_seccomp_filter {
	struct sock_filter *items;
	size_t count;   /* at most BPF_MAXINSNS (4096) */
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* that the profile asks for */
};
void runtime_seccomp_filter_clear(struct runtime_seccomp_filter *filter);

/* Compiles a profile. Names that this table does not know are skipped, as the specification
 * asks. The caller clears *ret. ERR_INVALID names what is wrong: an unknown action, operator,
 * architecture or flag, an index above 5, an errno above 4095. */
int runtime_seccomp_compile(struct runtime_seccomp_filter *ret, const struct oci_seccomp *profile,
			    struct err *e);

/* The built-in profile (annotation org.holm.seccomp = "default") for a container whose bounding
 * set is this: some calls open with a capability, as mount(2) does with CAP_SYS_ADMIN. Calls that
 * it denies fail with EPERM; those that are newer than its table, with ENOSYS, so that programs
 * fall back. guest ("guest"): of what capabilities open, a whole system gets what its init needs
 * alone. asks ("org.holm.seccomp.asks"): a listener says what sysinfo(2) tells, and on which CPUs
 * the caller itself may run. children ("org.holm.seccomp.children"): where PID namespaces may be
 * made, the listener says whether one more. clone3(2), whose flags no filter can read, is then
 * as if it was not there. */
struct runtime_seccomp_default {
	uint64_t capabilities;
	bool guest;
	bool asks;
	bool children;
	const struct strv *denied; /* names of calls that fail with EPERM whatever else; NULL */
};
int runtime_seccomp_compile_default(struct runtime_seccomp_filter *ret,
				    const struct runtime_seccomp_default *what, struct err *e);

/* "open": every call of every ABI passes but those that children is about. */
int runtime_seccomp_compile_open(struct runtime_seccomp_filter *ret, struct err *e);

/* Are all names of the profile known? For those who would rather fail than be less strict
 * (annotation run.oci.seccomp_fail_unknown_syscall). ERR_INVALID names the first that is not. */
int runtime_seccomp_check_names(const struct oci_seccomp *profile, struct err *e);

/* Does a rule of it ask a listener (SCMP_ACT_NOTIFY)? */
bool runtime_seccomp_notifies(const struct runtime_seccomp_filter *filter);

/* Loads the filter into this thread. Needs CAP_SYS_ADMIN or no_new_privs: without no_new_privs
 * load it before capabilities are dropped, else as the last thing before exec. Returns 0, or the
 * listener's descriptor if a rule of the profile says SCMP_ACT_NOTIFY. */
int runtime_seccomp_install_in_child(const struct runtime_seccomp_filter *filter, struct err *e);

/* Docker's own profile format (seccomp=FILE: names[], includes and excludes by capability,
 * architecture and kernel) or the OCI one, to OCI's, for a container with this bounding set.
 * The caller clears *ret by its shape. ERR_INVALID. */
int runtime_seccomp_read_docker(struct oci_seccomp *ret, const char *text, size_t length,
				uint64_t capabilities, struct err *e);

/* The words that a profile may use, for `features`: all that is understood, and the architectures
 * whose calls are filtered here. */
struct runtime_seccomp_names {
	struct strv actions;
	struct strv operators;
	struct strv flags;
	struct strv kernel_flags; /* those of them that this kernel has */
	struct strv architectures;
};
void runtime_seccomp_names(struct runtime_seccomp_names *to);
void runtime_seccomp_names_clear(struct runtime_seccomp_names *names);
