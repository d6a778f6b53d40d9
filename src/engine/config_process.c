#include <string.h>

#include "engine/config.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/signal_name.h"
#include "base/str.h"
#include "engine/config_file.h"
#include "oci/image.h"

enum {
	HOSTNAME_MAX = 64,    /* sethostname(2): __NEW_UTS_LEN */
	USER_TEXT_MAX = 1024, /* "name:group": far above any name of passwd(5) */
};

/* Docker's rule: --entrypoint takes the image's command away, too. */
static int set_command(struct container *c, const struct create_options *o,
		       const struct oci_image_process *image, struct err *e)
{
	struct container_process *p = &c->process;

	strv_add_all(&p->command, &o->command);
	if (o->entrypoint && *o->entrypoint)
		strv_add(&p->entrypoint, o->entrypoint);
	if (!o->entrypoint && image) {
		strv_add_all(&p->entrypoint, &image->entrypoint);
		if (o->command.count == 0)
			strv_add_all(&p->command, &image->cmd);
	}
	if (p->entrypoint.count + p->command.count == 0) {
		err_set(e, ERR_INVALID, "no command: the image names none");
		return err_hint(e, "write one behind the image: holm run IMAGE COMMAND");
	}
	const char *first = p->entrypoint.count ? p->entrypoint.items[0] : p->command.items[0];
	if (!*first)
		return err_set(e, ERR_INVALID, "the command is an empty string");
	return 0;
}

static int set_workdir(struct container *c, const struct create_options *o,
		       const struct oci_image_process *image, struct err *e)
{
	const char *text = o->workdir;

	if (!text)
		text = image && !str_empty(image->working_dir) ? image->working_dir : "/";
	if (text[0] != '/') {
		if (o->workdir)
			return err_set(e, ERR_INVALID,
				       "--workdir '%s': not an absolute path such as /srv", text);
		own_free char *below = path_join("/", text);
		c->process.workdir = path_clean(below);
		return 0;
	}
	c->process.workdir = path_clean(text);
	return 0;
}

/* Names are looked up in the image at the start; numbers can be judged here. */
static int check_user_part(const char *option, const char *text, struct err *e)
{
	uint32_t id;

	if (!*text || text[strspn(text, "-+0123456789")])
		return 0;
	return number_parse_id(&id, text, e) < 0 ? err_add(e, "%s: ids are 0 to 4294967294", option)
						 : 0;
}

int config_check_user(const char *option, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');
	own_free char *user = colon ? mem_text_n(text, (size_t)(colon - text)) : mem_text(text);

	if (strlen(text) > USER_TEXT_MAX || (colon && strchr(colon + 1, ':')))
		return err_set(e, ERR_INVALID, "%s '%s': not USER[:GROUP]", option, text);
	int r = check_user_part(option, user, e);
	return r < 0 || !colon ? r : check_user_part(option, colon + 1, e);
}

static int set_user(struct container *c, const struct create_options *o,
		    const struct oci_image_process *image, struct err *e)
{
	const char *text = o->user ? o->user : image ? image->user : NULL;

	if (!str_empty(text)) {
		if (config_check_user(o->user ? "--user" : "the image's user", text, e) < 0)
			return -e->number;
		c->process.user = mem_text(text);
	}
	if (strv_contains(&o->group_add, CONFIG_KEEP_GROUPS) && o->group_add.count > 1)
		return err_set(e, ERR_INVALID,
			       "--group-add " CONFIG_KEEP_GROUPS " keeps the caller's groups, and "
			       "excludes others");
	for (size_t i = 0; i < o->group_add.count; i++) {
		int r = check_user_part("--group-add", o->group_add.items[i], e);
		if (r < 0)
			return r;
	}
	strv_add_all(&c->process.groups, &o->group_add);
	return 0;
}

