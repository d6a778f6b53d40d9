/* config.h - what the engine tells a monitor besides the OCI spec: monitor.json in the container's
 * run folder. */
#pragma once
#include "base/shape.h"

struct err;

enum { MONITOR_CONFIG_BYTES_MAX = 1 << 20 };

struct monitor_log_config {
	char *driver; /* "json-file" or "local" (the same), "journald", "none"; NULL: json-file */
	int64_t max_size;            /* bytes of one file; 0: 10 MiB; -1: no limit */
	int64_t max_file;            /* files, the current one counted; 0: 3 */
	struct shape_map attributes; /* of each line: "attrs", or fields of the journal */
};

/* Docker's restart policies. */
struct monitor_restart_config {
	char *policy;        /* "no" or NULL, "on-failure", "always", "unless-stopped" */
	int64_t max_retries; /* of on-failure; 0: no limit */
};

/* A volume that is mounted in the container. */
struct monitor_volume_config {
	char *name;
	char *destination;
	char *propagation; /* NULL: "" */
	bool read_only;
};

/* A network that the container is in. */
struct monitor_network_config {
	char *id;
	char *name;
	char *driver;
};

/* Docker's health check. What is 0 has Docker's default (health.c). */
struct monitor_health_config {
	struct strv command; /* with its shell */
	char *connect;       /* instead (connect.h); neither: there is no check */
	int64_t interval_ns;
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t start_interval_ns;
	int64_t retries;
	char *on_failure; /* "none" or NULL, "kill", "restart", "stop": once it is unhealthy */
};

/* What is to happen when more of something is used (threshold.c). */
enum { MONITOR_RULES_MAX = 32 };
struct monitor_rule_config {
	char *resource; /* "memory" (bytes), "pids", "cpu" (percent of one) */
	char *action;   /* "log", "throttle", or the name of a signal */
	int64_t amount;
};

/* What is told of the descriptors that the container inherits (kept.c): sd_listen_fds(3). */
struct monitor_listen_config {
	int64_t fds;
	char *names; /* NULL: none */
};
extern const struct shape monitor_listen_config_shape;

struct monitor_config {
	char *id;
	char *name; /* names/NAME is removed with --rm */
	char *root; /* absolute path of the durable root folder: $root/containers/ID, names/, ... */
	bool remove;         /* --rm */
	struct strv volumes; /* anonymous volumes, removed together with the container (--rm) */
	struct monitor_log_config log;
	struct monitor_restart_config restart;
	struct monitor_health_config health;
	int64_t restart_count; /* carried over from earlier */
	bool stdin_open;       /* -i: the standard input is a pipe; else /dev/null */
	bool stdin_once; /* close it when the first attached client ends (docker run -i, not -d) */
	int64_t stop_signal;     /* 0: SIGTERM */
	int64_t *stop_timeout_s; /* NULL: 10; -1: for ever */
	struct shape_map event;  /* attributes of its events; empty: it tells none */
	SHAPE_LIST_OF(struct monitor_volume_config) mounts;
	SHAPE_LIST_OF(struct monitor_network_config) networks;
	SHAPE_LIST_OF(struct monitor_rule_config) rules;
	bool own_scope;    /* it does not end with the service of systemd's it was started from */
	int64_t timeout_s; /* --timeout: killed after so many seconds; 0: never */
	struct monitor_listen_config listen;
	bool guest;         /* it boots a whole system */
	char *guest_folder; /* of the host, which it boots in place: locked as long as it runs */
	char *checkpoint;   /* a folder of criu's images, out of which its first start makes it */
};

/* Of a guest, in the run folder: what it sees as /run/host, with the socket to which it says
 * that it is ready; and the id of its boot, made anew for each. */
#define MONITOR_GUEST_FOLDER  "host"
#define MONITOR_GUEST_NOTIFY  "notify"
#define MONITOR_GUEST_BOOT_ID "boot-id"

/* In the run folder, too: where the listeners of system calls come to (calls.c). */
#define MONITOR_CALLS_SOCKET "calls"

extern const struct shape monitor_config_shape;

/* Reads monitor.json below the run folder. End it with shape_clear(). */
int monitor_config_read_at(struct monitor_config *ret, int run_dir_fd, struct err *e);
