#include "runtime/rlimit.h"

#include <errno.h>
#include <linux/capability.h>
#include <strings.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/process.h"

static const struct {
	const char *name;
	int resource;
} limits[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

_Static_assert(RLIM_INFINITY == UINT64_MAX, "a spec's unlimited is the kernel's");

int runtime_rlimit_parse(int *ret, const char *name, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		if (strcasecmp(limits[i].name, name) == 0 ||
		    strcasecmp(limits[i].name + 7, name) == 0) {
			*ret = limits[i].resource;
			return 0;
		}
	}
	err_set(e, ERR_INVALID, "no resource limit \"%s\"", name);
	return err_hint(e, "names are those of getrlimit(2), as in nofile or RLIMIT_NOFILE");
}

const char *runtime_rlimit_name(int resource)
{
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		if (limits[i].resource == resource)
			return limits[i].name;
	}
	return NULL;
}

bool runtime_rlimit_clamp(int resource, uint64_t *soft, uint64_t *hard)
{
	struct rlimit own;

	if (process_has_capability(CAP_SYS_RESOURCE) ||
	    getrlimit((__rlimit_resource_t)resource, &own) < 0)
		return false;
	if (*hard <= own.rlim_max)
		return false;
	*hard = own.rlim_max;
	if (*soft > *hard)
		*soft = *hard;
	return true;
}

int runtime_rlimit_apply_in_child(const char *name, uint64_t soft, uint64_t hard, struct err *e)
{
	struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };
	int resource;

	int r = runtime_rlimit_parse(&resource, name, e);
	if (r < 0)
		return r;
	if (soft > hard)
		return err_set(e, ERR_INVALID, "%s: the soft limit %llu is above the hard one %llu",
			       name, (unsigned long long)soft, (unsigned long long)hard);
	if (setrlimit((__rlimit_resource_t)resource, &limit) == 0)
		return 0;
	err_sys(e, "set %s to %llu:%llu", name, (unsigned long long)soft, (unsigned long long)hard);
	if (e->number == EPERM)
		err_hint(
			e,
			"holm may not raise its own hard limit here (no CAP_SYS_RESOURCE, or above "
			"fs.nr_open): ask for less");
	return -e->number;
}
