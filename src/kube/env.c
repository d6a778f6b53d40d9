#include "kube/env.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "kube/quantity.h"

enum { VALUE_BYTES_MAX = 128 << 10 }; /* execve(2): MAX_ARG_STRLEN */

void kube_env_clear(struct kube_env *env)
{
	free(env->items);
	*env = (struct kube_env){ 0 };
}

static int wrong(const struct kube_env_scope *s, unsigned line, const char *name, const char *why,
		 struct err *e)
{
	return err_set(e, ERR_INVALID, "%s:%u: container %s: variable %s: %s", s->file, line,
		       s->container->name, name, why);
}

static struct kube_env_variable *find(const struct kube_env *env, const char *name, size_t length)
{
	for (size_t i = 0; i < env->count; i++)
		if (strlen(env->items[i].name) == length &&
		    !strncmp(env->items[i].name, name, length))
			return &env->items[i];
	return NULL;
}

/* The later one counts. */
static int put(struct kube_env *env, const struct kube_env_scope *s,
	       const struct kube_env_variable *variable, struct err *e)
{
	const char *name = variable->name;

	if (str_empty(name) || strchr(name, '='))
		return wrong(s, variable->line, name ? name : "", "no name of a variable", e);
	if (strlen(variable->value) > VALUE_BYTES_MAX)
		return wrong(s, variable->line, name, "longer than 128 KiB", e);
	env->bytes += strlen(name) + strlen(variable->value);
	if (env->count == KUBE_ENV_VARIABLES_MAX || env->bytes > KUBE_ENV_BYTES_MAX)
		return wrong(s, variable->line, name, "too many variables, or 2 MiB of them", e);
	struct kube_env_variable *to = find(env, name, strlen(name));
	if (!to) {
		env->items = mem_resize(env->items, env->count + 1, sizeof(*env->items));
		to = &env->items[env->count++];
	}
	*to = *variable;
	return 0;
}

/* ---- $(VAR) ---- */

const char *kube_env_expand(const struct kube_env *env, struct pool *pool, const char *text,
			    bool *ret_secret)
{
	own_clear(str_clear) struct str to = { 0 };

	*ret_secret = false;
	while (*text && to.length <= VALUE_BYTES_MAX) {
		const char *end = text[0] == '$' && text[1] == '(' ? strchr(text, ')') : NULL;
		const struct kube_env_variable *variable =
			end ? find(env, text + 2, (size_t)(end - text) - 2) : NULL;
		if (variable) {
			str_add(&to, variable->value);
			*ret_secret |= variable->secret != NULL;
			text = end + 1;
			continue;
		}
		text += text[0] == '$' && text[1] == '$';
		str_add_char(&to, *text++);
	}
	return pool_text(pool, to.text ? to.text : "", to.length);
}

/* ---- valueFrom ---- */

static int take_datum(struct kube_env_variable *to, const struct kube_env_scope *s,
		      const struct kube_datum *datum, struct err *e)
{
	if (memchr(datum->bytes, '\0', datum->length))
		return wrong(s, to->line, to->name, "its value has a NUL character", e);
	to->value = datum->bytes;
	to->secret = datum->secret;
	return 0;
}

static bool is_optional(const struct kube_key *key)
{
	return key->optional && *key->optional;
}

/* 1: it is optional, and not there. */
static int from_key(struct kube_env_variable *to, const struct kube_env_scope *s, const char *kind,
		    const struct kube_key *key, struct err *e)
{
	struct kube_data data;

	if (str_empty(key->name) || str_empty(key->key))
		return wrong(s, key->line, to->name, "it wants a name and a key", e);
	int r = kube_data_of(&data, &s->source, kind, key->name, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND && is_optional(key))
		return 1;
	if (r < 0)
		return err_add(e, "%s:%u: container %s: variable %s", s->file, key->line,
			       s->container->name, to->name);
	const struct kube_datum *datum = kube_data_find(&data, key->key);
	if (!datum && is_optional(key))
		return 1;
	if (!datum) {
		own_free char *why =
			mem_format("the %s %s has no key %s", kind, key->name, key->key);
		return wrong(s, key->line, to->name, why, e);
	}
	return take_datum(to, s, datum, e);
}

/* metadata.labels['app'] -> app, of pairs. */
static const char *subscript(const struct kube_pairs *pairs, const char *path, const char *prefix)
{
	size_t length = strlen(path);

	if (!str_starts(path, prefix) || !str_ends(path, "']"))
		return NULL;
	for (size_t i = 0; i < pairs->count; i++)
		if (strlen(pairs->items[i].key) == length - strlen(prefix) - 2 &&
		    !strncmp(pairs->items[i].key, path + strlen(prefix),
			     length - strlen(prefix) - 2))
			return pairs->items[i].value;
	return "";
}

static int from_field(struct kube_env_variable *to, const struct kube_env_scope *s,
		      const struct kube_field_ref *field, struct err *e)
{
	const char *path = field->path ? field->path : "";
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	to->value = subscript(&s->metadata->labels, path, "metadata.labels['");
	if (!to->value)
		to->value = subscript(&s->metadata->annotations, path, "metadata.annotations['");
	if (!strcmp(path, "metadata.name"))
		to->value = s->pod;
	else if (!strcmp(path, "metadata.namespace") || !strcmp(path, "spec.serviceAccountName"))
		to->value = "default";
	else if (!strcmp(path, "spec.nodeName"))
		to->value = pool_text(&s->source.set->pool, host, strlen(host));
	if (to->value)
		return 0;
	err_set(e, ERR_UNSUPPORTED, "%s:%u: container %s: variable %s: the field '%s' is not known",
		s->file, field->line, s->container->name, to->name, path);
	return err_hint(e, "metadata.name, .namespace, .labels['X'], .annotations['X'] and "
			   "spec.nodeName are: addresses are given when it starts");
}

