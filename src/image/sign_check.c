#include "image/sign_check.h"

#include <curl/curl.h>

#include "base/err.h"
#include "base/own.h"
#include "image/allow.h"
#include "image/find.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/reference.h"
#include "image/report.h"
#include "storage/index.h"

static int check(const struct image_invocation *invocation, struct image_allow *allow,
		 const struct storage_entry *entry, struct err *e)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl does not start");
	int r = image_allow_check(allow, entry->digest, e);
	curl_global_cleanup();
	if (r < 0)
		return r;
	image_report_image(invocation->report, entry->id, entry->reference,
			   image_allow_wants_signature(allow) ? IMAGE_STATE_DONE
							      : IMAGE_STATE_EXISTS);
	return 0;
}

int image_sign_check_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own(image_allow_free) struct image_allow *allow = NULL;
	const struct storage_entry *entry = NULL;

	if (invocation->count != 1)
		return err_set(e, ERR_INVALID, "expected one image");
	int r = storage_index_read(&index, invocation->store, e);
	if (r == 0)
		r = image_find(&index, invocation->operands[0], &entry, e);
	if (r == 0 && (!entry || !entry->reference))
		r = err_set(e, ERR_INVALID, "an image without a name is none that can be signed");
	if (r == 0)
		r = image_reference_parse(&ref, entry->reference, e);
	if (r == 0)
		r = image_allow_registry(&allow, &ref, e);
	if (r == 0)
		r = image_jail_enter(invocation->store, e);
	return r < 0 || !entry ? r : check(invocation, allow, entry, e);
}
