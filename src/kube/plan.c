#include "kube/plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "kube/claim.h"

enum {
	REPLICAS_MAX = 100,
	PODS_MAX = 1000,
	JOB_RETRIES = 6, /* backoffLimit's default */
};

static const struct kube_metadata no_metadata = { 0 };

int kube_plan_wrong(const struct kube_plan_scope *s, unsigned line, const char *container,
		    const char *why, struct err *e)
{
	if (!container)
		return err_set(e, ERR_INVALID, "%s:%u: pod %s: %s", s->file, line, s->pod->o.name,
			       why);
	return err_set(e, ERR_INVALID, "%s:%u: container %s: %s", s->file, line, container, why);
}

int kube_plan_count(const struct kube_plan_scope *s, unsigned line, size_t bytes, struct err *e)
{
	s->pod->bytes += bytes;
	if (s->pod->bytes <= KUBE_PLAN_BYTES_MAX)
		return 0;
	return kube_plan_wrong(s, line, NULL, "more than 256 MiB in all pods", e);
}

static bool is_true(const bool *flag)
{
	return flag && *flag;
}

/* ---- clearing ---- */

static void clear_volume(struct kube_plan_volume *v)
{
	free(v->name);
	free(v->driver);
	strv_clear(&v->labels);
	strv_clear(&v->options);
	for (size_t i = 0; i < v->files.count; i++) {
		free(v->files.items[i].path);
		str_clear(&v->files.items[i].bytes);
	}
	free(v->files.items);
}

static void clear_secret(struct kube_plan_secret *s)
{
	free(s->name);
	free(s->of);
	if (s->bytes.text)
		explicit_bzero(s->bytes.text, s->bytes.capacity);
	str_clear(&s->bytes);
}

static void clear_pod_options(struct pod_options *o)
{
	char **const texts[] = { &o->name, &o->hostname,    &o->share,
				 &o->ip,   &o->mac_address, &o->userns };
	struct strv *const lists[] = { &o->label,   &o->network,    &o->add_host,
				       &o->dns,     &o->dns_search, &o->dns_option,
				       &o->publish, &o->annotation, &o->sysctl };

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		free(*texts[i]);
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		strv_clear(lists[i]);
}

static void clear_pod(struct kube_plan_pod *pod)
{
	clear_pod_options(&pod->o);
	for (size_t i = 0; i < pod->containers.count; i++) {
		free(pod->containers.items[i].name);
		create_options_clear(&pod->containers.items[i].o);
	}
	for (size_t i = 0; i < pod->volumes.count; i++)
		clear_volume(&pod->volumes.items[i]);
	for (size_t i = 0; i < pod->secrets.count; i++)
		clear_secret(&pod->secrets.items[i]);
	for (size_t i = 0; i < pod->paths.count; i++) {
		free(pod->paths.items[i].path);
		free(pod->paths.items[i].type);
	}
	for (size_t i = 0; i < pod->parts.count; i++) {
		free(pod->parts.items[i].volume);
		free(pod->parts.items[i].folder);
		free(pod->parts.items[i].path);
	}
	free(pod->containers.items);
	free(pod->volumes.items);
	free(pod->secrets.items);
	free(pod->paths.items);
	free(pod->parts.items);
}

void kube_plan_clear(struct kube_plan *plan)
{
	for (size_t i = 0; i < plan->claims.count; i++)
		clear_volume(&plan->claims.items[i]);
	for (size_t i = 0; i < plan->secrets.count; i++)
		clear_secret(&plan->secrets.items[i]);
	for (size_t i = 0; i < plan->pods.count; i++)
		clear_pod(&plan->pods.items[i]);
	free(plan->claims.items);
	free(plan->secrets.items);
	free(plan->pods.items);
	*plan = (struct kube_plan){ 0 };
}

/* ---- claims and secrets ---- */

static const char *annotation_of(const struct kube_object *object, const char *name)
{
	const struct kube_pairs *all = &object->metadata->annotations;

	for (size_t i = 0; i < all->count; i++)
		if (!strcmp(all->items[i].key, name))
			return all->items[i].value;
	return NULL;
}

