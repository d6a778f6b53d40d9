#include "image/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/allow.h"
#include "image/registry.h"

static int take_credentials(struct image_place *place, const char *credentials)
{
	size_t user = strcspn(credentials, ":");

	place->auth.user = mem_text_n(credentials, user);
	place->auth.password = mem_text(credentials[user] ? credentials + user + 1 : "");
	return 1;
}

int image_place_find(struct image_place *place, const struct image_reference *ref,
		     const struct image_endpoint *endpoint, const struct image_access *access,
		     struct err *e)
{
	struct image_auth_files files = { access->auth_file };

	image_reference_copy(&place->ref, ref);
	place->endpoint = *endpoint;
	place->endpoint.host = mem_text(endpoint->host);
	place->endpoint.path = mem_text(endpoint->path);
	place->endpoint.insecure = endpoint->insecure || access->no_verify;
	int r = image_certs_find(&place->certs, endpoint->host, e);
	if (r < 0)
		return r;
	r = access->credentials
		    ? take_credentials(place, access->credentials)
		    : image_auth_find(&place->auth, &files, endpoint->host, endpoint->path, e);
	place->has_auth = r > 0;
	return r < 0 ? r : 0;
}

void image_place_clear(struct image_place *place)
{
	image_reference_clear(&place->ref);
	free(place->endpoint.host);
	free(place->endpoint.path);
	image_certs_clear(&place->certs);
	image_auth_clear(&place->auth);
	strv_clear(&place->mounts_from);
	if (place->allow)
		image_allow_free(place->allow);
	*place = (struct image_place){ 0 };
}

int image_place_find_primary(struct image_place *place, const struct image_reference *ref,
			     const struct image_access *access, struct err *e)
{
	own(image_registries_free) struct image_registries *registries = NULL;
	own_clear(image_registries_clear_endpoints) struct image_endpoints endpoints = { 0 };
	int r = image_registries_load(&registries, e);

	if (r == 0)
		r = image_registries_endpoints(registries, ref, &endpoints, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < endpoints.items.count; i++)
		if (!endpoints.items.items[i].mirror)
			return image_place_find(place, ref, &endpoints.items.items[i], access, e);
	return err_set(e, ERR_NOT_FOUND, "registries.conf has mirrors alone for %s", ref->domain);
}

int image_place_find_registry(struct image_place *place, const char *host,
			      const struct image_access *access, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	/* registries.conf is about repositories: what it says of any one there */
	own_free char *name = mem_format("%.*s/any", (int)strcspn(host, "/"), host);
	int r = image_reference_parse(&ref, name, e);

	if (r == 0 && !ref.domain_given)
		r = err_set(e, ERR_INVALID, "%.200s is not the name of a registry", host);
	if (r == 0)
		r = image_place_find_primary(place, &ref, access, e);
	if (r == 0)
		mem_replace(&place->endpoint.path, "");
	return r;
}

struct image_registry *image_place_registry(const struct image_place *place)
{
	struct image_repository repository = {
		.host = place->endpoint.host,
		.path = place->endpoint.path,
		.insecure = place->endpoint.insecure,
		.ca = place->certs.ca,
		.cert = place->certs.cert,
		.key = place->certs.key,
		.auth = place->has_auth ? &place->auth : NULL,
		.push = place->push,
		.mounts_from = &place->mounts_from,
	};

	return image_registry_new(&repository);
}
