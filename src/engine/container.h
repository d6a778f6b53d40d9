/* container.h - a container as holm remembers it: config.json in its folder, which says what was
 * asked for and with which image it was resolved. Nested by noun; the shape tables in container.c
 * read, write and clear it. What is (running, exited...) is never in here: see engine/state.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"
#include "runtime/idmap.h"

struct err;

enum {
	CONTAINER_ID_LENGTH = 64, /* hex digits */
	CONTAINER_ID_SHORT = 12,  /* how many of them ps shows */
	CONTAINER_NAME_MAX = 128,
	CONTAINER_RECORD_MAX = 4 << 20, /* bytes of config.json */
	CONTAINER_STOP_TIMEOUT_S = 10,
	CONTAINER_PIDS_MAX = 2048,
	CONTAINER_SHM_BYTES = 64 << 20,
	CONTAINER_PORTS_MAX = 4096,
	CONTAINER_RULES_MAX = 32,
	CONTAINER_HOOKS_MAX = 64,
};

struct container_image {
	char *name;         /* as the person gave it: "busybox", "dir:/srv/tree" */
	char *reference;    /* in full, "docker.io/library/busybox:latest"; NULL: it has no name */
	char *id;           /* "sha256:...": digest of its config */
	char *digest;       /* of its manifest */
	struct strv layers; /* diff ids in hex, lowest first */
	char *rootfs;       /* of dir: the folder itself, instead of layers; NULL otherwise */
	bool disk;          /* rootfs is the file of a disk image */
	bool in_place;      /* it is written to, there is no upper folder: a system's own root */
};

struct container_process {
	struct strv entrypoint;
	struct strv command; /* the process's arguments are both, one after the other */
	struct strv env;
	char *workdir; /* absolute; "/" if none was said */
	char *user;    /* as given or from the image, resolved in the container; NULL: root */
	struct strv groups;
	char *hostname;
	char *domainname;
	char *umask; /* octal; NULL: 0022 */
	bool tty;
	bool open_stdin;
	bool init;
	char *stop_signal;       /* "SIGTERM"; NULL: that */
	int64_t *stop_timeout_s; /* NULL: CONTAINER_STOP_TIMEOUT_S; -1: for ever */
	int64_t timeout_s;       /* killed after so long; 0: never */
	bool attach_stdin;       /* which streams the creating command is connected to */
	bool attach_stdout;
	bool attach_stderr;
};

/* One entry of Docker's Mounts: a bind, a volume, a tmpfs or an image. */
struct container_mount {
	char *type;    /* "bind", "volume", "tmpfs", "image" */
	char *name;    /* of a volume; NULL until an anonymous one has been made */
	char *source;  /* of a bind: absolute path on the host; of an image: its name */
	char *target;  /* absolute path in the container, lexically clean, not "/" */
	char *subpath; /* this part of the source, relative */
	bool read_only;
	bool shallow_read_only; /* what is mounted below it stays writable */
	bool strict_read_only;  /* all below it read-only, or an error */
	bool non_recursive;
	bool create_source;  /* -v makes a missing folder on the host; --mount does not */
	bool give;           /* option U: to the container's user, recursively */
	bool idmap;          /* owners as the container's user namespace has them */
	bool no_copy;        /* a new volume is not filled from the image */
	bool anonymous;      /* made for this container, goes with it */
	bool of_image;       /* the image asked for it, not a person */
	char *relabel;       /* "z", "Z": SELinux */
	char *propagation;   /* "rslave"...; NULL: rprivate */
	struct strv options; /* of a tmpfs: "size=65536"; of all but images: "noexec", "nosuid".. */
	struct strv layers;  /* of an image: diff ids in hex, lowest first */
	char *digest;        /* of an image: of its manifest */
	struct shape_map volume_labels;
};

/* Layers that containers wrote, lowest first, and whose ids their files have. */
struct container_frozen {
	struct strv layers;
	struct runtime_idmap ids;
};

struct container_storage {
	SHAPE_LIST_OF(struct container_mount) mounts;
	SHAPE_LIST_OF(struct container_frozen) frozen; /* above the image's layers (lower.h) */
	bool read_only;
	char *immutable; /* "strict", "fixed", "flexible": read-only, but for some folders; NULL */
	int64_t shm_bytes;
	int64_t size; /* of what it writes, at most; 0: no quota */
	char *quota;  /* how that is kept (quota.h); NULL without */
	struct strv volumes_from;
	/* of a step of a build: absolute folders, lowest first, instead of the image's layers; and
	 * what it writes goes to upper, which stays when the container goes */
	struct strv lower;
	char *upper;
	bool copied; /* the root is the upper folder alone, a copy of the image (copied.h) */
};