static int plan_claim(struct kube_plan *plan, const struct kube_entry *entry, struct err *e)
{
	const struct kube_object *object = entry->object;
	struct kube_plan_volume *to = shape_list_add(&plan->claims);
	const struct kube_pairs *labels = &object->metadata->labels;
	own_clear(str_clear) struct str o = { 0 };

	to->name = mem_text(object->metadata->name);
	to->group = -1;
	for (size_t i = 0; i < labels->count; i++)
		strv_addf(&to->labels, "%s=%s", labels->items[i].key, labels->items[i].value);
	for (size_t i = 0; i < KUBE_CLAIM_OPTIONS; i++) {
		const char *value = annotation_of(object, kube_claim_options[i].annotation);
		if (value && kube_claim_options[i].part)
			str_addf(&o, "%s%s%s", o.length ? "," : "", kube_claim_options[i].part,
				 value);
		else if (value)
			strv_addf(&to->options, "%s=%s", kube_claim_options[i].option, value);
	}
	if (o.length)
		strv_addf(&to->options, "o=%s", o.text);
	const char *driver = annotation_of(object, "volume.podman.io/driver");
	if (driver && strcmp(driver, "local") != 0)
		return err_set(e, ERR_UNSUPPORTED, "%s:%u: volume %s: the one driver is local",
			       entry->file, object->line, to->name);
	return 0;
}

static int plan_secret(struct kube_plan *plan, const struct kube_data_source *source,
		       const struct kube_entry *entry, struct err *e)
{
	const char *name = entry->object->metadata->name;
	struct kube_data data;

	int r = kube_data_of(&data, source, "Secret", name, e);
	for (size_t i = 0; r == 0 && i < data.count; i++) {
		struct kube_plan_secret *to = shape_list_add(&plan->secrets);
		to->name = mem_text(data.items[i].secret);
		to->of = mem_text(name);
		str_add_n(&to->bytes, data.items[i].bytes, data.items[i].length);
	}
	return r;
}

/* ---- pods ---- */

static int set_network(const struct kube_plan_scope *s, size_t index, struct err *e)
{
	struct pod_options *o = &s->pod->o;
	bool host = is_true(s->spec->host_network);

	strv_add_all(&o->network, &s->o->network);
	if (host && o->network.count && strcmp(o->network.items[0], "host") != 0)
		return kube_plan_wrong(s, s->spec->line, NULL,
				       "hostNetwork and --network exclude each other", e);
	if (host && !o->network.count)
		strv_add(&o->network, "host");
	if (index < s->o->ip.count)
		o->ip = mem_text(s->o->ip.items[index]);
	if (index < s->o->mac.count)
		o->mac_address = mem_text(s->o->mac.items[index]);
	o->no_hosts = s->o->no_hosts;
	return 0;
}

/* Is the port of the file's given anew by --publish ([[IP:]HOST:]PORT[/PROTOCOL])? */
static bool is_published(const struct kube_plan_scope *s, const char *tail)
{
	for (size_t i = 0; i < s->o->publish.count; i++) {
		const char *text = s->o->publish.items[i];
		const char *colon = strrchr(text, ':');
		own_free char *whole = mem_format("%s%s", colon ? colon + 1 : text,
						  strchr(text, '/') ? "" : "/TCP");
		if (!strcasecmp(whole, tail))
			return true;
	}
	return false;
}

static int publish(const struct kube_plan_scope *s, const struct kube_container *c,
		   const struct kube_port *port, struct err *e)
{
	long long own = port->container_port ? *port->container_port : 0;
	const char *protocol = port->protocol ? port->protocol : "TCP";
	own_free char *tail = mem_format("%lld/%s", own, protocol);
	const char *ip = port->host_ip;

	if (!port->host_port || *port->host_port == 0 || is_published(s, tail))
		return 0;
	if (is_true(s->spec->host_network)) {
		if (*port->host_port == own)
			return 0;
		return kube_plan_wrong(s, port->line, c->name,
				       "with hostNetwork hostPort is containerPort", e);
	}
	bool six = !str_empty(ip) && strchr(ip, ':');
	strv_addf(&s->pod->o.publish, "%s%s%s%s%lld:%s", six ? "[" : "", str_empty(ip) ? "" : ip,
		  six ? "]" : "", str_empty(ip) ? "" : ":", (long long)*port->host_port, tail);
	return 0;
}

