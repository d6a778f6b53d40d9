#include "engine/event.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "image/reference.h"
#include "storage/event.h"
#include "storage/store.h"

void engine_event_attributes(struct shape_map *to, const struct container *c)
{
	for (size_t i = 0; i < c->labels.count; i++)
		shape_map_set(to, c->labels.items[i].key, c->labels.items[i].value);
	shape_map_set(to, "image", c->image.name ? c->image.name : "");
	shape_map_set(to, "name", c->name ? c->name : "");
}

void engine_event_container(struct engine *engine, const struct container *c, const char *action,
			    ...)
{
	own_clear(shape_map_clear) struct shape_map attributes = { 0 };
	va_list more;

	engine_event_attributes(&attributes, c);
	va_start(more, action);
	storage_event_write_parts(engine->store->run_fd, "container", action, c->id, &attributes,
				  more);
	va_end(more);
}

void engine_event(struct engine *engine, const char *type, const char *action, const char *id, ...)
{
	va_list more;

	va_start(more, id);
	storage_event_write_parts(engine->store->run_fd, type, action, id, NULL, more);
	va_end(more);
}

/* As Docker: "busybox:latest" is the id of what was pulled, "busybox" its name. */
static char *without_tag(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash : name;

	return mem_text_n(name, (size_t)(last - name) + strcspn(last, ":@"));
}

void engine_event_image(struct engine *engine, const char *action, const char *id, const char *name)
{
	const char *familiar = name ? image_reference_familiar(name) : id;

	if (id) {
		engine_event(engine, "image", action, id, "name", familiar, NULL);
		return;
	}
	own_free char *bare = without_tag(familiar);
	engine_event(engine, "image", action, familiar, "name", bare, NULL);
}

void engine_event_pruned(struct engine *engine, const char *type, uint64_t bytes)
{
	own_free char *reclaimed = mem_format("%llu", (unsigned long long)bytes);

	engine_event(engine, type, "prune", "", "reclaimed", reclaimed, NULL);
}
