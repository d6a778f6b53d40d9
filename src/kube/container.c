/* container.c - one container of a pod as the request that holm create would make. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "kube/env.h"
#include "kube/plan.h"
#include "kube/quantity.h"

static bool is_true(const bool *flag)
{
	return flag && *flag;
}

/* ---- command ---- */

static int expand(struct strv *to, size_t *bytes, const struct kube_env *env,
		  const struct kube_plan_scope *s, const struct kube_container *container,
		  const struct kube_texts *words, struct err *e)
{
	bool secret;

	for (size_t i = 0; i < words->count; i++) {
		const char *text =
			kube_env_expand(env, &s->source.set->pool, words->items[i], &secret);
		if (secret) {
			kube_plan_wrong(s, container->line, container->name,
					"a Secret in its command, where everybody could read it",
					e);
			return err_hint(e, "let a shell of its own expand it: command: [sh, -c, "
					   "'exec ... \"$NAME\"']");
		}
		*bytes += strlen(text) + 1;
		if (*bytes > KUBE_ENV_BYTES_MAX)
			return kube_plan_wrong(s, container->line, container->name,
					       "2 MiB of command", e);
		strv_add(to, text);
	}
	return 0;
}

/* command stands for the image's entrypoint and takes its own command away, args for that. */
static int set_command(struct create_options *o, const struct kube_env *env,
		       const struct kube_plan_scope *s, const struct kube_container *c,
		       struct err *e)
{
	size_t bytes = 0;

	int r = expand(&o->command, &bytes, env, s, c, &c->command, e);
	if (r == 0)
		r = expand(&o->command, &bytes, env, s, c, &c->args, e);
	if (r == 0)
		r = kube_plan_count(s, c->line, bytes, e);
	if (r < 0 || c->command.count == 0)
		return r;
	o->entrypoint = mem_text(o->command.items[0]);
	if (!*o->entrypoint)
		return kube_plan_wrong(s, c->line, c->name, "the command is an empty string", e);
	strv_remove(&o->command, 0);
	return 0;
}

static int set_env(struct create_options *o, const struct kube_env *env,
		   const struct kube_plan_scope *s)
{
	for (size_t i = 0; i < env->count; i++) {
		const struct kube_env_variable *v = &env->items[i];
		if (!v->secret) {
			strv_addf(&o->env, "%s=%s", v->name, v->value);
			continue;
		}
		strv_addf(&o->secret, "%s,type=env,target=%s", v->secret, v->name);
		if (!v->composed)
			continue;
		struct kube_plan_secret *made = shape_list_add(&s->pod->secrets);
		made->name = mem_text(v->secret);
		str_add(&made->bytes, v->value);
	}
	return 0;
}

static int set_process(struct kube_plan_container *to, const struct kube_plan_scope *s,
		       const struct kube_container *c, struct err *e)
{
	own_clear(kube_env_clear) struct kube_env env = { 0 };
	const struct kube_env_scope scope = {
		.source = s->source,
		.file = s->file,
		.pod = s->pod->o.name,
		.metadata = s->metadata,
		.spec = s->spec,
		.container = c,
	};
	struct create_options *o = &to->o;

	int r = kube_env_make(&env, &scope, e);
	if (r == 0)
		r = kube_plan_count(s, c->line, env.bytes, e);
	if (r == 0)
		r = set_command(o, &env, s, c, e);
	if (r == 0)
		r = set_env(o, &env, s);
	mem_replace(&o->workdir, c->workdir);
	o->interactive = is_true(c->stdin);
	o->tty = is_true(c->tty);
	return r;
}

/* ---- resources ---- */

static int parse_amount(double *ret, const struct kube_plan_scope *s,
			const struct kube_container *c, const struct kube_amounts *amounts,
			const char *what, const char *text, struct err *e)
{
	*ret = 0;
	if (!text)
		return 0;
	int r = kube_quantity_parse(ret, text, e);
	return r < 0 ? err_add(e, "%s:%u: container %s: %s", s->file, amounts->line, c->name, what)
		     : 0;
}

static int set_limits(struct create_options *o, const struct kube_plan_scope *s,
		      const struct kube_container *c, const struct kube_amounts *limits,
		      struct err *e)
{
	double cpu, memory;

