/* launch.h - from a bundle to a container: what create and run share. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "oci/runtime_spec.h"
#include "runtime/inherited.h"
#include "runtime_cli/record.h"

struct err;
struct runtime_cli;
struct runtime_notify;

struct runtime_cli_launch_options {
	char *bundle;
	char *config;
	char *console_socket;
	char *pid_file;
	char *pidfd_socket;
	int64_t preserve_fds;
	bool no_pivot;
	bool no_new_keyring;
	bool no_subreaper; /* accepted: there is none to begin with */
	bool detach;       /* of run */
	bool keep;         /* of run */
	enum {
		RUNTIME_CLI_LAUNCH_NOTIFY_AS_CALLED, /* by who has NOTIFY_SOCKET */
		RUNTIME_CLI_LAUNCH_NOTIFY_NEVER,
		RUNTIME_CLI_LAUNCH_NOTIFY_ALWAYS,
	} notify; /* runtime/notify.h; of restore: what was stored decides */
};

/* The rows that create and run have in common, within `#define OPTIONS struct
 * runtime_cli_launch_options`. */
#define RUNTIME_CLI_LAUNCH_OPTIONS                                                                 \
	{ "bundle",                                                                                \
	  'b',                                                                                     \
	  OPTION_STRING(bundle),                                                                   \
	  "DIR",                                                                                   \
	  "the bundle (default: the working directory)",                                           \
	  "folder:" },                                                                             \
		{ "config",                                                                        \
		  'f',                                                                             \
		  OPTION_STRING(config),                                                           \
		  "FILE",                                                                          \
		  "instead of the bundle's config.json",                                           \
		  "file:" },                                                                       \
		{ "console-socket",                                                                \
		  0,                                                                               \
		  OPTION_STRING(console_socket),                                                   \
		  "PATH",                                                                          \
		  "socket that receives the terminal",                                             \
		  "file:" },                                                                       \
		{ "pid-file", 0, OPTION_STRING(pid_file), "FILE", "where to write the process id", \
		  "file:" },                                                                       \
		{ "pidfd-socket",                                                                  \
		  0,                                                                               \
		  OPTION_STRING(pidfd_socket),                                                     \
		  "PATH",                                                                          \
		  "socket that receives the process's pidfd",                                      \
		  "file:" },                                                                       \
		{ "preserve-fds", 0, OPTION_COUNT(preserve_fds), "N",                              \
		  "descriptors after 2 that the process keeps" },                                  \
		{ "no-pivot", 0, OPTION_FLAG(no_pivot), NULL,                                      \
		  "do not use pivot_root(2): the host runs from its initial ramdisk" },            \
		{ "no-new-keyring", 0, OPTION_FLAG(no_new_keyring), NULL,                          \
		  "keep the caller's session keyring" },                                           \
	{                                                                                          \
		"no-subreaper", 0, OPTION_FLAG(no_subreaper), NULL, "accepted for crun's callers"  \
	}

struct runtime_cli_launch {
	struct oci_spec spec;
	struct runtime_cli_record record;
	struct runtime_process process;
	struct runtime_inherited inherited;
};
#define RUNTIME_CLI_LAUNCH_INIT                                                                    \
	{                                                                                          \
		.record = RUNTIME_CLI_RECORD_INIT, .process = RUNTIME_PROCESS_INIT                 \
	}

/* Reads the bundle, makes the container, its record, and hands over what the options ask for. The
 * process waits for runtime_start() or, with waiting, for a runtime_start_at() of another process
 * once it was detached. On failure nothing is left. The caller clears. */
int runtime_cli_launch(struct runtime_cli_launch *ret, const struct runtime_cli *cli,
		       const struct runtime_cli_launch_options *options, const char *id,
		       bool waiting, struct err *e);

/* Which cgroup manager the options in front of the command ask for. */
void runtime_cli_launch_cgroup(struct runtime_options *to, const struct runtime_cli *cli);

/* The two ends of the same, for who makes the process in another way: the bundle read and checked
 * and the container's folder made; the results handed over and the record stored. After a failure
 * of close, or between the two, undo. */
int runtime_cli_launch_open(struct runtime_cli_launch *ret, const struct runtime_cli *cli,
			    const struct runtime_cli_launch_options *options, const char *id,
			    bool waiting, struct err *e);
int runtime_cli_launch_close(struct runtime_cli_launch *launch,
			     const struct runtime_cli_launch_options *options, struct err *e);

/* Stays until a container that was started has ended, gives its exit status, and deletes it unless
 * it is to be kept. signals and notify: as of foreground.h. */
int runtime_cli_launch_follow(struct runtime_cli_launch *launch, struct runtime_cli *cli, bool keep,
			      int signals, struct runtime_notify *notify, struct err *e);
void runtime_cli_launch_clear(struct runtime_cli_launch *launch);

/* Takes all of it back: after a failure behind launch. */
void runtime_cli_launch_undo(struct runtime_cli_launch *launch, const struct runtime_cli *cli);
