/* stored.h - an image whose blobs are in the store already, or will come from an archive's members,
 * becomes usable: its layers are unpacked and it gets its name. The end of load and import. */
#pragma once
struct err;
struct image_invocation;
struct image_members;
struct image_report;
struct store;

struct image_stored {
	const struct store *store;
	struct image_report *report;
	const struct image_members *members; /* that promised blobs; NULL: all are in the store */
};

/* digest: of the manifest. reference: its full name; NULL: it stays without one. Reports the
 * image. The caller holds the shared lock on the layers. */
int image_stored_finish(const struct image_stored *stored, const char *digest,
			const char *reference, struct err *e);

/* The same, its layers left for later: they are unpacked when a container first needs them. */
int image_stored_name(const struct image_stored *stored, const char *digest, const char *reference,
		      struct err *e);

/* Verb "restore": unpacks what is missing of the layers of the image with this manifest. */
int image_stored_restore_verb(const struct image_invocation *invocation, struct err *e);

/* What a failed one left without a name goes at once, unless somebody else works there. */
void image_stored_clean_up(const struct store *store);
