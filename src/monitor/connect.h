/* connect.h - a health check that runs nothing in the container: a connection to an address as
 * its processes see it, "tcp://127.0.0.1:5432" or "http://127.0.0.1:80/ready" (success is an
 * answer from 200 to 399). So images without a shell can be checked. Called in the process of the
 * probe. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;
struct runtime_container;
struct str;

struct monitor_connect_address {
	bool http;
	char host[64];
	uint16_t port;
	const char *path; /* borrowed from the text; "" of tcp */
};

/* ERR_INVALID. */
int monitor_connect_parse(struct monitor_connect_address *ret, const char *text, struct err *e);

/* Goes into the container's network for good. 0: it answers; *output gets what it said. monitor: a
 * descriptor whose hangup ends it. ERR_UNREACHABLE, ERR_TIMEOUT. */
int monitor_connect_check(const struct runtime_container *container, const char *address,
			  int64_t deadline_ms, int monitor, struct str *output, struct err *e);
