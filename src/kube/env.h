/* env.h - the variables of a container: of env and envFrom, with $(VAR) expanded. What comes from a
 * Secret, or has a part that does, goes into no record: it is a secret of the store (type=env). */
#pragma once
#include "kube/data.h"

struct kube_env_variable {
	const char *name, *value;
	const char *secret; /* whose value it is in the store, or will be; NULL: it is none */
	bool composed;      /* of a secret and more: a secret of its own, to be made */
	unsigned line;
};

struct kube_env {
	struct kube_env_variable *items;
	size_t count;
	size_t bytes; /* of names and values */
};

/* Of one container, and of its command; execve(2) takes no more than that of both. */
enum { KUBE_ENV_VARIABLES_MAX = 4096, KUBE_ENV_BYTES_MAX = 2 << 20 };

struct kube_env_scope {
	struct kube_data_source source;
	const char *file;
	const char *pod; /* its name */
	const struct kube_metadata *metadata;
	const struct kube_pod *spec;
	const struct kube_container *container;
};

/* The caller ends *ret with kube_env_clear(), also on failure. */
int kube_env_make(struct kube_env *ret, const struct kube_env_scope *scope, struct err *e);
void kube_env_clear(struct kube_env *env);

/* Kubernetes' $(VAR) of variables that env has; $$ is one $, what is not known stays. *ret_secret:
 * a secret is in it. The pool's. */
const char *kube_env_expand(const struct kube_env *env, struct pool *pool, const char *text,
			    bool *ret_secret);
