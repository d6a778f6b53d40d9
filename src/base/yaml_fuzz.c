/* Any bytes: refused with a sentence, or documents whose nodes are as many as are counted. */
#include <assert.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static size_t count(const struct yaml_node *node)
{
	size_t all = 1, children = 0;

	for (const struct yaml_node *child = node->first; child; child = child->next, children++)
		all += count(child);
	assert(children == node->count);
	assert((node->kind == YAML_NODE_SCALAR) == (node->text != NULL));
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(pool_clear) struct pool pool = { 0 };
	struct yaml_node *documents = NULL;
	struct err e = { 0 };

	if (yaml_parse(&documents, &pool, (const char *)bytes, length, "fuzz", &e) < 0)
		assert(*e.text);
	else
		assert(count(documents) <= YAML_NODES_MAX + 1);
	return 0;
}
