/* registry.c - each request is tried until it works or it is clear that it will not: transfers
 * that break, status 5xx and 429 are worth another try, after a pause that doubles; a blob goes on
 * where the last try ended. A 401 is answered once per request. */
#include "image/registry.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shape.h"
#include "image/auth.h"
#include "image/challenge.h"
#include "image/http.h"
#include "image/token.h"
#include "storage/hash.h"

enum {
	PAUSE_FIRST_MS = 250,
	PAUSE_MAX_MS = 60000, /* however long Retry-After asks for */
	SMALL_TRIES = 3,
};

static const char manifest_types[] =
	OCI_MEDIA_INDEX ", " OCI_MEDIA_MANIFEST ", " DOCKER_MEDIA_LIST ", " DOCKER_MEDIA_MANIFEST;

struct image_registry {
	char *host, *path;
	char *ca, *cert, *key;
	bool insecure;
	struct strv scopes;      /* that a token must have; none: those of the challenge */
	struct image_auth *auth; /* NULL: nobody */
	pthread_mutex_t lock;    /* for what follows */
	char *base;              /* "https://host", once known */
	char *authorization;     /* what the last challenge came to */
	bool local;              /* the registry is at a local address */
};

static struct image_auth *copy_auth(const struct image_auth *auth)
{
	if (!auth)
		return NULL;
	struct image_auth *copy = mem_new_struct(struct image_auth);
	*copy = (struct image_auth){ mem_text(auth->user), mem_text(auth->password),
				     mem_text(auth->token) };
	return copy;
}

/* All at once, so that workers need not change tokens with each other. */
static void set_scopes(struct image_registry *registry, const struct strv *mounts_from)
{
	strv_addf(&registry->scopes, "repository:%s:pull,push", registry->path);
	for (size_t i = 0; mounts_from && i < mounts_from->count; i++)
		strv_addf(&registry->scopes, "repository:%s:pull", mounts_from->items[i]);
}

struct image_registry *image_registry_new(const struct image_repository *repository)
{
	struct image_registry *registry = mem_new_struct(struct image_registry);
	const char *host = repository->host;

	/* The name people use is not where the registry of Docker's hub answers. */
	if (str_equal(host, "docker.io"))
		host = "registry-1.docker.io";
	registry->host = mem_text(host);
	registry->path = mem_text(repository->path);
	registry->ca = mem_text(repository->ca);
	registry->cert = mem_text(repository->cert);
	registry->key = mem_text(repository->key);
	registry->insecure = repository->insecure;
	registry->auth = copy_auth(repository->auth);
	if (repository->push)
		set_scopes(registry, repository->mounts_from);
	pthread_mutex_init(&registry->lock, NULL);
	return registry;
}

