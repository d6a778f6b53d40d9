/* holm-proxy ADDRESS PORT - takes the connections, or datagrams, of the socket that it was given
 * (descriptor 3, bound) to this address and port: for ports that are published at ::1, which no NAT
 * reaches (decision 0030). It is nobody, and opens nothing but sockets.
 * holm-proxy ADDRESS PORT inside - the same for an ordinary user's container, in the network
 * namespace that is descriptor 4, and as the client (inside.h, decisions 0056 and 0062); 0.0.0.0
 * and :: are the address that the container has then.
 * Each connection is a process of its own, which ends with this one; datagrams take none
 * (datagrams.h). */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/str.h"
#include "proxy/carry.h"
#include "proxy/datagrams.h"
#include "proxy/inside.h"
#include "proxy/target.h"
#include "proxy/way.h"

enum { LISTENER = 3, NAMESPACE = 4, NOBODY = 65534, CONNECTIONS_MAX = 1024 };
enum { SCARCE_WAIT_NS = 100 * 1000 * 1000 };

/* ---- one connection ---- */

static int connect_to(const struct proxy_target *target, int client,
		      const struct sockaddr_storage *address)
{
	struct sockaddr_storage local = { 0 }, found;
	socklen_t length = sizeof(local);
	bool kept;

	if (getsockname(client, (struct sockaddr *)&local, &length) < 0 ||
	    !proxy_target_find(&found, target, address->ss_family))
		return -1;
	return proxy_target_connect(&kept, target, SOCK_STREAM, &found, address, &local);
}

_Noreturn static void serve(int client, const struct sockaddr_storage *address,
			    const struct proxy_target *target, pid_t parent)
{
	if (process_die_with(parent) < 0)
		_exit(0);
	close(LISTENER);
	int server = connect_to(target, client, address);
	if (server >= 0)
		proxy_carry(client, server);
	_exit(0);
}

/* ---- all of them ---- */

static int become_nobody(const struct proxy_target *target, struct err *e)
{
	int r = target->inside ? proxy_inside_drop(e) : 0;

	if (r < 0)
		return r;
	if (!target->inside && geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return err_sys(e, "become nobody");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "set no_new_privs");
	return 0;
}

/* It is there to interrupt accept(2), so that who has ended is reaped. */
static void on_child(int signal)
{
	(void)signal;
}

/* accept(2): the connection is still there then, and so would be the error. */
static void wait_if_scarce(void)
{
	static const int scarce[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM };
	const struct timespec moment = { .tv_nsec = SCARCE_WAIT_NS };

	for (size_t i = 0; i < COUNT_OF(scarce); i++)
		if (errno == scarce[i]) {
			nanosleep(&moment, NULL);
			return;
		}
}

_Noreturn static void run(const struct proxy_target *target)
{
	const pid_t self = getpid();
	int connections = 0;

	for (;;) {
		/* with as many as may be, until one ends */
		while (connections > 0 &&
		       waitpid(-1, NULL, connections < CONNECTIONS_MAX ? WNOHANG : 0) > 0)
			connections--;
		struct sockaddr_storage address = { 0 };
		socklen_t length = sizeof(address);
		int client = accept4(LISTENER, (struct sockaddr *)&address, &length, SOCK_CLOEXEC);
		if (client < 0) {
			wait_if_scarce();
			continue;
		}
		pid_t pid = fork();
		if (pid == 0)
			serve(client, &address, target, self);
		connections += pid > 0;
		close(client);
	}
}

static bool has_datagrams(void)
{
	int type = 0;
	socklen_t length = sizeof(type);

	return getsockopt(LISTENER, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM;
}

int main(int argc, char **argv)
{
	struct proxy_target target;
	struct err e;

	if (argc < 3 || argc > 4 || (argc == 4 && !str_equal(argv[3], "inside")))
		return 125;
	const bool datagrams = has_datagrams();
	int r = proxy_target_parse(&target, argv[1], argv[2], &e);
	target.inside = argc == 4;
	if (r == 0 && target.inside)
		r = proxy_inside_enter(NAMESPACE, &e);
	if (r == 0 && target.inside && !datagrams)
		target.keeps = proxy_way_mark();
	if (r == 0)
		r = become_nobody(&target, &e);
	if (r == 0 && datagrams)
		r = proxy_datagrams_carry(LISTENER, &target, &e);
	if (r < 0) {
		log_warning("holm-proxy: %s", e.text);
		return 125;
	}
	if (datagrams)
		return 0;
	const struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGCHLD, &child, NULL);
	run(&target);
}
