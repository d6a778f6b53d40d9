#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/strv.h"
#include "base/unit.h"
#include "runtime/capability.h"

#define BIT(n) (UINT64_C(1) << (n))

static const struct {
	const char *name;
	uint64_t set;
} accepted[] = {
	{ "CAP_CHOWN", BIT(CAP_CHOWN) },
	{ "chown", BIT(CAP_CHOWN) },
	{ "cap_net_admin", BIT(CAP_NET_ADMIN) },
	{ "Net_Admin", BIT(CAP_NET_ADMIN) },
	{ "CHECKPOINT_RESTORE", BIT(CAP_CHECKPOINT_RESTORE) },
	{ "ALL", BIT(CAP_LAST_CAP + 1) - 1 },
	{ "all", BIT(CAP_LAST_CAP + 1) - 1 },
};

START_TEST(a_capability_is_known_in_either_spelling)
{
	uint64_t set = 0;
	struct err e;

	ck_assert_int_eq(runtime_capability_parse(&set, accepted[_i].name, &e), 0);
	ck_assert_uint_eq(set, accepted[_i].set);
}
END_TEST

static const char *const refused[] = { "", "CAP_", "CAP_ALL", "CAP_CAP_CHOWN", "CHOWN ", "1" };

START_TEST(an_unknown_capability_is_refused)
{
	uint64_t set = 77;
	struct err e;

	ck_assert_int_eq(runtime_capability_parse(&set, refused[_i], &e), -EINVAL);
	ck_assert_uint_eq(set, 77);
}
END_TEST

START_TEST(names_and_sets_lead_to_each_other)
{
	struct strv names = { 0 };
	uint64_t set;
	struct err e;

	runtime_capability_names(&names, runtime_capability_default);
	ck_assert_uint_eq(names.count, 11);
	ck_assert(!strv_contains(&names, "CAP_NET_RAW"));
	ck_assert(!strv_contains(&names, "CAP_MKNOD"));
	ck_assert(!strv_contains(&names, "CAP_AUDIT_WRITE"));
	ck_assert_int_eq(runtime_capability_parse_all(&set, &names, &e), 0);
	ck_assert_uint_eq(set, runtime_capability_default);
	strv_clear(&names);
	ck_assert_ptr_null(runtime_capability_name(CAP_LAST_CAP + 1));
}
END_TEST

START_TEST(nobody_gives_more_than_he_owns)
{
	struct runtime_capability_sets sets = {
		.bounding = UINT64_MAX,
		.permitted = UINT64_MAX,
		.effective = UINT64_MAX,
		.inheritable = BIT(CAP_KILL),
		.ambient = BIT(CAP_KILL) | BIT(CAP_CHOWN),
	};

	runtime_capability_restrict(&sets, BIT(CAP_CHOWN) | BIT(CAP_KILL));
	ck_assert_uint_eq(sets.bounding, BIT(CAP_CHOWN) | BIT(CAP_KILL));
	ck_assert_uint_eq(sets.effective, BIT(CAP_CHOWN) | BIT(CAP_KILL));
	ck_assert_uint_eq(sets.ambient, BIT(CAP_KILL));
}
END_TEST

static uint64_t status_set(const char *field)
{
	char line[256];
	unsigned long long set = 0;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, strlen(field)) == 0)
			sscanf(line + strlen(field), ": %llx", &set);
	}
	if (file)
		fclose(file);
	return set;
}

/* What a container's first process does, as a user other than root. */
static int become(uid_t uid)
{
	const uint64_t bind = BIT(CAP_NET_BIND_SERVICE);
	struct runtime_capability_sets sets = {
		.bounding = bind,
		.permitted = bind,
		.effective = bind,
		.inheritable = bind,
		.ambient = bind,
	};
	struct err e;

	if (runtime_capability_drop_bounding_in_child(sets.bounding, &e) < 0)
		return 1;
	if (runtime_capability_keep_in_child(&e) < 0 || setresuid(uid, uid, uid) < 0)
		return 2;
	if (runtime_capability_apply_in_child(&sets, &e) < 0)
		return 3;
	if (status_set("CapBnd") != bind || status_set("CapPrm") != bind ||
	    status_set("CapEff") != bind || status_set("CapInh") != bind ||
	    status_set("CapAmb") != bind)
		return 4;
	sets.permitted = sets.effective = bind | BIT(CAP_CHOWN);
	if (runtime_capability_apply_in_child(&sets, &e) != -EPERM || !strstr(e.text, "CAP_CHOWN"))
		return 5;
	return 0;
}

START_TEST(the_kernel_shows_the_sets_that_were_applied)
{
	if (geteuid() != 0 || !(status_set("CapEff") & BIT(CAP_SETPCAP))) {
		fprintf(stderr, "skipped: needs root with CAP_SETPCAP\n");
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		_exit(become(1000));
	ck_assert_int_eq(process_exit_code(process_wait(pid)), 0);
}
END_TEST

START_TEST(the_own_set_is_that_of_the_kernel)
{
	ck_assert_uint_eq(runtime_capability_own(), status_set("CapBnd"));
}
END_TEST

UNIT_MAIN("runtime/capability",
	  UNIT_LOOP(a_capability_is_known_in_either_spelling, COUNT_OF(accepted)),
	  UNIT_LOOP(an_unknown_capability_is_refused, COUNT_OF(refused)),
	  UNIT(names_and_sets_lead_to_each_other), UNIT(nobody_gives_more_than_he_owns),
	  UNIT(the_kernel_shows_the_sets_that_were_applied),
	  UNIT(the_own_set_is_that_of_the_kernel))
