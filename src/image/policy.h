/* policy.h - policy.json (containers-policy.json(5)): which images may come in. Pure text but for
 * image_policy_load(), which reads the file and the keys that it names. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"

struct err;
struct image_policy;
struct image_reference;
struct strv;

enum {
	IMAGE_POLICY_BYTES_MAX = 4 << 20,
	IMAGE_POLICY_KEY_MAX = 4 << 20, /* one file of keys */
};

enum image_policy_kind {
	IMAGE_POLICY_ACCEPT,
	IMAGE_POLICY_REJECT,
	IMAGE_POLICY_SIGNED,      /* by one of the keys, for what identity allows */
	IMAGE_POLICY_UNSUPPORTED, /* sigstoreSigned: refused where it is asked for */
};

/* How the name that was signed and the name that was asked for belong together. */
enum image_policy_match {
	IMAGE_POLICY_REPO_DIGEST_OR_EXACT,
	IMAGE_POLICY_EXACT,
	IMAGE_POLICY_REPOSITORY,
	IMAGE_POLICY_EXACT_REFERENCE,
	IMAGE_POLICY_EXACT_REPOSITORY,
	IMAGE_POLICY_REMAP,
};

struct image_policy_requirement {
	enum image_policy_kind kind;
	struct strv key_paths; /* of files; armored or not */
	char *key_data;        /* base64 of such a file, or NULL */
	enum image_policy_match match;
	char *name;          /* dockerReference, dockerRepository or prefix */
	char *signed_prefix; /* of a remapping */
};

struct image_policy_requirements {
	SHAPE_LIST_OF(struct image_policy_requirement) items; /* all must be met */
};

/* The user's ~/.config/containers/policy.json, else /etc/containers/policy.json; *ret NULL: there
 * is none, and everything is taken. A file that is wrong in any place is an error. */
int image_policy_load(struct image_policy **ret, struct err *e);
int image_policy_parse(struct image_policy **ret, const char *text, size_t length, const char *what,
		       struct err *e);
/* The text of the file that image_policy_load() reads, or of this one, and its name: for who shows
 * it. *ret_file NULL: there is none. Both are the caller's. */
int image_policy_read(struct str *to, char **ret_file, const char *file, struct err *e);
void image_policy_free(struct image_policy *policy);
OWN_DEFINE(image_policy_free, struct image_policy *)

/* Writes one rule, in the place of what was said of scope: of a registry, or of a part of one;
 * "default": of all that nothing else is said of. SIGNED is one requirement for each of key_paths,
 * so that all of them must have signed. file: NULL is the one that image_policy_load() reads;
 * where there is none, it is made, accepts the rest, and is the user's own, root's below /etc. Two
 * writers wait for each other. ERR_INVALID: the file, or what would become of it, is no policy. */
int image_policy_edit(const char *file, const char *scope, enum image_policy_kind kind,
		      const struct strv *key_paths, struct err *e);

/* The requirements for a transport ("docker", "oci-archive"): those of the first of scopes that is
 * named there, else of the transport, else the default. Borrowed. */
const struct image_policy_requirements *image_policy_find(const struct image_policy *policy,
							  const char *transport,
							  const struct strv *scopes);

/* All that is said, in the order of the file: the default has no transport, that of a transport no
 * scope (both ""). False: there is no such rule. All of it is borrowed. */
struct image_policy_rule {
	const char *transport, *scope;
	const struct image_policy_requirements *requirements;
};
bool image_policy_rule(struct image_policy_rule *ret, const struct image_policy *policy, size_t i);

/* What policy.json may call an image of a registry, the nearest first: the name with its tag or
 * digest, the repository, each namespace above it, the host, *.its domains. */
void image_policy_scopes(struct strv *to, const struct image_reference *ref);

/* The same for a file or a folder, whose path is absolute: itself with the image's name in it
 * (NULL: none), itself, the folders above. */
void image_policy_path_scopes(struct strv *to, const char *path, const char *name);

/* Does a signature for the name `is` count for ref? */
bool image_policy_matches(const struct image_policy_requirement *requirement,
			  const struct image_reference *ref, const char *is);
