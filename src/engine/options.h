/* options.h - what a person asks of `run` and `create`, as typed: split into options, not yet
 * understood. The command line (and later the API) fills it by offset; engine/config.c gives it a
 * meaning and says what is wrong with it, naming option, value and accepted form.
 *
 * NULL is "not given", so that an empty value can be told from none. Numbers and sizes are text
 * here. The struct owns its strings and lists; create_options_clear() frees all of them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"

struct oci_image_process;
struct runtime_inherited;

/* What a step of a build runs in: folders, not an image. Borrowed. */
struct create_base {
	const char *name; /* what ps shows as the image */
	const struct oci_image_process *process;
	const struct strv *lower; /* absolute folders, lowest first */
	const char *upper;        /* what is written goes to this folder, which stays */
	const char *env_files;    /* JSON of org.holm.env.files (runtime/runtime.h), or NULL */
};

struct create_options {
	const struct create_base *base; /* instead of an image; no option of run's */
	char *image;                    /* the first argument that is no option */
	struct strv command;            /* what follows it */

	/* identity */
	char *name;
	char *cidfile;
	char *entrypoint; /* "" takes the image's away */
	char *hostname;   /* -h */
	char *domainname;
	char *user;            /* -u name|uid[:group|gid] */
	char *workdir;         /* -w */
	struct strv env;       /* -e KEY=value, or KEY: the caller's value */
	struct strv env_file;  /* read after each other, before env */
	bool env_host;         /* the caller's variables, below the image's */
	bool http_proxy;       /* of these http_proxy and the like alone */
	struct strv unset_env; /* of the image's */
	bool unset_env_all;
	struct strv env_merge; /* KEY=VALUE with ${NAME} of the image's, before env_file */
	char *umask;           /* octal */
	char *image_volume;    /* what VOLUME in the image makes: anonymous, tmpfs, ignore */
	struct strv label;     /* -l */
	struct strv label_file;
	struct strv annotation;
	char *stop_signal;
	char *stop_timeout; /* seconds, -1: for ever */
	char *pull;         /* always, missing, never */
	char *platform;
	char *os, *arch, *variant; /* parts of platform */
	char *tz;                  /* of /usr/share/zoneinfo, or "local" */
	bool replace;              /* a container of this name is removed first */
	bool read_only_tmpfs;
	char *mirror;
	char *restart;
	char *timeout;         /* seconds: then it is killed */
	char *autostart;       /* yes, no or a number */
	char *autostart_delay; /* seconds */
	struct strv autostart_group;
	struct strv requires; /* names, also several with commas between */
	struct strv hook;     /* POINT[,timeout=S]=PROGRAM [ARGUMENT...] */
	char *log_driver;
	struct strv log_opt;
	bool init; /* counts if init_given; else on */
	bool init_given;
	bool rm;
	bool detach;        /* -d */
	bool interactive;   /* -i */
	bool tty;           /* -t */
	bool quiet;         /* -q: no progress of a pull */
	struct strv attach; /* -a stdin|stdout|stderr */
	bool sig_proxy;     /* counts if sig_proxy_given; else on; for the command line alone */
	bool sig_proxy_given;
	int64_t preserve_fds; /* for the command line alone: see start_options */
	struct strv preserve_fd;
	char *detach_keys;

	/* whole systems */
	bool system;     /* boot the init of the image */
	char *user_data; /* a file for cloud-init */
	bool in_place;   /* of a disk image: it is written to */
	bool ephemeral;  /* of a folder: what is written goes elsewhere, and at its end */
	char *systemd;   /* podman's: always, true, false */

	/* health */
	char *health_cmd;
	struct strv health_argv; /* the same without a shell; no option of run's */
	char *health_connect;    /* instead (monitor/connect.h); no option of run's */
	char *health_interval;
	char *health_timeout;
	char *health_retries;
	char *health_start_period;
	char *health_start_interval;
	char *health_on_failure; /* none, kill, restart, stop */
	bool no_healthcheck;

	/* storage */
	struct strv volume; /* -v */
	struct strv mount;
	struct strv tmpfs;
	struct strv volumes_from;
	char *shm_size;
	char *disk;              /* of update alone: as storage_opt's size */
	struct strv storage_opt; /* "size=10G" */
	bool read_only;
	bool x11;
	bool wayland;
	bool audio;
	struct strv gpus;
	struct strv secret; /* NAME[,type=mount|env][,target=...]... */