static int set_ports(const struct kube_plan_scope *s, struct err *e)
{
	const struct kube_container *all = s->spec->containers.items;
	int r = 0;

	strv_add_all(&s->pod->o.publish, &s->o->publish);
	for (size_t i = 0; i < s->spec->containers.count; i++) {
		const struct kube_port *ports = all[i].ports.items;
		for (size_t k = 0; r == 0 && k < all[i].ports.count; k++)
			r = publish(s, &all[i], &ports[k], e);
	}
	return r;
}

static void add_texts(struct strv *to, const struct kube_texts *from)
{
	for (size_t i = 0; i < from->count; i++)
		strv_add(to, from->items[i]);
}

static void set_dns(struct pod_options *o, const struct kube_dns *dns)
{
	const struct kube_dns_option *options = dns->options.items;

	add_texts(&o->dns, &dns->servers);
	add_texts(&o->dns_search, &dns->searches);
	for (size_t i = 0; i < dns->options.count; i++)
		strv_addf(&o->dns_option, "%s%s%s", options[i].name ? options[i].name : "",
			  options[i].value ? ":" : "", options[i].value ? options[i].value : "");
}

static bool is_policy(const char *text)
{
	static const char *const policies[] = { "ClusterFirst", "Default",
						"ClusterFirstWithHostNet", "None" };

	for (size_t i = 0; i < COUNT_OF(policies); i++)
		if (str_equal(text, policies[i]))
			return true;
	return !text;
}

static int set_names(const struct kube_plan_scope *s, struct err *e)
{
	const struct kube_alias *aliases = s->spec->aliases.items;
	const struct kube_dns *dns = s->spec->dns;
	struct pod_options *o = &s->pod->o;

	if (!is_policy(s->spec->dns_policy))
		return kube_plan_wrong(s, s->spec->line, NULL, "there is no such dnsPolicy", e);
	if (str_equal(s->spec->dns_policy, "None") && (!dns || dns->servers.count == 0))
		return kube_plan_wrong(s, s->spec->line, NULL,
				       "dnsPolicy None wants dnsConfig.nameservers", e);
	for (size_t i = 0; i < s->spec->aliases.count; i++)
		for (size_t k = 0; k < aliases[i].names.count; k++)
			strv_addf(&o->add_host, "%s:%s", aliases[i].names.items[k],
				  aliases[i].ip ? aliases[i].ip : "");
	if (dns)
		set_dns(o, dns);
	return 0;
}

/* In the host's network a pod is called as the host is. */
static int set_identity(const struct kube_plan_scope *s, const struct kube_entry *entry)
{
	const struct kube_pairs *labels = &s->metadata->labels;
	const struct kube_pairs *annotations = &s->metadata->annotations;
	struct pod_options *o = &s->pod->o;
	char host[256] = "";

	if (!str_empty(s->spec->hostname))
		o->hostname = mem_text(s->spec->hostname);
	else if (is_true(s->spec->host_network) && gethostname(host, sizeof(host) - 1) == 0)
		o->hostname = mem_text(host);
	for (size_t i = 0; i < labels->count; i++)
		strv_addf(&o->label, "%s=%s", labels->items[i].key, labels->items[i].value);
	strv_addf(&o->label, KUBE_PLAN_LABEL_OWNER "=%s/%s", entry->object->kind,
		  entry->object->metadata->name);
	for (size_t i = 0; i < annotations->count; i++)
		strv_addf(&o->annotation, "%s=%s", annotations->items[i].key,
			  annotations->items[i].value);
	for (size_t i = 0; i < s->o->annotation.count; i++)
		strv_set(&o->annotation, s->o->annotation.items[i]);
	return 0;
}

