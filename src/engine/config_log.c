#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/log_tag.h"
#include "monitor/log.h"

static int check_size(const char *value, struct err *e)
{
	int64_t number;

	return strcmp(value, "-1") ? number_parse_bytes(&number, value, e) : 0;
}

static int check_count(const char *value, struct err *e)
{
	int64_t number;

	return number_parse_i64(&number, value, 1, MONITOR_LOG_FILES_MAX, e);
}

static int check_tag(const char *value, struct err *e)
{
	static const struct container none = { 0 };
	own_free char *tag = NULL;

	return engine_log_tag_make(&tag, value, &none, e);
}

static int check_nothing(const char *value, struct err *e)
{
	(void)value;
	(void)e;
	return 0;
}

static const struct log_option {
	const char *name;
	bool files; /* of drivers that write files alone */
	int (*check)(const char *value, struct err *e);
} options[] = {
	{ "max-size", true, check_size }, { "max-file", true, check_count },
	{ "tag", false, check_tag },      { "labels", false, check_nothing },
	{ "env", false, check_nothing },
};

static const struct log_option *find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(options); i++)
		if (str_equal(options[i].name, name))
			return &options[i];
	return NULL;
}

static int set_option(struct container *c, const char *text, struct err *e)
{
	own_free char *key = mem_text(text);
	char *equals = strchr(key, '=');

	if (!equals || equals == key)
		return err_set(e, ERR_INVALID, "--log-opt %s: not KEY=VALUE", text);
	*equals++ = '\0';
	const struct log_option *option = find(key);
	if (!option)
		return err_set(e, ERR_INVALID,
			       "--log-opt %s: not one of max-size=SIZE, max-file=COUNT, "
			       "tag=TEMPLATE, labels=KEY,..., env=NAME,...",
			       text);
	if (option->files && str_equal(c->log.driver, "journald"))
		return err_set(e, ERR_INVALID,
			       "--log-opt %s says nothing with --log-driver journald", key);
	if (option->check(equals, e) < 0)
		return err_add(e, "--log-opt %s", key);
	shape_map_set(&c->log.options, key, equals);
	return 0;
}

int config_log(struct container *c, const struct create_options *o, struct err *e)
{
	static const char *const drivers[] = { "json-file", "local", "journald", "none", NULL };
	const char *driver = str_empty(o->log_driver) ? "json-file" : o->log_driver;

	if (!config_is_one_of(driver, drivers))
		return err_set(e, ERR_INVALID,
			       "--log-driver %s: not one of json-file, local, journald, none",
			       driver);
	c->log.driver = mem_text(driver);
	for (size_t i = 0; i < o->log_opt.count; i++) {
		int r = set_option(c, o->log_opt.items[i], e);
		if (r < 0)
			return r;
	}
	if (!strcmp(driver, "none") && c->log.options.count)
		return err_set(e, ERR_INVALID, "--log-opt says nothing with --log-driver none");
	return 0;
}
