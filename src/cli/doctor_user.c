#include "cli/doctor_user.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "cli/host.h"
#include "network/uplink.h"
#include "runtime/cgroup_user.h"
#include "runtime/overlay_driver.h"
#include "runtime/subid.h"
#include "runtime/user_entry.h"

/* ---- ids ---- */

static bool overlaps(const struct runtime_subid_range *range,
		     const struct runtime_subid_ranges *others)
{
	for (size_t i = 0; i < others->count; i++) {
		const struct runtime_subid_range *o = &others->items[i];
		if ((uint64_t)range->first < (uint64_t)o->first + o->count &&
		    (uint64_t)o->first < (uint64_t)range->first + range->count)
			return true;
	}
	return false;
}

bool cli_doctor_user_ranges(char **ret_fact, const char *file)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges own = { 0 }, others = { 0 };
	own_free char *name = runtime_subid_login_name(geteuid());
	own_free char *id = mem_format("%u", geteuid());
	const struct runtime_subid_owner owner = { name, id };
	own_clear(str_clear) struct str text = { 0 };
	struct err e;
	bool shared = false;

	if (runtime_subid_read(&own, file, &owner, false, &e) < 0 ||
	    runtime_subid_read(&others, file, &owner, true, &e) < 0) {
		*ret_fact = mem_text(e.text);
		return false;
	}
	for (size_t i = 0; i < own.count; i++) {
		str_addf(&text, "%s%u:%u", i ? ", " : "", own.items[i].first, own.items[i].count);
		shared = shared || overlaps(&own.items[i], &others);
	}
	if (!own.count)
		str_addf(&text, "no range for %s", name ? name : id);
	if (shared)
		str_add(&text, ", which is another user's, too");
	if (own.broken)
		str_addf(&text, ", and %zu lines that are not NAME:FIRST:COUNT", own.broken);
	*ret_fact = str_take(&text);
	return own.count && !shared && !own.broken;
}

bool cli_doctor_user_namespace(char **ret_fact)
{
	struct err e = { 0 };

	bool may = runtime_user_entry_may(&e) == 0;
	*ret_fact = may ? mem_text("can be made")
			: mem_format("%s%s%s", e.text, *e.hint ? "; " : "", e.hint);
	return may;
}

/* ---- the rest ---- */

bool cli_doctor_user_cgroup(char **ret_fact)
{
	own_free char *where = NULL;
	bool may = runtime_cgroup_user_may(&where);

	*ret_fact = where ? mem_format(may ? "delegated: %s" : "not delegated: %s", where)
			  : mem_text("no cgroups are mounted");
	return may;
}

/* loginctl(1), "enable-linger": a file of the user's name. */
bool cli_doctor_user_boot(char **ret_fact)
{
	own_free char *name = runtime_subid_login_name(geteuid());
	own_free char *file = mem_format("/var/lib/systemd/linger/%s", name ? name : "");
	bool lingers = name && access(file, F_OK) == 0;

	*ret_fact = mem_text(!cli_host_has_systemd() ? "no systemd: by @reboot of crontab(5)"
			     : lingers               ? "without a login"
						     : "with the first login");
	return lingers || !cli_host_has_systemd();
}

bool cli_doctor_user_network(char **ret_fact)
{
	const char *why;
	const char *program = network_uplink_choose(&why);

	*ret_fact = mem_text(program ? program : why);
	return program != NULL;
}

bool cli_doctor_user_storage(char **ret_fact, int folder_fd)
{
	struct err e = { 0 };

	const char *driver = runtime_overlay_driver(folder_fd, &e);
	*ret_fact = driver ? mem_text(driver) : mem_format("copies: %s", e.text);
	return driver && strcmp(driver, "overlay") == 0;
}
