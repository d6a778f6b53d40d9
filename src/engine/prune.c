#include "engine/prune.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "storage/tree.h"

/* ---- filters ---- */

void prune_filter_clear(struct prune_filter *filter)
{
	strv_clear(&filter->label);
	strv_clear(&filter->label_not);
	*filter = (struct prune_filter){ 0 };
}

int prune_filter_until(int64_t *ret, const char *value, struct err *e)
{
	int64_t span_ns;
	struct err ignored;

	if (moment_parse(ret, value, &ignored) == 0)
		return 0;
	if (number_parse_duration_ns(&span_ns, value, &ignored) < 0)
		return err_set(e, ERR_INVALID,
			       "--filter until: '%s' is neither a time as 2026-01-31T12:00:00Z nor "
			       "a span as 24h",
			       value);
	*ret = moment_now_ns() - span_ns;
	return 0;
}

static int parse_flag(bool *ret, const char *key, const char *value, struct err *e)
{
	bool yes = str_equal(value, "true") || str_equal(value, "1");

	if (!yes && !str_equal(value, "false") && !str_equal(value, "0"))
		return err_set(e, ERR_INVALID, "--filter %s: '%s' is neither true nor false", key,
			       value);
	*ret = yes;
	return 0;
}

static int take(struct prune_filter *to, const char *key, const char *value, struct err *e)
{
	if (str_equal(key, "until"))
		return prune_filter_until(&to->until_ns, value, e);
	if (str_equal(key, "all"))
		return parse_flag(&to->all, key, value, e);
	if (str_equal(key, "dangling")) {
		to->dangling_given = true;
		return parse_flag(&to->dangling, key, value, e);
	}
	strv_add(str_equal(key, "label!") ? &to->label_not : &to->label, value);
	return 0;
}

static int unknown(const char *key, const char *const *keys, struct err *e)
{
	own_clear(strv_clear) struct strv known = { 0 };

	for (; *keys; keys++)
		strv_addf(&known, "%s", *keys);
	own_free char *list = strv_join(&known, ", ");
	return err_set(e, ERR_INVALID, "--filter: '%s' is none of %s", key, list);
}

static bool is_known(const char *key, const char *const *keys)
{
	for (; *keys; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

int prune_filter_parse(struct prune_filter *to, const struct strv *given, const char *const *keys,
		       struct err *e)
{
	for (size_t i = 0; i < given->count; i++) {
		own_free char *key = mem_text(given->items[i]);
		char *equals = strchr(key, '=');
		if (!equals)
			return err_set(e, ERR_INVALID, "--filter: '%s' is not written KEY=VALUE",
				       key);
		*equals = '\0';
		if (!is_known(key, keys))
			return unknown(key, keys, e);
		int r = take(to, key, equals + 1, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_label(const struct strv *labels, const char *wanted)
{
	return strchr(wanted, '=') ? strv_contains(labels, wanted)
				   : strv_find_key(labels, wanted) >= 0;
}

bool prune_filter_matches(const struct prune_filter *filter, int64_t created_ns,
			  const struct strv *labels)
{
	if (filter->until_ns && (!created_ns || created_ns >= filter->until_ns))
		return false;
	for (size_t i = 0; i < filter->label.count; i++)
		if (!has_label(labels, filter->label.items[i]))
			return false;
	for (size_t i = 0; i < filter->label_not.count; i++)
		if (has_label(labels, filter->label_not.items[i]))
			return false;
	return true;
}

void prune_filter_labels(struct strv *to, const struct shape_map *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		strv_addf(to, "%s=%s", labels->items[i].key, labels->items[i].value);
}

/* ---- containers ---- */

static bool may_go(const struct engine_row *row, const struct prune_filter *filter)
{
	own_clear(strv_clear) struct strv labels = { 0 };

	if (container_state_live(&row->state) || row->state.status == CONTAINER_RESTARTING)
		return false;
	prune_filter_labels(&labels, &row->container.labels);
	return prune_filter_matches(filter, row->container.created_ns, &labels);
}

/* One that was started or removed meanwhile is left alone. */
static int remove_row(struct engine *engine, const char *id, bool volumes, struct strv *done,
		      uint64_t *bytes, struct err *e)
{
	own_clear(tree_seen_clear) struct tree_seen seen = { 0 };
	const struct remove_options options = { .volumes = volumes };
	uint64_t size = 0;
	struct err ignored;

	storage_tree_add_at(&seen, engine->containers_fd, id, &size, &ignored);
	int r = engine_remove(engine, id, &options, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND || e->kind == ERR_STATE ? 0 : r;
	strv_add(done, id);
	*bytes += size;
	return 0;
}

int engine_prune_containers(struct engine *engine, const struct prune_filter *filter, bool volumes,
			    struct strv *done, uint64_t *ret_bytes, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true };

	*ret_bytes = 0;
	int r = engine_list(engine, &all, &rows, e);
	for (size_t i = 0; r == 0 && i < rows.count; i++)
		if (may_go(&rows.items[i], filter))
			r = remove_row(engine, rows.items[i].container.id, volumes, done, ret_bytes,
				       e);
	if (r == 0)
		engine_event_pruned(engine, "container", *ret_bytes);
	return r;
}
