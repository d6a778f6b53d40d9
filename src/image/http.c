#include "image/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/str.h"
#include "image/proxy.h"

enum { DETAIL_MAX = 2048 };

struct image_http {
	CURL *curl;
	bool no_verify;
	char *ca, *cert, *key;
	bool local_allowed; /* the registry is at a local address */
};

/* One request on its way: what the callbacks share. */
struct transfer {
	struct image_http *http;
	const struct image_http_request *request;
	struct image_http_response *response;
	bool foreign;             /* this hop's address came from a registry */
	struct image_proxy proxy; /* of this hop */
	size_t header_bytes;
	char *location;
	struct str detail;
	struct err *e;
	bool failed; /* e is filled */
};

OWN_DEFINE(curl_slist_free_all, struct curl_slist *)

void image_http_response_clear(struct image_http_response *response)
{
	free(response->content_type);
	free(response->digest);
	free(response->location);
	free(response->detail);
	strv_clear(&response->challenges);
	*response = (struct image_http_response){ 0 };
}

struct image_http *image_http_new(const struct image_http_settings *settings)
{
	struct image_http *http = mem_new_struct(struct image_http);

	http->curl = curl_easy_init();
	http->no_verify = settings->no_verify;
	http->ca = mem_text(settings->ca);
	http->cert = mem_text(settings->cert);
	http->key = mem_text(settings->key);
	return http;
}

void image_http_free(struct image_http *http)
{
	curl_easy_cleanup(http->curl);
	free(http->ca);
	free(http->cert);
	free(http->key);
	free(http);
}

bool image_http_is_local(const struct image_http *http)
{
	return http->local_allowed;
}

void image_http_allow_local(struct image_http *http)
{
	http->local_allowed = true;
}

