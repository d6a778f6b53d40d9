/* checkpoint_layout.h - what checkpoint.c and restore.c agree on, beside criu's own images. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct oci_spec;
struct strv;

/* In the folder of images, as runc and crun name it: a JSON array of where 0, 1, 2 led; and then,
 * where the first process is of a program that is not the container's own, that one, a copy of
 * which lies beside it: what is restored must have the same bytes. */
#define RUNTIME_CHECKPOINT_STREAMS "descriptors.json"
#define RUNTIME_CHECKPOINT_PROGRAM "program"

/* Beside it, and empty: the container has the mount of runtime/notify.h. */
#define RUNTIME_CHECKPOINT_NOTIFY "notify"

#define RUNTIME_CHECKPOINT_DUMP_LOG    "dump.log"
#define RUNTIME_CHECKPOINT_RESTORE_LOG "restore.log"

/* What criu calls a network namespace that was joined. */
#define RUNTIME_CHECKPOINT_NETWORK "network"

/* "--external mnt[INSIDE]:..." for all binds; bundle: for restore, with their sources. */
void runtime_checkpoint_binds(struct strv *to, const struct oci_spec *spec, const char *bundle);

/* Is this mount in the namespace of pid? */
bool runtime_checkpoint_has_mount(pid_t pid, unsigned id);
