#include "kube/generate.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/pod.h"
#include "engine/pods.h"
#include "kube/claim.h"
#include "kube/spec.h"
#include "kube/write.h"
#include "storage/store.h"

/* What becomes one Pod: the one that has the network, and the containers, oldest first. */
struct subject {
	struct engine *engine;
	const struct container *pod; /* or the first container */
	const struct container **containers;
	size_t count;
	char *name;
	bool deployment; /* whose pods are always started again */
};

static bool is_deployment(const struct kube_generate_options *o)
{
	return str_equal(o->type, "deployment");
}

/* ---- metadata ---- */

static bool is_own(const char *key)
{
	return str_starts(key, "org.holm.");
}

static void add_pairs(struct json_object *to, const struct shape_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		if (!is_own(map->items[i].key))
			json_object_object_add(to, map->items[i].key,
					       json_object_new_string(map->items[i].value));
}

static struct json_object *make_metadata(const struct subject *s, const char *name)
{
	struct json_object *to = json_object_new_object(), *labels = json_object_new_object();
	struct json_object *annotations = json_object_new_object();

	kube_spec_text(labels, "app", s->name);
	if (engine_pod_is(s->pod))
		add_pairs(labels, &s->pod->labels);
	add_pairs(annotations, &s->pod->annotations);
	kube_spec_add(to, "annotations", annotations);
	kube_spec_add(to, "labels", labels);
	kube_spec_text(to, "name", name);
	return to;
}

static struct json_object *make_object(const char *version, const char *kind,
				       struct json_object *metadata, struct json_object *spec)
{
	struct json_object *to = json_object_new_object();

	kube_spec_text(to, "apiVersion", version);
	kube_spec_text(to, "kind", kind);
	json_object_object_add(to, "metadata", metadata);
	if (spec)
		json_object_object_add(to, "spec", spec);
	return to;
}

/* ---- network ---- */

static struct json_object *make_ports(const struct container *c)
{
	struct json_object *to = json_object_new_array();

	for (size_t i = 0; i < c->network.ports.count; i++) {
		const struct container_port *port = &c->network.ports.items[i];
		struct json_object *one = json_object_new_object();
		json_object_object_add(one, "containerPort", json_object_new_int64(port->port));
		if (port->host && !strchr(port->host, '-'))
			json_object_object_add(
				one, "hostPort",
				json_object_new_int64(strtoll(port->host, NULL, 10)));
		kube_spec_text(one, "hostIP", port->address);
		if (!str_equal(port->protocol, "tcp"))
			kube_spec_text(one, "protocol",
				       str_equal(port->protocol, "udp") ? "UDP" : "SCTP");
		json_object_array_add(to, one);
	}
	return to;
}

/* "NAME:ADDRESS" */
static struct json_object *make_aliases(const struct container *c)
{
	struct json_object *to = json_object_new_array();

	for (size_t i = 0; i < c->network.add_host.count; i++) {
		const char *text = c->network.add_host.items[i], *colon = strchr(text, ':');
		struct json_object *one = json_object_new_object();
		struct json_object *names = json_object_new_array();
		json_object_array_add(names, json_object_new_string_len(text, (int)(colon - text)));
		kube_spec_text(one, "ip", colon + 1);
		json_object_object_add(one, "hostnames", names);
		json_object_array_add(to, one);
	}
	return to;
}

static struct json_object *make_dns(const struct container *c)
{
	struct json_object *to = json_object_new_object(), *options = json_object_new_array();

	for (size_t i = 0; i < c->network.dns_option.count; i++) {
		struct json_object *one = json_object_new_object();
		const char *text = c->network.dns_option.items[i], *colon = strchr(text, ':');
		own_free char *name = mem_text_n(text, strcspn(text, ":"));
		kube_spec_text(one, "name", name);
		kube_spec_text(one, "value", colon ? colon + 1 : NULL);
		json_object_array_add(options, one);
	}
	kube_spec_add(to, "nameservers", kube_spec_texts(&c->network.dns));
	kube_spec_add(to, "searches", kube_spec_texts(&c->network.dns_search));
	kube_spec_add(to, "options", options);
	return to;
}

/* ---- spec ---- */

static void add_true(struct json_object *to, const char *key, bool value)
{
	if (value)
		json_object_object_add(to, key, json_object_new_boolean(true));
}

static const char *restart_of(const struct container *c)
{
	const char *policy = c->restart.policy;

	if (str_equal(policy, "always") || str_equal(policy, "unless-stopped"))
		return "Always";
	return str_equal(policy, "on-failure") ? "OnFailure" : "Never";
}

