/* config.h - what a container's name server works by: the file "dns" of its run folder, which says
 * which networks it is in and whom to ask about other names, and the host's /etc/resolv.conf. Both
 * are read once, before privileges go; when one changes the program ends and is started anew. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/strv.h"

struct err;

enum { DNS_SERVERS_MAX = 8, DNS_CONFIG_BYTES_MAX = 64 << 10, DNS_WATCHED_MAX = 4 };

struct dns_server {
	struct sockaddr_storage address;
	socklen_t length;
};

struct dns_servers {
	struct dns_server items[DNS_SERVERS_MAX];
	size_t count;
};

/* A file or folder as it was. */
struct dns_watched {
	int fd;
	struct stat then;
};

struct dns_config {
	bool forward; /* ask others at all: one of its networks is not internal */
	struct strv networks;
	struct strv links; /* NAME=OTHER: asked for NAME, it is asked for OTHER */
	struct dns_servers servers;
	struct dns_watched watched[DNS_WATCHED_MAX];
	size_t watched_count;
};

int dns_config_read(struct dns_config *ret, int run_fd, struct err *e);

/* Has any of it changed? Needs no privileges. */
bool dns_config_has_changed(const struct dns_config *config);

/* Lines "forward", "server ADDRESS", "network NAME", "link NAME OTHER"; what is unknown is passed
 * over. Pure. */
void dns_config_parse(struct dns_config *config, const char *text);

/* The lines "nameserver ADDRESS" of resolv.conf(5). */
void dns_config_parse_resolv(struct dns_servers *servers, const char *text);
