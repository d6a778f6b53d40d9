#include "cli/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/assign.h"
#include "cli/run.h"
#include "engine/options.h"
#include "engine/posture.h"

enum { PROFILES_MAX = 32, NAME_MAX_BYTES = 64 };

static void add_folders(struct strv *to)
{
	const char *folders = getenv("HOLM_PROFILES"), *config = getenv("XDG_CONFIG_HOME"),
		   *home = getenv("HOME");

	if (!str_empty(folders)) {
		strv_split(to, folders, ':');
		return;
	}
	if (!str_empty(config))
		strv_addf(to, "%s/holm/profiles", config);
	else if (!str_empty(home))
		strv_addf(to, "%s/.config/holm/profiles", home);
	strv_add(to, "/etc/holm/profiles");
}

/* The caller's. */
static int find(char **ret, const char *name, struct err *e)
{
	own_clear(strv_clear) struct strv folders = { 0 };

	if (!str_is_name(name, NAME_MAX_BYTES))
		return err_set(e, ERR_INVALID, "--profile '%s': not a name", name);
	add_folders(&folders);
	for (size_t i = 0; i < folders.count; i++) {
		own_free char *path = mem_format("%s/%s.conf", folders.items[i], name);
		if (access(path, F_OK) < 0 && errno == ENOENT)
			continue;
		*ret = take_ptr(&path);
		return 0;
	}
	own_free char *all = strv_join(&folders, ", ");
	err_set(e, ERR_NOT_FOUND, "--profile %s: there is no such profile", name);
	return err_hint(e, "%s.conf is looked for in %s", name, all);
}

/* What names one container, or says how the command runs, is no profile's. */
static int check(const struct create_options *o, const char *path, struct err *e)
{
	const struct {
		const char *key;
		bool given;
	} rows[] = {
		{ "name", o->name },
		{ "cidfile", o->cidfile },
		{ "detach", o->detach },
		{ "profile", o->profile.count > 0 },
		{ "ip", o->ip },
		{ "ip6", o->ip6 },
		{ "mac-address", o->mac_address },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].given)
			return err_set(e, ERR_INVALID,
				       "%s: %s is for one container, not for a profile", path,
				       rows[i].key);
	return 0;
}

static int apply(struct create_options *o, const char *name, struct err *e)
{
	own_clear(create_options_clear) struct create_options from = { 0 };
	own_free char *path = NULL;

	int r = find(&path, name, e);
	if (r == 0)
		r = cli_assign_file(cli_run_table, path, &from, e);
	if (r == 0)
		r = check(&from, path, e);
	if (r == 0)
		cli_assign_merge(cli_run_table, o, &from);
	return r;
}

int cli_profile_apply(struct create_options *o, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };

	for (size_t i = 0; i < o->profile.count; i++) {
		own_clear(strv_clear) struct strv some = { 0 };
		strv_split(&some, o->profile.items[i], ',');
		strv_add_all(&names, &some);
	}
	if (names.count > PROFILES_MAX)
		return err_set(e, ERR_INVALID, "--profile: %zu are too many", names.count);
	for (size_t i = names.count; i > 0; i--) {
		int r = apply(o, names.items[i - 1], e);
		if (r < 0)
			return r;
	}
	return engine_posture_apply(o, e);
}
