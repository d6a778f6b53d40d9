/* spec.h - containers as members of a pod's spec, for kube generate. */
#pragma once
#include <stdbool.h>

#include "base/json.h"

struct container;
struct engine;
struct strv;
struct oci_image_process;

/* What gathers while the containers of one pod are written. */
struct kube_spec {
	struct engine *engine;
	const char *pod;             /* its name, which those of its containers begin with */
	struct json_object *volumes; /* borrowed: an array */
};

/* Of a list. The caller's. */
struct json_object *kube_spec_container(struct kube_spec *s, const struct container *c);

/* securityContext and volumeMounts of one (spec_security.c, spec_volume.c); NULL: none. */
struct json_object *kube_spec_security(const struct container *c,
				       const struct oci_image_process *image);
struct json_object *kube_spec_mounts(struct kube_spec *s, const struct container *c);

/* Members that are empty are left out. */
void kube_spec_text(struct json_object *to, const char *key, const char *text);
void kube_spec_add(struct json_object *to, const char *key, struct json_object *value);
struct json_object *kube_spec_texts(const struct strv *list);

/* Without the pod's in front of it. Borrowed. */
const char *kube_spec_short(const struct kube_spec *s, const char *name);

/* A name as Kubernetes takes it: small letters, digits and '-'. The caller frees. */
char *kube_spec_name(const char *name);

/* What a secret of the store is called: of a Secret, and its key. Both are the caller's. */
void kube_spec_secret(char **ret_name, char **ret_key, const struct kube_spec *s,
		      const char *secret);