static int set_hostname(struct container *c, const struct create_options *o, struct err *e)
{
	const struct {
		const char *option, *text;
		char **to;
	} names[] = {
		{ "--hostname", o->hostname, &c->process.hostname },
		{ "--domainname", o->domainname, &c->process.domainname },
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *text = names[i].text;
		if (str_empty(text))
			continue;
		size_t length = strlen(text);
		size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-_.");
		if (length > HOSTNAME_MAX || good != length || strchr("-.", text[0]))
			return err_set(e, ERR_INVALID,
				       "%s '%s': not letters, digits, '-', '_' and '.', at most %d",
				       names[i].option, text, HOSTNAME_MAX);
		*names[i].to = mem_text(text);
	}
	return 0;
}

static int set_umask(struct container *c, const struct create_options *o, struct err *e)
{
	const char *text = o->umask;

	if (!text)
		return 0;
	size_t length = strlen(text);
	if (!length || length > 4 || strspn(text, "01234567") != length ||
	    (length == 4 && *text != '0'))
		return err_set(e, ERR_INVALID, "--umask '%s': not octal, 0 to 0777", text);
	c->process.umask = mem_text(text);
	return 0;
}

static int set_stop(struct container *c, const struct create_options *o,
		    const struct oci_image_process *image, struct err *e)
{
	const char *name = o->stop_signal ? o->stop_signal : image ? image->stop_signal : NULL;
	struct container_process *p = &c->process;

	if (!str_empty(name)) {
		int signal;
		if (signal_name_parse(&signal, name, e) < 0)
			return err_add(e, o->stop_signal ? "--stop-signal"
							 : "the image's stop signal");
		p->stop_signal = mem_text(name);
	}
	if (o->stop_timeout) {
		p->stop_timeout_s = mem_new(1, sizeof(int64_t));
		if (number_parse_i64(p->stop_timeout_s, o->stop_timeout, -1, INT32_MAX, e) < 0)
			return err_add(e, "--stop-timeout");
	} else if (image && image->stop_timeout) {
		p->stop_timeout_s = mem_new(1, sizeof(int64_t));
		*p->stop_timeout_s = *image->stop_timeout;
	}
	if (o->timeout && number_parse_i64(&p->timeout_s, o->timeout, 0, INT32_MAX, e) < 0)
		return err_add(e, "--timeout");
	return 0;
}

static void set_streams(struct container *c, const struct create_options *o)
{
	struct container_process *p = &c->process;

	p->tty = o->tty;
	p->open_stdin = o->interactive;
	p->attach_stdin = o->interactive && !o->detach;
	p->attach_stdout = p->attach_stderr = !o->detach;
	if (o->attach.count) {
		p->attach_stdin = strv_contains(&o->attach, "stdin");
		p->attach_stdout = strv_contains(&o->attach, "stdout");
		p->attach_stderr = strv_contains(&o->attach, "stderr");
	}
}

/* Docker's order: what was asked for, then what the image has besides. */
static void put_given_first(struct strv *env, const struct strv *of_image)
{
	struct strv sorted = { 0 };

	for (size_t i = 0; i < env->count; i++)
		if (!strv_contains(of_image, env->items[i]))
			strv_add(&sorted, env->items[i]);
	for (size_t i = 0; i < env->count; i++)
		if (strv_contains(of_image, env->items[i]))
			strv_add(&sorted, env->items[i]);
	strv_clear(env);
	*env = sorted;
}

int config_process(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e)
{
	int r = set_command(c, o, image, e);

	if (r == 0)
		r = config_env_below(&c->process.env, o, image ? &image->env : NULL,
				     context->environment, e);
	if (r == 0)
		r = config_env(&c->process.env, &o->env_file, &o->env, context->environment, e);
	if (r == 0 && image)
		put_given_first(&c->process.env, &image->env);
	if (r == 0)
		r = set_workdir(c, o, image, e);
	if (r == 0)
		r = set_user(c, o, image, e);
	if (r == 0)
		r = set_hostname(c, o, e);
	if (r == 0)
		r = set_umask(c, o, e);
	if (r == 0)
		r = set_stop(c, o, image, e);
	if (r == 0)
		set_streams(c, o);
	return r;
}