	int r = parse_amount(&cpu, s, c, limits, "limits.cpu", limits->cpu, e);
	if (r == 0)
		r = parse_amount(&memory, s, c, limits, "limits.memory", limits->memory, e);
	if (r < 0)
		return r;
	if (cpu > 0)
		o->cpus = mem_format("%.3f", fmax(ceil(cpu * 1000 - 1e-6) / 1000, 0.01));
	if (memory > 0)
		o->memory = mem_format("%.0f", ceil(memory));
	return 0;
}

/* A CPU is 1024 shares, as everywhere; there are at least two. */
static int set_requests(struct create_options *o, const struct kube_plan_scope *s,
			const struct kube_container *c, const struct kube_amounts *requests,
			struct err *e)
{
	double cpu, memory;

	int r = parse_amount(&cpu, s, c, requests, "requests.cpu", requests->cpu, e);
	if (r == 0)
		r = parse_amount(&memory, s, c, requests, "requests.memory", requests->memory, e);
	if (r < 0)
		return r;
	if (cpu > 0)
		o->cpu_shares = mem_format("%.0f", fmin(fmax(cpu * 1024, 2), 262144));
	if (memory > 0)
		o->memory_reservation = mem_format("%.0f", ceil(memory));
	return 0;
}

static int set_resources(struct create_options *o, const struct kube_plan_scope *s,
			 const struct kube_container *c, struct err *e)
{
	const struct kube_resources *r = c->resources;
	int result = 0;

	if (r && r->limits)
		result = set_limits(o, s, c, r->limits, e);
	if (result == 0 && r && r->requests)
		result = set_requests(o, s, c, r->requests, e);
	return result;
}

/* ---- the rest ---- */

/* Kubernetes' words, the default first, and ours. */
struct word {
	const char *theirs, *ours;
};

static int translate(char **to, const struct word *words, const char *said,
		     const struct kube_plan_scope *s, const struct kube_container *c,
		     const char *what, struct err *e)
{
	for (; words->theirs; words++)
		if (str_empty(said) || !strcmp(words->theirs, said)) {
			*to = mem_text(words->ours);
			return 0;
		}
	own_free char *why = mem_format("%s %s is not known", what, said);
	return kube_plan_wrong(s, c->line, c->name, why, e);
}

static int set_restart(struct create_options *o, const struct kube_plan_scope *s,
		       const struct kube_container *c, struct err *e)
{
	static const struct word words[] = {
		{ "Always", "always" }, { "OnFailure", "on-failure" }, { "Never", "no" }, { 0 }
	};
	const struct kube_workload *w = s->workload;

	int r = translate(&o->restart, words, s->spec->restart, s, c, "restartPolicy", e);
	if (r < 0 || !w || !w->backoff || strcmp(o->restart, "on-failure") != 0)
		return r;
	own_free char *bounded = mem_format("on-failure:%lld", (long long)*w->backoff);
	mem_replace(&o->restart, bounded);
	return 0;
}

/* Where there is nothing but the image's own default. */
static const struct word pull_words[] = {
	{ "IfNotPresent", "missing" }, { "Always", "always" }, { "Never", "never" }, { 0 }
};

static void set_names(struct create_options *o, const struct kube_plan_scope *s,
		      const struct kube_container *c)
{
	const struct kube_pairs *labels = &s->metadata->labels;

	o->name = mem_format("%s-%s", s->pod->o.name, c->name);
	o->image = mem_text(c->image);
	o->pod = mem_text(s->pod->o.name);
	o->detach = true;
	o->quiet = s->o->quiet;
	for (size_t i = 0; i < labels->count; i++)
		strv_addf(&o->label, "%s=%s", labels->items[i].key, labels->items[i].value);
	strv_add_all(&o->annotation, &s->pod->o.annotation);
	mem_replace(&o->log_driver, s->o->log_driver);
	strv_add_all(&o->log_opt, &s->o->log_opt);
	o->no_hosts = false; /* the pod's files are its own */
}

