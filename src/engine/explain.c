#include "engine/explain.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/inspect_part.h"

const char *explain_compared_name(enum explain_compared compared)
{
	static const char *const names[] = { "", "weaker", "tighter", "changed" };

	return names[compared];
}

void explain_add(struct explain_rows *to, const char *group, const char *primitive, char *value,
		 enum explain_compared compared, char *flag)
{
	struct explain_row *row = shape_list_add(&to->rows);

	row->group = mem_text(group);
	row->primitive = mem_text(primitive);
	row->value = value;
	row->compared = compared;
	row->flag = flag;
}

void explain_make(struct explain_rows *to, struct engine *engine, const struct container *c,
		  const struct container_state *state)
{
	explain_namespaces(to, engine, c, state);
	explain_privileges(to, c);
	explain_limits(to, engine, c, state);
	explain_mounts(to, c);
}

void explain_clear(struct explain_rows *rows)
{
	for (size_t i = 0; i < rows->rows.count; i++) {
		struct explain_row *row = &rows->rows.items[i];
		free(row->group);
		free(row->primitive);
		free(row->value);
		free(row->flag);
	}
	free(rows->rows.items);
	*rows = (struct explain_rows){ 0 };
}

int engine_explain(struct engine *engine, const char *name, struct json_object **ret, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	own_clear(explain_clear) struct explain_rows rows = { 0 };
	struct container_state state;

	int r = engine_load(engine, name, &c, &state, e);
	if (r < 0)
		return r;
	explain_make(&rows, engine, &c, &state);
	struct json_object *to = json_object_new_object(), *array = json_object_new_array();
	for (size_t i = 0; i < rows.rows.count; i++) {
		const struct explain_row *row = &rows.rows.items[i];
		struct json_object *one = json_object_new_object();
		inspect_text(one, "Group", row->group);
		inspect_text(one, "Primitive", row->primitive);
		inspect_text(one, "Value", row->value);
		inspect_text(one, "Compared", explain_compared_name(row->compared));
		inspect_text(one, "Flag", row->flag);
		json_object_array_add(array, one);
	}
	inspect_text(to, "Name", c.name);
	inspect_text(to, "Id", c.id);
	inspect_text(to, "State", container_status_name(state.status));
	json_object_object_add(to, "Rows", array);
	*ret = to;
	return 0;
}
