/* uplink.c - both programs open a namespace by a path. It is bound to a file of the container's
 * folder, in this process's mount namespace and for as long as they start. */
#include "network/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/user_ids.h"

enum { SAID_MAX = 4096, PID_BYTES_MAX = 32, READY_MS = 10000 };
enum { READY_FD = 3 };

/* ---- which one ---- */

bool network_uplink_is_name(const char *name)
{
	return str_equal(name, NETWORK_UPLINK_PASTA) || str_equal(name, NETWORK_UPLINK_SLIRP);
}

static bool is_there(const char *program)
{
	static const char folders[] = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin";
	own_clear(strv_clear) struct strv all = { 0 };
	const char *path = getenv("PATH");

	strv_split(&all, str_empty(path) ? folders : path, ':');
	for (size_t i = 0; i < all.count; i++) {
		own_free char *file = path_join(all.items[i], program);
		if (*file == '/' && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

/* pasta takes address and routes of the host for the container: route(5) of /proc has a destination
 * of all zeros. */
static bool has_default_route(void)
{
	own_file FILE *routes = fopen("/proc/net/route", "re");
	char line[256], device[32];
	unsigned long destination;

	while (routes && fgets(line, sizeof(line), routes))
		if (sscanf(line, "%31s %lx", device, &destination) == 2 && destination == 0)
			return true;
	return false;
}

const char *network_uplink_choose(const char **why)
{
	bool pasta = is_there(NETWORK_UPLINK_PASTA);

	*why = NULL;
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		*why = "you may not open /dev/net/tun";
	else if (is_there(NETWORK_UPLINK_SLIRP))
		return NETWORK_UPLINK_SLIRP;
	else if (pasta && has_default_route())
		return NETWORK_UPLINK_PASTA;
	else if (pasta)
		*why = "this host has no default route";
	else
		*why = "neither slirp4netns nor pasta is here (Debian: apt install slirp4netns)";
	return NULL;
}

/* ---- how it is called ---- */

/* Of every container's end, where nobody else is: told to pasta, which else sends to all until it
 * has heard the container, and to all is not to a TCP socket. */
#define MAC "02:68:6f:6c:6d:01"

static void pasta_arguments(struct strv *argv, const char *netns, const char *pid)
{
	const char *const words[] = { "pasta",
				      "--config-net",
				      "--quiet",
				      "-I",
				      "eth0",
				      "-t",
				      "none",
				      "-u",
				      "none",
				      "-T",
				      "none",
				      "-U",
				      "none",
				      "--no-map-gw",
				      "-P",
				      pid,
				      "--netns",
				      netns,
				      "--ns-mac-addr",
				      MAC };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		strv_add(argv, words[i]);
}

static void slirp_arguments(struct strv *argv, const char *netns, const char *device)
{
	const char *const words[] = {
		"slirp4netns",   "--configure",  "--mtu=65520",       "--disable-host-loopback",
		"--enable-ipv6", "--ready-fd=3", "--netns-type=path", netns,
		device
	};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		strv_add(argv, words[i]);
}

/* ---- starting ---- */

/* What the program gets; -1: nothing. */
struct given {
	int said;  /* as standard error */
	int ready; /* as 3 */
	int kept;  /* stays with it, as NETWORK_UPLINK_KEPT */
};

_Noreturn static void exec_program(const struct strv *argv, const struct given *given)
{
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	process_reset_signals();
	dup2(null, 0);
	dup2(null, 1);
	dup2(given->said, 2);
	/* theirs may be the numbers that these are to have */
	int ready = fcntl(given->ready, F_DUPFD_CLOEXEC, NETWORK_UPLINK_KEPT + 1);
	int kept = fcntl(given->kept, F_DUPFD_CLOEXEC, NETWORK_UPLINK_KEPT + 1);
	if (ready >= 0)
		dup2(ready, READY_FD);
	if (kept >= 0)
		dup2(kept, NETWORK_UPLINK_KEPT);
	execvp(argv->items[0], argv->items);
	_exit(127);
}

static pid_t spawn(const struct strv *argv, const struct given *given, struct err *e)
{
	pid_t pid = fork();

	if (pid == 0)
		exec_program(argv, given);
	return pid < 0 ? err_sys(e, "fork") : pid;
}

/* Its last line tells why. */
static int failed(const char *name, int said, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err unreadable;

	str_add(&text, "");
	lseek(said, 0, SEEK_SET);
	fd_read_all(said, SAID_MAX, &text, &unreadable);
	while (text.length && text.text[text.length - 1] == '\n')
		text.text[--text.length] = '\0';
	const char *line = strrchr(text.text, '\n');
	line = line ? line + 1 : text.text;
	err_set(e, ERR_UNSUPPORTED, "%s: %s", name, *line ? line : "it ended without a word");
	return err_hint(e,
			"--network none needs no such program; holm doctor tells what is missing");
}

static int read_pid(pid_t *ret, const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	uint64_t pid;

	int r = fd_read_file_at(AT_FDCWD, path, PID_BYTES_MAX, &text, e);
	if (r < 0)
		return r;
	text.text[strcspn(text.text, "\n")] = '\0';
	r = number_parse_u64(&pid, text.text, INT32_MAX, e);
	if (r == 0)
		*ret = (pid_t)pid;
	return r;
}

/* The first process ends once the second, which goes on, has made the network. */
static int start_pasta(pid_t *ret, const struct network_uplink_request *request, const char *netns,
		       int said, struct err *e)
{
	own_free char *file = path_join(request->folder, "pid");
	own_clear(strv_clear) struct strv argv = { 0 };

	pasta_arguments(&argv, netns, file);
	const struct given given = { said, -1, -1 };
	pid_t pid = spawn(&argv, &given, e);
	if (pid < 0)
		return pid;
	return process_wait(pid) == 0 ? read_pid(ret, file, e) : failed(request->name, said, e);
}

/* ---- slirp4netns ---- */

static bool is_ready(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&ready, 1, READY_MS) == 1 && read(fd, &byte, 1) == 1;
}

static int start_slirp(pid_t *ret, const struct network_uplink_request *request, const char *netns,
		       int said, struct err *e)
{
	own_clear(strv_clear) struct strv argv = { 0 };
	int ends[2];

	slirp_arguments(&argv, netns, request->device ? request->device : "eth0");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int reading = ends[0];
	own_fd int writing = ends[1];
	const struct given given = { said, writing, request->device ? request->namespace_fd : -1 };
	pid_t pid = spawn(&argv, &given, e);
	if (pid < 0)
		return pid;
	close(take_fd(&writing));
	int r = is_ready(reading) ? 0 : failed(request->name, said, e);
	if (r < 0) {
		kill(pid, SIGKILL);
		process_wait(pid);
		return r;
	}
	*ret = pid;
	return 0;
}

int network_uplink_start(pid_t *ret, const struct network_uplink_request *request, struct err *e)
{
	own_free char *netns = path_join(request->folder, "netns");
	own_free char *link = mem_format("/proc/self/fd/%d", request->namespace_fd);

	if (!user_ids_are_mapped()) {
		err_set(e, ERR_UNSUPPORTED, "--network %s is for ordinary users", request->name);
		return err_hint(e, "root has bridges: --network bridge, the default");
	}
	own_fd int said = memfd_create("holm-uplink", MFD_CLOEXEC);
	own_fd int file = open(netns, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (said < 0 || file < 0)
		return err_sys(e, "make %s", netns);
	if (mount(link, netns, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "bind the network namespace to %s", netns);
	int r = str_equal(request->name, NETWORK_UPLINK_PASTA)
			? start_pasta(ret, request, netns, said, e)
			: start_slirp(ret, request, netns, said, e);
	umount2(netns, MNT_DETACH);
	return r;
}
