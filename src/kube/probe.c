/* probe.c - livenessProbe and startupProbe as a health check. What fails as often as it may is
 * restarted, as Kubernetes does, or killed where nothing is restarted. A startup probe gives the
 * time in which failures do not count; there is one check, so both have to be of one kind. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "kube/plan.h"

struct checked {
	const struct kube_plan_scope *s;
	const struct kube_container *container;
	const struct kube_probe *probe;
};

static int wrong(const struct checked *c, const char *why, struct err *e)
{
	return kube_plan_wrong(c->s, c->probe->line, c->container->name, why, e);
}

/* A number, or the name of one of the container's ports. */
static int find_port(long long *ret, const struct checked *c, const char *text, struct err *e)
{
	const struct kube_port *ports = c->container->ports.items;
	char *end;

	*ret = text ? strtoll(text, &end, 10) : 0;
	if (text && (*end || text[0] == '-' || text[0] == '+'))
		*ret = 0;
	for (size_t i = 0; text && i < c->container->ports.count; i++)
		if (str_equal(ports[i].name, text) && ports[i].container_port)
			*ret = *ports[i].container_port;
	if (*ret >= 1 && *ret <= 65535)
		return 0;
	own_free char *why = mem_format("the probe's port '%s' is no port of it", text ? text : "");
	return wrong(c, why, e);
}

static char *address(const char *scheme, const char *host, long long port, const char *path)
{
	const char *to = str_empty(host) || str_equal(host, "localhost") ? "127.0.0.1" : host;
	bool six = strchr(to, ':') != NULL;

	return mem_format("%s://%s%s%s:%lld%s", scheme, six ? "[" : "", to, six ? "]" : "", port,
			  path);
}

static int set_http(struct create_options *o, const struct checked *c, struct err *e)
{
	const struct kube_http *http = c->probe->http;
	const char *path = str_empty(http->path) ? "/" : http->path;
	long long port;

	if (http->scheme && strcmp(http->scheme, "HTTP") != 0) {
		wrong(c, "httpGet: the one scheme is HTTP", e);
		return err_hint(e, "tcpSocket sees that it listens; exec can use what the image "
				   "has for TLS");
	}
	if (path[0] != '/' || path[strcspn(path, " \t\r\n")])
		return wrong(c, "httpGet: the path is no absolute one without blanks", e);
	int r = find_port(&port, c, http->port, e);
	if (r == 0)
		o->health_connect = address("http", http->host, port, path);
	return r;
}

static int set_tcp(struct create_options *o, const struct checked *c, struct err *e)
{
	long long port;
	int r = find_port(&port, c, c->probe->tcp->port, e);

	if (r == 0)
		o->health_connect = address("tcp", c->probe->tcp->host, port, "");
	return r;
}

static int set_check(struct create_options *o, const struct checked *c, struct err *e)
{
	const struct kube_probe *p = c->probe;

	if (!!p->exec + !!p->http + !!p->tcp != 1)
		return wrong(c, "a probe wants one of exec, httpGet and tcpSocket", e);
	if (p->http)
		return set_http(o, c, e);
	if (p->tcp)
		return set_tcp(o, c, e);
	for (size_t i = 0; i < p->exec->command.count; i++)
		strv_add(&o->health_argv, p->exec->command.items[i]);
	return o->health_argv.count ? 0 : wrong(c, "the probe's command is empty", e);
}

/* Kubernetes' defaults where nothing is said. */
enum { PERIOD_S = 10, TIMEOUT_S = 1, FAILURES = 3, SECONDS_MAX = 86400 };

static int number(long long *ret, const struct checked *c, const int64_t *said, long long least,
		  long long otherwise, struct err *e)
{
	*ret = said ? *said : otherwise;
	if (*ret >= least && *ret <= SECONDS_MAX)
		return 0;
	own_free char *why =
		mem_format("a number of the probe is not %lld to %d", least, SECONDS_MAX);
	return wrong(c, why, e);
}

struct times {
	long long delay, period, timeout, failures;
};

static int read_times(struct times *t, const struct checked *c, struct err *e)
{
	const struct kube_probe *p = c->probe;

	int r = number(&t->delay, c, p->initial_delay, 0, 0, e);
	if (r == 0)
		r = number(&t->period, c, p->period, 1, PERIOD_S, e);
	if (r == 0)
		r = number(&t->timeout, c, p->timeout, 1, TIMEOUT_S, e);
	if (r == 0)
		r = number(&t->failures, c, p->failures, 1, FAILURES, e);
	if (r == 0 && p->successes && *p->successes != 1)
		r = wrong(c, "successThreshold is 1", e);
	return r;
}

static int check_same(const struct checked *startup, const struct create_options *liveness,
		      struct err *e)
{
	own_clear(create_options_clear) struct create_options o = { 0 };

	int r = set_check(&o, startup, e);
	if (r < 0)
		return r;
	own_free char *a = strv_join(&o.health_argv, "\n");
	own_free char *b = strv_join(&liveness->health_argv, "\n");
	if (str_equal(o.health_connect, liveness->health_connect) && str_equal(a, b))
		return 0;
	return wrong(startup,
		     "startupProbe and livenessProbe do not check the same: there is one "
		     "health check",
		     e);
}

static int set_startup(struct create_options *o, const struct checked *c, long long *delay,
		       struct err *e)
{
	struct times t = { 0 };
	int r = check_same(c, o, e);

	if (r == 0)
		r = read_times(&t, c, e);
	if (r < 0)
		return r;
	*delay += t.delay + t.period * t.failures;
	o->health_start_interval = mem_format("%llds", t.period);
	return 0;
}

int kube_probe_plan(struct kube_plan_container *to, const struct kube_plan_scope *s,
		    const struct kube_container *container, struct err *e)
{
	const struct kube_probe *main =
		container->liveness ? container->liveness : container->startup;
	const struct checked c = { s, container, main };
	const struct checked startup = { s, container, container->startup };
	struct create_options *o = &to->o;
	struct times t = { 0 };

	if (!main)
		return 0;
	int r = set_check(o, &c, e);
	if (r == 0)
		r = read_times(&t, &c, e);
	if (r == 0 && container->startup)
		r = set_startup(o, &startup, &t.delay, e);
	if (r < 0)
		return r;
	o->health_interval = mem_format("%llds", t.period);
	o->health_timeout = mem_format("%llds", t.timeout);
	o->health_retries = mem_format("%lld", t.failures);
	if (t.delay)
		o->health_start_period = mem_format("%llds", t.delay);
	o->health_on_failure = mem_text(str_equal(o->restart, "no") ? "kill" : "restart");
	return 0;
}
