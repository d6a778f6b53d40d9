/* url.h - what an address from outside may be: the rules about where holm-image connects to and
 * what it says there. Pure text but for image_url_address_is_local(), which looks at numbers. */
#pragma once
#include <stdbool.h>

struct err;
struct sockaddr;

enum { IMAGE_URL_MAX = 16384 }; /* signed addresses of object stores reach 4 KiB */

struct image_url {
	char *scheme; /* "http" or "https" */
	char *host;   /* lower case, without brackets */
	int port;     /* the scheme's own if none was given */
	char *text;   /* the whole, without fragment */
};

/* Takes absolute http and https addresses without user and password; base (may be NULL) is what a
 * relative one stands behind. ERR_PERMISSION for what is refused, ERR_CORRUPT for what is none. */
int image_url_parse(struct image_url *url, const char *text, const char *base, struct err *e);
void image_url_clear(struct image_url *url);

/* Same scheme, host and port: credentials may go from one to the other. */
bool image_url_same_origin(const struct image_url *a, const struct image_url *b);

/* "localhost", "127.x.x.x", "::1": what plain HTTP is allowed to without being configured. host
 * without brackets and port. */
bool image_url_host_is_loopback(const char *host);

/* Loopback, link-local (the metadata services of clouds), unspecified: where a registry elsewhere
 * has no business sending us. IPv4 in IPv6 counts as IPv4. */
bool image_url_address_is_local(const struct sockaddr *address);

/* The same for a host written as a number; names are judged when they have become addresses. */
bool image_url_host_is_local(const char *host);

/* May `to`, which came from a registry's answer, be asked? No step from https down to http; no
 * local address unless local_allowed, because the registry is at one. ERR_PERMISSION. */
int image_url_check_step(const struct image_url *from, const struct image_url *to,
			 bool local_allowed, struct err *e);
