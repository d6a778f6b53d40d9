/* --rule RESOURCE:ACTION=AMOUNT, as FreeBSD's rctl(8) writes it without the subject. */
#include <string.h>

#include "engine/config.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/signal_name.h"
#include "base/str.h"

static const char form[] = "RESOURCE:ACTION=AMOUNT, as in memory:log=400m or pids:sigterm=100";

static int read_amount(struct container_rule *to, const char *text, struct err *e)
{
	if (str_equal(to->resource, "memory"))
		return number_parse_bytes(&to->amount, text, e);
	if (str_equal(to->resource, "pids"))
		return number_parse_i64(&to->amount, text, 1, INT32_MAX, e);
	if (str_equal(to->resource, "cpu"))
		return number_parse_i64(&to->amount, text, 1, 1000000, e);
	return err_set(e, ERR_INVALID, "'%s' is not one of memory, pids, cpu", to->resource);
}

/* What the kernel does at a limit of its own is said there. */
static int check_action(const struct container_rule *rule, struct err *e)
{
	struct err ignored;
	int signal;

	if (str_equal(rule->action, "log") || str_equal(rule->action, "throttle"))
		return 0;
	if (str_equal(rule->action, "deny")) {
		err_set(e, ERR_INVALID, "deny is what a limit does");
		return err_hint(e, "say --memory, --pids-limit or --cpus");
	}
	if (str_starts(rule->action, "sig") &&
	    signal_name_parse(&signal, rule->action, &ignored) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "'%s' is not one of log, throttle, sigterm, sigkill...",
		       rule->action);
}

static int read_rule(struct container_rule *to, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':'), *equals = strchr(text, '=');

	if (!colon || !equals || equals < colon || !equals[1])
		return err_set(e, ERR_INVALID, "not %s", form);
	to->resource = mem_text_n(text, (size_t)(colon - text));
	to->action = mem_text_n(colon + 1, (size_t)(equals - colon - 1));
	int r = read_amount(to, equals + 1, e);
	return r < 0 ? r : check_action(to, e);
}

static void forget(struct container_limits *l)
{
	for (size_t i = 0; i < l->rules.count; i++) {
		free(l->rules.items[i].resource);
		free(l->rules.items[i].action);
	}
	free(l->rules.items);
	l->rules.items = NULL;
	l->rules.count = 0;
}

int config_rules(struct container_limits *l, const struct create_options *o, struct err *e)
{
	/* what is said later is instead */
	if (o->rule.count)
		forget(l);
	for (size_t i = 0; i < o->rule.count; i++) {
		own_clear(strv_clear) struct strv parts = { 0 };
		strv_split(&parts, o->rule.items[i], ' ');
		for (size_t k = 0; k < parts.count; k++)
			if (*parts.items[k] &&
			    read_rule(shape_list_add(&l->rules), parts.items[k], e) < 0)
				return err_add(e, "--rule %s", parts.items[k]);
	}
	if (l->rules.count > CONTAINER_RULES_MAX)
		return err_set(e, ERR_INVALID, "--rule: at most %d", CONTAINER_RULES_MAX);
	return 0;
}
