#include "build/cache_option.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "build/build.h"

void build_cache_option_clear(struct build_cache_option *option)
{
	strv_clear(&option->pairs);
}

static int take_type(struct build_cache_option *to, struct err *e)
{
	static const char *const types[] = {
		[BUILD_CACHE_REGISTRY] = "registry",
		[BUILD_CACHE_LOCAL] = "local",
		[BUILD_CACHE_INLINE] = "inline",
	};
	const char *type = strv_value(&to->pairs, "type");

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (!str_equal(type, types[i]))
			continue;
		to->type = (enum build_cache_type)i;
		return 0;
	}
	return err_set(e, ERR_INVALID, "type is none of registry, local, inline");
}

static int take_pair(struct build_cache_option *to, const char *pair, const char *folder,
		     struct err *e)
{
	const char *equals = strchr(pair, '=');
	const char *value = equals ? equals + 1 : "";
	own_free char *key = equals ? mem_text_n(pair, (size_t)(equals - pair)) : mem_text(pair);

	if (str_equal(key, "type"))
		return 0;
	if ((str_equal(key, "ref") && to->type == BUILD_CACHE_REGISTRY) ||
	    (str_equal(key, folder) && to->type == BUILD_CACHE_LOCAL)) {
		to->place = value;
		return 0;
	}
	bool writes = str_equal(folder, "dest");
	if (str_equal(key, "mode") && writes && to->type != BUILD_CACHE_INLINE) {
		to->target_only = str_equal(value, "min");
		return to->target_only || str_equal(value, "max")
			       ? 0
			       : err_set(e, ERR_INVALID, "mode=%s: neither min nor max", value);
	}
	if (str_equal(key, "ignore-error") && writes) {
		to->ignore_error = str_equal(value, "true");
		return to->ignore_error || str_equal(value, "false")
			       ? 0
			       : err_set(e, ERR_INVALID, "ignore-error=%s: neither true nor false",
					 value);
	}
	return err_set(e, ERR_INVALID, "'%.60s' is not known there", pair);
}

static int parse(struct build_cache_option *to, const char *text, const char *folder, struct err *e)
{
	if (!strchr(text, '=')) {
		to->place = text;
		return *text ? 0 : err_set(e, ERR_INVALID, "it is empty");
	}
	strv_split(&to->pairs, text, ',');
	int r = take_type(to, e);
	for (size_t i = 0; r == 0 && i < to->pairs.count; i++)
		r = take_pair(to, to->pairs.items[i], folder, e);
	if (r == 0 && to->type != BUILD_CACHE_INLINE && str_empty(to->place))
		r = err_set(e, ERR_INVALID, "it has no %s",
			    to->type == BUILD_CACHE_LOCAL ? folder : "ref");
	return r;
}

int build_cache_option_from(struct build_cache_option *ret, const char *text, struct err *e)
{
	int r = parse(ret, text, "src", e);

	if (r == 0 && ret->type == BUILD_CACHE_INLINE)
		r = err_set(e, ERR_INVALID, "inline is of --cache-to: name the image");
	return r < 0 ? err_add(e, "--cache-from %.100s", text) : 0;
}

int build_cache_option_to(struct build_cache_option *ret, const char *text, struct err *e)
{
	return parse(ret, text, "dest", e) < 0 ? err_add(e, "--cache-to %.100s", text) : 0;
}

int build_cache_option_check(const struct build_options *o, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->cache_from.count; i++) {
		own_clear(build_cache_option_clear) struct build_cache_option option = { 0 };
		r = build_cache_option_from(&option, o->cache_from.items[i], e);
	}
	for (size_t i = 0; r == 0 && i < o->cache_to.count; i++) {
		own_clear(build_cache_option_clear) struct build_cache_option option = { 0 };
		r = build_cache_option_to(&option, o->cache_to.items[i], e);
	}
	return r;
}

bool build_cache_option_inline(const struct build_options *o)
{
	for (size_t i = 0; i < o->cache_to.count; i++) {
		own_clear(build_cache_option_clear) struct build_cache_option option = { 0 };
		struct err checked;
		if (build_cache_option_to(&option, o->cache_to.items[i], &checked) == 0 &&
		    option.type == BUILD_CACHE_INLINE)
			return true;
	}
	return false;
}