/* The moment at which a name has become a number and cannot change any more (DNS rebinding). */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = context;
	struct image_http *http = t->http;
	bool local = image_url_address_is_local(&address->addr);

	(void)purpose;
	/* where a proxy is says nothing about where the registry is */
	if (t->proxy.address)
		local = false;
	if (local && !t->foreign)
		http->local_allowed = true;
	if (local && t->foreign && !http->local_allowed) {
		t->failed = true;
		err_set(t->e, ERR_PERMISSION,
			"the registry sends us to an address of this machine");
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* "Name: value\r\n" with this name: the value without surrounding blanks; else NULL. */
static char *header_value(const char *line, size_t length, const char *name)
{
	size_t n = strlen(name);

	if (length <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return NULL;
	const char *from = line + n + 1;
	const char *to = line + length;
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	while (to > from && (unsigned char)to[-1] <= ' ')
		to--;
	return mem_text_n(from, (size_t)(to - from));
}

/* "text/plain; charset=utf-8" is "text/plain". */
static char *media_type_of(char *value)
{
	size_t length = strcspn(value, "; \t");

	value[length] = '\0';
	for (char *c = value; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	return value;
}

/* "bytes 100-199/200" begins at 100. */
static int64_t first_of_range(const char *value)
{
	int64_t first;
	struct err ignored;

	if (!str_starts(value, "bytes "))
		return -1;
	own_free char *digits = mem_text_n(value + 6, strcspn(value + 6, "-"));
	return number_parse_i64(&first, digits, 0, INT64_MAX, &ignored) < 0 ? -1 : first;
}

/* Of an upload, "0-99" or "bytes=0-99" says that 100 bytes are there (distribution-spec v1.1,
 * "Pushing a blob in chunks"). Docker's registry says "0-0" for none, too. */
static int64_t received_of_range(const char *value)
{
	const char *text = str_starts(value, "bytes=") ? value + 6 : value;
	int64_t last;
	struct err ignored;

	if (!str_starts(text, "0-") ||
	    number_parse_i64(&last, text + 2, 0, INT64_MAX - 1, &ignored) < 0)
		return -1;
	return last ? last + 1 : 0;
}

static int seconds_of(const char *value)
{
	uint64_t seconds;
	struct err ignored;

	if (number_parse_u64(&seconds, value, 3600, &ignored) == 0)
		return (int)seconds;
	time_t when = curl_getdate(value, NULL);
	time_t now = time(NULL);
	return when > now && when - now < 3600 ? (int)(when - now) : -1;
}

/* 0: it is none. */
static int64_t size_of(const char *value)
{
	int64_t size;
	struct err ignored;

	return number_parse_i64(&size, value, 0, INT64_MAX, &ignored) < 0 ? 0 : size;
}

static void take_header(struct transfer *t, const char *line, size_t length)
{
	struct image_http_response *response = t->response;
	char *value;

	if ((value = header_value(line, length, "content-type"))) {
		free(response->content_type);
		response->content_type = media_type_of(value);
	} else if ((value = header_value(line, length, "docker-content-digest"))) {
		free(response->digest);
		response->digest = value;
	} else if ((value = header_value(line, length, "www-authenticate"))) {
		strv_add_take(&response->challenges, value);
	} else if ((value = header_value(line, length, "location"))) {
		free(t->location);
		t->location = value;
	} else if ((value = header_value(line, length, "retry-after"))) {
		response->retry_after_s = seconds_of(value);
		free(value);
	} else if ((value = header_value(line, length, "content-range"))) {
		response->first = first_of_range(value);
		free(value);
	} else if ((value = header_value(line, length, "oci-chunk-min-length"))) {
		response->chunk_min = size_of(value);
		free(value);
	} else if ((value = header_value(line, length, "range"))) {
		response->received = received_of_range(value);
		free(value);
	}
}

static void forget_headers(struct transfer *t)
{
	image_http_response_clear(t->response);
	t->response->retry_after_s = -1;
	t->response->first = -1;
	t->response->received = -1;
	free(take_ptr(&t->location));
	str_clear(&t->detail);
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct transfer *t = context;
	size_t length = size * count;

	t->header_bytes += length;
	if (t->header_bytes > IMAGE_HTTP_HEADERS_MAX) {
		t->failed = true;
		err_set(t->e, ERR_CORRUPT, "more than %d KiB of headers",
			IMAGE_HTTP_HEADERS_MAX >> 10);
		return 0;
	}
	/* A new status line (after a 100, or a proxy's CONNECT) starts a new set. */
	if (length > 5 && strncasecmp(line, "HTTP/", 5) == 0)
		forget_headers(t);
	else
		take_header(t, line, length);
	return length;
}

static size_t keep_detail(struct transfer *t, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && t->detail.length < DETAIL_MAX; i++) {
		char c = bytes[i];
		str_add_char(&t->detail, c >= ' ' && c < 0x7f ? c : ' ');
	}
	/* Enough has been seen: the connection is not worth a long error page. */
	return t->detail.length < DETAIL_MAX ? length : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *t = context;
	size_t length = size * count;
	long status = 0;

	curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200 && status != 206)
		return keep_detail(t, bytes, length);
	t->response->status = status;
	if (!t->request->sink)
		return length;
	if (t->request->sink->write(t->request->sink->context, bytes, length, t->e) < 0) {
		t->failed = true;
		return 0;
	}
	return length;
}

static size_t give_body(char *to, size_t size, size_t count, void *context)
{
	struct transfer *t = context;
	const struct image_http_body *body = t->request->body;

	ssize_t n = body->read(body->context, to, size * count, t->e);
	if (n >= 0)
		return (size_t)n;
	t->failed = true;
	return CURL_READFUNC_ABORT;
}

static void set_tls(struct image_http *http, bool foreign)
{
	CURL *curl = http->curl;

	/* Insecure and client certificates are for the registry, not for where it sends us. */
	bool verify = foreign || !http->no_verify;
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (foreign)
		return;
	/* Beside the system's: those stay trusted by CURLOPT_CAPATH, which is built in. */
	struct curl_blob ca = { http->ca, http->ca ? strlen(http->ca) : 0, CURL_BLOB_NOCOPY };
	if (http->ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
	if (http->cert)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, http->cert);
	if (http->key)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, http->key);
}

static void set_bounds(CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)IMAGE_HTTP_CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)IMAGE_HTTP_SLOW_BYTES);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)IMAGE_HTTP_SLOW_S);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "holm/" HOLM_VERSION);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
}

static struct curl_slist *headers_of(const struct image_http_request *request, bool authorized)
{
	struct curl_slist *headers = NULL;

