#include "engine/config.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/str.h"
#include "oci/image.h"

enum { SHORTEST_NS = 1000000 }; /* Docker's bound; 0 is "not said" */

static int set_time(int64_t *to, const char *option, const char *text, struct err *e)
{
	int64_t ns;

	if (!text)
		return 0;
	int r = number_parse_duration_ns(&ns, text, e);
	if (r < 0)
		return err_add(e, "%s", option);
	if (ns > 0 && ns < SHORTEST_NS)
		return err_set(e, ERR_INVALID, "%s %s: less than 1ms", option, text);
	*to = ns;
	return 0;
}

static int set_times(struct container_health *h, const struct create_options *o, struct err *e)
{
	const struct {
		const char *option, *text;
		int64_t *to;
	} rows[] = {
		{ "--health-interval", o->health_interval, &h->interval_ns },
		{ "--health-timeout", o->health_timeout, &h->timeout_ns },
		{ "--health-start-period", o->health_start_period, &h->start_period_ns },
		{ "--health-start-interval", o->health_start_interval, &h->start_interval_ns },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int r = set_time(rows[i].to, rows[i].option, rows[i].text, e);
		if (r < 0)
			return r;
	}
	if (o->health_retries &&
	    number_parse_i64(&h->retries, o->health_retries, 0, INT32_MAX, e) < 0)
		return err_add(e, "--health-retries");
	return 0;
}

/* Docker: an option takes the place of the image's value, one by one. */
static void inherit(struct container_health *h, const struct oci_image_process *image)
{
	const struct oci_healthcheck *from = image ? image->healthcheck : NULL;
	const struct {
		int64_t *to, value;
	} rows[] = {
		{ &h->interval_ns, from ? from->interval : 0 },
		{ &h->timeout_ns, from ? from->timeout : 0 },
		{ &h->start_period_ns, from ? from->start_period : 0 },
		{ &h->start_interval_ns, from ? from->start_interval : 0 },
		{ &h->retries, from ? from->retries : 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (*rows[i].to == 0 && rows[i].value > 0)
			*rows[i].to = rows[i].value;
	if (from && h->test.count == 0)
		strv_add_all(&h->test, &from->test);
	if (image)
		strv_add_all(&h->shell, &image->shell);
}

static int switch_off(struct container_health *h, const struct create_options *o, struct err *e)
{
	const struct {
		const char *option, *text;
	} others[] = {
		{ "--health-cmd", o->health_cmd },
		{ "--health-interval", o->health_interval },
		{ "--health-timeout", o->health_timeout },
		{ "--health-retries", o->health_retries },
		{ "--health-start-period", o->health_start_period },
		{ "--health-start-interval", o->health_start_interval },
		{ "--health-on-failure", o->health_on_failure },
	};

	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (others[i].text)
			return err_set(e, ERR_INVALID, "--no-healthcheck and %s exclude each other",
				       others[i].option);
	strv_add(&h->test, "NONE");
	return 0;
}

static int set_on_failure(struct container *c, const struct create_options *o, struct err *e)
{
	static const char *const actions[] = { "none", "kill", "restart", "stop", NULL };
	const char *action = o->health_on_failure;

	if (!action)
		return 0;
	if (!config_is_one_of(action, actions))
		return err_set(e, ERR_INVALID,
			       "--health-on-failure %s: not one of none, kill, restart, stop",
			       action);
	if (strcmp(action, "none") != 0 && !container_has_health(c)) {
		err_set(e, ERR_INVALID, "--health-on-failure %s: there is no health check", action);
		return err_hint(e, "--health-cmd gives one");
	}
	if (o->rm && !strcmp(action, "restart"))
		return err_set(e, ERR_INVALID,
			       "--health-on-failure restart and --rm exclude each other");
	c->health.on_failure = mem_text(action);
	return 0;
}

int config_health(struct container *c, const struct create_options *o,
		  const struct oci_image_process *image, const struct config_context *context,
		  struct err *e)
{
	struct container_health *h = &c->health;

	(void)context;
	if (o->no_healthcheck)
		return switch_off(h, o, e);
	int r = set_times(h, o, e);
	if (r < 0)
		return r;
	if (!str_empty(o->health_cmd)) {
		strv_add(&h->test, "CMD-SHELL");
		strv_add(&h->test, o->health_cmd);
	}
	if (o->health_argv.count) {
		strv_add(&h->test, "CMD");
		strv_add_all(&h->test, &o->health_argv);
	}
	if (o->health_connect) {
		strv_add(&h->test, CONTAINER_HEALTH_CONNECT);
		strv_add(&h->test, o->health_connect);
	}
	inherit(h, image);
	return set_on_failure(c, o, e);
}