	/* limits */
	char *memory; /* -m */
	char *memory_swap;
	char *memory_reservation;
	char *memory_swappiness;
	bool oom_kill_disable;
	char *oom_score_adj;
	char *cpus;
	char *cpu_shares; /* -c */
	char *cpu_period;
	char *cpu_quota;
	char *cpuset_cpus;
	char *cpuset_mems;
	char *pids_limit;
	char *blkio_weight;
	struct strv blkio_weight_device;
	struct strv device_read_bps;
	struct strv device_write_bps;
	struct strv device_read_iops;
	struct strv device_write_iops;
	struct strv ulimit;
	char *cgroup_parent;
	char *view; /* limits, host */
	struct strv rule;

	/* how it is held, in one word each */
	char *posture;   /* chroot, container, hardened, system */
	char *immutable; /* strict, fixed, flexible */
	struct strv profile;
	struct strv allow; /* switches.h */
	struct strv deny;
	char *children_max;

	/* security */
	bool privileged;
	struct strv cap_add;
	struct strv cap_drop;
	struct strv security_opt;
	struct strv device;
	struct strv device_cgroup_rule;
	struct strv group_add;
	struct strv sysctl;
	char *userns;       /* host, private, auto[:...], container:NAME */
	struct strv uidmap; /* CONTAINER:HOST[:SIZE] */
	struct strv gidmap;
	char *subuidname; /* whose lines of /etc/subuid are the container's ids */
	char *subgidname;
	char *pid;      /* host, private, container:NAME */
	char *ipc;      /* none, private, shareable, host, container:NAME */
	char *uts;      /* host, private */
	char *cgroupns; /* host, private */
	char *pod;      /* a pod's name: its namespaces */
	char *init_ctr; /* of a pod: always, once */
	bool is_pod;    /* make a pod; no option of run's */
	struct strv share;

	/* network */
	struct strv network; /* --network, --net: none, host, private, container:NAME, names */
	char *ip;
	char *ip6;
	char *mac_address;
	struct strv network_alias; /* in all of its networks */
	struct strv link;          /* NAME[:ALIAS] */
	bool no_hosts;
	struct strv add_host;
	struct strv dns;
	struct strv dns_search;
	struct strv dns_option;
	struct strv publish; /* -p [[ADDRESS:][PORTS]:]PORTS[/PROTOCOL] */
	struct strv expose;
	bool publish_all;   /* -P */
	char *publish_mode; /* firewall, open */
};

void create_options_clear(struct create_options *o);

/* exec. The same rules. */
struct exec_options {
	char *container;
	struct strv command;
	struct strv env;
	struct strv env_file;
	char *user;
	char *workdir;
	char *detach_keys;
	bool detach;
	bool interactive;
	bool tty;
	bool privileged;
	bool bound;          /* it is killed when the session ends, also by kill -9 */
	unsigned short rows; /* of the caller's terminal, 0: unknown */
	unsigned short columns;
	int64_t preserve_fds; /* for the command line alone */
	struct strv preserve_fd;
	const struct runtime_inherited *inherited; /* or NULL; borrowed */
};

void exec_options_clear(struct exec_options *o);

/* stop and restart. */
struct stop_options {
	char *signal;  /* -s: instead of the container's own */
	char *timeout; /* -t seconds, -1: for ever; instead of the container's own */
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
	bool scrollback;  /* attach: what the console of a system showed last comes first */
	bool watch;       /* attached only to see it begin: it stays where -d would put it */
	bool bound;       /* with attach: it is killed when the session ends, also by kill -9 */
	bool on_trial;    /* its end removes it, as of --rm, until engine_process_tell() */
	bool no_stdout;   /* run -a without stdout */
	bool no_stderr;
	char *detach_keys;
	char *checkpoint;     /* start: it goes on from this one (engine/checkpoint.h) */
	char *checkpoint_dir; /* which lies there; NULL: the container's own folder */
	const char *images;   /* the folder of the two above: start.c's own, and receive.c's */
	unsigned short rows;  /* of the caller's terminal, 0: unknown */
	unsigned short columns;
	int64_t preserve_fds; /* for the command line alone */
	struct strv preserve_fd;
	const struct runtime_inherited *inherited; /* what it has of the caller's, also when its
						    * policy starts it again; or NULL; borrowed */
};
