#include <string.h>

#include "engine/config.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config_file.h"

/* Takes KEY out if assignment is KEY alone and the caller has none: Docker's way to unset what
 * the image sets. */
static int set_env(struct strv *to, const char *assignment, char *const *environment, struct err *e)
{
	if (strchr(assignment, '=')) {
		if (assignment[0] == '=')
			return err_set(e, ERR_INVALID, "--env %s: no name before '='", assignment);
		strv_set(to, assignment);
		return 0;
	}
	if (!*assignment)
		return err_set(e, ERR_INVALID, "--env '': not KEY=VALUE or KEY");

	const char *value = config_environment_value(environment, assignment);
	if (value) {
		own_free char *whole = mem_format("%s=%s", assignment, value);
		strv_set(to, whole);
		return 0;
	}
	int at = strv_find_key(to, assignment);
	if (at >= 0)
		strv_remove(to, (size_t)at);
	return 0;
}

int config_env(struct strv *to, const struct strv *files, const struct strv *env,
	       char *const *environment, struct err *e)
{
	for (size_t i = 0; i < files->count; i++) {
		own_clear(strv_clear) struct strv lines = { 0 };
		int r = config_env_file(&lines, files->items[i], environment, e);
		if (r < 0)
			return r;
		for (size_t line = 0; line < lines.count; line++)
			strv_set(to, lines.items[line]);
	}
	for (size_t i = 0; i < env->count; i++) {
		int r = set_env(to, env->items[i], environment, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- what lies below ---- */

static const char *const proxies[] = { "http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
				       "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY" };

static void add_proxies(struct strv *to, char *const *environment)
{
	for (size_t i = 0; i < COUNT_OF(proxies); i++) {
		const char *value = config_environment_value(environment, proxies[i]);
		own_free char *whole = value ? mem_format("%s=%s", proxies[i], value) : NULL;
		if (whole)
			strv_set(to, whole);
	}
}

static int unset(struct strv *to, const char *key, struct err *e)
{
	int at = strv_find_key(to, key);

	if (!*key || strchr(key, '='))
		return err_set(e, ERR_INVALID, "--unsetenv '%s': not the name of a variable", key);
	if (at >= 0)
		strv_remove(to, (size_t)at);
	return 0;
}

/* "$NAME" and "${NAME}"; a variable that is not there is nothing. */
static int expand(struct str *to, const char *value, const struct strv *env, struct err *e)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	for (const char *c = value; *c;) {
		bool braces = c[0] == '$' && c[1] == '{';
		const char *name = c + 1 + braces;
		size_t length = c[0] == '$' ? strspn(name, letters) : 0;
		if (braces && (!length || name[length] != '}'))
			return err_set(e, ERR_INVALID, "'%s': a variable is written ${NAME}",
				       value);
		if (!length) {
			str_add_n(to, c++, 1);
			continue;
		}
		own_free char *key = mem_text_n(name, length);
		const char *found = strv_value(env, key);
		str_add(to, found ? found : "");
		c = name + length + braces;
	}
	return 0;
}

static int merge(struct strv *to, const char *assignment, struct err *e)
{
	own_clear(str_clear) struct str value = { 0 };
	size_t key = strcspn(assignment, "=");

	if (!key || !assignment[key])
		return err_set(e, ERR_INVALID, "--env-merge '%s': not KEY=VALUE", assignment);
	int r = expand(&value, assignment + key + 1, to, e);
	if (r < 0)
		return err_add(e, "--env-merge");
	own_free char *whole =
		mem_format("%.*s=%s", (int)key, assignment, value.text ? value.text : "");
	strv_set(to, whole);
	return 0;
}

int config_env_below(struct strv *to, const struct create_options *o, const struct strv *image,
		     char *const *environment, struct err *e)
{
	int r = 0;

	for (char *const *one = environment; o->env_host && *one; one++)
		if (strchr(*one, '=') && **one != '=')
			strv_set(to, *one);
	if (o->http_proxy)
		add_proxies(to, environment);
	for (size_t i = 0; image && !o->unset_env_all && i < image->count; i++)
		strv_set(to, image->items[i]);
	for (size_t i = 0; r == 0 && i < o->unset_env.count; i++)
		r = unset(to, o->unset_env.items[i], e);
	for (size_t i = 0; r == 0 && i < o->env_merge.count; i++)
		r = merge(to, o->env_merge.items[i], e);
	return r;
}
