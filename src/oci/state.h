/* state.h - the state of a container as the runtime-spec v1.3 writes it (runtime.md#state): what
 * `state` prints and what hooks read on their standard input. A format: who is in which state is
 * runtime/'s affair. */
#pragma once
#include <stdint.h>

#include "base/shape.h"

/* The four of the specification, and runc's and crun's fifth. */
#define OCI_STATUS_CREATING "creating"
#define OCI_STATUS_CREATED  "created"
#define OCI_STATUS_RUNNING  "running"
#define OCI_STATUS_STOPPED  "stopped"
#define OCI_STATUS_PAUSED   "paused"

struct oci_state {
	char *oci_version; /* OCI_RUNTIME_SPEC_VERSION, or the spec's own */
	char *id;
	char *status;
	int64_t pid;  /* as the runtime's PID namespace numbers it; 0 when stopped */
	char *bundle; /* absolute */
	struct shape_map annotations;
};

/* config-linux.md#containerprocessstate: what a seccomp agent gets with the listener. */
struct oci_process_state {
	char *oci_version;
	struct strv fds; /* a name for each descriptor that comes along */
	int64_t pid;     /* of the process that has the filter */
	char *metadata;  /* listenerMetadata, or NULL */
	struct oci_state state;
};
#define OCI_SECCOMP_FD_NAME "seccompFd"

extern const struct shape oci_state_shape;
void oci_state_clear(struct oci_state *state);

/* Compact, slashes unescaped: hooks are known to compare text. The caller frees it. */
char *oci_state_text(const struct oci_state *state);
char *oci_process_state_text(const struct oci_process_state *state);
