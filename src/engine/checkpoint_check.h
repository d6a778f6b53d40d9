/* checkpoint_check.h - which containers criu(8) can store, and make again as they were. */
#pragma once
#include <sys/types.h>

struct container;
struct err;
struct oci_spec;
struct runtime_container;

/* ERR_UNSUPPORTED, with what is in the way. What is only known once criu looks is said by criu. */
int engine_checkpoint_check(const struct container *c, const struct oci_spec *spec, struct err *e);

/* ERR_STATE for one with processes that its first one did not start, as those of exec: they would
 * be lost. */
int engine_checkpoint_check_processes(const struct container *c,
				      const struct runtime_container *now, struct err *e);

/* The network namespace of a spec is named as the monitor sees it; pid, the first process, has it,
 * too. */
void engine_checkpoint_see_network(struct oci_spec *spec, pid_t pid);
