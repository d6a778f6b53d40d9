#include "base/mem.h"
#include "base/unit.h"
#include "runtime/cgroup_scope.h"

static const struct {
	const char *cgroup;
	enum runtime_cgroup_scope_owner owner;
} rows[] = {
	{ "/system.slice/web.service", RUNTIME_CGROUP_SCOPE_SYSTEM },
	{ "/system.slice/system-web.slice/web@1.service", RUNTIME_CGROUP_SCOPE_SYSTEM },
	{ "/system.slice/web.service/payload", RUNTIME_CGROUP_SCOPE_SYSTEM },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service",
	  RUNTIME_CGROUP_SCOPE_USER },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-term-7.scope",
	  RUNTIME_CGROUP_SCOPE_NONE },
	{ "/user.slice/user-1000.slice/user@1000.service/init.scope", RUNTIME_CGROUP_SCOPE_NONE },
	{ "/user.slice/user-1000.slice/user@1000.service", RUNTIME_CGROUP_SCOPE_NONE },
	{ "/user.slice/user-1000.slice/session-3.scope", RUNTIME_CGROUP_SCOPE_NONE },
	{ "/system.slice/docker-0123.scope", RUNTIME_CGROUP_SCOPE_NONE },
	{ "/system.slice/web.service/x.scope", RUNTIME_CGROUP_SCOPE_NONE },
	{ "/init.scope", RUNTIME_CGROUP_SCOPE_NONE },
	{ "/holm/0123", RUNTIME_CGROUP_SCOPE_NONE },
	{ "/../../web.services", RUNTIME_CGROUP_SCOPE_NONE },
	{ "/", RUNTIME_CGROUP_SCOPE_NONE },
	{ "", RUNTIME_CGROUP_SCOPE_NONE },
};

START_TEST(the_innermost_unit_says_whose_service_it_is)
{
	ck_assert_int_eq(runtime_cgroup_scope_owner_of(rows[_i].cgroup), rows[_i].owner);
}
END_TEST

UNIT_MAIN("runtime/cgroup_scope",
	  UNIT_LOOP(the_innermost_unit_says_whose_service_it_is, COUNT_OF(rows)))