static const struct kube_container *named(const struct kube_env_scope *s, const char *name)
{
	const struct kube_container *all = s->spec->containers.items;

	if (str_empty(name) || str_equal(name, s->container->name))
		return s->container;
	for (size_t i = 0; i < s->spec->containers.count; i++)
		if (str_equal(all[i].name, name))
			return &all[i];
	return NULL;
}

/* "limits.memory": of the container's resources. NULL: not said. */
static const char *amount_of(const struct kube_container *c, const char *resource)
{
	const struct kube_resources *r = c ? c->resources : NULL;
	const struct kube_amounts *limits = r ? r->limits : NULL;
	const struct kube_amounts *requests = r ? r->requests : NULL;

	if (limits && str_equal(resource, "limits.cpu"))
		return limits->cpu;
	if (limits && str_equal(resource, "limits.memory"))
		return limits->memory;
	if (requests && str_equal(resource, "requests.cpu"))
		return requests->cpu;
	return requests && str_equal(resource, "requests.memory") ? requests->memory : NULL;
}

/* As Kubernetes: in units of the divisor, rounded up. */
static int from_resource(struct kube_env_variable *to, const struct kube_env_scope *s,
			 const struct kube_resource_ref *ref, struct err *e)
{
	const char *text = amount_of(named(s, ref->container), ref->resource);
	const char *unit =
		str_empty(ref->divisor) || str_equal(ref->divisor, "0") ? "1" : ref->divisor;
	double amount, divisor;

	if (!text)
		return wrong(s, ref->line, to->name, "the container has no such limit or request",
			     e);
	int r = kube_quantity_parse(&amount, text, e);
	if (r == 0)
		r = kube_quantity_parse(&divisor, unit, e);
	if (r < 0)
		return err_add(e, "%s:%u: variable %s", s->file, ref->line, to->name);
	if (divisor <= 0)
		return wrong(s, ref->line, to->name, "the divisor is not positive", e);
	to->value = pool_format(&s->source.set->pool, "%.0f", ceil(amount / divisor - 1e-9));
	return 0;
}

static int from(struct kube_env_variable *to, const struct kube_env_scope *s,
		const struct kube_env_source *source, struct err *e)
{
	int given = !!source->config_map + !!source->secret + !!source->field + !!source->resource;

	if (given != 1)
		return wrong(s, source->line, to->name, "valueFrom wants one source", e);
	if (source->config_map)
		return from_key(to, s, "ConfigMap", source->config_map, e);
	if (source->secret)
		return from_key(to, s, "Secret", source->secret, e);
	return source->field ? from_field(to, s, source->field, e)
			     : from_resource(to, s, source->resource, e);
}

/* ---- all ---- */

static int add_variable(struct kube_env *env, const struct kube_env_scope *s,
			const struct kube_variable *variable, struct err *e)
{
	struct kube_env_variable made = { .name = variable->name, .line = variable->line };
	struct pool *pool = &s->source.set->pool;

	if (str_empty(made.name))
		return wrong(s, made.line, "", "it has no name", e);
	if (variable->from && variable->value)
		return wrong(s, made.line, made.name, "value and valueFrom exclude each other", e);
	if (variable->from) {
		int r = from(&made, s, variable->from, e);
		return r < 0 ? r : r > 0 ? 0 : put(env, s, &made, e);
	}
	made.value =
		kube_env_expand(env, pool, variable->value ? variable->value : "", &made.composed);
	if (made.composed)
		made.secret = pool_format(pool, "%s.%s.%s", s->pod, s->container->name, made.name);
	return put(env, s, &made, e);
}

static int add_all(struct kube_env *env, const struct kube_env_scope *s,
		   const struct kube_env_from *all, struct err *e)
{
	const struct kube_key *key = all->config_map ? all->config_map : all->secret;
	struct kube_data data;
	int r = 0;

	if (!key || (all->config_map && all->secret) || str_empty(key->name))
		return wrong(s, all->line, "envFrom",
			     "it wants configMapRef or secretRef, with a name", e);
	r = kube_data_of(&data, &s->source, all->config_map ? "ConfigMap" : "Secret", key->name, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND && is_optional(key))
		return 0;
	if (r < 0)
		return err_add(e, "%s:%u: container %s: envFrom", s->file, all->line,
			       s->container->name);
	for (size_t i = 0; r == 0 && i < data.count; i++) {
		struct kube_env_variable made = { .line = all->line };
		made.name = pool_format(&s->source.set->pool, "%s%s",
					all->prefix ? all->prefix : "", data.items[i].key);
		r = take_datum(&made, s, &data.items[i], e);
		if (r == 0)
			r = put(env, s, &made, e);
	}
	return r;
}

int kube_env_make(struct kube_env *ret, const struct kube_env_scope *scope, struct err *e)
{
	const struct kube_env_from *whole = scope->container->env_from.items;
	const struct kube_variable *single = scope->container->env.items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < scope->container->env_from.count; i++)
		r = add_all(ret, scope, &whole[i], e);
	for (size_t i = 0; r == 0 && i < scope->container->env.count; i++)
		r = add_variable(ret, scope, &single[i], e);
	return r;
}
