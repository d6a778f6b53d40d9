#include "monitor/init.h"

#include <signal.h>

#include "base/unit.h"

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

enum { RTMIN = 34 };

static const struct {
	const char *comm, *program;
	uint64_t signals;
	const char *name;
	int power_off, reboot;
} rows[] = {
	{ "systemd", "systemd", 0, "systemd", RTMIN + 3, RTMIN + 5 },
	/* before it has given itself its name, and where its program cannot be read */
	{ "init", "systemd", 0, "systemd", RTMIN + 3, RTMIN + 5 },
	{ "init", "", BIT(RTMIN + 3), "systemd", RTMIN + 3, RTMIN + 5 },
	{ "init", "busybox", 0, "busybox", SIGUSR2, SIGTERM },
	{ "init", "busybox.static", 0, "busybox", SIGUSR2, SIGTERM },
	{ "openrc-init", "openrc-init", 0, "openrc-init", SIGTERM, SIGINT },
	{ "runit", "runit", 0, "runit", SIGCONT, SIGCONT },
	{ "init", "init", 0, "init", 0, 0 },
	{ "init", "", 0, "init", 0, 0 },
	{ "mine", "mine", 0, "unknown", SIGTERM, SIGINT },
	{ "mine", "mine", BIT(SIGPWR), "unknown", SIGPWR, SIGINT },
};

START_TEST(each_init_is_asked_in_its_own_way)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct monitor_init_way off = monitor_init_choose(
			rows[i].comm, rows[i].program, rows[i].signals, MONITOR_INIT_POWER_OFF);
		struct monitor_init_way again = monitor_init_choose(
			rows[i].comm, rows[i].program, rows[i].signals, MONITOR_INIT_REBOOT);
		ck_assert_str_eq(off.name, rows[i].name);
		ck_assert_int_eq(off.signal, rows[i].power_off);
		ck_assert_int_eq(again.signal, rows[i].reboot);
	}
}
END_TEST

UNIT_MAIN("monitor/init", UNIT(each_init_is_asked_in_its_own_way))