static int set_sharing(const struct kube_plan_scope *s, struct err *e)
{
	const struct kube_pod *spec = s->spec;
	const struct kube_sysctl *sysctls = spec->security ? spec->security->sysctls.items : NULL;
	struct pod_options *o = &s->pod->o;

	if (is_true(spec->host_pid) && is_true(spec->share_pid))
		return kube_plan_wrong(s, spec->line, NULL,
				       "hostPID and shareProcessNamespace exclude each other", e);
	o->share = mem_format("net,uts%s%s", is_true(spec->host_ipc) ? "" : ",ipc",
			      is_true(spec->share_pid) ? ",pid" : "");
	if (!str_empty(s->o->userns))
		o->userns = mem_text(s->o->userns);
	else if (spec->host_users && !*spec->host_users)
		o->userns = mem_text("auto");
	for (size_t i = 0; sysctls && i < spec->security->sysctls.count; i++)
		strv_addf(&o->sysctl, "%s=%s", sysctls[i].name ? sysctls[i].name : "",
			  sysctls[i].value ? sysctls[i].value : "");
	if (spec->os && !str_equal(spec->os->name, "linux"))
		return kube_plan_wrong(s, spec->os->line, NULL, "its system is not linux", e);
	if (is_true(spec->fqdn))
		return kube_plan_wrong(s, spec->line, NULL, "setHostnameAsFQDN is not supported",
				       e);
	return 0;
}

static int plan_containers(const struct kube_plan_scope *s, struct err *e)
{
	const struct kube_container *init = s->spec->init_containers.items;
	const struct kube_container *all = s->spec->containers.items;
	int r = 0;

	if (s->spec->containers.count == 0)
		return kube_plan_wrong(s, s->spec->line, NULL, "it has no containers", e);
	for (size_t i = 0; r == 0 && i < s->spec->init_containers.count; i++)
		r = kube_container_plan(s, &init[i], true, e);
	for (size_t i = 0; r == 0 && i < s->spec->containers.count; i++)
		r = kube_container_plan(s, &all[i], false, e);
	return r;
}

static int plan_pod(struct kube_plan *plan, struct kube_plan_scope *s,
		    const struct kube_entry *entry, const char *name, struct err *e)
{
	size_t index = plan->pods.count;

	if (index == PODS_MAX)
		return err_set(e, ERR_INVALID, "%s: more than %d pods", entry->file, PODS_MAX);
	s->pod = shape_list_add(&plan->pods);
	s->pod->file = entry->file;
	s->pod->line = entry->object->line;
	s->pod->bytes = index ? plan->pods.items[index - 1].bytes : 0;
	s->pod->o.name = mem_text(name);
	int r = set_identity(s, entry);
	if (r == 0)
		r = set_sharing(s, e);
	if (r == 0)
		r = set_network(s, index, e);
	if (r == 0)
		r = set_ports(s, e);
	if (r == 0)
		r = set_names(s, e);
	if (r == 0)
		r = kube_volume_plan(s, e);
	return r < 0 ? r : plan_containers(s, e);
}

/* ---- what makes pods ---- */

static int check_job(const struct kube_entry *entry, struct kube_workload *w, struct kube_set *set,
		     struct err *e)
{
	const char *restart = w->pod->spec->restart;
	bool one = (!w->completions || *w->completions == 1) &&
		   (!w->parallelism || *w->parallelism == 1);

	if (!str_equal(restart, "OnFailure") && !str_equal(restart, "Never"))
		return err_set(e, ERR_INVALID, "%s:%u: a Job's restartPolicy is OnFailure or Never",
			       entry->file, w->pod->spec->line);
	if (!one)
		return err_set(e, ERR_UNSUPPORTED, "%s:%u: a Job has one completion here",
			       entry->file, w->line);
	if (!w->backoff) {
		w->backoff = pool_new(&set->pool, 1, sizeof(*w->backoff));
		*w->backoff = JOB_RETRIES;
	}
	return 0;
}

static int check_workload(const struct kube_entry *entry, struct kube_set *set, struct err *e)
{
	struct kube_workload *w = entry->object->workload;
	const char *kind = entry->object->kind;

	if (!w || !w->pod || !w->pod->spec)
		return err_set(e, ERR_INVALID, "%s:%u: the %s has no spec.template.spec",
			       entry->file, entry->object->line, kind);
	if (is_true(w->suspend) || is_true(w->paused))
		return err_set(e, ERR_UNSUPPORTED,
			       "%s:%u: the %s is %s: nothing would run it later", entry->file,
			       w->line, kind, w->paused ? "paused" : "suspended");
	if (!strcmp(kind, "Job"))
		return check_job(entry, w, set, e);
	if (w->pod->spec->restart && strcmp(w->pod->spec->restart, "Always") != 0)
		return err_set(e, ERR_INVALID, "%s:%u: a %s's restartPolicy is Always", entry->file,
			       w->pod->spec->line, kind);
	return 0;
}

