/* http.h - one HTTP request after the other, over libcurl: bounded in headers, body, redirects
 * and time. Redirects are followed here, not by libcurl, so that Authorization leaves the origin it
 * was meant for on no account. One handle serves one thread; it keeps its connections. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/own.h"
#include "base/strv.h"
#include "image/url.h"
#include "storage/pack.h"

struct err;
struct image_http;

enum {
	IMAGE_HTTP_HEADERS_MAX = 64 << 10,
	IMAGE_HTTP_REDIRECTS_MAX = 10,
	IMAGE_HTTP_CONNECT_S = 15,
	IMAGE_HTTP_SMALL_S = 120, /* for the whole of a manifest, a token */
	/* Slower than this many bytes per second for that long counts as dead. */
	IMAGE_HTTP_SLOW_BYTES = 512,
	IMAGE_HTTP_SLOW_S = 20,
	/* Of a request that writes: the registry may think about what it got. */
	IMAGE_HTTP_WRITE_SLOW_S = 300,
};

/* How to speak to one registry. All members are borrowed and may be NULL. */
struct image_http_settings {
	bool no_verify;   /* configured insecure: TLS without checking who it is */
	const char *ca;   /* text of certificates, in addition to the system's */
	const char *cert; /* paths: of the client */
	const char *key;
};

/* What is sent along, size bytes of it. read() gives the next ones: how many, or fails. restart()
 * comes first, and again where a request has to be made twice. */
struct image_http_body {
	void (*restart)(void *context);
	ssize_t (*read)(void *context, void *to, size_t length, struct err *e);
	void *context;
	int64_t size;
};

struct image_http_request {
	const char *url;
	const char
		*method; /* NULL: GET, or POST with a form. Others than HEAD follow no redirect */
	const char *content_type;           /* of body */
	const char *content_range;          /* "100-199", of a part of an upload, or NULL */
	const struct image_http_body *body; /* or NULL */
	const char *accept;                 /* media types, or NULL */
	const char
		*authorization; /* "Bearer ..." or "Basic ...", or NULL; to the first origin only */
	const char *form;       /* body of a POST, or NULL: a GET */
	int limit_s;            /* for the whole answer; 0: as long as it flows */
	int64_t range_from;     /* > 0: only the bytes from here on are asked for */
	bool foreign;           /* the url came from a registry's answer, not from the user */
	/* Takes the body of a 200 or 206, of which first says where it begins. Everything else's
	 * body is thrown away, but for its first bytes, which go into the error. */
	const struct byte_sink *sink;
};

struct image_http_response {
	long status;
	char *content_type;     /* lower case, without parameters */
	char *digest;           /* Docker-Content-Digest */
	struct strv challenges; /* every WWW-Authenticate */
	int retry_after_s;      /* -1: not said */
	int64_t first;     /* the offset at which the body begins, of Content-Range; -1: not said */
	int64_t received;  /* bytes of an upload that are there, of Range; -1: not said */
	int64_t chunk_min; /* bytes that a PATCH must have at least, but the last; 0: not said */
	char *location;    /* where an upload goes on: an absolute address; or NULL */
	char *detail;      /* the beginning of an error's body, printable; or NULL */
};
void image_http_response_clear(struct image_http_response *response);

/* Never NULL; settings are copied. */
struct image_http *image_http_new(const struct image_http_settings *settings);
void image_http_free(struct image_http *http);
OWN_DEFINE(image_http_free, struct image_http *)

/* The registry itself turned out to be at a local address, so its answers may name others. */
bool image_http_is_local(const struct image_http *http);
void image_http_allow_local(struct image_http *http);

/* Any status is a success; the body went to the sink as it came. On failure of the transfer
 * ERR_UNREACHABLE or ERR_TIMEOUT (worth another try), ERR_PERMISSION (refused by a rule: TLS,
 * redirects), ERR_CORRUPT (bounds), or what the sink returned. The caller clears *response, also
 * after a failure. */
int image_http_perform(struct image_http *http, const struct image_http_request *request,
		       struct image_http_response *response, struct err *e);

/* One address of the web, to sink: whole, or it fails, with ERR_NOT_FOUND or ERR_UNREACHABLE where
 * the server says that it is not there. */
int image_http_get(const char *url, const struct byte_sink *sink, struct err *e);
