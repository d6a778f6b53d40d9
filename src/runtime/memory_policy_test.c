#include "runtime/memory_policy.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"

#define MEMBER "linux.memoryPolicy."

static const struct {
	char *mode, *nodes;
	const char *flags; /* joined by commas */
	const char *error; /* NULL: fine */
} rows[] = {
	{ "MPOL_DEFAULT", NULL, "", NULL },
	{ "MPOL_LOCAL", "", "", NULL },
	{ "MPOL_PREFERRED", NULL, "", NULL },
	{ "MPOL_PREFERRED", "0", "MPOL_F_STATIC_NODES", NULL },
	{ "MPOL_BIND", "0-1", "MPOL_F_NUMA_BALANCING,MPOL_F_RELATIVE_NODES", NULL },
	{ "MPOL_INTERLEAVE", "0,2", "", NULL },
	{ "MPOL_WEIGHTED_INTERLEAVE", "0", "", NULL },
	{ "MPOL_PREFERRED_MANY", "0", "MPOL_F_NUMA_BALANCING", NULL },
	{ NULL, "0", "", MEMBER "mode is missing" },
	{ "BIND", "0", "", MEMBER "mode 'BIND' is unknown" },
	{ "MPOL_DEFAULT", "0", "", MEMBER "nodes: MPOL_DEFAULT takes none" },
	{ "MPOL_LOCAL", "0", "", MEMBER "nodes: MPOL_LOCAL takes none" },
	{ "MPOL_BIND", "", "", MEMBER "nodes: MPOL_BIND takes at least one" },
	{ "MPOL_INTERLEAVE", NULL, "", MEMBER "nodes: MPOL_INTERLEAVE takes at least one" },
	{ "MPOL_BIND", "x", "", MEMBER "nodes 'x'" },
	{ "MPOL_BIND", "0", "MPOL_F_X", MEMBER "flags 'MPOL_F_X' is unknown" },
	{ "MPOL_BIND", "0", "MPOL_F_STATIC_NODES,MPOL_F_RELATIVE_NODES", MEMBER "flags: " },
	{ "MPOL_PREFERRED", "", "MPOL_F_STATIC_NODES", MEMBER "flags: nodes are meant" },
	{ "MPOL_INTERLEAVE", "0", "MPOL_F_NUMA_BALANCING", MEMBER "flags: MPOL_F_NUMA" },
};

START_TEST(each_combination_is_judged)
{
	own_clear(strv_clear) struct strv flags = { 0 };
	struct err e;

	strv_split(&flags, rows[_i].flags, ',');
	const struct oci_memory_policy policy = { rows[_i].mode, rows[_i].nodes, flags };
	int r = runtime_memory_policy_check(&policy, &e);
	if (!rows[_i].error) {
		ck_assert_msg(r == 0, "%s", e.text);
		return;
	}
	ck_assert_int_eq(r, -EINVAL);
	ck_assert_msg(strstr(e.text, rows[_i].error), "%s", e.text);
}
END_TEST

UNIT_MAIN("runtime/memory_policy", UNIT_LOOP(each_combination_is_judged, COUNT_OF(rows)))
