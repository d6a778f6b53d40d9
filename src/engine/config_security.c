#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <strings.h>

#include "engine/config.h"
#include "engine/config_userns.h"
#include "engine/switches.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "runtime/capability.h"
#include "runtime/sysctl.h"

enum { SECCOMP_PROFILE_MAX = 1 << 20 };

/* ---- namespaces ---- */

static const struct namespace_mode {
	const char *option;
	size_t text;   /* in struct create_options */
	size_t record; /* in struct container_security */
	bool other;    /* container:NAME is possible */
	const char *words[5];
	const char *form;
} namespace_modes[] = {
	{ "--pid",
	  offsetof(struct create_options, pid),
	  offsetof(struct container_security, pid),
	  true,
	  { "private", "host" },
	  "private, host, container:NAME" },
	{ "--ipc",
	  offsetof(struct create_options, ipc),
	  offsetof(struct container_security, ipc),
	  true,
	  { "private", "host", "shareable", "none" },
	  "private, host, shareable, none, container:NAME" },
	{ "--uts",
	  offsetof(struct create_options, uts),
	  offsetof(struct container_security, uts),
	  false,
	  { "private", "host" },
	  "private, host" },
	{ "--cgroupns",
	  offsetof(struct create_options, cgroupns),
	  offsetof(struct container_security, cgroupns),
	  false,
	  { "private", "host" },
	  "private, host" },
};

static int set_namespaces(struct container_security *s, const struct create_options *o,
			  struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(namespace_modes); i++) {
		const struct namespace_mode *mode = &namespace_modes[i];
		const char *text = *(char *const *)((const char *)o + mode->text);
		if (str_empty(text))
			text = mode->words[0];
		bool other = mode->other && !str_empty(config_container_name(text));
		if (!other && !config_is_one_of(text, mode->words))
			return err_set(e, ERR_INVALID, "%s %s: not one of %s", mode->option, text,
				       mode->form);
		*(char **)((char *)s + mode->record) = mem_text(text);
	}
	return 0;
}

/* ---- capabilities ---- */

static int add_capabilities(struct strv *to, const char *option, const struct strv *names,
			    struct err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		uint64_t set;
		if (runtime_capability_parse(&set, names->items[i], e) < 0)
			return err_add(e, "%s", option);
		if (!strcasecmp(names->items[i], "ALL"))
			strv_add(to, "ALL");
		else
			runtime_capability_names(to, set);
	}
	return 0;
}

static int set_capabilities(struct container_security *s, const struct create_options *o,
			    struct err *e)
{
	int r = add_capabilities(&s->cap_add, "--cap-add", &o->cap_add, e);
	if (r == 0)
		r = add_capabilities(&s->cap_drop, "--cap-drop", &o->cap_drop, e);
	for (size_t i = 0; r == 0 && i < s->cap_add.count; i++)
		if (strv_contains(&s->cap_drop, s->cap_add.items[i]))
			r = err_set(e, ERR_INVALID, "--cap-add and --cap-drop both name %s",
				    s->cap_add.items[i]);
	return r;
}

/* ---- --security-opt ---- */

static int set_seccomp(struct container_security *s, const char *value, struct err *e)
{
	mem_replace(&s->seccomp, NULL);
	mem_replace(&s->seccomp_path, NULL);
	if (!strcmp(value, "unconfined") || !strcmp(value, "builtin")) {
		s->seccomp = mem_text(value);
		return 0;
	}

	own_clear(str_clear) struct str text = { 0 };
	if (fd_read_file_at(AT_FDCWD, value, SECCOMP_PROFILE_MAX, &text, e) < 0)
		return err_hint(e, "accepted: unconfined, builtin, or the file of a profile");
	own_json struct json_object *profile = NULL;
	if (json_parse(&profile, text.text ? text.text : "", text.length, value, e) < 0)
		return -e->number;
	s->seccomp_path = mem_text(value);
	s->seccomp = str_take(&text);
	return 0;
}

static int set_apparmor(struct container_security *s, const char *value, struct err *e)
{
	if (!*value)
		return err_set(e, ERR_INVALID, "apparmor=PROFILE");
	mem_replace(&s->apparmor, value);
	return 0;
}

