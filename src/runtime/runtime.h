/* runtime.h - makes a container from an OCI spec and starts processes in it. For holm-monitor and
 * holm-runtime, which call this in their own process: the container's first process is their
 * child. Single-threaded callers only (clone3(2) and setns(2) are used).
 *
 *	create		all namespaces, mounts, limits and rights are set up; the process waits
 *			right before exec(2)
 *	start		lets it exec
 *	exec		one more process in a running container, started at once
 *	kill, delete	by what container.json remembers, also after the parent was killed
 *
 * A command that is not there or cannot be run is told by create, as runc does; what only exec(2)
 * itself finds out (a missing interpreter) by start. Where another process is to start it, after
 * the one that created it has gone: start_fd, runtime_detach(), runtime_start_at().
 *
 * Hooks (runtime-spec v1.3 config.md#posix-platform-hooks) and who runs them:
 *	prestart,	runtime_create(), in the caller's namespaces, once the container's are
 *	createRuntime	there and its tree is mounted: its mount namespace has it at root.path
 *	createContainer	runtime_create(), in the container, before pivot_root(2)
 *	startContainer	runtime_start(), in the container, with all its limits, before exec(2)
 *	poststart	the caller, by runtime_hooks_poststart() after runtime_start()
 *	poststop	the caller, by runtime_hooks_poststop() after runtime_delete(); when
 *			runtime_create() fails, it does so itself
 * And of the annotation org.holm.hooks (hooks.h) preMount: runtime_create(), in a mount namespace
 * of their own, in which root.path, the layers and the sources of binds are then opened. The
 * others of it are their caller's.
 *
 * Beyond the runtime-spec (v1.3) the following is understood.
 * A caller without CAP_SYS_ADMIN, an ordinary user: the container has a user namespace also where
 * the spec asks for none, with the caller's ids as 0 and the ranges of /etc/subuid and /etc/subgid
 * from 1 on (runtime/user_namespace.h), and no cgroup of its own where none was delegated and no
 * limit is asked for (runtime/cgroup_user.h). Nothing else differs for the caller of these
 * functions.
 * Annotations:
 *	org.holm.rootfs.lower	JSON array of absolute folders, the topmost first: the root is an
 *				overlay of them, and root.path is not needed. An object instead of
 *				a path: see overlay_lower.h
 *	org.holm.rootfs.data	JSON array of absolute folders: data-only layers (Linux 6.5; in a
 *				user namespace 6.16)
 *	org.holm.rootfs.upper, .work	absolute folders on one filesystem; without them the root
 *				is read-only
 *	org.holm.rootfs.disk	a file (disk_own.h): .upper and .work are folders in its root
 *	org.holm.rootfs.volatile	"true": overlayfs' volatile (the upper is lost with power)
 *	org.holm.rootfs.idmap	"true": the files of the root, of layers or of root.path, belong
 *				to the container's ids: 0 on the disk is 0 in the container, by
 *				idmapped mounts (Linux 5.12, for layers 5.19). The upper folder is
 *				not mapped; one whose owner has no id in the container, and the work
 *				folder, are given to its root. Without it, as with runc, root.path
 *				and layers are as they are
 *	org.holm.rootfs.writable	"/var,/tmp": folders that stay writable where root.readonly
 *				is true
 *	org.holm.seccomp	"default": the built-in profile, "guest": the one for a whole
 *				system; "open": all pass, for org.holm.seccomp.children;
 *				linux.seccomp must be absent
 *	org.holm.seccomp.deny	"mount,umount2": calls that the built-in profile refuses besides
 *	org.holm.seccomp.asks	"true": the built-in profile asks the listener at
 *				run.oci.seccomp.receiver what sysinfo(2) says, and
 *				sched_getaffinity(2) of the caller itself
 *	org.holm.seccomp.children	"3": the listener is asked, too, before a PID namespace
 *				is made; how many there may be is for holm-monitor
 *	org.holm.guest, org.holm.guest.identity		see guest.h
 *	org.holm.cgroup.guest	see cgroup_guest.h
 *	org.holm.writable	"/proc/sys/net": stays writable below linux.readonlyPaths
 *	org.holm.init		"true": options->init_fd is PID 1, process.args is its child
 *	org.holm.core_sched	"true": core scheduling, see core_sched.h
 *	org.holm.landlock	JSON: see landlock_policy.h
 *	org.holm.login	"NAME:UID:GID:HOME": a user for /etc/passwd and /etc/group (login.h)
 *	org.holm.env.files	JSON object, {"NAME": "/file"}: variables of every process, exec's
 *				too, whose values are read from files of the host when it is
 *				started, so that the spec does not hold them
 *	org.holm.groups		"wheel,44": groups by name or id, looked up in the container's
 *				/etc/group, on top of process.user.additionalGids
 *	org.holm.joined.TYPE	"PID:START", for a namespace /proc/PID/ns/TYPE that is joined: the
 *				start time (base/process.h) of the process that is meant
 *	org.holm.defaults	"RLIMIT_NOFILE,oomScoreAdj": members of process that nobody asked
 *				for; they are lowered to what this host allows, others fail.
 *				"pids": the limit of processes, left out without a cgroup
 *	run.oci.keep_original_groups	"1": the caller's supplementary groups stay, the spec's are
 *				left out
 *	run.oci.pidfd_receiver	a unix stream socket of the host that gets the pidfd of the first
 *				process (and of no exec)
 *	run.oci.seccomp.receiver	in the place of linux.seccomp.listenerPath
 *	run.oci.seccomp_fail_unknown_syscall	there, and a name in linux.seccomp is unknown: an
 *				error
 *	run.oci.hooks.stdout, .stderr	files of the host, to which what hooks say is appended
 * process.user.username: "name[:group]" or ids in text, looked up in the container's files.
 * process.env: HOME is added from /etc/passwd where it is missing.
 * Mount options: all of mount(8)'s and the spec's table; crun's "idmap=uids=...;gids=..." (and
 * "ridmap=..."), see runtime/idmap.h; "copyup" on a bind: when the source is
 * an empty folder it first gets what the image has at the destination; "chown": all there becomes
 * the process's user's; "tmpcopyup" on a tmpfs; on a bind "subpath=a/b", a part of the source that
 * is looked up below it, whatever links say, and "lower=/folder", repeated, the topmost first: an
 * overlay of these instead of the source, and with "data=/folder" of layers with data alone below
 * them (overlay.h); "of=PID:START": the source is a path as that process sees
 * it, another container's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/shape.h"
#include "runtime/cgroup.h"
#include "runtime/intel_rdt.h"

struct err;
struct oci_device_rule;
struct oci_spec;
struct runtime_covers;
struct runtime_mount_added;
struct oci_process;

struct runtime_options {
	const char *id;
	const char *bundle; /* absolute; the spec's relative paths count from it */
	int stdio[3];       /* become 0, 1, 2 when there is no terminal; -1: /dev/null. Stay the
			     * caller's */
	int init_fd;        /* a program to be PID 1, opened O_RDONLY or O_PATH; -1: none. It is
			     * run from a detached read-only mount: nothing inside can write it.
			     * Its arguments: "holm-init", the number of a descriptor, a path,
			     * letters behind a "-" (d: die_with_parent; l: listen_fds, LISTEN_PID
			     * in the environment has room for ten digits), process.args. It execs
			     * path with process.args, in a child whose copy of the descriptor is
			     * close-on-exec; when that exec fails it writes its errno there, one
			     * int (the parent words it by runtime_command_error()), else it
			     * closes its own copy, and those from 3 up to it, which are the
			     * child's */
	const int *
		keep_fds; /* become 3, 4... in the container, -1: nothing does; stay the caller's */
	size_t keep_fds_count;
	size_t listen_fds; /* so many of them, the first, are told by LISTEN_FDS and LISTEN_PID
			    * (sd_listen_fds(3)) */
	const char *listen_names; /* LISTEN_FDNAMES; NULL: none */
	bool die_with_parent;     /* PR_SET_PDEATHSIG: SIGKILL when the calling thread ends */
	int start_fd; /* of runtime_start_socket(): once runtime_detach() was called, the process
		       * waits there to be started; -1: runtime_start() alone starts it */
	bool no_new_keyring; /* the caller's session keyring is kept */
	bool no_pivot;       /* the root is moved over "/" instead: a host on a ramdisk has no
			      * root that pivot_root(2) could exchange */
	bool no_cgroup;      /* it stays in the caller's; limits are refused */
	bool systemd_cgroup; /* its cgroup is a scope of systemd's, cgroupsPath slice:prefix:name */
	bool user_scope; /* where no cgroup is named: one of an ordinary user may be such a scope */
	const struct runtime_covers *covers; /* of create (cover.h), until runtime_start() has
					      * returned; NULL: none */
	const struct strv *cgroups;          /* of exec: "[CONTROLLER,...:]PATH", cgroups below the
				     * container's to be in (runtime_cgroup_entry_open); NULL:
				     * where the container is */
	int stop_fd; /* of create: readable once the caller is to give up, as a signalfd is; a hook
		      * that runs is ended then, and create fails. Only polled; -1: none */
	bool into_frozen; /* of exec: a paused container is no error, and waited for */
};
#define RUNTIME_OPTIONS_INIT                                                                       \
	{                                                                                          \
		.stdio = { -1, -1, -1 }, .init_fd = -1, .start_fd = -1, .stop_fd = -1              \
	}

