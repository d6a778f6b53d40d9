#include "runtime/memory_policy.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/number_list.h"
#include "runtime/word.h"

/* uapi/linux/mempolicy.h */
enum { DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY, WEIGHTED_INTERLEAVE };
enum { NUMA_BALANCING = 1 << 13, RELATIVE_NODES = 1 << 14, STATIC_NODES = 1 << 15 };

static const struct runtime_word modes[] = {
	{ "MPOL_DEFAULT", DEFAULT },
	{ "MPOL_PREFERRED", PREFERRED },
	{ "MPOL_BIND", BIND },
	{ "MPOL_INTERLEAVE", INTERLEAVE },
	{ "MPOL_LOCAL", LOCAL },
	{ "MPOL_PREFERRED_MANY", PREFERRED_MANY },
	{ "MPOL_WEIGHTED_INTERLEAVE", WEIGHTED_INTERLEAVE },
	{ 0 },
};

static const struct runtime_word flags[] = {
	{ "MPOL_F_NUMA_BALANCING", NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", STATIC_NODES },
	{ 0 },
};

struct policy {
	uint64_t mode;
	uint64_t flags;
	struct runtime_number_list nodes;
};

static int check_nodes(const struct policy *p, const char *mode, struct err *e)
{
	bool none = p->mode == DEFAULT || p->mode == LOCAL;
	bool either = p->mode == PREFERRED; /* without nodes it is MPOL_LOCAL */

	if (none && p->nodes.count)
		return err_set(e, ERR_INVALID, "linux.memoryPolicy.nodes: %s takes none", mode);
	if (!none && !either && !p->nodes.count)
		return err_set(e, ERR_INVALID, "linux.memoryPolicy.nodes: %s takes at least one",
			       mode);
	return 0;
}

static int check_flags(const struct policy *p, const char *mode, struct err *e)
{
	if ((p->flags & STATIC_NODES) && (p->flags & RELATIVE_NODES))
		return err_set(e, ERR_INVALID,
			       "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and "
			       "MPOL_F_RELATIVE_NODES exclude each other");
	if ((p->flags & (STATIC_NODES | RELATIVE_NODES)) && !p->nodes.count)
		return err_set(e, ERR_INVALID,
			       "linux.memoryPolicy.flags: nodes are meant, and there are none");
	if ((p->flags & NUMA_BALANCING) && p->mode != BIND && p->mode != PREFERRED_MANY)
		return err_set(e, ERR_INVALID,
			       "linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING is for MPOL_BIND "
			       "and MPOL_PREFERRED_MANY, not %s",
			       mode);
	return 0;
}

static int read_policy(struct policy *ret, const struct oci_memory_policy *from, struct err *e)
{
	const char *nodes = from->nodes ? from->nodes : "";

	int r = runtime_word_find(&ret->mode, modes, from->mode, "linux.memoryPolicy.mode", e);
	if (r == 0)
		r = runtime_word_flags(&ret->flags, flags, &from->flags, "linux.memoryPolicy.flags",
				       e);
	if (r == 0)
		r = runtime_number_list_parse(&ret->nodes, nodes, "linux.memoryPolicy.nodes", e);
	if (r == 0)
		r = check_nodes(ret, from->mode, e);
	return r < 0 ? r : check_flags(ret, from->mode, e);
}

int runtime_memory_policy_check(const struct oci_memory_policy *policy, struct err *e)
{
	struct policy p = { 0 };

	return policy ? read_policy(&p, policy, e) : 0;
}

int runtime_memory_policy_apply_in_child(const struct oci_memory_policy *policy, struct err *e)
{
	struct policy p = { 0 };

	if (!policy)
		return 0;
	int r = read_policy(&p, policy, e);
	if (r < 0)
		return r;
	/* the kernel takes one bit less than it is told */
	if (syscall(SYS_set_mempolicy, (int)(p.mode | p.flags), p.nodes.count ? p.nodes.bits : NULL,
		    p.nodes.count ? RUNTIME_NUMBER_LIST_MAX + 1 : 0) == 0)
		return 0;
	err_sys(e, "linux.memoryPolicy: set %s", policy->mode);
	if (e->number == EINVAL)
		err_hint(e, "does this kernel have the mode, and are the nodes online and in "
			    "the container's cpuset.mems?");
	return -e->number;
}

const struct runtime_word *const runtime_memory_policy_modes = modes;
const struct runtime_word *const runtime_memory_policy_flags = flags;
