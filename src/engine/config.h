/* config.h - options and the image's own wishes become a container: the record, checked. Without
 * side effects; reads nothing but the files that --env-file, --label-file and --security-opt
 * seccomp= name. Each error is one line: option, value, accepted form. */
#pragma once

#include "engine/container.h"
#include "engine/options.h"

struct err;
struct oci_image_process;

/* Which ids the caller has to give (engine/userns_own.h). */
struct config_ids {
	bool mapped; /* it is in another user namespace than the host's root: a user's */
	struct runtime_idmap own;   /* the ids of that one, inside and outside; empty: the host's */
	struct runtime_idmap named; /* of --subuidname and --subgidname, as a container gets them */
};

/* What else the outcome hangs on. */
struct config_context {
	char *const *environment; /* of the caller: "KEY=value", NULL at the end; may be NULL */
	const char *folder;       /* the caller's working directory, absolute */
	int64_t cpus;             /* how many the host has; 0: not known */
	bool bridges;             /* the caller may make networks: "bridge" is the default one */
	const char *uplink;       /* who may not: network_uplink_choose(); NULL: there is none */
	const struct config_ids *ids; /* NULL: those of the host's root */
};

/* Fills the zeroed *c but for id, name, created_ns and image. Names of other containers
 * ("container:web", volumes_from) and of images in mounts stay as typed. The caller clears *c,
 * also on failure. image NULL: it wishes nothing. ERR_INVALID. */
int engine_config_make(struct container *c, const struct create_options *o,
		       const struct oci_image_process *image, const struct config_context *context,
		       struct err *e);

/* The parts of it, each in a file config_PART.c. */
int config_process(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e);
int config_storage(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e);
int config_limits(struct container *c, const struct create_options *o,
		  const struct oci_image_process *image, const struct config_context *context,
		  struct err *e);
int config_rules(struct container_limits *l, const struct create_options *o, struct err *e);
int config_security(struct container *c, const struct create_options *o,
		    const struct oci_image_process *image, const struct config_context *context,
		    struct err *e);
int config_secrets(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e);
int config_network(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e);
int config_desktop(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e);
int config_ports(struct container *c, const struct create_options *o,
		 const struct oci_image_process *image, const struct config_context *context,
		 struct err *e);
int config_health(struct container *c, const struct create_options *o,
		  const struct oci_image_process *image, const struct config_context *context,
		  struct err *e);

/* One --publish more. ERR_INVALID. */
int config_publish(struct container *c, const char *text, struct err *e);

/* Is it to be a whole system (--system, --systemd)? */
int config_system_asked(bool *ret, const struct create_options *o,
			const struct oci_image_process *image, struct err *e);
/* Of one that is (c->kind says it): last, over what the others have made of it. */
int config_system(struct container *c, const struct create_options *o, struct err *e);

/* What a system takes of its image: nothing that is for an application, but the labels. Borrows
 * from image, which may be NULL. */
#define CONFIG_SYSTEM_INIT "/sbin/init"
void config_system_image(struct oci_image_process *to, const struct oci_image_process *image);
void config_system_image_clear(struct oci_image_process *image);

/* --hook. */
int config_hooks(struct container *c, const struct create_options *o, struct err *e);

/* --log-driver and --log-opt. */
int config_log(struct container *c, const struct create_options *o, struct err *e);

/* Of a container that exists: what o says of limits that can be changed later, and its restart
 * policy, over what *c has. Half of it may be set on failure. */
int config_change_limits(struct container *c, const struct create_options *o,
			 const struct config_context *context, struct err *e);
int config_change_restart(struct container *c, const struct create_options *o, struct err *e);

/* What lies below -e and --env-file: the caller's, if they were asked for, and the image's (NULL:
 * none), but for those that are not wanted. */
int config_env_below(struct strv *to, const struct create_options *o, const struct strv *image,
		     char *const *environment, struct err *e);

/* HOST[:TARGET][:rwm] of --device, into the zeroed *to. ERR_INVALID. */
int config_device(struct container_device *to, const char *text, struct err *e);

/* What a quota may be: "10g"; "0", "none": 0. ERR_INVALID. */
int config_storage_size(int64_t *ret, const char *text, struct err *e);

/* The environment of exec: -e and --env-file over nothing. A KEY that the caller does not have
 * takes KEY out of to. */
int config_env(struct strv *to, const struct strv *files, const struct strv *env,
	       char *const *environment, struct err *e);

/* --group-add: the supplementary groups of the caller, as podman has it. */
#define CONFIG_KEEP_GROUPS "keep-groups"

/* USER[:GROUP]: ids in range; names are looked up in the container. ERR_INVALID names option. */
int config_check_user(const char *option, const char *text, struct err *e);

/* "container:web" -> "web" (borrowed), else NULL. */
const char *config_container_name(const char *mode);

/* "unconfined", a mode of namespaces...: is text one of words, a list closed by NULL? */
bool config_is_one_of(const char *text, const char *const *words);