static void add_restart(struct json_object *to, const struct subject *s)
{
	const char *all = s->deployment ? "Always" : NULL;

	for (size_t i = 0; i < s->count; i++) {
		if (s->containers[i]->pod.init)
			continue;
		const char *one = restart_of(s->containers[i]);
		if (all && strcmp(all, one) != 0)
			log_warning(
				"container %s: its restart policy is left out: a %s has one, %s",
				s->containers[i]->name, s->deployment ? "Deployment" : "pod", all);
		all = all ? all : one;
	}
	kube_spec_text(to, "restartPolicy", all);
}

/* Groups are of containers here, of the pod there. */
static struct json_object *make_security(const struct subject *s)
{
	struct json_object *to = json_object_new_object(), *groups = json_object_new_array();
	struct json_object *sysctls = json_object_new_array();
	const struct container *first = s->containers[0];

	for (size_t i = 0; i < first->process.groups.count; i++) {
		const char *text = first->process.groups.items[i];
		if (!text[strspn(text, "0123456789")])
			json_object_array_add(groups,
					      json_object_new_int64(strtoll(text, NULL, 10)));
	}
	for (size_t i = 0; i < s->pod->security.sysctls.count; i++) {
		struct json_object *one = json_object_new_object();
		kube_spec_text(one, "name", s->pod->security.sysctls.items[i].key);
		kube_spec_text(one, "value", s->pod->security.sysctls.items[i].value);
		json_object_array_add(sysctls, one);
	}
	kube_spec_add(to, "supplementalGroups", groups);
	kube_spec_add(to, "sysctls", sysctls);
	return to;
}

static void add_namespaces(struct json_object *to, const struct subject *s)
{
	const struct container *first = s->containers[0];
	const char *userns = s->pod->security.userns;

	add_true(to, "hostNetwork", str_equal(s->pod->network.mode, "host"));
	add_true(to, "hostPID", str_equal(first->security.pid, "host"));
	add_true(to, "hostIPC", str_equal(first->security.ipc, "host"));
	add_true(to, "shareProcessNamespace", strv_contains(&s->pod->pod.share, "pid"));
	if (userns && (str_starts(userns, "auto") || str_equal(userns, "private")))
		json_object_object_add(to, "hostUsers", json_object_new_boolean(false));
	if (!str_equal(s->pod->process.hostname, s->pod->name) && s->pod->process.hostname)
		kube_spec_text(to, "hostname", s->pod->process.hostname);
	kube_spec_add(to, "hostAliases", make_aliases(s->pod));
	kube_spec_add(to, "dnsConfig", make_dns(s->pod));
}

static struct json_object *make_spec(const struct subject *s)
{
	struct json_object *to = json_object_new_object(), *all = json_object_new_array();
	struct json_object *init = json_object_new_array(), *volumes = json_object_new_array();
	struct json_object *ports = make_ports(s->pod);
	struct kube_spec spec = { s->engine, engine_pod_is(s->pod) ? s->name : NULL, volumes };

	for (size_t i = 0; i < s->count; i++) {
		const struct container *c = s->containers[i];
		struct json_object *one = kube_spec_container(&spec, c);
		if (ports && !c->pod.init) {
			kube_spec_add(one, "ports", ports);
			ports = NULL;
		}
		json_object_array_add(c->pod.init ? init : all, one);
	}
	json_object_put(ports);
	kube_spec_add(to, "initContainers", init);
	kube_spec_add(to, "containers", all);
	add_restart(to, s);
	add_namespaces(to, s);
	kube_spec_add(to, "securityContext", make_security(s));
	if (s->containers[0]->process.stop_timeout_s &&
	    *s->containers[0]->process.stop_timeout_s >= 0)
		json_object_object_add(
			to, "terminationGracePeriodSeconds",
			json_object_new_int64(*s->containers[0]->process.stop_timeout_s));
	kube_spec_add(to, "volumes", volumes);
	return to;
}

/* ---- documents ---- */

static struct json_object *selector_of(const struct subject *s)
{
	struct json_object *to = json_object_new_object();

	kube_spec_text(to, "app", s->name);
	return to;
}

static struct json_object *make_deployment(const struct subject *s)
{
	struct json_object *spec = json_object_new_object(), *selector = json_object_new_object();
	struct json_object *template = json_object_new_object();
	own_free char *name = mem_format("%s-deployment", s->name);

	json_object_object_add(selector, "matchLabels", selector_of(s));
	json_object_object_add(template, "metadata", make_metadata(s, s->name));
	json_object_object_add(template, "spec", make_spec(s));
	json_object_object_add(spec, "selector", selector);
	json_object_object_add(spec, "template", template);
	return make_object("apps/v1", "Deployment", make_metadata(s, name), spec);
}

/* Where the cluster chooses its port, as nobody here can. */
static struct json_object *make_service(const struct subject *s)
{
	struct json_object *spec = json_object_new_object(), *ports = json_object_new_array();

