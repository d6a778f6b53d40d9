#include "image/login.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/http.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/place.h"
#include "image/registry.h"

/* distribution-spec v1.1, "Determining Support": the one address that every registry has. */
static int ask(const struct image_place *place, struct err *e)
{
	own(image_registry_free) struct image_registry *registry = image_place_registry(place);
	own(image_http_free) struct image_http *http = image_registry_connect(registry);
	own_clear(str_clear) struct str text = { 0 };

	return image_registry_get(registry, http, "/v2/", &text, e);
}

int image_login_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(image_place_clear) struct image_place place = { 0 };

	if (invocation->count != 1)
		return err_set(e, ERR_INVALID, "expected one registry");
	int r = image_place_find_registry(&place, invocation->operands[0], &invocation->access, e);
	if (r == 0)
		r = image_jail_enter(invocation->store, e);
	if (r < 0)
		return r;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl does not start");
	r = ask(&place, e);
	curl_global_cleanup();
	return r;
}
