/* pods.h - the verbs on pods: each is that of its containers, together. */
#pragma once
#include "engine/engine.h"

struct err;

struct pod_options {
	char *name;
	char *hostname;
	char *share;       /* "net,ipc,uts"; "+pid": besides these; "none" */
	char *infra_image; /* what the process that holds the namespaces is from */
	struct strv label;
	struct strv label_file;
	char *id_file; /* gets the id */
	bool replace;  /* one that has the name is removed first, with all its containers */
	/* the network that its containers have; as run's */
	struct strv network;
	char *ip;
	char *mac_address;
	struct strv add_host;
	struct strv dns;
	struct strv dns_search;
	struct strv dns_option;
	struct strv publish;
	char *publish_mode;
	/* what the command line of pods has no option for */
	struct strv annotation;
	struct strv sysctl;
	char *userns;
	bool no_hosts;
};

/* One pod and its containers: rows of all, borrowed; the first is the pod itself. */
struct engine_pod {
	const struct engine_row *pod;
	const struct engine_row **members;
	size_t count;
};

struct engine_pods {
	struct engine_rows rows;
	SHAPE_LIST_OF(struct engine_pod) items; /* newest first */
};

/* Returns the id in *ret_id, the caller's. ERR_EXISTS, ERR_INVALID. */
int engine_pods_create(struct engine *engine, const struct pod_options *o, char **ret_id,
		       struct err *e);

/* The caller ends *ret with engine_pods_clear(). */
int engine_pods_list(struct engine *engine, struct engine_pods *ret, struct err *e);
void engine_pods_clear(struct engine_pods *pods);

/* The pod with this name or id, out of all; the caller clears *pods. */
int engine_pods_find(struct engine *engine, const char *name, struct engine_pods *pods,
		     const struct engine_pod **ret, struct err *e);

/* engine_top() of all its containers that run, as one table (top.c). */
int engine_pods_top(struct engine *engine, const char *name, const struct strv *ps_args,
		    struct json_object **ret, struct err *e);

/* "Created", "Running", "Degraded" (some of its containers run), "Paused", "Exited" */
const char *engine_pods_status(const struct engine_pod *pod);

/* podman's JSON of `pod inspect`; the caller's. */
int engine_pods_inspect(struct engine *engine, const char *name, struct json_object **ret,
			struct err *e);

/* What is done to all its containers, and to the pod itself: first (start, unpause) or last. */
int engine_pods_start(struct engine *engine, const char *name, struct err *e);
int engine_pods_stop(struct engine *engine, const char *name, const struct stop_options *o,
		     struct err *e);
int engine_pods_kill(struct engine *engine, const char *name, const char *signal, struct err *e);
int engine_pods_pause(struct engine *engine, const char *name, bool pause, struct err *e);

struct pod_clone_options {
	char *name; /* NULL: POD-clone; its containers are called NAME-clone in any case */
	bool start;
	bool destroy; /* the other one goes, before this one is started */
};

/* Another pod, and in it clones of the other one's containers, with their files (clone.h). *ret_id
 * is the caller's. What fails leaves none of them behind. */
int engine_pods_clone(struct engine *engine, const char *name, const struct pod_clone_options *o,
		      char **ret_id, struct err *e);

/* ERR_STATE, without force, while any of them runs. */
int engine_pods_remove(struct engine *engine, const char *name, const struct remove_options *o,
		       struct err *e);
