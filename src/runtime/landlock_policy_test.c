#include "runtime/landlock_policy.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

#define FS(rights) "{\"ruleset\":{\"handledAccessFS\":[" rights "]}"
#define BENEATH(rights)                                                                            \
	",\"rules\":{\"pathBeneath\":[{\"allowedAccess\":[" rights "],\"paths\":[\"/a\"]}]}"
#define NET(rights) "{\"ruleset\":{\"handledAccessNet\":[" rights "]}"
#define PORT(rights, n)                                                                            \
	",\"rules\":{\"netPort\":[{\"allowedAccess\":[" rights "],\"ports\":[" n "]}]}"
#define SCOPED(scopes) "{\"ruleset\":{\"scoped\":[" scopes "]}"
#define STRICT         ",\"disableBestEffort\":true"

static const struct {
	const char *text;
	int abi;
	uint64_t fs, net, scoped;
	uint32_t flags;
} good[] = {
	{ FS("\"execute\"") "}", 1, .fs = 1 },
	{ FS("\"write_file\",\"ioctl_dev\"") "}", 5, .fs = 0x8002 },
	{ FS("\"write_file\",\"ioctl_dev\"") "}", 4, .fs = 2 },
	{ FS("\"refer\",\"truncate\"") "}", 2, .fs = 0x2000 },
	{ FS("\"execute\"") "}", 0 },
	{ NET("\"bind_tcp\",\"connect_tcp\"") STRICT "}", 4, .net = 3 },
	{ NET("\"bind_tcp\"") "}", 3 },
	{ SCOPED("\"signal\"") "}", 6, .scoped = 2 },
	{ SCOPED("\"abstract_unix_socket\"") ",\"flags\":[\"log_new_exec_on\"]}", 7, .scoped = 1,
	  .flags = 2 },
	{ SCOPED("\"signal\"") ",\"flags\":[\"log_same_exec_off\"],\"abi\":6}", 6, .scoped = 2 },
};

START_TEST(what_the_kernel_knows_is_handled)
{
	own_clear(runtime_landlock_policy_clear) struct runtime_landlock_policy p = { 0 };
	struct err e;

	log_set_level(LOG_LEVEL_ERROR);
	int r = runtime_landlock_policy_read(&p, good[_i].text, good[_i].abi, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_uint_eq(p.handled_fs, good[_i].fs);
	ck_assert_uint_eq(p.handled_net, good[_i].net);
	ck_assert_uint_eq(p.scoped, good[_i].scoped);
	ck_assert_uint_eq(p.flags, good[_i].flags);
}
END_TEST

START_TEST(rules_keep_their_paths_and_ports)
{
	own_clear(runtime_landlock_policy_clear) struct runtime_landlock_policy p = { 0 };
	static const char text[] =
		"{\"ruleset\":{\"handledAccessFS\":[\"write_file\",\"read_file\",\"truncate\"],"
		"\"handledAccessNet\":[\"bind_tcp\"]},\"rules\":{\"pathBeneath\":["
		"{\"allowedAccess\":[\"read_file\"],\"paths\":[\"/a\",\"/b\"]},"
		"{\"allowedAccess\":[\"write_file\",\"truncate\"],\"paths\":[\"/c\"]}],"
		"\"netPort\":[{\"allowedAccess\":[\"bind_tcp\"],\"ports\":[0,65535]}]}}";
	struct err e;

	log_set_level(LOG_LEVEL_ERROR);
	ck_assert_int_eq(runtime_landlock_policy_read(&p, text, 2, &e), 0);
	ck_assert_uint_eq(p.paths_count, 3);
	ck_assert_str_eq(p.paths[1].path, "/b");
	ck_assert_uint_eq(p.paths[1].allowed, 4);
	ck_assert_str_eq(p.paths[2].path, "/c");
	ck_assert_uint_eq(p.paths[2].allowed, 2); /* truncate is of ABI 3 */
	ck_assert_uint_eq(p.ports_count, 2);
	ck_assert_uint_eq(p.ports[1].port, 65535);
	ck_assert_uint_eq(p.ports[1].allowed, 0); /* left out with the ruleset's */
}
END_TEST

static const struct {
	const char *text;
	enum err_kind kind;
	const char *error;
} bad[] = {
	{ "", ERR_CORRUPT, "org.holm.landlock: " },
	{ "[]", ERR_CORRUPT, "org.holm.landlock: " },
	{ "{}", ERR_INVALID, "ruleset handles nothing" },
	{ FS("\"write\"") "}", ERR_INVALID, "ruleset.handledAccessFS 'write' is unknown" },
	{ NET("\"bind\"") "}", ERR_INVALID, "ruleset.handledAccessNet 'bind' is unknown" },
	{ SCOPED("\"all\"") "}", ERR_INVALID, "ruleset.scoped 'all' is unknown" },
	{ FS("\"execute\"") ",\"flags\":[\"log\"]}", ERR_INVALID, "flags 'log' is unknown" },
	{ FS("\"execute\"") BENEATH("\"execute\",\"read_file\"") "}", ERR_INVALID,
	  "rules.pathBeneath.allowedAccess is more than what the ruleset handles" },
	{ FS("\"execute\"") BENEATH("") "}", ERR_INVALID,
	  "rules.pathBeneath.allowedAccess is empty" },
	{ NET("\"bind_tcp\"") PORT("\"bind_tcp\"", "65536") "}", ERR_INVALID,
	  "rules.netPort.ports: 65536 is no port" },
	{ NET("\"bind_tcp\"") PORT("\"connect_tcp\"", "1") "}", ERR_INVALID,
	  "rules.netPort.allowedAccess is more" },
	{ SCOPED("\"signal\"") STRICT "}", ERR_UNSUPPORTED,
	  "ruleset.scoped 'signal' takes Landlock's ABI 6, this kernel has 4" },
	{ FS("\"execute\"") ",\"abi\":5}", ERR_UNSUPPORTED,
	  "Landlock's ABI 5 is asked for, this kernel has 4" },
};

START_TEST(what_is_wrong_is_refused_with_its_member)
{
	own_clear(runtime_landlock_policy_clear) struct runtime_landlock_policy p = { 0 };
	struct err e;

	ck_assert_int_lt(runtime_landlock_policy_read(&p, bad[_i].text, 4, &e), 0);
	ck_assert_msg(e.kind == bad[_i].kind && strstr(e.text, bad[_i].error), "%d %s", (int)e.kind,
		      e.text);
}
END_TEST

START_TEST(a_file_has_fewer_rights_than_a_folder)
{
	ck_assert_uint_eq(runtime_landlock_policy_of_file(0xffff), 0xc007);
}
END_TEST

UNIT_MAIN("runtime/landlock_policy", UNIT_LOOP(what_the_kernel_knows_is_handled, COUNT_OF(good)),
	  UNIT(rules_keep_their_paths_and_ports),
	  UNIT_LOOP(what_is_wrong_is_refused_with_its_member, COUNT_OF(bad)),
	  UNIT(a_file_has_fewer_rights_than_a_folder))
