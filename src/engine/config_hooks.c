/* --hook POINT[,timeout=SECONDS]=PROGRAM [ARGUMENT...], the points being LXC's. A value of `set`
 * may have several with " ; " between. What is said of a point later is instead. */
#include <stdlib.h>
#include <string.h>

#include "engine/config.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/words.h"
#include "engine/hooks.h"

/* A day, as of --autostart-delay. */
enum { TIMEOUT_MAX_S = 86400, PATH_BYTES_MAX = 4095 };

static const char form[] =
	"POINT[,timeout=SECONDS]=PROGRAM [ARGUMENT...], as in pre-start=/usr/local/sbin/mount-data";

static void hook_clear(struct container_hook *hook)
{
	free(hook->point);
	free(hook->path);
	strv_clear(&hook->args);
	*hook = (struct container_hook){ 0 };
}

/* point NULL: all. */
static void forget(struct container *c, const char *point)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->hooks.count; i++) {
		struct container_hook *hook = &c->hooks.items[i];
		if (point && !str_equal(hook->point, point))
			c->hooks.items[kept++] = *hook;
		else
			hook_clear(hook);
	}
	c->hooks.count = kept;
	if (kept)
		return;
	free(c->hooks.items);
	c->hooks.items = NULL;
}

static const char key[] = ",timeout=";

/* The sign that divides point and program; NULL: there is none. */
static char *find_equals(char *text)
{
	char *end = text + strcspn(text, ",=");

	return strchr(str_starts(end, key) ? end + strlen(key) : end, '=');
}

static int read_point(struct container_hook *to, const char *text, struct err *e)
{
	const char *timeout = strstr(text, key);

	to->point = timeout ? mem_text_n(text, (size_t)(timeout - text)) : mem_text(text);
	if (engine_hooks_find(to->point) < 0) {
		err_set(e, ERR_INVALID, "'%s' is no point at which hooks are run", to->point);
		return err_hint(e, "pre-start, pre-mount, mount, autodev, start-host, start, stop, "
				   "post-stop, clone, destroy");
	}
	if (!timeout)
		return 0;
	return number_parse_i64(&to->timeout_s, timeout + strlen(key), 1, TIMEOUT_MAX_S, e);
}

static int check_path(const char *path, struct err *e)
{
	own_free char *clean = path_clean(path);

	if (*path != '/')
		return err_set(e, ERR_INVALID, "'%s' is not an absolute path", path);
	if (strlen(path) > PATH_BYTES_MAX || !str_equal(clean, path))
		return err_set(e, ERR_INVALID, "'%s' is not a plain path (it could be '%s')", path,
			       clean);
	return 0;
}

/* words: the first is POINT=PROGRAM; with nothing behind "=" there are none at this point. */
static int read_hook(struct container *c, struct strv *points, const struct strv *words,
		     struct err *e)
{
	struct container_hook hook = { 0 };
	own_free char *first = mem_text(words->items[0]);
	char *equals = find_equals(first);

	if (!equals)
		return err_set(e, ERR_INVALID, "not %s", form);
	*equals = '\0';
	int r = read_point(&hook, first, e);
	if (r == 0 && !strv_contains(points, hook.point)) {
		forget(c, hook.point);
		strv_add(points, hook.point);
	}
	hook.path = mem_text(equals + 1);
	for (size_t i = 1; i < words->count; i++)
		strv_add(&hook.args, words->items[i]);
	if (r == 0 && *hook.path)
		r = check_path(hook.path, e);
	if (r == 0 && *hook.path)
		*shape_list_add(&c->hooks) = hook;
	else
		hook_clear(&hook);
	return r;
}

static int read_value(struct container *c, struct strv *points, const char *text, struct err *e)
{
	int r = 0;

	while (r == 0 && *text) {
		own_clear(strv_clear) struct strv words = { 0 };
		r = words_split_until(&words, &text, ';', e);
		if (r == 0 && words.count)
			r = read_hook(c, points, &words, e);
	}
	return r;
}

int config_hooks(struct container *c, const struct create_options *o, struct err *e)
{
	own_clear(strv_clear) struct strv points = { 0 };

	for (size_t i = 0; i < o->hook.count; i++) {
		if (!*o->hook.items[i])
			forget(c, NULL);
		if (read_value(c, &points, o->hook.items[i], e) < 0)
			return err_add(e, "--hook '%.200s'", o->hook.items[i]);
	}
	if (c->hooks.count > CONTAINER_HOOKS_MAX)
		return err_set(e, ERR_INVALID, "--hook: at most %d", CONTAINER_HOOKS_MAX);
	return 0;
}
