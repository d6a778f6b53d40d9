#include "runtime/seccomp_agent.h"

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/socket.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "oci/state.h"
#include "runtime/launch.h"
#include "runtime/runtime.h"

/* With the filter loaded, the child sends the listener: by this call, which so cannot be one that
 * waits for the listener. (runc refuses write for the same reason.) */
#define CALL_NEEDED "sendmsg"
#define ACTION      "SCMP_ACT_NOTIFY"

const char *runtime_seccomp_agent_path(const struct oci_spec *spec)
{
	const char *receiver = shape_map_get(&spec->annotations, "run.oci.seccomp.receiver");

	if (!str_empty(receiver))
		return receiver;
	return spec->linux_.seccomp ? spec->linux_.seccomp->listener_path : NULL;
}

static int check_profile(const struct oci_seccomp *profile, struct err *e)
{
	if (str_equal(profile->default_action, ACTION))
		return err_set(e, ERR_INVALID,
			       "defaultAction " ACTION " would stop the runtime itself");
	for (size_t i = 0; i < profile->syscalls.count; i++) {
		const struct oci_seccomp_syscall *entry = &profile->syscalls.items[i];
		if (str_equal(entry->action, ACTION) && strv_contains(&entry->names, CALL_NEEDED))
			return err_set(e, ERR_INVALID,
				       "syscalls[%zu]: " ACTION " for " CALL_NEEDED
				       " would stop the runtime itself",
				       i);
	}
	return 0;
}

int runtime_seccomp_agent_check(const struct oci_spec *spec, struct err *e)
{
	const char *path = runtime_seccomp_agent_path(spec);

	if (str_empty(path))
		return err_set(e, ERR_INVALID,
			       ACTION " without a listenerPath: nobody would answer");
	if (*path != '/')
		return err_set(e, ERR_INVALID, "listenerPath '%s' is not absolute", path);
	return check_profile(spec->linux_.seccomp, e);
}

/* Borrows all. */
static struct oci_state container_state(const struct runtime_launch *l, pid_t pid)
{
	const struct runtime_container *container = l->container;

	return (struct oci_state){
		.oci_version = (char *)OCI_RUNTIME_SPEC_VERSION,
		.id = container ? container->id : (char *)l->options->id,
		.status = (char *)(container ? OCI_STATUS_RUNNING : OCI_STATUS_CREATING),
		.pid = container ? container->pid : pid,
		.bundle = (char *)l->options->bundle,
		.annotations = l->spec->annotations,
	};
}

int runtime_seccomp_agent_send_in_parent(const struct runtime_launch *l, pid_t pid, int listener,
					 struct err *e)
{
	const struct oci_seccomp *profile = l->spec->linux_.seccomp;
	char *names[] = { (char *)OCI_SECCOMP_FD_NAME, NULL };
	struct oci_process_state state = {
		.oci_version = (char *)OCI_RUNTIME_SPEC_VERSION,
		.fds = { names, 1 },
		.pid = pid,
		.metadata = profile ? profile->listener_metadata : NULL,
		.state = container_state(l, pid),
	};
	own_free char *text = oci_process_state_text(&state);

	int r = socket_send_fd(runtime_seccomp_agent_path(l->spec), text, strlen(text), listener,
			       e);
	return r < 0 ? err_add(e, "seccomp listener") : 0;
}
