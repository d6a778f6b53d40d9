/* spec.h - a container becomes an OCI runtime spec. Pure: what hangs on the host or on another
 * container is in the context. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "engine/container.h"
#include "oci/runtime_spec.h"

struct err;
struct store;

/* Where a container finds its secrets. */
#define SPEC_SECRETS "/run/secrets"

struct spec_joined {
	char *path;  /* "/proc/PID/ns/net"; NULL: none is joined. The context owns it */
	char *owner; /* "PID:START", as runtime.h wants it; NULL: no process's, but the monitor's */
};

struct spec_context {
	const struct store *store;        /* for its paths */
	uint64_t own_capabilities;        /* nobody can give away more: runtime_capability_own() */
	const char *host_name;            /* of the host, for --uts host */
	struct spec_joined pid_namespace; /* of container:NAME */
	struct spec_joined ipc_namespace;
	struct spec_joined uts_namespace;
	struct spec_joined user_namespace;
	struct spec_joined network_namespace;
	char *shm;       /* a folder of the host to be /dev/shm; NULL: a tmpfs */
	char *shm_owner; /* "PID:START": a folder as that process sees it instead */
	char *files;     /* folder with hosts, hostname, resolv.conf; NULL: none */
	SHAPE_LIST_OF(struct oci_device) devices; /* the nodes of --device and --privileged */
	SHAPE_LIST_OF(struct oci_device_rule) device_rules;
	struct strv device_binds; /* an ordinary user's under another name: from, to, from, to... */
	bool ordinary_user;       /* the runtime looks for a place in the cgroups, not in /holm */
	bool no_host_mqueue;      /* of an ordinary user: the host has none at /dev/mqueue */
	const char *apparmor;     /* the profile where the container names none; NULL: none */
	char *login;              /* of keep-id: runtime/login.h; NULL: none */
	bool new_identity;        /* of a system: its root is a copy that has not booted yet */
	unsigned short rows;      /* of the terminal; 0: not known */
	unsigned short columns;
};

void spec_context_clear(struct spec_context *context);

/* Fills the zeroed *spec; the caller clears it, also on failure. Takes the devices out of the
 * context. */
int engine_spec_make(struct oci_spec *spec, const struct container *c, struct spec_context *context,
		     struct err *e);

/* Of it the file tree alone, for runtime/view.h: the root, the user namespace, and what was asked
 * to be mounted in it, but no tmpfs, which begins empty. Pure; ends as above. */
void engine_spec_make_tree(struct oci_spec *spec, const struct container *c,
			   const struct spec_context *context);

/* The parts of it, each in a file spec_PART.c. */
void spec_mounts(struct oci_spec *spec, const struct container *c,
		 const struct spec_context *context);
void spec_mounts_tree(struct oci_spec *spec, const struct container *c,
		      const struct spec_context *context);
int spec_limits(struct oci_spec *spec, const struct container *c, struct err *e);
/* Does it see its own limits in /proc, not the host's? */
bool spec_limits_are_seen(const struct container *c);
/* Its view of its limits, and what of its system calls its monitor answers. Last, behind
 * spec_security(). ERR_INVALID */
int spec_calls(struct oci_spec *spec, const struct container *c, const struct spec_context *context,
	       struct err *e);
/* What must be said to the kernel so that limits become those of to, were it from before: what is
 * the same is not named, what is there no more has the kernel's own value. */
int spec_limits_change(struct oci_resources *ret, const struct container_limits *from,
		       const struct container_limits *to, struct err *e);
int spec_security(struct oci_spec *spec, const struct container *c, struct spec_context *context,
		  struct err *e);

/* Of a whole system: what its init finds (spec_system.c); does the container's folder say that it
 * has booted before, as itself and not as what it was copied from? */
void spec_system(struct oci_spec *spec, const struct container *c,
		 const struct spec_context *context);
void spec_system_env(struct strv *env, const struct container *c);
void spec_system_mounts(struct oci_spec *spec, const struct container *c,
			const struct spec_context *context);
int spec_system_write(const struct container *c, int run_fd, struct err *e);
bool spec_system_is_new(const struct container *c, int folder_fd);
int spec_system_mark(const struct container *c, int folder_fd, struct err *e);
int spec_system_forget(int folder_fd, struct err *e); /* it has not */

/* The paths of the devices of --gpus. ERR_NOT_FOUND. */
int spec_gpu_list(struct strv *to, const struct strv *names, struct err *e);

/* One more mount: of a file or folder of the host. */
void spec_mounts_bind(struct oci_spec *spec, const char *target, const char *source);

/* Of what was asked for this one alone, for a container with the ids of c. */
void spec_mounts_one(struct oci_spec *spec, const struct container_mount *mount,
		     const struct spec_context *context, const struct container *c);

/* Was something asked to be mounted right there? */
bool spec_mounts_asked_for(const struct container *c, const char *target);

/* The capabilities that the container's processes may have. ERR_PERMISSION for one that was
 * asked for by name and that own lacks. */
int spec_capabilities(uint64_t *ret, const struct container_security *s, uint64_t own,
		      struct err *e);

/* What is hidden and what is read-only below /proc and /sys. */
void spec_masks(struct strv *masked, struct strv *read_only, const struct container_security *s);

/* The host name inside; to has 65 bytes. */
void spec_host_name(char to[65], const struct container *c);

/* What a process of the container has for its environment, but HOME (the runtime's). */
void spec_env(struct strv *to, const struct container *c, bool tty);

/* The device nodes of --device, --privileged (read from the host's /dev) into the context. */
int spec_devices_read(struct spec_context *context, const struct container *c, struct err *e);
