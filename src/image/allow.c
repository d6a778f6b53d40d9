#include "image/allow.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/base64.h"
#include "image/claim.h"
#include "image/gpgv.h"
#include "image/http.h"
#include "image/lookaside.h"
#include "image/policy.h"
#include "image/reference.h"

struct image_allow {
	struct image_policy *policy;                      /* NULL: there is none */
	const struct image_policy_requirements *required; /* of policy */
	struct image_reference ref;
	char *lookaside;             /* where signatures lie */
	struct image_gpgv *verifier; /* NULL: no signature is wanted */
};

void image_allow_free(struct image_allow *allow)
{
	if (allow->verifier)
		image_gpgv_free(allow->verifier);
	if (allow->policy)
		image_policy_free(allow->policy);
	image_reference_clear(&allow->ref);
	free(allow->lookaside);
	free(allow);
}

bool image_allow_wants_signature(const struct image_allow *allow)
{
	return allow->verifier != NULL;
}

/* ---- keys ---- */

static int read_key_file(struct str *to, const char *path, struct err *e)
{
	own_clear(str_clear) struct str bytes = { 0 };
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_sys(e, "policy.json: open the key %s", path);
	int r = fd_read_all(fd, IMAGE_POLICY_KEY_MAX, &bytes, e);
	if (r == 0)
		r = image_gpgv_dearmor(to, bytes.text ? bytes.text : "", bytes.length, e);
	return r < 0 ? err_add(e, "policy.json: key %s", path) : 0;
}

static int read_keys(struct str *to, const struct image_policy_requirement *q, struct err *e)
{
	own_clear(str_clear) struct str bytes = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < q->key_paths.count; i++)
		r = read_key_file(to, q->key_paths.items[i], e);
	if (r < 0 || !q->key_data)
		return r;
	if (image_base64_decode(&bytes, q->key_data) < 0)
		return err_set(e, ERR_INVALID, "policy.json: keyData is no base64");
	return image_gpgv_dearmor(to, bytes.text ? bytes.text : "", bytes.length, e);
}

static void clear_keyrings(struct str *keyrings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		str_clear(&keyrings[i]);
	free(keyrings);
}

/* One keyring for each requirement, empty where none is needed. */
static int start_verifier(struct image_allow *allow, struct err *e)
{
	size_t count = allow->required->items.count;
	struct str *keyrings = mem_new(count, sizeof(*keyrings));
	bool any = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct image_policy_requirement *q = &allow->required->items.items[i];
		if (q->kind != IMAGE_POLICY_SIGNED)
			continue;
		any = true;
		r = read_keys(&keyrings[i], q, e);
	}
	if (r == 0 && any)
		r = image_lookaside_find(&allow->lookaside, &allow->ref, e);
	if (r == 0 && any)
		r = image_gpgv_start(&allow->verifier, keyrings, count, e);
	clear_keyrings(keyrings, count);
	return r;
}

/* ---- what is known before ---- */

static int check_kinds(const struct image_policy_requirements *required, const char *what,
		       bool signatures, struct err *e)
{
	for (size_t i = 0; i < required->items.count; i++)
		switch (required->items.items[i].kind) {
		case IMAGE_POLICY_ACCEPT:
			break;
		case IMAGE_POLICY_REJECT:
			return err_set(e, ERR_PERMISSION, "policy.json rejects %s", what);
		case IMAGE_POLICY_UNSUPPORTED:
			return err_set(e, ERR_UNSUPPORTED,
				       "policy.json wants %s sigstoreSigned, which holm cannot "
				       "verify",
				       what);
		case IMAGE_POLICY_SIGNED:
			if (!signatures)
				return err_set(e, ERR_PERMISSION,
					       "policy.json wants %s signed, and there are no "
					       "signatures in it",
					       what);
		}
	return 0;
}

