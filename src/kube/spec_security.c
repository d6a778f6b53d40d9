#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/container.h"
#include "kube/spec.h"
#include "oci/image.h"

static void add_id(struct json_object *to, const char *key, const char *text,
		   const struct container *c)
{
	if (*text && !text[strspn(text, "0123456789")])
		json_object_object_add(to, key, json_object_new_int64(strtoll(text, NULL, 10)));
	else if (*text)
		log_warning("container %s: its user '%s' is left out: %s is a number", c->name,
			    text, key);
}

/* The image's own need not be said. */
static void add_user(struct json_object *to, const struct container *c,
		     const struct oci_image_process *image)
{
	own_free char *user = mem_text(c->process.user ? c->process.user : "");
	char *colon = strchr(user, ':');

	if (str_equal(user, image && image->user ? image->user : ""))
		return;
	if (colon)
		*colon = '\0';
	add_id(to, "runAsUser", user, c);
	if (colon)
		add_id(to, "runAsGroup", colon + 1, c);
}

static struct json_object *names_of(const struct strv *list)
{
	struct json_object *to = json_object_new_array();

	for (size_t i = 0; i < list->count; i++) {
		const char *name = list->items[i];
		json_object_array_add(
			to, json_object_new_string(str_starts(name, "CAP_") ? name + 4 : name));
	}
	return to;
}

static void add_selinux(struct json_object *to, const char *label)
{
	struct json_object *of = json_object_new_object();
	own_clear(strv_clear) struct strv parts = { 0 };

	strv_split(&parts, label ? label : "", ',');
	for (size_t i = 0; i < parts.count; i++) {
		char *colon = strchr(parts.items[i], ':');
		if (!colon)
			continue;
		*colon = '\0';
		kube_spec_text(of, parts.items[i], colon + 1);
	}
	kube_spec_add(to, "seLinuxOptions", of);
}

static void add_profile(struct json_object *to, const char *key, const char *profile)
{
	struct json_object *of = json_object_new_object();
	bool none = str_equal(profile, "unconfined");

	if (profile) {
		kube_spec_text(of, "type", none ? "Unconfined" : "Localhost");
		kube_spec_text(of, "localhostProfile", none ? NULL : profile);
	}
	kube_spec_add(to, key, of);
}

static void add_flag(struct json_object *to, const char *key, bool said, bool value)
{
	if (said)
		json_object_object_add(to, key, json_object_new_boolean(value));
}

struct json_object *kube_spec_security(const struct container *c,
				       const struct oci_image_process *image)
{
	const struct container_security *s = &c->security;
	struct json_object *to = json_object_new_object();
	struct json_object *capabilities = json_object_new_object();

	add_user(to, c, image);
	add_flag(to, "privileged", s->privileged, true);
	add_flag(to, "readOnlyRootFilesystem", c->storage.read_only, true);
	add_flag(to, "allowPrivilegeEscalation", s->no_new_privileges, false);
	kube_spec_add(capabilities, "add", names_of(&s->cap_add));
	kube_spec_add(capabilities, "drop", names_of(&s->cap_drop));
	kube_spec_add(to, "capabilities", capabilities);
	add_selinux(to, s->label);
	if (str_equal(s->seccomp, "unconfined"))
		add_profile(to, "seccompProfile", s->seccomp);
	else if (s->seccomp_path)
		log_warning("container %s: the seccomp profile %s is left out", c->name,
			    s->seccomp_path);
	add_profile(to, "appArmorProfile", s->apparmor);
	if (s->unmask_all)
		kube_spec_text(to, "procMount", "Unmasked");
	return to;
}
