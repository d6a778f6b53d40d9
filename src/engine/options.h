/* options.h - what a person asks of `run` and `create`, as typed: split into options, not yet
 * understood. The command line (and later the API) fills it by offset; engine/config.c gives it a
 * meaning and says what is wrong with it, naming option, value and accepted form.
 *
 * Strings are borrowed (argv outlives the command); NULL is "not given", so that an empty value
 * can be told from none. Lists are copies, in the order given; create_options_clear() frees them. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

/* --x, --x=true: ON; --no-x, --x=false: OFF. */
enum toggle { TOGGLE_UNSET, TOGGLE_ON, TOGGLE_OFF };

struct create_options {
	const char *image;   /* the first argument that is no option */
	struct strv command; /* what follows it */

	/* identity */
	const char *name;
	const char *cidfile;
	const char *entrypoint; /* "" takes the image's away */
	const char *hostname;   /* -h */
	const char *domainname;
	const char *user;     /* -u name|uid[:group|gid] */
	const char *workdir;  /* -w */
	struct strv env;      /* -e KEY=value, or KEY: the caller's value */
	struct strv env_file; /* read after each other, before env */
	struct strv label;    /* -l */
	struct strv label_file;
	struct strv annotation;
	const char *stop_signal;
	const char *stop_timeout; /* seconds, -1: for ever */
	const char *pull;         /* always, missing, never */
	const char *platform;
	const char *restart;
	const char *log_driver;
	struct strv log_opt;
	enum toggle init; /* unset: on */
	bool rm;
	bool detach;           /* -d */
	bool interactive;      /* -i */
	bool tty;              /* -t */
	bool quiet;            /* -q: no progress of a pull */
	struct strv attach;    /* -a stdin|stdout|stderr */
	enum toggle sig_proxy; /* unset: on; for the command line alone */
	const char *detach_keys;

	/* storage */
	struct strv volume; /* -v */
	struct strv mount;
	struct strv tmpfs;
	struct strv volumes_from;
	const char *shm_size;
	bool read_only;

	/* limits */
	const char *memory; /* -m */
	const char *memory_swap;
	const char *memory_reservation;
	const char *memory_swappiness;
	enum toggle oom_kill_disable;
	const char *oom_score_adj;
	const char *cpus;
	const char *cpu_shares; /* -c */
	const char *cpu_period;
	const char *cpu_quota;
	const char *cpuset_cpus;
	const char *cpuset_mems;
	const char *pids_limit;
	const char *blkio_weight;
	struct strv blkio_weight_device;
	struct strv device_read_bps;
	struct strv device_write_bps;
	struct strv device_read_iops;
	struct strv device_write_iops;
	struct strv ulimit;
	const char *cgroup_parent;

	/* security */
	bool privileged;
	struct strv cap_add;
	struct strv cap_drop;
	struct strv security_opt;
	struct strv device;
	struct strv device_cgroup_rule;
	struct strv group_add;
	struct strv sysctl;
	const char *userns;   /* host */
	const char *pid;      /* host, private, container:NAME */
	const char *ipc;      /* none, private, shareable, host, container:NAME */
	const char *uts;      /* host, private */
	const char *cgroupns; /* host, private */

	/* network */
	struct strv network; /* --network, --net: none, host, private, container:NAME */
	struct strv add_host;
	struct strv dns;
	struct strv dns_search;
	struct strv dns_option;
};

void create_options_clear(struct create_options *o);

/* exec. The same rules. */
struct exec_options {
	const char *container;
	struct strv command;
	struct strv env;
	struct strv env_file;
	const char *user;
	const char *workdir;
	const char *detach_keys;
	bool detach;
	bool interactive;
	bool tty;
	bool privileged;
};

void exec_options_clear(struct exec_options *o);

/* stop and restart. */
struct stop_options {
	const char *signal;  /* -s: instead of the container's own */
	const char *timeout; /* -t seconds, -1: for ever; instead of the container's own */
};

/* rm. */
struct remove_options {
	bool force;   /* -f: kill it first; one that does not exist is no error */
	bool volumes; /* -v: its anonymous volumes, too */
};

/* start. */
struct start_options {
	bool attach;      /* -a: output, and signals */
	bool interactive; /* -i: input, too */
	const char *detach_keys;
	unsigned short rows; /* of the caller's terminal, 0: unknown */
	unsigned short columns;
};
