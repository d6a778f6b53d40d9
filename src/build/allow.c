#include "build/allow.h"

#include "base/err.h"
#include "base/str.h"
#include "build/build.h"
#include "build/step.h"

#define INSECURE "security.insecure"
#define HOST     "network.host"

static int check_option(const struct build_options *o, struct err *e)
{
	for (size_t i = 0; i < o->allow.count; i++)
		if (!str_equal(o->allow.items[i], INSECURE) && !str_equal(o->allow.items[i], HOST))
			return err_set(e, ERR_INVALID, "--allow %s: neither " INSECURE " nor " HOST,
				       o->allow.items[i]);
	return 0;
}

static int refuse(const char *flag, const char *right, struct err *e)
{
	err_set(e, ERR_PERMISSION, "%s is not allowed", flag);
	return err_hint(e, "if the Dockerfile is to be trusted so far: --allow %s", right);
}

int build_allow_run(const struct build *build, const struct build_instruction *at, struct err *e)
{
	const struct build_options *o = build->o;
	const char *network = build_file_flag(at, "network");
	const char *security = build_file_flag(at, "security");

	if (network && !str_equal(network, "none") && !str_equal(network, "host") &&
	    !str_equal(network, "default"))
		return err_set(e, ERR_INVALID, "--network=%s: none of default, none, host",
			       network);
	if (security && !str_equal(security, "sandbox") && !str_equal(security, "insecure"))
		return err_set(e, ERR_INVALID, "--security=%s: neither sandbox nor insecure",
			       security);
	if (str_equal(security, "insecure") && !strv_contains(&o->allow, INSECURE))
		return refuse("--security=insecure", INSECURE, e);
	/* who builds in the host's network gives it away already */
	if (str_equal(network, "host") && !strv_contains(&o->allow, HOST) &&
	    !str_equal(o->network, "host"))
		return refuse("--network=host", HOST, e);
	return 0;
}

int build_allow_check(const struct build *build, struct err *e)
{
	int r = check_option(build->o, e);

	for (size_t i = 0; r == 0 && i < build->stages.items.count; i++) {
		const struct build_stage *stage = &build->stages.items.items[i];
		for (size_t k = stage->first; r == 0 && stage->needed && k < stage->end; k++) {
			const struct build_instruction *at = &build->file.items.items[k];
			if (at->kind == BUILD_RUN && build_allow_run(build, at, e) < 0)
				return err_add(e, "%s:%d: RUN", build->context.file_name, at->line);
		}
	}
	return r;
}