/* "disable", or a part of a SELinux label: user:U, role:R, type:T, level:L. */
static int set_label(struct container_security *s, const char *value, struct err *e)
{
	static const char *const parts[] = { "user:", "role:", "type:", "level:", "filetype:" };

	bool known = !strcmp(value, "disable") || !strcmp(value, "nested");
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		known |= str_starts(value, parts[i]) && value[strlen(parts[i])];
	if (!known)
		return err_set(e, ERR_INVALID, "'%s': disable, user:U, role:R, type:T, level:L",
			       value);
	own_free char *joined = s->label ? mem_format("%s,%s", s->label, value) : mem_text(value);
	mem_replace(&s->label, joined);
	return 0;
}

static int set_no_new_privileges(struct container_security *s, const char *value, struct err *e)
{
	bool yes = !*value || !strcmp(value, "true");

	if (!yes && strcmp(value, "false") != 0)
		return err_set(e, ERR_INVALID, "'%s' is neither true nor false", value);
	s->no_new_privileges = yes;
	return 0;
}

static int set_systempaths(struct container_security *s, const char *value, struct err *e)
{
	if (strcmp(value, "unconfined") != 0)
		return err_set(e, ERR_INVALID, "'%s': unconfined", value);
	s->unmask_all = true;
	return 0;
}

static int add_paths(struct strv *to, const char *value, struct err *e)
{
	own_clear(strv_clear) struct strv paths = { 0 };

	strv_split(&paths, value, ':');
	if (paths.count == 0)
		return err_set(e, ERR_INVALID, "no path");
	for (size_t i = 0; i < paths.count; i++) {
		if (paths.items[i][0] != '/')
			return err_set(e, ERR_INVALID, "'%s' is not an absolute path",
				       paths.items[i]);
		strv_add_take(to, path_clean(paths.items[i]));
	}
	return 0;
}

static int set_mask(struct container_security *s, const char *value, struct err *e)
{
	return add_paths(&s->mask, value, e);
}

static int set_unmask(struct container_security *s, const char *value, struct err *e)
{
	if (!strcasecmp(value, "all")) {
		s->unmask_all = true;
		return 0;
	}
	return add_paths(&s->unmask, value, e);
}

static const struct security_key {
	const char *name;
	bool bare; /* stands without a value, too */
	int (*set)(struct container_security *s, const char *value, struct err *e);
} security_keys[] = {
	{ "seccomp", false, set_seccomp },
	{ "apparmor", false, set_apparmor },
	{ "label", false, set_label },
	{ "no-new-privileges", true, set_no_new_privileges },
	{ "systempaths", false, set_systempaths },
	{ "mask", false, set_mask },
	{ "unmask", false, set_unmask },
};

static int set_option(struct container_security *s, const char *text, struct err *e)
{
	size_t length = strcspn(text, "=:"); /* seccomp:FILE is Docker's older spelling */

	for (size_t i = 0; i < COUNT_OF(security_keys); i++) {
		const struct security_key *key = &security_keys[i];
		if (strlen(key->name) != length || strncmp(key->name, text, length) != 0)
			continue;
		if (!text[length] && !key->bare)
			return err_set(e, ERR_INVALID, "--security-opt %s: needs a value, %s=...",
				       text, key->name);
		int r = key->set(s, text[length] ? text + length + 1 : "", e);
		return r < 0 ? err_add(e, "--security-opt %s", key->name) : 0;
	}
	return err_set(e, ERR_INVALID,
		       "--security-opt %s: not one of seccomp=, apparmor=, label=, "
		       "no-new-privileges, systempaths=unconfined, mask=, unmask=",
		       text);
}

/* ---- devices ---- */

static bool is_permissions(const char *text)
{
	return *text && strspn(text, "rwm") == strlen(text) && strlen(text) <= 3;
}

int config_device(struct container_device *to, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	strv_split(&parts, text, ':');
	if (parts.count == 0 || parts.count > 3 || parts.items[0][0] != '/') {
		err_set(e, ERR_INVALID, "--device %s: not HOST-PATH[:PATH][:rwm]", text);
		return strchr(text, '=') ? err_hint(e, "CDI names (vendor/class=name) are not "
						       "supported")
					 : -e->number;
	}
	const char *target = parts.items[0], *permissions = "rwm";
	if (parts.count == 2 && is_permissions(parts.items[1]))
		permissions = parts.items[1];
	else if (parts.count >= 2)
		target = parts.items[1];
	if (parts.count == 3)
		permissions = parts.items[2];
	if (!is_permissions(permissions))
		return err_set(e, ERR_INVALID, "--device %s: '%s' is not made of r, w and m", text,
			       permissions);
	if (target[0] != '/')
		return err_set(e, ERR_INVALID, "--device %s: '%s' is not an absolute path", text,
			       target);
	to->host = path_clean(parts.items[0]);
	to->target = path_clean(target);
	to->permissions = mem_text(permissions);
	return 0;
}

