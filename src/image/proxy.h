/* proxy.h - which proxy the environment names for an address: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY,
 * NO_PROXY, also in small letters, with the meaning they have for Docker and all programs in Go
 * (golang.org/x/net/http/httpproxy); ALL_PROXY as curl has it. */
#pragma once
#include <stdbool.h>

struct image_url;

struct image_proxy {
	const char *variable; /* "HTTPS_PROXY"; for messages, as an address may hold a password */
	const char *address;  /* as it is there; NULL: no proxy */
};

/* Borrowed from the environment. No proxy stands before this machine's own loopback. */
struct image_proxy image_proxy_for(const struct image_url *url);

/* Does NO_PROXY's text take in this host and port? A list of names (with all below them; those with
 * a leading "." or "*." without the name itself), addresses, networks as in 10.0.0.0/8, or "*"; a
 * name or address may end in ":port". */
bool image_proxy_excepts(const char *text, const char *host, int port);