	if (request->accept) {
		own_free char *line = mem_format("Accept: %s", request->accept);
		headers = curl_slist_append(headers, line);
	}
	if (request->authorization && authorized) {
		own_free char *line = mem_format("Authorization: %s", request->authorization);
		headers = curl_slist_append(headers, line);
	}
	if (request->method) { /* no waiting for "100 Continue": the login was asked for before */
		headers = curl_slist_append(headers, "Expect:");
		own_free char *line = mem_format(
			"Content-Type: %s",
			request->content_type ? request->content_type : "application/octet-stream");
		headers = curl_slist_append(headers, line);
	}
	if (request->content_range) {
		own_free char *line = mem_format("Content-Range: %s", request->content_range);
		headers = curl_slist_append(headers, line);
	}
	if (request->range_from > 0) {
		own_free char *line =
			mem_format("Range: bytes=%lld-", (long long)request->range_from);
		headers = curl_slist_append(headers, line);
	}
	return headers;
}

static void set_method(struct transfer *t)
{
	const struct image_http_request *request = t->request;
	CURL *curl = t->http->curl;

	if (request->form) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->form);
	} else if (str_equal(request->method, "HEAD")) {
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	} else if (request->body) {
		request->body->restart(request->body->context);
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
		curl_easy_setopt(curl, CURLOPT_READDATA, t);
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body->size);
		curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	} else if (request->method) {
		if (!str_equal(request->method, "GET"))
			curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	}
	if (request->method)
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)IMAGE_HTTP_WRITE_SLOW_S);
}

static void set_request(struct transfer *t, const struct image_url *url, struct curl_slist *headers)
{
	CURL *curl = t->http->curl;

	curl_easy_reset(curl);
	set_bounds(curl);
	set_tls(t->http, t->foreign);
	curl_easy_setopt(curl, CURLOPT_URL, url->text);
	/* libcurl's own reading of the environment is another than Docker's: "" turns it off */
	t->proxy = image_proxy_for(url);
	curl_easy_setopt(curl, CURLOPT_PROXY, t->proxy.address ? t->proxy.address : "");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
	if (t->request->limit_s)
		curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)t->request->limit_s);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t);
	set_method(t);
}

/* What went wrong on the way to the proxy, or with it. 1: nothing that is known to be its fault. */
static int judge_proxy(struct transfer *t, const struct image_url *url, CURLcode code)
{
	long status = 0;
	struct err *e = t->e;

	curl_easy_getinfo(t->http->curl, CURLINFO_HTTP_CONNECTCODE, &status);
	if (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT)
		err_set(e, ERR_UNREACHABLE, "%s: the proxy cannot be reached", url->host);
	else if (code != CURLE_OK && status >= 400)
		err_set(e, ERR_UNREACHABLE, "%s: the proxy refuses, with status %ld", url->host,
			status);
	else
		return 1;
	return err_hint(e, "%s names the proxy; NO_PROXY what to reach without it",
			t->proxy.variable);
}

static int judge(struct transfer *t, const struct image_url *url, CURLcode code)
{
	const char *reason = curl_easy_strerror(code);
	struct err *e = t->e;

	if (t->failed)
		return err_add(e, "%s", url->host);
	if (t->proxy.address) {
		int r = judge_proxy(t, url, code);
		if (r < 0)
			return r;
	}
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_PEER_FAILED_VERIFICATION:
		err_set(e, ERR_PERMISSION, "%s: %s", url->host, reason);
		return err_hint(e, "put the registry's CA into /etc/containers/certs.d/%s/ca.crt",
				url->host);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(e, ERR_TIMEOUT, "%s: no answer, or slower than %d bytes a second",
			       url->host, IMAGE_HTTP_SLOW_BYTES);
	case CURLE_COULDNT_RESOLVE_HOST:
		err_set(e, ERR_UNREACHABLE, "%s: %s", url->host, reason);
		return err_hint(e, "is the network up, and the registry's name right?");
	case CURLE_COULDNT_CONNECT:
		err_set(e, ERR_UNREACHABLE, "%s, port %d: %s", url->host, url->port, reason);
		return err_hint(e, "does a registry listen there?");
	case CURLE_PARTIAL_FILE:
		return err_set(e, ERR_UNREACHABLE, "%s: the transfer broke off", url->host);
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		return err_set(e, ERR_INVALID, "%s: %s", url->host, reason);
	case CURLE_WRITE_ERROR: /* keep_detail() has seen enough */
		return t->detail.length ? 0 : err_set(e, ERR_INTERNAL, "%s: %s", url->host, reason);
	default:
		return err_set(e, ERR_UNREACHABLE, "%s: %s", url->host, reason);
	}
}

