#include "network/port_owner.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/own.h"

/* ---- /proc/net/tcp and the like ---- */

struct socket_line {
	struct network_address address;
	unsigned port;
	unsigned state;
	uint64_t inode;
};

/* "  0: 0100007F:1F90 00000000:0000 0A ...": addresses as 32-bit words of the host's order. */
static bool parse_line(struct socket_line *ret, const char *line, int family)
{
	char hex[33] = "";
	uint32_t word;

	if (sscanf(line,
		   " %*u: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %" SCNu64, hex,
		   &ret->port, &ret->state, &ret->inode) != 4)
		return false;
	ret->address = (struct network_address){ .family = family };
	unsigned length = network_address_length(&ret->address);
	if (strlen(hex) != length * 2)
		return false;
	for (unsigned i = 0; i < length; i += sizeof(word)) {
		char digits[9] = "";
		memcpy(digits, hex + (size_t)i * 2, 8);
		word = (uint32_t)strtoul(digits, NULL, 16);
		memcpy(ret->address.bytes + i, &word, sizeof(word));
	}
	return true;
}

/* Does one exclude the other? A socket for all of IPv6 mostly has all of IPv4, too. */
static bool collides(const struct socket_line *line, const struct network_address *address)
{
	if (line->address.family != address->family)
		return line->address.family == AF_INET6 && network_address_is_any(&line->address);
	return network_address_is_any(&line->address) || network_address_is_any(address) ||
	       memcmp(line->address.bytes, address->bytes, network_address_length(address)) == 0;
}

/* Its inode, 0 where there is none. */
static uint64_t find_in(const char *path, int family, bool tcp,
			const struct network_address *address, uint16_t port)
{
	struct socket_line found;
	char line[512];

	own_file FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (parse_line(&found, line, family) && found.port == port && found.inode &&
		    (!tcp || found.state != TCP_TIME_WAIT) && collides(&found, address))
			return found.inode;
	return 0;
}

static uint64_t find_socket(int protocol, const struct network_address *address, uint16_t port)
{
	bool tcp = protocol == IPPROTO_TCP;
	uint64_t inode =
		find_in(tcp ? "/proc/net/tcp" : "/proc/net/udp", AF_INET, tcp, address, port);

	return inode ? inode
		     : find_in(tcp ? "/proc/net/tcp6" : "/proc/net/udp6", AF_INET6, tcp, address,
			       port);
}

/* ---- whose it is ---- */

static bool has_socket(int proc, const char *pid, const char *wanted)
{
	own_free char *path = mem_format("%s/fd", pid);
	own_fd int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	own_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	char target[64];

	if (!dir)
		return false;
	take_fd(&copy);
	for (struct dirent *entry; (entry = readdir(dir));) {
		ssize_t n = readlinkat(fd, entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, wanted) == 0)
			return true;
	}
	return false;
}

static void describe(char to[NETWORK_PORT_OWNER_TEXT], int proc, const char *pid)
{
	own_free char *path = mem_format("%s/comm", pid);
	own_fd int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	char name[32] = "";

	ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	name[n > 0 ? strcspn(name, "\n") : 0] = '\0';
	snprintf(to, NETWORK_PORT_OWNER_TEXT, "%s (process %.10s)", *name ? name : "a program",
		 pid);
}

int network_port_owner(char to[NETWORK_PORT_OWNER_TEXT], int protocol,
		       const struct network_address *address, uint16_t port)
{
	uint64_t inode = protocol == IPPROTO_SCTP ? 0 : find_socket(protocol, address, port);

	if (!inode)
		return 0;
	own_free char *wanted = mem_format("socket:[%" PRIu64 "]", inode);
	own_fd int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int copy = proc < 0 ? -1 : fcntl(proc, F_DUPFD_CLOEXEC, 0);
	own_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	snprintf(to, NETWORK_PORT_OWNER_TEXT, "a process that cannot be seen");
	if (!dir)
		return 1;
	take_fd(&copy);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !has_socket(proc, entry->d_name, wanted))
			continue;
		describe(to, proc, entry->d_name);
		return 1;
	}
	return 1;
}
