#include "runtime/cpu_affinity.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/number_list.h"

#define INITIAL "process.execCPUAffinity.initial"
#define FINAL   "process.execCPUAffinity.final"

static int read_list(struct runtime_number_list *ret, const char *text, const char *member,
		     struct err *e)
{
	return str_empty(text) ? 0 : runtime_number_list_parse(ret, text, member, e);
}

int runtime_cpu_affinity_check(const struct oci_cpu_affinity *affinity, struct err *e)
{
	struct runtime_number_list list;

	if (!affinity)
		return 0;
	int r = read_list(&list, affinity->initial, INITIAL, e);
	return r < 0 ? r : read_list(&list, affinity->final, FINAL, e);
}

/* The plain call: glibc's takes a cpu_set_t, which the bits are. */
static int set(const struct runtime_number_list *list)
{
	return (int)syscall(SYS_sched_setaffinity, 0, sizeof(list->bits), list->bits);
}

static int apply(const char *text, const char *member, struct err *e)
{
	struct runtime_number_list list = { 0 };

	if (str_empty(text))
		return 0;
	int r = runtime_number_list_parse(&list, text, member, e);
	if (r < 0)
		return r;
	if (set(&list) == 0)
		return 0;
	err_sys(e, "%s: set the CPUs %s", member, text);
	return e->number == EINVAL ? err_hint(e, "none of them is online and in the cpuset")
				   : -e->number;
}

int runtime_cpu_affinity_initial_in_child(const struct oci_cpu_affinity *affinity, struct err *e)
{
	return affinity ? apply(affinity->initial, INITIAL, e) : 0;
}

int runtime_cpu_affinity_final_in_child(const struct oci_cpu_affinity *affinity, struct err *e)
{
	return affinity ? apply(affinity->final, FINAL, e) : 0;
}

void runtime_cpu_affinity_reset_in_child(const struct oci_spec *spec)
{
	const struct oci_resources *resources = spec->linux_.resources;
	struct runtime_number_list all;

	if (!resources || !resources->cpu || str_empty(resources->cpu->cpus))
		return;
	memset(all.bits, 0xff, sizeof(all.bits));
	(void)set(&all); /* the process keeps what it has */
}