static int set_times(struct create_options *o, const struct kube_plan_scope *s)
{
	const int64_t *deadline = s->spec->deadline;

	if (s->workload && s->workload->deadline)
		deadline = s->workload->deadline;
	if (s->spec->grace)
		o->stop_timeout = mem_format("%lld", (long long)*s->spec->grace);
	if (deadline)
		o->timeout = mem_format("%lld", (long long)*deadline);
	return 0;
}

static void set_namespaces(struct create_options *o, const struct kube_plan_scope *s)
{
	if (is_true(s->spec->host_pid))
		o->pid = mem_text("host");
	if (is_true(s->spec->host_ipc))
		o->ipc = mem_text("host");
	if (!str_empty(s->pod->o.userns))
		o->userns = mem_format("container:%s", s->pod->o.name);
}

/* Those without a hostPort are told of, no more. */
static int expose(struct create_options *o, const struct kube_plan_scope *s,
		  const struct kube_container *c, struct err *e)
{
	const struct kube_port *ports = c->ports.items;

	for (size_t i = 0; i < c->ports.count; i++) {
		const char *protocol = ports[i].protocol ? ports[i].protocol : "TCP";
		if (!ports[i].container_port)
			return kube_plan_wrong(s, ports[i].line, c->name,
					       "a port without containerPort", e);
		strv_addf(&o->expose, "%lld/%s", (long long)*ports[i].container_port, protocol);
	}
	return 0;
}

static int set_init(struct create_options *o, const struct kube_plan_scope *s,
		    const struct kube_container *c, struct err *e)
{
	static const char annotation[] = "io.podman.annotations.init.container.type";
	const char *type = strv_value(&s->pod->o.annotation, annotation);

	if (c->restart) {
		kube_plan_wrong(s, c->line, c->name,
				"an init container that goes on running (restartPolicy) is not "
				"supported",
				e);
		return err_hint(e, "put it among the containers");
	}
	mem_replace(&o->restart, "no");
	mem_replace(&o->init_ctr, type ? type : "once");
	return 0;
}

/* Itself, and what each container has of its pod. */
static int count(const struct kube_plan_scope *s, const struct kube_container *c, struct err *e)
{
	const struct kube_pairs *labels = &s->metadata->labels;
	size_t bytes = sizeof(struct kube_plan_container);

	for (size_t i = 0; i < labels->count; i++)
		bytes += strlen(labels->items[i].key) + strlen(labels->items[i].value);
	for (size_t i = 0; i < s->pod->o.annotation.count; i++)
		bytes += strlen(s->pod->o.annotation.items[i]);
	return kube_plan_count(s, c->line, bytes, e);
}

static int check(const struct kube_plan_scope *s, const struct kube_container *c, struct err *e)
{
	if (str_empty(c->name))
		return kube_plan_wrong(s, c->line, "", "it has no name", e);
	if (str_empty(c->image))
		return kube_plan_wrong(s, c->line, c->name, "it has no image", e);
	for (size_t i = 0; i < s->pod->containers.count; i++)
		if (!strcmp(s->pod->containers.items[i].name, c->name))
			return kube_plan_wrong(s, c->line, c->name, "its name is there twice", e);
	return count(s, c, e);
}

int kube_container_plan(const struct kube_plan_scope *s, const struct kube_container *c, bool init,
			struct err *e)
{
	int r = check(s, c, e);
	if (r < 0)
		return r;
	struct kube_plan_container *to = shape_list_add(&s->pod->containers);
	to->name = mem_text(c->name);
	to->line = c->line;
	to->init = init;
	set_names(&to->o, s, c);
	set_namespaces(&to->o, s);
	r = set_process(to, s, c, e);
	if (r == 0)
		r = set_resources(&to->o, s, c, e);
	if (r == 0)
		r = translate(&to->o.pull, pull_words, c->pull, s, c, "imagePullPolicy", e);
	if (r == 0)
		r = set_restart(&to->o, s, c, e);
	if (r == 0)
		r = set_times(&to->o, s);
	if (r == 0)
		r = expose(&to->o, s, c, e);
	if (r == 0)
		r = kube_security_plan(to, s, c, e);
	if (r == 0)
		r = kube_volume_mount(to, s, c, e);
	if (r == 0)
		r = init ? set_init(&to->o, s, c, e) : kube_probe_plan(to, s, c, e);
	return r;
}