void image_registry_free(struct image_registry *registry)
{
	free(registry->host);
	free(registry->path);
	free(registry->ca);
	free(registry->cert);
	free(registry->key);
	free(registry->base);
	free(registry->authorization);
	strv_clear(&registry->scopes);
	if (registry->auth)
		image_auth_clear(registry->auth);
	free(registry->auth);
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

struct image_http *image_registry_connect(const struct image_registry *registry)
{
	struct image_http_settings settings = { registry->insecure, registry->ca, registry->cert,
						registry->key };
	return image_http_new(&settings);
}

void image_document_clear(struct image_document *document)
{
	str_clear(&document->text);
	free(document->media_type);
	*document = (struct image_document){ 0 };
}

/* Does anybody answer there as a registry does? 0, 1 if something else answers, or an error. */
static int probe(struct image_http *http, const char *base, struct err *e)
{
	own_clear(image_http_response_clear) struct image_http_response response = { 0 };
	own_free char *url = mem_format("%s/v2/", base);
	struct image_http_request request = { .url = url, .limit_s = IMAGE_HTTP_SMALL_S };
	int r = image_http_perform(http, &request, &response, e);

	if (r < 0)
		return r;
	/* Go's servers say 400 to plain HTTP on a TLS port. */
	return response.status == 400 ? 1 : 0;
}

static bool is_loopback(const char *host)
{
	own_clear(image_url_clear) struct image_url url = { 0 };
	own_free char *text = mem_format("https://%s/", host);
	struct err ignored;

	return image_url_parse(&url, text, NULL, &ignored) == 0 &&
	       image_url_host_is_loopback(url.host);
}

/* Plain HTTP only on this machine (where it is tried first: nobody is in between, and a plain
 * server may wait for ever on a TLS greeting) or where configured (where TLS is tried first). */
static int find_base(char **ret, const struct image_registry *registry, struct image_http *http,
		     struct err *e)
{
	own_free char *https = mem_format("https://%s", registry->host);
	own_free char *plain = mem_format("http://%s", registry->host);
	int r;

	if (!registry->insecure && is_loopback(registry->host) && !registry->ca &&
	    !registry->cert) {
		if (probe(http, plain, e) == 0) {
			*ret = take_ptr(&plain);
			return 0;
		}
	} else if (registry->insecure) {
		r = probe(http, https, e);
		if (r < 0 && e->kind == ERR_UNREACHABLE && probe(http, plain, e) >= 0) {
			*ret = take_ptr(&plain);
			return 0;
		}
	}
	*ret = take_ptr(&https);
	return 0;
}

/* *ret is borrowed; it does not change once it is known. */
int image_registry_base(const char **ret, struct image_registry *registry, struct image_http *http,
			struct err *e)
{
	int r = 0;

	pthread_mutex_lock(&registry->lock);
	if (registry->local)
		image_http_allow_local(http);
	if (!registry->base)
		r = find_base(&registry->base, registry, http, e);
	*ret = registry->base;
	pthread_mutex_unlock(&registry->lock);
	return r;
}

const char *image_registry_host(const struct image_registry *registry)
{
	return registry->host;
}

const char *image_registry_path(const struct image_registry *registry)
{
	return registry->path;
}

static char *current_authorization(struct image_registry *registry)
{
	pthread_mutex_lock(&registry->lock);
	char *copy = mem_text(registry->authorization);
	pthread_mutex_unlock(&registry->lock);
	return copy;
}

static int refuses_login(const struct image_registry *registry, struct err *e)
{
	err_set(e, ERR_PERMISSION, "%s refuses the login", registry->host);
	return err_hint(e, "check user and password in auth.json, or --authfile");
}

/* Answers the challenge, unless another thread has done so since `used` was taken. */
static int answer(struct image_registry *registry, struct image_http *http,
		  const struct strv *challenges, const char *used, struct err *e)
{
	own_clear(image_challenge_clear) struct image_challenge challenge = { 0 };
	int r = image_challenge_parse(&challenge, challenges, e);

	if (r < 0)
		return r;
	if (used && !challenge.bearer)
		return refuses_login(registry, e);
	pthread_mutex_lock(&registry->lock);
	if (str_equal(registry->authorization, used)) {
		char *header = NULL;
		struct image_token_wanted wanted = { registry->base, registry->path,
						     &registry->scopes };
		r = image_token_answer(&header, http, &wanted, &challenge, registry->auth, e);
		if (r == 0) {
			free(registry->authorization);
			registry->authorization = header;
		}
	}
	registry->local = registry->local || image_http_is_local(http);
	pthread_mutex_unlock(&registry->lock);
	return r;
}

struct remote_error {
	char *code;
	char *message;
};

struct remote_errors {
	SHAPE_LIST_OF(struct remote_error) errors;
};

static const struct shape remote_error_shape = {
	sizeof(struct remote_error),
	(const struct shape_field[]){
		{ "code", SHAPE_STRING, offsetof(struct remote_error, code) },
		{ "message", SHAPE_STRING, offsetof(struct remote_error, message) },
		{ 0 },
	},
};

static const struct shape remote_errors_shape = {
	sizeof(struct remote_errors),
	(const struct shape_field[]){
		{ "errors", SHAPE_LIST, offsetof(struct remote_errors, errors),
		  &remote_error_shape },
		{ 0 },
	},
};

/* What the registry itself says of a failure (distribution-spec v1.1, "Error codes"). */
static char *remote_message(const char *detail)
{
	own_json struct json_object *object = NULL;
	struct remote_errors errors = { 0 };
	struct err ignored;
	char *message = NULL;

	if (!detail || json_parse(&object, detail, strlen(detail), "", &ignored) < 0 ||
	    shape_read(&remote_errors_shape, object, &errors, &ignored) < 0)
		return mem_text("");
	if (errors.errors.count && !str_empty(errors.errors.items[0].message))
		message = mem_format(": %.200s", errors.errors.items[0].message);
	shape_clear(&remote_errors_shape, &errors);
	return message ? message : mem_text("");
}

static int judge_status(const struct image_registry *registry,
			const struct image_http_request *request,
			const struct image_http_response *response, struct err *e)
{
	own_free char *message = remote_message(response->detail);
	const char *host = registry->host;
	long status = response->status;

	if (request->method && status >= 200 && status <= 299)
		return 0;
	switch (status) {
	case 200:
	case 206:
		return 0;
	case 401:
	case 403:
		err_set(e, ERR_PERMISSION, "%s denies access to %s%s", host, registry->path,
			message);
		return err_hint(e, "does it exist, and may you? log in with: holm login %s", host);
	case 404:
		return err_set(e, ERR_NOT_FOUND, "not on %s%s", host, message);
	case 429:
		return err_set(e, ERR_UNREACHABLE, "%s: too many requests%s", host, message);
	default:
		return err_set(e, ERR_UNREACHABLE, "%s answers with status %ld%s", host, status,
			       message);
	}
}

/* At most one answer to a challenge. */
int image_registry_try(struct image_registry *registry, struct image_http *http,
		       struct image_http_request *request, struct image_http_response *response,
		       struct err *e)
{
	own_free char *authorization = current_authorization(registry);

	request->authorization = authorization;
	int r = image_http_perform(http, request, response, e);
	if (r < 0 || response->status != 401)
		return r < 0 ? r : judge_status(registry, request, response, e);

	r = answer(registry, http, &response->challenges, authorization, e);
	if (r < 0)
		return r;
	own_free char *renewed = current_authorization(registry);
	request->authorization = renewed;
	image_http_response_clear(response);
	r = image_http_perform(http, request, response, e);
	if (r == 0 && response->status == 401 && registry->auth)
		return refuses_login(registry, e);
	return r < 0 ? r : judge_status(registry, request, response, e);
}

bool image_registry_worth_another(const struct err *e, const struct image_http_response *response)
{
	if (e->kind == ERR_TIMEOUT)
		return true;
	if (e->kind != ERR_UNREACHABLE)
		return false;
	return response->status < 400 || response->status == 429 || response->status >= 500;
}

void image_registry_pause(int attempt, int retry_after_s)
{
	int64_t ms = (int64_t)PAUSE_FIRST_MS << (attempt - 1);

	if (retry_after_s >= 0 && ms < (int64_t)retry_after_s * 1000)
		ms = (int64_t)retry_after_s * 1000;
	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };
	while (nanosleep(&time, &time) < 0 && errno == EINTR)
		;
}

