#include "image/token.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/auth.h"
#include "image/challenge.h"
#include "image/http.h"

struct answer {
	char *token;
	char *access_token;
};

static const struct shape answer_shape = {
	sizeof(struct answer),
	(const struct shape_field[]){
		{ "token", SHAPE_STRING, offsetof(struct answer, token) },
		{ "access_token", SHAPE_STRING, offsetof(struct answer, access_token) },
		{ 0 },
	},
};

static int collect(void *context, const void *bytes, size_t length, struct err *e)
{
	struct str *text = context;

	if (text->length + length > IMAGE_TOKEN_ANSWER_MAX)
		return err_set(e, ERR_CORRUPT, "token of more than %d KiB",
			       IMAGE_TOKEN_ANSWER_MAX >> 10);
	str_add_n(text, bytes, length);
	return 0;
}

static int check_realm(const struct image_url *realm, const struct image_url *registry,
		       bool local_allowed, struct err *e)
{
	if (str_equal(realm->scheme, "https"))
		return image_url_check_step(registry, realm, local_allowed, e);
	bool same_host = str_equal(realm->host, registry->host);
	bool loopback = image_url_host_is_loopback(registry->host) &&
			image_url_host_is_loopback(realm->host);
	if (str_equal(registry->scheme, "http") && (same_host || loopback))
		return 0;
	return err_set(e, ERR_PERMISSION,
		       "the registry wants the login sent to %.200s, which is not https",
		       realm->text);
}

static void add_parameter(struct str *s, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(NULL, value, 0);

	str_addf(s, "%s%s=%s", s->length ? "&" : "", name, escaped ? escaped : "");
	curl_free(escaped);
}

static void add_scopes(struct str *s, const struct image_challenge *c,
		       const struct image_token_wanted *wanted)
{
	own_free char *scope = mem_format("repository:%s:pull", wanted->path);

	if (!str_empty(c->service))
		add_parameter(s, "service", c->service);
	own_free char *all = strv_join(wanted->scopes, " ");
	if (*all)
		add_parameter(s, "scope", all);
	else if (!str_empty(c->scope) || *wanted->path)
		add_parameter(s, "scope", str_empty(c->scope) ? scope : c->scope);
}

static char *query_address(const struct image_url *realm, const struct image_challenge *c,
			   const struct image_token_wanted *wanted)
{
	own_clear(str_clear) struct str query = { 0 };

	add_scopes(&query, c, wanted);
	if (!query.length)
		return mem_text(realm->text);
	return mem_format("%s%c%s", realm->text, strchr(realm->text, '?') ? '&' : '?', query.text);
}

static char *refresh_form(const struct image_challenge *c, const struct image_token_wanted *wanted,
			  const char *token)
{
	struct str form = { 0 };

	add_parameter(&form, "grant_type", "refresh_token");
	add_parameter(&form, "client_id", "holm");
	add_parameter(&form, "refresh_token", token);
	add_scopes(&form, c, wanted);
	return str_take(&form);
}

/* A token goes into a header: nothing that could end it. */
static bool is_clean(const char *token)
{
	for (; *token; token++)
		if (*token <= ' ' || *token >= 0x7f)
			return false;
	return true;
}

static int take_token(char **ret, const struct str *text, struct err *e)
{
	own_json struct json_object *object = NULL;
	struct answer answer = { 0 };
	int r = json_parse(&object, text->text ? text->text : "", text->length,
			   "answer of the token service", e);

	if (r == 0)
		r = shape_read(&answer_shape, object, &answer, e);
	if (r < 0)
		return r;
	const char *token = str_empty(answer.token) ? answer.access_token : answer.token;
	if (str_empty(token) || !is_clean(token))
		r = err_set(e, ERR_CORRUPT, "answer of the token service: no token in it");
	else
		*ret = mem_format("Bearer %s", token);
	shape_clear(&answer_shape, &answer);
	return r;
}

static int ask(char **ret, struct image_http *http, const struct image_http_request *request,
	       const char *host, struct str *text, struct err *e)
{
	own_clear(image_http_response_clear) struct image_http_response response = { 0 };
	int r = image_http_perform(http, request, &response, e);

	if (r < 0)
		return r;
	if (response.status == 200)
		return take_token(ret, text, e);
	if (response.status == 401 || response.status == 403) {
		err_set(e, ERR_PERMISSION, "%s refuses the login (status %ld)", host,
			response.status);
		return err_hint(e, "log in again, or check --authfile");
	}
	return err_set(e, ERR_UNREACHABLE, "%s gives no token: status %ld", host, response.status);
}

static int fetch_token(char **ret, struct image_http *http, const struct image_url *realm,
		       const struct image_token_wanted *wanted, const struct image_challenge *c,
		       const struct image_auth *auth, bool foreign, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	struct byte_sink sink = { collect, &text };
	bool refresh = auth && auth->token;
	own_free char *form = refresh ? refresh_form(c, wanted, auth->token) : NULL;
	own_free char *url = refresh ? mem_text(realm->text) : query_address(realm, c, wanted);
	own_free char *basic = auth && !refresh ? image_auth_basic(auth) : NULL;
	struct image_http_request request = {
		.url = url,
		.authorization = basic,
		.form = form,
		.limit_s = IMAGE_HTTP_SMALL_S,
		.foreign = foreign,
		.sink = &sink,
	};

	return ask(ret, http, &request, realm->host, &text, e);
}

int image_token_answer(char **ret, struct image_http *http, const struct image_token_wanted *wanted,
		       const struct image_challenge *challenge, const struct image_auth *auth,
		       struct err *e)
{
	own_clear(image_url_clear) struct image_url registry = { 0 };
	own_clear(image_url_clear) struct image_url realm = { 0 };
	int r = image_url_parse(&registry, wanted->registry_url, NULL, e);

	if (r < 0)
		return r;
	if (!challenge->bearer && (!auth || auth->token)) {
		err_set(e, ERR_PERMISSION, "%s wants a login", registry.host);
		return err_hint(e, "log in with: holm login %s", strstr(registry.text, "://") + 3);
	}
	if (!challenge->bearer) {
		*ret = image_auth_basic(auth);
		return 0;
	}
	r = image_url_parse(&realm, challenge->realm, registry.text, e);
	if (r < 0)
		return err_add(e, "realm of %s", registry.host);
	r = check_realm(&realm, &registry, image_http_is_local(http), e);
	if (r < 0)
		return r;
	bool foreign = !image_url_same_origin(&realm, &registry);
	return fetch_token(ret, http, &realm, wanted, challenge, auth, foreign, e);
}
