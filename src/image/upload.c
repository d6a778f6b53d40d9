/* upload.c - a blob on its way: is it there (HEAD)? may it be mounted (POST with mount and from,
 * which else opens a session)? then a PATCH with all that is missing, or several (chunk), and a PUT
 * that names the digest. After a failure the session is asked how far it is (GET); one that is lost
 * begins anew. One PATCH is what every registry takes; several are refused by some, and needed
 * where something in front of one bounds what a request may bring, or how long it may last. */
#include "image/upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/http.h"
#include "image/registry.h"
#include "oci/image.h"

struct session {
	const struct image_upload *upload;
	const char *base;
	int fd;            /* the upload's, or what was brought */
	int brought;       /* or -1 */
	bool absent;       /* it could not be brought: no try would help */
	char *location;    /* where the upload goes on; NULL: there is no session */
	int64_t offset;    /* what the registry has */
	int64_t sent;      /* what it was sent, at most */
	int64_t end;       /* where the request of now ends */
	int64_t chunk_min; /* of what the registry says */
	struct image_http_response response; /* of the last request */
};

static void end_session(struct session *s)
{
	free(s->location);
	image_http_response_clear(&s->response);
	if (s->brought >= 0)
		close(s->brought);
}

/* A location that is not the registry's own gets no login. */
static int ask(struct session *s, struct image_http_request *request, struct err *e)
{
	own_clear(image_url_clear) struct image_url home = { 0 };
	own_clear(image_url_clear) struct image_url there = { 0 };
	struct image_registry *registry = s->upload->registry;
	int r = image_url_parse(&home, s->base, NULL, e);

	if (r == 0)
		r = image_url_parse(&there, request->url, NULL, e);
	if (r < 0)
		return r;
	image_http_response_clear(&s->response);
	if (image_url_same_origin(&home, &there))
		return image_registry_try(registry, s->upload->http, request, &s->response, e);
	request->foreign = true;
	r = image_http_perform(s->upload->http, request, &s->response, e);
	if (r == 0 && (s->response.status < 200 || s->response.status > 299))
		r = err_set(e, ERR_UNREACHABLE, "%s answers with status %ld", there.host,
			    s->response.status);
	return r;
}

static int take_location(struct session *s, struct err *e)
{
	if (!s->response.location)
		return err_set(e, ERR_CORRUPT, "%s does not say where the upload goes on",
			       image_registry_host(s->upload->registry));
	free(s->location);
	s->location = take_ptr(&s->response.location);
	return 0;
}

/* ---- is it there? ---- */

/* 1 if it is, 0 if not. An answer to HEAD cannot say why it is a refusal; that to POST can. */
static int exists(struct session *s, struct err *e)
{
	own_free char *url =
		mem_format("%s/v2/%s/blobs/%s", s->base, image_registry_path(s->upload->registry),
			   s->upload->descriptor->digest);
	struct image_http_request request = { .url = url,
					      .method = "HEAD",
					      .limit_s = IMAGE_HTTP_SMALL_S };
	int r = ask(s, &request, e);

	if (r == 0)
		return 1;
	return e->kind == ERR_NOT_FOUND || s->response.status == 403 ? 0 : r;
}

/* ---- a session, or a mount ---- */

/* 1: mounted; 0: a session is open. */
static int post(struct session *s, const char *from, struct err *e)
{
	const char *digest = s->upload->descriptor->digest;
	const char *path = image_registry_path(s->upload->registry);
	own_free char *mount = from ? mem_format("?mount=%s&from=%s", digest, from) : mem_text("");
	own_free char *url = mem_format("%s/v2/%s/blobs/uploads/%s", s->base, path, mount);
	struct image_http_request request = { .url = url,
					      .method = "POST",
					      .limit_s = IMAGE_HTTP_SMALL_S };
	int r = ask(s, &request, e);

	if (r < 0)
		return r;
	if (from && s->response.status == 201)
		return 1;
	s->offset = 0;
	s->sent = 0;
	s->chunk_min = s->response.chunk_min;
	return take_location(s, e);
}

