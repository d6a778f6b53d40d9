/* object.h - Kubernetes' objects, as much of them as one machine has a use for. The members are
 * those of the API (v1.31), spelled as C; object.c has the tables. */
#pragma once
#include "kube/read.h"

struct kube_metadata {
	unsigned line;
	const char *name;
	struct kube_pairs labels, annotations;
};

/* ---- of a container ---- */

struct kube_port {
	unsigned line;
	const char *name, *host_ip, *protocol;
	int64_t *container_port, *host_port;
};

/* One key of a ConfigMap or a Secret, or all of it. */
struct kube_key {
	unsigned line;
	const char *name, *key;
	bool *optional;
};

struct kube_field_ref {
	unsigned line;
	const char *path;
};

struct kube_resource_ref {
	unsigned line;
	const char *container, *resource, *divisor;
};

struct kube_env_source {
	unsigned line;
	struct kube_key *config_map, *secret;
	struct kube_field_ref *field;
	struct kube_resource_ref *resource;
};

struct kube_variable {
	unsigned line;
	const char *name, *value;
	struct kube_env_source *from;
};

struct kube_env_from {
	unsigned line;
	const char *prefix;
	struct kube_key *config_map, *secret;
};

struct kube_amounts {
	unsigned line;
	const char *cpu, *memory;
};

struct kube_resources {
	unsigned line;
	struct kube_amounts *limits, *requests;
};

struct kube_selinux {
	unsigned line;
	const char *user, *role, *type, *level;
};

/* Of seccomp and AppArmor. */
struct kube_profile {
	unsigned line;
	const char *type, *file;
};

struct kube_capabilities {
	unsigned line;
	struct kube_texts add, drop;
};

struct kube_sysctl {
	unsigned line;
	const char *name, *value;
};

/* Of a container, and of a pod, which lacks some and has some more. */
struct kube_security {
	unsigned line;
	int64_t *user, *group;
	bool *non_root;
	struct kube_selinux *selinux;
	struct kube_profile *seccomp, *apparmor;
	bool *privileged, *read_only, *escalation;
	const char *proc_mount;
	struct kube_capabilities *capabilities;
	int64_t *fs_group;
	struct kube_texts groups;
	struct kube_list sysctls; /* kube_sysctl */
};

struct kube_exec {
	unsigned line;
	struct kube_texts command;
};

struct kube_http {
	unsigned line;
	const char *host, *path, *port, *scheme;
};

struct kube_tcp {
	unsigned line;
	const char *host, *port;
};

struct kube_probe {
	unsigned line;
	struct kube_exec *exec;
	struct kube_http *http;
	struct kube_tcp *tcp;
	int64_t *initial_delay, *period, *timeout, *failures, *successes;
};

struct kube_mount {
	unsigned line;
	const char *name, *path, *sub_path, *propagation;
	bool *read_only;
};

struct kube_container {
	unsigned line;
	const char *name, *image, *pull, *workdir, *restart;
	struct kube_texts command, args;
	struct kube_list env;      /* kube_variable */
	struct kube_list env_from; /* kube_env_from */
	struct kube_list ports;    /* kube_port */
	struct kube_list mounts;   /* kube_mount */
	struct kube_resources *resources;
	struct kube_security *security;
	struct kube_probe *liveness, *startup;
	bool *stdin, *tty;
};

/* ---- of a pod ---- */

struct kube_host_path {
	unsigned line;
	const char *path, *type;
};

struct kube_empty_dir {
	unsigned line;
	const char *medium, *size;
};

struct kube_item {
	unsigned line;
	const char *key, *path;
	int64_t *mode;
};

/* A ConfigMap or a Secret as files. */
struct kube_files {
	unsigned line;
	const char *name;
	struct kube_list items; /* kube_item; none: all keys */
	int64_t *mode;
	bool *optional;
};

struct kube_claimed {
	unsigned line;
	const char *name;
	bool *read_only;
};

struct kube_volume {
	unsigned line;
	const char *name;
	struct kube_host_path *host_path;
	struct kube_empty_dir *empty_dir;
	struct kube_files *config_map, *secret;
	struct kube_claimed *claim;
};

struct kube_alias {
	unsigned line;
	const char *ip;
	struct kube_texts names;
};

struct kube_dns_option {
	unsigned line;
	const char *name, *value;
};

struct kube_dns {
	unsigned line;
	struct kube_texts servers, searches;
	struct kube_list options; /* kube_dns_option */
};

struct kube_os {
	unsigned line;
	const char *name;
};

struct kube_pod {
	unsigned line;
	struct kube_list containers, init_containers; /* kube_container */
	struct kube_list volumes;                     /* kube_volume */
	struct kube_list aliases;                     /* kube_alias */
	struct kube_security *security;
	struct kube_dns *dns;
	struct kube_os *os;
	const char *restart, *hostname, *dns_policy;
	int64_t *grace, *deadline;
	bool *host_network, *host_pid, *host_ipc, *host_users, *share_pid, *fqdn;
};

struct kube_template {
	unsigned line;
	struct kube_metadata *metadata;
	struct kube_pod *spec;
};

/* Deployment, ReplicaSet, DaemonSet, Job: what they say of their pods. */
struct kube_workload {
	unsigned line;
	int64_t *replicas, *backoff, *deadline, *completions, *parallelism;
	bool *suspend, *paused;
	struct kube_template *pod;
};

/* One document. Which members it has hangs on its kind. */
struct kube_object {
	unsigned line;
	const char *kind;
	struct kube_metadata *metadata;
	struct kube_pod *pod;
	struct kube_workload *workload;
	struct kube_pairs data, more; /* of a Secret: in base64, and as it is; else the reverse */
};

/* The object that is this document; NULL: one that makes no difference here, which a warning has
 * told. ERR_INVALID, ERR_UNSUPPORTED. */
int kube_object_read(struct kube_object **ret, struct pool *pool, const struct yaml_node *node,
		     const char *file, struct err *e);
