#include "image/search.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/http.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/place.h"
#include "image/registry.h"

/* ---- answers ---- */

#define RESULT(name, type)                                                                         \
	{                                                                                          \
#name, type, offsetof(struct image_search_result, name)                            \
	}
static const struct shape result_shape = {
	sizeof(struct image_search_result),
	(const struct shape_field[]){
		RESULT(name, SHAPE_STRING),
		RESULT(description, SHAPE_STRING),
		RESULT(tag, SHAPE_STRING),
		RESULT(star_count, SHAPE_INT),
		RESULT(is_official, SHAPE_BOOL),
		RESULT(is_automated, SHAPE_BOOL),
		{ 0 },
	},
};

const struct shape image_search_shape = {
	sizeof(struct image_search_results),
	(const struct shape_field[]){
		{ "results", SHAPE_LIST, offsetof(struct image_search_results, results),
		  &result_shape },
		{ 0 },
	},
};

/* distribution-spec v1.1 "Listing Tags", and Docker's catalog. */
struct names {
	char *name;
	struct strv tags;
	struct strv repositories;
};

static const struct shape names_shape = {
	sizeof(struct names),
	(const struct shape_field[]){
		{ "name", SHAPE_STRING, offsetof(struct names, name) },
		{ "tags", SHAPE_STRINGS, offsetof(struct names, tags) },
		{ "repositories", SHAPE_STRINGS, offsetof(struct names, repositories) },
		{ 0 },
	},
};

void image_search_clear(struct image_search_results *all)
{
	shape_clear(&image_search_shape, all);
}

static void add(struct image_search_results *to, const char *name, const char *tag)
{
	struct image_search_result *result = shape_list_add(&to->results);

	result->name = mem_text(name);
	result->tag = mem_text(tag);
}

int image_search_parse(struct image_search_results *to, const char *text, size_t length,
		       const char *term, struct err *e)
{
	own_clear(image_search_clear) struct image_search_results found = { 0 };
	struct names names = { 0 };
	int r = shape_read_text(&image_search_shape, text, length, &found, e);

	if (r == 0)
		r = shape_read_text(&names_shape, text, length, &names, e);
	if (r < 0)
		return err_add(e, "the registry's answer");
	for (size_t i = 0; i < found.results.count; i++)
		if (!str_empty(found.results.items[i].name)) {
			*shape_list_add(&to->results) = found.results.items[i];
			found.results.items[i] = (struct image_search_result){ 0 };
		}
	for (size_t i = 0; i < names.repositories.count; i++)
		if (!term || strstr(names.repositories.items[i], term))
			add(to, names.repositories.items[i], NULL);
	for (size_t i = 0; i < names.tags.count; i++)
		add(to, names.name ? names.name : "", names.tags.items[i]);
	shape_clear(&names_shape, &names);
	return 0;
}

/* ---- asking ---- */

struct search {
	struct image_place place;
	const char *term;
	const char *limit;
	bool tags;
};

static int get(struct image_search_results *to, struct image_registry *registry,
	       struct image_http *http, const char *path, const char *term, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	int r = image_registry_get(registry, http, path, &text, e);

	return r < 0 ? r : image_search_parse(to, text.text ? text.text : "", text.length, term, e);
}

static int search_words(struct image_search_results *to, const struct search *s,
			struct image_registry *registry, struct image_http *http, struct err *e)
{
	char *escaped = curl_easy_escape(NULL, s->term, 0);
	own_free char *path = mem_format("/v1/search?q=%s&n=%s", escaped ? escaped : "", s->limit);

	curl_free(escaped);
	int r = get(to, registry, http, path, NULL, e);
	if (r == 0 || e->kind != ERR_NOT_FOUND)
		return r;
	r = get(to, registry, http, "/v2/_catalog?n=1000", s->term, e);
	if (r < 0 && (e->kind == ERR_NOT_FOUND || e->kind == ERR_PERMISSION)) {
		err_set(e, ERR_UNSUPPORTED, "%s can neither search nor list its repositories",
			image_registry_host(registry));
		return err_hint(e, "of one repository it lists the tags: holm search --list-tags");
	}
	return r;
}

static int ask(struct image_search_results *to, const struct search *s, struct err *e)
{
	own(image_registry_free) struct image_registry *registry = image_place_registry(&s->place);
	own(image_http_free) struct image_http *http = image_registry_connect(registry);
	own_free char *tags =
		mem_format("/v2/%s/tags/list?n=%s", image_registry_path(registry), s->limit);

	return s->tags ? get(to, registry, http, tags, NULL, e)
		       : search_words(to, s, registry, http, e);
}

/* "quay.io/word" is a word on quay.io. Words are asked of docker.io's index, which is not where its
 * images are. */
static int find_place(struct search *s, const struct image_invocation *invocation, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	const char *text = invocation->operands[0];
	struct err ignored;

	if (invocation->all_tags) {
		int r = image_reference_parse(&ref, text, e);
		return r < 0 ? r
			     : image_place_find_primary(&s->place, &ref, &invocation->access, e);
	}
	const char *slash = strchr(text, '/');
	own_free char *any = mem_format("%.*s/any", slash ? (int)(slash - text) : 0, text);
	bool named = image_reference_parse(&ref, any, &ignored) == 0 && ref.domain_given;
	own_free char *host = named ? mem_text(ref.domain) : mem_text("docker.io");
	s->term = named ? slash + 1 : text;
	int r = image_place_find_registry(&s->place, host, &invocation->access, e);
	if (r == 0 && str_equal(s->place.endpoint.host, "docker.io"))
		mem_replace(&s->place.endpoint.host, "index.docker.io");
	return r;
}

int image_search_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(image_search_clear) struct image_search_results all = { 0 };
	struct search s = { .tags = invocation->all_tags };

	if (invocation->count != 2)
		return err_set(e, ERR_INVALID, "expected a word and a limit");
	s.limit = invocation->operands[1];
	int r = find_place(&s, invocation, e);
	if (r == 0)
		r = image_jail_enter(invocation->store, e);
	if (r == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = err_set(e, ERR_INTERNAL, "libcurl does not start");
	if (r == 0)
		r = ask(&all, &s, e);
	if (r == 0) {
		own_json struct json_object *object = shape_write(&image_search_shape, &all);
		puts(json_text(object));
	}
	image_place_clear(&s.place);
	return r;
}
