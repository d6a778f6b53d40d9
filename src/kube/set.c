#include "kube/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/yaml.h"

const struct kube_entry *kube_set_find(const struct kube_set *set, const char *kind,
				       const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct kube_object *object = set->items[i].object;
		if (!strcmp(object->kind, kind) && !strcmp(object->metadata->name, name))
			return &set->items[i];
	}
	return NULL;
}

static int add_object(struct kube_set *set, struct kube_object *object, const char *file,
		      struct err *e)
{
	const char *name = object->metadata->name;
	const struct kube_entry *other = kube_set_find(set, object->kind, name);

	if (other)
		return err_set(e, ERR_INVALID, "%s:%u: the %s %s is there twice, first in %s:%u",
			       file, object->line, object->kind, name, other->file,
			       other->object->line);
	if (set->count == KUBE_SET_OBJECTS_MAX)
		return err_set(e, ERR_INVALID, "%s:%u: more than %d objects", file, object->line,
			       KUBE_SET_OBJECTS_MAX);
	set->items = mem_resize(set->items, set->count + 1, sizeof(*set->items));
	set->items[set->count++] = (struct kube_entry){ object, file };
	return 0;
}

static int add_node(struct kube_set *set, const struct yaml_node *node, const char *file,
		    struct err *e)
{
	struct kube_object *object;
	int r = kube_object_read(&object, &set->pool, node, file, e);

	return r < 0 || !object ? r : add_object(set, object, file, e);
}

/* kubectl's way to print several. */
static int add_list(struct kube_set *set, const struct yaml_node *list, const char *file,
		    struct err *e)
{
	int r = 0;

	for (const struct yaml_node *of = list->first; of; of = of->next) {
		if (strcmp(of->key, "items") != 0)
			continue;
		if (of->kind != YAML_NODE_LIST)
			return err_set(e, ERR_INVALID, "%s:%u: items: it is no list", file,
				       of->line);
		for (const struct yaml_node *item = of->first; r == 0 && item; item = item->next)
			r = add_node(set, item, file, e);
	}
	return r;
}

int kube_set_add(struct kube_set *set, const char *text, size_t length, const char *file,
		 struct err *e)
{
	const char *name = pool_text(&set->pool, file, strlen(file));
	struct yaml_node *documents;

	int r = yaml_parse(&documents, &set->pool, text, length, name, e);
	if (r < 0)
		return r;
	for (const struct yaml_node *of = documents->first; r == 0 && of; of = of->next) {
		if (yaml_is_null(of))
			continue;
		r = str_equal(yaml_text(of, "kind"), "List") ? add_list(set, of, name, e)
							     : add_node(set, of, name, e);
	}
	return r;
}

void kube_set_clear(struct kube_set *set)
{
	free(set->items);
	pool_clear(&set->pool);
	*set = (struct kube_set){ 0 };
}
