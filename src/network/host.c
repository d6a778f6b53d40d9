#include "network/host.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"

/* 1: it was off. */
static int turn_on(const char *path, struct err *e)
{
	char now = '0';

	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (read(fd, &now, 1) == 1 && now != '0')
		return 0;
	int r = fd_write_control_at(AT_FDCWD, path, "1", e);
	return r < 0 ? r : 1;
}

static const char *forward_path(int family)
{
	return family == AF_INET ? "/proc/sys/net/ipv4/ip_forward"
				 : "/proc/sys/net/ipv6/conf/all/forwarding";
}

bool network_host_forwards(int family)
{
	char now = '0';

	own_fd int fd = open(forward_path(family), O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &now, 1) == 1 && now != '0';
}

int network_host_forward(int family, struct err *e)
{
	const char *path = forward_path(family);
	int r = turn_on(path, e);
	if (r > 0)
		log_debug("%s is on now: containers reach nothing beyond this host without it",
			  path);
	return r < 0 ? err_add(e, "let this host forward") : 0;
}

int network_host_answer_ndp(const char *device, struct err *e)
{
	own_free char *path = mem_format("/proc/sys/net/ipv6/conf/%s/proxy_ndp", device);

	int r = turn_on(path, e);
	if (r > 0)
		log_debug("%s is on now: %s answers for addresses of containers", path, device);
	return r < 0 ? err_add(e, "let %s answer for others", device) : 0;
}

int network_host_route_localnet(const char *device, struct err *e)
{
	own_free char *path = mem_format("/proc/sys/net/ipv4/conf/%s/route_localnet", device);

	int r = turn_on(path, e);
	return r < 0 ? err_add(e, "let %s take what is for 127.0.0.1", device) : 0;
}

int network_host_trust_addresses(const char *device, struct err *e)
{
	own_free char *path = mem_format("/proc/sys/net/ipv6/conf/%s/accept_dad", device);

	int r = fd_write_control_at(AT_FDCWD, path, "0", e);
	return r < 0 ? err_add(e, "set up %s", device) : 0;
}
