#include "image/tags.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/reference.h"
#include "image/registry.h"
#include "image/search.h"

enum {
	PAGE = 1000,
	TAGS_MAX = 100000,
};

/* A tag becomes part of addresses and of names: only one that is written as a tag. */
static int add_tag(struct strv *to, const char *path, const char *tag, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_free char *name = mem_format("x.y/%s:%s", path, tag ? tag : "");

	if (image_reference_parse(&ref, name, e) < 0 || !str_equal(ref.tag, tag))
		return err_set(e, ERR_CORRUPT, "the registry lists a tag that is none");
	if (to->count == TAGS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more than %d tags", TAGS_MAX);
	strv_add(to, tag);
	return 0;
}

/* Returns how many are new. A registry that knows no pages gives all of them each time. */
static int add_page(struct strv *to, struct image_registry *registry, struct image_http *http,
		    const char *path, struct err *e)
{
	own_clear(image_search_clear) struct image_search_results page = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	size_t before = to->count;

	int r = image_registry_get(registry, http, path, &text, e);
	if (r == 0)
		r = image_search_parse(&page, text.text ? text.text : "", text.length, NULL, e);
	if (r == 0 && page.results.count && before &&
	    str_equal(page.results.items[0].tag, to->items[0]))
		return 0;
	for (size_t i = 0; r == 0 && i < page.results.count; i++)
		r = add_tag(to, image_registry_path(registry), page.results.items[i].tag, e);
	return r < 0 ? r : (int)(to->count - before);
}

int image_tags_list(struct strv *to, struct image_registry *registry, struct image_http *http,
		    struct err *e)
{
	const char *name = image_registry_path(registry);
	own_free char *first = mem_format("/v2/%s/tags/list?n=%d", name, PAGE);

	int r = add_page(to, registry, http, first, e);
	while (r > 0) {
		own_free char *next = mem_format("%s&last=%s", first, to->items[to->count - 1]);
		r = add_page(to, registry, http, next, e);
	}
	return r;
}