static int64_t replicas_of(const struct kube_entry *entry)
{
	const struct kube_workload *w = entry->object->workload;
	bool counted = !strcmp(entry->object->kind, "Deployment") ||
		       !strcmp(entry->object->kind, "ReplicaSet");

	return counted && w && w->replicas ? *w->replicas : 1;
}

int kube_plan_names(struct strv *to, const struct kube_entry *entry, struct err *e)
{
	static const char *const makers[] = { "Deployment", "ReplicaSet", "DaemonSet", "Job" };
	const struct kube_object *object = entry->object;
	int64_t replicas = replicas_of(entry);
	bool makes = false;

	if (!strcmp(object->kind, "Pod")) {
		strv_add(to, object->metadata->name);
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(makers); i++)
		makes |= !strcmp(makers[i], object->kind);
	if (!makes)
		return 0;
	if (replicas < 0 || replicas > REPLICAS_MAX)
		return err_set(e, ERR_INVALID, "%s:%u: replicas are 0 to %d", entry->file,
			       object->line, REPLICAS_MAX);
	for (int64_t i = 1; i <= replicas; i++) {
		strv_addf(to, "%s-pod", object->metadata->name);
		if (replicas > 1) {
			own_free char *one =
				mem_format("%s-%lld", to->items[to->count - 1], (long long)i);
			strv_remove(to, to->count - 1);
			strv_add(to, one);
		}
	}
	return 0;
}

/* All replicas would want the same port of the host. */
static int check_replicas(const struct kube_entry *entry, const struct kube_plan *plan,
			  size_t count, struct err *e)
{
	const struct kube_plan_pod *last = &plan->pods.items[plan->pods.count - 1];

	if (count < 2 || last->o.publish.count == 0)
		return 0;
	err_set(e, ERR_INVALID, "%s:%u: %zu replicas and the hostPort of %s exclude each other",
		entry->file, entry->object->line, count, last->o.publish.items[0]);
	return err_hint(e, "one replica has it; pods of one network find each other by name");
}

static int plan_pods(struct kube_plan *plan, struct kube_plan_scope *s,
		     const struct kube_entry *entry, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	const struct kube_object *object = entry->object;

	s->file = entry->file;
	s->metadata = object->metadata;
	s->spec = object->pod;
	s->workload = NULL;
	int r = kube_plan_names(&names, entry, e);
	if (r < 0 || names.count == 0)
		return r;
	if (strcmp(object->kind, "Pod") != 0) {
		r = check_workload(entry, s->source.set, e);
		if (r < 0)
			return r;
		s->workload = object->workload;
		s->spec = object->workload->pod->spec;
		s->metadata = object->workload->pod->metadata;
	}
	if (!s->metadata)
		s->metadata = &no_metadata;
	if (!s->spec)
		return err_set(e, ERR_INVALID, "%s:%u: the Pod has no spec", entry->file,
			       object->line);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = plan_pod(plan, s, entry, names.items[i], e);
	return r < 0 ? r : check_replicas(entry, plan, names.count, e);
}

int kube_plan_make(struct kube_plan *ret, struct kube_set *set, const struct store *store,
		   const struct kube_plan_options *o, struct err *e)
{
	struct kube_plan_scope s = { .source = { set, store }, .o = o };
	int r = 0;

	for (size_t i = 0; r == 0 && i < set->count; i++) {
		const struct kube_entry *entry = &set->items[i];
		if (!strcmp(entry->object->kind, "PersistentVolumeClaim"))
			r = plan_claim(ret, entry, e);
		else if (!strcmp(entry->object->kind, "Secret"))
			r = plan_secret(ret, &s.source, entry, e);
		else
			r = plan_pods(ret, &s, entry, e);
	}
	return r;
}
