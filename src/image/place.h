/* place.h - one repository of one registry, with all that the host's files say about the way there:
 * registries.conf, certs.d, the files with logins. Read before the first byte from outside. */
#pragma once
#include <stdbool.h>

#include "image/auth.h"
#include "image/certs.h"
#include "image/reference.h"
#include "image/registries.h"

struct err;
struct image_allow;
struct image_registry;

/* What the command line says about registries. All may be NULL, false. */
struct image_access {
	const char *auth_file;   /* --authfile: instead of the usual ones */
	const char *credentials; /* USER[:PASSWORD], instead of what any file says */
	bool no_verify;          /* --tls-verify=false: as if registries.conf said insecure */
};

struct image_place {
	struct image_reference ref; /* the name that was meant */
	struct image_endpoint endpoint;
	struct image_certs certs;
	struct image_auth auth;
	bool has_auth;
	struct image_allow *allow; /* what policy.json says of an image from there, or NULL */
	bool push;                 /* ask for the right to write, too */
	struct strv mounts_from;   /* other repositories, for the right to read them */
};

/* Fills the zeroed *place, which is to be cleared also after a failure. */
int image_place_find(struct image_place *place, const struct image_reference *ref,
		     const struct image_endpoint *endpoint, const struct image_access *access,
		     struct err *e);
void image_place_clear(struct image_place *place);

/* The registry itself, not its mirrors, for a name that says all. */
int image_place_find_primary(struct image_place *place, const struct image_reference *ref,
			     const struct image_access *access, struct err *e);

/* The same for a registry as such, "host[:port]": it is of no repository. */
int image_place_find_registry(struct image_place *place, const char *host,
			      const struct image_access *access, struct err *e);

/* Never NULL; nothing is asked yet. */
struct image_registry *image_place_registry(const struct image_place *place);
