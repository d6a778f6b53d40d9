/* record.h - what holm-runtime keeps of a container, in ROOT/ID/:
 *
 *	config.json	the bundle's, copied before anything is done: the bundle may vanish
 *	record.json	struct runtime_cli_record; a container exists once it is there
 *	start		the socket where the process waits to be started (runtime.h); none: it was
 *	notify/		of a service: the socket that it tells its readiness (runtime/notify.h)
 *	root/		of a restored one: where criu finds the root filesystem
 *
 * The folder itself is the lock (flock(2)): held by create until record.json is there, and by every
 * command that changes something. A folder without record.json whose lock can be taken is what a
 * killed create left. */
#pragma once
#include <stdint.h>

#include "runtime/runtime.h"

struct err;
struct oci_spec;
struct oci_state;
struct runtime_cli;

struct runtime_cli_record {
	char *oci_version;
	char *id;
	char *bundle;  /* absolute */
	char *rootfs;  /* absolute; NULL where it is made of layers */
	char *created; /* RFC 3339 */
	uint64_t owner;
	struct shape_map annotations;
	struct runtime_container container;
	/* not stored: */
	int folder; /* ROOT/ID, with the lock if it was asked for */
};
#define RUNTIME_CLI_RECORD_INIT                                                                    \
	{                                                                                          \
		.folder = -1                                                                       \
	}

#define RUNTIME_CLI_START_SOCKET "start"

void runtime_cli_record_clear(struct runtime_cli_record *record);

/* Is this an id? runc's alphabet, [A-Za-z0-9_+.-], at most 255; neither "." nor "..". */
int runtime_cli_record_check_id(const char *id, struct err *e);

/* Makes ROOT/ID, locked, clearing first what a killed create left there. ERR_EXISTS. On success
 * record->folder is set and nothing else. */
int runtime_cli_record_new(struct runtime_cli_record *record, const struct runtime_cli *cli,
			   const char *id, struct err *e);
int runtime_cli_record_store(const struct runtime_cli_record *record, struct err *e);

/* The same, for runtime/'s functions that store before they act. */
struct runtime_store runtime_cli_record_storing(struct runtime_cli_record *record);

/* Takes the folder away. */
int runtime_cli_record_delete(const struct runtime_cli *cli, const char *id, struct err *e);

/* The end of a container whose processes have ended: its cgroup, the poststop hooks of spec, the
 * folder. */
int runtime_cli_record_end(const struct runtime_cli_record *record, const struct runtime_cli *cli,
			   const struct oci_spec *spec, struct err *e);

/* ERR_NOT_FOUND: "container does not exist", the words that engines look for. With lock it waits
 * for whoever holds it. The caller clears. */
int runtime_cli_record_read(struct runtime_cli_record *record, const struct runtime_cli *cli,
			    const char *id, bool lock, struct err *e);

/* Clears what a killed create left of this id. Nothing there, or a container that exists: fine. */
int runtime_cli_record_clear_debris(const struct runtime_cli *cli, const char *id, struct err *e);

/* Names of all folders that could be containers. */
int runtime_cli_record_list(struct strv *ids, const struct runtime_cli *cli, struct err *e);

/* The bundle's spec, as it was when the container was created. */
int runtime_cli_record_spec(struct oci_spec *spec, const struct runtime_cli_record *record,
			    struct err *e);

/* One of OCI_STATUS_*, a constant. */
const char *runtime_cli_record_status(const struct runtime_cli_record *record);

/* The specification's document; the caller clears it. */
void runtime_cli_record_state(struct oci_state *ret, const struct runtime_cli_record *record,
			      const char *status);