/* Who does not want a session any more says so; the registry forgets it anyway, later. */
static void give_up_session(struct session *s)
{
	struct err ignored;
	struct image_http_request request = { .url = s->location,
					      .method = "DELETE",
					      .limit_s = IMAGE_HTTP_SMALL_S };

	ask(s, &request, &ignored);
	free(take_ptr(&s->location));
}

/* 1: mounted, *from says from where; 0: a session is open. A refusal to mount is none of the push:
 * that other repository may be private. */
static int open_session(struct session *s, const char **from, struct err *e)
{
	const struct strv *all = s->upload->from;

	for (size_t i = 0; all && i < all->count && i < IMAGE_UPLOAD_MOUNTS_MAX; i++) {
		int r = post(s, all->items[i], e);
		if (r == 1)
			*from = all->items[i];
		if (r == 1 || (r < 0 && e->kind != ERR_PERMISSION && e->kind != ERR_NOT_FOUND))
			return r;
		if (r == 0 && (i + 1 == all->count || i + 1 == IMAGE_UPLOAD_MOUNTS_MAX))
			return 0;
		if (r == 0)
			give_up_session(s);
	}
	return post(s, NULL, e);
}

/* ---- the bytes ---- */

static void restart_bytes(void *context)
{
	struct session *s = context;

	s->sent = s->offset;
}

static ssize_t give_bytes(void *context, void *to, size_t length, struct err *e)
{
	struct session *s = context;
	const struct image_upload *u = s->upload;
	int64_t left = s->end - s->sent;

	if (*u->cancelled)
		return err_set(e, ERR_INTERNAL, "another layer failed");
	if ((int64_t)length > left)
		length = (size_t)left;
	ssize_t n = pread(s->fd, to, length, s->sent);
	if (n < 0)
		return err_sys(e, "read blob %s", u->descriptor->digest);
	if (n == 0 && length)
		return err_set(e, ERR_CORRUPT, "blob %s is shorter than its manifest says",
			       u->descriptor->digest);
	s->sent += n;
	u->moved(u->context, s->sent);
	return n;
}

static int64_t find_end(const struct session *s)
{
	int64_t size = s->upload->descriptor->size, chunk = s->upload->chunk;

	if (chunk && chunk < s->chunk_min)
		chunk = s->chunk_min;
	return chunk && chunk < size - s->offset ? s->offset + chunk : size;
}

static int patch(struct session *s, struct err *e)
{
	s->end = find_end(s);
	own_free char *range =
		mem_format("%lld-%lld", (long long)s->offset, (long long)(s->end - 1));
	struct image_http_body body = { restart_bytes, give_bytes, s, s->end - s->offset };
	struct image_http_request request = {
		.url = s->location, .method = "PATCH", .content_range = range, .body = &body
	};

	int r = ask(s, &request, e);
	if (r == 0)
		r = take_location(s, e);
	if (r < 0)
		return r;
	/* a registry that says how far it is knows better: it may have taken less */
	int64_t received = s->response.received;
	if (received >= 0 && received <= s->offset)
		return err_set(e, ERR_UNREACHABLE, "%s took nothing of %lld bytes",
			       image_registry_host(s->upload->registry),
			       (long long)(s->end - s->offset));
	s->offset = received > 0 && received < s->end ? received : s->end;
	return 0;
}

static int finish(struct session *s, struct err *e)
{
	own_free char *url =
		mem_format("%s%cdigest=%s", s->location, strchr(s->location, '?') ? '&' : '?',
			   s->upload->descriptor->digest);
	struct image_http_request request = { .url = url, .method = "PUT" };

	return ask(s, &request, e);
}

/* How far did it get? A registry that does not know the session any more begins anew. */
static void find_offset(struct session *s)
{
	struct err ignored;
	struct image_http_request request = { .url = s->location,
					      .method = "GET",
					      .limit_s = IMAGE_HTTP_SMALL_S };
	int r = ask(s, &request, &ignored);

	if (r == 0 && s->response.received >= 0 &&
	    s->response.received <= s->upload->descriptor->size) {
		s->offset = s->response.received;
		if (s->response.location)
			take_location(s, &ignored);
		log_debug("the upload goes on at byte %lld", (long long)s->offset);
		return;
	}
	free(take_ptr(&s->location));
	s->offset = 0;
}

