/* Docker's meaning of the options, and its refusals (what it checks in its client, its API and its
 * daemon). Conflicts between parts are checked here, last, over the finished container. */
#include "engine/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config_file.h"
#include "engine/name.h"
#include "oci/image.h"

bool config_is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

const char *config_container_name(const char *mode)
{
	return mode && str_starts(mode, "container:") ? mode + strlen("container:") : NULL;
}

static int add_labels(struct container *c, const struct create_options *o,
		      const struct oci_image_process *image, struct err *e)
{
	for (size_t i = 0; image && !o->is_pod && i < image->labels.count; i++)
		shape_map_set(&c->labels, image->labels.items[i].key, image->labels.items[i].value);
	for (size_t i = 0; i < o->label_file.count; i++) {
		int r = config_label_file(&c->labels, o->label_file.items[i], e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < o->label.count; i++) {
		own_free char *key = mem_text(o->label.items[i]);
		char *equals = strchr(key, '=');
		if (equals)
			*equals = '\0';
		if (!*key)
			return err_set(e, ERR_INVALID, "--label %s: no name before '='",
				       o->label.items[i]);
		shape_map_set(&c->labels, key, equals ? equals + 1 : "");
	}
	return 0;
}

static int add_annotations(struct container *c, const struct create_options *o, struct err *e)
{
	for (size_t i = 0; i < o->annotation.count; i++) {
		own_free char *key = mem_text(o->annotation.items[i]);
		char *equals = strchr(key, '=');
		if (!equals || equals == key)
			return err_set(e, ERR_INVALID, "--annotation %s: not KEY=VALUE",
				       o->annotation.items[i]);
		*equals = '\0';
		/* they say how holm mounts and filters; who sets them by hand says nonsense */
		if (str_starts(key, "org.holm."))
			return err_set(e, ERR_INVALID, "--annotation %s: org.holm. is reserved",
				       o->annotation.items[i]);
		shape_map_set(&c->annotations, key, equals + 1);
	}
	return 0;
}

static int set_restart(struct container *c, const struct create_options *o, struct err *e)
{
	static const char *const policies[] = { "no", "always", "unless-stopped", "on-failure",
						NULL };
	const char *text = str_empty(o->restart) ? "no" : o->restart;
	const char *colon = strchr(text, ':');
	own_free char *policy = colon ? mem_text_n(text, (size_t)(colon - text)) : mem_text(text);

	if (!config_is_one_of(policy, policies) || (colon && strcmp(policy, "on-failure") != 0))
		return err_set(e, ERR_INVALID,
			       "--restart %s: not one of no, always, unless-stopped, "
			       "on-failure[:MAX-RETRIES]",
			       text);
	if (colon && number_parse_i64(&c->restart.max_retries, colon + 1, 0, INT32_MAX, e) < 0)
		return err_add(e, "--restart %s", text);
	if ((o->rm || o->ephemeral) && strcmp(policy, "no") != 0)
		return err_set(e, ERR_INVALID, "--restart %s and %s exclude each other", text,
			       o->rm ? "--rm" : "--ephemeral");
	free(c->restart.policy);
	c->restart.policy = take_ptr(&policy);
	return 0;
}

/* A day, beyond which nobody waits for a boot. */
enum { AUTOSTART_DELAY_MAX_S = 86400, GROUP_NAME_MAX = 64 };

/* What is said later is instead. */
static int set_autostart_how(struct container_autostart *a, const struct create_options *o,
			     struct err *e)
{
	if (o->autostart_delay &&
	    number_parse_i64(&a->delay_s, o->autostart_delay, 0, AUTOSTART_DELAY_MAX_S, e) < 0)
		return err_add(e, "--autostart-delay");
	if (o->autostart_group.count)
		strv_clear(&a->groups);
	for (size_t i = 0; i < o->autostart_group.count; i++) {
		own_clear(strv_clear) struct strv names = { 0 };
		strv_split(&names, o->autostart_group.items[i], ' ');
		for (size_t k = 0; k < names.count; k++) {
			if (*names.items[k] && !str_is_name(names.items[k], GROUP_NAME_MAX))
				return err_set(e, ERR_INVALID, "--autostart-group '%s': not a name",
					       names.items[k]);
			if (*names.items[k] && !strv_contains(&a->groups, names.items[k]))
				strv_add(&a->groups, names.items[k]);
		}
	}
	return 0;
}

static int set_autostart(struct container *c, const struct create_options *o, struct err *e)
{
	struct container_autostart *a = &c->autostart;
	struct err ignored;

	if (set_autostart_how(a, o, e) < 0)
		return -e->number;
	if (!o->autostart)
		return 0;
	a->order = 0;
	if (!*o->autostart)
		mem_replace(&a->when, NULL);
	else if (str_equal(o->autostart, "yes") || str_equal(o->autostart, "no"))
		mem_replace(&a->when, o->autostart);
	else if (number_parse_i64(&a->order, o->autostart, INT32_MIN, INT32_MAX, &ignored) == 0)
		mem_replace(&a->when, "yes");
	else
		return err_set(e, ERR_INVALID,
			       "--autostart %s: not yes, no or a number (lower ones first)",
			       o->autostart);
	if ((o->rm || o->ephemeral) && !str_equal(a->when, "no"))
		return err_set(e, ERR_INVALID, "--autostart %s and %s exclude each other",
			       o->autostart, o->rm ? "--rm" : "--ephemeral");
	return 0;
}

static int set_requires(struct container *c, const struct create_options *o, struct err *e)
{
	for (size_t i = 0; i < o->requires.count; i++) {
		own_clear(strv_clear) struct strv names = { 0 };
		strv_split(&names, o->requires.items[i], ',');
		for (size_t k = 0; k < names.count; k++)
			if (!*names.items[k])
				return err_set(e, ERR_INVALID, "--requires '%s': an empty name",
					       o->requires.items[i]);
		strv_add_all(&c->requires, &names);
	}
	return 0;
}

int config_change_restart(struct container *c, const struct create_options *o, struct err *e)
{
	if (o->autostart && c->auto_remove)
		return err_set(
			e, ERR_INVALID,
			"--autostart %s: the container was made with --rm, which excludes it",
			o->autostart);
	if (set_autostart(c, o, e) < 0)
		return -e->number;
	if (str_empty(o->restart))
		return 0;
	c->restart.max_retries = 0;
	int r = set_restart(c, o, e);
	if (r == 0 && c->auto_remove && strcmp(c->restart.policy, "no") != 0)
		return err_set(e, ERR_INVALID,
			       "--restart %s: the container was made with --rm, which excludes it",
			       o->restart);
	return r;
}

static int check_hostname(const struct container *c, const struct create_options *o, struct err *e)
{
	if (str_empty(o->hostname) && str_empty(o->domainname))
		return 0;
	const char *option = str_empty(o->hostname) ? "--domainname" : "--hostname";
	if (str_equal(c->security.uts, "host"))
		return err_set(e, ERR_INVALID, "%s and --uts host exclude each other", option);
	if (config_container_name(c->network.mode))
		return err_set(e, ERR_INVALID, "%s and --network %s exclude each other", option,
			       c->network.mode);
	return 0;
}

static int check_pull(const struct create_options *o, struct err *e)
{
	static const char *const words[] = { "always", "missing", "never", NULL };

	if (o->pull && !config_is_one_of(o->pull, words))
		return err_set(e, ERR_INVALID, "--pull %s: not one of always, missing, never",
			       o->pull);
	return 0;
}

static int check_attach(const struct create_options *o, struct err *e)
{
	static const char *const words[] = { "stdin",  "stdout", "stderr", "STDIN",
					     "STDOUT", "STDERR", NULL };

	for (size_t i = 0; i < o->attach.count; i++)
		if (!config_is_one_of(o->attach.items[i], words))
			return err_set(e, ERR_INVALID,
				       "--attach %s: not one of stdin, stdout, stderr",
				       o->attach.items[i]);
	if (o->detach && o->attach.count)
		return err_set(e, ERR_INVALID, "--attach and --detach exclude each other");
	return 0;
}

static int make(struct container *c, const struct create_options *o,
		const struct oci_image_process *image, const struct config_context *context,
		struct err *e)
{
	static int (*const parts[])(struct container *, const struct create_options *,
				    const struct oci_image_process *, const struct config_context *,
				    struct err *) = {
		config_process, config_storage, config_limits, config_security, config_network,
		config_ports,   config_secrets, config_health, config_desktop,
	};

	int r = check_pull(o, e);
	if (r == 0)
		r = check_attach(o, e);
	for (size_t i = 0; r == 0 && i < COUNT_OF(parts); i++)
		r = parts[i](c, o, image, context, e);
	if (r == 0)
		r = add_labels(c, o, image, e);
	if (r == 0)
		r = add_annotations(c, o, e);
	if (r == 0)
		r = set_restart(c, o, e);
	if (r == 0)
		r = set_autostart(c, o, e);
	if (r == 0)
		r = set_requires(c, o, e);
	if (r == 0)
		r = config_hooks(c, o, e);
	if (r == 0)
		r = config_log(c, o, e);
	if (r == 0)
		r = check_hostname(c, o, e);
	if (r == 0)
		r = config_system(c, o, e);
	c->auto_remove = o->rm || o->ephemeral;
	if (r == 0 && o->platform)
		c->platform = mem_text(o->platform);
	return r;
}

int engine_config_make(struct container *c, const struct create_options *o,
		       const struct oci_image_process *image, const struct config_context *context,
		       struct err *e)
{
	struct oci_image_process booted;
	bool system;

	int r = config_system_asked(&system, o, image, e);
	if (r < 0)
		return r;
	if (!system)
		return make(c, o, image, context, e);
	c->kind = mem_text(CONTAINER_SYSTEM);
	config_system_image(&booted, image);
	r = make(c, o, &booted, context, e);
	config_system_image_clear(&booted);
	return r;
}