static bool is_device_number(const char **c)
{
	size_t digits = strspn(*c, "0123456789");

	if (**c == '*')
		digits = 1;
	*c += digits;
	return digits > 0 && digits < 11;
}

/* "c 1:3 rwm", "b *:* m", "a" (all). */
static int add_device_rule(struct strv *to, const char *text, struct err *e)
{
	const char *c = text;
	bool good = *c && strchr("abc", *c) && c[1] == ' ';

	c += 2 * good;
	good = good && is_device_number(&c) && *c++ == ':' && is_device_number(&c) && *c++ == ' ' &&
	       is_permissions(c);
	if (!good)
		return err_set(e, ERR_INVALID,
			       "--device-cgroup-rule '%s': not 'TYPE MAJOR:MINOR "
			       "rwm', as in 'c 10:* rw'",
			       text);
	strv_add(to, text);
	return 0;
}

static int set_devices(struct container_security *s, const struct create_options *o, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->device.count; i++)
		r = config_device(shape_list_add(&s->devices), o->device.items[i], e);
	for (size_t i = 0; r == 0 && i < o->device_cgroup_rule.count; i++)
		r = add_device_rule(&s->device_rules, o->device_cgroup_rule.items[i], e);
	strv_add_all(&s->gpus, &o->gpus);
	return r;
}

/* ---- sysctls ---- */

static int set_sysctls(struct container *c, const struct create_options *o, struct err *e)
{
	unsigned long own = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWIPC;
	const struct strv *networks = &o->network;

	if (networks->count && strcmp(networks->items[0], "host") == 0)
		own &= ~(unsigned long)CLONE_NEWNET;
	if (str_equal(c->security.ipc, "host"))
		own &= ~(unsigned long)CLONE_NEWIPC;
	if (str_equal(c->security.uts, "host"))
		own &= ~(unsigned long)CLONE_NEWUTS;
	for (size_t i = 0; i < o->sysctl.count; i++) {
		own_free char *key = mem_text(o->sysctl.items[i]);
		char *equals = strchr(key, '=');
		char path[RUNTIME_SYSCTL_PATH_MAX];
		if (!equals || equals == key)
			return err_set(e, ERR_INVALID, "--sysctl %s: not KEY=VALUE",
				       o->sysctl.items[i]);
		*equals = '\0';
		if (runtime_sysctl_check(path, key, own, e) < 0)
			return err_add(e, "--sysctl");
		shape_map_set(&c->security.sysctls, key, equals + 1);
	}
	return 0;
}

/* holm-init is PID 1 by default, where there is a PID 1 of the container's own. */
static void set_init(struct container *c, const struct create_options *o)
{
	c->process.init = o->init_given ? o->init : str_equal(c->security.pid, "private");
}

int config_security(struct container *c, const struct create_options *o,
		    const struct oci_image_process *image, const struct config_context *context,
		    struct err *e)
{
	struct container_security *s = &c->security;

	static const struct config_ids of_root = { 0 };

	(void)image;
	s->privileged = o->privileged;
	s->posture = mem_text(o->posture);
	strv_add_all(&s->options, &o->security_opt);
	int r = set_namespaces(s, o, e);
	if (r == 0)
		r = config_userns(c, o, context->ids ? context->ids : &of_root, e);
	for (size_t i = 0; r == 0 && i < o->security_opt.count; i++)
		r = set_option(s, o->security_opt.items[i], e);
	if (r == 0)
		r = engine_switches_set(s, o, e);
	if (r == 0)
		r = set_capabilities(s, o, e);
	if (r == 0)
		r = set_devices(s, o, e);
	if (r == 0)
		r = set_sysctls(c, o, e);
	if (r == 0)
		set_init(c, o);
	return r;
}
