/* plan.h - a set of objects as what is to be made of it: volumes, secrets, pods, and the same
 * requests for containers as `holm create` makes (engine/options.h). Changes nothing; reads the
 * store's secrets. */
#pragma once
#include "base/str.h"
#include "engine/options.h"
#include "engine/pods.h"
#include "kube/data.h"

struct err;

/* What is asked of all pods, as podman-kube-play(1) has it. Borrowed. */
struct kube_plan_options {
	struct strv network;
	struct strv ip;  /* one a pod */
	struct strv mac; /* likewise */
	struct strv publish;
	struct strv annotation;
	struct strv log_opt;
	char *log_driver;
	char *userns;
	char *seccomp_root;
	bool no_hosts;
	bool quiet;
};

/* A label of volumes that live as long as a pod does; and of pods: who asked for them,
 * "Deployment/web". */
#define KUBE_PLAN_LABEL_POD   KUBE_DATA_LABEL_POD
#define KUBE_PLAN_LABEL_OWNER "org.holm.kube.owner"

struct kube_plan_file {
	char *path; /* below the volume */
	struct str bytes;
	unsigned mode;
};

/* A part of a volume, or of a folder of the host, that is made as a folder where it is missing; or
 * a volume that is given to a group. */
struct kube_plan_part {
	char *volume; /* NULL: of the folder */
	char *folder;
	char *path; /* NULL: the volume itself, to this group */
	int64_t group;
};

struct kube_plan_volume {
	char *name;
	char *driver; /* NULL: local */
	struct strv labels, options;
	SHAPE_LIST_OF(struct kube_plan_file) files;
	int64_t group; /* whose it is besides; -1: nobody's */
	unsigned mode; /* of its folder */
};

struct kube_plan_secret {
	char *name;
	char *of; /* the Secret; NULL: composed for a pod */
	struct str bytes;
};

/* A path of the host: there, or made, before a container is. */
struct kube_plan_path {
	char *path;
	char *type; /* "DirectoryOrCreate"... */
	unsigned line;
};

struct kube_plan_container {
	char *name;
	unsigned line;
	bool init;
	bool non_root;
	struct create_options o;
};

struct kube_plan_pod {
	const char *file;
	unsigned line;
	struct pod_options o;
	SHAPE_LIST_OF(struct kube_plan_container) containers; /* those that come first first */
	SHAPE_LIST_OF(struct kube_plan_volume) volumes;
	SHAPE_LIST_OF(struct kube_plan_secret) secrets;
	SHAPE_LIST_OF(struct kube_plan_path) paths;
	SHAPE_LIST_OF(struct kube_plan_part) parts;
	size_t bytes; /* of this pod and those before it, as kube_plan_count() has it */
};

struct kube_plan {
	SHAPE_LIST_OF(struct kube_plan_volume) claims;
	SHAPE_LIST_OF(struct kube_plan_secret) secrets;
	SHAPE_LIST_OF(struct kube_plan_pod) pods;
};

/* The caller ends *ret with kube_plan_clear(), also on failure; set has to live as long. Errors
 * begin with file and line. */
int kube_plan_make(struct kube_plan *ret, struct kube_set *set, const struct store *store,
		   const struct kube_plan_options *o, struct err *e);
void kube_plan_clear(struct kube_plan *plan);

/* The pods that an object stands for, by name: of a Pod one, else "NAME-pod", or with replicas
 * "NAME-pod-1" and so on. None for those that are no pods. */
int kube_plan_names(struct strv *to, const struct kube_entry *entry, struct err *e);

/* What the parts of a plan share. */
struct kube_plan_scope {
	struct kube_data_source source;
	const struct kube_plan_options *o;
	const char *file;
	const struct kube_metadata *metadata;
	const struct kube_pod *spec;
	const struct kube_workload *workload; /* NULL: a Pod */
	struct kube_plan_pod *pod;
};

/* Volumes of the pod, and the mounts of one of its containers (volume.c). */
int kube_volume_plan(const struct kube_plan_scope *s, struct err *e);
int kube_volume_mount(struct kube_plan_container *to, const struct kube_plan_scope *s,
		      const struct kube_container *container, struct err *e);

/* A container (container.c), and how it is held (security.c) and looked after (probe.c). */
int kube_container_plan(const struct kube_plan_scope *s, const struct kube_container *container,
			bool init, struct err *e);
int kube_security_plan(struct kube_plan_container *to, const struct kube_plan_scope *s,
		       const struct kube_container *container, struct err *e);
int kube_probe_plan(struct kube_plan_container *to, const struct kube_plan_scope *s,
		    const struct kube_container *container, struct err *e);

/* What a file has once may be in many pods, containers and volumes. */
enum { KUBE_PLAN_BYTES_MAX = 256 << 20 };

/* So much more is in the plan, or is to be. ERR_INVALID. */
int kube_plan_count(const struct kube_plan_scope *s, unsigned line, size_t bytes, struct err *e);

/* "file:12: container web: why". */
int kube_plan_wrong(const struct kube_plan_scope *s, unsigned line, const char *container,
		    const char *why, struct err *e);
