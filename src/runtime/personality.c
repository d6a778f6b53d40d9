#include "runtime/personality.h"

#include <sys/personality.h>

#include "base/err.h"
#include "oci/runtime_spec.h"
#include "runtime/word.h"

static const struct runtime_word domains[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
	{ 0 },
};
static const struct runtime_word flags[] = { { 0 } };

static int read_personality(uint64_t *ret, const struct oci_personality *p, struct err *e)
{
	uint64_t none;

	int r = runtime_word_find(ret, domains, p->domain, "linux.personality.domain", e);
	return r < 0 ? r
		     : runtime_word_flags(&none, flags, &p->flags, "linux.personality.flags", e);
}

int runtime_personality_check(const struct oci_personality *p, struct err *e)
{
	uint64_t domain;

	return p ? read_personality(&domain, p, e) : 0;
}

int runtime_personality_apply_in_child(const struct oci_personality *p, struct err *e)
{
	uint64_t domain = 0;

	if (!p)
		return 0;
	int r = read_personality(&domain, p, e);
	if (r < 0)
		return r;
	return personality(domain) < 0 ? err_sys(e, "linux.personality: set %s", p->domain) : 0;
}