/* "/dev/sda" and a number: a rate or a weight. */
struct container_device_limit {
	char *path;
	uint64_t rate;
};

struct container_device_limits {
	struct container_device_limit *items;
	size_t count;
};

struct container_ulimit {
	char *name;   /* "nofile" */
	int64_t soft; /* -1: unlimited */
	int64_t hard;
};

/* What is to happen when more of something is used (--rule). */
struct container_rule {
	char *resource; /* "memory" (bytes), "pids", "cpu" (percent of one) */
	char *action;   /* "log", "throttle", "sigterm"... */
	int64_t amount;
};

#define CONTAINER_VIEW_LIMITS "limits"
#define CONTAINER_VIEW_HOST   "host"

struct container_limits {
	int64_t memory;      /* bytes; 0: none */
	int64_t memory_swap; /* memory and swap together; -1: unlimited; 0: not said */
	int64_t memory_reservation;
	int64_t *memory_swappiness; /* 0-100 */
	bool oom_kill_disable;
	int64_t oom_score_adj;
	int64_t nanocpus;
	uint64_t cpu_shares;
	uint64_t cpu_period;
	int64_t cpu_quota;
	char *cpuset_cpus;
	char *cpuset_mems;
	int64_t pids; /* -1: unlimited */
	uint64_t blkio_weight;
	struct container_device_limits blkio_weight_device;
	struct container_device_limits read_bps;
	struct container_device_limits write_bps;
	struct container_device_limits read_iops;
	struct container_device_limits write_iops;
	SHAPE_LIST_OF(struct container_ulimit) ulimits;
	SHAPE_LIST_OF(struct container_rule) rules;
	char *cgroup_parent;
	char *view; /* what it sees in /proc: CONTAINER_VIEW_LIMITS or _HOST; NULL: a system its
		     * limits where that can be, an application the host's */
};

struct container_device {
	char *host;        /* path on the host */
	char *target;      /* path in the container */
	char *permissions; /* "rwm" */
};

struct container_security {
	char *posture; /* as it was asked for (posture.h); CONTAINER_SYSTEM: defaults of its own */
	bool privileged;
	struct strv cap_add; /* "CAP_NET_RAW" or "ALL" */
	struct strv cap_drop;
	struct strv options; /* --security-opt, as given */
	char *seccomp;       /* NULL: the built-in profile, none if privileged; "builtin";
			* "unconfined"; or a profile's JSON text */
	char *seccomp_path;  /* where that text was read */
	char *apparmor;
	char *label; /* SELinux: the process's label */
	bool no_new_privileges;
	bool unmask_all; /* systempaths=unconfined, unmask=ALL */
	struct strv mask;
	struct strv unmask;
	struct strv deny;      /* --deny (switches.h) */
	int64_t *children_max; /* --children-max; NULL: no limit */
	SHAPE_LIST_OF(struct container_device) devices;
	struct strv device_rules; /* "c 1:3 rwm" */
	struct strv gpus;         /* "all", or names of devices: "renderD128" */
	struct shape_map sysctls;
	/* namespaces: "private", "host", "none" (ipc), "shareable" (ipc), "container:ID" */
	char *pid;
	char *ipc;
	char *uts;
	char *cgroupns;
	char *userns;             /* "host", "private", "auto[:...]", "container:ID" */
	struct runtime_idmap ids; /* of its user namespace; empty: the host's */
};

/* A network that the container is in, and what was asked for its place there. */
struct container_endpoint {
	char *network;            /* its name */
	char *address;            /* --ip; NULL: any */
	char *address6;           /* --ip6 */
	char *mac;                /* --mac-address; NULL: from the address */
	char *device;             /* inside; NULL: "eth0" of the first one... */
	struct shape_map options; /* "limits.ingress", "allow" (network/control.h) */
	int64_t gw_priority;      /* the highest has the way to the world */
	struct strv aliases;      /* more names for those who are in the network, too */
};

/* A port, or a range that stays one wish: "one of 8000-8010 for 80". */
struct container_port {
	char *address;  /* of the host; NULL: all */
	char *host;     /* "8080", "8000-8010"; NULL: any free one */
	int64_t port;   /* of the container */
	char *protocol; /* "tcp", "udp", "sctp" */
};