/* What is remembered of a container: its shape is container.json. */
struct runtime_container {
	char *id;
	char *boot_id;
	int64_t pid; /* of the first process, in the caller's PID namespace */
	uint64_t pid_start;
	struct strv namespaces; /* the types that are not the host's: "pid", "mount"... */
	struct runtime_cgroup cgroup;
	struct runtime_intel_rdt intel_rdt;
	SHAPE_LIST_OF(struct oci_device_rule) device_rules; /* update.h; none: the spec's hold */
	SHAPE_LIST_OF(struct oci_device_rule) devices;      /* device_add.h */
	SHAPE_LIST_OF(struct runtime_mount_added) mounts;   /* mount_add.h */
};
extern const struct shape runtime_container_shape;
void runtime_container_clear(struct runtime_container *container);

/* How the caller stores it: called before an effect that the record must know of. */
struct runtime_store {
	int (*function)(void *context, struct err *e);
	void *context;
};

/* A living child of the caller. Zeroed is not valid: RUNTIME_PROCESS_INIT. */
struct runtime_process {
	pid_t pid;     /* the caller reaps it: waitpid(2) or waitid(P_PIDFD) */
	int pidfd;     /* the caller may close or take it */
	int terminal;  /* the pty's master when process.terminal, else -1; the caller may take it */
	int program;   /* what options->init_fd is run from, or -1: whoever closes a detached mount
			* last waits for a grace period of RCU, so the caller may take it, and keep
			* the first process from being that one */
	int channel;   /* internal: to the process until it has exec'ed */
	char *command; /* internal: for the words of a failed exec */
	const struct runtime_covers *covers; /* internal: may be asked for until then */
};
#define RUNTIME_PROCESS_INIT                                                                       \
	{                                                                                          \
		.pidfd = -1, .terminal = -1, .program = -1, .channel = -1                          \
	}
