/* seccomp_agent.h - who answers for a filter with SCMP_ACT_NOTIFY: the program at listenerPath,
 * which gets the listener's descriptor and the state of the process (runtime-spec v1.3
 * config-linux.md#seccomp). */
#pragma once
#include <sys/types.h>

struct err;
struct oci_spec;
struct runtime_launch;

/* linux.seccomp.listenerPath, or crun's annotation run.oci.seccomp.receiver. NULL: none. */
const char *runtime_seccomp_agent_path(const struct oci_spec *spec);

/* Can an agent answer for the spec's profile? ERR_INVALID: there is none, or the profile stops
 * what is needed to reach it. */
int runtime_seccomp_agent_check(const struct oci_spec *spec, struct err *e);

/* Sends the listener, and pid as that of the process. */
int runtime_seccomp_agent_send_in_parent(const struct runtime_launch *launch, pid_t pid,
					 int listener, struct err *e);
