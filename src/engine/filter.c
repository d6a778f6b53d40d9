#include "engine/filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <regex.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/health.h"
#include "engine/image.h"
#include "engine/ports.h"
#include "image/reference.h"
#include "network/port.h"
#include "oci/digest.h"

/* ---- one value against one row ---- */

static bool match_id(const struct filter *f, const struct engine_row *row, const char *value)
{
	(void)f;
	return str_starts(row->container.id, value);
}

/* Docker: a regular expression, found anywhere in the name. */
static bool match_name(const struct filter *f, const struct engine_row *row, const char *value)
{
	regex_t regex;

	(void)f;
	if (value[0] == '/')
		value++;
	if (regcomp(&regex, value, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	bool found = regexec(&regex, row->container.name, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static bool match_status(const struct filter *f, const struct engine_row *row, const char *value)
{
	(void)f;
	return str_equal(container_status_name(row->state.status), value);
}

static bool match_health(const struct filter *f, const struct engine_row *row, const char *value)
{
	(void)f;
	return engine_health_status(&row->container, &row->state) == monitor_health_parse(value);
}

static bool match_exited(const struct filter *f, const struct engine_row *row, const char *value)
{
	int64_t code;
	struct err checked;

	(void)f;
	return row->state.status == CONTAINER_EXITED &&
	       number_parse_i64(&code, value, 0, 255, &checked) == 0 &&
	       row->state.exit_code == code;
}

static bool match_label(const struct filter *f, const struct engine_row *row, const char *value)
{
	const char *equals = strchr(value, '=');
	own_free char *key = equals ? mem_text_n(value, (size_t)(equals - value)) : mem_text(value);
	const char *found = shape_map_get(&row->container.labels, key);

	(void)f;
	return found && (!equals || !strcmp(found, equals + 1));
}

static bool match_volume(const struct filter *f, const struct engine_row *row, const char *value)
{
	const struct container_storage *s = &row->container.storage;

	(void)f;
	for (size_t i = 0; i < s->mounts.count; i++) {
		const struct container_mount *mount = &s->mounts.items[i];
		if (str_equal(mount->name, value) || str_equal(mount->source, value) ||
		    str_equal(mount->target, value))
			return true;
	}
	return false;
}

static bool match_network(const struct filter *f, const struct engine_row *row, const char *value)
{
	(void)f;
	return container_find_endpoint(&row->container, value) ||
	       str_equal(row->container.network.mode, value);
}

/* The image itself, by any of its names, or one that is made of all its layers and more. */
static bool match_ancestor(const struct filter *f, const struct engine_row *row, const char *value)
{
	const struct container_image *image = &row->container.image;

	if (str_equal(image->name, value) || str_equal(image->reference, value))
		return true;
	if (image->id && oci_digest_hex(image->id) && strlen(value) >= 4 &&
	    (str_starts(image->id, value) || str_starts(oci_digest_hex(image->id), value)))
		return true;
	if (f->ancestor.count == 0 || f->ancestor.count > image->layers.count)
		return false;
	for (size_t i = 0; i < f->ancestor.count; i++)
		if (!str_equal(f->ancestor.items[i], image->layers.items[i]))
			return false;
	return true;
}

/* Docker: a port of the host's, or a range, of one protocol. */
static bool match_publish(const struct filter *f, const struct engine_row *row, const char *value)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	struct network_port_range range;
	struct err ignored;
	int protocol;

	if (network_port_parse_container(&range, &protocol, value, &ignored) < 0 ||
	    engine_ports_read(&ports, f->engine, row->container.id, &ignored) < 0)
		return false;
	for (size_t i = 0; i < ports.items.count; i++) {
		const struct engine_port *port = &ports.items.items[i];
		if (port->host_port >= range.low && port->host_port <= range.high &&
		    str_equal(port->protocol, network_port_protocol_name(protocol)))
			return true;
	}
	return false;
}

static bool match_expose(const struct filter *f, const struct engine_row *row, const char *value)
{
	const struct strv *exposed = &row->container.network.exposed;
	struct network_port_range range, one;
	int protocol, its;
	struct err ignored;

	(void)f;
	if (network_port_parse_container(&range, &protocol, value, &ignored) < 0)
		return false;
	for (size_t i = 0; i < exposed->count; i++)
		if (network_port_parse_container(&one, &its, exposed->items[i], &ignored) == 0 &&
		    its == protocol && one.low >= range.low && one.low <= range.high)
			return true;
	return false;
}

#define KIND_APPLICATION "application"

static bool match_kind(const struct filter *f, const struct engine_row *row, const char *value)
{
	(void)f;
	return str_equal(value, row->container.kind ? row->container.kind : KIND_APPLICATION);
}

/* Of a swarm's task: holm has none. */
static bool match_is_task(const struct filter *f, const struct engine_row *row, const char *value)
{
	(void)f;
	(void)row;
	return str_equal(value, "false") || str_equal(value, "0");
}

static bool match_before(const struct filter *f, const struct engine_row *row, const char *value)
{
	(void)value;
	return row->container.created_ns < f->before_ns;
}

static bool match_since(const struct filter *f, const struct engine_row *row, const char *value)
{
	(void)value;
	return row->container.created_ns > f->since_ns;
}

/* ---- what a value must look like ---- */

static int check_status(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	(void)engine;
	for (int i = CONTAINER_CREATED; i <= CONTAINER_INCOMPLETE; i++)
		if (str_equal(container_status_name((enum container_status)i), value)) {
			f->all |= i != CONTAINER_RUNNING;
			return 0;
		}
	return err_set(e, ERR_INVALID,
		       "'%s' is none of created, running, paused, restarting, "
		       "exited, dead, incomplete",
		       value);
}

static int check_health(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	(void)f;
	(void)engine;
	if (str_equal(value, monitor_health_name(monitor_health_parse(value))))
		return 0;
	return err_set(e, ERR_INVALID, "'%s' is none of starting, healthy, unhealthy, none", value);
}

static int check_kind(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	(void)f;
	(void)engine;
	if (str_equal(value, CONTAINER_SYSTEM) || str_equal(value, KIND_APPLICATION))
		return 0;
	return err_set(e, ERR_INVALID, "'%s' is neither " CONTAINER_SYSTEM " nor " KIND_APPLICATION,
		       value);
}

static int check_is_task(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	(void)f;
	(void)engine;
	if (str_equal(value, "true") || str_equal(value, "1") || str_equal(value, "false") ||
	    str_equal(value, "0"))
		return 0;
	return err_set(e, ERR_INVALID, "'%s' is neither true nor false", value);
}

static int check_ports(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	struct network_port_range range;
	int protocol;

	(void)f;
	(void)engine;
	return network_port_parse_container(&range, &protocol, value, e);
}

static int check_exited(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	int64_t code;

	(void)engine;
	f->all = true;
	return number_parse_i64(&code, value, 0, 255, e);
}

static int check_name(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	regex_t regex;

	(void)f;
	(void)engine;
	if (regcomp(&regex, value[0] == '/' ? value + 1 : value, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(e, ERR_INVALID, "'%s' is not a regular expression", value);
	regfree(&regex);
	return 0;
}

static int check_before(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	int r = engine_load(engine, value, &c, NULL, e);

	if (r == 0)
		f->before_ns = c.created_ns;
	return r;
}

static int check_since(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	int r = engine_load(engine, value, &c, NULL, e);

	if (r == 0)
		f->since_ns = c.created_ns;
	return r;
}

static int check_ancestor(struct filter *f, struct engine *engine, const char *value, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };

	(void)e;
	strv_clear(&f->ancestor);
	struct err none; /* an image that is gone is no error: its id can still match */
	if (engine_image_find(engine, value, &image, NULL, &none) < 0)
		return 0;
	for (size_t i = 0; i < image.config.rootfs.diff_ids.count; i++)
		strv_add(&f->ancestor, oci_digest_hex(image.config.rootfs.diff_ids.items[i]));
	return 0;
}

static const struct filter_key {
	const char *name;
	bool every; /* all values must fit, instead of one */
	bool (*matches)(const struct filter *f, const struct engine_row *row, const char *value);
	int (*check)(struct filter *f, struct engine *engine, const char *value, struct err *e);
} keys[] = {
	{ "id", false, match_id, NULL },
	{ "name", false, match_name, check_name },
	{ "status", false, match_status, check_status },
	{ "health", false, match_health, check_health },
	{ "exited", false, match_exited, check_exited },
	{ "label", true, match_label, NULL },
	{ "ancestor", false, match_ancestor, check_ancestor },
	{ "volume", false, match_volume, NULL },
	{ "network", false, match_network, NULL },
	{ "publish", false, match_publish, check_ports },
	{ "expose", false, match_expose, check_ports },
	{ "kind", false, match_kind, check_kind },
	{ "is-task", false, match_is_task, check_is_task },
	{ "before", true, match_before, check_before },
	{ "since", true, match_since, check_since },
};

/* The value of text if it is KEY=value, else NULL. */
static const char *value_of(const struct filter_key *key, const char *text)
{
	size_t length = strlen(key->name);

	return !strncmp(text, key->name, length) && text[length] == '=' ? text + length + 1 : NULL;
}

static int check_text(struct filter *f, struct engine *engine, const char *text, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *value = value_of(&keys[i], text);
		if (!value)
			continue;
		int r = keys[i].check ? keys[i].check(f, engine, value, e) : 0;
		return r < 0 ? err_add(e, "--filter %s", keys[i].name) : 0;
	}
	return err_set(
		e, ERR_INVALID,
		"--filter %s: not KEY=VALUE with one of id, name, status, health, exited, "
		"label, ancestor, volume, network, publish, expose, kind, is-task, before, since",
		text);
}

int filter_make(struct filter *to, struct engine *engine, const struct strv *texts, struct err *e)
{
	int r = 0;

	to->engine = engine;
	to->texts = texts;
	for (size_t i = 0; r == 0 && i < texts->count; i++)
		r = check_text(to, engine, texts->items[i], e);
	return r;
}

void filter_clear(struct filter *filter)
{
	strv_clear(&filter->ancestor);
}

static bool key_matches(const struct filter *f, const struct filter_key *key,
			const struct engine_row *row)
{
	bool asked = false, any = false, every = true;

	for (size_t i = 0; i < f->texts->count; i++) {
		const char *value = value_of(key, f->texts->items[i]);
		if (!value)
			continue;
		bool fits = key->matches(f, row, value);
		asked = true;
		any |= fits;
		every &= fits;
	}
	return !asked || (key->every ? every : any);
}

bool filter_matches(const struct filter *filter, const struct engine_row *row)
{
	for (size_t i = 0; filter->texts->count && i < COUNT_OF(keys); i++)
		if (!key_matches(filter, &keys[i], row))
			return false;
	return true;
}