static int collect(void *context, const void *bytes, size_t length, struct err *e)
{
	struct str *text = context;

	if (text->length + length > OCI_IMAGE_MANIFEST_MAX)
		return err_set(e, ERR_CORRUPT, "an answer of more than %d MiB",
			       OCI_IMAGE_MANIFEST_MAX >> 20);
	str_add_n(text, bytes, length);
	return 0;
}

static int check_digest(struct image_document *document, const char *target, const char *said,
			struct err *e)
{
	storage_hash_bytes(document->text.text ? document->text.text : "", document->text.length,
			   document->digest);
	if (oci_digest_is_valid(target) && !str_equal(target, document->digest))
		return err_set(e, ERR_CORRUPT, "the registry sent a manifest that is %s, not %s",
			       document->digest, target);
	if (oci_digest_is_valid(said) && !str_equal(said, document->digest))
		return err_set(e, ERR_CORRUPT,
			       "the registry says the manifest is %s, what it sent is %s", said,
			       document->digest);
	return 0;
}

/* A small answer, whole. *response is the caller's. */
static int get_small(struct image_registry *registry, struct image_http *http, const char *url,
		     const char *accept, struct str *to, struct image_http_response *response,
		     struct err *e)
{
	struct byte_sink sink = { collect, to };

	for (int attempt = 1;; attempt++) {
		struct image_http_request request = {
			.url = url, .accept = accept, .limit_s = IMAGE_HTTP_SMALL_S, .sink = &sink
		};
		int r = image_registry_try(registry, http, &request, response, e);
		if (r == 0)
			return 0;
		str_clear(to);
		if (attempt == SMALL_TRIES || !image_registry_worth_another(e, response))
			return r;
		log_debug("again: %s", e->text);
		image_registry_pause(attempt, response->retry_after_s);
		image_http_response_clear(response);
	}
}

int image_registry_get(struct image_registry *registry, struct image_http *http, const char *path,
		       struct str *to, struct err *e)
{
	own_clear(image_http_response_clear) struct image_http_response response = { 0 };
	const char *base;
	int r = image_registry_base(&base, registry, http, e);

	if (r < 0)
		return r;
	own_free char *url = mem_format("%s%s", base, path);
	return get_small(registry, http, url, NULL, to, &response, e);
}