static int perform_hop(struct transfer *t, const struct image_url *url, bool authorized)
{
	own(curl_slist_free_all) struct curl_slist *headers = headers_of(t->request, authorized);

	t->header_bytes = 0;
	t->failed = false;
	forget_headers(t);
	set_request(t, url, headers);
	log_debug("%s %s",
		  t->request->method ? t->request->method
		  : t->request->form ? "POST"
				     : "GET",
		  url->text);
	CURLcode code = curl_easy_perform(t->http->curl);
	int r = judge(t, url, code);
	curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &t->response->status);
	if (t->detail.length)
		t->response->detail = str_take(&t->detail);
	if (r == 0)
		log_debug("%ld from %s", t->response->status, url->host);
	return r;
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int follow(struct transfer *t, struct image_url *url, struct err *e)
{
	own_clear(image_url_clear) struct image_url next = { 0 };
	int r = image_url_parse(&next, t->location, url->text, e);

	if (r < 0)
		return err_add(e, "redirect of %s", url->host);
	r = image_url_check_step(url, &next, t->http->local_allowed, e);
	if (r < 0)
		return r;
	image_url_clear(url);
	*url = next;
	next = (struct image_url){ 0 };
	return 0;
}

static bool is_followed(const struct image_http_request *request)
{
	return !request->form && (!request->method || str_equal(request->method, "HEAD"));
}

/* Where an upload goes on comes from the registry, and is judged as a redirect would be. */
static int take_location(struct transfer *t, const struct image_url *url, struct err *e)
{
	own_clear(image_url_clear) struct image_url next = { 0 };

	if (!t->request->method || !t->location || t->response->status < 200 ||
	    t->response->status > 299)
		return 0;
	int r = image_url_parse(&next, t->location, url->text, e);
	if (r == 0)
		r = image_url_check_step(url, &next, t->http->local_allowed, e);
	if (r < 0)
		return err_add(e, "upload to %s", url->host);
	t->response->location = mem_text(next.text);
	return 0;
}

static int perform_hops(struct transfer *t, struct image_url *url, struct err *e)
{
	own_clear(image_url_clear) struct image_url first = { 0 };
	int r = image_url_parse(&first, url->text, NULL, e);

	if (r == 0 && t->foreign)
		r = image_url_check_step(url, url, t->http->local_allowed, e);
	for (int hop = 0; r == 0; hop++) {
		/* once away, never again: a chain home must not collect the credentials */
		bool home = image_url_same_origin(&first, url);
		t->foreign = t->foreign || !home;
		r = perform_hop(t, url, home && !(t->foreign && !t->request->foreign));
		if (r < 0)
			return r;
		if (!is_redirect(t->response->status) || !t->location || !is_followed(t->request))
			return take_location(t, url, e);
		if (hop == IMAGE_HTTP_REDIRECTS_MAX)
			return err_set(e, ERR_CORRUPT, "%s: more than %d redirects", first.host,
				       IMAGE_HTTP_REDIRECTS_MAX);
		r = follow(t, url, e);
	}
	return r;
}

int image_http_perform(struct image_http *http, const struct image_http_request *request,
		       struct image_http_response *response, struct err *e)
{
	own_clear(image_url_clear) struct image_url url = { 0 };
	struct transfer t = { http, request, response, .foreign = request->foreign, .e = e };
	int r = image_url_parse(&url, request->url, NULL, e);

	if (r == 0)
		r = perform_hops(&t, &url, e);
	free(t.location);
	str_clear(&t.detail);
	return r;
}

int image_http_get(const char *url, const struct byte_sink *sink, struct err *e)
{
	static const struct image_http_settings settings = { 0 };
	own(image_http_free) struct image_http *http = image_http_new(&settings);
	own_clear(image_http_response_clear) struct image_http_response response = { 0 };
	const struct image_http_request request = { .url = url, .sink = sink };

	int r = image_http_perform(http, &request, &response, e);
	if (r < 0 || response.status == 200)
		return r;
	return err_set(e, response.status == 404 ? ERR_NOT_FOUND : ERR_UNREACHABLE,
		       "the server answers %ld", response.status);
}
