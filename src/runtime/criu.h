/* criu.h - the program criu(8), which stores processes and their memory in files and makes them
 * again from these. Called by its command line, in a folder of images; what it says goes to a log
 * in the work folder, whose last error becomes ours. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strv.h"

struct err;
struct oci_spec;

/* As runc and crun name them; NULL and false: not said. */
struct runtime_criu_options {
	char *image_path;     /* the folder of images; made if it is missing */
	char *work_path;      /* logs and statistics; NULL: image_path */
	char *parent_path;    /* images of an earlier pre-dump, relative to image_path */
	char *manage_cgroups; /* "soft" (the default), "full", "strict", "ignore"... */
	char *network_lock;   /* "iptables", "nftables", "skip" */
	char *page_server;    /* "ADDRESS:PORT" */
	char *lsm_profile;
	char *lsm_mount_context;
	char *empty_ns;    /* "network" */
	int64_t status_fd; /* 0: none */
	bool leave_running;
	bool pre_dump;
	bool tcp_established;
	bool tcp_skip_in_flight;
	bool tcp_close;
	bool ext_unix_sk;
	bool shell_job;
	bool file_locks;
	bool link_remap;
	bool lazy_pages;
	bool auto_dedup;
	bool service; /* asked as a service: there is no file of a pid among the images */
	/* Of a dump: called once all is stored, while the processes stand still. On failure, which
	 * becomes the dump's, they go on, and so they do when the caller ends here. NULL: nothing
	 * is called. */
	int (*stored)(void *context, struct err *e);
	void *stored_context;
};

/* Fails with ERR_UNSUPPORTED where there is no criu, or one that this kernel is too new for. */
int runtime_criu_check(struct err *e);

/* Makes the folder if it is missing; a descriptor, the caller's. */
int runtime_criu_open_images(const struct runtime_criu_options *options, struct err *e);

/* "criu", action, and what both actions share: folders, log, sockets... */
void runtime_criu_arguments(struct strv *to, const char *action,
			    const struct runtime_criu_options *options,
			    const struct oci_spec *spec);

/* Runs it to its end; inherit are descriptors that it keeps, -1 for none. prepare is called in the
 * child before exec(2). */
struct runtime_criu_call {
	const struct strv *arguments;
	const struct runtime_criu_options *options;
	const char *log; /* "dump.log" */
	const int *inherit;
	size_t inherit_count;
	int (*prepare)(void *context, struct err *e);
	void *context;
};
int runtime_criu_run(const struct runtime_criu_call *call, struct err *e);

/* The two halves of it, for other arguments: socket is one more descriptor that is kept, or -1. end
 * gives criu's exit status; what went wrong before it was started is an error. */
struct runtime_criu_process {
	pid_t pid;
	int errors;
};
int runtime_criu_start(struct runtime_criu_process *ret, const struct runtime_criu_call *call,
		       char *const argv[], int socket, struct err *e);
int runtime_criu_end(struct runtime_criu_process *process, struct err *e);

/* The error that a log tells of. */
int runtime_criu_explain(const struct runtime_criu_call *call, struct err *e);
