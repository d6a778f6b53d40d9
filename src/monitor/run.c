/* run.c - `holm-monitor run RUNDIR`: one container, from its start to its end. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "monitor/monitor.h"
#include "monitor/program.h"
#include "runtime/cgroup_scope.h"

/* LOCK_FD, where it was given, holds the lock of the container's folder: while it is open, nobody
 * takes a container that is being started for what a killed command left. Then come the
 * namespaces of client.h, which the spec names, the sockets of the name server, and what holds the
 * host's ports. */
enum {
	OWNER_FD = 3,
	LOCK_FD,
	NETWORK_FD,
	USER_FD,
	DNS_UDP_FD,
	DNS_TCP_FD,
	PORTS_FD,
	PORTS_END = PORTS_FD + 2
};

static int lock_alive(struct monitor *m, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	m->alive = openat(m->run_dir, "alive", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->alive < 0)
		return err_sys(e, "open alive");
	if (fcntl(m->alive, F_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return err_set(e, ERR_STATE, "the container is running already");
	return err_sys(e, "lock alive");
}

static int read_config(struct monitor *m, struct err *e)
{
	struct stat st;

	if (fstatat(m->run_dir, "monitor.json", &st, AT_SYMLINK_NOFOLLOW) == 0)
		m->config_inode = st.st_ino;
	return monitor_config_read_at(&m->config, m->run_dir, e);
}

static int open_folders(struct monitor *m, struct err *e)
{
	m->run_dir = open(m->run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->run_dir < 0)
		return err_sys(e, "open %s", m->run_path);
	int r = lock_alive(m, e);
	if (r == 0)
		r = read_config(m, e);
	if (r < 0)
		return r;
	own_free char *path = mem_format("%s/containers/%s", m->config.root, m->config.id);
	m->container_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return m->container_dir < 0 ? err_sys(e, "open %s", path) : 0;
}

/* Before the container is there, which on cgroup v1 inherits the place. Two starts have two names,
 * since systemd forgets a scope some time after its end. */
static void leave_service(const struct monitor *m)
{
	enum { STOP_TIMEOUT_S = 10, SLACK_S = 10 };
	const int64_t *own_s = m->config.stop_timeout_s;
	int64_t stop_s = own_s ? *own_s : STOP_TIMEOUT_S;
	struct err e;

	own_free char *name =
		mem_format("holm-monitor-%.12s-%d.scope", m->config.id, (int)getpid());
	own_free char *description = mem_format("holm container %s", m->config.name);
	const struct runtime_cgroup_scope scope = {
		.name = name,
		.description = description,
		.before = "holm-autostart.service",
		.leave_service = m->config.own_scope,
		.stop_timeout_s = stop_s < 0 ? -1 : stop_s + SLACK_S,
	};
	if (runtime_cgroup_scope_enter(&scope, &e) < 0)
		log_warning("the container ends with this service: %s", e.text);
}

/* pam_loginuid(8): who logs in to a guest logs in anew, which the kernel allows those alone who
 * have no login uid yet. Where it is not ours to forget, PAM tells. */
void monitor_run_forget_login(void)
{
	struct err ignored;

	fd_write_control_at(AT_FDCWD, "/proc/self/loginuid", "4294967295", &ignored);
}

static int start(struct monitor *m, struct err *e)
{
	leave_service(m);
	if (m->config.guest)
		monitor_run_forget_login();
	monitor_log_writer_open(&m->log, m->container_dir, &m->config.log);
	m->state.monitor_pid = getpid();
	process_start_time(getpid(), &m->state.monitor_start);
	int r = monitor_peer_listen(m, e);
	if (r < 0)
		return r;
	/* it may have asked for output and a size of the terminal before we were there */
	monitor_peer_read(m, m->owner);
	r = m->config.remove ? 0 : monitor_exit_record_reserve_at(m->container_dir, e);
	return r < 0 ? r : monitor_container_start(m, e);
}

void monitor_run_leave_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

void monitor_run_send_started(struct monitor *m, pid_t pid)
{
	unsigned char payload[4];

	monitor_put_u32(payload, (uint32_t)pid);
	if (m->owner)
		monitor_peer_send(m, m->owner, MONITOR_STARTED, payload, sizeof(payload));
}

int monitor_run_prepare(struct monitor *m, int fds_from, size_t kept_count, struct err *e)
{
	struct stat st;

	if (fds_from < MONITOR_PROGRAM_SELF)
		close_range((unsigned)fds_from, MONITOR_PROGRAM_SELF - 1, 0);
	fcntl(MONITOR_PROGRAM_SELF, F_SETFD, FD_CLOEXEC);
	monitor_kept_take(m, kept_count);
	close_range((unsigned)(MONITOR_PROGRAM_KEPT + kept_count), ~0U, 0);
	if (fstat(OWNER_FD, &st) < 0 || !S_ISSOCK(st.st_mode))
		return err_set(e, ERR_INVALID, "descriptor 3 is not a socket");
	fcntl(OWNER_FD, F_SETFD, FD_CLOEXEC);
	umask(022);
	if (chdir("/") < 0)
		return err_sys(e, "chdir /");
	int r = monitor_loop_open(m, e);
	if (r == 0)
		m->owner = monitor_peer_add(m, OWNER_FD);
	return r;
}

static bool take_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

int monitor_run(const char *run_path, size_t kept_count, struct err *e)
{
	struct monitor m = MONITOR_INIT;

	m.run_path = run_path;
	bool locked = fcntl(LOCK_FD, F_SETFD, FD_CLOEXEC) == 0;
	fcntl(NETWORK_FD, F_SETFD, FD_CLOEXEC);
	fcntl(USER_FD, F_SETFD, FD_CLOEXEC);
	bool resolves = take_socket(DNS_UDP_FD) && take_socket(DNS_TCP_FD);
	for (int i = 0; i < 2; i++)
		if (fcntl(PORTS_FD + i, F_SETFD, FD_CLOEXEC) == 0)
			m.ports[i] = PORTS_FD + i;
	int r = monitor_run_prepare(&m, PORTS_END, kept_count, e);
	if (r < 0)
		return r;
	if (resolves)
		monitor_dns_open(&m, DNS_UDP_FD, DNS_TCP_FD);
	r = open_folders(&m, e);
	if (r < 0) {
		monitor_peer_send_err(&m, m.owner, e);
		return 0;
	}
	r = start(&m, e);
	if (locked)
		close(LOCK_FD);
	if (r < 0) {
		monitor_end(&m, e);
	} else {
		monitor_run_leave_streams();
		monitor_run_send_started(&m, (pid_t)m.state.container.pid);
	}
	monitor_loop_run(&m);
	return 0;
}