struct container_network {
	char *mode; /* "private" (loopback alone, where there can be no network), "none", "host",
		     * "container:ID", "ns:PATH", or the first network's name */
	SHAPE_LIST_OF(struct container_endpoint) endpoints;
	struct strv links; /* "ID:ALIAS": what it calls another one, ID being the short one */
	bool no_hosts;     /* /etc/hosts is the image's */
	struct strv add_host;
	struct strv dns;
	struct strv dns_search;
	struct strv dns_option;
	SHAPE_LIST_OF(struct container_port) ports; /* --publish */
	struct strv exposed; /* "80/tcp": of the image, of --expose and of --publish */
	bool publish_all;    /* all that is exposed, each on any free port */
	/* --publish-mode open: the host's firewall is not asked who may; firewall: it is. Neither:
	 * as the network has it. */
	bool publish_open, publish_judged;
};

struct container_log {
	char *driver; /* "json-file", "none" */
	struct shape_map options;
};

/* --x11. */
struct container_desktop {
	char *display; /* "0"; NULL: it has none */
	char *cookies; /* the caller's Xauthority, read at each start; NULL: there is none */
};

/* Its bytes are a file secrets/ID in the container's folder (storage/secret.h); the record has what
 * is asked for alone. */
struct container_secret {
	char *name;
	char *id;
	bool env;     /* a variable, not a file */
	char *target; /* its name, or the absolute path of the file in the container */
	uint32_t uid; /* the container's ids */
	uint32_t gid;
	uint32_t mode;
};

/* A pod is a container that holds namespaces for others, which name it here (engine/pod.h). */
struct container_pod {
	char *id;          /* of the pod, its own if it is one; NULL: in no pod */
	struct strv share; /* of a pod: "net", "ipc", "uts", "pid" */
	char *init;        /* "always", "once": it ends before the pod's others are started */
};

struct container_restart {
	char *policy; /* "no", "on-failure", "always", "unless-stopped" */
	int64_t max_retries;
};

/* At boot (holm autostart). */
struct container_autostart {
	char *when;      /* "yes", "no"; NULL: the restart policy says it */
	int64_t order;   /* lower ones first */
	int64_t delay_s; /* so long after it was started the next ones are */
	struct strv groups;
};

/* A program of the host that is run at a point of its life (engine/hooks.h). */
struct container_hook {
	char *point;
	char *path; /* absolute; of "start" in the container */
	struct strv args;
	int64_t timeout_s; /* 0: the default */
};

/* Docker's Healthcheck; the image's own where no option says otherwise. 0: the default. */
struct container_health {
	/* {"CMD", ...}, {"CMD-SHELL", "..."}, {"NONE"}; empty: there is none; or an address that
	 * answers (monitor/connect.h) */
#define CONTAINER_HEALTH_CONNECT "CONNECT"
	struct strv test;
	struct strv shell; /* of CMD-SHELL, from the image; empty: /bin/sh -c */
	int64_t interval_ns;
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t start_interval_ns;
	int64_t retries;
	char *on_failure; /* "kill", "restart", "stop"; NULL or "none": nothing */
};

/* A container that boots a whole system, by the init of its root filesystem. */
#define CONTAINER_SYSTEM "system"

struct container {
	char *id;
	char *name;
	char *kind; /* CONTAINER_SYSTEM; NULL: an application */
	int64_t created_ns;
	struct container_image image;
	struct container_process process;
	struct container_storage storage;
	struct container_limits limits;
	struct container_security security;
	struct container_network network;
	struct container_log log;
	struct container_restart restart;
	struct container_pod pod;
	SHAPE_LIST_OF(struct container_secret) secrets;
	struct container_desktop desktop;
	struct container_health health;
	struct container_autostart autostart;
	SHAPE_LIST_OF(struct container_hook) hooks;
	struct strv requires; /* ids: they run before it is started */
	struct shape_map labels;
	struct shape_map annotations;
	char *user_data; /* of a system: what cloud-init is to do in it; NULL: nothing */
	bool auto_remove;
	char *copied_from; /* on another host: the id of the one that it is a copy of */
	bool by_run;       /* made by run, which starts it before it lets go of its lock */
	char *platform;
};

extern const struct shape container_shape;
extern const struct shape container_mount_shape;
extern const struct shape container_device_shape;
extern const struct shape container_image_shape;

bool container_is_system(const struct container *c);

/* The AppArmor profile that it has where nothing else is said. */
const char *container_apparmor(const struct container *c);

/* Is there a command that checks its health? */
bool container_has_health(const struct container *c);

void container_clear(struct container *c);

/* Its place in the network of this name; NULL: it has none there. */
struct container_endpoint *container_find_endpoint(const struct container *c, const char *network);

/* Ends one that is taken out of the list. */
void container_endpoint_clear(struct container_endpoint *endpoint);

/* It is in no network of its own any more. */
void container_network_leave(struct container *c);
