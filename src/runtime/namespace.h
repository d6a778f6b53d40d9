/* namespace.h - the eight kinds of namespaces(7) of a container: each new, joined by path, or the
 * host's because the spec does not name it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;
struct oci_spec;
struct strv;

enum { RUNTIME_NAMESPACE_KINDS = 8 };

struct runtime_namespaces {
	uint64_t own;                           /* CLONE_NEW*: made for this container */
	uint64_t joined;                        /* CLONE_NEW*: those with a descriptor below */
	int joined_fd[RUNTIME_NAMESPACE_KINDS]; /* -1: none */
};

/* Reads linux.namespaces and opens those given by path, which must be namespaces of that kind.
 * One that is the caller's own counts as the host's. ERR_INVALID for an unknown or repeated
 * type. End it with close, after failure, too. */
int runtime_namespace_open_in_parent(struct runtime_namespaces *ret, const struct oci_spec *spec,
				     struct err *e);
/* The descriptor of the joined one of this kind (one CLONE_NEW*), borrowed, or -1. */
int runtime_namespace_joined(const struct runtime_namespaces *namespaces, uint64_t kind);

/* Does (or will) the container's user namespace own the one of this kind that the container is in?
 * Where it does not, the container may not mount a procfs (PID) or sysfs (network) of it. The
 * container's user namespace is the new one, the joined one, else the caller's. */
bool runtime_namespace_is_owned(const struct runtime_namespaces *namespaces, uint64_t kind);

/* Those of the joined ones that must be joined before the container's user namespace is entered,
 * because they are owned by another. 0 where that is the caller's own. */
uint64_t runtime_namespace_foreign(const struct runtime_namespaces *namespaces);
void runtime_namespace_close(struct runtime_namespaces *namespaces);

/* setns(2) to those of the joined ones that are in kinds (CLONE_NEW*), the user namespace first
 * and the mount namespace last. For a PID namespace it counts for later children only. */
int runtime_namespace_join(const struct runtime_namespaces *namespaces, uint64_t kinds,
			   struct err *e);

/* The types in own and joined, as the spec spells them. */
void runtime_namespace_names(struct strv *to, const struct runtime_namespaces *namespaces);

/* CLONE_NEW* of a list of type names. Unknown ones are skipped. */
uint64_t runtime_namespace_flags(const struct strv *names);