	for (size_t i = 0; i < s->pod->network.ports.count; i++) {
		const struct container_port *port = &s->pod->network.ports.items[i];
		struct json_object *one = json_object_new_object();
		own_free char *name = mem_format("p%lld-%s", (long long)port->port, port->protocol);
		kube_spec_text(one, "name", name);
		json_object_object_add(one, "port", json_object_new_int64(port->port));
		json_object_object_add(one, "targetPort", json_object_new_int64(port->port));
		if (!str_equal(port->protocol, "tcp"))
			kube_spec_text(one, "protocol",
				       str_equal(port->protocol, "udp") ? "UDP" : "SCTP");
		json_object_array_add(ports, one);
	}
	json_object_object_add(spec, "ports", ports);
	json_object_object_add(spec, "selector", selector_of(s));
	kube_spec_text(spec, "type", "NodePort");
	return make_object("v1", "Service", make_metadata(s, s->name), spec);
}

static int write_subject(struct str *to, const struct subject *s,
			 const struct kube_generate_options *o, struct err *e)
{
	own_json struct json_object *object =
		s->deployment ? make_deployment(s)
			      : make_object("v1", "Pod", make_metadata(s, s->name), make_spec(s));
	int r = 0;

	if (o->service && s->pod->network.ports.count == 0)
		log_warning("%s publishes no ports: there is no Service of it", s->name);
	if (o->service && s->pod->network.ports.count) {
		own_json struct json_object *service = make_service(s);
		r = kube_write(to, service, e);
	}
	return r < 0 ? r : kube_write(to, object, e);
}

/* ---- what was named ---- */

static int write_pod(struct str *to, struct engine *engine, const char *name,
		     const struct kube_generate_options *o, struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	const struct engine_pod *pod;

	int r = engine_pods_find(engine, name, &pods, &pod, e);
	if (r < 0)
		return r;
	if (pod->count == 0)
		return err_set(e, ERR_INVALID, "pod %s has no containers", name);
	own_free const struct container **all = mem_new(pod->count, sizeof(*all));
	for (size_t i = 0; i < pod->count; i++) /* the newest is the first */
		all[pod->count - 1 - i] = &pod->members[i]->container;
	own_free char *clean = kube_spec_name(pod->pod->container.name);
	const struct subject s = { engine, &pod->pod->container, all, pod->count,
				   clean,  is_deployment(o) };
	return write_subject(to, &s, o, e);
}

static int write_containers(struct str *to, struct engine *engine,
			    const struct container *containers, size_t count,
			    const struct kube_generate_options *o, struct err *e)
{
	own_free const struct container **all = mem_new(count, sizeof(*all));
	own_free char *clean = kube_spec_name(containers[0].name);
	own_free char *name = mem_format("%s-pod", clean);

	for (size_t i = 0; i < count; i++)
		all[i] = &containers[i];
	const struct subject s = { engine, &containers[0], all, count, name, is_deployment(o) };
	return write_subject(to, &s, o, e);
}

static void report_ports(const struct container *containers, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (containers[i].network.ports.count)
			log_warning("container %s: its ports are left out: those of the first one "
				    "are the pod's",
				    containers[i].name);
}

/* 1: there is no container of this name. */
static int load_container(struct engine *engine, const char *name, struct container *c,
			  struct err *e)
{
	int r = engine_load(engine, name, c, NULL, e);

	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 1 : r;
	if (!c->pod.id || engine_pod_is(c))
		return 0;
	err_set(e, ERR_INVALID, "container %s is one of a pod", name);
	return err_hint(e, "name the pod: holm kube generate %.12s", c->pod.id);
}

static int write_name(struct str *to, struct engine *engine, const char *name,
		      struct container *containers, size_t *count,
		      const struct kube_generate_options *o, struct err *e)
{
	struct container *c = &containers[*count];

	int r = load_container(engine, name, c, e);
	if (r < 0)
		return r;
	if (r > 0)
		return kube_claim_write(to, engine, name, e);
	if (!engine_pod_is(c)) {
		(*count)++;
		return 0;
	}
	container_clear(c);
	return write_pod(to, engine, name, o, e);
}

int kube_generate(struct str *to, struct engine *engine, const struct strv *names,
		  const struct kube_generate_options *o, struct err *e)
{
	own_free struct container *containers = mem_new(names->count, sizeof(*containers));
	size_t count = 0;
	int r = 0;

	if (o->type && strcmp(o->type, "pod") != 0 && strcmp(o->type, "deployment") != 0)
		return err_set(e, ERR_INVALID, "--type %s: not one of pod, deployment", o->type);
	for (size_t i = 0; r == 0 && i < names->count; i++)
		r = write_name(to, engine, names->items[i], containers, &count, o, e);
	if (r == 0 && count) {
		report_ports(containers, count);
		r = write_containers(to, engine, containers, count, o, e);
	}
	for (size_t i = 0; i < names->count; i++)
		container_clear(&containers[i]);
	return r;
}
