/* command.h - what a command of `holm-runtime` is: one row of main.c's table, its options, and one
 * function. The command line is that of runc 1.5 with what crun 1.29 has on top: engines call it
 * (containerd's go-runc, podman's conmon), people rarely. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/option.h"

struct err;

/* What all commands share. */
struct runtime_cli {
	const struct runtime_cli_command *command;
	char *root; /* the folder of records, absolute; made by the first create */
	char *log;
	char *log_format;
	char *log_level;
	char *cgroup_manager;
	char *rootless; /* accepted: what is possible is found out */
	char *criu;     /* accepted: the one in PATH is taken */
	bool systemd_cgroup;
	bool debug;
	bool version;
	bool log_is_open;
	char **argv;   /* the program's own, for exec of a sealed copy */
	int sealed_fd; /* of seal.h, or -1: closed by whoever waits for a process in a container */
};

struct runtime_cli_command {
	const char *name;
	const char *arguments;        /* "[OPTIONS] ID" */
	const char *summary;          /* NULL: not listed */
	const struct option *options; /* may be NULL */
	size_t size;                  /* of the struct they fill */
	enum option_mode mode;
	size_t args_min, args_max;
	bool sealed; /* a process of ours enters a container: see seal.h */
	void (*defaults)(void *options);

	/* Returns the exit status, or a negative errno and e, which main() reports. */
	int (*run)(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e);
};

#define RUNTIME_CLI_ARGS_ANY ((size_t)-1)

extern const struct runtime_cli_command runtime_cli_checkpoint;
extern const struct runtime_cli_command runtime_cli_create;
extern const struct runtime_cli_command runtime_cli_delete;
extern const struct runtime_cli_command runtime_cli_devices;
extern const struct runtime_cli_command runtime_cli_events;
extern const struct runtime_cli_command runtime_cli_exec;
extern const struct runtime_cli_command runtime_cli_features;
extern const struct runtime_cli_command runtime_cli_kill;
extern const struct runtime_cli_command runtime_cli_list;
extern const struct runtime_cli_command runtime_cli_mounts;
extern const struct runtime_cli_command runtime_cli_man;
extern const struct runtime_cli_command runtime_cli_pause;
extern const struct runtime_cli_command runtime_cli_ps;
extern const struct runtime_cli_command runtime_cli_restore;
extern const struct runtime_cli_command runtime_cli_resume;
extern const struct runtime_cli_command runtime_cli_run;
extern const struct runtime_cli_command runtime_cli_spec;
extern const struct runtime_cli_command runtime_cli_start;
extern const struct runtime_cli_command runtime_cli_state;
extern const struct runtime_cli_command runtime_cli_update;

/* All of them; NULL ends it. */
extern const struct runtime_cli_command *const runtime_cli_commands[];

/* Those in front of the command. */
const struct option *runtime_cli_main_options(void);

/* Does systemd make the cgroups? */
static inline bool runtime_cli_is_systemd(const struct runtime_cli *cli)
{
	return cli->systemd_cgroup ||
	       (cli->cgroup_manager && strcmp(cli->cgroup_manager, "systemd") == 0);
}
