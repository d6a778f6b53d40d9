/* floor.c - what the kernel alone costs: the calls that make a system of holm's (its namespaces,
 * cgroups, mounts, devices), one after the other, with nothing read, checked, recorded or told.
 *	floor start ROOT PIDFILE	returns once ROOT's /sbin/init is exec'ed
 *	floor stop PIDFILE		ends it, and removes its cgroups
 * A host of cgroup v1 with the tree of v2 beside it; a program of the benchmarks alone. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define UNIFIED "/sys/fs/cgroup/unified"

static const char *const hierarchies[] = { "cpu",     "cpuacct", "memory", "devices",
					   "freezer", "pids",    "systemd" };
enum { HIERARCHIES = sizeof(hierarchies) / sizeof(hierarchies[0]) };

static int alive[2] = { -1, -1 }; /* closed by exec; what comes before is a failure */

static void need(long result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	_exit(write(alive[1], "", 1) < 0 ? 2 : 1);
}

static void put(int dir, const char *file, const char *text)
{
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	need(fd, file);
	need(write(fd, text, strlen(text)), file);
	close(fd);
}

/* ---- cgroups ---- */

static int make_cgroup(const char *mount)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/floor", mount);
	need(mkdir(path, 0755), path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(fd, path);
	return fd;
}

static void make_cgroups(int tasks[HIERARCHIES])
{
	char mount[64];

	for (int i = 0; i < HIERARCHIES; i++) {
		snprintf(mount, sizeof(mount), "/sys/fs/cgroup/%s", hierarchies[i]);
		int fd = make_cgroup(mount);
		if (strcmp(hierarchies[i], "devices") == 0) {
			put(fd, "devices.deny", "a");
			for (int n = 0; n < 11; n++)
				put(fd, "devices.allow", "c 1:* rwm");
		}
		if (strcmp(hierarchies[i], "pids") == 0)
			put(fd, "pids.max", "2048");
		tasks[i] = openat(fd, "tasks", O_WRONLY | O_CLOEXEC);
		need(tasks[i], "tasks");
		close(fd);
	}
}

static void remove_cgroups(void)
{
	char path[128];

	for (int i = 0; i < HIERARCHIES; i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/floor", hierarchies[i]);
		rmdir(path);
	}
	rmdir(UNIFIED "/floor");
}

/* ---- mounts ---- */

struct option {
	const char *key, *value;
};

static void mount_new(const char *type, const struct option *options, const char *to, int attr)
{
	int fs = fsopen(type, FSOPEN_CLOEXEC);

	need(fs, type);
	for (; options && options->key; options++)
		need(fsconfig(fs, FSCONFIG_SET_STRING, options->key, options->value, 0), type);
	need(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), type);
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, attr);
	need(fd, type);
	mkdir(to, 0755);
	need(move_mount(fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH), to);
	close(fd);
	close(fs);
}

static void mount_clone(const char *from, const char *to, uint64_t attr)
{
	struct mount_attr set = { .attr_set = attr };
	int fd = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return;
	need(fd, from);
	if (attr)
		need(mount_setattr(fd, "", AT_EMPTY_PATH, &set, sizeof(set)), from);
	need(move_mount(fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH), to);
	close(fd);
}

static void mount_all(void)
{
	const int safe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	const struct option mode[] = { { "mode", "755" }, { 0 } };
	static const char *const readonly[] = { "bus", "fs", "irq", "sys" };
	static const char *const masked[] = { "interrupts", "keys",    "timer_list", "slabinfo",
					      "meminfo",    "swaps",   "cpuinfo",    "stat",
					      "uptime",     "loadavg", "vmallocinfo" };
	static const struct {
		const char *path;
		unsigned minor;
	} nodes[] = { { "dev/null", 3 },
		      { "dev/zero", 5 },
		      { "dev/full", 7 },
		      { "dev/random", 8 },
		      { "dev/urandom", 9 } };
	char path[64];

	mount_new("proc", NULL, "proc", safe);
	mount_new("tmpfs", mode, "dev", MOUNT_ATTR_NOSUID);
	mount_new("devpts", NULL, "dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	mount_new("sysfs", NULL, "sys", safe | MOUNT_ATTR_RDONLY);
	mount_clone(UNIFIED "/floor", "sys/fs/cgroup", (uint64_t)safe);
	mount_new("mqueue", NULL, "dev/mqueue", safe);
	mount_new("tmpfs", mode, "dev/shm", safe);
	mount_new("tmpfs", mode, "run", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	mount_new("tmpfs", mode, "run/lock", safe);
	mount_new("tmpfs", mode, "tmp", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		need(mknod(nodes[i].path, S_IFCHR | 0666, makedev(1, nodes[i].minor)), "mknod");
	for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++) {
		snprintf(path, sizeof(path), "proc/%s", readonly[i]);
		mount_clone(path, path, MOUNT_ATTR_RDONLY);
	}
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++) {
		snprintf(path, sizeof(path), "proc/%s", masked[i]);
		mount_clone("dev/null", path, 0);
	}
}

/* ---- the process ---- */

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	need(ioctl(fd, SIOCSIFFLAGS, &request), "lo");
	close(fd);
}

static void become_init(int root, const int tasks[HIERARCHIES])
{
	char *const argv[] = { "/sbin/init", NULL };
	char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

	for (int i = 0; i < HIERARCHIES; i++)
		need(write(tasks[i], "0", 1), "tasks");
	need(unshare(CLONE_NEWCGROUP | CLONE_NEWTIME), "unshare");
	raise_loopback();
	need(sethostname("floor", 5), "sethostname");
	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	need(move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH), "root");
	need(fchdir(root), "root");
	mount_all();
	need(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	need(umount2(".", MNT_DETACH), "umount");
	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
	setsid();
	execve(argv[0], argv, env);
	need(-1, "exec");
}

static void start(const char *from, const char *pid_file)
{
	int tasks[HIERARCHIES];
	char byte;

	int root = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	need(root, from);
	struct mount_attr private = { .propagation = MS_PRIVATE };
	need(mount_setattr(root, "", AT_EMPTY_PATH | AT_RECURSIVE, &private, sizeof(private)),
	     from);
	make_cgroups(tasks);
	int tree = make_cgroup(UNIFIED);
	need(pipe2(alive, O_CLOEXEC), "pipe");
	struct clone_args args = { .flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
					    CLONE_NEWPID | CLONE_NEWNET | CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = (unsigned)tree };
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	need(pid, "clone3");
	if (pid == 0)
		become_init(root, tasks);
	close(alive[1]);
	if (read(alive[0], &byte, 1) != 0)
		exit(1);
	FILE *file = fopen(pid_file, "w");
	fprintf(file, "%ld\n", pid);
	fclose(file);
}

static void stop(const char *pid_file)
{
	FILE *file = fopen(pid_file, "r");
	int pid = 0;

	if (!file || fscanf(file, "%d", &pid) != 1)
		exit(1);
	kill(pid, SIGKILL);
	while (kill(pid, 0) == 0)
		usleep(200);
	remove_cgroups();
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "start") == 0)
		start(argv[2], argv[3]);
	else if (argc == 3 && strcmp(argv[1], "stop") == 0)
		stop(argv[2]);
	else
		return 2;
	return 0;
}
