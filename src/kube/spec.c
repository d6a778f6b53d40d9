#include "kube/spec.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "kube/data.h"
#include "storage/image.h"
#include "storage/secret.h"
#include "storage/store.h"

/* ---- parts ---- */

void kube_spec_text(struct json_object *to, const char *key, const char *text)
{
	if (!str_empty(text))
		json_object_object_add(to, key, json_object_new_string(text));
}

void kube_spec_add(struct json_object *to, const char *key, struct json_object *value)
{
	bool empty = !value ||
		     (json_object_is_type(value, json_type_object) &&
		      json_object_object_length(value) == 0) ||
		     (json_object_is_type(value, json_type_array) &&
		      json_object_array_length(value) == 0);

	if (empty)
		json_object_put(value);
	else
		json_object_object_add(to, key, value);
}

struct json_object *kube_spec_texts(const struct strv *list)
{
	struct json_object *to = json_object_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(to, json_object_new_string(list->items[i]));
	return to;
}

char *kube_spec_name(const char *name)
{
	char *to = mem_text(name);

	for (char *c = to; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '-';
	return to;
}

void kube_spec_secret(char **ret_name, char **ret_key, const struct kube_spec *s,
		      const char *secret)
{
	own_clear(storage_secret_clear) struct storage_secret there = { 0 };
	const char *of = NULL, *dot = strrchr(secret, '.');
	struct err ignored;

	if (storage_secret_find(&there, s->engine->store, secret, &ignored) == 0)
		of = shape_map_get(&there.labels, KUBE_DATA_LABEL_SECRET);
	/* a label can be anybody's */
	if (of && !str_starts(secret, of))
		of = NULL;
	size_t length = of ? strlen(of) : dot ? (size_t)(dot - secret) : strlen(secret);
	*ret_name = mem_text_n(secret, length);
	*ret_key = mem_text(secret[length] ? secret + length + 1 : secret);
}

/* ---- command ---- */

static bool are_equal(const struct strv *a, const struct strv *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

/* Is "$(NAME)..." a variable of the container's? Else it stays as it is there, too. */
static bool is_variable(const struct container *c, const char *text)
{
	const char *end = strchr(text, ')');
	own_free char *name = end ? mem_text_n(text + 2, (size_t)(end - text) - 2) : NULL;

	if (!name)
		return false;
	for (size_t i = 0; i < c->secrets.count; i++)
		if (c->secrets.items[i].env && str_equal(c->secrets.items[i].target, name))
			return true;
	return strv_value(&c->process.env, name) != NULL;
}

static struct json_object *escaped(const struct container *c, const char *text)
{
	own_clear(str_clear) struct str to = { 0 };

	for (; *text; text++) {
		bool more = text[0] == '$' &&
			    (text[1] == '$' || (text[1] == '(' && is_variable(c, text)));
		str_addf(&to, "%s%c", more ? "$" : "", *text);
	}
	return json_object_new_string(to.text ? to.text : "");
}

static struct json_object *words(const struct container *c, const struct strv *list)
{
	struct json_object *to = json_object_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(to, escaped(c, list->items[i]));
	return to;
}

/* What the image says need not be said: another version of it may know better. */
static void add_command(struct json_object *to, const struct container *c,
			const struct oci_image_process *image)
{
	const struct container_process *p = &c->process;
	bool entrypoint = image && are_equal(&p->entrypoint, &image->entrypoint);

	if (!entrypoint && p->entrypoint.count)
		kube_spec_add(to, "command", words(c, &p->entrypoint));
	if (!p->entrypoint.count && image && image->entrypoint.count)
		kube_spec_add(to, "command", words(c, &p->command));
	else if (!entrypoint || !are_equal(&p->command, &image->cmd))
		kube_spec_add(to, "args", words(c, &p->command));
	if (!image ||
	    !str_equal(p->workdir, str_empty(image->working_dir) ? "/" : image->working_dir))
		kube_spec_text(to, "workingDir", p->workdir);
	if (p->open_stdin)
		json_object_object_add(to, "stdin", json_object_new_boolean(true));
	if (p->tty)
		json_object_object_add(to, "tty", json_object_new_boolean(true));
}

static struct json_object *make_env(const struct kube_spec *s, const struct container *c,
				    const struct oci_image_process *image)
{
	struct json_object *to = json_object_new_array();

	for (size_t i = 0; i < c->process.env.count; i++) {
		const char *text = c->process.env.items[i], *equals = strchr(text, '=');
		if (!equals || (image && strv_contains(&image->env, text)))
			continue;
		struct json_object *one = json_object_new_object();
		own_free char *name = mem_text_n(text, (size_t)(equals - text));
		kube_spec_text(one, "name", name);
		json_object_object_add(one, "value", escaped(c, equals + 1));
		json_object_array_add(to, one);
	}
	for (size_t i = 0; i < c->secrets.count; i++) {
		own_free char *name = NULL, *key = NULL;
		if (!c->secrets.items[i].env)
			continue;
		kube_spec_secret(&name, &key, s, c->secrets.items[i].name);
		struct json_object *one = json_object_new_object();
		struct json_object *from = json_object_new_object();
		struct json_object *ref = json_object_new_object();
		kube_spec_text(one, "name", c->secrets.items[i].target);
		kube_spec_text(ref, "name", name);
		kube_spec_text(ref, "key", key);
		kube_spec_add(from, "secretKeyRef", ref);
		kube_spec_add(one, "valueFrom", from);
		json_object_array_add(to, one);
	}
	return to;
}

/* ---- resources ---- */

static void add_amount(struct json_object *to, const char *key, int64_t amount, const char *unit)
{
	own_free char *text = mem_format("%lld%s", (long long)amount, unit);

	if (amount > 0)
		kube_spec_text(to, key, text);
}

static struct json_object *make_resources(const struct container *c)
{
	const struct container_limits *l = &c->limits;
	struct json_object *to = json_object_new_object();
	struct json_object *limits = json_object_new_object();
	struct json_object *requests = json_object_new_object();

	add_amount(limits, "cpu", l->nanocpus / 1000000, "m");
	add_amount(limits, "memory", l->memory, "");
	add_amount(requests, "cpu", (int64_t)l->cpu_shares * 1000 / 1024, "m");
	add_amount(requests, "memory", l->memory_reservation, "");
	kube_spec_add(to, "limits", limits);
	kube_spec_add(to, "requests", requests);
	return to;
}

/* ---- health ---- */

static void add_connect(struct json_object *to, const char *address)
{
	struct json_object *of = json_object_new_object();
	bool http = str_starts(address, "http://");
	own_free char *place = mem_text(strstr(address, "://") + 3);
	char *path = strchr(place, '/');

	if (http)
		kube_spec_text(of, "path", path ? path : "/");
	if (path)
		*path = '\0';
	char *colon = strrchr(place, ':');
	if (colon) {
		*colon = '\0';
		json_object_object_add(of, "port",
				       json_object_new_int64(strtoll(colon + 1, NULL, 10)));
	}
	size_t length = strlen(place);
	bool six = place[0] == '[' && length > 2;
	if (six)
		place[length - 1] = '\0';
	if (strcmp(place, "127.0.0.1") != 0)
		kube_spec_text(of, "host", place + six);
	kube_spec_add(to, http ? "httpGet" : "tcpSocket", of);
}

static void add_test(struct json_object *to, const struct container_health *h)
{
	struct json_object *exec = json_object_new_object();
	own_clear(strv_clear) struct strv command = { 0 };

	if (str_equal(h->test.items[0], CONTAINER_HEALTH_CONNECT)) {
		json_object_put(exec);
		add_connect(to, h->test.items[1]);
		return;
	}
	if (str_equal(h->test.items[0], "CMD-SHELL") && h->shell.count)
		strv_add_all(&command, &h->shell);
	else if (str_equal(h->test.items[0], "CMD-SHELL"))
		strv_split(&command, "/bin/sh -c", ' ');
	for (size_t i = 1; i < h->test.count; i++)
		strv_add(&command, h->test.items[i]);
	kube_spec_add(exec, "command", kube_spec_texts(&command));
	kube_spec_add(to, "exec", exec);
}

static void add_seconds(struct json_object *to, const char *key, int64_t ns, int64_t otherwise)
{
	int64_t seconds = ns ? (ns + 999999999) / 1000000000 : otherwise;

	if (seconds)
		json_object_object_add(to, key, json_object_new_int64(seconds));
}

/* A check whose failure changes nothing is no liveness probe: that one restarts. */
static struct json_object *make_probe(const struct container *c)
{
	const struct container_health *h = &c->health;
	bool acts = str_equal(h->on_failure, "restart") || str_equal(h->on_failure, "kill");

	if (!container_has_health(c) || !acts)
		return NULL;
	struct json_object *to = json_object_new_object();
	add_test(to, h);
	add_seconds(to, "initialDelaySeconds", h->start_period_ns, 0);
	add_seconds(to, "periodSeconds", h->interval_ns, 30);
	add_seconds(to, "timeoutSeconds", h->timeout_ns, 30);
	json_object_object_add(to, "failureThreshold",
			       json_object_new_int64(h->retries ? h->retries : 3));
	return to;
}

/* ---- all ---- */

const char *kube_spec_short(const struct kube_spec *s, const char *name)
{
	size_t length = s->pod ? strlen(s->pod) : 0;

	return length && !strncmp(name, s->pod, length) && name[length] == '-' && name[length + 1]
		       ? name + length + 1
		       : name;
}

struct json_object *kube_spec_container(struct kube_spec *s, const struct container *c)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct json_object *to = json_object_new_object();
	own_free char *name = kube_spec_name(kube_spec_short(s, c->name));
	const struct oci_image_process *process = NULL;
	struct err ignored;

	if (c->image.digest &&
	    storage_image_read(&image, s->engine->store, c->image.digest, &ignored) == 0)
		process = &image.config.config;
	kube_spec_text(to, "name", name);
	kube_spec_text(to, "image", c->image.reference ? c->image.reference : c->image.name);
	add_command(to, c, process);
	kube_spec_add(to, "env", make_env(s, c, process));
	kube_spec_add(to, "resources", make_resources(c));
	kube_spec_add(to, "securityContext", kube_spec_security(c, process));
	kube_spec_add(to, "volumeMounts", kube_spec_mounts(s, c));
	kube_spec_add(to, "livenessProbe", make_probe(c));
	return to;
}