int image_registry_manifest(struct image_registry *registry, struct image_http *http,
			    const char *target, struct image_document *ret, struct err *e)
{
	own_clear(image_document_clear) struct image_document document = { 0 };
	own_clear(image_http_response_clear) struct image_http_response response = { 0 };
	const char *base;
	int r = image_registry_base(&base, registry, http, e);

	if (r < 0)
		return r;
	own_free char *url = mem_format("%s/v2/%s/manifests/%s", base, registry->path, target);
	r = get_small(registry, http, url, manifest_types, &document.text, &response, e);
	document.media_type = take_ptr(&response.content_type);
	if (r == 0)
		r = check_digest(&document, target, response.digest, e);
	if (r < 0)
		return r;
	*ret = document;
	document = (struct image_document){ 0 };
	return 0;
}

/* A blob on its way over several tries. */
struct blob {
	const struct image_blob_sink *sink;
	const struct oci_descriptor *descriptor;
	struct image_http_response response; /* of this try */
	int64_t have;                        /* bytes that the sink has */
	int64_t skip; /* of this try's body, which began too early; -1: unknown */
	bool refused; /* not the network's fault */
};

static int take_bytes(void *context, const void *bytes, size_t length, struct err *e)
{
	struct blob *blob = context;
	int r;

	if (blob->skip < 0) {
		int64_t first = blob->response.first;
		if (blob->response.status == 200)
			first = 0;
		if (first > blob->have || first < 0)
			first = blob->have; /* a lie shows in the digest */
		blob->skip = blob->have - first;
	}
	size_t skip = (int64_t)length < blob->skip ? length : (size_t)blob->skip;
	blob->skip -= (int64_t)skip;
	length -= skip;
	if (!length)
		return 0;
	if ((int64_t)length > blob->descriptor->size - blob->have) {
		blob->refused = true;
		return err_set(e, ERR_CORRUPT, "more than the %lld bytes that the manifest says",
			       (long long)blob->descriptor->size);
	}
	r = blob->sink->bytes.write(blob->sink->bytes.context, (const char *)bytes + skip, length,
				    e);
	if (r < 0)
		blob->refused = true;
	else
		blob->have += (int64_t)length;
	return r;
}

static int try_blob(struct image_registry *registry, struct image_http *http, const char *url,
		    bool foreign, struct blob *blob, struct err *e)
{
	struct byte_sink sink = { take_bytes, blob };
	struct image_http_request request = {
		.url = url, .range_from = blob->have, .foreign = foreign, .sink = &sink
	};

	blob->skip = -1;
	int r = foreign ? image_http_perform(http, &request, &blob->response, e)
			: image_registry_try(registry, http, &request, &blob->response, e);
	if (r == 0 && foreign)
		r = judge_status(registry, &request, &blob->response, e);
	if (r < 0)
		return r;
	if (blob->have == blob->descriptor->size)
		return 0;
	return err_set(e, ERR_UNREACHABLE, "%s: the transfer ended after %lld of %lld bytes",
		       registry->host, (long long)blob->have, (long long)blob->descriptor->size);
}

static int fetch_blob(struct image_registry *registry, struct image_http *http, const char *url,
		      bool foreign, struct blob *blob, struct err *e)
{
	for (int attempt = 1;; attempt++) {
		int64_t before = blob->have;
		image_http_response_clear(&blob->response);
		int r = try_blob(registry, http, url, foreign, blob, e);
		if (r == 0 || blob->refused || !image_registry_worth_another(e, &blob->response))
			return r;
		if (blob->have - before >= IMAGE_REGISTRY_PROGRESS)
			attempt = 1;
		else if (e->kind == ERR_TIMEOUT)
			attempt += 2; /* each costs IMAGE_HTTP_SLOW_S: one more, then no more */
		if (attempt >= IMAGE_REGISTRY_TRIES)
			return r;
		log_debug("again: %s", e->text);
		if (blob->sink->retry)
			blob->sink->retry(blob->sink->context, e);
		image_registry_pause(attempt, blob->response.retry_after_s);
	}
}

int image_registry_blob(struct image_registry *registry, struct image_http *http,
			const struct oci_descriptor *descriptor, int64_t offset,
			const struct image_blob_sink *sink, struct err *e)
{
	struct blob blob = { .sink = sink, .descriptor = descriptor, .have = offset };
	const char *base;
	int r = image_registry_base(&base, registry, http, e);

	if (r < 0 || offset == descriptor->size)
		return r;
	own_free char *url =
		mem_format("%s/v2/%s/blobs/%s", base, registry->path, descriptor->digest);
	r = fetch_blob(registry, http, url, false, &blob, e);
	for (size_t i = 0; i < descriptor->urls.count && r < 0 && e->kind == ERR_NOT_FOUND; i++)
		r = fetch_blob(registry, http, descriptor->urls.items[i], true, &blob, e);
	image_http_response_clear(&blob.response);
	return r;
}