int image_allow_registry(struct image_allow **ret, const struct image_reference *ref, struct err *e)
{
	own(image_allow_free) struct image_allow *allow = mem_new_struct(struct image_allow);
	own_clear(strv_clear) struct strv scopes = { 0 };
	own_free char *what = image_reference_format(ref);

	image_reference_copy(&allow->ref, ref);
	image_policy_scopes(&scopes, ref);
	int r = image_policy_load(&allow->policy, e);
	if (r == 0 && allow->policy) {
		allow->required = image_policy_find(allow->policy, "docker", &scopes);
		r = check_kinds(allow->required, what, true, e);
		if (r == 0)
			r = start_verifier(allow, e);
	}
	if (r == 0)
		*ret = take_ptr(&allow);
	return r;
}

int image_allow_path(const char *transport, const char *path, const char *name, struct err *e)
{
	own(image_policy_free) struct image_policy *policy = NULL;
	own_clear(strv_clear) struct strv scopes = { 0 };
	own_free char *real = strcmp(path, "-") == 0 ? NULL : realpath(path, NULL);
	int r = image_policy_load(&policy, e);

	if (r < 0 || !policy)
		return r;
	/* containers-policy.json(5): docker-archive knows no scopes */
	if (real && !str_equal(transport, "docker-archive"))
		image_policy_path_scopes(&scopes, real, name);
	return check_kinds(image_policy_find(policy, transport, &scopes), path, false, e);
}

/* ---- signatures ---- */

static int check_signature(struct image_allow *allow, size_t i, const struct str *signature,
			   const char *digest, struct err *e)
{
	own_clear(image_claim_clear) struct image_claim claim = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	int r = image_gpgv_verify(allow->verifier, i, signature, &text, e);

	if (r == 0)
		r = image_claim_parse(&claim, text.text ? text.text : "", text.length, e);
	if (r < 0)
		return r;
	if (!str_equal(claim.digest, digest))
		return err_set(e, ERR_PERMISSION, "it is for another image, %.80s", claim.digest);
	if (!image_policy_matches(&allow->required->items.items[i], &allow->ref, claim.reference))
		return err_set(e, ERR_PERMISSION, "it is for another name, %.200s",
			       claim.reference);
	return 0;
}

static int refuse(struct image_allow *allow, const struct err *why, struct err *e)
{
	own_free char *what = image_reference_format(&allow->ref);

	if (!*why->text)
		err_set(e, ERR_PERMISSION, "policy.json wants %s signed, and it has no signature",
			what);
	else
		err_set(e, why->kind, "policy.json wants %s signed: signature: %s", what,
			why->text);
	if (*why->hint)
		return err_hint(e, "%s", why->hint);
	return err_hint(e, "signatures are looked for at %s", allow->lookaside);
}

/* One good signature is enough, whatever the others are. */
static int check_signed(struct image_allow *allow, size_t i, const char *digest,
			struct image_http *http, struct err *e)
{
	struct err why = { 0 };

	for (int n = 1; n <= IMAGE_LOOKASIDE_SIGNATURES_MAX; n++) {
		own_clear(str_clear) struct str signature = { 0 };
		int r = image_lookaside_read(&signature, allow->lookaside, &allow->ref, digest, n,
					     http, e);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		if (check_signature(allow, i, &signature, digest, &why) == 0)
			return 0;
		log_debug("signature %d: %s", n, why.text);
	}
	return refuse(allow, &why, e);
}

int image_allow_check(struct image_allow *allow, const char *digest, struct err *e)
{
	static const struct image_http_settings settings;

	if (!allow->verifier)
		return 0;
	own(image_http_free) struct image_http *http = image_http_new(&settings);
	for (size_t i = 0; i < allow->required->items.count; i++) {
		int r = 0;
		if (allow->required->items.items[i].kind == IMAGE_POLICY_SIGNED)
			r = check_signed(allow, i, digest, http, e);
		if (r < 0)
			return r;
	}
	return 0;
}