void runtime_process_close(struct runtime_process *process); /* kills nothing */
void runtime_process_kill(struct runtime_process *process);  /* and reaps and closes it */

/* On success the process waits for runtime_start(); store ret_container first. On failure nothing
 * is left: no process, no cgroup. The caller ends both results. */
int runtime_create(struct runtime_container *ret_container, struct runtime_process *ret,
		   const struct oci_spec *spec, const struct runtime_options *options,
		   struct err *e);

/* Returns once the command has been exec'ed. ERR_COMMAND_NOT_FOUND (127), ERR_NOT_EXECUTABLE
 * (126); the process is then dead or dying, still to be reaped, and the container to be deleted.
 * -ESRCH and ERR_STATE when it died while it waited. */
int runtime_start(struct runtime_process *process, struct err *e);

/* Makes the socket path, which must not exist, in the folder dir_fd: options.start_fd. Returns the
 * descriptor, the caller's. Whoever may write to the socket may start the container. */
int runtime_start_socket(int dir_fd, const char *path, struct err *e);

/* The caller has stored what it has to: from now on the process does not end with it, but waits at
 * options.start_fd. Until then it ends when the caller does. */
int runtime_detach(struct runtime_process *process, struct err *e);

/* Starts what waits at this socket; errors as of runtime_start(). -ESRCH and ERR_STATE: nobody
 * waits there, it has ended or been started. Two at once must be kept apart by the caller. */
int runtime_start_at(int dir_fd, const char *path, struct err *e);

/* Starts process in a running container whose spec this is: with the container's namespaces,
 * cgroup, seccomp filter and LSM profile. capabilities (exec --privileged gives more), rlimits,
 * apparmor_profile, selinux_label and cwd that process does not have are the container's;
 * env is process's own. init_fd is not used. Errors as of runtime_start. */
int runtime_exec(struct runtime_process *ret, const struct runtime_container *container,
		 const struct oci_spec *spec, const struct oci_process *process,
		 const struct runtime_options *options, struct err *e);

/* Pids and cgroups of another boot mean nothing. */
bool runtime_container_is_of_this_boot(const struct runtime_container *container);

/* A pidfd of the first process, or -ESRCH: it is gone (or this is another boot). */
int runtime_container_open(const struct runtime_container *container);

/* The pids of all its processes, as the caller's PID namespace numbers them; without a cgroup (an
 * ordinary user's container) those in its PID namespace. The caller frees *ret. */
int runtime_container_list(pid_t **ret, size_t *ret_count,
			   const struct runtime_container *container, struct err *e);

/* A signal for all of them; one that is born meanwhile may be missed. */
int runtime_signal_all(const struct runtime_container *container, int number, struct err *e);

/* SIGKILL for every process of the container. Nothing to kill is success. */
int runtime_kill_all(const struct runtime_container *container, struct err *e);

/* Kills what is left and removes the cgroup. Of the rest nothing is left: mounts and namespaces
 * go with the last process. What is gone already is success. */
int runtime_delete(const struct runtime_container *container, struct err *e);

/* The poststart hooks, bundle being options.bundle. When one fails, the container is to be killed
 * and deleted (runtime.md#lifecycle, since v1.2.1). */
int runtime_hooks_poststart(const struct oci_spec *spec, const struct runtime_container *container,
			    const char *bundle, struct err *e);

/* The poststop hooks. One that fails is warned of (base/log.h). */
void runtime_hooks_poststop(const struct oci_spec *spec, const char *id, const char *bundle);

/* For a container whose parent was killed before it could store what runtime_create() gave it, in
 * this boot: its process has ended by itself, and the cgroup that its spec names is removed, or
 * runtime_cgroup_user_path() where it names none, and its groups of resctrl. A cgroup with
 * processes in it is somebody else's and stays. */
int runtime_delete_unrecorded(const char *id, const struct oci_spec *spec, struct err *e);

/* Fills e as Docker words the failed exec(2) of a command, from a positive errno: 127 for ENOENT,
 * 126 for the rest. */
int runtime_command_error(struct err *e, int number, const char *command);