static int bring(struct session *s, struct err *e)
{
	const struct image_upload *u = s->upload;
	int r = u->bring ? u->bring(u->context, e)
			 : err_set(e, ERR_NOT_FOUND, "it is neither in the store nor there");

	if (r >= 0) {
		s->fd = s->brought = r;
		return 0;
	}
	s->absent = true;
	if (u->bring)
		give_up_session(s);
	return r;
}

/* One try, to the end. */
static int try_blob(struct session *s, const char **from, struct err *e)
{
	int r = exists(s, e);

	if (r != 0)
		return r < 0 ? r : IMAGE_UPLOAD_EXISTED;
	if (s->location)
		find_offset(s);
	if (!s->location) {
		r = open_session(s, from, e);
		if (r != 0)
			return r < 0 ? r : IMAGE_UPLOAD_MOUNTED;
	}
	if (s->fd < 0)
		r = bring(s, e);
	while (r == 0 && s->offset < s->upload->descriptor->size)
		r = patch(s, e);
	if (r == 0)
		r = finish(s, e);
	return r < 0 ? r : IMAGE_UPLOAD_SENT;
}

/* The session is gone, or is not where it was thought to be. */
static bool lost_session(const struct session *s)
{
	return s->location && (s->response.status == 404 || s->response.status == 416);
}

int image_upload_blob(const struct image_upload *upload, const char **from, struct err *e)
{
	own_clear(end_session) struct session s = { .upload = upload,
						    .fd = upload->fd,
						    .brought = -1 };
	int r = image_registry_base(&s.base, upload->registry, upload->http, e);

	for (int attempt = 1; r >= 0; attempt++) {
		int64_t before = s.offset;
		r = try_blob(&s, from, e);
		if (r >= 0 || s.absent || *upload->cancelled)
			return r;
		if (!lost_session(&s) && !image_registry_worth_another(e, &s.response))
			return r;
		if (s.offset - before >= IMAGE_REGISTRY_PROGRESS)
			attempt = 1;
		if (attempt >= IMAGE_REGISTRY_TRIES)
			return r;
		log_debug("again: %s", e->text);
		upload->retry(upload->context, e);
		image_registry_pause(attempt, s.response.retry_after_s);
		r = 0;
	}
	return r;
}

/* ---- manifests ---- */

struct document {
	const char *text;
	size_t length, given;
};

static void restart_document(void *context)
{
	struct document *d = context;

	d->given = 0;
}

static ssize_t give_document(void *context, void *to, size_t length, struct err *e)
{
	struct document *d = context;
	size_t left = d->length - d->given;

	(void)e;
	if (length > left)
		length = left;
	memcpy(to, d->text + d->given, length);
	d->given += length;
	return (ssize_t)length;
}

int image_upload_manifest(struct image_registry *registry, struct image_http *http,
			  const char *target, const char *media_type, const char *text,
			  size_t length, struct err *e)
{
	struct document document = { text, length, 0 };
	struct image_http_body body = { restart_document, give_document, &document,
					(int64_t)length };
	const char *base;
	int r = image_registry_base(&base, registry, http, e);

	if (r < 0)
		return r;
	own_free char *url =
		mem_format("%s/v2/%s/manifests/%s", base, image_registry_path(registry), target);
	for (int attempt = 1;; attempt++) {
		own_clear(image_http_response_clear) struct image_http_response response = { 0 };
		struct image_http_request request = {
			.url = url, .method = "PUT", .content_type = media_type, .body = &body
		};
		r = image_registry_try(registry, http, &request, &response, e);
		if (r == 0 || attempt == IMAGE_REGISTRY_TRIES ||
		    !image_registry_worth_another(e, &response))
			return r;
		log_debug("again: %s", e->text);
		image_registry_pause(attempt, response.retry_after_s);
	}
}
